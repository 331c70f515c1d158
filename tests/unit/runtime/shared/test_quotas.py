"""Quotas: windows in UTC, and what is counted of claims, against sums over all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest

import pipelang
from pipelang.runtime.durable.shared.quotas import StoredQuotas
from pipelang.runtime.durable.store import Store
from pipelang.runtime.shared.quotas import (
    InMemoryQuotas,
    QuotaClaim,
    QuotaRefusal,
    Quotas,
    claim_of,
    end_of_window,
    window_of,
)
from pipelang.semantics import program as p

PIPE = """
pipeline counted(n: int) -> int {
  budget $0.30, 2m, 100 tokens
  quota $1/day, 250 tokens/hour, 9 runs/month per tenant
  return n
}
pipeline free(n: int) -> int {
  quota 2 runs/hour per tenant
  return n
}
"""


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("period", "time", "window", "end"),
    [
        ("hour", "2026-11-29T23:59:59.9", "2026-11-29T23", "2026-11-30T00:00:00"),
        ("day", "2026-11-29T23:59:59.9", "2026-11-29", "2026-11-30T00:00:00"),
        ("day", "2026-11-30T00:00:00", "2026-11-30", "2026-12-01T00:00:00"),
        ("month", "2026-12-31T23:00:00", "2026-12", "2027-01-01T00:00:00"),
        ("month", "2027-01-31T00:00:00", "2027-01", "2027-02-01T00:00:00"),
        ("month", "2028-02-29T12:00:00", "2028-02", "2028-03-01T00:00:00"),
    ],
)
def test_windows_are_those_of_utc(period: str, time: str, window: str, end: str) -> None:
    assert window_of(period, at(time)) == window
    assert end_of_window(period, at(time)) == at(end)


@dataclass
class Sums:
    """The oracle: every claim with its start, and what it stands for now."""

    claims: dict[tuple[str, str], tuple[QuotaClaim, float, dict[str, Decimal]]] = field(
        default_factory=dict
    )

    def used(self, claim: QuotaClaim, limit: p.QuotaLimit, started: float) -> Decimal:
        mine = claim.pipeline, claim.tenant
        window = window_of(limit.period, started)
        return sum(
            (
                amounts.get(limit.what, Decimal(0))
                for other, when, amounts in self.claims.values()
                if (other.pipeline, other.tenant) == mine
                and other.key != claim.key
                and window_of(limit.period, when) == window
            ),
            Decimal(0),
        )

    def fits(self, claim: QuotaClaim, started: float) -> bool:
        return all(
            self.used(claim, limit, started) + claim.most[limit.what] <= limit.amount
            for limit in claim.quota.limits
        )


@pytest.fixture
def pipelines(tmp_path: Path) -> dict[str, p.Pipeline]:
    file = tmp_path / "counted.pipe"
    file.write_text(PIPE, encoding="utf-8")
    return dict(pipelang.load(file).program.pipelines)


def in_memory(now: list[float], tmp_path: Path, patch: pytest.MonkeyPatch) -> Quotas:
    return InMemoryQuotas(lambda: now[0])


def stored(now: list[float], tmp_path: Path, patch: pytest.MonkeyPatch) -> Quotas:
    store = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)
    patch.setattr(store, "now_on", lambda connection: now[0])
    return StoredQuotas(store)


@pytest.mark.parametrize("make", [in_memory, stored])
@pytest.mark.parametrize("seed", range(6))
def test_what_is_granted_is_what_sums_over_all_claims_leave(
    make: Callable[..., Quotas],
    seed: int,
    pipelines: dict[str, p.Pipeline],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    luck, now, sums = Random(seed), [at("2026-11-30T21:00:00")], Sums()
    quotas = make(now, tmp_path, monkeypatch)
    started: dict[tuple[str, str], float] = {}
    resting: set[tuple[str, str]] = set()
    refused = granted = again = 0
    for number in range(150):
        now[0] += luck.choice((0.0, 60.0, 900.0))
        todo = luck.choice(("start", "start", "rest", "go on", "end", "look"))
        live = [sums.claims[key][0] for key in started]
        if todo == "start" or not live:
            pipeline = pipelines[luck.choice(("counted", "counted", "free"))]
            tenant = luck.choice((None, "", "t"))
            claim = claim_of(pipeline, tenant, f"r{number}", "")
            fits = sums.fits(claim, now[0])
            looked = quotas.refusal(pipeline, tenant)
            answer = quotas.reserve(claim)
            assert (looked is None) == fits == (not isinstance(answer, QuotaRefusal))
            if isinstance(answer, QuotaRefusal):
                refused += 1
                assert 0 < answer.after <= 31 * 86_400
                continue
            assert quotas.reserve(claim) == answer == now[0]
            granted += 1
            started[claim.key] = answer
            sums.claims[claim.key] = claim, answer, dict(claim.most)
            continue
        claim = luck.choice(live)
        key = claim.key
        money = Decimal(luck.randint(0, 3000)) / 10_000
        tokens = luck.randint(0, 100)
        spent = claim.spent(money, tokens)
        match todo:
            case "rest":
                if quotas.rest(claim, money, tokens):
                    sums.claims[key] = claim, started[key], spent
                    resting.add(key)
            case "go on":
                fits = sums.fits(claim, started[key])
                found = quotas.take_up(claim, started[key])
                if key not in resting:
                    assert found is None  # it holds all that it may take already
                    continue
                assert (found is None) == fits
                again += fits
                if fits:
                    sums.claims[key] = claim, started[key], dict(claim.most)
                    resting.discard(key)
            case "end":
                quotas.settle(claim, money, tokens)
                quotas.settle(claim, Decimal(9), 9)  # once
                sums.claims[key] = claim, started.pop(key), spent
                resting.discard(key)
    assert min(refused, granted, again) > 0


def test_it_is_worth_asking_again_when_the_window_ends_or_those_that_go_on_do(
    pipelines: dict[str, p.Pipeline],
) -> None:
    now = [at("2026-11-30T23:58:30")]
    quotas = InMemoryQuotas(lambda: now[0])
    counted, free = pipelines["counted"], pipelines["free"]
    for number in range(2):
        quotas.reserve(claim_of(free, None, f"f{number}", ""))
    assert quotas.refusal(free, None) == QuotaRefusal("2 runs/hour", 90.0)
    assert quotas.refusal(free, "other") is None
    now[0] = at("2026-11-30T12:00:00")
    held = [claim_of(counted, None, f"c{number}", "") for number in range(2)]
    for claim in held:
        assert isinstance(quotas.reserve(claim), float)
    # Two hold 200 of 250 tokens: when they have ended, in two minutes at most, there may be room.
    assert quotas.refusal(counted, None) == QuotaRefusal("250 tokens/hour", 120.0)
    for claim in held:
        quotas.settle(claim, Decimal(0), 90)
    assert quotas.refusal(counted, None) == QuotaRefusal("250 tokens/hour", 3600.0)
    now[0] += 3600.0
    assert quotas.refusal(counted, None) is None


def test_windows_that_are_over_are_forgotten(pipelines: dict[str, p.Pipeline]) -> None:
    now = [at("2026-01-01T00:00:00")]
    quotas = InMemoryQuotas(lambda: now[0])
    kept = claim_of(pipelines["free"], "first", "kept", "")
    quotas.reserve(kept)
    for number in range(1500):
        now[0] += 3600.0
        claim = claim_of(pipelines["free"], None, f"r{number}", "")
        quotas.reserve(claim)
        quotas.settle(claim, Decimal(0), 0)
    counts: dict[Any, Any] = quotas._counts
    assert len(counts) <= 1001
    assert any(tenant == "first" for _, tenant, _ in counts)
    quotas.settle(kept, Decimal(0), 0)
