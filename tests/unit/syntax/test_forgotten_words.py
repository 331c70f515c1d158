"""A declaration without the word that it begins with is one error, which says the word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelang.diagnostics import Source
from pipelang.syntax.lexicon import DECLARING
from pipelang.syntax.parse import parse

ROOT = Path(__file__).parents[3]
FILES = sorted((ROOT / "examples" / "gallery").glob("*.pipe"))
BEGINNING = re.compile(rf"^({'|'.join(sorted(DECLARING))})(?= )", re.MULTILINE)


def without_words(text: str) -> list[tuple[str, int, str]]:
    """The text without one word at a time, where it was, and the word; not of imports by a path."""
    found = []
    for match in BEGINNING.finditer(text):
        if text[match.end() :].startswith(' "') and match.group() == "use":
            continue
        found.append((text[: match.start()] + text[match.end() :], match.start(), match.group()))
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_word_is_said_and_nothing_else(path: Path) -> None:
    for text, place, word in without_words(path.read_text(encoding="utf-8")):
        told = parse(Source(path.name, text)).diagnostics
        assert len(told) == 1, (word, told)
        assert told[0].span.start == place + 1
        assert told[0].help == f"put `{word}` before it", (word, told)
