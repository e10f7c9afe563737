// One kick plays at a time. The button shows how far it is; the arrow keys step from kick to kick, so that a hand on the
// keyboard can hear the whole page.
(() => {
  const audio = new Audio();
  const buttons = [...document.querySelectorAll("button.play")];
  let current = null;
  let turn = 0; // what a former kick still has to say is ignored

  const stop = () => {
    turn += 1;
    if (current) {
      current.removeAttribute("data-playing");
      current.style.removeProperty("--at");
    }
    current = null;
  };

  const follow = (mine) => {
    if (mine !== turn) return;
    const shown = Number(current.dataset.seconds);
    current.style.setProperty("--at", `${Math.min(100, (100 * audio.currentTime) / shown)}%`);
    requestAnimationFrame(() => follow(mine));
  };

  const play = (button) => {
    const again = button === current;
    audio.pause();
    stop();
    if (again) return;
    const mine = turn;
    current = button;
    button.dataset.playing = "";
    audio.src = button.dataset.src;
    audio.play().then(
      () => follow(mine),
      () => mine === turn && stop(),
    );
  };

  audio.addEventListener("ended", stop);
  for (const [index, button] of buttons.entries()) {
    button.addEventListener("click", () => play(button));
    button.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      const next = step && buttons[index + step];
      if (!next) return;
      event.preventDefault();
      next.focus();
      play(next);
    });
  }
  window.kickpipePlayer = audio;
})();
