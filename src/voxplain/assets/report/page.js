// Everything here adds to a page that can be read without it. Times are seconds of the recording.

// Let a report be heard and folded: the document, or the part of another page that holds one.
export function enliven(report) {
  const player = report.querySelector("#player");
  const offset = player ? Number(player.dataset.start) : 0; // of the recording, before the sound kept
  const said = report.querySelector("#said");
  const timelines = [...report.querySelectorAll(".timeline")].map((box) => ({
    box,
    cursor: box.querySelector(".cursor"),
    from: Number(box.dataset.from),
    to: Number(box.dataset.to),
  }));
  const stretches = [...report.querySelectorAll("[data-start][data-end]")];
  let end = Infinity; // where the stretch that is being played ends

  function now() {
    return player.currentTime + offset;
  }

  function draw() {
    const time = now();
    for (const { cursor, from, to } of timelines) {
      cursor.hidden = time < from || time > to;
      cursor.style.left = `${(100 * (time - from)) / (to - from)}%`;
    }
    for (const button of stretches) {
      const inside = time >= Number(button.dataset.start) && time < Number(button.dataset.end);
      button.classList.toggle("now", inside);
    }
  }

  function follow() {
    if (now() >= end) {
      player.pause();
      end = Infinity;
    }
    draw();
    if (!player.paused) requestAnimationFrame(follow);
  }

  function go(time) {
    player.currentTime = Math.max(0, time - offset);
  }

  function play(button) {
    end = Infinity; // or it might end where the last stretch did
    go(Number(button.dataset.start));
    end = Number(button.dataset.end);
    player.play();
    said.textContent = button.getAttribute("aria-label").replace(/^(Play )?/, "Playing ");
  }

  if (player) {
    player.addEventListener("play", follow);
    player.addEventListener("seeked", draw);
    player.addEventListener("timeupdate", draw);
    player.addEventListener("pause", () => {
      if (player.paused) end = Infinity; // else another stretch has begun before this was told
    });
    for (const button of stretches) button.addEventListener("click", () => play(button));
    for (const { box, from, to } of timelines) {
      box.addEventListener("click", (event) => {
        if (event.target.closest("button")) return;
        const edges = box.getBoundingClientRect();
        end = Infinity;
        go(from + ((event.clientX - edges.left) / edges.width) * (to - from));
      });
    }
  }

  // One sound at a time.
  report.addEventListener(
    "play",
    (event) => {
      for (const other of report.querySelectorAll("audio")) {
        if (other !== event.target) other.pause();
      }
    },
    true,
  );

  const overlay = report.querySelector("#overlay");
  if (overlay) {
    const layers = [...report.querySelectorAll(".layer")];
    const show = () => layers.forEach((layer, i) => (layer.hidden = String(i) !== overlay.value));
    overlay.addEventListener("change", show);
    show(); // a browser may remember what was chosen
  }

  // What a link leads to, and what is printed, must not stay folded.
  function unfold(part) {
    for (let fold = part?.closest("details"); fold; fold = fold.parentElement.closest("details")) {
      fold.open = true;
    }
  }
  window.onhashchange = () => {
    const target = report.querySelector(":target");
    unfold(target);
    target?.scrollIntoView();
  };
  window.onbeforeprint = () => report.querySelectorAll("details").forEach(unfold);
}
