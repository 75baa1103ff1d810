// The page of the service: takes a recording, waits for its report, lets the voice be changed.
import { enliven } from "./report.js";

const find = (id) => document.getElementById(id);
const [ask, work, result] = ["ask", "work", "result"].map(find);
const [agree, key, drop, problem, status] = ["agree", "key", "drop", "problem", "status"].map(find);
const [report, whatif] = [find("report"), find("whatif")];
const sliders = [...document.querySelectorAll(".slider")];
const adjectives = JSON.parse(find("main").dataset.adjectives);

let recording = null; // what was dropped, chosen or recorded; nothing of it is stored
const jobs = new Set(); // that the service may still have
let working = new AbortController();

// What is shown, and said to who can't see it

function show(view) {
  for (const one of [ask, work, result]) one.hidden = one !== view;
  scrollTo({ top: 0, behavior: "instant" });
  view.querySelector("h1").focus();
}

function say(text) {
  status.textContent = text;
}

function make(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function clock(seconds) {
  const rest = Math.floor(seconds);
  return `${Math.floor(rest / 60)}:${String(rest % 60).padStart(2, "0")}`;
}

// As reports write it: two decimals, never certainty.
function probability(value) {
  return value > 0.995 ? "> 0.99" : value < 0.005 ? "< 0.01" : value.toFixed(2);
}

function sounds({ verdict }) {
  if (!verdict.labels.length) return `Not enough evidence: ${verdict.reason}`;
  return `Sounds ${verdict.labels.map((label) => adjectives[label] ?? label).join(" or ")}`;
}

function bar(share, kind) {
  const [picture, rail, filled] = ["svg", "rect", "rect"].map((name) =>
    document.createElementNS("http://www.w3.org/2000/svg", name),
  );
  const set = (shape, attributes) =>
    Object.entries(attributes).forEach(([name, value]) => shape.setAttribute(name, value));
  const box = { viewBox: "0 0 1000 100", preserveAspectRatio: "none" };
  set(picture, { class: "bar", "aria-hidden": true, ...box });
  set(rail, { class: "rail", width: 1000, height: 100 });
  set(filled, { class: kind, width: 1000 * share, height: 100 });
  picture.append(rail, filled);
  return picture;
}

// Columns: [title, emotion, kind of its bars, if it has any]; the first is what decides the order.
function shares(caption, columns) {
  const first = columns[0][1].categories;
  const labels = Object.keys(first).sort((a, b) => first[b] - first[a]);
  const head = ["Emotion", "", ...columns.map(([title]) => title)];
  const drawn = columns.filter(([, , kind]) => kind);
  const rows = labels.map((label) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, label),
      make("td", {}, ...drawn.map(([, one, kind]) => bar(one.categories[label], kind))),
      ...columns.map(([, one]) => make("td", {}, probability(one.categories[label]))),
    ),
  );
  return make(
    "table",
    { className: "shares" },
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...head.map((title) => make(title ? "th" : "td", {}, title)))),
    make("tbody", {}, ...rows),
  );
}

// The service

class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
    this.title = TITLES[status] ?? "That did not work";
  }
}

const TITLES = {
  0: "The service does not answer",
  401: "The service wants a key",
  413: "That is too much",
  422: "This recording can't be used",
  429: "Too many requests",
  503: "The service is busy",
  504: "That took too long",
  507: "The service has no room left",
};
const GONE =
  "It may have been stopped, or the file has changed meanwhile. See that it runs " +
  "(voxplain serve), then try again.";
const NO_KEY = "Give the key that you got from whoever runs this service, then try again.";

async function call(path, options = {}) {
  const headers = new Headers(options.headers);
  if (key?.value) headers.set("Authorization", `Bearer ${key.value}`);
  let answer;
  try {
    answer = await fetch(path, { signal: working.signal, ...options, headers });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Refused(0, GONE);
  }
  if (answer.ok) return answer;
  const told = await answer.json().catch(() => ({}));
  const detail = answer.status === 401 ? NO_KEY : told.detail;
  throw new Refused(answer.status, detail ?? `It answered ${answer.status}; try again.`);
}

function send(path, fields, options) {
  const body = new FormData();
  for (const [name, value] of Object.entries(fields)) body.append(name, value);
  body.append("file", recording, recording.name);
  return call(path, { method: "POST", body, ...options });
}

// How a job stands, again and again, until it ends. EventSource could not send a key.
async function* standing(id) {
  const answer = await call(`v1/jobs/${id}/events`);
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read().catch((error) => {
      throw error.name === "AbortError" ? error : new Refused(0, GONE);
    });
    if (done) return;
    const lines = (text + value).split(/\r?\n/);
    text = lines.pop();
    for (const line of lines) if (line.startsWith("data:")) yield JSON.parse(line.slice(5));
  }
}

// If the service does not answer, when it is back.
async function remove(id) {
  const options = { method: "DELETE", keepalive: true, signal: null };
  const gone = await call(`v1/jobs/${id}`, options).catch(({ status }) => status);
  if (gone) jobs.delete(id);
}

// From a recording to its report

async function analyse(file) {
  if (recorder) return say("Stop recording first");
  recording = file;
  problem.hidden = true;
  if (!agree.reportValidity()) {
    say(`${file.name} waits until you agree`);
    return;
  }
  if (file.size > Number(ask.dataset.bytes)) {
    const told = `${file.name} is larger than ${ask.dataset.size}; send less, such as MP3 or Opus.`;
    return fail(new Refused(413, told));
  }
  working = new AbortController();
  const { signal } = working;
  work.querySelector("h1").textContent = "Listening …";
  work.querySelector(".source").textContent = file.name;
  work.querySelector("progress").removeAttribute("value");
  find("glimpse").replaceChildren();
  show(work);
  say("Listening");
  jobs.forEach(remove);
  let id;
  try {
    // Not to be stopped on its way: it might become a job of which nobody knows the name.
    const asked = { sound: true, explain: "quick", asr: "auto" };
    ({ id } = await (await send("v1/jobs", asked, { signal: null })).json());
    jobs.add(id);
    signal.throwIfAborted();
    if (file.size <= Number(ask.dataset.atOnce)) glimpse(signal);
    for await (const { state, progress, error } of standing(id)) {
      if (error) throw new Refused(error.status, error.detail);
      if (progress.share !== null) work.querySelector("progress").value = progress.share;
      if (state === "queued") say("Others are first; it waits for its turn");
      if (state === "cancelled") throw new Refused(0, GONE);
    }
    const fetched = ["report", "result"].map((part) => call(`v1/jobs/${id}/${part}`));
    const [page, json] = (await Promise.all(fetched)).map((answer) => answer.text());
    present(await page, await json);
  } catch (error) {
    if (!signal.aborted) fail(error);
  } finally {
    if (id) remove(id);
  }
}

// How it sounds, before it is known why: seconds earlier.
async function glimpse(signal) {
  try {
    const { emotion } = await (await send("v1/analyze", {})).json();
    if (signal.aborted || work.hidden) return;
    work.querySelector("h1").textContent = sounds(emotion);
    say(`${sounds(emotion)}. Looking for the reasons`);
    if (!Object.keys(emotion.categories).length) return;
    find("glimpse").replaceChildren(
      make("p", { className: "note" }, "Looking for the reasons …"),
      shares("Probability that it was meant to sound so", [["Probability", emotion, "strong"]]),
    );
  } catch {
    // The job tells the same, and what went wrong.
  }
}

function fail(error) {
  problem.querySelector("h2").textContent = error.title ?? "That did not work";
  problem.querySelector("p").textContent = error.message;
  find("again").hidden = !recording;
  problem.hidden = false;
  show(ask);
}

function present(page, json) {
  const analysis = JSON.parse(json);
  // Style in the text of a page is forbidden by the policy, style that a script sets is not.
  const plain = page.replace(/<style>.*?<\/style>/s, "").replaceAll(' style="', ' data-style="');
  const { body } = new DOMParser().parseFromString(plain, "text/html");
  for (const one of body.querySelectorAll("[data-style]")) one.style.cssText = one.dataset.style;
  body.querySelectorAll("script, .skip").forEach((one) => one.remove());
  body.querySelector("main").replaceWith(...body.querySelector("main").childNodes);
  const shown = make("div", {}, ...body.childNodes);
  report.replaceChildren(shown);
  report.querySelector("h1").tabIndex = -1;
  offer("keep-report", page, "text/html", "html");
  offer("keep-json", json, "application/json", "json");
  choosable(analysis.explanation);
  changeable(analysis);
  enliven(shown);
  show(result);
  say(`${sounds(analysis.emotion)}. The report is ready`);
}

function offer(id, text, type, suffix) {
  const link = find(id);
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(new Blob([text], { type }));
  link.download = `${recording.name.replace(/\.[^.]*$/, "")}.voxplain.${suffix}`;
}

// Of a section in the list of them.
function entry(section) {
  return report.querySelector(`nav a[href='#${section}']`).parentElement;
}

// The moment that is chosen, with its reasons, below the picture.
function choosable(explanation) {
  const moments = report.querySelector("[id='explanation.moments']");
  if (!moments) return;
  report.querySelector("#listen").after(moments);
  entry("listen").after(entry("explanation.moments"));
  const articles = [...moments.querySelectorAll("article")];
  const buttons = [...report.querySelectorAll(".moment")];
  const choose = (chosen) => {
    articles.forEach((one, number) => (one.hidden = number !== chosen));
    buttons.forEach((one, number) => one.setAttribute("aria-pressed", number === chosen));
  };
  buttons.forEach((one, number) => one.addEventListener("click", () => choose(number)));
  for (const link of report.querySelectorAll("a[href^='#explanation.moments.']")) {
    link.addEventListener("click", () => choose(Number(link.hash.split(".")[2])));
  }
  const scores = explanation.moments.map(({ score }) => score);
  choose(scores.indexOf(Math.max(...scores)));
}

function forget() {
  working.abort();
  recording = null;
  whatif.querySelector("audio").removeAttribute("src");
  for (const id of ["keep-report", "keep-json"]) {
    URL.revokeObjectURL(find(id).href);
    find(id).removeAttribute("href");
  }
  result.append(whatif);
  report.replaceChildren();
  window.onhashchange = window.onbeforeprint = null; // they know the report
  tell();
  find("file").value = "";
  agree.checked = false; // it was given for that recording
  problem.hidden = true;
  show(ask);
}

// A voice changed

function edit() {
  return Object.fromEntries(sliders.map(slid).filter(([, value, same]) => value !== same));
}

function slid(slider) {
  const input = slider.querySelector("input");
  const [same, step] = [Number(input.dataset.same), Number(input.dataset.step)];
  const notches = input.valueAsNumber;
  const value = Math.round(100 * (same === 1 ? step ** notches : step * notches)) / 100;
  return [input.id, value, same];
}

function label(slider) {
  const [, value, same] = slid(slider);
  const input = slider.querySelector("input");
  const sign = value > 0 ? "+" : "−";
  const steps = `${sign}${Math.abs(value)} ${input.dataset.unit}`.trim();
  const said = value === same ? "unchanged" : same === 1 ? `× ${value}` : steps;
  slider.querySelector("output").textContent = said;
  input.setAttribute("aria-valuetext", said);
}

let before = null; // the emotion of the recording itself

function changeable({ emotion, duration }) {
  before = emotion;
  const can = Object.keys(emotion.categories).length && duration <= Number(whatif.dataset.longest);
  whatif.hidden = !can;
  if (!can) return;
  report.querySelector("#emotion").after(whatif);
  entry("emotion").after(make("li", {}, make("a", { href: "#whatif" }, "What if")));
  unchanged();
}

function unchanged() {
  for (const slider of sliders) {
    slider.querySelector("input").value = 0;
    label(slider);
  }
  silence();
  tell(shares("As recorded", [["Recorded", before, "hollow"]]));
}

function tell(...content) {
  find("changed").replaceChildren(...content);
}

function silence() {
  whatif.querySelector("audio").pause();
  whatif.querySelector("figure").hidden = true;
  find("hear").disabled = !Object.keys(edit()).length;
}

// One question at a time: what was moved meanwhile is asked when the answer is there.
let asking = false;

async function judge() {
  if (asking) return;
  asking = true;
  whatif.setAttribute("aria-busy", true);
  for (let asked = ""; recording && asked !== (asked = JSON.stringify(edit())); ) {
    if (asked === "{}") unchanged();
    else await judged(JSON.parse(asked));
  }
  whatif.removeAttribute("aria-busy");
  asking = false;
}

const COMPARED =
  "Outlined: as recorded. Filled: changed. Control: put together without a change";

async function judged(asked) {
  try {
    const found = await (await send("v1/whatif", asked)).json();
    const columns = [
      ["Recorded", found.before, "hollow"],
      ["Control", found.identity],
      ["Changed", found.after, "strong"],
    ];
    tell(make("h3", {}, sounds(found.after)), shares(COMPARED, columns));
    say(`Changed, the voice ${sounds(found.after).replace(/^S/, "s")}`);
  } catch (error) {
    if (error.name !== "AbortError") refuse(error);
  }
}

function refuse(error) {
  const why = sliders.reduce((text, slider) => {
    const name = slider.querySelector("label").textContent.toLowerCase();
    return text.replaceAll(slider.querySelector("input").id, name);
  }, error.message);
  tell(make("p", { className: "warning" }, make("b", {}, "Not possible: "), why));
  say(`Not possible: ${why}`);
}

async function hear() {
  const player = whatif.querySelector("audio");
  const asked = JSON.stringify(edit());
  try {
    const headers = { Accept: "audio/wav" };
    const sound = await (await send("v1/whatif", edit(), { headers })).blob();
    if (asked !== JSON.stringify(edit())) return; // it was moved meanwhile
    URL.revokeObjectURL(player.src);
    player.src = URL.createObjectURL(sound);
    whatif.querySelector("figure").hidden = false;
    player.play().catch(() => {}); // a browser may want a click for it
  } catch (error) {
    if (error.name !== "AbortError") refuse(error);
  }
}

let moved;
for (const slider of sliders) {
  slider.addEventListener("input", () => {
    label(slider);
    silence();
    clearTimeout(moved);
    moved = setTimeout(judge, 300);
  });
}
find("hear").addEventListener("click", hear);
find("back").addEventListener("click", unchanged);

// A microphone. As it is heard: what makes calls clear would change the voice.

const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
const RATE = 256_000; // bits a second, of which nothing of a voice is lost
let recorder = null;

async function record() {
  if (recorder) return recorder.stop();
  problem.hidden = true;
  if (!agree.reportValidity()) return;
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
  } catch {
    recording = null;
    const detail = isSecureContext
      ? "Allow the page to use it in the settings of the browser, or choose a file."
      : "A browser lends it to https and to localhost alone; choose a file.";
    return fail(Object.assign(new Error(detail), { title: "There is no microphone to use" }));
  }
  const pieces = [];
  recorder = new MediaRecorder(stream, { audioBitsPerSecond: RATE });
  recorder.ondataavailable = ({ data }) => pieces.push(data);
  let meter;
  recorder.onstart = () => (meter = metering(stream)); // the clock tells what is recorded
  recorder.onstop = () => {
    const { mimeType } = recorder;
    recorder = null;
    meter?.close();
    for (const track of stream.getTracks()) track.stop();
    analyse(new File(pieces, "recording", { type: mimeType }));
  };
  recorder.start();
}

// Shows level and time, and stops at the longest; ``close`` ends it.
function metering(stream) {
  const [button, level, time] = ["record", "level", "clock"].map(find);
  const longest = Number(find("recorder").dataset.longest);
  const told = time.textContent;
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const began = performance.now();
  button.textContent = "Stop and analyse";
  level.hidden = false;
  say("Recording");
  const look = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    level.value = Math.max(...samples.map(Math.abs));
    const seconds = (performance.now() - began) / 1000;
    time.textContent = `${clock(seconds)} of ${clock(longest)}`;
    if (seconds >= longest) recorder?.stop();
  }, 100);
  return {
    close() {
      clearInterval(look);
      context.close();
      button.textContent = "Record";
      level.hidden = true;
      time.textContent = told;
    },
  };
}

// What people do

ask.addEventListener("submit", (event) => event.preventDefault());
find("record").addEventListener("click", record);
find("file").addEventListener("change", ({ target: { files } }) => files[0] && analyse(files[0]));
find("again").addEventListener("click", () => analyse(recording));
agree.addEventListener("change", () => {
  if (agree.checked && recording && problem.hidden) analyse(recording);
});
find("stop").addEventListener("click", forget);
find("delete").addEventListener("click", () => {
  forget();
  say("All is deleted, here and at the service");
});
addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
addEventListener("dragleave", () => drop.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const [file] = event.dataTransfer.files;
  if (file && !ask.hidden) analyse(file);
});
addEventListener("pagehide", () => jobs.forEach(remove));
