"""Budgets of assignments: in which of them they may cut runs, so that figures are bounds."""

from __future__ import annotations

from pipelang.analysis.advice.trying import Bench, cuts_of
from pipelang.analysis.tuning.dimensions import Assignment, Dimension, edits_of
from pipelang.records import dataclass, field
from pipelang.semantics import program as p

MOST_BUILT = 400
"""Programs that are built for it; further assignments are taken for cut."""


@dataclass(frozen=True, slots=True)
class BudgetedAssignments:
    """A memory of the assignments in which budgets may cut runs. The worst run depends on tiers,
    retries and settings, and not on `thresholds`: these dimensions are looked at once.
    """

    bench: Bench
    pipeline: p.Pipeline
    dimensions: list[Dimension]
    thresholds: frozenset[int]
    known: dict[Assignment, bool] = field(default_factory=dict)

    def cut(self, assignment: Assignment) -> bool:
        """Whether a check of an assignment says that runs may be cut."""
        key = self._key(assignment)
        if key not in self.known:
            self.known[key] = len(self.known) >= MOST_BUILT or self._checked(assignment)
        return self.known[key]

    def told(self, assignment: Assignment) -> bool:
        """Whether it is known already that runs may be cut."""
        return self.known.get(self._key(assignment), False)

    def _key(self, assignment: Assignment) -> Assignment:
        return tuple(at for place, at in enumerate(assignment) if place not in self.thresholds)

    def _checked(self, assignment: Assignment) -> bool:
        edits = edits_of(self.dimensions, assignment)
        program = self.bench.rebuilt(edits).program if edits else self.bench.program
        return program is not None and bool(cuts_of(program, program.pipelines[self.pipeline.name]))
