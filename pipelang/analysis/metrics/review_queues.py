"""Review queues: are there enough people for what pipelines send them?

Cases come at random (Poisson) from all pipelines that were checked, and take an exponential time:
a queue of the kind M/M/c (Erlang, 1917; Cooper, "Introduction to Queueing Theory", 1981, chapter
3). With offered load a = arrivals x time a case, and c people:

    B(0) = 1, B(k) = a B(k-1) / (k + a B(k-1))       nobody is free, and callers go away
    C = B(c) / (1 - a/c (1 - B(c)))                  a case has to wait
    P(wait > t) = C exp(-(c - a) t / time a case)    so 95% wait max(0, ln(C / .05) ...) at most

People work `hours` a day, and what comes on a day is done in them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from math import log
from typing import Any

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.model.intervals import Number, certain
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.quantities import show_seconds

BUSY, FULL = 0.85, 1.0
DAY = 24
NOTHING_KNOWN = Number(None, 0.0, None, None, Basis.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Load:
    """A role's queue: cases a day, the share of its time that it is busy, and the wait in seconds
    that 95% of the cases stay under.
    """

    role: p.Role
    cases: Number
    utilisation: Number
    wait_p95: Number


def erlang_c(people: int, load: float) -> float:
    """P(a case has to wait), for an offered load below the number of people."""
    blocked = 1.0
    for number in range(1, people + 1):
        blocked = load * blocked / (number + load * blocked)
    return blocked / (1 - load / people * (1 - blocked))


def wait_p95(people: int, load: float, handles: float) -> float | None:
    """The 95% quantile of the wait, in the unit of `handles`; None where the queue only grows."""
    if load >= people:
        return None
    if load <= 0:
        return 0.0
    return max(0.0, log(erlang_c(people, load) / 0.05) * handles / (people - load))


def loads(checked: Iterable[tuple[p.Program, Analysis]]) -> list[Load]:
    """The queues of all roles that some pipeline may send a case to."""
    roles: dict[tuple[str, str], p.Role] = {}
    cases: dict[tuple[str, str], list[Number]] = {}
    for program, analysis in checked:
        per_day = analysis.pipeline.traffic.per_day
        for name, often in analysis.asked.items():
            role = program.roles[name]
            place = (role.span.file, role.name)
            roles[place] = role
            mine = NOTHING_KNOWN if per_day is None else often.times(float(per_day))
            cases.setdefault(place, []).append(mine)
    return [_load(role, _sum(cases[place])) for place, role in roles.items()]


def _sum(numbers: list[Number]) -> Number:
    """The sum; its interval is that of parts that are all low or all high at once."""

    def add(parts: Iterable[float | None]) -> float | None:
        found = list(parts)
        return None if None in found else sum(part for part in found if part is not None)

    return Number(
        add(number.value for number in numbers),
        add(number.low for number in numbers),
        add(number.high for number in numbers),
        add(number.mean for number in numbers),
        max(number.basis for number in numbers),
        all(number.tight for number in numbers),
    )


def _load(role: p.Role, cases: Number) -> Load:
    if role.people is None or role.handles is None or not role.people:
        return Load(role, cases, NOTHING_KNOWN, NOTHING_KNOWN)
    people, handles = role.people, float(role.handles)
    seconds = 3600 * float(DAY if role.hours is None else role.hours)
    basis = max(cases.basis, Basis.ASSUMED)
    if cases.high == 0:
        return Load(role, cases, certain(0.0, basis), certain(0.0, basis))
    share = handles / seconds / people
    busy = cases.times(share)

    def wait(utilisation: float | None) -> float | None:
        return None if utilisation is None else wait_p95(people, utilisation * people, handles)

    waits = Number(wait(busy.value), wait(busy.low), wait(busy.high), wait(busy.mean), basis)
    if waits.value is None:
        waits = Number(None, waits.low, waits.high, waits.mean, Basis.UNKNOWN)
    utilisation = Number(busy.value, busy.low, busy.high, busy.mean, basis, busy.tight)
    return Load(role, cases, utilisation, waits)


def review_findings(found: Iterable[Load]) -> Iterator[Diagnostic]:
    """Queues that grow without end, and those that soon will."""
    for load in found:
        busy = load.utilisation.low if load.utilisation.value is None else load.utilisation.value
        cases = load.cases.low if load.cases.value is None else load.cases.value
        if busy is None or cases is None or busy <= BUSY:
            continue
        role = load.role
        assert role.handles is not None
        words: dict[str, Any] = {
            "name": role.name,
            "busy": f"{busy:.0%}",
            "cases": f"{cases:,.0f}",
            "handles": show_seconds(float(role.handles)),
        }
        rule = codes.REVIEW_OVERLOADED if busy >= FULL else codes.REVIEW_BUSY
        yield report(rule, role.span, **words)
