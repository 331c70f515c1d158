"""Quotas of durable runs: settled with the outcome, lowered while people are waited for, and right
wherever a process dies.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import pipelang
from pipelang.runtime.durable import upkeep
from pipelang.runtime.durable.address import StoreUnreachable
from pipelang.runtime.durable.legs import MOST_BARREN
from pipelang.runtime.durable.shared import patience
from pipelang.runtime.durable.shared.quotas import QuotaRows, StoredQuotas, sweep
from pipelang.runtime.shared.quotas import QuotaClaim, QuotaRefusal

from .by_hand import Stage

QUOTA = """
  quota $2.50/day, 40 runs/month per tenant
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """The pipelines of the harness, each with a quota: a run reserves $1 and takes some cents."""
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    file = tmp_path / "acts.pipe"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("budget $1, 600s", f"budget $1, 600s{QUOTA}"), encoding="utf-8")
    made.loaded = pipelang.load(file)
    yield made
    made.store.close()


def counts(stage: Stage, pipeline: str) -> dict[str, tuple[Decimal, int, Decimal, int]]:
    """Dollars and runs that count in each window, and those of them that are held."""
    rows = stage.store.rows(
        "SELECT * FROM pipelang_quota_counts WHERE pipeline = :pipeline", pipeline=pipeline
    )
    return {
        row["slot"]: (
            Decimal(row["money"]), row["runs"], Decimal(row["held_money"]), row["held_runs"]
        )
        for row in rows
    }  # fmt: skip


def one(stage: Stage, pipeline: str) -> tuple[Decimal, int, Decimal, int]:
    found = set(counts(stage, pipeline).values())
    assert len(found) == 1  # the windows of day and month say the same
    return found.pop()


def test_what_a_run_took_is_settled_with_its_outcome(stage: Stage) -> None:
    run = stage.submit()
    assert stage.do(stage.take(run))
    found = stage.row(run)
    assert found["status"] == "answered"
    assert one(stage, "acts") == (Decimal(found["cost"]), 1, 0, 0)
    assert one(stage, "inner")[1:] == (1, 0, 0)
    assert Decimal(0) < one(stage, "inner")[0] < Decimal(found["cost"])


def test_wherever_a_process_dies_each_run_counts_once_with_all_that_it_took(stage: Stage) -> None:
    whole = stage.submit()
    assert stage.do(stage.take(whole))
    rows = stage.legs.written
    money, tenants = Decimal(stage.row(whole)["cost"]), 0
    for at in range(1, rows + 1):
        for side in ("before", "after"):
            tenants += 1
            run = stage.submit(tenant=f"t{tenants}")
            assert not stage.do(stage.take(run), at, side)
            held = stage.store.rows(
                "SELECT * FROM pipelang_quota_holds WHERE run = :run AND is_open = 1", run=run
            )
            assert len(held) <= 2
            assert stage.do(stage.take(run))
            found = stage.row(run)
            assert found["status"] is not None
            mine = {
                (Decimal(row["money"]), row["runs"], row["held_money"].strip("0."))
                for row in stage.store.rows(
                    "SELECT * FROM pipelang_quota_counts WHERE pipeline = 'acts' "
                    "AND tenant = :tenant",
                    tenant=f"=t{tenants}",
                )
            }
            assert mine == {(Decimal(found["cost"]), 1, "")}, (at, side)
            assert Decimal(found["cost"]) <= 2 * money
    assert sweep(stage.store) == 0


def test_a_run_that_waits_for_people_holds_what_it_spent_and_reserves_again(stage: Stage) -> None:
    runs = [stage.submit("asks") for _ in range(4)]
    for run in runs:  # only two fit at once, and each of them makes room by waiting
        assert stage.do(stage.take(run))
        assert stage.row(run)["status"] is None
    spent = sum(Decimal(stage.row(run)["cost"]) for run in runs)
    assert one(stage, "asks") == (spent, 4, spent, 4)
    # Somebody else takes the room that they would need.
    others = [stage.submit("asks") for _ in range(2)]
    with stage.store.transaction() as connection:
        connection.execute(
            sa.text("UPDATE pipelang_quota_counts SET money = '2.0' WHERE slot LIKE '____-__-__'")
        )
    for run in others:
        assert stage.do(stage.take(run))
        result = json.loads(stage.row(run)["outcome"])["result"]
        assert (result["code"], result["reason"]) == ("quota_exceeded", "quota")
        assert "$2.50/day" in result["text"]
    for case in stage.inbox.cases():
        asyncio.run(stage.inbox.decide(case.id, yes=True, by="ada"))
    assert stage.do(stage.take(runs[0]))
    result = json.loads(stage.row(runs[0])["outcome"])["result"]
    assert result["code"] == "quota_exceeded"
    assert sum(key.startswith("pay") for key in stage.performed) == 4  # none behind the approvals
    # With room again the others go on.
    with stage.store.transaction() as connection:
        connection.execute(
            sa.text("UPDATE pipelang_quota_counts SET money = '0.5' WHERE slot LIKE '____-__-__'")
        )
    assert stage.do(stage.take(runs[1]))
    assert stage.row(runs[1])["status"] == "answered"


def test_a_no_of_a_person_needs_no_room(stage: Stage) -> None:
    run = stage.submit("asks")
    assert stage.do(stage.take(run))
    with stage.store.transaction() as connection:
        connection.execute(sa.text("UPDATE pipelang_quota_counts SET money = '2.4'"))
    (case,) = stage.inbox.cases()
    asyncio.run(stage.inbox.decide(case.id, yes=False, by="ada"))
    assert stage.do(stage.take(run))
    assert stage.row(run)["status"] == "rejected"


def test_a_run_that_is_cancelled_or_crashed_holds_nothing_and_takes_it_up_again(
    stage: Stage,
) -> None:
    run = stage.submit()
    assert not stage.do(stage.take(run), 12, "after")
    assert one(stage, "acts")[2:] == (1, 1)
    upkeep.cancel(stage.store, run)
    spent, counted, held, open_runs = one(stage, "acts")
    assert (counted, held, open_runs) == (1, 0, 0)
    assert Decimal(0) < spent < Decimal("0.01")
    upkeep.resume(stage.store, run)
    assert stage.do(stage.take(run))
    found = stage.row(run)
    assert one(stage, "acts") == (Decimal(found["cost"]), 1, 0, 0)
    assert Decimal(found["cost"]) >= spent
    other = stage.submit()
    for _ in range(MOST_BARREN):
        assert not stage.do(stage.take(other), 1, "before")
    assert stage.do(stage.take(other))
    assert json.loads(stage.row(other)["outcome"])["result"]["code"] == "crashed"
    assert one(stage, "acts")[1:] == (2, 0, 0)


def test_a_run_waits_for_its_quota_while_the_database_is_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "PAUSE", 0.01)
    work, left = QuotaRows.reserve, [3]

    def reserve(self: QuotaRows, claim: QuotaClaim) -> float | QuotaRefusal:
        left[0] -= 1
        if left[0] >= 0:
            raise sa.exc.OperationalError("SELECT 1", {}, Exception("the server is away"))
        return work(self, claim)

    monkeypatch.setattr(QuotaRows, "reserve", reserve)
    run = stage.submit()
    assert stage.do(stage.take(run))
    assert stage.row(run)["status"] == "answered"
    assert stage.row(run)["attempts"] == 1


def test_what_no_waiting_mends_is_raised() -> None:
    def work() -> None:
        raise StoreUnreachable("broken") from sa.exc.ProgrammingError("x", {}, Exception("y"))

    with pytest.raises(StoreUnreachable, match="broken"):
        patience.patiently(work)


def test_who_lost_a_leg_changes_no_quota(stage: Stage) -> None:
    run = stage.submit()
    old = stage.take(run)
    new = stage.take(run)
    assert not stage.do(old)
    assert counts(stage, "acts") == {}
    assert stage.do(new)


def test_what_an_ended_run_holds_is_swept(stage: Stage) -> None:
    run = stage.submit()
    assert stage.do(stage.take(run))
    before = one(stage, "acts")
    with stage.store.transaction() as connection:
        held = dict(QuotaRows(stage.store, connection)._hold(run, "") or {})
        QuotaRows(stage.store, connection)._change(held, {"money": Decimal(1)}, is_open=True)
    assert one(stage, "acts")[0] == 1
    assert sweep(stage.store) == 1
    assert one(stage, "acts")[0] == before[0]
    assert sweep(stage.store) == 0


def test_pruning_forgets_runs_and_windows_that_are_over(stage: Stage) -> None:
    run = stage.submit()
    assert stage.do(stage.take(run))
    upkeep.prune(stage.store, -60.0)
    assert stage.store.rows("SELECT * FROM pipelang_quota_holds") == []
    assert len(counts(stage, "acts")) == 2  # today is not over
    with stage.store.transaction() as connection:
        connection.execute(sa.text("UPDATE pipelang_quota_counts SET until = 5"))
    upkeep.prune(stage.store, 60.0)
    assert counts(stage, "acts") == {}


def test_it_can_be_asked_ahead_whether_a_run_would_be_admitted(stage: Stage) -> None:
    quotas = StoredQuotas(stage.store)
    asks = stage.loaded.program.pipelines["asks"]
    assert quotas.refusal(asks, None) is None
    tokens = [stage.take(stage.submit("asks")) for _ in range(1)]
    for token in tokens:
        assert stage.do(token)
    with stage.store.transaction() as connection:
        connection.execute(sa.text("UPDATE pipelang_quota_counts SET money = '1.6'"))
    found = quotas.refusal(asks, None)
    assert isinstance(found, QuotaRefusal)
    assert found.limit == "$2.50/day"
    assert 0 < found.after <= 86_400
    assert quotas.refusal(asks, "other") is None


WORK = """
import sys
from decimal import Decimal
from random import Random
import pipelang
from pipelang.runtime.durable.shared.quotas import StoredQuotas
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.quotas import QuotaRefusal, claim_of

file, url, name = sys.argv[1:]
pipeline = pipelang.load(file).program.pipelines["asks"]
quotas, luck, live, spent = StoredQuotas(Store.open(url)), Random(name), [], Decimal(0)
for number in range(60):
    if luck.random() < 0.6 or not live:
        claim = claim_of(pipeline, "t", f"{name}{number}", "")
        started = quotas.reserve(claim)
        if not isinstance(started, QuotaRefusal):
            live.append((claim, started))
        continue
    claim, started = live.pop(luck.randrange(len(live)))
    most = Decimal(luck.randint(0, 10)) / 100
    quotas.rest(claim, most, 0)
    if quotas.take_up(claim, started) is None:
        most = Decimal(luck.randint(5, 30)) / 100
    spent += most
    quotas.settle(claim, most, 0)
for claim, _ in live:
    quotas.settle(claim, Decimal("0.01"), 0)
    spent += Decimal("0.01")
print(spent)
"""


def test_processes_on_one_store_never_pass_a_quota(stage: Stage, tmp_path: Path) -> None:
    line = [sys.executable, "-c", WORK, str(tmp_path / "acts.pipe"), stage.url]
    made: list[Any] = [
        subprocess.Popen([*line, name], stdout=subprocess.PIPE, text=True) for name in "ab"
    ]
    spent = sum(Decimal(process.communicate(timeout=120)[0]) for process in made)
    assert [process.returncode for process in made] == [0, 0]
    money, runs, held, open_runs = one(stage, "asks")
    assert money == spent <= Decimal("2.50")
    assert money > 1
    assert (held, open_runs) == (0, 0)
    assert runs > 5
