// Plays one kick at a time. Sounds are decoded into memory once, so that the second time, and the neighbours of the kick
// that plays, start with the click; the marks over the pictures follow the clock of the sound card.
(() => {
  const data = document.getElementById("sounds");
  const sounds = JSON.parse(data.textContent);
  let shownSeconds = Number(data.dataset.shown);
  const attackFrom = Number(data.dataset.attackFrom);
  const attackSeconds = Number(data.dataset.attack);
  const decoded = new Map();
  let context = null;
  let gain = null;
  let volume = 0.8;
  let playing = null; // { number, source, start }
  let wanted = null; // the last one asked for: a slower one that is decoded later stays silent

  // Browsers let a page make sound once somebody has clicked or typed.
  const open = () => {
    if (!context) {
      context = new AudioContext({ latencyHint: "interactive" });
      gain = new GainNode(context, { gain: volume });
      gain.connect(context.destination);
    }
    if (context.state === "suspended") context.resume();
    return context;
  };

  const decode = (number) => {
    if (!decoded.has(number)) {
      const bytes = Uint8Array.from(atob(sounds[number]), (letter) => letter.charCodeAt(0));
      decoded.set(number, open().decodeAudioData(bytes.buffer));
    }
    return decoded.get(number);
  };

  const mark = (number, on) => {
    for (const element of document.querySelectorAll(`[data-sound="${number}"]`)) {
      element.toggleAttribute("data-playing", on);
    }
  };

  const stop = () => {
    wanted = null;
    if (!playing) return;
    playing.source.onended = null;
    playing.source.stop();
    mark(playing.number, false);
    playing = null;
  };

  const follow = () => {
    if (!playing) return;
    const seconds = context.currentTime - playing.start - (context.outputLatency || 0);
    const plot = playing.plot;
    const attack = (seconds - Number(plot.dataset.onset) - attackFrom) / attackSeconds;
    plot.style.setProperty("--whole-at", `${Math.max(0, (100 * seconds) / shownSeconds)}%`);
    plot.style.setProperty("--attack-at", attack >= 0 && attack <= 1 ? `${100 * attack}%` : "-4px");
    requestAnimationFrame(follow);
  };

  const play = async (number) => {
    open();
    stop();
    wanted = number;
    const buffer = await decode(number);
    if (wanted !== number) return;
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(gain);
    const plot = document.querySelector(`.plot[data-sound="${number}"]`);
    playing = { number, source, plot, start: context.currentTime };
    source.onended = () => {
      if (playing && playing.source === source) {
        mark(number, false);
        playing = null;
        player.ended += 1;
      }
    };
    source.start();
    player.started.push(number);
    mark(number, true);
    follow();
  };

  const player = {
    play,
    stop,
    decode,
    number: () => (playing ? playing.number : wanted),
    toggle: (number) => (player.number() === number ? stop() : play(number)),
    prepare: (numbers) => context && numbers.forEach((number) => decode(number)),
    setVolume: (share) => {
      volume = share * share; // loudness follows the hand more evenly so
      if (gain) gain.gain.value = volume;
    },
    setShown: (seconds) => { shownSeconds = seconds; },
    count: sounds.length,
    started: [], // for tests: what was played, in order, and how often a kick was heard to its end
    ended: 0,
  };
  player.setVolume(0.8);
  window.kickpipe = player;

  document.addEventListener("click", (event) => {
    const target = event.target.closest("[data-sound]");
    if (target) player.toggle(Number(target.dataset.sound));
  });
})();
