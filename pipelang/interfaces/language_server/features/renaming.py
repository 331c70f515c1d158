"""Renaming: every place of a name, in all programs that know it; refused where it would collide.

Whether it collides is not guessed at: the edits are made in memory, every program is read again,
and each name must mean what it meant before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.names import NameTable, names_of
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.records import dataclass
from pipelang.semantics.build import survey
from pipelang.syntax.tables import tables

Edits = dict[str, list[tuple[int, int, str]]]
"""Edits by file: start, end and new text."""


class NameRefused(Exception):
    """A name that cannot be given. The message says why."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """The edits, and what was declared under the old name."""

    edits: Edits
    declared: Span


def check_name(name: str) -> None:
    """Raises `NameRefused` for what is no name at all."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise NameRefused(f"`{name}` is no name: letters, digits and _ make one, a letter first")
    if name in tables().reserved:
        raise NameRefused(f"`{name}` is a reserved word")


def rename(
    declared: Span, name: str, programs: Mapping[str, NameTable], texts: Mapping[str, str]
) -> Renamed:
    """The edits that give a name to what was declared at a place. `programs` are by their root;
    `texts` those of open files. Raises `NameRefused`.
    """
    check_name(name)
    if declared.file.startswith("std/"):
        raise NameRefused("it is declared in pipelang's own library")
    places = {span for names in programs.values() for span in names.of(declared)}
    edits: Edits = {}
    for span in sorted(places):
        edits.setdefault(span.file, []).append((span.start, span.end, name))
    old = next((names.text(declared) for names in programs.values() if names.text(declared)), "")
    if old == name:
        return Renamed({}, declared)
    after = {**texts}
    for file, mine in edits.items():
        before = next((n.texts[file] for n in programs.values() if file in n.texts), None)
        if before is not None:
            after[file] = edited(before, mine)
    for root, names in programs.items():
        _must_mean_the_same(root, names, texts, after, edits, name)
    return Renamed(edits, declared)


def edited(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """A text with edits that do not overlap."""
    for start, end, by in sorted(edits, reverse=True):
        text = text[:start] + by + text[end:]
    return text


def _must_mean_the_same(
    root: str,
    names: NameTable,
    texts: Mapping[str, str],
    after: Mapping[str, str],
    edits: Edits,
    name: str,
) -> None:
    """Read a program as it would become, and compare. Raises `NameRefused`."""
    made = survey(root, OpenFiles(after))
    before = survey(root, OpenFiles(texts))
    old = {(one.rule.code, _moved(one.span, edits)) for one in before.built.diagnostics}
    for found in made.built.diagnostics:
        key = (found.rule.code, None if found.span is None else tuple(found.span))
        if found.is_error and key not in old:
            raise NameRefused(f"`{name}` would not do in {root}: {found.message}")
    now = names_of(made)
    for span, declared in names.uses.items():
        here, there = _moved(span, edits), _moved(declared, edits)
        assert here is not None
        if now.uses.get(Span(*here)) != there:
            word = names.text(span)
            raise NameRefused(
                f"`{name}` would change what `{word}` means in {span.file}: choose another name"
            )


def _moved(span: Span | None, edits: Edits) -> tuple[str, int, int] | None:
    """The place that a place becomes by the edits."""
    if span is None:
        return None
    start, end = span.start, span.end
    by_start = by_end = 0
    for first, last, text in edits.get(span.file, ()):
        grown = len(text) - (last - first)
        if last <= start:
            by_start += grown
        if last <= end:
            by_end += grown
    return span.file, start + by_start, end + by_end
