"""The analysis of one pipeline: a sweep for the point, one for the posterior, the worst run.

Everything that `check` reports about a pipeline's behaviour is worked out here, as plain data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pipelang.analysis.budgets.cuts import Cut, possible_cuts
from pipelang.analysis.frontier.totals import arrivals
from pipelang.analysis.latency.critical import critical_path
from pipelang.analysis.latency.figures import PAIRS, SpendingFigures, spent, time_figures
from pipelang.analysis.latency.worst_cost import Worst, worst_run
from pipelang.analysis.metrics.importance import all_importances
from pipelang.analysis.metrics.metrics import (
    Averaged,
    Figures,
    averaged,
    swept_figures,
)
from pipelang.analysis.metrics.objectives import UNDECLARED, UNFINISHED, ObjectiveVerdict, decide
from pipelang.analysis.metrics.open_amounts import open_amounts, with_open_amounts, within_worst
from pipelang.analysis.metrics.prompt_caching import PromptCaching, prompt_caching
from pipelang.analysis.metrics.readings import SWEPT, arrivals_at, by_name, reader_of
from pipelang.analysis.metrics.sensitivity import Sensitivity, sensitivity
from pipelang.analysis.metrics.step_rows import (
    StepRow,
    inner_step_rows,
    read_by_rows,
    step_rows,
)
from pipelang.analysis.model.inputs import Owner
from pipelang.analysis.model.intervals import Number
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.model.work_limit import Reached, logged
from pipelang.analysis.sweep.bounds_over_unknowns import Enclosed, Read, enclosed, look_behind
from pipelang.analysis.sweep.compiled import Compiled, Slopes
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.collecting import CollectingLater
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.metrics import COST_BASELINE, COST_MEAN, ESCALATION, Unit, metric_of

if TYPE_CHECKING:
    from pipelang.analysis.budgets.enclosures import BudgetedRuns
    from pipelang.analysis.metrics.drawn_figures import DrawnFigures

MOST_BASELINES = 200_000
"""States times tiers; beyond it nobody is told what a pipeline would cost at each of them."""


@dataclass(frozen=True, slots=True)
class Analysis:
    """The predicted behaviour of a pipeline: all its metrics.

    `baseline` is the mean cost with every model call at one tier; `critical` names what most of a
    run's time goes by, of `latency` and of `turnaround`; `asked` is how many cases a run sends
    to a role. `bases` says of every parameter that was used, by its site, how well founded it is;
    `counts` are the cases behind the measured ones: how many were good, of how many. `inner` are
    the steps of the pipelines that it runs, whose costs are part of those of the `steps` that run
    them. `cuts` are the limits of budgets that a run may reach, `cut` is how many runs they cut
    (None: no run reaches any); `within`: the worst run passes none. `draws`
    of the posterior are behind the intervals, 0 where there is none or it was not drawn. `reached`
    are limits of work that were reached, `late` says that the clock was one of them. `sensitivity`
    is how much hard cases that nobody declared could matter; `shifts` are by how much measured
    shares may be off, by their sites and the names of files' bins. `caching` is what prompt caches
    are estimated to save of the mean run. `swept` are the figures of one sweep over what is
    written, by which changes are judged; None where something unknown decides. `open_figures` are
    the names of amounts of which a sweep counts a part (see `open_amounts`). `compiled` has the
    formulas that were written down on the way, where they were over few states.
    """

    pipeline: p.Pipeline
    numbers: dict[str, Number]
    escalations: dict[str, Number]
    steps: Sequence[StepRow]
    inner: tuple[StepRow, ...]
    slo: tuple[ObjectiveVerdict, ...]
    worst: Worst | None
    unknown: tuple[str, ...]
    measured: tuple[str, ...]
    unpriced: tuple[str, ...]
    baseline: Mapping[str, Number] = field(default_factory=dict)
    critical: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asked: Mapping[str, Number] = field(default_factory=dict)
    bases: Mapping[str, Basis] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    cuts: tuple[Cut, ...] = ()
    cut: Number | None = None
    within: bool = False
    draws: int = 0
    reached: tuple[Reached, ...] = ()
    late: bool = False
    sensitivity: Sensitivity | None = None
    shifts: Mapping[str, float] = field(default_factory=dict)
    caching: PromptCaching | None = None
    swept: Mapping[str, float] | None = None
    open_figures: frozenset[str] = frozenset()
    compiled: Compiled | None = field(default=None, compare=False, repr=False)

    @property
    def undeclared(self) -> int:
        """The number of figures that nobody declared."""
        return figures_of(self.unknown)


_OF_ONE = re.compile(r"\[\d+\]$")


def figures_of(sites: Iterable[str]) -> int:
    """The number of figures that some parameters are of; those of a distribution are of one."""
    return len({_OF_ONE.sub("", site) for site in sites})


def analyse(program: p.Program, pipeline: p.Pipeline, promises: bool = False) -> Analysis:
    """Analyse a pipeline. Never fails: what cannot be worked out is left open and said so. Where
    only its `promises` are asked for, what they do not need is left out: importances, baselines,
    the sensitivity; and what is spent, but for what is promised of it, and where another promise is
    not kept.
    """
    with CollectingLater(), logged() as log:
        found = _analyse(program, pipeline, promises)
    if not log.found:
        return found
    slo = found.slo if found.unknown else tuple(map(_unfinished, found.slo))
    return replace(found, reached=log.reached(), late=log.late, slo=slo)


def _unfinished(verdict: ObjectiveVerdict) -> ObjectiveVerdict:
    """A verdict that only a limit of work leaves open, in words that say so."""
    return replace(verdict, why=UNFINISHED) if verdict.why == UNDECLARED else verdict


MOST_KEPT = 20_000
"""States of a sweep whose formulas are kept with the analysis."""

MANY_STEPS = 500
"""Above it the point is swept once, with derivatives, and not once without and once with them."""


def _at_point(
    program: p.Program, pipeline: p.Pipeline, compiled: Compiled
) -> tuple[PipelineModel, Totals, dict[Owner, Slopes] | None]:
    """The pipeline swept at the point estimate; importances where they came along.

    With derivatives a sweep also goes through what is impossible at the point. What it meets there
    must not count as used, so where something is unknown it is swept once more without.
    """
    model = compiled.model = make_model(program, pipeline, point_parameters(program))
    if len(model.steps) > MANY_STEPS and not any(sub_pipelines(pipeline.block)):
        totals, slopes = compiled.with_slopes(model.parameters)
        if totals is not None and not model.parameters.unknown_sites:
            return model, totals, slopes
        model.let_go()
        model = compiled.model = make_model(program, pipeline, point_parameters(program))
    totals = sweep(model)
    compiled.work, compiled.widest = totals.work, totals.widest
    return model, totals, None


def _analyse(program: p.Program, pipeline: p.Pipeline, promises: bool) -> Analysis:
    compiled = Compiled(program, pipeline)
    model, totals, derivatives = _at_point(program, pipeline, compiled)
    point = model.parameters
    swept = swept_figures(model, totals) if derivatives is None else None
    worst = worst_run(model)
    amounts = open_amounts(model)
    unpriced = amounts.unpriced
    look_behind(compiled, point)
    # Bounds over unknowns are for whole sweeps; what was left out leaves none.
    bounded = None if point.left_out else enclosed(compiled, point, totals.work)
    # Before anything is drawn: what walks take for a moment and what draws are would add up.
    taken = None if promises else spent(model, bounded, totals.work)
    drawn = _NOT_DRAWN
    if point.counted or point.counted_bins:
        drawn = _drawn(compiled, point, bounded, totals)
    if derivatives is None and not (promises or point.unknown_sites or point.left_out):
        derivatives = all_importances(compiled, point)
    figure = Figures(totals, drawn.figures, point, bounded, drawn.means)
    roles = list(arrivals(totals if bounded is None else bounded.degrees))
    if drawn.figures is not None:
        figure.expect([*figure.read_by_all(), *_named_reads(model, totals, roles)], pipeline.slo)
    if point.unknown_sites and point.bounded:
        from pipelang.analysis.metrics.certain_part import certain_part

        figure.parts = {unit: certain_part(model, unit) for unit in point.bounded}
    numbers = figure.all(pipeline, worst, unpriced)
    families = _promised(pipeline, figure) if promises else ()
    if families and _keeps_outcomes(pipeline, numbers, figure):
        taken = spent(model, bounded, totals.work, families)
    numbers |= time_figures(model, taken)
    if taken is not None:
        spending = taken.numbers(point.known_basis, not unpriced, Unit.MONEY in point.bounded)
        numbers |= {
            name: figure.at_any_lengths(number, metric_of(name).unit)
            for name, number in spending.items()
        }
    numbers = within_worst(with_open_amounts(numbers, amounts, pipeline.name))
    promised = any(COST_BASELINE in line.metric for line in pipeline.slo)
    baseline: Mapping[str, Number] = {}
    if promised or not promises:
        baseline = _baselines(program, pipeline, point, totals.work, figure)
    tiers: dict[str, Number] = {}
    if promised:
        tiers = {f'{COST_BASELINE}["{tier}"]': number for tier, number in baseline.items()}
    slo = []
    for line in pipeline.slo:
        if line.when is not None:
            most = numbers.get(f"{line.metric.partition('.')[0]}.worst")
            is_open = amounts.leaves(line.metric, pipeline.name)
            slo.append(_under_a_condition(figure, model, line, most, is_open))
            continue
        number = numbers.get(line.metric) or tiers.get(line.metric)
        read = reader_of(line.metric)
        if number is None and read is not None:
            number = figure.number(read)
        probability = figure.probability(line)
        if taken is not None and probability is None and line.metric in taken.ranges:
            probability = taken.ranges[line.metric].probability(line.op, float(line.target))
        if amounts.leaves(line.metric, pipeline.name):
            probability = None
        slo.append(_of_bound(decide(line, number, probability), model))
    escalations = {name: figure.number(by_name("escalations", name)) for name in totals.escalations}
    asked = {role: figure.number(arrivals_at(role), unit=False) for role in roles}
    cuts, cut = tuple(possible_cuts(model)), None
    is_cut = False
    if cuts:
        from pipelang.analysis.budgets.enclosures import budgeted_runs

        runs = budgeted_runs(model, cuts, bounded, totals)
        cut = runs.cut()
        is_cut = bool(cut.high)
        if is_cut:
            from pipelang.analysis.metrics.asked_with_cuts import asked_with_cuts
            from pipelang.analysis.metrics.cut_numbers import (
                escalations_with_cuts,
                goes_on,
                with_cuts,
            )

            going_on = goes_on(program, pipeline, cuts)
            numbers = with_cuts(numbers, runs, pipeline, going_on)
            asked = asked_with_cuts(program, pipeline, asked, escalations, runs, cuts, going_on)
            escalations = escalations_with_cuts(program, pipeline, escalations, runs)
            slo = [
                _with_cuts(one, runs, numbers, escalations, cuts[0], pipeline, going_on)
                for one in slo
            ]
    found = Analysis(
        pipeline=pipeline,
        numbers=numbers,
        escalations=escalations,
        steps=step_rows(model, figure, derivatives, amounts),
        inner=inner_step_rows(model, figure, derivatives, amounts),
        slo=tuple(slo),
        worst=worst,
        unknown=tuple(point.unknown_sites),
        measured=tuple(point.counted),
        unpriced=unpriced,
        open_figures=frozenset(n for n in numbers if amounts.leaves(n, pipeline.name)),
        baseline=baseline,
        asked=asked,
        critical={} if taken is None else _critical(model, taken),
        bases=dict(point.bases),
        counts=dict(point.counted),
        cuts=cuts if cut is None or cut.high else (),
        cut=cut if cut is not None and cut.high else None,
        within=not cuts,
        draws=0 if drawn.figures is None else drawn.figures.rows.each,
        sensitivity=None if promises else sensitivity(compiled, model, totals, bounded),
        shifts=dict(point.shifts),
        caching=None if promises or point.left_out or is_cut else prompt_caching(model),
        swept=swept,
        compiled=compiled if totals.work <= MOST_KEPT else None,
    )
    model.let_go()
    return found


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The figures over draws of the posterior, at each point of a grid over what nobody declared;
    and those that are averaged over it.
    """

    figures: DrawnFigures | None = None
    means: Averaged | None = None


_NOT_DRAWN = _Drawn()


def _drawn(
    compiled: Compiled, point: Parameters, bounded: Enclosed | None, totals: Totals
) -> _Drawn:
    """The figures over draws of what was counted; none where what nobody declared keeps them from
    being worked out.
    """
    from pipelang.analysis.metrics.drawn_figures import drawn_figures
    from pipelang.analysis.model.posterior import draws_beside, draws_for, looked_at, posterior
    from pipelang.analysis.sweep.posterior_rows import posterior_rows

    unknown, work = bool(point.unknown_sites), totals.work
    if unknown and (point.left_out or bounded is None):
        return _NOT_DRAWN
    drawn, draws = posterior(point, work), draws_for(work)
    grid = None if bounded is None or not unknown else bounded.grid
    grid = None if grid is None else looked_at(grid, work)
    at_points = 0 if grid is None else draws_beside(grid.size, work)
    rows = posterior_rows(compiled, point, drawn, at_points or draws, grid if at_points else None)
    means = None if unknown or point.left_out else averaged(compiled, point)
    return _Drawn(drawn_figures(compiled, rows, totals), means)


def _named_reads(model: PipelineModel, totals: Totals, roles: Iterable[str]) -> Iterator[Read]:
    """The readings of the figures that a pipeline has by names: exits, roles, steps."""
    for name in totals.escalations:
        yield by_name("escalations", name)
    for line in model.pipeline.slo:
        read = reader_of(line.metric)
        if line.when is None and read is not None and metric_of(line.metric).name != line.metric:
            yield read
    yield from map(arrivals_at, roles)
    yield from read_by_rows(model)


def _promised(pipeline: p.Pipeline, figure: Figures) -> list[str]:
    """The families of figures that only a walk gives and that are promised. The mean cost is a
    sweep's, and so is how sure it is, wherever there is a posterior of it.
    """
    lines = [line for line in pipeline.slo if line.when is None]
    walked = {
        metric_of(line.metric).family
        for line in lines
        if line.metric != COST_MEAN or figure.probability(line) is None
    }
    return [name for name in PAIRS if name in walked]


def _keeps_outcomes(pipeline: p.Pipeline, numbers: Mapping[str, Number], figure: Figures) -> bool:
    """Whether all promises are kept that a sweep decides."""
    lines = [line for line in pipeline.slo if line.when is None and line.metric in SWEPT]
    verdicts = [decide(one, numbers.get(one.metric), figure.probability(one)) for one in lines]
    return all(verdict.holds for verdict in verdicts)


def _with_cuts(
    verdict: ObjectiveVerdict,
    runs: BudgetedRuns,
    numbers: Mapping[str, Number],
    escalations: Mapping[str, Number],
    cut: Cut,
    pipeline: p.Pipeline,
    going_on: bool,
) -> ObjectiveVerdict:
    """A promise where budgets may cut runs."""
    from pipelang.analysis.metrics.cut_numbers import decided_with_cuts

    line = verdict.line
    kind, _, name = line.metric.partition(".")
    number = escalations.get(name) if kind == ESCALATION and name else numbers.get(line.metric)
    number = number or verdict.number
    return decided_with_cuts(line, verdict, runs, number, cut.words, pipeline.budget, going_on)


def _of_bound(verdict: ObjectiveVerdict, model: PipelineModel) -> ObjectiveVerdict:
    """The verdict of a promise: one that a bound leaves open may be missed at any lengths."""
    if verdict.holds is None and verdict.number and verdict.number.basis is Basis.BOUND:
        from pipelang.analysis.metrics.certain_part import missed_at_any_lengths

        return missed_at_any_lengths(verdict, model)
    return verdict


def _under_a_condition(
    figure: Figures, model: PipelineModel, line: p.SloLine, worst: Number | None, is_open: bool
) -> ObjectiveVerdict:
    """An objective for some of the runs. `worst` is the most that any run takes of its metric, an
    amount: it bounds that of some of them, whatever is not known about these. `is_open`: a sweep
    does not know all that they take.
    """
    from pipelang.analysis.metrics.conditional_metrics import Conditioned, conditioned

    found = conditioned(model.program, model.pipeline, model.parameters, line)
    if is_open and found.number is not None:
        found = Conditioned(None, f"`{line.metric}` is not known")
    verdict = ObjectiveVerdict(line, None, None, None, found.why)
    if found.number is not None:
        number = figure.at_any_lengths(found.number, metric_of(line.metric).unit)
        verdict = _of_bound(decide(line, number, found.probability(line)), model)
    if verdict.holds is None and worst is not None and worst.high is not None and found.some:
        known = verdict.number
        least = 0.0 if known is None or known.basis is Basis.BOUND else known.low or 0.0
        most = Number(None, min(least, worst.high), worst.high, None, Basis.UNKNOWN, tight=False)
        bound = decide(line, most, None)
        return verdict if bound.holds is None else bound
    return verdict


def _baselines(
    program: p.Program, pipeline: p.Pipeline, point: Parameters, work: int, figure: Figures
) -> Mapping[str, Number]:
    """The mean cost at each tier of the program. Where a bound may be left open for want of work,
    now, while it is written down what was; else when somebody reads them.
    """
    from pipelang.analysis.metrics.baseline_cost import Baselines, baselines

    if work * len(program.tiers) > MOST_BASELINES:
        return {}
    if point.unknown_sites or point.left_out:
        return baselines(program, pipeline, figure.basis)
    return Baselines(program, pipeline, figure.basis)


def _critical(model: PipelineModel, taken: SpendingFigures) -> dict[str, tuple[str, ...]]:
    return {name: critical_path(model.pipeline.block, times) for name, times in taken.times.items()}
