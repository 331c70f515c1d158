"""The totals of a sweep: where runs end, their cost, the steps that they reach.

Every figure is a sum over situations of their weight, so it may be a number, an array of them, or
any other type that the sweep computes with.
"""

from __future__ import annotations

from typing import Any, assert_never

from pipelang.analysis.frontier.states import add
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.metrics import OUTCOMES, WRONG_EFFECT

Inner = tuple[Any, ...]
"""A sub-pipeline, one of its steps, and what is added up there: `REACHED` or `COSTS`; under `FLOW`
what a waterfall counts.
"""

REACHED, COSTS, FLOW = "reached", "costs", "flow"


@dataclass(slots=True)
class Totals:
    """The endings of runs. Probabilities and dollars in the sweep's arithmetic.

    `endings` has every outcome with whether what it returns is right and whether something was done
    wrongly before it, by the outcome's identity (where moves of plain steps are read off, the ends
    of all chains that do not say how they end are one); `asked` is how often a run asks each role
    while it goes on (see `arrivals`), `inside` what it does in sub-pipelines; `work` counts the
    states that were gone through, which is what a sweep over arrays takes time by; `widest` is the
    largest frontier.
    """

    success: Any = 0.0
    silent_error: Any = 0.0
    escalation: Any = 0.0
    rejection: Any = 0.0
    failure: Any = 0.0
    wrong_effect: Any = 0.0
    cost: Any = 0.0
    tokens: Any = 0.0
    escalations: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, Any] = field(default_factory=dict)
    asked: dict[str, Any] = field(default_factory=dict)
    reached: dict[str, Any] = field(default_factory=dict)
    step_costs: dict[str, Any] = field(default_factory=dict)
    inside: dict[Inner, Any] = field(default_factory=dict)
    endings: dict[tuple[int, bool, bool], tuple[p.Outcome, Any]] = field(default_factory=dict)
    work: int = 1
    widest: int = 1

    def went_through(self, states: int) -> None:
        """Count so many states of a frontier."""
        self.work += states
        self.widest = max(self.widest, states)


Ending = tuple[p.Outcome, bool, bool]
"""An outcome, whether what it returns is right, whether something was done wrongly."""

PLAIN = (*OUTCOMES, WRONG_EFFECT, "cost", "tokens")
"""The figures of totals that are one number each, by their field; the others go by names."""


def all_figures(totals: Totals) -> list[Any]:
    """Every figure of a sweep."""
    plain = [getattr(totals, name) for name in PLAIN]
    groups = (totals.escalations, totals.reached, totals.step_costs, totals.asked)
    named = [value for group in groups for value in group.values()]
    return plain + named + list(totals.inside.values())


def record(
    totals: Totals, outcome: p.Outcome, is_right: bool, wrong_effect: bool, weight: Any
) -> None:
    """Runs of this weight end with an outcome. `is_right`: what it returns is; `wrong_effect`:
    something was done wrongly before it.
    """
    # By identity, because outcomes hash slowly; the outcome is kept with it, so none is reused.
    key = (id(outcome), is_right, wrong_effect)
    endings = totals.endings
    endings[key] = (outcome, endings[key][1] + weight if key in endings else weight)
    if wrong_effect:
        totals.wrong_effect = totals.wrong_effect + weight
    match outcome:
        case p.Fail():  # as nearly all of a large pipeline are
            totals.failure = totals.failure + weight
            add(totals.failures, outcome.code, weight)
        case p.Return():
            if succeeds(outcome, is_right, wrong_effect):
                totals.success = totals.success + weight
            else:
                totals.silent_error = totals.silent_error + weight
        case p.Escalate():
            totals.escalation = totals.escalation + weight
            add(totals.escalations, outcome.reason, weight)
        case p.Reject():
            totals.rejection = totals.rejection + weight
        case _:
            assert_never(outcome)


def arrivals(totals: Totals) -> dict[str, Any]:
    """Number of cases that a run sends to each role: the questions on its way, and its escalation.

    Escalations are read off the endings, of which a run has one: whatever a step or a sub-pipeline
    does on the way, its escalation is an arrival once.
    """
    found = dict(totals.asked)
    for outcome, weight in totals.endings.values():
        if isinstance(outcome, p.Escalate):
            add(found, outcome.role, weight)
    return found


def succeeds(outcome: p.Outcome, is_right: bool, wrong_effect: bool) -> bool:
    """Whether a run that ends like this is a success."""
    return isinstance(outcome, p.Return) and is_right and not wrong_effect


def gain(outcome: p.Outcome, is_right: bool, wrong_effect: bool) -> complex:
    """Return the gain of a run that ends so, in success (real part) and silent error (imaginary
    part).
    """
    if not isinstance(outcome, p.Return):
        return 0j
    return 1 + 0j if succeeds(outcome, is_right, wrong_effect) else 1j
