"""`[tool.pipelang]` of a pyproject.toml: read, checked, and told with a place where it is wrong.

tomllib says nothing about where a value stands, so the place of one is looked for in the text: the
value, below the head of its table. That can miss in files that write their tables in unusual ways;
the place is then the table's head, or the file's first line.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from pipelang.analysis.production.setup import DeploymentSetup
from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.diagnostics.lookup import is_selector, meant
from pipelang.interfaces.check.profiles.config import PROFILES, Config
from pipelang.records import dataclass, field

KEYS = ("profile", "select", "ignore", "per-file-ignores", "production")
PLACES = ("trace", "audit", "state")
INSIDE = frozenset({"memory", ":memory:", "none", "process"})
"""Words for places that die with a process."""


def read_config(name: str, text: str) -> tuple[Config, tuple[Diagnostic, ...]] | None:
    """Reads `[tool.pipelang]` of a pyproject.toml; None if it has no such table."""
    import tomllib

    source = Source(name, text)
    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return Config(), (_malformed(source, str(error)),)
    except (ValueError, RecursionError) as error:  # a number too long for Python, brackets too deep
        said = "it is nested too deep" if isinstance(error, RecursionError) else str(error)
        return Config(), (_malformed(source, said),)
    tool = whole.get("tool")
    table = tool.get("pipelang") if isinstance(tool, dict) else None
    if table is None:
        return None
    reading = _Reading(source)
    if not isinstance(table, dict):
        reading.tell("pipelang", f"`tool.pipelang` is a table, found {_kind(table)}")
        return Config(), tuple(reading.found)
    for key in table:
        if key not in KEYS:
            reading.unknown(key, KEYS)
    profile = table.get("profile", "demo")
    if profile not in PROFILES:
        reading.tell(profile, f"there is no profile {_quoted(profile)}", _of(profile, PROFILES))
    config = Config(
        profile=str(profile),
        select=reading.codes(table, "select") or ("P",),
        ignore=reading.codes(table, "ignore"),
        per_file=_per_file(reading, table.get("per-file-ignores", {})),
        folder=os.path.dirname(name),
        setup=_setup(reading, table.get("production", {})),
    )
    return config, tuple(reading.found)


@dataclass(slots=True)
class _Reading:
    """The mistakes so far."""

    source: Source
    found: list[Diagnostic] = field(default_factory=list)

    def tell(self, at: object, why: str, help: str | None = None) -> None:
        """A mistake at the first place where a key or value stands."""
        span = _place(self.source, at)
        self.found.append(report(codes.BAD_CONFIG, span, why=why, help=help))

    def unknown(self, key: str, known: tuple[str, ...]) -> None:
        self.tell(key, f"there is no key `{key}`", _of(key, known))

    def codes(self, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
        """A list of codes; what is none is told."""
        words = table.get(key, [])
        if not isinstance(words, list):
            self.tell(key, f'`{key}` is a list of codes such as ["P5"], found {_kind(words)}')
            return ()
        good = []
        for word in words:
            if not isinstance(word, str):
                self.tell(key, f"a code is a text such as `P501`, found {_kind(word)}")
            elif not is_selector(word):
                self.tell(word, f"there is no code `{word}`", meant(word))
            else:
                good.append(word)
        return tuple(good)


def _per_file(reading: _Reading, table: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(table, dict):
        key = "per-file-ignores"
        reading.tell(key, f"`{key}` is a table from globs to lists of codes, found {_kind(table)}")
        return ()
    return tuple((glob, reading.codes(table, glob)) for glob in table)


def _setup(reading: _Reading, table: Any) -> DeploymentSetup:
    """The stores of a deployment: texts, each naming a place that outlives a process."""
    if not isinstance(table, dict):
        reading.tell("production", f"`production` is a table, found {_kind(table)}")
        return DeploymentSetup(file=reading.source.name)
    places: dict[str, str] = {}
    for key, value in table.items():
        if key not in PLACES:
            reading.unknown(key, PLACES)
        elif not isinstance(value, str) or not value.strip():
            found = "an empty text" if isinstance(value, str) else _kind(value)
            reading.tell(key, f"`{key}` names a place, found {found}")
        elif value.strip().casefold() in INSIDE:
            help = "name a folder, a file or the address of a store"
            reading.tell(value, f'`{key} = "{value}"` is no place outside the process', help)
        else:
            places[key] = value
    return DeploymentSetup(
        places.get("trace"), places.get("audit"), places.get("state"), reading.source.name
    )


def _malformed(source: Source, said: str) -> Diagnostic:
    """A mistake of TOML, at its place; tomllib has it in its words."""
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    why = said[: place.start()] if place else said
    at = len(source.text)
    if place and place[1]:
        at = min(source.start(int(place[1])) + int(place[2]) - 1, at)
    span = Span(source.name, at, min(at + 1, len(source.text)))
    return report(codes.BAD_CONFIG, span, why=f"this is no TOML: {why[:1].lower()}{why[1:]}")


_HEAD = re.compile(r"^[ \t]*\[+[ \t]*tool[ \t]*\.[ \t]*[\"']?pipelang\b[^\n]*", re.MULTILINE)


def _place(source: Source, what: object) -> Span:
    head = _HEAD.search(source.text)
    start = head.start() if head else 0
    if isinstance(what, str) and what:
        quoted = re.escape(what)
        hit = re.compile(rf"(?<![\w-]){quoted}(?![\w-])").search(source.text, start)
        if hit is not None:
            return Span(source.name, *hit.span())
    return Span(source.name, start, head.end() if head else start)


def _of(word: object, known: tuple[str, ...]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(str(word), known, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return "there are: " + ", ".join(f"`{one}`" for one in known)


def _quoted(value: object) -> str:
    return f"`{value}`" if isinstance(value, str) else _kind(value)


def _kind(value: object) -> str:
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
