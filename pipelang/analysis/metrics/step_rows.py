"""The rows of steps: how reliable each is by itself, how often it is reached, what hangs on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, overload

from pipelang.analysis.frontier.totals import COSTS, REACHED
from pipelang.analysis.metrics.importance import inner_steps
from pipelang.analysis.metrics.metrics import Figures, if_finite
from pipelang.analysis.metrics.open_amounts import OpenAmounts
from pipelang.analysis.metrics.readings import by_name
from pipelang.analysis.metrics.step_reliability import own_reliabilities
from pipelang.analysis.model.intervals import UNCOMPUTED, Number, certain
from pipelang.analysis.model.model import PipelineModel
from pipelang.analysis.sweep.bounds_over_unknowns import Read
from pipelang.analysis.sweep.compiled import Slopes
from pipelang.records import NamedTuple
from pipelang.semantics.chance import Basis
from pipelang.semantics.metrics import Unit


class StepRow(NamedTuple):
    """A step in the report. `own` is P(answers and is right | reached, arguments right).

    `importance_*` are the derivatives of an outcome by the step's accuracy (Birnbaum importance).
    A step of a sub-pipeline is `child.step`; `reached` and `cost_mean` are then sums over all runs
    of the child, so that it may be reached more than once.
    """

    name: str
    own: float | None
    reached: Number
    importance_success: Number
    importance_silent_error: Number
    cost_mean: Number


Derivatives = Mapping[tuple[str, str], Slopes]
"""Importances, by pipeline and step."""


class StepRows(Sequence[StepRow]):
    """Rows of which all is certain, as columns: a row is made when it is read. Most of 10,000 are
    not, and columns are soon freed, and soon looked through for garbage.
    """

    __slots__ = ("_bases", "_columns", "_names")

    def __init__(
        self,
        names: Sequence[str],
        own: Sequence[float | None],
        reached: Sequence[float],
        slopes: Sequence[Slopes],
        costs: Sequence[float],
        bases: tuple[Basis, Basis],
    ) -> None:
        self._names = names
        success, silent = [one.real for one in slopes], [one.imag for one in slopes]
        self._columns: tuple[Sequence[Any], ...] = (names, own, reached, success, silent, costs)
        self._bases = bases  # of all figures, and of amounts

    def __len__(self) -> int:
        return len(self._names)

    @overload
    def __getitem__(self, at: int) -> StepRow: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[StepRow]: ...
    def __getitem__(self, at: int | slice) -> StepRow | Sequence[StepRow]:
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        return self._row(*[column[at] for column in self._columns])

    def __iter__(self) -> Iterator[StepRow]:
        return map(self._row, *self._columns)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and [*self] == [*other]

    __hash__ = None  # type: ignore[assignment]

    def _row(
        self,
        name: str,
        own: float | None,
        often: float,
        success: float,
        silent: float,
        cost: float,
    ) -> StepRow:
        basis, of_amounts = self._bases
        matters = certain(success, basis), certain(silent, basis)
        spent = if_finite(certain(cost, of_amounts if cost else basis))
        return StepRow(name, own, certain(often, basis), *matters, spent)


def step_rows(
    model: PipelineModel, figure: Figures, derivatives: Derivatives | None, amounts: OpenAmounts
) -> Sequence[StepRow]:
    """The steps of a pipeline, in writing order."""
    unknown, here = bool(model.parameters.unknown_sites), model.pipeline.name
    if model.parameters.left_out or derivatives is None:
        derivatives = {}
    own = {} if unknown else own_reliabilities(model)
    if derivatives and figure.is_certain and not amounts.any_of_steps:
        names, basis = list(model.steps), figure.basis
        totals, never = figure.point, repeat(0.0)
        return StepRows(
            names,
            [*own.values()] or [None] * len(names),
            [*map(float, map(totals.reached.get, names, never))],
            [*map(derivatives.get, zip(repeat(here), names), repeat(NEVER))],
            [*map(float, map(totals.step_costs.get, names, never))],
            (basis, figure.of_amounts(basis, Unit.MONEY)),
        )
    rows, basis = [], figure.basis
    for name in model.steps:
        often = figure.number(by_name("reached", name))
        cost = figure.number(by_name("step_costs", name), unit=False)
        matters = (UNCOMPUTED, UNCOMPUTED)
        if derivatives:
            slope = derivatives.get((here, name), NEVER)
            matters = certain(slope.real, basis), certain(slope.imag, basis)
        spent = amounts.of_step(here, name, figure.amount(cost, Unit.MONEY))
        rows.append(StepRow(name, own.get(name), often, *matters, spent))
    return tuple(rows)


def read_by_rows(model: PipelineModel) -> Iterator[Read]:
    """The readings of the figures in all rows."""
    for name in model.steps:
        yield by_name("reached", name)
        yield by_name("step_costs", name)
    for child, step in inner_steps(model):
        for what in (REACHED, COSTS):
            yield by_name("inside", (child.pipeline.name, step.name, what))


NEVER: Slopes = 0j
"""The importances of a step that is never reached."""


def inner_step_rows(
    model: PipelineModel, figure: Figures, derivatives: Derivatives | None, amounts: OpenAmounts
) -> tuple[StepRow, ...]:
    """The steps of the pipelines that one runs."""
    unknown = bool(model.parameters.unknown_sites)
    if model.parameters.left_out:
        derivatives = None
    rows = []
    own: dict[str, Mapping[str, float | None]] = {}
    for child, step in inner_steps(model):
        pipeline, name = child.pipeline.name, step.name
        if pipeline not in own:
            own[pipeline] = {} if unknown else own_reliabilities(child)
        reached = by_name("inside", (pipeline, name, REACHED))
        cost = by_name("inside", (pipeline, name, COSTS))
        success = silent = UNCOMPUTED
        if derivatives:
            slope = derivatives.get((pipeline, name), NEVER)
            success, silent = certain(slope.real, figure.basis), certain(slope.imag, figure.basis)
        rows.append(
            StepRow(
                f"{pipeline}.{name}",
                own[pipeline].get(name),
                amounts.visits(pipeline, figure.number(reached, unit=False)),
                success,
                silent,
                amounts.of_step(
                    pipeline, name, figure.amount(figure.number(cost, unit=False), Unit.MONEY)
                ),
            )
        )
    return tuple(rows)
