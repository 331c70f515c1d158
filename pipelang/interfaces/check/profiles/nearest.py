"""Finds the configuration of a file: that of the nearest pyproject.toml above it that has one.

A pyproject.toml without `[tool.pipelang]` is passed over, as ruff does. Most files have none above
them, or one that installs pipelang and says no more, so the reader of TOML is imported only where
one may have the table, and what reads the table where there is one.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.interfaces.check.profiles.config import CheckSettings, Config, combined
from pipelang.records import dataclass, field
from pipelang.semantics.loader import Loader, Unreadable

NAME = "pyproject.toml"

_MAY_CONFIGURE = r"""(?x)
    tool["']?[\s.]*["']?pipelang  # `[tool.pipelang]`, `tool."pipelang".profile = `
  | tool["']?[^\S\n]*[]=]         # `[tool]`, `tool = {`: anything may be below
  | \\[uUx]                       # a key in other letters
"""
"""In every text that has a table for pipelang, or in which somebody tried to write one."""


@dataclass(frozen=True, slots=True)
class Configured:
    """A configuration, or what is wrong with it and the file that it was read from."""

    config: Config
    found: tuple[Diagnostic, ...] = ()
    source: Source | None = None


@dataclass(slots=True)
class Configs:
    """Configurations through a loader, so that what was read is seen; a folder is asked once."""

    loader: Loader
    asked: CheckSettings = field(default_factory=CheckSettings)
    by_place: dict[str, Configured | None] = field(default_factory=dict)

    def of(self, path: str) -> Configured:
        """The configuration of a file."""
        for place in above(path):
            if place not in self.by_place:
                self.by_place[place] = _read(place, self.loader, self.asked)
            held = self.by_place[place]
            if held is not None:
                return held
        return Configured(combined(Config(), self.asked))


def above(path: str) -> Iterator[str]:
    """The folders above a file, nearest first; relative where the path is."""
    folder = os.path.abspath(os.path.dirname(path))
    while True:
        shown = folder if os.path.isabs(path) else os.path.relpath(folder)
        yield os.path.normpath(os.path.join(shown, NAME))
        upper = os.path.dirname(folder)
        if upper == folder:
            return
        folder = upper


def _read(place: str, loader: Loader, asked: CheckSettings) -> Configured | None:
    try:
        text = loader.read(place)
    except Unreadable as problem:
        why = f"`{place}` cannot be read: {problem}"
        return Configured(Config(), (report(codes.BAD_CONFIG, Span(place, 0, 0), why=why),))
    if text is None or not may_configure(text):
        return None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not _speaks_of_pipelang(text):
        return None
    from pipelang.interfaces.check.profiles.reading import read_config

    read = read_config(place, text)
    if read is None:
        return None
    config, found = read
    return Configured(combined(config, asked), found, Source(place, text))


def may_configure(text: str) -> bool:
    """Whether a text may have a table for pipelang: one that does not is not read as TOML."""
    return "pipelang" in text and re.search(_MAY_CONFIGURE, text) is not None


def _speaks_of_pipelang(text: str) -> bool:
    """Whether a text has a table for pipelang, or is no TOML."""
    from pipelang.interfaces.check.profiles.table import NotToml, table_of

    try:
        return table_of(text) is not None
    except NotToml:
        return True
