// The extension: starts `pipelang lsp`, and shows in panels what the command line prints.

const vscode = require("vscode");
const { execFile } = require("child_process");
const path = require("path");
const { CloseAction, LanguageClient, TransportKind } = require("vscode-languageclient/node");

let client;
let channel;
let status;
const states = new Map();
const STATES = {
  computing: ["$(sync~spin) numbers", "The numbers of this file are being worked out."],
  current: ["$(check) numbers", "The numbers are those of the text as it is."],
  stale: ["$(history) numbers", "The numbers are of the text before your last change."],
  broken: ["$(error) numbers", "The file has errors: the numbers are from before them."],
  failed: ["$(warning) numbers", "The analysis broke off."],
};

/** The words of the command, the first of them a path that a process can be started from. */
function command() {
  const words = vscode.workspace.getConfiguration("pipelang").get("command") || ["pipelang"];
  const [first, ...rest] = words.length ? words : ["pipelang"];
  const folder = root();
  const relative = first.includes("/") && !path.isAbsolute(first) && folder;
  return [relative ? path.join(folder, first) : first, ...rest];
}

function root() {
  const folders = vscode.workspace.workspaceFolders;
  return folders && folders.length ? folders[0].uri.fsPath : undefined;
}

async function start() {
  const [file, ...words] = command();
  const run = { command: file, args: [...words, "lsp"], transport: TransportKind.stdio };
  const started = new Client("pipelang", "pipelang", { run, debug: run }, {
    // Templates, too: they are parts of the programs that name them. Not what a diff shows of an earlier version, of
    // another scheme: it stands beside no files, and all that it names would be missing.
    documentSelector: [
      { scheme: "file", language: "pipelang" },
      { scheme: "untitled", language: "pipelang" },
      { scheme: "file", pattern: "**/*.j2" },
    ],
    initializationOptions: { panels: true },
    outputChannel: channel,
    initializationFailedHandler: () => false,
    errorHandler: {
      error: (...all) => usual.error(...all),
      // A server that never answered would only fail five times in a row.
      closed: () => (started.talks ? usual.closed() : { action: CloseAction.DoNotRestart, handled: true }),
    },
    middleware: { executeCommand },
  });
  const usual = started.createDefaultErrorHandler();
  client = started;
  started.onNotification("pipelang/status", (told) => {
    states.set(vscode.Uri.parse(told.uri).toString(), told.state);
    showStatus();
  });
  try {
    await started.start();
    started.talks = true;
  } catch (problem) {
    // Not awaited: the extension is there, whether somebody has read this or not.
    mend(file, problem.message || String(problem));
  }
}

/** A client that shows no errors of its own about a server that never started: `mend` says that once, with a mend. */
class Client extends LanguageClient {
  talks = false;

  error(message, data, showNotification = true) {
    super.error(message, data, this.talks && showNotification);
  }
}

async function mend(file, problem) {
  const missing = /ENOENT/.test(problem);
  const install = "in a clone of pipelang `pip install -e '.[lsp]'`, elsewhere the wheel with `[lsp]` behind its name";
  const said = missing
    ? `\`${file}\` was not found. Name it in the setting \`pipelang.command\`, such as [".venv/bin/pipelang"].`
    : `\`${file} lsp\` did not start (${problem}): the output says why.`;
  const needed = `It needs the extra \`lsp\`: ${install}.`;
  const chosen = await vscode.window.showErrorMessage(`${said} ${needed}`, "Settings", "Output");
  if (chosen === "Settings") {
    vscode.commands.executeCommand("workbench.action.openSettings", "pipelang.command");
  } else if (chosen === "Output") {
    channel.show(true);
  }
}

let turn = Promise.resolve();

/** Stops the server that is there, if any, and starts the one that is set now; in turn, for none can be stopped while it starts. */
function restart() {
  turn = turn.then(async () => {
    if (client) {
      await client.stop().catch(() => undefined);
    }
    states.clear();
    showStatus();
    await start();
  });
  return turn;
}

/** What the server answers to a command of its own is shown beside the text. */
async function executeCommand(name, words, next) {
  const text = await next(name, words);
  if (typeof text !== "string") {
    return text;
  }
  if (name === "pipelang.explain") {
    const place = vscode.Uri.parse(`${EXPLANATIONS}:${words[0]}.md`);
    explanations.set(place.path, text);
    await vscode.commands.executeCommand("markdown.showPreviewToSide", place);
  } else if (name === "pipelang.report") {
    panel("report", `${words[1]}: report`, `<pre>${escaped(text)}</pre>`);
  }
  return text;
}

// Pages of codes are documents that nobody can change, so that none asks to be saved.
const EXPLANATIONS = "pipelang-explanation";
const explanations = new Map();
const provider = { provideTextDocumentContent: (place) => explanations.get(place.path) || "" };

const panels = new Map();

function panel(kind, title, body) {
  let shown = panels.get(kind);
  if (!shown) {
    const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    shown = vscode.window.createWebviewPanel(`pipelang.${kind}`, title, beside, {
      enableScripts: false,
      localResourceRoots: [],
    });
    shown.onDidDispose(() => panels.delete(kind));
    panels.set(kind, shown);
  }
  shown.title = title;
  shown.webview.html = body.trimStart().startsWith("<!") ? body : page(body);
  shown.reveal(undefined, true);
}

function page(body) {
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";
  const style =
    "body { background: #fff; color: #111; } pre { font: 13px/1.4 monospace; } svg { max-width: 100%; height: auto; }";
  return `<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><style>${style}</style></head><body>${body}</body></html>`;
}

function escaped(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;");
}

/** The file that is shown, saved; undefined where none is, or where nobody wants to save it. */
async function saved() {
  const shown = () => vscode.window.activeTextEditor && vscode.window.activeTextEditor.document;
  let document = shown();
  if (document && document.languageId === "pipelang" && document.isUntitled) {
    // As by hand: it becomes another document, in the same editor; `document.save` would close that.
    await vscode.commands.executeCommand("workbench.action.files.save");
    document = shown();
    if (document && document.isUntitled) {
      return undefined;
    }
  } else if (document && document.languageId === "pipelang" && document.isDirty && !(await document.save())) {
    return undefined;
  }
  if (!document || document.languageId !== "pipelang") {
    vscode.window.showInformationMessage("Open a .pipe file first.");
    return undefined;
  }
  return document;
}

/** The standard output of the command line about the file that is shown, saved first. */
async function output(...words) {
  const document = await saved();
  if (!document) {
    return undefined;
  }
  const [file, ...before] = command();
  const [verb, ...options] = words;
  const [folder, name] = place(document.uri.fsPath);
  return new Promise((resolve) => {
    const limits = { cwd: folder, maxBuffer: 64 * 1024 * 1024, timeout: 120000 };
    execFile(file, [...before, verb, name, ...options], limits, (problem, out, errors) => {
      if (!out && problem) {
        vscode.window.showErrorMessage(`pipelang: ${errors || problem.message}`);
      }
      resolve(out ? { out, name: path.basename(name) } : undefined);
    });
  });
}

/** The folder to call a command in, and what it calls a file there, as the server does. */
function place(file) {
  const folder = root() || path.dirname(file);
  const below = path.relative(folder, file);
  return [folder, below.startsWith("..") || path.isAbsolute(below) ? file : below];
}

async function showReport() {
  const found = await output("check", "--format", "html");
  if (found) {
    panel("html", `${found.name}: report`, found.out);
  }
}

async function showGraph() {
  const found = await output("graph", "--format", "svg");
  if (found) {
    panel("graph", `${found.name}: graph`, found.out.replace(/^<\?xml[^>]*>\s*/, ""));
  }
}

/** A task in the terminal, where progress and questions are seen. */
async function inTerminal(verb, document, ...more) {
  const [file, ...words] = command();
  const [folder, name] = place(document.uri.fsPath);
  const all = [...words, verb, name, ...more];
  const run = new vscode.ShellExecution(file, all, { cwd: folder });
  const task = new vscode.Task(
    { type: "pipelang", verb },
    vscode.workspace.workspaceFolders ? vscode.TaskScope.Workspace : vscode.TaskScope.Global,
    `${verb} ${path.basename(name)}`,
    "pipelang",
    run
  );
  await vscode.tasks.executeTask(task);
}

async function check() {
  const document = await saved();
  if (document) {
    await inTerminal("check", document);
  }
}

async function run() {
  const document = await saved();
  if (!document) {
    return;
  }
  const names = [...document.getText().matchAll(/^pipeline\s+([A-Za-z_]\w*)/gm)].map((hit) => hit[1]);
  const name = names.length > 1 ? await vscode.window.showQuickPick(names) : names[0];
  if (!name) {
    return;
  }
  const input = await vscode.window.showInputBox({
    title: `Input of ${name}`,
    prompt: "JSON, or @FILE for lines of JSON",
    value: "{}",
  });
  if (input !== undefined) {
    await inTerminal("run", document, name, "--input", input);
  }
}

function showStatus() {
  const editor = vscode.window.activeTextEditor;
  const state = editor && states.get(editor.document.uri.toString());
  if (!editor || editor.document.languageId !== "pipelang" || !state) {
    status.hide();
    return;
  }
  [status.text, status.tooltip] = STATES[state] || [state, ""];
  status.command = "pipelang.showReport";
  status.show();
}

async function activate(context) {
  channel = vscode.window.createOutputChannel("pipelang");
  status = vscode.window.createStatusBarItem(vscode.StatusBarAlignment.Left, 10);
  const on = (name, act) => context.subscriptions.push(vscode.commands.registerCommand(name, act));
  on("pipelang.showReport", showReport);
  on("pipelang.graph", showGraph);
  on("pipelang.check", check);
  on("pipelang.run", run);
  on("pipelang.restart", restart);
  context.subscriptions.push(vscode.workspace.registerTextDocumentContentProvider(EXPLANATIONS, provider));
  context.subscriptions.push(status, channel, vscode.window.onDidChangeActiveTextEditor(showStatus));
  const changed = (told) => told.affectsConfiguration("pipelang.command") && restart();
  context.subscriptions.push(vscode.workspace.onDidChangeConfiguration(changed));
  await restart();
}

async function deactivate() {
  if (client) {
    await client.stop().catch(() => undefined);
  }
}

module.exports = { activate, deactivate };
