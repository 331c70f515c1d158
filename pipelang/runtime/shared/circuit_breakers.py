"""Circuit breakers: they count the runs of a pipeline and stop it while it does badly.

A breaker is closed and counts; when one of its conditions holds it opens, and runs get the answer
of its `else`. After a while one run at a time is admitted as a probe: a good one closes it, with
all counts at zero, a bad one opens it again.

`purgatory` has the same three states, but reads the wall clock, lets every run through as soon as
the wait is over, and counts only failures in a row.
"""

from __future__ import annotations

import math
import operator
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pipelang.records import dataclass, field
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p

Key = tuple[str | None, ...]
"""The key of a breaker: the program's file, the pipeline, the tenant."""

MOST_NAMED = 20_000
"""Named runs that a breaker remembers; beyond it the oldest go."""

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class EndedRun:
    """The record of a run that ended: its outcome (answered, escalated, rejected, failed), the name
    of the item that decided, dollars, tokens, seconds of machine time (`latency`) and of wall clock
    (`turnaround`), and the verdicts of its gates (False: rejected).
    """

    outcome: str
    reason: str = ""
    cost: float = 0.0
    tokens: int = 0
    latency: float = 0.0
    turnaround: float = 0.0
    gates: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Admission:
    """An admitted run; `turn` numbers the state of the breaker in which it was admitted. One with a
    `name` may ask and end again after a crash, and counts once.
    """

    key: Key
    turn: int
    probe: bool
    name: str | None = None


@dataclass(slots=True)
class BreakerState:
    """The state of a breaker, and what it has counted since it last changed."""

    breaker: p.Breaker
    now: str = CLOSED
    turn: int = 0
    since: float = 0.0
    why: str = ""
    recent: deque[EndedRun] = field(default_factory=deque)
    rejected: dict[str, int] = field(default_factory=dict)

    def becomes(self, now: str, at: float, why: str = "") -> None:
        self.now, self.since, self.why = now, at, why
        self.turn += 1
        self.recent.clear()
        self.rejected.clear()


class Breakers:
    """The breakers of a `Runtime`, by pipeline and tenant. `clock` gives seconds that never go
    back. May be used from several threads. One that `blocks` is called in threads.
    """

    blocks = False

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._states: dict[Key, BreakerState] = {}
        self._named: OrderedDict[str, Any] = OrderedDict()

    def admit(self, key: Key, breaker: p.Breaker, name: str | None = None) -> Admission | str:
        """Ask for a run to begin: its admission, or the reason why the breaker is open."""
        admitted: Admission | str = self._once(
            name and f"admit {name}", lambda: self._admit(key, breaker, name)
        )
        return admitted

    def _once(self, name: str | None, work: Callable[[], Any]) -> Any:
        """Do something once by name, with the same result however often it is asked for."""
        with self._lock:
            if name is None:
                return work()
            if name not in self._named:
                self._named[name] = work()
                while len(self._named) > MOST_NAMED:
                    self._named.popitem(last=False)
            return self._named[name]

    def _admit(self, key: Key, breaker: p.Breaker, name: str | None) -> Admission | str:
        state = self._states.get(key)
        if state is None or state.breaker != breaker:
            state = self._states[key] = BreakerState(breaker)
        if state.now == CLOSED:
            return Admission(key, state.turn, False, name)
        if self._clock() - state.since < float(breaker.probes):
            return state.why
        # A probe that has not come back for as long as that does not keep others away.
        state.becomes(HALF_OPEN, self._clock(), state.why)
        return Admission(key, state.turn, True, name)

    def record_end(
        self, given: Admission, seen: EndedRun | None, breaker: p.Breaker | None = None
    ) -> tuple[str, str] | None:
        """Count the end of an admitted run; `seen` is None if it was cut short. The new state of
        the breaker and the reason; None if it stays as it is. Where states are kept elsewhere the
        `breaker` says what they mean.
        """
        name = None if seen is None else given.name
        changed: tuple[str, str] | None = self._once(
            name and f"end {name}", lambda: self._record_end(given, seen)
        )
        return changed

    def _record_end(self, given: Admission, seen: EndedRun | None) -> tuple[str, str] | None:
        state = self._states.get(given.key)
        if state is None or state.turn != given.turn:
            return None  # it began before the breaker changed
        if given.probe:
            return self._probed(state, seen)
        if seen is None:
            return None
        why = _counted(state, seen)
        if why is None:
            return None
        state.becomes(OPEN, self._clock(), why)
        return OPEN, why

    def _probed(self, state: BreakerState, seen: EndedRun | None) -> tuple[str, str]:
        if seen is None:
            # The next run is the probe: the wait before it is over.
            why = state.why
            state.becomes(OPEN, self._clock() - float(state.breaker.probes), why)
            return OPEN, why
        why = next((said for one in state.breaker.opens if (said := _bad(one, seen))), "")
        state.becomes(OPEN if why else CLOSED, self._clock(), why)
        return state.now, why

    def get(self, key: Key) -> BreakerState | None:
        """The state of a breaker that was asked."""
        return self._states.get(key)

    def put(self, key: Key, state: BreakerState) -> None:
        """Go on from a state."""
        self._states[key] = state

    def state(self, key: Key) -> str:
        """`closed`, `open` or `half_open`."""
        with self._lock:
            found = self._states.get(key)
            return CLOSED if found is None else found.now


def _counted(state: BreakerState, seen: EndedRun) -> str | None:
    """Count a run; the reason that now holds, if any."""
    opens = state.breaker.opens
    most = max((one.runs for one in opens if isinstance(one, p.OpensMetric)), default=0)
    state.recent.append(seen)
    while len(state.recent) > most:
        state.recent.popleft()
    found: str | None = None
    for one in opens:
        if isinstance(one, p.OpensRejects):
            if one.gate not in seen.gates:
                continue  # a run that did not come to the gate says nothing of it
            row = 0 if seen.gates[one.gate] else state.rejected.get(one.gate, 0) + 1
            state.rejected[one.gate] = row
            if row >= one.count:
                found = found or f"`{one.gate}` rejected {row} in a row"
        elif len(state.recent) >= one.runs:
            value = measure(one.metric, list(state.recent)[-one.runs :])
            if _COMPARE[one.op](value, float(one.target)):
                said = f"`{one.metric}` is {value:.6g} over {one.runs} runs"
                found = found or f"{said}, {one.op} {float(one.target):.6g}"
    return found


def _bad(one: p.OpensRejects | p.OpensMetric, seen: EndedRun) -> str | None:
    """The reason why a probe does not close the breaker: a condition that opens it holds of this
    run alone.
    """
    if isinstance(one, p.OpensRejects):
        return None if seen.gates.get(one.gate, True) else f"`{one.gate}` rejected the probe"
    value = measure(one.metric, [seen])
    if not _COMPARE[one.op](value, float(one.target)):
        return None
    return f"`{one.metric}` of the probe is {value:.6g}"


_SHARES: Mapping[str, str] = {
    m.ERROR_RATE: "failed",
    m.FAILURE: "failed",
    m.ESCALATION: "escalated",
    m.REJECTION: "rejected",
    m.COVERAGE: "answered",
}


def measure(metric: str, runs: Sequence[EndedRun]) -> float:
    """A metric of some runs. Quantiles are by nearest rank."""
    head, _, rest = metric.partition(".")
    if head in _SHARES:
        hits = [run.outcome == _SHARES[head] and rest in ("", run.reason) for run in runs]
        return sum(hits) / len(hits)
    values = sorted(float(getattr(run, head)) for run in runs)
    if rest == m.WORST:
        return values[-1]
    if rest.startswith("p"):
        return values[max(0, math.ceil(len(values) * int(rest[1:]) / 100) - 1)]
    return sum(values) / len(values)
