"""Typical slips, each with its own message and its mend: `tests/suite/syntax/*.txt`; those that
are no matter of grammar, such as a unit forgotten, in `tests/suite/types/slips.txt`.

A case is `--- name`, a file, and what is said of it, one line a finding:
`=== LINE:COLUMN CODE letters pointed at | message | help`. `python -m` with this module
writes the findings anew; read the difference before you keep it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from pipelang.diagnostics import Diagnostic, Source
from pipelang.semantics.build import build
from pipelang.syntax.parse import parse

from ....memory import MemoryLoader

SUITE = Path(__file__).resolve().parents[3] / "suite"
FILES = [*sorted((SUITE / "syntax").glob("*.txt")), SUITE / "types" / "slips.txt"]
HEAD = """use std.tiers
type Answer { a: int }
tool t(a: int) -> int { python "a:b" effect read timeout 2s }
prompt q(a: int) \"\"\"{{ a }}\"\"\"
pipeline p(a: int) -> int {
"""
_CASE = re.compile(r"^--- (.+)\n((?:(?!--- |=== ).*\n)*)((?:=== .*\n)*)", re.MULTILINE)
LEAST = 150


def cases() -> list[tuple[str, str, str]]:
    """Name, text and findings of every case."""
    return [
        (f"{path.parent.name}/{path.stem}/{name}", text, said)
        for path in FILES
        for name, text, said in _CASE.findall(path.read_text("utf-8"))
    ]


def findings(path: Path | str, text: str) -> str:
    """What the parser says of a file, or the checker of items inside a pipeline."""
    if Path(path).parent.name == "types":
        text = HEAD + text + "  return a\n}\n"
        built = build("e.pipe", MemoryLoader({"e.pipe": text})).diagnostics
        return _written(text, [found for found in built if found.is_error])
    return _written(text, parse(Source("e.pipe", text)).diagnostics)


def _written(text: str, diagnostics: Iterable[Diagnostic]) -> str:
    source = Source("e.pipe", text)
    lines = []
    for found in diagnostics:
        assert found.span is not None
        place = source.position(found.span.start)
        letters = text[found.span.start : found.span.end].splitlines() or [""]
        words = f"{letters[0]} | {found.message} | {found.help or '-'}"
        lines.append(f"=== {place.line}:{place.column} {found.rule.code} {words}\n")
    return "".join(lines)


@pytest.mark.parametrize(("name", "text", "said"), cases(), ids=[name for name, *_ in cases()])
def test_slip(name: str, text: str, said: str) -> None:
    assert findings(Path(name).parent, text) == said
    assert said


def test_there_are_many_and_nearly_all_have_a_mend() -> None:
    found = cases()
    assert len(found) >= LEAST
    without = [name for name, _, said in found if "| -\n" in said]
    assert len(without) < len(found) // 20, without


def update() -> None:
    for path in FILES:
        made = [
            f"--- {name}\n{text}{findings(path, text)}"
            for name, text, _ in _CASE.findall(path.read_text("utf-8"))
        ]
        path.write_text("".join(made), "utf-8")


if __name__ == "__main__":
    update()
