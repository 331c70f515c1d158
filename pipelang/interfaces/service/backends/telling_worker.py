"""A worker inside a server: who follows its runs hears of events before the store has them."""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pipelang.runtime.durable.address import StoreProblem
from pipelang.runtime.durable.worker import Worker

if TYPE_CHECKING:
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.durable.switches import StoredSwitches
    from pipelang.runtime.engine.events import Event, Sink
    from pipelang.runtime.host.handle import Handle

Tell = Callable[[str, str, "Event", bool], None]
"""Hears of a run, its pipeline, an event, and whether that is recorded."""

MOST_NAMED = 10_000
"""Runs whose pipeline is remembered."""


def worker_that_tells(
    store: Store,
    handles: Mapping[tuple[str, str], Handle],
    concurrency: int,
    switches: StoredSwitches,
    tell: Tell,
    more: Callable[[], Mapping[tuple[str, str], Handle]] = dict,
    per_tenant: int | None = None,
) -> Worker:
    """A worker whose events go to `tell`, recorded ones and those in progress. The first event of a
    leg may be of any kind: which pipeline a run is of is looked up once.
    """
    pipelines: OrderedDict[str, str] = OrderedDict()

    def pipeline_of(run: str) -> str:
        found = pipelines.get(run, "")
        if not found:
            with contextlib.suppress(StoreProblem):  # a leg must not hang on its metrics
                asked = "SELECT pipeline FROM pipelang_runs WHERE run = :run"
                for row in store.rows(asked, run=run):
                    found = pipelines[run] = row["pipeline"]
            while len(pipelines) > MOST_NAMED:
                pipelines.popitem(last=False)
        return found

    def sinks(run: str) -> tuple[Sink, ...]:
        name = pipeline_of(run)
        return (lambda id, event: tell(id, name, event, True),)

    def live(run: str, event: Event) -> None:
        tell(run, pipelines.get(run, ""), event, False)

    return Worker(
        store,
        handles,
        concurrency,
        sinks=sinks,
        switches=switches,
        more=more,
        live=live,
        per_tenant=per_tenant,
    )
