"""Service-level objectives: is each met, and how sure is that."""

from __future__ import annotations

from typing import Any

from pipelang.analysis.model.intervals import Number, compare
from pipelang.records import dataclass
from pipelang.semantics import metrics as m
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis


@dataclass(frozen=True, slots=True)
class ObjectiveVerdict:
    """An slo line with its answer: `holds` is None where it cannot be decided; `cut`: only because
    a budget may cut runs short.
    """

    line: p.SloLine
    number: Number | None
    holds: bool | None
    probability: float | None
    why: str | None = None
    cut: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "metric": self.line.metric,
            "op": self.line.op,
            "target": float(self.line.target),
            "when": self.line.when,
            "holds": self.holds,
            "probability": self.probability,
        }


def _may_be_less(line: p.SloLine) -> bool:
    """Whether a bound of a metric says how much it is at most. The worst is a bound by itself."""
    family, _, read = line.metric.partition(".")
    return family in SPENT and read != m.WORST


SPENT = (m.COST, m.TOKENS_MEAN.partition(".")[0], m.LATENCY, m.TURNAROUND)
"""The families of metrics that grow with what a run does."""


def undecided(verdict: ObjectiveVerdict, why: str) -> ObjectiveVerdict:
    """The verdict of a promise that holds as far as it was worked out, but perhaps not in a run."""
    if verdict.holds is not True:
        return verdict
    return ObjectiveVerdict(verdict.line, verdict.number, None, None, why, cut=True)


UNDECLARED = "too much of the pipeline is undeclared"
UNANSWERED = "no run is answered, so there are no answers of which a share is wrong"
UNFINISHED = "`--time-limit` leaves too wide a range of it"
SURE = 0.95
"""A measured objective counts as met (or missed) when the posterior is this sure of it."""


def decide(line: p.SloLine, number: Number | None, probability: float | None) -> ObjectiveVerdict:
    """Whether an objective holds. A figure that is a bound may be less: it keeps no promise of at
    least so much, and breaks none of at most so much.
    """
    verdict = _decided(line, number, probability)
    unsure = verdict.holds is (line.op in (">=", ">"))
    if number is None or number.basis is not Basis.BOUND or not unsure or not _may_be_less(line):
        return verdict
    why = f"`{line.metric}` is a bound here, and may be less"
    return ObjectiveVerdict(line, number, None, None, why)


def _decided(line: p.SloLine, number: Number | None, probability: float | None) -> ObjectiveVerdict:
    """Whether an objective holds of a figure that is what it says.

    Certain numbers are compared; with unknowns the bounds decide or nothing does; measured ones
    need a posterior probability of at least 95% for a yes and at most 5% for a no.
    """
    if number is None or number.low is None or number.high is None:
        low = None if number is None else number.low
        upper = line.op in ("<=", "<")
        if low is not None and upper and not compare(low, line.op, float(line.target)):
            return ObjectiveVerdict(line, number, False, 0.0)
        nothing = number is not None and line.metric == m.SELECTIVE_RISK
        why = UNANSWERED if nothing else f"`{line.metric}` is not known"
        return ObjectiveVerdict(line, number, None, None, why)
    target = float(line.target)
    if probability is not None:
        if probability >= SURE:
            return ObjectiveVerdict(line, number, True, probability)
        if probability <= 1 - SURE:
            return ObjectiveVerdict(line, number, False, probability)
        why = f"the evidence says {probability:.0%} yes"
        return ObjectiveVerdict(line, number, None, probability, why)
    at_low, at_high = compare(number.low, line.op, target), compare(number.high, line.op, target)
    if at_low and at_high:
        return ObjectiveVerdict(line, number, True, 1.0)
    if not at_low and not at_high and line.op in (">=", "<=", ">", "<"):
        return ObjectiveVerdict(line, number, False, 0.0)
    return ObjectiveVerdict(line, number, None, None, UNDECLARED)
