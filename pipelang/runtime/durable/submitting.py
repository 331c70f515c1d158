"""Submitting runs: identity by key, and the first leg in its queue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from secrets import token_hex
from typing import Any

import sqlalchemy as sa

from pipelang.records import dataclass, field
from pipelang.runtime.durable import programs
from pipelang.runtime.durable.address import KeyConflict
from pipelang.runtime.durable.media import keep
from pipelang.runtime.durable.store import Store, may_be_kept
from pipelang.runtime.durable.versions import releases
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.media.given import media_of
from pipelang.runtime.media.medium import Media
from pipelang.runtime.worlds.recorded.refusals import refuse_secrets
from pipelang.semantics import program as p

NORMAL = 10
"""The priority of a run without one; those with a smaller number begin sooner."""
HIGHEST = 2**31 - 1
LONGEST_DELAY = 366 * 86_400.0
"""Seconds after which a run may begin at the latest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A run that is asked for. `input` is JSON that was checked. Of two runs with the same `key`,
    tenant and pipeline there is one. Of a smaller `priority` a run begins sooner, after `delay`
    seconds. `compiled` is the program itself, None if it is not to be stored; `permits` are those
    that the run has, None for all of its pipeline's. Raises `ValueError` for a name that could not
    be given again, and for a priority or delay out of range.
    """

    pipeline: str
    program: str
    input: dict[str, Any]
    key: str | None = None
    tenant: str | None = None
    thread: str | None = None
    priority: int = NORMAL
    delay: float = 0.0
    media: Mapping[str, Media] = field(default_factory=dict)
    """The pictures and documents that the input tells of, by their hashes."""
    compiled: p.Program | None = None
    permits: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for what, said in (("key", self.key), ("tenant", self.tenant), ("thread", self.thread)):
            if said is not None and not _is_name(said):
                raise ValueError(
                    f"a {what} is a text in Unicode, not empty and without NUL: {said!r}"
                )
        if not isinstance(self.priority, int) or not 1 <= self.priority <= HIGHEST:
            raise ValueError(f"a priority is a whole number from 1 to {HIGHEST}: {self.priority!r}")
        if not isinstance(self.delay, (int, float)) or not 0 <= self.delay <= LONGEST_DELAY:
            raise ValueError(f"a delay is 0 to {LONGEST_DELAY:.0f} seconds: {self.delay!r}")


def _is_name(said: object) -> bool:
    return isinstance(said, str) and said != "" and may_be_kept(said)


def queue_of(program: str, pipeline: str) -> str:
    """The queue of a program's pipeline: who takes from it has that program, by its hash."""
    return f"pipelang:{program}:{pipeline}"


def run_id_of(given: Submission) -> str:
    """The id of a run: the same for the same key, random without one."""
    if given.key is None:
        return token_hex(10)
    named = json.dumps([given.tenant, given.pipeline, given.key])
    return sha256(named.encode(errors="surrogatepass")).hexdigest()[:20]


_INSERT = sa.text(
    """INSERT INTO pipelang_runs (run, pipeline, program, tenant, thread, key, input, input_hash,
        queue, priority, created, due, leg, attempts, barren, seen, poked, paused, cost, tokens,
        permits)
    VALUES (:run, :pipeline, :program, :tenant, :thread, :key, :input, :input_hash,
        :queue, :priority, :now, :due, 1, 0, 0, -1, 0, 0, '0', 0, :permits)
    ON CONFLICT (run) DO NOTHING"""
)


def checked_submission(
    program: p.Program, pipeline: p.Pipeline, given: Mapping[str, Any], options: Mapping[str, Any]
) -> Submission:
    """Make the submission of a pipeline whose inputs are checked. Raises `NotRecordable`."""
    refuse_secrets(program, pipeline)
    return Submission(
        pipeline=pipeline.name,
        program=program.hash,
        compiled=program,
        input={name: to_json(value) for name, value in given.items()},
        media=media_of(given),
        **options,
    )


def submit(store: Store, given: Submission) -> str:
    """Submit a run, unless it was submitted before; its id. Raises `KeyConflict` if its key was
    used with another input, and `StoreUnreachable`.
    """
    return take(store, given)[0]


def take(store: Store, given: Submission) -> tuple[str, bool]:
    """Submit a run as `submit` does; its id, and whether it is new."""
    run = run_id_of(given)
    unit = given.thread or given.key or run
    text = json.dumps(given.input, sort_keys=True, allow_nan=False)
    digest = sha256(text.encode(errors="surrogatepass")).hexdigest()
    with store.transaction() as connection:
        program = releases.assigned(connection, given.pipeline, given.program, given.tenant, unit)
        queue = queue_of(program, given.pipeline)
        now = store.now_on(connection)
        due = now + given.delay if given.delay > 0 else None
        row = {
            "run": run,
            "pipeline": given.pipeline,
            "program": program,
            "tenant": given.tenant,
            "thread": given.thread,
            "key": given.key,
            "input": text,
            "input_hash": digest,
            "queue": queue,
            "priority": given.priority,
            "now": now,
            "due": due,
            "permits": None if given.permits is None else json.dumps(given.permits),
        }
        if connection.execute(_INSERT, row).rowcount:
            keep(connection, run, given.media)
            if given.compiled is not None and program == given.program:
                programs.keep(connection, given.compiled, now)
            due_ms = None if due is None else int(due * 1000)
            store.legs.enqueue(connection, queue, run, 1, due_ms, given.priority)
            return run, True
        known = connection.execute(
            sa.text("SELECT input_hash FROM pipelang_runs WHERE run = :run"), {"run": run}
        ).scalar_one()
    if known != digest:
        raise KeyConflict(
            f"key `{given.key}` was used for run {run} of `{given.pipeline}` with another input",
            "the same key means the same run; give another run another key",
        )
    return run, False
