// The page: editor, output and viewer around a worker in which Python runs.

import { Editor } from "./editor.js";
import { decode, encode } from "./share.js";
import { currentLanguage, switchLanguage, text, translate } from "./texts.js";

const MOST_OUTPUT = 200_000; // characters
const $ = (id) => document.getElementById(id);
const setting = (name) => document.querySelector(`meta[name="kobai-${name}"]`).content;
const absolute = (address) => new URL(address, document.baseURI).href;
const files = { pyodide: absolute(setting("pyodide")), wheel: absolute(setting("wheel")) };

let worker = null;
let state = "loading"; // loading, ready, running, broken
let message = () => ""; // what the status line says, in whichever language it is asked
let printed = 0;
let errors = "";
const examples = await (await fetch("examples.json")).json();

// ---- Python -------------------------------------------------------------------------------------------------

function startPython() {
  worker?.terminate();
  worker = new Worker(absolute("worker.js"), { type: "module" });
  worker.onmessage = ({ data }) => hear[data.kind](data);
  worker.onerror = (event) => hear.broken({ text: event.message ?? "worker" });
  worker.postMessage({ kind: "start", ...files });
  enter("loading", () => text("python"));
}

const hear = {
  progress({ part, received, expected }) {
    $("progress").value = expected ? Math.min(received / expected, 1) : 0;
    const size = received > 1e5 ? ` (${(received / 1e6).toFixed(1)} ${text("mb")})` : "";
    say(() => text(part) + size);
  },
  ready() { enter("ready", () => text("ready")); },
  running() { enter("running", () => text("running")); },
  broken(data) { enter("broken", () => text("noPython", data.text)); },
  output(data) { print(data.text, ""); },
  error(data) { errors += data.text; print(data.text, "error"); },
  picture(data) {
    const image = document.createElement("img");
    image.alt = text("picture");
    image.src = data.text; // a data: address, so nothing in the picture can run or load anything
    $("output").append(image);
  },
  graph(data) { showGraph(data.text); },
  done({ good, seconds }) {
    document.body.dataset.runs = Number(document.body.dataset.runs ?? 0) + 1; // for who watches from outside
    enter("ready", () => (good ? text("ended", seconds.toFixed(2)) : text("failed")));
    if (!good) editor.mark(lineOfError());
  },
};

function run() {
  if (state !== "ready") return;
  $("output").replaceChildren();
  showGraph(null);
  printed = 0;
  errors = "";
  editor.mark(0);
  worker.postMessage({ kind: "run", code: editor.code, language: currentLanguage() });
  enter("running", () => text("running"));
}

/** A program cannot be interrupted in its own thread: the thread goes, and another one loads from the cache. */
function stop() {
  startPython();
  printed = 0; // it is said even where the output was cut
  print("\n" + text("stopped") + "\n", "error");
}

/** The last line of the program that a traceback names. */
function lineOfError() {
  const found = [...errors.matchAll(/program\.py", line (\d+)/g)].at(-1);
  return found ? Number(found[1]) : 0;
}

// ---- what is seen -------------------------------------------------------------------------------------------

function enter(next, words) {
  state = next;
  document.body.dataset.state = state;
  $("run").disabled = state !== "ready" && state !== "broken";
  $("run").dataset.text = state === "broken" ? "again" : "run";
  $("run").textContent = text($("run").dataset.text);
  $("stop").disabled = state !== "running";
  $("progress").hidden = state !== "loading";
  say(words);
}

function say(words) {
  message = words;
  $("status").textContent = words();
}

function print(words, kind) {
  if (printed > MOST_OUTPUT) return;
  printed += words.length;
  const cut = printed > MOST_OUTPUT;
  const output = $("output");
  const atEnd = output.scrollHeight - output.scrollTop - output.clientHeight < 40;
  const piece = document.createElement("span");
  piece.className = kind;
  piece.textContent = cut ? words.slice(0, MOST_OUTPUT) + text("cut") : words;
  output.append(piece);
  if (atEnd) output.scrollTop = output.scrollHeight;
}

/** The viewer's page in a frame of its own origin, or nothing. A new frame each time: one that changes while it is hidden may stay blank. */
function showGraph(page) {
  const frame = document.createElement("iframe");
  frame.id = "viewer";
  frame.title = text("viewer");
  frame.sandbox = "allow-scripts allow-downloads";
  frame.hidden = page === null;
  if (page !== null) frame.srcdoc = page;
  $("viewer").replaceWith(frame);
}

function speak() {
  translate();
  $("language").textContent = text("other");
  $("language").lang = currentLanguage() === "ja" ? "en" : "ja";
  editor.label = text("editor");
  $("output").setAttribute("aria-label", text("output"));
  $("viewer").title = text("viewer");
  const chosen = $("examples").value;
  const mine = new Option(text("mine"), "");
  $("examples").replaceChildren(mine, ...examples.map((e) => new Option(`${e.id.toUpperCase()}  ${e[currentLanguage()]}`, e.id)));
  $("examples").value = chosen;
  $("status").textContent = message();
}

// ---- programs -----------------------------------------------------------------------------------------------

const editor = new Editor($("editor"), { run, changed: () => { $("examples").value = ""; } });

function choose(id) {
  const example = examples.find((e) => e.id === id);
  if (!example) return false;
  editor.code = example.code;
  $("examples").value = id;
  return true;
}

/** The program that the address asks for: `#code=...` or `#p3`. It is shown; running it is the reader's choice. */
async function fromAddress() {
  try {
    const code = await decode(location.hash);
    if (code === null) return choose(location.hash.slice(1));
    editor.code = code;
    $("examples").value = "";
  } catch {
    print(text("broken") + "\n", "error");
    return false;
  }
  return true;
}

async function share() {
  const chosen = $("examples").value;
  history.replaceState(null, "", chosen ? "#" + chosen : await encode(editor.code));
  try {
    await navigator.clipboard.writeText(location.href);
    say(() => text("copied"));
  } catch {
    say(() => text("inAddress"));
  }
}

/** Files that were loaded once are there without a network: wait for the keeper of the cache, but not for long. */
async function keepFiles() {
  if (!navigator.serviceWorker) return;
  const patience = new Promise((done) => setTimeout(done, 4000));
  const ready = navigator.serviceWorker.register("sw.js").then(() => navigator.serviceWorker.ready);
  const inCharge = new Promise((done) => {
    if (navigator.serviceWorker.controller) done();
    navigator.serviceWorker.addEventListener("controllerchange", done, { once: true });
  });
  await Promise.race([ready.then(() => inCharge), patience]).catch(() => {}); // it works without, online
}

$("examples").addEventListener("change", () => {
  if (choose($("examples").value)) history.replaceState(null, "", "#" + $("examples").value);
});
$("run").addEventListener("click", () => (state === "broken" ? startPython() : run()));
$("stop").addEventListener("click", stop);
$("share").addEventListener("click", share);
$("language").addEventListener("click", () => { switchLanguage(); speak(); });
addEventListener("hashchange", fromAddress);

speak();
if (!(await fromAddress()) && !editor.code) choose("p1");
await keepFiles();
startPython();
