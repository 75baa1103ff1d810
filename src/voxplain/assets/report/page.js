"use strict";
// Everything here adds to a page that can be read without it. Times are seconds of the recording.

const player = document.getElementById("player");
const offset = player ? Number(player.dataset.start) : 0; // of the recording, before the sound kept
const said = document.getElementById("said");
const timelines = [...document.querySelectorAll(".timeline")].map((box) => ({
  box,
  cursor: box.querySelector(".cursor"),
  from: Number(box.dataset.from),
  to: Number(box.dataset.to),
}));
const stretches = [...document.querySelectorAll("[data-start][data-end]")];
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
  player.addEventListener("pause", () => (end = Infinity));
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
document.addEventListener(
  "play",
  (event) => {
    for (const other of document.querySelectorAll("audio")) {
      if (other !== event.target) other.pause();
    }
  },
  true,
);

const overlay = document.getElementById("overlay");
if (overlay) {
  const layers = [...document.querySelectorAll(".layer")];
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
addEventListener("hashchange", () => {
  const target = document.querySelector(":target");
  unfold(target);
  target?.scrollIntoView();
});
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach(unfold));
