"""Assignments side by side: many of them in one sweep over arrays, a column each.

What an assignment changes is of two kinds. Cuts of evidence and numbers of retries change only
numbers: the shares of confidences between the cuts, and how far a chain goes on. Everything else
(tiers, settings that are more than a cut) changes what there is to sweep, so each combination of
these is a text of its own, built as any other (a `Structure`); so is each order in which several
thresholds on one file lie. All assignments of one structure are one sweep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite
from typing import TYPE_CHECKING, Any

from pipelang.analysis.advice.changes import ChangeKind
from pipelang.analysis.advice.trying import Bench, figures
from pipelang.analysis.metrics.metrics import left_out
from pipelang.analysis.metrics.readings import READINGS, SWEPT, reader_of
from pipelang.analysis.model.evidence import Cut, EvidenceTable
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import Totals
from pipelang.analysis.tuning.dimensions import Assignment, Dimension, edits_of
from pipelang.analysis.tuning.moved_numbers import (
    MovableThreshold,
    by_file,
    links_of,
    only_a_cut,
    thresholds_of,
)
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.metrics import ESCALATION, Unit, metric_of

if TYPE_CHECKING:
    from numpy import ndarray

MOST_COLUMNS = 4_000
"""Assignments in one sweep: arrays of this length stay in the processor's cache."""

Figures = dict[str, float]
Files = Mapping[str, EvidenceFile]


@dataclass(slots=True)
class Columns:
    """A bench for many assignments of a pipeline. `cuts` and `retries` are the dimensions that
    change only numbers: thresholds, and by the number of its link how often one is retried. The
    structures in `alone` have other thresholds than it seems, and are worked out one by one.
    """

    bench: Bench
    pipeline: p.Pipeline
    dimensions: list[Dimension]
    thresholds: list[MovableThreshold] = field(default_factory=list)
    cuts: set[int] = field(default_factory=set)
    retries: dict[int, int] = field(default_factory=dict)
    built: dict[Any, p.Program | None] = field(default_factory=dict)
    alone: set[Any] = field(default_factory=set)
    compiled: dict[Any, Compiled] = field(default_factory=dict)

    def figures(
        self, assignments: Sequence[Assignment], files: Files | None = None
    ) -> list[Figures | None]:
        """The point estimates of each assignment by the evidence in `files` (the program's by
        default); None for one that does not build, or that something undeclared decides.
        """
        groups: dict[Any, list[int]] = {}
        for number, assignment in enumerate(assignments):
            groups.setdefault(self._shape(assignment), []).append(number)
        found: list[Figures | None] = [None] * len(assignments)
        for shape, numbers in groups.items():
            for at in range(0, len(numbers), MOST_COLUMNS):
                part = numbers[at : at + MOST_COLUMNS]
                mine = [assignments[number] for number in part]
                for number, one in zip(part, self._swept(shape, mine, files), strict=True):
                    found[number] = one
        return found

    def _shape(self, assignment: Assignment) -> tuple[Any, ...]:
        """The choices that make a structure, and the order of the thresholds on each file."""
        fixed = tuple(
            choice
            for at, choice in enumerate(assignment)
            if at not in self.cuts and at not in self.retries
        )
        ranks: list[int] = []
        for places in by_file(self.thresholds).values():
            values = [self._cut(self.thresholds[at], assignment) for at in places]
            order = sorted(set(values))
            ranks += [order.index(value) for value in values]
        return (fixed, tuple(ranks))

    def _cut(self, one: MovableThreshold, assignment: Assignment) -> Cut:
        if one.by is None:
            return one.value, one.strict
        value = self.dimensions[one.by].values[assignment[one.by]]
        return value, one.strict

    def _swept(
        self, shape: Any, assignments: Sequence[Assignment], files: Files | None
    ) -> list[Figures | None]:
        """The figures of assignments of one structure."""
        import numpy as np

        nothing: list[Figures | None] = [None] * len(assignments)
        if shape not in self.built:
            self.built[shape] = self._build(assignments[0])
        program = self.built[shape]
        if program is None:
            return nothing
        if shape in self.alone:
            return [self._by_itself(one, files) for one in assignments]
        pipeline = program.pipelines[self.pipeline.name]
        evidence = EvidenceTable(program.evidence if files is None else files)
        bins: dict[tuple[str, bool], tuple[Any, ...]] = {}
        for file, places in by_file(self.thresholds).items():
            for right in (False, True):
                total = len(evidence[file].confidences[right])
                edges = self._edges(evidence, file, right, places, assignments)
                whole = np.full(len(assignments), total)
                steps = np.diff(np.array([0 * whole, *edges, whole]), axis=0)
                if total:
                    bins[file, right] = tuple(steps / total)
        parameters = Parameters(evidence, lambda site: 0.5, bins=bins)
        spans = links_of(program, pipeline)
        repeats = {
            spans[link].span: np.array(
                [int(self.dimensions[at].values[one[at]]) for one in assignments]
            )
            for at, link in self.retries.items()
        }
        compiled = self.compiled.get(shape)
        if compiled is None:
            compiled = self.compiled[shape] = Compiled(program, pipeline)
        totals = compiled.totals(parameters, len(assignments), repeats)
        if parameters.unknown_sites or parameters.left_out:
            return nothing
        return list(_read(totals, compiled.priced, len(assignments)))

    def _by_itself(self, assignment: Assignment, files: Files | None) -> Figures | None:
        edits = edits_of(self.dimensions, assignment)
        program = self.bench.rebuilt(edits).program if edits else self.bench.program
        if program is None:
            return None
        if files is not None:
            program = replace(program, evidence=files)
        return figures(program, program.pipelines[self.pipeline.name])

    def _edges(
        self,
        evidence: EvidenceTable,
        file: str,
        right: bool,
        places: Sequence[int],
        assignments: Sequence[Assignment],
    ) -> list[ndarray]:
        """The confidences below each of the distinct thresholds on a file, counted, in order."""
        import numpy as np

        known: dict[Cut, int] = {}

        def below(cut: Cut) -> int:
            if cut not in known:
                known[cut] = evidence[file].below(right, cut)
            return known[cut]

        rows = [
            [below(cut) for cut in sorted({self._cut(self.thresholds[x], one) for x in places})]
            for one in assignments
        ]
        return list(np.array(rows).T)

    def _build(self, assignment: Assignment) -> p.Program | None:
        """The program of a structure, with as many retries as there may be."""
        most = tuple(
            len(self.dimensions[at].choices) - 1 if at in self.retries else choice
            for at, choice in enumerate(assignment)
        )
        edits = edits_of(self.dimensions, most)
        program = self.bench.rebuilt(edits).program if edits else self.bench.program
        if program is not None:
            found = thresholds_of(program, program.pipelines[self.pipeline.name])
            cuts = [cut for _, cut, _ in found]
            if cuts != [self._cut(one, assignment) for one in self.thresholds]:
                self.alone.add(self._shape(assignment))
        return program


def columns(bench: Bench, pipeline: p.Pipeline, dimensions: list[Dimension]) -> Columns:
    """The bench of these dimensions."""
    made = Columns(bench, pipeline, dimensions)
    sides = list(thresholds_of(bench.program, pipeline))
    compared = {side.span for _, _, side in sides}
    by_span: dict[Span, int] = {}
    by_setting: dict[str, int] = {}
    links = [link.span for link in links_of(bench.program, pipeline)]
    for at, one in enumerate(dimensions):
        if one.kind is ChangeKind.RETRY and one.place in links:
            made.retries[at] = links.index(one.place)
        elif one.kind is ChangeKind.THRESHOLD and one.place is not None:
            by_span[one.place] = at
        elif one.setting is not None:
            by_setting[one.setting] = at
    for file, (value, strict), side in sides:
        by = by_span.get(side.span, by_setting.get(side.setting or ""))
        made.thresholds.append(MovableThreshold(file, strict, value, by))
        if by is not None and only_a_cut(bench.program, dimensions[by], compared):
            made.cuts.add(by)
    return made


def _read(totals: Totals, priced: bool, count: int) -> Iterator[Figures | None]:
    """The figures of each column, as `advice.trying.figures` has them."""
    import numpy as np

    def spread(value: Any) -> Any:
        return np.broadcast_to(np.asarray(value, dtype=float), (count,))

    rows: dict[str, Any] = {}
    for metric in (*SWEPT, *(f"{ESCALATION}.{name}" for name in totals.escalations)):
        read = reader_of(metric)
        assert read is not None
        if metric_of(metric).unit is Unit.MONEY and not priced:
            continue
        ratio = READINGS[metric].ratio if metric in READINGS else None
        if ratio is not None:
            whole = spread(sum(getattr(totals, part) for part in ratio))
            top = spread(getattr(totals, ratio[0]))
            rows[metric] = np.divide(top, whole, out=np.full(count, np.nan), where=whole > 0)
        else:
            rows[metric] = spread(read(totals))
    lost = spread(left_out(totals))
    for at in range(count):
        one = {metric: float(row[at]) for metric, row in rows.items()}
        found = {metric: value for metric, value in one.items() if isfinite(value)}
        yield None if lost[at] > 1e-12 else found
