"""Colours, by what they mean. Without colour every report says the same."""

from __future__ import annotations

from collections.abc import Callable

from pipelang.diagnostics.columns import harmless

Paint = Callable[[str, str], str]
"""A text in a style: one of the names below, or an empty one for no style at all."""

_CODES = {
    "title": "1",
    "heading": "1",
    "dim": "2",
    "good": "32",
    "bad": "31",
    "unsure": "33",
    "people": "36",
}


def painter(colour: bool) -> Paint:
    """The paint of a terminal, or one that leaves every text as it is."""
    return _ansi if colour else _plain


def _plain(text: str, style: str) -> str:
    return text


def _ansi(text: str, style: str) -> str:
    code, text = _CODES.get(style), harmless(text)
    return text if code is None or not text.strip() else f"\x1b[{code}m{text}\x1b[0m"
