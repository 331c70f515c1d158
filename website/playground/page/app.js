// The page: asks the worker whenever the text changes, and shows what it answers.
"use strict";

const LONGEST = 200_000; // characters of a file that a link may carry, or that is checked
const PATIENCE = 60_000; // milliseconds that a question may take, once Python is there
const PAUSE = 350; // milliseconds without a key before the text is checked

const get = (id) => document.getElementById(id);
const editor = new Editor(get("text"), get("painted"));
const tabs = ["report", "graph", "simulate"];
let name = "my.pipe";
let tab = "report";
let worker, ready, pending, files = [], asked = 0, typed = 0;

// ------------------------------------------------------------------------------------ the worker

function start() {
  worker = new Worker("worker.js");
  pending = new Map();
  worker.onmessage = ({ data }) => {
    if (data.progress) return say(`Loading ${data.progress}…`);
    const waiting = pending.get(data.id);
    pending.delete(data.id);
    get("stop").hidden = pending.size === 0;
    if (waiting && "answer" in data) waiting.done(data.answer);
    else waiting?.failed(new Error(data.failed));
  };
  worker.onerror = (event) => say(`Python could not be loaded: ${event.message}`);
  ready = ask({ command: "menu" }, Infinity);
  return ready;
}

function ask(question, patience = PATIENCE) {
  const id = ++asked;
  return new Promise((done, failed) => {
    pending.set(id, { done, failed });
    worker.postMessage({ id, question });
    get("stop").hidden = question.command === "menu";
    if (patience < Infinity) setTimeout(() => pending.has(id) && stop("It took longer than a minute"), patience);
  });
}

// What runs cannot be interrupted: the worker is ended, and another takes its place.
function stop(why) {
  worker.terminate();
  for (const { failed } of pending.values()) failed(new Error(why));
  start().then(() => keep(`${why}; Python was started again.`));
}

// What a click or a link was answered by stays until the next key: a check that ends in the same
// moment must not take it away.
let state = "", kept = "";
const say = (text) => { state = text; tell(); };
const keep = (text) => { kept = text; tell(); };
const tell = () => { get("state").textContent = [kept, state].filter(Boolean).join(" · "); };

// ------------------------------------------------------------------------------------- the answers

async function check() {
  const mine = ++typed;
  const text = editor.text;
  if (text.length > LONGEST) return say("The file is too long for this page.");
  say("Checking…");
  const begun = performance.now();
  try {
    const said = await ask({ command: "check", name, text });
    if (mine !== typed) return;
    showFindings(said);
    if (said.report !== undefined) get("report").srcdoc = said.report;
    const took = Math.round(performance.now() - begun);
    const errors = (said.findings ?? []).filter((one) => one.severity === "error").length;
    say(said.code === 0 ? `Checked in ${took} ms` : `${errors} error${errors === 1 ? "" : "s"}`);
    if (tab !== "report") await showTab();
  } catch (error) {
    if (mine === typed) say(error.message);
  }
}

function showFindings({ findings = [], text = "" }) {
  editor.show(findings.filter((one) => one.here));
  const rows = findings.map((found) => {
    const row = document.createElement("li");
    row.className = `is-${found.severity}`;
    const button = document.createElement("button");
    const code = document.createElement("b");
    code.textContent = `${found.severity}[${found.code}] `;
    const place = found.here ? `line ${found.line}` : `${found.file}:${found.line}`;
    button.append(code, `${place}: ${found.message}`);
    if (found.help) {
      const help = document.createElement("small");
      help.textContent = `help: ${found.help}`;
      button.append(help);
    }
    button.onclick = () => found.here && editor.go(found);
    row.append(button);
    return row;
  });
  const none = document.createElement("p");
  none.textContent = text || "No findings.";
  get("findings").replaceChildren(...(rows.length ? rows : [none]));
}

async function showTab() {
  const mine = typed;
  const question = { command: tab, name, text: editor.text };
  if (tab === "report") return;
  say(tab === "graph" ? "Drawing…" : "Simulating…");
  try {
    const said = await ask(question);
    if (mine !== typed) return;
    if (question.command === "simulate") get("simulate").textContent = said.text;
    else showPictures(said);
    say(said.code === 0 ? "Done" : "See the message");
  } catch (error) {
    if (mine === typed) say(error.message);
  }
}

function showPictures({ pictures = [], text }) {
  const parts = pictures.flatMap(({ name: pipeline, svg }) => {
    const title = document.createElement("h2");
    title.textContent = pipeline;
    const picture = new Image();
    picture.alt = `The pipeline ${pipeline} as a graph`;
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
    return [title, picture];
  });
  get("graph").replaceChildren(...(parts.length ? parts : [text]));
}

// ----------------------------------------------------------------------------------------- the link

const bytesOf = async (stream) => new Uint8Array(await new Response(stream).arrayBuffer());

async function packed(text) {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  let letters = "";
  for (const byte of await bytesOf(stream)) letters += String.fromCharCode(byte);
  return btoa(letters).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

async function unpacked(code) {
  const letters = atob(code.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(letters, (letter) => letter.charCodeAt(0));
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const parts = [];
  for (let size = 0; ;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(parts).text();
    if ((size += value.length) > 4 * LONGEST) throw new Error("too long");
    parts.push(value);
  }
}

async function copyLink() {
  if (editor.text.length > LONGEST) return say("The file is too long for a link.");
  const place = new URLSearchParams({ name, code: await packed(editor.text) });
  history.replaceState(null, "", `#${place}`);
  try {
    await navigator.clipboard.writeText(location.href);
    keep("The link is in your clipboard; it holds the file.");
  } catch {
    keep("The link is in the address bar; it holds the file.");
  }
}

async function fromLink() {
  const place = new URLSearchParams(location.hash.slice(1));
  if (!place.has("code")) return false;
  try {
    editor.text = await unpacked(place.get("code"));
    const given = place.get("name") ?? "";
    name = /^(?:\w+\/)?\w+\.pipe$/.test(given) ? given : "my.pipe";
    return true;
  } catch {
    keep("The link is damaged: it holds no file.");
    return false;
  }
}

// ----------------------------------------------------------------------------------------- the page

const STARTER = `use std.tiers

role support { accuracy 98% }

prompt answer(question: untrusted text max 500 tokens) """
  Answer this question about our product in at most three sentences.
  <question>{{ question }}</question>
"""

pipeline help(question: untrusted text max 500 tokens) -> text max 300 tokens {
  slo { silent_error <= 10% }

  step reply: text max 300 tokens = ask answer(question) by haiku {
    accuracy 92%
    retry    2 backoff 100ms..1s
    timeout  20s
  } else escalate to support "no model answered"

  return reply
}
`;
const texts = new Map(); // what was written, by file, so that going back to one finds it

function choose(file) {
  name = file.name;
  editor.text = texts.get(name) ?? file.text;
  get("menu").value = file.name;
  check();
}

function fillMenu() {
  const groups = new Map();
  for (const file of files) {
    const [folder, leaf = folder] = file.name.split("/");
    if (!groups.has(folder)) {
      const group = document.createElement("optgroup");
      group.label = leaf === folder ? "yours" : folder;
      groups.set(folder, group);
    }
    const idea = /^## (\d+)\. (.*)/.exec(file.text);
    const option = new Option(idea ? `${idea[1]}. ${leaf.slice(3, -5).replaceAll("_", " ")}` : leaf, file.name);
    groups.get(folder).append(option);
  }
  get("menu").replaceChildren(...groups.values());
}

async function main() {
  const carried = await fromLink();
  const said = await start();
  files = [{ name: "my.pipe", text: STARTER }, ...said.files];
  editor.words = new Set(said.words);
  fillMenu();
  get("version").textContent = `pipelang ${said.version}.`;
  for (const id of ["menu", "fmt", "link"]) get(id).disabled = false;
  const wanted = new URLSearchParams(location.hash.slice(1)).get("name");
  if (carried) {
    get("menu").value = name;
    editor.paint();
    await check();
  } else {
    const first = (named) => files.find((file) => file.name === named);
    choose(first(wanted) ?? first("gallery/05_gate.pipe") ?? files[0]);
  }
}

let timer;
editor.area.addEventListener("input", () => {
  typed++;
  texts.set(name, editor.text);
  kept = "";
  say("…");
  clearTimeout(timer);
  timer = setTimeout(() => ready.then(check), PAUSE);
});
get("menu").onchange = () => {
  kept = "";
  choose(files.find((file) => file.name === get("menu").value));
};
get("link").onclick = copyLink;
get("stop").onclick = () => stop("Stopped");
get("fmt").onclick = async () => {
  const mine = typed;
  say("Formatting…");
  try {
    const said = await ask({ command: "fmt", name, text: editor.text });
    if (mine !== typed) return;
    if (said.code === 0) {
      editor.rewrite(said.formatted);
      texts.set(name, said.formatted);
    }
    await check();
  } catch (error) {
    say(error.message);
  }
};
window.addEventListener("hashchange", async () => (await fromLink()) && check());
for (const one of tabs) {
  get(`tab-${one}`).onclick = () => {
    tab = one;
    for (const other of tabs) {
      get(`tab-${other}`).setAttribute("aria-selected", String(other === one));
      get(other).hidden = other !== one;
    }
    showTab();
  };
}
main().catch((error) => say(`It could not start: ${error.message}`));
