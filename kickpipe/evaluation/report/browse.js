// Browsing: sort and filter the kicks, move with the arrow keys, jump from a list to a kick, copy a command.
(() => {
  const player = window.kickpipe;
  const grid = document.getElementById("kicks");
  const element = (id) => document.getElementById(id);
  const cards = grid ? [...grid.children] : [];
  const audition = element("audition");
  let selected = null;
  let upwards = true;

  const visible = (group) => [...group.querySelectorAll(":scope > [data-item]")].filter((item) => !item.hidden);
  const soundOf = (item) => Number(item.querySelector("[data-sound]").dataset.sound);

  const select = (item, focus) => {
    if (selected) selected.removeAttribute("data-selected");
    selected = item;
    if (!item) return;
    item.setAttribute("data-selected", "");
    if (focus) {
      item.focus({ preventScroll: true });
      item.scrollIntoView({ block: "nearest" });
    }
    const items = visible(item.parentElement);
    const next = items[items.indexOf(item) + 1];
    if (next) setTimeout(() => player.prepare([soundOf(next)]), 60);
  };

  // Missing values come last, whichever way the others are turned.
  const order = () => {
    const key = element("order").value;
    const valueBy = (card, name) => (card.hasAttribute(`data-by-${name}`) ? Number(card.getAttribute(`data-by-${name}`)) : NaN);
    const sign = upwards ? 1 : -1;
    const ordered = cards.slice().sort((a, b) => {
      const [x, y] = [valueBy(a, key), valueBy(b, key)];
      if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
      return sign * (x - y) || valueBy(a, "own") - valueBy(b, "own");
    });
    grid.append(...ordered);
  };

  // The same cut for every picture of the page: they are drawn over the longest kick, and stretched.
  const setTime = (stop) => {
    const whole = 1000 * Number(element("sounds").dataset.whole);
    const rough = 10 ** Math.floor(Math.log10(stop / 5));
    const step = rough * [1, 2, 2.5, 5, 10].find((factor) => stop / (factor * rough) <= 5);
    document.body.style.setProperty("--stretch", whole / stop);
    document.body.style.setProperty("--step", `${(100 * step) / stop}%`);
    const ticks = [];
    for (let value = 0; value <= stop; value += step) {
      const at = value / stop;
      const kind = `${at > 0.93 ? " end" : ""}${at < 0.02 ? " begin" : ""}${(value / step) % 2 ? " minor" : ""}`;
      ticks.push(`<span class="tick${kind}" style="left:${100 * at}%">${value.toLocaleString("en")}</span>`);
    }
    for (const scale of document.querySelectorAll(".plot .ms.whole")) scale.innerHTML = ticks.join("");
    for (const cut of document.querySelectorAll(".plot .cut")) {
      cut.hidden = 1000 * Number(cut.closest(".plot").dataset.seconds) <= stop + 50;
    }
    player.setShown(stop / 1000);
  };

  const fits = (card, words, prompt, filter) => {
    if (!words.every((word) => card.dataset.text.includes(word))) return false;
    if (prompt && card.dataset.prompt !== prompt) return false;
    const defects = card.dataset.defects.split(" ").filter(Boolean);
    if (filter === "copy") return "copy" in card.dataset;
    if (filter === "defect") return defects.length > 0;
    return !filter || defects.includes(filter.replace(/^defect-/, ""));
  };

  const choose = () => {
    const words = element("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const prompt = element("prompt") ? element("prompt").value : "";
    const filter = element("filter") ? element("filter").value : "";
    for (const card of cards) card.hidden = !fits(card, words, prompt, filter);
    const shown = cards.filter((card) => !card.hidden).length;
    element("count").textContent = shown === cards.length ? `${shown} kicks` : `${shown} of ${cards.length} kicks`;
    element("nothing").hidden = shown > 0;
    if (selected && selected.hidden) select(null, false);
  };

  const setFilter = (key) => {
    if (element("filter")) element("filter").value = key;
    if (key === "") {
      element("search").value = "";
      if (element("prompt")) element("prompt").value = "";
    }
    choose();
  };

  const reveal = (card) => {
    if (card.hidden) setFilter("");
    select(card, false);
    card.focus({ preventScroll: true });
    card.scrollIntoView({ block: "center" });
  };

  const fromAddress = () => {
    const card = location.hash && element(decodeURIComponent(location.hash.slice(1)));
    if (card && cards.includes(card)) reveal(card);
  };

  // The nearest item in the row above or below, by its middle.
  const inOtherRow = (items, from, step) => {
    const middle = (item) => {
      const box = item.getBoundingClientRect();
      return { x: box.left + box.width / 2, top: box.top };
    };
    const here = middle(from);
    const others = items
      .map((item) => ({ item, ...middle(item) }))
      .filter(({ top }) => (step > 0 ? top > here.top + 4 : top < here.top - 4));
    if (!others.length) return null;
    const row = step > 0 ? Math.min(...others.map(({ top }) => top)) : Math.max(...others.map(({ top }) => top));
    const near = others.filter(({ top }) => Math.abs(top - row) < 4);
    return near.sort((a, b) => Math.abs(a.x - here.x) - Math.abs(b.x - here.x))[0].item;
  };

  const move = (key) => {
    const group = selected ? selected.parentElement : grid;
    const items = group ? visible(group) : [];
    if (!items.length) return false;
    let next = items[0];
    if (selected) {
      const step = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
      next = key.endsWith("Right") || key.endsWith("Left") ? items[items.indexOf(selected) + step] : inOtherRow(items, selected, step);
    }
    if (!next) return Boolean(selected);
    select(next, true);
    if (audition && audition.checked) player.play(soundOf(next));
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inField = event.target.closest("input, select, textarea");
    if (inField) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    // Up and down scroll the page until a kick is chosen.
    const arrows = selected ? ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"] : ["ArrowLeft", "ArrowRight"];
    if (arrows.includes(event.key)) {
      if (!event.target.closest(".scroll") && move(event.key)) event.preventDefault();
    } else if (event.key === " " && !event.target.closest("button, a, summary") && selected) {
      event.preventDefault();
      player.toggle(soundOf(selected));
    } else if (event.key === "n" && selected && selected.querySelector(".nearest")) {
      player.toggle(soundOf(selected.querySelector(".nearest")));
    } else if (event.key === "/" && grid) {
      event.preventDefault();
      element("search").focus();
    } else if (event.key === "Escape") {
      player.stop();
      select(null, false);
    }
  });

  document.addEventListener("click", async (event) => {
    const item = event.target.closest("[data-item]");
    if (item) select(item, false);
    const filter = event.target.closest("[data-set-filter]");
    if (filter) setFilter(filter.dataset.setFilter);
    const link = event.target.closest('a[href^="#kick-"]');
    if (link) {
      event.preventDefault();
      history.replaceState(null, "", link.getAttribute("href"));
      fromAddress();
    }
    const copy = event.target.closest("[data-copy-text]");
    if (copy) {
      copy.textContent = (await copyText(copy.dataset.copyText, copy)) ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { copy.textContent = "Copy"; }, 1500);
    }
  });

  // A page opened from disk may not be allowed to write to the clipboard: then the text is selected, ready to be copied.
  const copyText = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
      return document.execCommand("copy");
    }
  };

  if (grid) {
    element("order").addEventListener("change", order);
    element("direction").addEventListener("click", () => {
      upwards = !upwards;
      element("direction").textContent = upwards ? "↑" : "↓";
      element("direction").setAttribute("aria-label", upwards ? "Sort downwards" : "Sort upwards");
      order();
    });
    for (const id of ["search", "prompt", "filter"]) if (element(id)) element(id).addEventListener("input", choose);
    if (element("time")) element("time").addEventListener("change", () => setTime(Number(element("time").value)));
    element("volume").addEventListener("input", () => player.setVolume(element("volume").value / 100));
    choose();
    window.addEventListener("hashchange", fromAddress);
    fromAddress();
  }
})();
