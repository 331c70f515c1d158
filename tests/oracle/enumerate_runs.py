"""The oracle: the exact reliability of a small pipeline, by playing every run that it can have."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from . import model as m
from .draws import Draws
from .lookup import Lookup
from .root import Root
from .run import Result, Run


class TooManyRunsError(Exception):
    """There are more runs than the caller wants to wait for."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """Exact numbers, named as in the report of `pipelang check`; `asked` are cases by role."""

    outcomes: dict[str, Fraction]
    escalations: dict[str, Fraction]
    wrong_effect: Fraction
    cost_mean: Fraction
    reached: dict[str, Fraction]
    runs: int
    asked: dict[str, Fraction]


def enumerate_runs(
    program: m.Program, limit: int = 60_000, literal: bool = False, child: str | None = None
) -> Reliability:
    """Walks all runs of the main pipeline, or of a child as if it were run by itself.

    Raises `TooManyRunsError` where there are more than `limit`, and `OpenReadingError` where one
    comes to a place that the design leaves open.
    """
    lookups = {x.name: Lookup(program, x) for x in (*program.children, program.pipeline)}
    lookup = lookups[child or program.pipeline.name]
    draws = Draws()
    chances: dict[Result, Fraction] = {}
    cost = Fraction(0)
    asked: dict[str, Fraction] = {}
    runs = 0
    more = True
    while more:
        draws.restart()
        root = Root(lookups, draws, literal)
        result = Run.of_main(root, lookup).result()
        runs += 1
        if runs > limit:
            raise TooManyRunsError(f"more than {limit} runs")
        chances[result] = chances.get(result, Fraction(0)) + draws.weight
        cost += root.cost * draws.weight
        for role, times in root.asked.items():
            asked[role] = asked.get(role, Fraction(0)) + times * draws.weight
        more = draws.advance()
    if sum(chances.values()) != 1:
        raise AssertionError("the runs do not sum to 1")

    def share(results: list[Result]) -> Fraction:
        return sum((chances[result] for result in results), Fraction(0))

    kinds = ("success", "silent_error", "escalation", "rejection", "failure")
    escalated = {r.by for r in chances if r.outcome == "escalation"}
    return Reliability(
        outcomes={kind: share([r for r in chances if r.outcome == kind]) for kind in kinds},
        escalations={
            name: share([r for r in chances if r.outcome == "escalation" and r.by == name])
            for name in sorted(escalated)
        },
        wrong_effect=share([r for r in chances if r.wrong_effect]),
        cost_mean=cost,
        reached={name: share([r for r in chances if name in r.reached]) for name in lookup.steps},
        runs=runs,
        asked=asked,
    )
