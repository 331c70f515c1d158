"""Keeps checked programs, so that a command which only runs one need not check it again."""

from __future__ import annotations

from typing import Any

from pipelang.interfaces.cache.entries import Shelf
from pipelang.interfaces.check.disk_loader import STANDARD_INPUT
from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.stored.table import NoTable, from_table, to_table

PROGRAMS = Shelf("programs", most_entries=50, most_bytes=8 * 1024 * 1024)


@dataclass(frozen=True, slots=True)
class KeptProgram:
    """A program that was found sound, and plain values of what else was found out about it."""

    program: p.Program
    about: Any


def entry_of(purpose: str, file: str, tiers: tuple[tuple[str, str], ...] = ()) -> str | None:
    """The file of a program's entry; None if nothing is to be kept. `purpose` says how far it was
    checked, and what is kept about it; `tiers` are those that stand in for its own.
    """
    return None if file == STANDARD_INPUT else PROGRAMS.entry((purpose, file, tiers))


def recall(path: str) -> KeptProgram | None:
    """The program, if nothing that it was made from has changed."""
    kept = PROGRAMS.recall(path)
    if kept is None:
        return None
    try:
        table, about = kept
        return KeptProgram(from_table(table), about)
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return None


def remember(path: str, kept: KeptProgram, seen: FileSnapshot) -> None:
    """Keep a program, as a whole or not at all. `seen` are the files that it was made from."""
    try:
        table = to_table(kept.program)
    except NoTable:
        return
    PROGRAMS.remember(path, (table, kept.about), seen)
