// The extension of VS Code in an editor that only writes down what it is asked for: node extension.js < {"commands": [...]}
// It starts with the first command; then the setting is changed to each of the others. Then "call" is called, over a
// "document" {"path", "language", "untitled", "dirty", "becomes": the path that it is saved as, or null}. JSON out:
// [["started", command], ["said", message, ...buttons], ["popup", message], ["closed", action], ["ready"], ["ran", ...words]]
const fs = require("fs");
const Module = require("module");
const path = require("path");

const { commands, call, document } = JSON.parse(fs.readFileSync(0, "utf8"));
const happened = [];
const handlers = {};
let setting = commands[0];

/** A document as the editor has it. */
function shown(one) {
  const { path: fsPath, language: languageId, untitled: isUntitled, dirty: isDirty } = one;
  const save = async () => {
    happened.push(["saved", fsPath]);
    if (isUntitled) {
      vscode.window.activeTextEditor = undefined; // the editor of a text without a name goes with it
    }
    return true;
  };
  const uri = { fsPath, toString: () => fsPath };
  return { uri, languageId, isUntitled, isDirty, save, getText: () => "pipeline p() -> int {" };
}

/** Saving as by hand: a text without a name becomes another document in the same editor. */
async function executeCommand(name) {
  if (name === "workbench.action.files.save" && document.becomes) {
    happened.push(["saved", document.becomes]);
    const language = document.becomes.endsWith(".pipe") ? "pipelang" : "plaintext";
    vscode.window.activeTextEditor = { document: shown({ path: document.becomes, language }) };
  }
}

const nothing = () => ({ dispose() {} });
const vscode = {
  StatusBarAlignment: { Left: 1 },
  Uri: { parse: (text) => ({ toString: () => text, path: text }) },
  ViewColumn: { Beside: -2 },
  ShellExecution: class {
    constructor(file, words) {
      this.words = [file, ...words];
    }
  },
  Task: class {
    constructor(kind, scope, name, source, run) {
      this.run = run;
    }
  },
  TaskScope: { Workspace: 2, Global: 1 },
  commands: {
    registerCommand: (name, act) => ((handlers[name] = act), nothing()),
    executeCommand,
  },
  tasks: { executeTask: async (task) => happened.push(["ran", ...task.run.words]) },
  window: {
    activeTextEditor: undefined,
    createOutputChannel: () => ({ show() {}, dispose() {} }),
    createStatusBarItem: () => ({ show() {}, hide() {}, dispose() {} }),
    onDidChangeActiveTextEditor: nothing,
    // Nobody reads it: a start that waits for an answer waits for ever.
    showInformationMessage: (...words) => happened.push(["told", ...words]),
    showInputBox: async () => "{}",
    createWebviewPanel: () => ({ webview: {}, reveal() {}, onDidDispose: nothing }),
    showErrorMessage: (...words) => happened.push(["said", ...words]) && new Promise(() => undefined),
  },
  workspace: {
    workspaceFolders: undefined,
    getConfiguration: () => ({ get: () => [setting] }),
    onDidChangeConfiguration: (told) => ((handlers.changed = told), nothing()),
    registerTextDocumentContentProvider: nothing,
  },
};

const CloseAction = { DoNotRestart: 1, Restart: 2 };

/** Fails in the ways in which vscode-languageclient 9 fails, with what it shows by itself. */
class LanguageClient {
  constructor(id, name, server, options) {
    this.command = server.run.command;
    this.options = options;
    this.usual = { closed: () => ({ action: CloseAction.Restart }), error: () => ({ action: 1 }) };
  }
  createDefaultErrorHandler() {
    return this.usual;
  }
  onNotification() {
    return nothing();
  }
  error(message, data, showNotification = true) {
    if (showNotification !== false) {
      happened.push(["popup", message]);
    }
  }
  close() {
    happened.push(["closed", (this.options.errorHandler || this.usual).closed().action]);
  }
  async start() {
    happened.push(["started", this.command, ...this.options.documentSelector.map((one) => one.scheme || "any")]);
    if (this.command === "missing") {
      this.error("couldn't create connection to server.", undefined, "force");
      throw new Error("Launching server using command missing failed. Error: spawn missing ENOENT");
    }
    if (this.command === "broken") {
      if (!this.options.initializationFailedHandler) {
        happened.push(["popup", "write EPIPE"]);
      }
      this.close();
      this.error("couldn't create connection to server.", undefined, "force");
      throw new Error("write EPIPE");
    }
    if (this.command === "crashing") {
      setImmediate(() => this.close());
    }
  }
  async stop() {
    happened.push(["stopped", this.command]);
  }
}

const processes = {
  execFile: (file, words, limits, done) => {
    happened.push(["ran", file, ...words]);
    done(null, "<!doctype html>", "");
  },
};
const stands = { vscode, child_process: processes, "vscode-languageclient/node": { CloseAction, LanguageClient, TransportKind: { stdio: 0 } } };
const load = Module._load;
Module._load = (name, ...rest) => stands[name] || load(name, ...rest);

async function main() {
  const { activate } = require(path.join(__dirname, "../../../editors/vscode/src/extension.js"));
  await activate({ subscriptions: [] });
  happened.push(["ready"]);
  for (const next of commands.slice(1)) {
    setting = next;
    await handlers.changed({ affectsConfiguration: (name) => name === "pipelang.command" });
  }
  if (call) {
    vscode.window.activeTextEditor = document && { document: shown(document) };
    await handlers[call]();
  }
  await new Promise((resolve) => setTimeout(resolve, 50));
}
process.on("exit", () => fs.writeSync(1, JSON.stringify(happened)));
main();
