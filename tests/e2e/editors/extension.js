// The extension of VS Code in an editor that only writes down what it is asked for: node extension.js < ["command", ...]
// It starts with the first command; then the setting is changed to each of the others. JSON out:
// [["started", command], ["said", message, ...buttons], ["popup", message], ["closed", action], ["ready"], ...]
const fs = require("fs");
const Module = require("module");
const path = require("path");

const commands = JSON.parse(fs.readFileSync(0, "utf8"));
const happened = [];
const handlers = {};
let setting = commands[0];

const nothing = () => ({ dispose() {} });
const vscode = {
  StatusBarAlignment: { Left: 1 },
  Uri: { parse: (text) => ({ toString: () => text, path: text }) },
  ViewColumn: { Beside: -2 },
  commands: { registerCommand: nothing, executeCommand: async () => undefined },
  window: {
    activeTextEditor: undefined,
    createOutputChannel: () => ({ show() {}, dispose() {} }),
    createStatusBarItem: () => ({ show() {}, hide() {}, dispose() {} }),
    onDidChangeActiveTextEditor: nothing,
    // Nobody reads it: a start that waits for an answer waits for ever.
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
    happened.push(["started", this.command]);
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

const stands = { vscode, "vscode-languageclient/node": { CloseAction, LanguageClient, TransportKind: { stdio: 0 } } };
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
  await new Promise((resolve) => setTimeout(resolve, 50));
}
process.on("exit", () => fs.writeSync(1, JSON.stringify(happened)));
main();
