"""Layouts before a width is known: words, places where a line may break, and groups.

A group is set on one line if it fits there and nothing in it forces a break; else every `Line`
right in it breaks, and the groups inside decide for themselves (Wadler, A prettier printer, 2003).
What a group needs to know of its content is computed when it is made, so that rendering takes
linear time: its `width` on one line, whether it is `forced` to break, its first and last leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelang.records import dataclass
from pipelang.syntax.format.leaf import Leaf, Remark

STEP = 2
"""Spaces of one level."""


@dataclass(slots=True, eq=False)
class Word:
    """A token with its comments."""

    leaf: Leaf
    width: int
    forced: bool
    first: Leaf | None
    last: Leaf | None
    closes: bool = False


@dataclass(slots=True, eq=False)
class Line:
    """A place for a line break; `flat` stands there if none is made. `gap` leaves a line blank."""

    flat: str
    gap: bool
    width: int
    forced: bool = False
    first: None = None
    last: None = None
    closes: bool = False


@dataclass(slots=True, eq=False)
class Space:
    """Spaces within a line: `size` of them in a group that is broken, one in a flat one."""

    size: int
    width: int = 1
    forced: bool = False
    first: None = None
    last: None = None
    closes: bool = False


@dataclass(slots=True, eq=False)
class Remarks:
    """Comments with nothing below them in their block."""

    remarks: tuple[Remark, ...]
    width: int = 0
    forced: bool = True
    first: None = None
    last: None = None
    closes: bool = False


@dataclass(slots=True, eq=False)
class Indent:
    """Indents every line that starts in `content` by one level."""

    content: Document
    width: int
    forced: bool
    first: Leaf | None
    last: Leaf | None
    closes: bool


@dataclass(slots=True, eq=False)
class Group:
    """Set on one line, or broken."""

    content: Document
    width: int
    forced: bool
    first: Leaf | None
    last: Leaf | None
    closes: bool


@dataclass(slots=True, eq=False)
class Row:
    """One after the other."""

    parts: Sequence[Document]
    width: int
    forced: bool
    first: Leaf | None
    last: Leaf | None
    closes: bool


Document = Word | Line | Space | Remarks | Indent | Group | Row
"""`closes`: it ends with the bracket of a block that stands open, so an `else` may follow it."""

SPACE = Space(1)
LINE = Line(" ", False, 1)
SOFT = Line("", False, 0)
GAP = Line(" ", True, 1)


def word(leaf: Leaf) -> Word:
    return Word(leaf, len(leaf.text), "\n" in leaf.text, leaf, leaf)


def row(parts: Iterable[Document]) -> Document:
    """Parts one after the other. A comment between two of them forces a break."""
    kept = list(parts)
    if len(kept) == 1:
        return kept[0]
    width, forced, closes = 0, False, False
    first: Leaf | None = None
    last: Leaf | None = None
    for part in kept:
        width += part.width
        forced = forced or part.forced
        if part.first is not None:
            if first is None:
                first = part.first
            elif part.first.opens_line or (last is not None and last.trailing is not None):
                forced = True
            last, closes = part.last, part.closes
    return Row(kept, width, forced, first, last, closes)


def indent(content: Document) -> Indent:
    inner = content
    return Indent(inner, inner.width, inner.forced, inner.first, inner.last, inner.closes)


def group(content: Document, *, forced: bool = False, closing: bool = False) -> Group:
    """`closing`: the group ends with a closing bracket, which stands on its own line if broken."""
    breaks = forced or content.forced
    closes = breaks if closing else content.closes
    return Group(content, content.width, breaks, content.first, content.last, closes)


def sentence(parts: Iterable[Document]) -> Document:
    """Parts with a space between two of them, unless a bracket or a comma says otherwise."""
    spaced: list[Document] = []
    last: Leaf | None = None
    for part in parts:
        if part.first is None:
            continue
        if last is not None and not last.tight_after and not part.first.tight_before:
            spaced.append(SPACE)
        spaced.append(part)
        last = part.last
    return row(spaced)
