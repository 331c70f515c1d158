"""One run of a pipeline, as the tracking follows it."""

from __future__ import annotations

from pipelang.analysis.flow.looking import Looks
from pipelang.analysis.flow.marks import Flow, Mark
from pipelang.analysis.flow.reading import Values
from pipelang.analysis.flow.situation import Control, Situation, keys_of
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p


@dataclass(slots=True)
class TrackedRun:
    """One run of a pipeline within the tracking.

    `answered` are the situations in which it answers, `seen` what was looked at in each of them,
    `feedback` is what the prompt of a step that is redone may contain, `rounds` by the place of a
    gate that redoes what its rounds so far have told of. `fails` are the tests that decide whether
    it fails, `stops` those on whose ways it may end without
    an answer, by their identity.
    """

    pipeline: p.Pipeline
    values: Values
    measured: frozenset[str]
    entered: Situation
    returns: Flow = field(default_factory=dict)
    answered: list[Situation] = field(default_factory=list)
    seen: list[tuple[Looks, ...]] = field(default_factory=list)
    feedback: dict[str, Flow] = field(default_factory=dict)
    rounds: dict[Span, set[Mark]] = field(default_factory=dict)
    fails: dict[Control, None] = field(default_factory=dict)
    stops: set[int] = field(default_factory=set)

    def fail(
        self,
        tests: tuple[Control, ...],
        situation: Situation,
        *,
        fails: bool = False,
    ) -> None:
        """Record that a run may fail in a situation, or by some tests of what it called."""
        since = [one for one in situation.since(self.entered) if one not in tests]
        if not fails:  # by chance: that it came so far tells nothing that going on does not
            since = [one if one.branch else replace(one, reveals=()) for one in since]
        for control in (*since, *tests):
            if keys_of(control.marks) <= situation.vouched:
                control = replace(control, marks=())
            if control.marks or control.reveals:
                self.fails[replace(control, branch=False)] = None
