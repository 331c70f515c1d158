"""Assignments side by side: many of them in one sweep over arrays, a column each.

What an assignment changes is of two kinds. Cuts of evidence and numbers of retries change only
numbers: the shares of confidences between the cuts, and how far a chain goes on. Everything else
(tiers, settings that are more than a cut) changes what there is to sweep, so each combination of
these is a text of its own, built as any other (a `Structure`); so is each order in which several
thresholds on one file lie. All assignments of one structure are one sweep.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from pipelang.analysis.advice.changes import ChangeKind
from pipelang.analysis.advice.trying import Bench
from pipelang.analysis.metrics.metrics import left_out
from pipelang.analysis.metrics.readings import READINGS, SWEPT, reader_of
from pipelang.analysis.model.evidence import Cut, EvidenceTable
from pipelang.analysis.model.model import confidence_cut, file_cuts, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.analysis.tuning.dimensions import Assignment, Dimension, edits_of
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.metrics import ESCALATION, Unit, metric_of
from pipelang.semantics.walk import all_items, inner_links

if TYPE_CHECKING:
    from numpy import ndarray

MOST_COLUMNS = 4_000
"""Assignments in one sweep: arrays of this length stay in the processor's cache."""

Figures = dict[str, float]
Files = Mapping[str, EvidenceFile]


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold on a confidence, in the order in which the program's tests have them: on which
    file, whether it must be exceeded, its value as it is written, the dimension that moves it.
    """

    file: str
    strict: bool
    value: Decimal
    by: int | None


@dataclass(slots=True)
class Columns:
    """What works out the assignments of a pipeline. `moved` are the dimensions that change only
    numbers, with what they are then: thresholds, or the number of the link that is retried.
    """

    bench: Bench
    pipeline: p.Pipeline
    dimensions: list[Dimension]
    thresholds: list[Threshold] = field(default_factory=list)
    cuts: set[int] = field(default_factory=set)
    retries: dict[int, int] = field(default_factory=dict)
    built: dict[Any, p.Program | None] = field(default_factory=dict)

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
        for places in _by_file(self.thresholds).values():
            values = [self._cut(self.thresholds[at], assignment) for at in places]
            order = sorted(set(values))
            ranks += [order.index(value) for value in values]
        return (fixed, tuple(ranks))

    def _cut(self, one: Threshold, assignment: Assignment) -> Cut:
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
        pipeline = program.pipelines[self.pipeline.name]
        evidence = EvidenceTable(program.evidence if files is None else files)
        bins: dict[tuple[str, bool], tuple[Any, ...]] = {}
        for file, places in _by_file(self.thresholds).items():
            for right in (False, True):
                total = len(evidence[file].confidences[right])
                edges = self._edges(evidence, file, right, places, assignments)
                whole = np.full(len(assignments), total)
                steps = np.diff(np.array([0 * whole, *edges, whole]), axis=0)
                if total:
                    bins[file, right] = tuple(steps / total)
        parameters = Parameters(evidence, lambda site: 0.5, bins=bins)
        model = make_model(program, pipeline, parameters)
        spans = _links(program, pipeline)
        model.repeats = {
            spans[link].span: np.array(
                [int(self.dimensions[at].values[one[at]]) for one in assignments]
            )
            for at, link in self.retries.items()
        }
        totals = sweep(model)
        if parameters.unknown_sites or parameters.left_out:
            return nothing
        priced = all(cost.priced for cost in model.costs.values())
        return list(_read(totals, priced, len(assignments)))

    def _edges(
        self,
        evidence: EvidenceTable,
        file: str,
        right: bool,
        places: Sequence[int],
        assignments: Sequence[Assignment],
    ) -> list[ndarray]:
        """How many confidences lie below each of the distinct thresholds on a file, in order."""
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
            mine = list(_thresholds(program, program.pipelines[self.pipeline.name]))
            assert len(mine) == len(self.thresholds), "what is set moves no test"
        return program


def columns(bench: Bench, pipeline: p.Pipeline, dimensions: list[Dimension]) -> Columns:
    """What works out the assignments of these dimensions."""
    made = Columns(bench, pipeline, dimensions)
    sides = list(_thresholds(bench.program, pipeline))
    compared = {side.span for _, _, side in sides}
    by_span: dict[Span, int] = {}
    by_setting: dict[str, int] = {}
    links = [link.span for link in _links(bench.program, pipeline)]
    for at, one in enumerate(dimensions):
        if one.kind is ChangeKind.RETRY and one.place in links:
            made.retries[at] = links.index(one.place)
        elif one.kind is ChangeKind.THRESHOLD and one.place is not None:
            by_span[one.place] = at
        elif one.setting is not None and _is_cut(bench.program, one.setting, compared):
            by_setting[one.setting] = at
    for file, (value, strict), side in sides:
        by = by_span.get(side.span, by_setting.get(side.setting or ""))
        made.thresholds.append(Threshold(file, strict, value, by))
        if by is not None:
            made.cuts.add(by)
    return made


def _by_file(thresholds: Sequence[Threshold]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for at, one in enumerate(thresholds):
        found.setdefault(one.file, []).append(at)
    return found


def _thresholds(program: p.Program, pipeline: p.Pipeline) -> Iterator[tuple[str, Cut, expr.Const]]:
    """The thresholds of a pipeline and of those that it runs, in the order of its tests."""
    if not program.evidence:
        return
    for one in (pipeline, *pipelines_run(program, pipeline)):
        parameters = Parameters(EvidenceTable(program.evidence), lambda site: 0.5)
        model = make_model(program, one, parameters)
        for _, file, cut, compare in file_cuts(model, list(all_items(model.pipeline.block))):
            assert confidence_cut(compare) is not None
            side = next(x for x in (compare.left, compare.right) if isinstance(x, expr.Const))
            yield file, cut, side


def _links(program: p.Program, pipeline: p.Pipeline) -> list[p.Link]:
    """The links of a pipeline and of those that it runs, in writing order."""
    return [
        link
        for one in (pipeline, *pipelines_run(program, pipeline))
        for item in all_items(one.block)
        if isinstance(item, p.Step)
        for link in inner_links(item.chain)
    ]


def _is_cut(program: p.Program, setting: str, compared: set[Span]) -> bool:
    """Whether a setting is nothing but a threshold: all that reads it compares it so."""
    found = list(_reads(program.pipelines, setting, {}))
    for group in (program.prompts, program.tools, program.roles, program.memories):
        found += _reads(group, setting, {})
    return bool(found) and all(one.span in compared for one in found)


def _reads(node: Any, setting: str, seen: dict[int, Any]) -> Iterator[expr.Const]:
    """The places in part of a program that read a setting."""
    if isinstance(node, (str, int, bool, Decimal, Span)) or node is None or id(node) in seen:
        return
    seen[id(node)] = node
    if isinstance(node, expr.Const):
        if node.setting == setting:
            yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _reads(value, setting, seen)
    elif isinstance(node, (tuple, list, frozenset)):
        for value in node:
            yield from _reads(value, setting, seen)
    else:
        for name in getattr(type(node), "__match_args__", ()):
            yield from _reads(getattr(node, name), setting, seen)


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
