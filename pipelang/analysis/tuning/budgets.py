"""Budgets of assignments: in which of them they may cut runs, so that figures are bounds.

What runs spend only grows with retries: to any run of a pipeline there is one with more retries in
which every further attempt fails, so that it goes on as the first does and has spent no less. So
where spending cuts runs, it does with more retries; and where no run can pass a limit, none can
with fewer. Time is different: a run that is late less often than can be worked out counts as none
that is, and a retry may make that of a run that was late.
"""

from __future__ import annotations

from pipelang.analysis.advice.changes import ChangeKind
from pipelang.analysis.advice.trying import Bench, LookAtBudgets, looked_at
from pipelang.analysis.budgets.limits import TIME
from pipelang.analysis.budgets.reaching import CutBy
from pipelang.analysis.tuning.dimensions import Assignment, Dimension, edits_of
from pipelang.records import dataclass, field
from pipelang.semantics import program as p

MOST_BUILT = 400
"""Programs that are built for it; further assignments are taken for cut."""


@dataclass(slots=True)
class BudgetedAssignments:
    """A memory of the assignments in which budgets may cut runs. The worst run depends on tiers,
    retries and settings, and not on `thresholds`: these dimensions stay as they are written.

    By what is chosen besides retries, `always` has assignments at which and above which spending
    cuts runs, `never` those at which and below which no limit can be passed.
    """

    bench: Bench
    pipeline: p.Pipeline
    dimensions: list[Dimension]
    thresholds: frozenset[int]
    built: int = 0
    known: dict[Assignment, bool] = field(default_factory=dict)
    always: dict[Assignment, list[Assignment]] = field(default_factory=dict)
    never: dict[Assignment, list[Assignment]] = field(default_factory=dict)

    def cut(self, assignment: Assignment) -> bool:
        """Whether a check of an assignment says that runs may be cut."""
        at = self._unmoved(assignment)
        found = self._inferred(at)
        if found is None:
            found = self._checked(at)
            tells_of_others = self._inferred(at) is not None
            self.known[at] = found
            if tells_of_others:
                self._widen(at, found)
        return found

    def told(self, assignment: Assignment) -> bool:
        """Whether it is known already that runs may be cut."""
        return self._inferred(self._unmoved(assignment)) or False

    def _unmoved(self, assignment: Assignment) -> Assignment:
        """The assignment with thresholds as they are written."""
        return tuple(
            one.now if place in self.thresholds else at
            for place, (one, at) in enumerate(zip(self.dimensions, assignment, strict=True))
        )

    def _inferred(self, at: Assignment) -> bool | None:
        """The answer as far as it is known, by itself or from others; None if it is not."""
        found = self.known.get(at)
        if found is not None:
            return found
        fixed = self._fixed(at)
        if any(_at_least(at, least) for least in self.always.get(fixed, ())):
            found = True
        elif any(_at_least(most, at) for most in self.never.get(fixed, ())):
            found = False
        if found is not None:
            self.known[at] = found
        return found

    def _fixed(self, at: Assignment) -> Assignment:
        """The choices that are no retries."""
        return tuple(
            choice
            for one, choice in zip(self.dimensions, at, strict=True)
            if one.kind is not ChangeKind.RETRY
        )

    def _widen(self, at: Assignment, cut: bool) -> None:
        """Look how far the answer reaches, to fewer retries where runs are cut, else to more: in
        one dimension after the other, as far as it goes.
        """
        for place, one in enumerate(self.dimensions):
            if one.kind is not ChangeKind.RETRY:
                continue
            # The farthest first, since most answers reach that far; then halfway again and again.
            reaches, fails = at[place], -1 if cut else len(one.choices)
            choice = 0 if cut else len(one.choices) - 1
            while choice not in (reaches, fails):
                moved = (*at[:place], choice, *at[place + 1 :])
                found = self._inferred(moved)
                if found is None:
                    found = self._checked(moved)
                    self.known[moved] = found
                if found == cut:
                    at, reaches = moved, choice
                else:
                    fails = choice
                choice = (reaches + fails + cut) // 2  # towards what it reaches

    def _checked(self, at: Assignment) -> bool:
        """Build an assignment and look at its budgets; note what that says of others."""
        if self.built >= MOST_BUILT:
            return True
        self.built += 1
        edits = edits_of(self.dimensions, at)
        program = self.bench.rebuilt(edits).program if edits else self.bench.program
        if program is None:
            return False
        found = looked_at(program, program.pipelines[self.pipeline.name])
        if found.by is CutBy.SPENDING:
            self.always.setdefault(self._fixed(at), []).append(at)
        elif found.by is None and not _by_time(found):
            self.never.setdefault(self._fixed(at), []).append(at)
        return found.by is not None


def _by_time(found: LookAtBudgets) -> bool:
    """Whether times had to be worked out."""
    return any(cut.dimension == TIME for cut in found.passed)


def _at_least(one: Assignment, other: Assignment) -> bool:
    return all(a >= b for a, b in zip(one, other, strict=True))
