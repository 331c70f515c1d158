// Scopes of texts by VS Code's own reader of TextMate grammars: JSON in, JSON out.
// node scopes.js NODE_MODULES GRAMMAR < {"texts": [...]} > [[[start, end, scope], ...], ...]
const fs = require("fs");
const [modules, grammarFile] = process.argv.slice(2);
const textmate = require(modules + "/vscode-textmate");
const oniguruma = require(modules + "/vscode-oniguruma");

async function main() {
  const wasm = fs.readFileSync(modules + "/vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(wasm.buffer.slice(wasm.byteOffset, wasm.byteOffset + wasm.length));
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () =>
      textmate.parseRawGrammar(fs.readFileSync(grammarFile, "utf8"), grammarFile),
  });
  const grammar = await registry.loadGrammar("source.pipelang");
  const answers = [];
  for (const text of JSON.parse(fs.readFileSync(0, "utf8")).texts) {
    let stack = textmate.INITIAL;
    let at = 0;
    const found = [];
    for (const line of text.split("\n")) {
      const result = grammar.tokenizeLine(line, stack);
      for (const token of result.tokens) {
        const scope = token.scopes[token.scopes.length - 1];
        found.push([at + token.startIndex, Math.min(at + token.endIndex, at + line.length), scope]);
      }
      stack = result.ruleStack;
      at += line.length + 1;
    }
    answers.push(found);
  }
  process.stdout.write(JSON.stringify(answers));
}
main();
