"""Names and texts that somebody outside wrote, as a `.pipe` file can hold them.

They come from a server that nobody has looked at yet: a description may hold line breaks of many
kinds, signs that turn the direction of writing, or what would be read as a comment for pipelang.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata

from pipelang.syntax.tables import tables

_LONGEST_NAME = 60
_WIDTH = 96
_MOST_LINES = 40
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NO_NAME = re.compile(r"[^A-Za-z0-9]+")
_FOR_PIPELANG = re.compile(r"pipelang\s*:", re.IGNORECASE)
_ESCAPED = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Zl", "Zp"})
"""Categories of signs that are not seen, or that change how others are."""


class FreshNames:
    """The names that are given already, so that each is given once."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def fresh(self, name: str) -> str:
        """The name, or the first of NAME_2, NAME_3, ... that nobody has."""
        found, number = name, 1
        while found in self._names:
            number += 1
            found = f"{name}_{number}" if name[:1].islower() or "_" in name else f"{name}{number}"
        self._names.add(found)
        return found


def snake_name(outer: str) -> str:
    """The name of a field, parameter, member or tool for what is called `outer` outside."""
    words = _words(outer)
    name = "_".join(words).lower()[:_LONGEST_NAME].rstrip("_") or "value"
    if name[0].isdigit():
        name = f"n{name}"
    return f"{name}_" if name in tables().reserved or name == "budget" else name


def pascal_name(*outer: str) -> str:
    """The name of a type or enum made of several outer names."""
    words = [word for part in outer for word in _words(part)]
    name = "".join(word[0].upper() + word[1:] for word in words)[:_LONGEST_NAME]
    if not name:
        return "Value"
    return f"N{name}" if name[0].isdigit() else name


def _words(outer: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", outer).encode("ascii", "ignore").decode()
    return [word for word in _NO_NAME.split(_CAMEL.sub("_", plain)) if word]


def literal(text: str) -> str | None:
    """A text in quotes, with all that cannot be seen in it escaped; None if no file can hold it."""
    written = []
    for letter in text:
        category = unicodedata.category(letter)
        if category == "Cs":
            return None
        if letter in _ESCAPED:
            written.append(_ESCAPED[letter])
        elif category in _HIDDEN:
            written.append(f"\\u{{{ord(letter):X}}}")
        else:
            written.append(letter)
    return f'"{"".join(written)}"'


def words(text: str) -> str:
    """A text in one line for a comment, without what cannot be seen."""
    seen = "".join(
        " " if letter.isspace() else letter
        for letter in text
        if letter.isspace() or unicodedata.category(letter) not in (*_HIDDEN, "Cs")
    )
    return _FOR_PIPELANG.sub("pipelang -", " ".join(seen.split()))


def doc_lines(text: str | None, indent: int = 0) -> list[str]:
    """A description as lines of a doc comment."""
    margin = " " * indent
    lines: list[str] = []
    for line in (text or "").splitlines():
        plain = words(line)
        if plain:
            lines += textwrap.wrap(plain, _WIDTH - indent - 3, break_on_hyphens=False)
    if len(lines) > _MOST_LINES:
        lines = [*lines[:_MOST_LINES], "..."]
    return [f"{margin}## {line}" for line in lines]


def note_lines(notes: list[str], indent: int = 0) -> list[str]:
    """Lines of plain comments about what the language cannot say."""
    margin = " " * indent
    found: list[str] = []
    for note in notes:
        found += textwrap.wrap(
            words(note)[:600], _WIDTH - indent, initial_indent="# ", subsequent_indent="#   "
        )
    return [f"{margin}{line}" for line in found]
