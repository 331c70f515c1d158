"""A pipeline compiled: its arithmetic as a formula of its parameters, asked as often as one likes.

The first question writes the formula down, by a sweep over terms; each further one with parameters
that are 0 or 1 in the same places works it out anew, over floats, arrays of posterior draws, grids
or assignments, or degrees. Read backwards it gives the derivatives by the accuracies of all steps,
those of sub-pipelines too. Where a formula would be too large, each question is a sweep.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.analysis.arithmetic.formula import CompiledFormula, formula
from pipelang.analysis.arithmetic.terms import Term, Trace, Untraceable
from pipelang.analysis.frontier.recorder import Moved, Vectors
from pipelang.analysis.frontier.totals import PLAIN, Totals
from pipelang.analysis.kernels.costs import all_priced
from pipelang.analysis.model.inputs import FormulaInputs, Owner, Source
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.sweep import sweep
from pipelang.collecting import CollectingLater
from pipelang.diagnostics import Span
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.metrics import Unit

FEW_STEPS = 100
"""Up to so many steps, every weight of every state is a term; beyond it, those of a table are one
operand.
"""

STATES_A_STEP = 200
"""States that a sweep goes through for which a pipeline counts as having a step more."""

MOST_FORMULAS = 4
"""Formulas of one pipeline, for parameters that are 0 or 1 in different places."""

GROUPS = ("escalations", "failures", "asked", "reached", "step_costs", "inside")

Slopes = complex
"""d(success)/d(accuracy), and d(silent_error)/d(accuracy) as the imaginary part."""

Repeats = Mapping[Span, Any]
"""The most retries of links, by the links' places, where that differs by column."""


@dataclass(slots=True)
class Compiled:
    """A pipeline, with its formulas as they were needed. After a question, `priced` says whether
    all prices are known, and `work` and `widest` how much a sweep goes through, and at once;
    `model` is one of the pipeline.
    """

    program: p.Program
    pipeline: p.Pipeline
    formulas: list[_Written] = field(default_factory=list)
    beyond: _Written | None = None
    too_large: bool = False
    priced: bool = True
    work: int = 1
    widest: int = 1
    model: PipelineModel | None = None

    def totals(
        self, parameters: Parameters, columns: int = 0, repeats: Repeats | None = None
    ) -> Totals:
        """The totals of a sweep over parameters; `columns` is how long their arrays are."""
        found = self._written(parameters, repeats or {})
        if found is None:
            return self._swept(parameters, columns, repeats or {})
        written, given = found
        parameters.bounded |= written.bounded
        self.priced = written.priced
        return written.totals(given, columns)

    def outcomes_beyond(self, parameters: Parameters) -> Totals | None:
        """The totals by the formula behind importances, which also goes through what is impossible
        and weighs nothing; None where there is none, where it does not fit, or where it met
        something unknown there.
        """
        if self.beyond is None:
            return None
        probe = parameters.forgetting()
        given = self.beyond.given(probe, {})
        if given is None or probe.unknown_sites or probe.left_out:
            return None
        return self.beyond.totals(given, 0)

    def known_totals(self, parameters: Parameters) -> Totals | None:
        """The totals at parameters that are numbers, by a formula that is there already; None where
        none fits. What is impossible may be among them, without weight.
        """
        found = self._fitting(parameters, {})
        return self.outcomes_beyond(parameters) if found is None else found[0].totals(found[1], 0)

    def importances(self, parameters: Parameters) -> dict[Owner, Slopes] | None:
        """The derivatives by the accuracy of every step, at parameters that are numbers; None where
        no formula was written down. What is impossible there is gone through too.
        """
        with CollectingLater():  # all that is made on the way is gone at its end
            found = self._differentiable(parameters)
            return None if found is None else found[0].slopes(found[1])[1]

    def with_slopes(
        self, parameters: Parameters
    ) -> tuple[Totals | None, dict[Owner, Slopes] | None]:
        """The same with the totals."""
        found = self._differentiable(parameters)
        if found is None:
            return None, None
        registers, slopes = found[0].slopes(found[1])
        return found[0].read_off(registers), slopes

    def _differentiable(
        self, parameters: Parameters
    ) -> tuple[_Written, list[tuple[int, Any]]] | None:
        """A formula that fits parameters and has all derivatives, with its inputs."""
        found = self._written(parameters, {}) if self.formulas else None
        if found is None or not found[0].all_slopes:
            found = self._write(parameters, {}, all_slopes=True)
            if found is None:
                return None
            if found[0].keeps:
                self.formulas.append(found[0])
            else:
                self.beyond = found[0]
        parameters.bounded |= found[0].bounded
        self.priced = found[0].priced
        return found

    def _written(
        self, parameters: Parameters, repeats: Repeats
    ) -> tuple[_Written, list[tuple[int, Any]]] | None:
        """The formula that fits parameters, with its inputs; one more is written down if none
        does.
        """
        found = self._fitting(parameters, repeats)
        if found is not None or self.too_large or len(self.formulas) == MOST_FORMULAS:
            return found
        made = self._write(parameters, repeats, all_slopes=False)
        if made is not None:
            self.formulas.append(made[0])
        return made

    def _fitting(
        self, parameters: Parameters, repeats: Repeats
    ) -> tuple[_Written, list[tuple[int, Any]]] | None:
        """A formula that is there and fits parameters, with its inputs."""
        for written in self.formulas:
            # What is asked of parameters that do not fit must not count as used.
            probe = parameters.forgetting()
            try:
                given = written.given(probe, repeats)
            except KeyError:  # it asks for what these parameters do not meet
                continue
            if given is not None:
                parameters.learn(probe)
                return written, given
        return None

    def _write(
        self, parameters: Parameters, repeats: Repeats, all_slopes: bool
    ) -> tuple[_Written, list[tuple[int, Any]]] | None:
        """A formula that fits parameters, with its inputs."""
        if self.too_large:
            return None
        inputs = FormulaInputs(Trace(), all_slopes)
        terms = replace(parameters, inputs=inputs)
        known = self.model
        if known is None:
            known = self.model = make_model(self.program, self.pipeline, parameters)
        model = known.of(terms)
        model.repeats = {place: inputs.repeats(place) for place in repeats}
        vectors = None
        if max(len(model.steps), self.work // STATES_A_STEP) > FEW_STEPS and not repeats:
            vectors = Vectors(inputs.trace, all_slopes)
        try:
            totals = sweep(model, vectors)
            priced = all_priced(model)
            moved = () if vectors is None else tuple(vectors.moved)
            made = formula(
                inputs.trace,
                [one.at for one in _results(totals)],
                [one[0] for one in moved],
            )
        except Untraceable:
            self.too_large = True
            return None
        finally:
            model.let_go()
        written = _Written(
            made,
            inputs.all_sources,
            tuple(inputs.repeated.items()),
            totals,
            moved,
            {owner: tuple(places) for owner, places in inputs.owned.items()},
            all_slopes or not (inputs.fixed_accuracies or inputs.runs),
            not all_slopes or not (inputs.fixed_accuracies or inputs.runs),
            frozenset(inputs.bounded) | known.parameters.bounded,
            priced,
        )
        given = [*inputs.given, *((at, repeats[place]) for place, at in inputs.repeated.items())]
        return written, given

    def _swept(self, parameters: Parameters, columns: int, repeats: Repeats) -> Totals:
        priced = True

        def make(given: Parameters) -> Any:
            model = make_model(self.program, self.pipeline, given)
            model.repeats = repeats
            models.append(model)
            return model

        models: list[Any] = []
        if columns and not repeats:
            from pipelang.analysis.sweep.columns import sweep_columns

            found = sweep_columns(make, parameters, columns, self.widest)
        else:
            found = sweep(make(parameters))
        for model in models:
            parameters.bounded |= model.parameters.bounded
            priced = priced and all_priced(model)
        self.priced, self.widest = priced, found.widest
        return found


@dataclass(slots=True)
class _Written:
    """A formula with its inputs, and the totals as terms; `moved` are the moves of which more is
    read off. `keeps`: it goes through nothing but what the parameters make possible.
    """

    formula: CompiledFormula
    sources: tuple[Source, ...]
    repeats: tuple[tuple[Span, int], ...]
    terms: Totals
    moved: tuple[Moved, ...]
    owned: Mapping[Owner, tuple[int, ...]]
    all_slopes: bool
    keeps: bool
    bounded: frozenset[Unit]
    priced: bool

    def given(self, parameters: Parameters, repeats: Repeats) -> list[tuple[int, Any]] | None:
        """The inputs; None where the formula does not fit these parameters."""
        found: list[tuple[int, Any]] = []
        for source in self.sources:
            given = source.given(parameters)
            if given is None:
                return None
            found += given
        return [*found, *((at, repeats[place]) for place, at in self.repeats)]

    def totals(self, given: list[tuple[int, Any]], columns: int) -> Totals:
        if not columns:
            return self.read_off(self.formula.results(given))
        from pipelang.analysis.sweep.columns import LEAST_COLUMNS, MOST_NUMBERS, side_by_side

        across = self.terms.widest if self.moved else 1
        most = max(LEAST_COLUMNS, MOST_NUMBERS // self.formula.last_uses.widest // across // 4)
        if columns <= most:
            return self.read_off(self.formula.results(given))
        found = []
        for start in range(0, columns, most):
            part = slice(start, min(columns, start + most))
            mine = [(at, _cut(value, part, columns)) for at, value in given]
            found.append((self.read_off(self.formula.results(mine)), part.stop - part.start))
        return side_by_side(found)

    def read_off(self, registers: list[Any]) -> Totals:
        """The totals, from all registers."""

        def worked_out(value: Any) -> Any:
            return registers[value.at] if isinstance(value, Term) else value

        def all_worked_out(group: Mapping[Any, Any]) -> dict[Any, Any]:
            return {
                key: registers[value.at] if isinstance(value, Term) else value
                for key, value in group.items()
            }

        terms = self.terms
        found = Totals(work=terms.work, widest=terms.widest)
        for name in PLAIN:
            setattr(found, name, worked_out(getattr(terms, name)))
        for name in GROUPS:
            setattr(found, name, all_worked_out(getattr(terms, name)))
        found.endings = {
            key: (outcome, worked_out(weight)) for key, (outcome, weight) in terms.endings.items()
        }
        if self.moved:  # as only long pipelines have
            from pipelang.analysis.sweep.reading_off import read_off

            read_off(self.moved, registers, found)
        return found

    def slopes(self, given: list[tuple[int, Any]]) -> tuple[list[Any], dict[Owner, Slopes]]:
        """All registers, and the derivatives by the accuracies of steps."""
        registers = self.formula.registers(given)
        seeds = [
            (figure.at, seed)
            for figure, seed in ((self.terms.success, 1 + 0j), (self.terms.silent_error, 1j))
            if isinstance(figure, Term)
        ]
        slopes, both = self.formula.slopes(registers, seeds)
        for owner, places in self.owned.items():
            both[owner] = both.get(owner, 0j) + sum((slopes[at] for at in places), 0j)
        return registers, both


def _cut(value: Any, part: slice, columns: int) -> Any:
    """Some columns of the value of an input; of a bundle, those of each of its values."""
    if isinstance(value, tuple):
        return tuple([_cut(one, part, columns) for one in value])
    return value[part] if getattr(value, "shape", ()) == (columns,) else value


def _results(totals: Totals) -> list[Term]:
    found: list[Any] = [getattr(totals, name) for name in PLAIN]
    for name in GROUPS:
        found += getattr(totals, name).values()
    found += [weight for _, weight in totals.endings.values()]
    return [one for one in found if isinstance(one, Term)]
