"""Chunked files: many small programs in one file, with what is expected beside the line.

    --- case-name check ignore=P204
    pipeline p() -> int { return "a" }   # error: [P301] expected `int`
    === other.pipe
    ...

A chunk begins with `---`, its name and its kind; `ignore=` lists warnings that do not matter in it.
`===` begins another file of the chunk, beside the first. An expectation is a comment: the severity,
a code in brackets, and, if that matters, a part of the message or of the help line. Several stand
behind one another. `# error+2: [P310]` speaks of the line two below (`+-2` above), where no
comment can stand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SUITE = Path(__file__).parent
MAIN = "case.pipe"
HEADER = re.compile(r"--- (?P<name>\S+) (?P<kind>check|run)(?: ignore=(?P<ignore>\S+))?\s*")
EXPECTED = re.compile(
    r"# (?P<what>error|warning|note|miss)(?:\+(?P<below>-?\d+))?:"
    r"(?: \[(?P<code>P\d{3})\])? ?(?P<text>[^#]*)"
)


@dataclass(frozen=True)
class Expected:
    """Something that must be told about a line of a file; `text` is a part of its words."""

    what: str
    code: str | None
    text: str
    file: str
    line: int


@dataclass
class Chunk:
    """A case: its files, the first of which is checked or run."""

    area: str
    name: str
    kind: str
    ignore: frozenset[str]
    files: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.area}/{self.name}"

    def expected(self) -> list[Expected]:
        found = []
        for file, text in self.files.items():
            for number, line in enumerate(text.split("\n"), 1):
                for hit in EXPECTED.finditer(line):
                    at = number + int(hit["below"] or 0)
                    found.append(Expected(hit["what"], hit["code"], hit["text"].strip(), file, at))
        return found


def read(path: Path) -> Iterator[Chunk]:
    """The chunks of a file."""
    chunk: Chunk | None = None
    name, lines = MAIN, []
    area = f"{path.parent.name}/{path.stem}"

    def finish() -> None:
        if chunk is not None:
            chunk.files[name] = "\n".join(lines) + "\n"

    for line in path.read_text("utf-8").split("\n"):
        header = HEADER.fullmatch(line)
        if header is not None:
            finish()
            if chunk is not None:
                yield chunk
            ignore = frozenset((header["ignore"] or "").split(",")) - {""}
            chunk = Chunk(area, header["name"], header["kind"], ignore)
            name, lines = MAIN, []
        elif line.startswith("---"):
            raise ValueError(f"{path}: `{line}` is no header of a chunk")
        elif line.startswith("=== "):
            finish()
            name, lines = line.removeprefix("=== ").strip(), []
        else:
            lines.append(line)
    finish()
    if chunk is not None:
        yield chunk


def all_chunks() -> list[Chunk]:
    """Every chunk of the suite."""
    return [
        chunk
        for path in sorted(SUITE.rglob("*.pipe"))
        if path.parent != SUITE
        for chunk in read(path)
    ]
