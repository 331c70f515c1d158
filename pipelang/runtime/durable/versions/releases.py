"""Releases of pipelines in a store: which program a run is of, canaries, and the way back.

A pipeline whose program was released once is run as the store says: by the release that is
`current`, or by the `canary` for a share of the runs. A run is assigned by its thread, else its
key, else its own id, and so stays with its version as long as that is out. A program that was never
released is run as it is submitted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from pipelang.records import dataclass
from pipelang.runtime.durable.address import NotPossible
from pipelang.runtime.durable.history.chain import GENESIS
from pipelang.runtime.durable.store import Store

CURRENT, CANARY, RETIRED, ROLLED_BACK = "current", "canary", "retired", "rolled_back"
PROMOTED = "promoted"


@dataclass(frozen=True, slots=True)
class Guard:
    """A metric that a canary may not be worse in than what is current: beyond `tolerance`, a part
    of the current value. `labels` are those after which it is judged by the last of its looks, None
    for what every run shows.
    """

    metric: str
    tolerance: float = 0.0
    labels: int | None = None


@dataclass(frozen=True, slots=True)
class Release:
    """A released version of a pipeline. `share` of the runs are its, while it is a canary; times
    are seconds of the store's clock.
    """

    pipeline: str
    version: str
    program: str
    signature: str
    state: str
    share: float
    guards: tuple[Guard, ...]
    purpose: str
    by: str
    made: float
    changed: float


def _release(row: Mapping[str, Any]) -> Release:
    guards = tuple(Guard(**one) for one in json.loads(row["guards"]))
    return Release(
        row["pipeline"],
        row["version"],
        row["program"],
        row["signature"],
        row["state"],
        row["share"],
        guards,
        row["purpose"],
        row["made_by"],
        row["made"],
        row["changed"],
    )


_OUT = sa.text(
    """SELECT program, signature, state, share FROM pipelang_releases
    WHERE pipeline = :pipeline AND state IN ('current', 'canary')"""
)
_KNOWN = sa.text(
    "SELECT signature FROM pipelang_releases WHERE pipeline = :pipeline AND program = :program"
)


def assigned(
    connection: sa.Connection, pipeline: str, program: str, tenant: str | None, unit: str
) -> str:
    """The program of a new run: of the release that it falls to, or the one that was submitted if
    that was never released, or takes and gives other types.
    """
    out = connection.execute(_OUT, {"pipeline": pipeline}).all()
    if not out:
        return program
    known = connection.execute(_KNOWN, {"pipeline": pipeline, "program": program}).first()
    if known is None:
        return program
    alike = [one for one in out if one.signature == known.signature]
    canary = next((one for one in alike if one.state == CANARY), None)
    current = next((one for one in alike if one.state == CURRENT), None)
    if canary is not None and place_of(pipeline, tenant, unit) < canary.share:
        return str(canary.program)
    return program if current is None else str(current.program)


def place_of(pipeline: str, tenant: str | None, unit: str) -> float:
    """The place of a key in [0, 1): a canary has the places below its share, so that those who have
    it keep it when the share grows.
    """
    text = json.dumps(["release", tenant, pipeline, unit])
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:7]) / 2**56


def releases(store: Store, pipeline: str | None = None) -> list[Release]:
    """The releases of a pipeline, or of all, newest first."""
    rows = store.rows("SELECT * FROM pipelang_releases ORDER BY made DESC, version")
    return [_release(row) for row in rows if pipeline in (None, row["pipeline"])]


def find(store: Store, pipeline: str | None, version: str) -> Release:
    """The release of this version. Raises `NotPossible` if there is none, or more than one."""
    found = [one for one in releases(store, pipeline) if one.version == version]
    if not found:
        known = ", ".join(one.version for one in releases(store, pipeline)) or "none"
        raise NotPossible(f"there is no release `{version}`", f"there are: {known}")
    if len(found) > 1:
        names = ", ".join(one.pipeline for one in found)
        raise NotPossible(f"`{version}` is a release of {names}", "name the pipeline")
    return found[0]


def release(store: Store, made: Release, why: str) -> None:
    """Put a version out: as what is current, or as a canary beside it. Raises `NotPossible`."""
    with store.transaction() as connection:
        found = _all_of(store, connection, made.pipeline)
        now = store.now_on(connection)
        same = [one for one in found if one.version == made.version]
        if same:
            raise NotPossible(
                f"`{made.version}` is a release of `{made.pipeline}` already",
                "a version is released once: give this one another name",
            )
        current = next((one for one in found if one.state == CURRENT), None)
        canary = next((one for one in found if one.state == CANARY), None)
        if canary is not None:
            raise NotPossible(
                f"`{canary.version}` is a canary of `{made.pipeline}` now",
                "promote it or roll it back first: two canaries would be compared with each other",
            )
        if made.state == CANARY:
            _fits_beside(made, current)
        elif current is not None:
            if current.program == made.program:
                why = f"`{made.version}` is the same program as `{current.version}`"
                raise NotPossible(why, "that one is current: a way back would lead nowhere")
            _set_state(connection, current, RETIRED, now)
        row = {
            "pipeline": made.pipeline,
            "version": made.version,
            "program": made.program,
            "signature": made.signature,
            "state": made.state,
            "share": made.share,
            "guards": json.dumps(
                [
                    {"metric": one.metric, "tolerance": one.tolerance, "labels": one.labels}
                    for one in made.guards
                ]
            ),
            "purpose": made.purpose,
            "by": made.by,
            "now": now,
        }
        connection.execute(
            sa.text(
                """INSERT INTO pipelang_releases (pipeline, version, program, signature, state,
                    share, guards, purpose, made_by, made, changed)
                VALUES (:pipeline, :version, :program, :signature, :state, :share, :guards,
                    :purpose, :by, :now, :now)"""
            ),
            row,
        )
        if made.state == CURRENT and current is not None:
            _move(store, connection, current, made)
        _note(connection, made.pipeline, made.version, made.state, made.by, why, now)


def _fits_beside(made: Release, current: Release | None) -> None:
    if current is None:
        raise NotPossible(
            f"nothing of `{made.pipeline}` is released that a canary could be compared with",
            "release what runs today first, without --canary",
        )
    if current.program == made.program:
        raise NotPossible(f"`{made.version}` is the same program as `{current.version}`")
    if current.signature != made.signature:
        raise NotPossible(
            f"`{made.version}` takes or gives another type than `{current.version}`",
            "a canary gets the runs of whoever knows only the other one: keep the types, or "
            "release it without --canary under another name",
        )


def promote(store: Store, found: Release, by: str, why: str) -> None:
    """Have all new runs be of a canary, or of one that was rolled back. Raises `NotPossible`."""
    with store.transaction() as connection:
        every = _all_of(store, connection, found.pipeline)
        now = store.now_on(connection)
        state = next(one.state for one in every if one.version == found.version)
        if state == CURRENT:
            raise NotPossible(f"`{found.version}` is current already")
        if (found.state, state) == (CANARY, ROLLED_BACK):
            entry = _last_of(connection, found)
            raise NotPossible(
                f"`{found.version}` was rolled back just now by {entry.made_by}: {entry.why}",
                "say it once more to have all new runs be of it all the same",
            )
        for one in every:
            if one.state in (CURRENT, CANARY) and one.version != found.version:
                _set_state(connection, one, RETIRED, now)
                _move(store, connection, one, found)
        _set_state(connection, found, CURRENT, now)
        _note(connection, found.pipeline, found.version, PROMOTED, by, why, now)


def roll_back(
    store: Store, found: Release, by: str, why: str, canary_only: bool = False
) -> Release | None:
    """Take a version back: new runs, and those that wait and have not begun, are of the one before
    it. That one; None if another process was first: if it is out no more, or, with `canary_only`,
    is no canary any more, because a person promoted it. Raises `NotPossible` if there is none.
    """
    with store.transaction() as connection:
        every = _all_of(store, connection, found.pipeline)
        now = store.now_on(connection)
        state = next(one.state for one in every if one.version == found.version)
        if state != CANARY and (state != CURRENT or canary_only):
            return None
        back = next((one for one in every if one.state == CURRENT), None)
        if state == CURRENT:
            # A canary that the promotion of another one ended never had all runs.
            was_current = _were_current(connection, found.pipeline)
            older = [one for one in every if one.state == RETIRED and one.version in was_current]
            back = max(older, key=lambda one: was_current[one.version], default=None)
            if back is None:
                raise NotPossible(
                    f"nothing was released before `{found.version}`",
                    f"`pipelang kill --pipeline {found.pipeline}` stops what runs, "
                    f"`pipelang pause {found.pipeline}` what would begin",
                )
            _set_state(connection, back, CURRENT, now)
        assert back is not None
        _set_state(connection, found, ROLLED_BACK, now)
        _move(store, connection, found, back)
        _note(connection, found.pipeline, found.version, "rolled back", by, why, now)
    return back


def _all_of(store: Store, connection: sa.Connection, pipeline: str) -> list[Release]:
    """The releases of a pipeline. Until the transaction ends nobody else changes releases: not
    those that are there, nor by a first one, which no row could be locked for, nor the log, whose
    entries of all pipelines are one chain.
    """
    if not store.address.is_sqlite:  # where a transaction that writes is alone
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(7041777)"))
    connection.execute(
        sa.text("UPDATE pipelang_releases SET share = share WHERE pipeline = :pipeline"),
        {"pipeline": pipeline},
    )
    rows = connection.execute(
        sa.text("SELECT * FROM pipelang_releases WHERE pipeline = :pipeline"),
        {"pipeline": pipeline},
    )
    return [_release(dict(row._mapping)) for row in rows]


def _last_of(connection: sa.Connection, found: Release) -> sa.Row[Any]:
    """The last entry of the log about a version."""
    return connection.execute(
        sa.text(
            """SELECT made_by, why FROM pipelang_release_log
            WHERE pipeline = :pipeline AND version = :version ORDER BY number DESC LIMIT 1"""
        ),
        {"pipeline": found.pipeline, "version": found.version},
    ).one()


def _were_current(connection: sa.Connection, pipeline: str) -> dict[str, int]:
    """The versions of a pipeline that were what is current at some time, and the entry of the log
    that last made them so: its order is that in which it was written, whatever the clock did.
    """
    rows = connection.execute(
        sa.text(
            """SELECT version, max(number) AS last FROM pipelang_release_log
            WHERE pipeline = :pipeline AND act IN (:put_out, :promoted) GROUP BY version"""
        ),
        {"pipeline": pipeline, "put_out": CURRENT, "promoted": PROMOTED},
    )
    return {str(row.version): int(row.last) for row in rows}


def _set_state(connection: sa.Connection, found: Release, state: str, now: float) -> None:
    connection.execute(
        sa.text(
            """UPDATE pipelang_releases SET state = :state, changed = :now
            WHERE pipeline = :pipeline AND version = :version"""
        ),
        {"state": state, "now": now, "pipeline": found.pipeline, "version": found.version},
    )


def _move(store: Store, connection: sa.Connection, found: Release, to: Release) -> None:
    """Have runs of a version that wait and have not begun be of another one of the same types."""
    if found.signature != to.signature:
        return
    program = to.program
    before = f"pipelang:{found.program}:{found.pipeline}"
    after = f"pipelang:{program}:{found.pipeline}"
    waiting = "status IS NULL AND started IS NULL AND queue = :queue"
    store.legs.move(
        connection,
        f"SELECT run || ':' || leg FROM pipelang_runs WHERE {waiting}",
        after,
        queue=before,
    )
    moved = (
        f"SELECT workflow_uuid FROM {store.legs.table} WHERE queue_name = :after "
        "AND status IN ('ENQUEUED', 'DELAYED')"
    )
    connection.execute(
        sa.text(
            f"""UPDATE pipelang_runs SET queue = :after, program = :program
            WHERE {waiting} AND run || ':' || leg IN ({moved})"""
        ),
        {"queue": before, "after": after, "program": program},
    )


# ------------------------------------------------------------------------------------- the log


@dataclass(frozen=True, slots=True)
class LogEntry:
    """An act on a release: who did it, when, and why."""

    number: int
    at: float
    pipeline: str
    version: str
    act: str
    by: str
    why: str


def _note(
    connection: sa.Connection, pipeline: str, version: str, act: str, by: str, why: str, now: float
) -> None:
    """Write an entry, chained to the one before it."""
    last = connection.execute(
        sa.text("SELECT number, hash FROM pipelang_release_log ORDER BY number DESC LIMIT 1")
    ).first()
    number, before = (1, GENESIS) if last is None else (last.number + 1, last.hash)
    row = {
        "number": number,
        "at": now,
        "pipeline": pipeline,
        "version": version,
        "act": act,
        "made_by": by,
        "why": why,
    }
    connection.execute(
        sa.text(
            """INSERT INTO pipelang_release_log (number, at, pipeline, version, act, made_by, why,
                hash)
            VALUES (:number, :at, :pipeline, :version, :act, :made_by, :why, :hash)"""
        ),
        {**row, "hash": _hash(before, row)},
    )


def _hash(before: str, row: Mapping[str, Any]) -> str:
    text = json.dumps([before, *row.values()], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def log(store: Store, pipeline: str | None = None) -> tuple[list[LogEntry], int | None]:
    """The entries about a pipeline, or about all, and the first that is not as it was written."""
    rows = store.rows("SELECT * FROM pipelang_release_log ORDER BY number")
    before, broken = GENESIS, None
    found = []
    for row in rows:
        kept = row.pop("hash")
        if broken is None and _hash(before, row) != kept:
            broken = int(row["number"])
        before = kept
        if pipeline in (None, row["pipeline"]):
            found.append(LogEntry(*row.values()))
    return found, broken
