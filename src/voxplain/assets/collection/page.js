/* One step after the other. The server knows where somebody is, so a reload goes on there. */
import { face, wave } from "/page/scales.js";
import { record } from "/page/sound.js";

const $ = (id) => document.getElementById(id);
const study = await (await fetch("/api/study")).json();
const languages = Object.keys(study);
let language = languages.find((one) => navigator.language.startsWith(one)) ?? languages[0];
let words = {};
let at = null; // where the participant is, as the server says
let stop = null; // ends the recording
let sound = null; // the newest one
let before = "consent"; // where "back" leads

async function ask(method, path, body) {
  const told = body instanceof Blob ? body : body && JSON.stringify(body);
  let answer;
  try {
    answer = await fetch(`/api/${path}`, { method, body: told });
  } catch {
    throw new Error(words.unreachable);
  }
  const said = answer.status === 204 ? null : await answer.json().catch(() => ({}));
  if (!answer.ok) throw Object.assign(new Error(said?.detail ?? words.failed), { status: answer.status });
  return said;
}

function problem(error) {
  $("problem").hidden = !error;
  $("problem").textContent = error?.message ?? "";
}

function show(name) {
  problem(null);
  const shown = document.querySelector(".step:not([hidden])");
  if (name === "withdraw" && shown) before = shown.id;
  for (const step of document.querySelectorAll(".step")) step.hidden = step.id !== name;
  document.querySelector("footer").hidden = !["item", "rating", "thanks"].includes(name);
  $("speak").hidden = name !== "consent" || languages.length < 2;
  $(name).querySelector("h1").focus();
}

function speak(one) {
  language = one;
  words = study[one].words;
  document.documentElement.lang = one;
  document.title = $("title").textContent = study[one].title;
  for (const place of document.querySelectorAll("[data-word]")) place.textContent = words[place.dataset.word];
  $("text").replaceChildren(...study[one].consent.split(/\n\s*\n/).map((text) => element("p", { textContent: text })));
}

function element(name, properties, ...inside) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...inside);
  return made;
}

/** Asks where the participant is, and goes there. */
async function go() {
  at = await ask("GET", "participant");
  if (at) enter();
  else show("consent");
}

function enter() {
  speak(at.language);
  if (!at.item) return show("thanks");
  for (const place of document.querySelectorAll(".count")) {
    place.textContent = words.count.replace("{n}", at.done + 1).replace("{of}", at.total);
  }
  if (at.recorded) rate();
  else meet();
}

/** The clip, and the account of it. */
function meet() {
  const { id, kind, text, alt } = at.item;
  const source = `/api/items/${id}/media`;
  const clip = {
    text: () => element("p", { textContent: text?.[language] }),
    image: () => element("img", { src: source, alt: alt?.[language] }),
    audio: () => element("audio", { src: source, controls: true, ariaLabel: words.clip }),
    video: () => element("video", { src: source, controls: true, playsInline: true, ariaLabel: words.clip }),
  }[kind]();
  $("clip").replaceChildren(clip);
  $("prompt").textContent = at.prompt[language];
  $("limits").textContent = words.limits.replace("{least}", at.seconds.least).replace("{most}", at.seconds.most);
  const played = kind === "text" || kind === "image";
  $("first").hidden = played;
  $("record").disabled = !played;
  $("record").textContent = words.record;
  $("elapsed").textContent = "";
  $("heard").hidden = true;
  clip.addEventListener("ended", () => {
    $("record").disabled = false;
    $("first").hidden = true;
  });
  show("item");
}

async function listen() {
  $("heard").hidden = true;
  problem(null);
  for (const player of document.querySelectorAll("audio, video")) player.pause();
  try {
    stop = await record((peak, seconds) => {
      $("level").value = peak;
      $("elapsed").textContent = words.seconds.replace("{n}", seconds.toFixed(0));
      if (seconds >= at.seconds.most - 0.1) finish();
    });
  } catch {
    return problem(new Error(words.no_microphone));
  }
  $("record").textContent = words.stop;
  $("level").hidden = false;
}

async function finish() {
  if (!stop) return;
  const ending = stop;
  stop = null;
  sound = await ending();
  const seconds = (sound.size - 44) / 32_000;
  $("record").textContent = words.record_again;
  $("level").hidden = true;
  $("elapsed").textContent = words.seconds.replace("{n}", seconds.toFixed(0));
  if (seconds < at.seconds.least) return problem(new Error($("limits").textContent));
  URL.revokeObjectURL($("account").src);
  $("account").src = URL.createObjectURL(sound);
  $("account").ariaLabel = words.listen;
  $("heard").hidden = false;
  $("account").focus();
}

function rate() {
  const labels = Object.entries(at.labels).map(([name, text]) => choice("evoked", name, text[language]));
  document.querySelector("#evoked .choices").replaceChildren(...labels);
  for (const [name, draw] of [["valence", face], ["arousal", wave]]) {
    const values = Array.from({ length: 9 }, (_, n) => choice(name, n + 1, `${n + 1}`, draw(n + 1)));
    document.querySelector(`#${name} .rates`).replaceChildren(...values);
  }
  show("rating");
}

function choice(name, value, text, ...picture) {
  const input = element("input", { type: "radio", name, value, required: true });
  return element("label", {}, input, ...picture, text);
}

const DONE = {
  async consent() {
    const agreed = { language, version: study[language].version, agreed: $("agreed").checked };
    $("shown").textContent = (await ask("POST", "participants", agreed)).code;
    show("code");
  },
  async return() {
    await ask("POST", "session", { code: $("again").value });
    await go();
  },
  async code() {
    $("shown").textContent = "";
    await go();
  },
  async item() {
    await ask("PUT", `items/${at.item.id}/recording`, sound);
    rate();
  },
  async rating() {
    const given = new FormData($("rating"));
    const [valence, arousal] = ["valence", "arousal"].map((name) => Number(given.get(name)));
    at = await ask("POST", `items/${at.item.id}/answer`, { evoked: given.get("evoked"), valence, arousal });
    enter();
  },
  async thanks() {
    await ask("DELETE", "session");
    location.reload();
  },
  async withdraw() {
    const { answers, recordings } = await ask("DELETE", "participants", { code: $("gone").value });
    $("counts").textContent = words.counts.replace("{answers}", answers).replace("{recordings}", recordings);
    show("deleted");
  },
  async deleted() {
    location.reload();
  },
};

for (const step of document.querySelectorAll(".step")) {
  step.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = step.querySelector("button:not([type])");
    button.disabled = true; // once is enough
    try {
      await DONE[step.id]();
    } catch (error) {
      if (error.status === 401 && !["return", "withdraw"].includes(step.id)) show("consent");
      problem(error);
    }
    button.disabled = false;
  });
}
for (const button of document.querySelectorAll("[data-go]")) {
  button.addEventListener("click", async () => {
    await finish(); // nobody is recorded unawares
    show(button.dataset.go || before);
  });
}
let turning = false; // on or off, which takes a moment
$("record").addEventListener("click", async () => {
  if (turning) return;
  turning = true;
  await (stop ? finish() : listen());
  turning = false;
});
$("anew").addEventListener("click", meet);
$("language").append(...languages.map((one) => element("option", { value: one, textContent: study[one].words.name })));
$("language").addEventListener("change", () => speak($("language").value));

addEventListener("beforeunload", (event) => {
  if (!$("code").hidden) event.preventDefault(); // it would not be shown again
});

speak(language);
$("language").value = language;
await go().catch((error) => {
  show("consent");
  problem(error);
});
