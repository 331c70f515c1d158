"""Results of durable runs, for the program that submitted them."""

from __future__ import annotations

import asyncio
import json

from pipelang.runtime.durable.address import NotPossible, UnknownRun
from pipelang.runtime.durable.media import kept
from pipelang.runtime.durable.outcomes import result_from
from pipelang.runtime.durable.store import Store, may_be_kept
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.values import Types
from pipelang.runtime.media.rows import told_of
from pipelang.runtime.worlds.recorded.encoding import Restoring
from pipelang.semantics import program as p

LONGEST_PAUSE = 1.0
"""Seconds between two looks whether a run has ended."""


async def result_of(store: Store, types: Types, pipeline: p.Pipeline, run: str) -> Result:
    """Wait until a run of a pipeline has ended: its result. Raises `UnknownRun`, and `NotPossible`
    for a run of another pipeline.
    """
    pause = 0.05
    while True:
        result = await asyncio.to_thread(ended, store, types, pipeline, run)
        if result is not None:
            return result
        await asyncio.sleep(pause)
        pause = min(1.5 * pause, LONGEST_PAUSE)


def ended(store: Store, types: Types, pipeline: p.Pipeline, run: str) -> Result | None:
    """The result of a run, None if it has not ended. Raises as `result_of`."""
    asked = "SELECT * FROM pipelang_runs WHERE run = :run"
    found = store.rows(asked, run=run) if may_be_kept(run) else []
    if not found:
        raise UnknownRun(f"there is no run `{run}` in {store.address.shown}")
    row = found[0]
    if row["pipeline"] != pipeline.name:
        raise NotPossible(f"run {run} is of `{row['pipeline']}`, not of `{pipeline.name}`")
    if row["status"] is None:
        return None
    outcome = json.loads(row["outcome"])
    restoring = Restoring(types, lambda told: told_of(told, lambda one: kept(store, run, one)))
    return result_from(restoring, pipeline, run, row["status"], outcome, row["cost"], row["tokens"])
