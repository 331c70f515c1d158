"""Quotas, rates and breakers in a store that several workers ask at once."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from random import Random

import pipelang
from pipelang.runtime.durable.shared.quotas import StoredQuotas, sweep
from pipelang.runtime.durable.shared.rates import StoredRates
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.quotas import QuotaRefusal, claim_of

from .harness import Harness

PIPE = """
tool send(n: int) -> int { python "x:y" effect read rate 20/min }
pipeline p(n: int) -> int {
  budget $1, 1m
  quota $3/day, 40 runs/month per tenant
  return n
}
"""


def side_by_side(work: Callable[[int], None], count: int = 4) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_no_interleaving_passes_a_quota_or_a_rate(url: str, tmp_path: Path) -> None:
    file = tmp_path / "p.pipe"
    file.write_text(PIPE, encoding="utf-8")
    program = pipelang.load(file).program
    store = Store.open(url, make=True)
    pipeline, tool = program.pipelines["p"], program.tools["send"]
    spent, sent, granted = [Decimal(0)] * 4, [0] * 4, [0] * 4

    def work(me: int) -> None:
        luck, quotas, rates = Random(me), StoredQuotas(store), StoredRates(store)
        for number in range(20):
            sent[me] += rates.take(tool) == 0
            claim = claim_of(pipeline, "t", f"{me}.{number}", "")
            started = quotas.reserve(claim)
            if isinstance(started, QuotaRefusal):
                continue
            granted[me] += 1
            took = Decimal(luck.randint(0, 5)) / 100
            quotas.rest(claim, took, 0)
            if quotas.take_up(claim, started) is None:
                took = Decimal(luck.randint(5, 40)) / 100
            quotas.settle(claim, took, 0)
            spent[me] += took

    side_by_side(work)
    assert sum(sent) == 20
    assert Decimal(1) < sum(spent) <= 3
    rows = store.rows("SELECT * FROM pipelang_quota_counts")
    assert {Decimal(row["money"]) for row in rows} == {sum(spent)}
    assert {(row["runs"], Decimal(row["held_money"]), row["held_runs"]) for row in rows} == {
        (sum(granted), 0, 0)
    }
    store.close()


COSTS = {"pay": Decimal("0.00002"), "put": Decimal("0.00001")}


def test_workers_that_are_killed_pass_no_quota(harness: Harness) -> None:
    text = harness.file.read_text(encoding="utf-8")
    limits = "budget $0.0004, 600s"
    quota = "quota $0.0015/day per tenant"
    start = text.index("pipeline acts")
    text = text[:start] + text[start:].replace("budget $1, 600s", f"{limits}\n  {quota}", 1)
    harness.file.write_text(text, encoding="utf-8")
    harness.hash = pipelang.load(harness.file).hash
    runs = harness.submit(16)
    one_at_a_time = 0, "after", "--concurrency", "1"
    workers = [harness.worker(*one_at_a_time), harness.worker(*one_at_a_time)]
    while not harness.effects.exists():
        time.sleep(0.05)
    time.sleep(0.3)
    harness.kill(workers[0])
    workers.append(harness.worker(*one_at_a_time))
    found = harness.wait(runs, 90.0)
    lines = harness.effects.read_text(encoding="utf-8").split("\n")[:-1]
    spent = sum(COSTS[line.split()[0]] for line in lines)
    ends = Counter(
        run["status"] if run["result"].get("code") is None else run["result"]["code"]
        for run in found
    )
    assert spent <= Decimal("0.0015"), ends
    assert ends["answered"] >= 3
    assert ends["quota_exceeded"] >= 3
    assert set(ends) <= {"answered", "quota_exceeded", "effect_unknown"}
    sweep(harness.store)
    asked = "SELECT money, held_money, held_runs FROM pipelang_quota_counts"
    (count,) = harness.store.rows(asked)
    assert (Decimal(count["held_money"]), count["held_runs"]) == (0, 0)
    assert spent <= Decimal(count["money"]) <= Decimal("0.0015")
    for worker in workers:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
