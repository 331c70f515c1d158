"""Mistakes in a pyproject.toml, told with a place.

tomllib says nothing about where a value stands, so the place of one is looked for in the text: the
value, below the head of its table. That can miss in files that write their tables in unusual ways;
the place is then the table's head, or the file's first line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.diagnostics.lookup import is_selector, meant
from pipelang.diagnostics.spelling import closest
from pipelang.records import dataclass, field


@dataclass(slots=True)
class Mistakes:
    """The mistakes of a configuration so far, each told at its place in the file."""

    source: Source
    found: list[Diagnostic] = field(default_factory=list)

    def tell(self, at: object, why: str, help: str | None = None) -> None:
        """A mistake at the first place where a key or value stands."""
        span = place_of(self.source, at)
        self.found.append(report(codes.BAD_CONFIG, span, why=why, help=help))

    def unknown(self, key: str, known: tuple[str, ...]) -> None:
        self.tell(key, f"there is no key `{key}`", meant_of(key, known))

    def codes(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """A list of codes; what is none is told."""
        words = table.get(key, [])
        if not isinstance(words, list):
            self.tell(key, f'`{key}` is a list of codes such as ["P5"], found {kind_of(words)}')
            return ()
        good = []
        for word in words:
            if not isinstance(word, str):
                self.tell(key, f"a code is a text such as `P501`, found {kind_of(word)}")
            elif not is_selector(word):
                self.tell(word, f"there is no code `{word}`", meant(word))
            else:
                good.append(word)
        return tuple(good)


_HEAD = re.compile(r"^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*[\"']?pipelang\b[^\n]*", re.MULTILINE)


def place_of(source: Source, what: object) -> Span:
    """Span of a key or value below the head of its table."""
    head = _HEAD.search(source.text)
    start = head.start() if head else 0
    if isinstance(what, str) and what:
        quoted = re.escape(what)
        hit = re.compile(rf"(?<![\w-]){quoted}(?![\w-])").search(source.text, start)
        if hit is not None:
            return Span(source.name, *hit.span())
    return Span(source.name, start, head.end() if head else start)


def meant_of(word: object, known: tuple[str, ...]) -> str:
    """A help line: the known word that is nearest, or all of them."""
    close = closest(str(word), known)
    if close:
        return f"did you mean `{close}`?"
    return "there are: " + ", ".join(f"`{one}`" for one in known)


def quoted_or_kind(value: object) -> str:
    """A text in backticks; of anything else, what it is."""
    return f"`{value}`" if isinstance(value, str) else kind_of(value)


def kind_of(value: object) -> str:
    """A value of TOML for people."""
    match value:
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"the number {value}"
        case str():
            return f"the text `{value}`"
        case list():
            return "a list"
        case dict():
            return "a table"
        case _:
            return "a date or a time"
