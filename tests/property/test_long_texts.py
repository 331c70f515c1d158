"""A long text is read as a short one is: cut into pieces at once, its items by the code of shapes.

The limits from which on a text is long are taken away, so that any text can be one.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pipelang.diagnostics import Source
from pipelang.syntax import parse, shapes, tokens
from pipelang.syntax.parse import Parsed

from .corpus import FILES, REPO, programs
from .derivations import write

PROGRAMS, BATCH = 120, 30
NEVER = 1 << 40
TEXTS = FILES[::2]
ODD = [
    *("//", "/*", '"""', '"', "\\", "$", "5", "5x", "%", "\u00a0", "\ufeff", "\ud800", "é", "##"),
    *("# a", "\n", "\r\n", "##\n", " ", "5 tokens", "9" * 60, "5/min", "1.", "..", '\\"""', "/"),
    *("# a\rb", "\r", '"a\rb"'),
]


@pytest.fixture
def skipped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tokens were read by the code of a shape, at each of its uses; shapes are learned at
    once, and for this test alone.
    """
    found: list[int] = []
    skip = shapes.ItemShapes.skip

    def counted(self: shapes.ItemShapes, lowering: Any, index: int, *rest: Any) -> tuple[int, int]:
        after, depth = skip(self, lowering, index, *rest)
        found.append(after - index)
        return after, depth

    monkeypatch.setattr(shapes.ItemShapes, "skip", counted)
    monkeypatch.setattr(shapes, "OFTEN", 1)
    monkeypatch.setattr(shapes, "_SHAPES", {})
    monkeypatch.setattr(shapes, "_SIZES", {})
    return found


def both(text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Parsed, Parsed]:
    """A text parsed as a long one, and as a short one."""
    source = Source("e.pipe", text)
    made = []
    for limit in (-1, NEVER):
        monkeypatch.setattr(tokens, "LONG", limit)
        monkeypatch.setattr(parse, "MANY", limit)
        made.append(parse.parse(source))
    return made[0], made[1]


def are_the_same(long: Parsed, short: Parsed, text: str) -> None:
    assert long.tokens == short.tokens, text
    assert long == short, text
    assert long.derivation == short.derivation, text


@pytest.mark.parametrize("batch", range(PROGRAMS // BATCH))
def test_programs_that_come_again(
    batch: int, skipped: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each program twice over, in another layout and other words the second time."""
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        program = programs(PROGRAMS)[0][seed]
        if program.tokens[:1] == [("LANGUAGE", "language")]:
            continue
        text = "\n".join(write(program, random.Random(seed + turn)) for turn in (0, 1000))
        are_the_same(*both(text, monkeypatch), text)
    assert sum(skipped) > 500


def test_files_of_the_repository(skipped: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    for path in TEXTS:
        text = path.read_text(encoding="utf-8").replace("language 1", "")
        are_the_same(*both(f"{text}\n{text}", monkeypatch), str(path))
    assert sum(skipped) > 2_000


@pytest.mark.parametrize("path", FILES[::4], ids=lambda path: str(path.relative_to(REPO)))
def test_texts_with_something_odd(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is no token, or none by its letters alone, and syntax errors."""
    text = path.read_text(encoding="utf-8")
    pick = random.Random(str(path))
    for odd in ODD:
        at = pick.randrange(len(text))
        changed = text[:at] + odd + text[at + pick.choice((0, 0, 1, 5)) :]
        are_the_same(*both(changed, monkeypatch), changed)


def test_a_long_text_is_cut_at_once() -> None:
    text = (REPO / "examples/support/support.pipe").read_text(encoding="utf-8")
    assert tokens._at_once(Source("e.pipe", text), 0) is not None
