"""The oracle: the exact reliability of a small pipeline, by playing every run that it can have."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction

from . import model as m
from .draws import Draws
from .lookup import Lookup
from .meeting import Rests
from .root import Root
from .run import Result, Run
from .tally import MetAnotherError, Tally


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
    program: m.Program,
    limit: int = 60_000,
    literal: bool = False,
    child: str | None = None,
    apart: bool = False,
) -> Reliability:
    """Walks all runs of the main pipeline, or of a child as if it were run by itself. What runs do
    alike from where they meet is walked once, unless they are kept `apart`.

    Raises `TooManyRunsError` where there are more than `limit`, and `OpenReadingError` where one
    comes to a place that the design leaves open.
    """
    lookups = {x.name: Lookup(program, x) for x in (*program.children, program.pipeline)}
    lookup = lookups[child or program.pipeline.name]
    draws = Draws()
    tally = Tally(draws)
    rests = None if apart else Rests(lookup)
    more = True
    while more:
        draws.restart()
        root = Root(lookups, draws, tally, literal)
        with suppress(MetAnotherError):
            tally.end(Run.of_main(root, lookup, rests).result())
        if tally.runs > limit:
            raise TooManyRunsError(f"more than {limit} runs")
        more = draws.advance()
        tally.close()
    sums = tally.sums.amounts
    chances = {what: p for what, p in sums.items() if isinstance(what, Result)}
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
        cost_mean=sums.get("cost", Fraction(0)),
        reached={name: sums.get(("reached", name), Fraction(0)) for name in lookup.steps},
        runs=tally.sums.runs,
        asked={role: n for role in lookup.roles if (n := sums.get(("asked", role)))},
    )
