"""Programs in a store, by their hash: a run ends on the one that it began with.

A program is written with the first run that needs it, and read by workers that were started with a
later version of its file. What it may reach is bounded by that file: a store is data, so nothing in
it decides which functions, servers or models a worker calls.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import PurePath

import sqlalchemy as sa

from pipelang.records import dataclass
from pipelang.runtime.durable.store import Store
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tiers_behind, tools_behind
from pipelang.semantics.stored.table import NoTable
from pipelang.semantics.stored.text import NotReadable, from_text, to_text
from pipelang.version import __version__

RENEWED = 3600.0
"""Seconds after which a submission says again that a program is used."""
KEPT = 86_400.0
"""Seconds without a submission after which a program that no run has may be deleted."""

_MOST_READ = 20
"""Programs that are read to know the names in them."""

_USED = sa.text("SELECT used FROM pipelang_programs WHERE program = :program")
_KEEP = sa.text(
    """INSERT INTO pipelang_programs (program, file, pipelines, version, value, used)
    VALUES (:program, :file, :pipelines, :version, :value, :now)
    ON CONFLICT (program) DO UPDATE SET used = excluded.used"""
)
_UNUSED = sa.text(
    """DELETE FROM pipelang_programs WHERE used < :then AND NOT EXISTS
        (SELECT 1 FROM pipelang_runs r WHERE r.program = pipelang_programs.program)
        AND NOT EXISTS
        (SELECT 1 FROM pipelang_releases v WHERE v.program = pipelang_programs.program)"""
)


@dataclass(frozen=True, slots=True)
class StoredProgram:
    """A program that open runs need: the name of its file, and the version that wrote it."""

    hash: str
    file: str
    pipelines: tuple[str, ...]
    version: str


def keep(connection: sa.Connection, program: p.Program, now: float) -> None:
    """Write a program unless it is there, in a transaction of the caller's. That it is used is
    written at most once an hour: a row that every submission wrote would make them wait for one
    another. One that is nested too deeply to be written is left out: its runs end only with workers
    that have its file.
    """
    used = connection.execute(_USED, {"program": program.hash}).scalar()
    if used is not None and now - used < RENEWED:
        return
    try:
        text = to_text(program)
    except NoTable:
        return
    connection.execute(
        _KEEP,
        {
            "program": program.hash,
            "file": PurePath(program.file).name,
            "pipelines": json.dumps(list(program.pipelines)),
            "version": __version__,
            "value": text,
            "now": now,
        },
    )


def needed(store: Store) -> list[StoredProgram]:
    """The programs that are stored and that some run needs which has not ended."""
    rows = store.rows(
        """SELECT program, file, pipelines, version FROM pipelang_programs p WHERE EXISTS
            (SELECT 1 FROM pipelang_runs r WHERE r.program = p.program AND r.status IS NULL)"""
    )
    return [
        StoredProgram(
            row["program"], row["file"], tuple(json.loads(row["pipelines"])), row["version"]
        )
        for row in rows
    ]


def read(store: Store, hash: str, file: str) -> p.Program:
    """A stored program, as one of the file that lies at `file` here. Raises `NotReadable`, and
    LookupError if it is not there.
    """
    rows = store.rows("SELECT value FROM pipelang_programs WHERE program = :p", p=hash)
    if not rows:
        raise LookupError(f"program {hash[:12]} is not stored")
    return from_text(rows[0]["value"], file)


def tools(store: Store) -> frozenset[str]:
    """The names of the tools of the programs that were used last."""
    rows = store.rows(
        "SELECT file, value FROM pipelang_programs ORDER BY used DESC LIMIT :most", most=_MOST_READ
    )
    found: set[str] = set()
    for row in rows:
        with suppress(NotReadable):  # a later version's, or of one before
            found.update(from_text(row["value"], row["file"]).tools)
    return frozenset(found)


def strange_reach(stored: p.Program, pipeline: p.Pipeline, own: p.Program) -> list[str]:
    """Names of the functions, servers and models with their keys that a pipeline of a stored
    program would reach and that the file of this worker does not name.
    """
    known: set[_Reach] = {
        ("fn",),
        *map(_of_tool, own.tools.values()),
        *map(_of_function, own.functions.values()),
        *map(_of_provider, own.providers.values()),
    }
    tools = (stored.tools[name] for name in tools_behind(stored, pipeline))
    tiers = (stored.tiers[name] for name in tiers_behind(stored, pipeline))
    reached = {_of_tool(tool): f"tool `{tool.name}`" for tool in tools}
    reached |= {_of_function(one): f"`{one.name}`" for one in stored.functions.values()}
    providers = (stored.providers[tier.provider] for tier in tiers)
    reached |= {_of_provider(one): f"provider `{one.name}`" for one in providers}
    return sorted(said for what, said in reached.items() if what not in known)


_Reach = tuple[str | None, ...]


def _of_tool(tool: p.Tool) -> _Reach:
    return ("tool", *(tool.binding or (tool.name,)))


def _of_function(function: p.Function) -> _Reach:
    return ("fn", function.binding) if function.body is None else ("fn",)


def _of_provider(provider: p.Provider) -> _Reach:
    return "provider", provider.kind, provider.base_url, provider.key


def drop_unused(connection: sa.Connection, now: float) -> None:
    """Delete the programs that no run has any more, in a transaction of the caller's."""
    connection.execute(_UNUSED, {"then": now - KEPT})
