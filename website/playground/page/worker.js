// Python, with pipelang in it, beside the page: it answers questions in their order. Nothing is fetched
// but what lies beside this file.
"use strict";
importScripts("pyodide/pyodide.js");

const tell = (progress) => postMessage({ progress });

async function begin() {
  tell("Python");
  const python = await loadPyodide({ indexURL: new URL("pyodide/", location.href).href });
  tell("pipelang");
  const answer = await fetch("inside.zip");
  if (!answer.ok) throw new Error(`inside.zip: ${answer.status}`);
  python.unpackArchive(await answer.arrayBuffer(), "zip", { extractDir: "/playground" });
  python.runPython(`
import sys
sys.path.insert(0, "/playground")
sys.dont_write_bytecode = True
import answers
answers.begin()
`);
  return { python, answers: python.pyimport("answers") };
}

// Libraries are loaded when an answer needs one: text, graph and numbers of a small file need none.
async function load(python, names) {
  for (const name of names) {
    tell(name);
    await python.loadPackage(name, { messageCallback: () => {} });
  }
}

async function reply({ id, question }) {
  try {
    const { python, answers } = await ready;
    const asked = JSON.stringify(question);
    let answer = JSON.parse(answers.answer(asked));
    while (answer.needs) {
      const missing = answer.needs.filter((name) => !(name in python.loadedPackages));
      if (!missing.length) throw new Error(`${answer.needs.join(", ")}: loaded, and not found`);
      await load(python, missing);
      answer = JSON.parse(answers.answer(asked));
    }
    postMessage({ id, answer });
  } catch (error) {
    postMessage({ id, failed: String(error) });
  }
}

const ready = begin();
let last = ready.catch(() => {});

onmessage = ({ data }) => { last = last.then(() => reply(data)); };
