"""Forks: a new run that has what another one recorded until one of its items began.

The rows of a run have numbers, and whatever was recorded by the time that a number was given is a
state in which the run could have been taken over. A fork is that state under another id: what was
done before is not done again, what comes after is done anew, with keys of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from secrets import token_hex
from typing import Any

import sqlalchemy as sa

from pipelang.records import dataclass
from pipelang.runtime.durable import programs
from pipelang.runtime.durable.address import NotPossible
from pipelang.runtime.durable.legs import locked_run
from pipelang.runtime.durable.store import Store
from pipelang.semantics import program as p
from pipelang.semantics.stored.text import NotReadable
from pipelang.semantics.walk import blocks

_PLACE = re.compile(r"([A-Za-z_][^/?@\[]*)/(\d+)")

_ROWS = sa.text("SELECT place, kind, number FROM pipelang_journal WHERE run = :run ORDER BY number")
_RUN = sa.text(
    """INSERT INTO pipelang_runs (run, pipeline, program, tenant, thread, key, input, input_hash,
        queue, priority, created, due, leg, attempts, barren, seen, poked, paused, cost, tokens,
        permits, forked)
    SELECT :new, pipeline, program, tenant, thread, NULL, input, input_hash,
        queue, priority, :now, NULL, 1, 0, 0, -1, 0, 0, '0', 0, permits, run
    FROM pipelang_runs WHERE run = :run"""
)
_JOURNAL = sa.text(
    """INSERT INTO pipelang_journal (run, place, kind, value, written, number, hash)
    SELECT :new, place, kind, value, :now, number, hash FROM pipelang_journal
    WHERE run = :run AND number < :first"""
)
_MEDIA = sa.text(
    """INSERT INTO pipelang_media (run, sha256, data)
    SELECT :new, sha256, data FROM pipelang_media WHERE run = :run"""
)
_DROP = sa.text("DELETE FROM pipelang_journal WHERE run = :run AND place = :place")


@dataclass(frozen=True, slots=True)
class ForkedRun:
    """A run that was forked: its id, the item from which it goes on, and how many calls that act
    the other run had made after that.
    """

    run: str
    item: str
    again: int


def fork(store: Store, run: str, item: str | None = None) -> ForkedRun:
    """Fork a run from where one of its items began, the last one without a name. Raises
    `UnknownRun`, and `NotPossible` where the run has not begun such an item.
    """
    with store.transaction() as connection:
        source = locked_run(store, connection, run)
        rows = connection.execute(_ROWS, {"run": run}).all()
        points = dict(_points(rows))
        if not points:
            raise NotPossible(f"run {run} has nothing recorded from which it could be forked")
        if rows[0].number < 1:
            raise NotPossible(f"run {run} began with a version that did not number its rows")
        name = next(reversed(points)) if item is None else item
        if name not in points:
            name = _leader(store, source.program, source.pipeline, name)
        if name not in points:
            there = ", ".join(f"`{one}`" for one in points)
            raise NotPossible(f"run {run} has not begun `{item}`", f"it can be forked from {there}")
        first = points[name]
        before = {row.place: row.kind for row in rows if row.number < first}
        for place in _under_way(before):
            raise NotPossible(
                f"`{place}` was under way when `{name}` began",
                "fork from an item before it",
            )
        new, now = token_hex(10), store.now_on(connection)
        values = {"new": new, "run": run, "now": now, "first": first}
        for statement in (_RUN, _JOURNAL, _MEDIA):
            connection.execute(statement, values)
        for place, kind in before.items():
            if kind == "ahead" and place[:-1] not in before:  # nothing may be used there now
                connection.execute(_DROP, {"run": new, "place": place})
        store.legs.enqueue(connection, source.queue, new, 1, None, source.priority)
    after = (row for row in rows if row.number >= first and row.kind == "intent")
    again = sum("@" in row.place.rpartition("/")[2] for row in after)  # not questions to people
    return ForkedRun(new, name, again)


def _points(rows: Any) -> Iterator[tuple[str, int]]:
    """The items of the run's own pipeline that were begun, in that order, each with the number of
    the first row that belongs to it.
    """
    seen = set()
    for row in rows:
        found = _PLACE.match(row.place)
        if found and found[2] == "0" and found[1] not in seen:
            seen.add(found[1])
            yield found[1], row.number


def _under_way(before: Mapping[str, str]) -> Iterator[str]:
    """The calls that act of which there is an intent and no outcome."""
    for place, kind in before.items():
        if kind == "intent" and place[:-1] not in before:
            yield place[:-1]


def _leader(store: Store, hash: str, pipeline: str, item: str) -> str:
    """The item under whose name the region of an item is recorded, the item itself for others."""
    try:
        program = programs.read(store, hash, "stored.pipe")
    except (NotReadable, LookupError):
        return item
    for block in blocks(program.pipelines[pipeline].block):
        for segment in block.segments:
            if isinstance(segment, p.Region):
                names = [getattr(block.items[at], "name", None) for at in segment.members]
                if item in names:
                    return str(names[0])
    return item
