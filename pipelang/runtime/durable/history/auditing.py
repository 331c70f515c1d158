"""The audit log of a store: decisions in the rows of the journal, and whether these are whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.durable.history.chain import GENESIS, hash_of
from pipelang.runtime.durable.listing import moment
from pipelang.runtime.durable.store import Store
from pipelang.runtime.sinks.audit import UNDECIDED, entry_data
from pipelang.runtime.worlds.recorded.encoding import decode_event

_ROWS = """SELECT place, kind, value, number, written, hash FROM pipelang_journal
    WHERE run = :run AND kind <> 'ahead' ORDER BY number"""


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """The first row of a run that is not as it was written, and what is wrong with it."""

    run: str
    number: int
    place: str
    message: str


@dataclass(frozen=True, slots=True)
class WholeChains:
    """Chains without a broken link; `last` is the hash of the row that was written last."""

    runs: int
    rows: int
    last: str


def verify(store: Store, expect: str | None = None) -> WholeChains | BrokenRow:
    """Go through the rows of all runs. `expect` is a hash that must be of one of them."""
    met = expect is None or expect == GENESIS
    runs, count, last, newest = 0, 0, GENESIS, float("-inf")
    for run in store.rows("SELECT run FROM pipelang_runs ORDER BY created, run"):
        before, runs = GENESIS, runs + 1
        for row in store.rows(_ROWS, run=run["run"]):
            if row["hash"] is None:
                continue  # of a version without chains
            own = (row["number"], row["place"], row["kind"], row["value"])
            if hash_of(before, *own) != row["hash"]:
                why = "it was changed, or a row before it was taken out or put in"
                return BrokenRow(run["run"], row["number"], row["place"], why)
            before, count = row["hash"], count + 1
            met = met or before == expect
            if row["written"] >= newest:
                newest, last = row["written"], before
    if not met:
        why = f"no row has the expected hash {expect}: rows are missing at the end"
        return BrokenRow("-", 0, "-", why)
    return WholeChains(runs, count, last)


def entries(store: Store, run: str | None, tenant: str | None) -> Iterator[dict[str, Any]]:
    """The decisions of runs whose id begins with `run`, as entries of an audit log."""
    asked, values = "SELECT run, tenant FROM pipelang_runs WHERE substr(run, 1, :n) = :run", {}
    if tenant is not None:
        asked, values = f"{asked} AND tenant = :tenant", {"tenant": tenant}
    beginning = run or ""
    found = store.rows(f"{asked} ORDER BY created, run", run=beginning, n=len(beginning), **values)
    for one in found:
        for row in store.rows(_ROWS, run=one["run"]):
            for number, told in json.loads(row["value"]).get("events", ()):
                event = decode_event(told, number)
                if event.kind not in UNDECIDED:
                    yield {
                        "n": number + 1,
                        "time": moment(row["written"]),
                        "run": one["run"],
                        "tenant": one["tenant"],
                        "kind": event.kind,
                        "name": event.name,
                        "data": entry_data(event),
                        "hash": row["hash"],
                    }
