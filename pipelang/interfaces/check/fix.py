"""`check --fix`: the edits that findings carry, made on the files that were named.

Everything happens in memory first: a round checks, takes the edits that do not touch each other,
and the next round checks what came of them, until there is nothing left to do. A finding's edits
are made together or not at all. Only then is anything written, each file as a whole. Libraries,
imports from elsewhere, and files that have changed on the disk meanwhile are never touched.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from pipelang.diagnostics import Diagnostic, Edit, Source
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.check.profiles.config import CheckSettings
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.records import dataclass
from pipelang.semantics.loader import Unreadable

ROUNDS = 5
"""One edit can bring up what another hid; more rounds than this mean that two of them quarrel."""


@dataclass(frozen=True, slots=True)
class FixedFile:
    """A file before and after, with what was mended in it, in the words of the help lines."""

    path: str
    before: str
    after: str
    mended: tuple[str, ...]


class Drafts(DiskLoader):
    """The disk, with some files as they would become."""

    def __init__(self, texts: dict[str, str]) -> None:
        super().__init__()
        self.texts = texts

    def read(self, path: str) -> str | None:
        text = self.texts.get(path)
        return super().read(path) if text is None else text


def drafted(paths: Sequence[str], asked: CheckSettings | None = None) -> list[FixedFile]:
    """Applies the safe fixes to the texts of some `.pipe` files. Nothing is written."""
    disk = DiskLoader()
    names = {disk.beside("", path): path for path in paths}
    for library in disk.libraries():
        names.pop(disk.library(tuple(library.split("."))) or "", None)
    before: dict[str, str] = {}
    for name in names:
        try:
            text = disk.read(name)
        except Unreadable:
            continue
        if text is not None:
            before[name] = text
    loader, mended = Drafts(dict(before)), {name: list[str]() for name in before}
    configs = Configs(loader, asked or CheckSettings())
    for _ in range(ROUNDS):
        found = [one for name in before for one in check_file(name, loader, configs).diagnostics]
        taken = compatible(found, before.keys())
        if not taken:
            break
        edits: dict[str, list[Edit]] = {name: [] for name in before}
        for one in taken:
            for edit in one.edits:
                edits[edit.span.file].append(edit)
            mended[one.edits[0].span.file].append(_words(one, loader.texts))
        for name, mine in edits.items():
            loader.texts[name] = edited(loader.texts[name], mine)
    return [
        FixedFile(names[name], text, loader.texts[name], tuple(mended[name]))
        for name, text in before.items()
        if loader.texts[name] != text
    ]


def compatible(found: Iterable[Diagnostic], files: Iterable[str]) -> list[Diagnostic]:
    """The findings whose edits lie in these files and do not touch those of an earlier one."""
    allowed, taken = set(files), list[Diagnostic]()
    covered: dict[str, list[tuple[int, int]]] = {}
    for one in dict.fromkeys(found):
        if not one.edits or not all(edit.span.file in allowed for edit in one.edits):
            continue
        spans = [edit.span for edit in one.edits]
        if any(
            start <= span.end and span.start <= end
            for span in spans
            for start, end in covered.get(span.file, ())
        ):
            continue
        for span in spans:
            covered.setdefault(span.file, []).append((span.start, span.end))
        taken.append(one)
    return taken


def edited(text: str, edits: Iterable[Edit]) -> str:
    """A text with edits made that do not touch each other. Places do not count a BOM."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    text = text[len(mark) :]
    for edit in sorted(edits, key=lambda edit: edit.span.start, reverse=True):
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return mark + text


def _words(one: Diagnostic, texts: dict[str, str]) -> str:
    """`a.pipe:3:8: P201: `coutn` -> `count``"""
    edit = one.edits[0]
    text = texts[edit.span.file].removeprefix("\ufeff")
    line, column = Source(edit.span.file, text).position(edit.span.start)
    was = text[edit.span.start : edit.span.end]
    if not was.strip():
        what = f"`{edit.replacement.strip()}` put in"
    elif not edit.replacement.strip():
        what = f"`{was}` left out"
    else:
        what = f"`{was}` -> `{edit.replacement.strip()}`"
    return f"{edit.span.file}:{line}:{column}: {one.rule.code}: {what}"


def is_unchanged(change: FixedFile) -> bool:
    """Whether a file is still what the change was made from."""
    try:
        with open(os.path.realpath(change.path), "rb") as file:
            return file.read() == change.before.encode()
    except OSError:
        return False
