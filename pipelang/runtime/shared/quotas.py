"""Quotas: what all runs of a tenant together may take in an hour, a day or a month.

A run reserves the most that it may take when it starts, and counts in the windows in which it
started, by UTC. While people are waited for it holds only what it spent, and it reserves again
before it goes on. At its end what it really took stays counted. So no interleaving of runs passes a
limit: whatever is spent was reserved before.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from pipelang.records import dataclass, field
from pipelang.semantics import program as p

Amounts = Mapping[str, Decimal]
"""Dollars, tokens and runs, by `money`, `tokens` and `runs`."""

ZERO = Decimal(0)
KINDS = ("money", "tokens", "runs")


@dataclass(frozen=True, slots=True)
class QuotaRefusal:
    """The answer to a run that a quota has no room for: the `limit` as it is written, and after how
    many seconds it is worth asking again.
    """

    limit: str
    after: float


@dataclass(frozen=True, slots=True)
class QuotaClaim:
    """A run's claim on a quota: `run` and `place` name it, so that asking twice counts once. The
    quota is that of a pipeline and a tenant, whatever program has it. `most` is what the run may
    take. `seconds` is how long it may work, None without a limit.
    """

    run: str
    place: str
    pipeline: str
    tenant: str | None
    quota: p.Quota
    most: Amounts
    seconds: float | None

    @property
    def key(self) -> tuple[str, str]:
        return self.run, self.place

    def spent(self, money: Decimal, tokens: int) -> dict[str, Decimal]:
        """The usage of the run, in the units that its quota counts; the run itself counts as 1."""
        used = {"money": money, "tokens": Decimal(tokens), "runs": Decimal(1)}
        return {what: used[what] for what in self.most}


def claim_of(pipeline: p.Pipeline, tenant: str | None, run: str, place: str) -> QuotaClaim:
    """The claim of a run of a pipeline that has a quota."""
    quota, budget = pipeline.quota, pipeline.budget
    assert quota is not None
    most = {"runs": Decimal(1)}
    if budget is not None and budget.money is not None and quota.names("money"):
        most["money"] = budget.money
    if budget is not None and budget.tokens is not None and quota.names("tokens"):
        most["tokens"] = Decimal(budget.tokens)
    seconds = None if budget is None or budget.seconds is None else float(budget.seconds)
    return QuotaClaim(run, place, pipeline.name, tenant, quota, most, seconds)


# ------------------------------------------------------------------------------------- windows

FORMS = {"hour": "%Y-%m-%dT%H", "day": "%Y-%m-%d", "month": "%Y-%m"}


def window_of(period: str, at: float) -> str:
    """The window of a period that a time, in seconds since 1970, lies in."""
    return datetime.fromtimestamp(at, UTC).strftime(FORMS[period])


def end_of_window(period: str, at: float) -> float:
    """The time at which the window that a time lies in ends."""
    now = datetime.fromtimestamp(at, UTC)
    begin = now.replace(minute=0, second=0, microsecond=0)
    if period == "hour":
        return (begin + timedelta(hours=1)).timestamp()
    begin = begin.replace(hour=0)
    if period == "day":
        return (begin + timedelta(days=1)).timestamp()
    return (begin.replace(day=1) + timedelta(days=32)).replace(day=1).timestamp()


def windows_of(quota: p.Quota, at: float) -> dict[str, str]:
    """The windows that a run counts in which starts at a time, by period."""
    return {limit.period: window_of(limit.period, at) for limit in quota.limits}


def full(claim: QuotaClaim, used: Mapping[str, Amounts], more: Amounts) -> tuple[p.QuotaLimit, ...]:
    """The limits of a quota that have no room for more; `used` by period."""
    return tuple(
        limit
        for limit in claim.quota.limits
        if more.get(limit.what, ZERO) > 0
        and used[limit.period].get(limit.what, ZERO) + more[limit.what] > limit.amount
    )


def refusal_of(
    claim: QuotaClaim,
    limits: tuple[p.QuotaLimit, ...],
    used: Mapping[str, Amounts],
    held: Mapping[str, Amounts],
    started: float,
    now: float,
) -> QuotaRefusal | None:
    """The refusal by limits that have no room; None if there are none. Where only what runs hold
    that go on stands in the way, it may be over when these have ended; else when the window has.
    """
    if not limits:
        return None
    worst, after = limits[0], -1.0
    for limit in limits:
        settled = used[limit.period].get(limit.what, ZERO)
        settled -= held[limit.period].get(limit.what, ZERO)
        wait = max(end_of_window(limit.period, started) - now, 0.0)
        if settled + claim.most[limit.what] <= limit.amount and claim.seconds is not None:
            wait = min(wait, claim.seconds)
        if wait > after:
            worst, after = limit, wait
    return QuotaRefusal(worst.text, after)


# ---------------------------------------------------------------------------------- what counts


class Quotas(Protocol):
    """Counts what runs take of quotas. One that `blocks` is called in threads."""

    blocks: bool

    def reserve(self, claim: QuotaClaim) -> float | QuotaRefusal:
        """Reserve for a run that starts: when it started. Once by claim: again is the same."""

    def rest(self, claim: QuotaClaim, money: Decimal, tokens: int) -> bool:
        """Hold only what a run spent, which waits for people; whether that is done."""

    def take_up(self, claim: QuotaClaim, started: float) -> QuotaRefusal | None:
        """Reserve again before a run goes on, in the windows in which it started."""

    def settle(self, claim: QuotaClaim, money: Decimal, tokens: int) -> None:
        """End the claim of a run, which took so much."""

    def refusal(self, pipeline: p.Pipeline, tenant: str | None) -> QuotaRefusal | None:
        """The refusal that a run would get if it started now; None if there is room."""


_Window = tuple[str, str | None, str]


@dataclass(slots=True)
class _Held:
    """The windows that a claim counts in, by period, and what it holds in each of them."""

    windows: dict[str, str]
    amounts: dict[str, Decimal]
    until: float


@dataclass(slots=True)
class _Count:
    """The sums of a window, and when it ends."""

    until: float
    used: dict[str, Decimal] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=dict)


MOST_WINDOWS = 1_000
"""Windows that are kept before those that are over are looked for."""


class InMemoryQuotas:
    """Quotas of one process. `clock` gives seconds since 1970. May be used from several threads."""

    blocks = False

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: dict[_Window, _Count] = {}
        self._held: dict[tuple[str, str], _Held] = {}
        self._started: dict[tuple[str, str], float] = {}

    def reserve(self, claim: QuotaClaim) -> float | QuotaRefusal:
        with self._lock:
            if claim.key in self._held:
                return self._started[claim.key]
            now = self._clock()
            refused = self._refused(claim, now, claim.most)
            if refused is not None:
                return refused
            self._hold(claim, now, claim.most)
            self._started[claim.key] = now
            return now

    def rest(self, claim: QuotaClaim, money: Decimal, tokens: int) -> bool:
        with self._lock:
            if claim.key in self._held:
                spent = claim.spent(money, tokens)
                self._hold(claim, self._started[claim.key], spent)
        return True

    def take_up(self, claim: QuotaClaim, started: float) -> QuotaRefusal | None:
        with self._lock:
            held = self._held.get(claim.key)
            before = {} if held is None else held.amounts
            more = {what: most - before.get(what, ZERO) for what, most in claim.most.items()}
            refused = self._refused(claim, started, more)
            if refused is None:
                self._started.setdefault(claim.key, started)
                self._hold(claim, started, claim.most)
            return refused

    def settle(self, claim: QuotaClaim, money: Decimal, tokens: int) -> None:
        with self._lock:
            held = self._held.get(claim.key)
            if held is None:
                return
            self._hold(claim, self._started[claim.key], claim.spent(money, tokens))
            for count in self._windows(claim, held.windows):
                for what, amount in held.amounts.items():
                    count.held[what] -= amount
            del self._held[claim.key], self._started[claim.key]
            self._forget()

    def refusal(self, pipeline: p.Pipeline, tenant: str | None) -> QuotaRefusal | None:
        if pipeline.quota is None:
            return None
        claim = claim_of(pipeline, tenant, "", "")
        with self._lock:
            return self._refused(claim, self._clock(), claim.most)

    def _refused(self, claim: QuotaClaim, started: float, more: Amounts) -> QuotaRefusal | None:
        used: dict[str, Amounts] = {}
        held: dict[str, Amounts] = {}
        for period, window in windows_of(claim.quota, started).items():
            count = self._counts.get((claim.pipeline, claim.tenant, window))
            used[period] = {} if count is None else count.used
            held[period] = {} if count is None else count.held
        limits = full(claim, used, more)
        return refusal_of(claim, limits, used, held, started, self._clock()) if limits else None

    def _hold(self, claim: QuotaClaim, started: float, amounts: Amounts) -> None:
        """Have a claim hold these amounts, in the windows of its start."""
        held = self._held.get(claim.key)
        if held is None:
            windows = windows_of(claim.quota, started)
            until = max(end_of_window(period, started) for period in windows)
            held = self._held[claim.key] = _Held(windows, {}, until)
            for period, window in windows.items():
                key = claim.pipeline, claim.tenant, window
                self._counts.setdefault(key, _Count(end_of_window(period, started)))
        for count in self._windows(claim, held.windows):
            for what, amount in amounts.items():
                change = amount - held.amounts.get(what, ZERO)
                count.used[what] = count.used.get(what, ZERO) + change
                count.held[what] = count.held.get(what, ZERO) + change
        held.amounts = dict(amounts)

    def _windows(self, claim: QuotaClaim, windows: Mapping[str, str]) -> Iterator[_Count]:
        for window in windows.values():
            yield self._counts[claim.pipeline, claim.tenant, window]

    def _forget(self) -> None:
        """Forget windows that are over, and in which no run goes on."""
        if len(self._counts) <= MOST_WINDOWS:
            return
        now = self._clock()
        over = [
            key
            for key, count in self._counts.items()
            if count.until < now and not any(count.held.values())
        ]
        for key in over:
            del self._counts[key]
