// The editor: a text area whose letters are painted by a copy behind it, with words in colours and
// findings underlined.
"use strict";

class Editor {
  constructor(area, painted) {
    this.area = area;
    this.painted = painted;
    this.words = new Set();
    this.findings = [];
    area.addEventListener("scroll", () => this.align());
    area.addEventListener("input", () => this.paint());
    area.addEventListener("keydown", (event) => this.indent(event));
  }

  get text() {
    return this.area.value;
  }

  set text(value) {
    this.area.value = value;
    this.findings = [];
    this.paint();
  }

  // Replace the text and keep where the reader is.
  rewrite(value) {
    const { selectionStart, scrollTop, scrollLeft } = this.area;
    this.text = value;
    this.area.selectionStart = this.area.selectionEnd = Math.min(selectionStart, value.length);
    this.area.scrollTop = scrollTop;
    this.area.scrollLeft = scrollLeft;
    this.align();
  }

  show(findings) {
    this.findings = findings.map((found) => ({ ...found, ...this.range(found) }));
    this.paint();
  }

  // Where a finding stands, in the text area's own units. Columns of findings are characters from 1.
  range(found) {
    const lines = this.text.split("\n");
    const at = (line, column) => {
      const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
      return before + Array.from(lines[line - 1] ?? "").slice(0, column - 1).join("").length;
    };
    if (!found.line) return { start: 0, end: 0 };
    const start = at(found.line, found.column ?? 1);
    const end = at(found.end_line ?? found.line, found.end_column ?? (found.column ?? 1) + 1);
    return { start, end: Math.max(end, start + 1) };
  }

  go(found) {
    const { start, end } = this.range(found);
    this.area.focus();
    this.area.setSelectionRange(start, end);
    const line = parseFloat(getComputedStyle(this.area).lineHeight);
    this.area.scrollTop = Math.max(0, (found.line - 4) * line);
  }

  // Tab indents; after Escape it leaves the text, for who has no pointer.
  indent(event) {
    const leaves = this.leaves;
    this.leaves = event.key === "Escape";
    if (event.key !== "Tab" || leaves || event.shiftKey || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    this.area.setRangeText("  ", this.area.selectionStart, this.area.selectionEnd, "end");
    this.area.dispatchEvent(new Event("input"));
  }

  align() {
    this.painted.scrollTop = this.area.scrollTop;
    this.painted.scrollLeft = this.area.scrollLeft;
  }

  paint() {
    const text = this.text;
    const parts = /(#[^\n]*)|("""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?)|(\$?\d[\w.%/]*)|([A-Za-z_]\w*)/g;
    const marks = [];
    for (const hit of text.matchAll(parts)) {
      const kind = hit[1] ? "c" : hit[2] ? "s" : hit[3] ? "n" : this.words.has(hit[4]) ? "w" : "";
      if (kind) marks.push({ start: hit.index, end: hit.index + hit[0].length, kind });
    }
    const edges = new Set([0, text.length]);
    for (const { start, end } of [...marks, ...this.findings]) edges.add(start).add(Math.min(end, text.length));
    const sorted = [...edges].sort((a, b) => a - b);
    const shown = document.createDocumentFragment();
    let next = 0;
    for (let i = 0; i + 1 < sorted.length; i++) {
      const [from, to] = [sorted[i], sorted[i + 1]];
      while (next < marks.length && marks[next].end <= from) next++;
      const colour = next < marks.length && marks[next].start <= from ? marks[next].kind : "";
      const under = this.findings.find((one) => one.start <= from && from < one.end)?.severity ?? "";
      const letters = text.slice(from, to);
      if (!colour && !under) {
        shown.append(letters);
        continue;
      }
      const span = document.createElement("span");
      span.className = `${colour} ${under}`.trim();
      span.textContent = letters;
      shown.append(span);
    }
    shown.append("\n");
    this.painted.replaceChildren(shown);
    this.align();
  }
}
