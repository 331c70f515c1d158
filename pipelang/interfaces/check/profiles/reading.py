"""`[tool.pipelang]` of a pyproject.toml: read, checked, and told with a place where it is wrong.

Every command reads its configuration here, so that none refuses what another uses.
"""

from __future__ import annotations

import os
import re
from functools import lru_cache
from typing import Any

from pipelang.analysis.production.setup import DeploymentSetup
from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.interfaces.check.profiles.config import PROFILES, Config
from pipelang.interfaces.check.profiles.mcp_tables import read_servers
from pipelang.interfaces.check.profiles.mistakes import (
    Mistakes,
    kind_of,
    meant_of,
    quoted_or_kind,
)
from pipelang.interfaces.check.profiles.table import NotToml, table_of

KEYS = ("profile", "select", "ignore", "per-file-ignores", "production", "mcp")
PLACES = ("trace", "audit", "state", "store")
INSIDE = frozenset({"memory", ":memory:", "none", "process"})
"""Words for places that die with a process."""


@lru_cache(maxsize=16)
def read_config(name: str, text: str) -> tuple[Config, tuple[Diagnostic, ...]] | None:
    """Reads `[tool.pipelang]` of a pyproject.toml; None if it has no such table. The last few are
    kept: an editor's file is looked at after every key.
    """
    source = Source(name, text)
    try:
        table = table_of(text)
    except NotToml as mistake:
        return Config(), (_malformed(source, str(mistake)),)
    if table is None:
        return None
    reading = Mistakes(source)
    if not isinstance(table, dict):
        reading.tell("pipelang", f"`tool.pipelang` is a table, found {kind_of(table)}")
        return Config(), tuple(reading.found)
    for key in table:
        if key not in KEYS:
            reading.unknown(key, KEYS)
    profile = table.get("profile", "demo")
    if profile not in PROFILES:
        reading.tell(
            profile, f"there is no profile {quoted_or_kind(profile)}", meant_of(profile, PROFILES)
        )
    config = Config(
        profile=str(profile),
        select=reading.codes(table, "select") or ("P",),
        ignore=reading.codes(table, "ignore"),
        per_file=_per_file(reading, table.get("per-file-ignores", {})),
        folder=os.path.dirname(name),
        setup=_setup(reading, table.get("production", {})),
        mcp=read_servers(reading, table.get("mcp", {})),
    )
    return config, tuple(reading.found)


def _per_file(reading: Mistakes, table: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
    if not isinstance(table, dict):
        key = "per-file-ignores"
        reading.tell(
            key, f"`{key}` is a table from globs to lists of codes, found {kind_of(table)}"
        )
        return ()
    return tuple((glob, reading.codes(table, glob)) for glob in table)


def _setup(reading: Mistakes, table: Any) -> DeploymentSetup:
    """The stores of a deployment: texts, each naming a place that outlives a process."""
    if not isinstance(table, dict):
        reading.tell("production", f"`production` is a table, found {kind_of(table)}")
        return DeploymentSetup(file=reading.source.name)
    places: dict[str, str] = {}
    for key, value in table.items():
        if key not in PLACES:
            reading.unknown(key, PLACES)
        elif not isinstance(value, str) or not value.strip():
            found = "an empty text" if isinstance(value, str) else kind_of(value)
            reading.tell(key, f"`{key}` names a place, found {found}")
        elif value.strip().casefold() in INSIDE:
            help = "name a folder, a file or the address of a store"
            reading.tell(value, f'`{key} = "{value}"` is no place outside the process', help)
        elif key == "store" and (mistake := _no_store(value)):
            reading.tell(value, *mistake)
        else:
            places[key] = value
    return DeploymentSetup(**places, file=reading.source.name)


def _no_store(url: str) -> tuple[str, str] | None:
    """A reason why a text is the URL of no store, and what one is; None if it is one. What knows
    stores is imported for who names one.
    """
    from pipelang.runtime.durable.address import FORMS, BadAddress, address_of

    try:
        address_of(url)
    except BadAddress as bad:
        return str(bad), f"a store is {FORMS}"
    return None


def _malformed(source: Source, said: str) -> Diagnostic:
    """A mistake of TOML, at its place; tomllib has it in its words."""
    place = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", said)
    why = said[: place.start()] if place else said
    at = len(source.text)
    if place and place[1]:
        at = min(source.start(int(place[1])) + int(place[2]) - 1, at)
    span = Span(source.name, at, min(at + 1, len(source.text)))
    return report(codes.BAD_CONFIG, span, why=f"this is no TOML: {why[:1].lower()}{why[1:]}")
