"""Typical slips, each with its own message and its mend: `tests/suite/syntax/*.txt`.

A case is `--- name`, a file, and what is said of it, one line a finding:
`=== LINE:COLUMN CODE letters pointed at | message | help`. `python -m tests.unit.test_slips`
writes the findings anew; read the difference before you keep it.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelang.diagnostics import Source
from pipelang.syntax.parse import parse

SUITE = Path(__file__).resolve().parents[1] / "suite" / "syntax"
FILES = sorted(SUITE.glob("*.txt"))
_CASE = re.compile(r"^--- (.+)\n((?:(?!--- |=== ).*\n)*)((?:=== .*\n)*)", re.MULTILINE)
LEAST = 150


def cases() -> list[tuple[str, str, str]]:
    """Name, text and findings of every case."""
    return [
        (f"{path.stem}/{name}", text, said)
        for path in FILES
        for name, text, said in _CASE.findall(path.read_text("utf-8"))
    ]


def findings(text: str) -> str:
    source = Source("e.pipe", text)
    lines = []
    for found in parse(source).diagnostics:
        assert found.span is not None
        place = source.position(found.span.start)
        letters = text[found.span.start : found.span.end].splitlines() or [""]
        words = f"{letters[0]} | {found.message} | {found.help or '-'}"
        lines.append(f"=== {place.line}:{place.column} {found.rule.code} {words}\n")
    return "".join(lines)


@pytest.mark.parametrize(
    ("text", "said"), [case[1:] for case in cases()], ids=[name for name, *_ in cases()]
)
def test_slip(text: str, said: str) -> None:
    assert findings(text) == said
    assert said


def test_there_are_many_and_nearly_all_have_a_mend() -> None:
    found = cases()
    assert len(found) >= LEAST
    without = [name for name, _, said in found if "| -\n" in said]
    assert len(without) < len(found) // 20, without


def update() -> None:
    for path in FILES:
        made = [
            f"--- {name}\n{text}{findings(text)}"
            for name, text, _ in _CASE.findall(path.read_text("utf-8"))
        ]
        path.write_text("".join(made), "utf-8")


if __name__ == "__main__":
    update()
