"""Does one job of the worker: numbers first, then advice, which takes longer.

The numbers of files that are as they are on the disk are kept in the user's cache folder, beside
what `pipelang check` keeps there, and believed on the same terms.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.interfaces.cache.entries import Shelf
from pipelang.interfaces.check.check import Checked, check_file
from pipelang.interfaces.check.disk_loader import SeeingLoader
from pipelang.interfaces.check.file_snapshot import FileSnapshot
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.check.today import today
from pipelang.interfaces.language_server.analysis.numbers import (
    advice_of,
    is_advised,
    lens,
    numbers_of,
)
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.records import dataclass, field
from pipelang.resources import package_folder
from pipelang.semantics import program as p

NUMBERS = Shelf("editor", most_entries=200, most_bytes=2 * 1024 * 1024)
BETWEEN = 2.0
"""Seconds from one telling of some lenses to the next: an editor asks for all of them then."""

Answer = dict[str, Any]


def prepare() -> None:
    """Import what jobs need, once for all of them; many have a configuration to read."""
    import tomllib  # noqa: F401

    import pipelang.analysis.budgets.enclosures
    import pipelang.analysis.claims.verdicts
    import pipelang.analysis.findings.metric_findings
    import pipelang.analysis.findings.verify
    import pipelang.analysis.metrics.analyse
    import pipelang.analysis.metrics.derivation
    import pipelang.interfaces.check.advice
    import pipelang.interfaces.check.prices
    import pipelang.interfaces.check.profiles.reading
    import pipelang.interfaces.check.replay  # noqa: F401


def practise() -> None:
    """Work out the numbers of a program of our own: what the first job of a process makes for all
    others (numpy, tables, libraries that were read) is there then when somebody waits for one.
    """
    path = os.path.join(package_folder(), "interfaces/starters/support/support.pipe")
    try:
        with open(path, encoding="utf-8") as file:
            loader = OpenFiles({path: file.read()})
    except OSError:  # a part of an installation that nobody needs for this
        return
    numbers_of(check_file(path, loader, Configs(loader)))


def do(job: Mapping[str, Any], tell: Callable[[Answer], None] | None = None) -> Iterator[Answer]:
    """The answers to a job: `numbers`, then `advice`. Of what takes long `tell` gets `some` before:
    the lenses of pipelines that are analysed, by name, and how many are `left`.
    """
    path, number = str(job["path"]), job["id"]
    texts: dict[str, str] = job["texts"]
    seen = FileSnapshot()
    saved = _as_on_disk(texts)
    loader = SeeingLoader(seen) if saved else OpenFiles(texts)
    entry = NUMBERS.entry((path, today(), "numbers")) if saved else None
    kept = None if entry is None else NUMBERS.recall(entry)
    if kept is not None:
        yield {"id": number, "numbers": kept[0]}
        yield {"id": number, "advice": kept[1]}
        return
    each = None if tell is None else _Some(number, tell).add
    checked = check_file(path, loader, Configs(loader), each=each)
    numbers = numbers_of(checked)
    yield {"id": number, "numbers": numbers}
    advice = _advice(checked)
    yield {"id": number, "advice": advice}
    if entry is not None:
        NUMBERS.remember(entry, (numbers, advice), seen)


@dataclass(slots=True)
class _Some:
    """Lenses of a file that are there before all of them, told every now and then."""

    number: Any
    tell: Callable[[Answer], None]
    lenses: dict[str, str] = field(default_factory=dict)
    done: int = 0
    told: float = field(default_factory=time.monotonic)

    def add(self, program: p.Program, analysis: Analysis) -> None:
        """Take in the next analysis."""
        self.done += 1
        self.lenses[analysis.pipeline.name] = lens(analysis)
        if time.monotonic() - self.told >= BETWEEN:
            left = len(program.pipelines) - self.done
            self.tell({"id": self.number, "some": self.lenses, "left": left})
            self.lenses, self.told = {}, time.monotonic()


def _advice(checked: Checked) -> dict[str, Any]:
    from pipelang.interfaces.check.advice import with_advice

    if not is_advised(checked):
        return {}
    return advice_of(with_advice([checked])[0])


def _as_on_disk(texts: Mapping[str, str]) -> bool:
    """Whether open files are what the disk has."""
    for path, text in texts.items():
        try:
            with open(path, encoding="utf-8", newline="") as file:
                if file.read().removeprefix("\ufeff") != text:
                    return False
        except (OSError, UnicodeDecodeError):
            return False
    return True
