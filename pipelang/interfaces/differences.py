"""What a change does: the figures of two versions of a pipeline side by side."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelang.analysis.analyse import Analysis
from pipelang.analysis.numbers import Number
from pipelang.diagnostics import Diagnostic
from pipelang.interfaces.checking import Checked
from pipelang.records import dataclass

COMPARED: Mapping[str, int] = {
    "success": 1,
    "silent_error": -1,
    "escalation": 0,
    "rejection": 0,
    "failure": -1,
    "wrong_effect": -1,
    "cost.mean": -1,
    "cost.p95": -1,
    "cost.worst": -1,
    "latency.p50": -1,
    "latency.p95": -1,
    "latency.worst": -1,
    "turnaround.p95": -1,
}
"""Metrics with what is better: more (1), less (-1), or neither by itself (0)."""

SAME = 1e-6
"""Figures that differ by a smaller part than this differ by rounding."""


@dataclass(frozen=True, slots=True)
class Change:
    """A metric before and after; None where the pipeline, or the gate that escalates, is not."""

    metric: str
    before: Number | None
    after: Number | None

    @property
    def changed(self) -> bool:
        """Whether anything that is known of it differs."""
        if self.before is None or self.after is None:
            return True
        return any(map(_differ, _parts(self.before), _parts(self.after)))

    @property
    def delta(self) -> tuple[float | None, float | None, float | None]:
        """The change, and the least and the most that it can be by both intervals."""
        if self.before is None or self.after is None:
            return None, None, None
        before, after = self.before, self.after
        return (
            _less(after.value, before.value),
            _less(after.low, before.high),
            _less(after.high, before.low),
        )

    @property
    def better(self) -> bool | None:
        """Whether it got better; None where neither way is."""
        delta = self.delta[0]
        sense = COMPARED.get(self.metric, 0)
        return None if not delta or not sense else delta * sense > 0

    def as_json(self) -> dict[str, Any]:
        delta, low, high = self.delta
        return {
            "before": None if self.before is None else self.before.as_json(),
            "after": None if self.after is None else self.after.as_json(),
            "delta": {"value": delta, "low": low, "high": high},
        }


def _parts(number: Number) -> tuple[float | None, ...]:
    return number.value, number.low, number.high


def _differ(first: float | None, second: float | None) -> bool:
    if first is None or second is None:
        return first is not second
    return abs(first - second) > SAME * max(abs(first), abs(second)) and abs(first - second) > 1e-12


def _less(first: float | None, second: float | None) -> float | None:
    return None if first is None or second is None else first - second


@dataclass(frozen=True, slots=True)
class Difference:
    """A pipeline of two versions; `status` is added, removed, changed or same."""

    name: str
    status: str
    changes: tuple[Change, ...]

    def as_json(self) -> dict[str, Any]:
        changes = {change.metric: change.as_json() for change in self.changes}
        return {"status": self.status, "changes": changes}


@dataclass(frozen=True, slots=True)
class Differences:
    """All pipelines of two versions, and the findings that only one of them has."""

    against: str
    pipelines: tuple[Difference, ...]
    new: tuple[Diagnostic, ...]
    gone: tuple[Diagnostic, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "version": 1,
            "against": self.against,
            "pipelines": {one.name: one.as_json() for one in self.pipelines},
            "new_findings": [_finding(one) for one in self.new],
            "gone_findings": [_finding(one) for one in self.gone],
        }


def _finding(diagnostic: Diagnostic) -> dict[str, str]:
    return {
        "code": diagnostic.rule.code,
        "severity": diagnostic.severity.value,
        "message": diagnostic.message,
    }


def differences(before: Sequence[Checked], after: Sequence[Checked], against: str) -> Differences:
    """Two versions of some files, pipeline by pipeline, by their names."""
    old, new = _by_name(before), _by_name(after)
    found = [_difference(name, old.get(name), new.get(name)) for name in {**old, **new}]
    return Differences(
        against, tuple(found), tuple(_only(after, before)), tuple(_only(before, after))
    )


def _by_name(checked: Sequence[Checked]) -> dict[str, Analysis]:
    return {analysis.pipeline.name: analysis for one in checked for analysis in one.analyses}


def _difference(name: str, old: Analysis | None, new: Analysis | None) -> Difference:
    changes = [Change(metric, _number(old, metric), _number(new, metric)) for metric in COMPARED]
    gates = {
        **({} if old is None else old.escalations),
        **({} if new is None else new.escalations),
    }
    for gate in gates:
        before = None if old is None else old.escalations.get(gate)
        after = None if new is None else new.escalations.get(gate)
        changes.append(Change(f"escalation.{gate}", before, after))
    if old is None or new is None:
        return Difference(name, "added" if old is None else "removed", tuple(changes))
    mine = tuple(change for change in changes if change.changed and not _told(change, changes))
    return Difference(name, "changed" if mine else "same", mine)


def _told(change: Change, changes: Sequence[Change]) -> bool:
    """Whether it is the time with people where nobody is waited for: machine time says it all."""
    if change.metric != "turnaround.p95":
        return False
    machine = next(other for other in changes if other.metric == "latency.p95")
    return (change.before, change.after) == (machine.before, machine.after)


def _number(analysis: Analysis | None, metric: str) -> Number | None:
    return None if analysis is None else analysis.numbers.get(metric)


def _only(here: Sequence[Checked], there: Sequence[Checked]) -> Iterator[Diagnostic]:
    """Findings that only one side has, wherever in the file they stand."""
    left = Counter(map(_words, (one for checked in there for one in checked.diagnostics)))
    for checked in here:
        for one in checked.diagnostics:
            if left[_words(one)]:
                left[_words(one)] -= 1
            else:
                yield one


def _words(diagnostic: Diagnostic) -> tuple[str, str]:
    return diagnostic.rule.code, diagnostic.message
