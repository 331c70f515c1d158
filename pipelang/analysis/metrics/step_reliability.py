"""A step's own reliability: P(it answers and is right | everything that it reads is right)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.analysis.arithmetic.movers import CompiledMove, compiled_move
from pipelang.analysis.arithmetic.terms import Term, Trace
from pipelang.analysis.frontier.table import Table
from pipelang.analysis.kernels.chains import StepKernel
from pipelang.analysis.kernels.conditions import perform
from pipelang.analysis.kernels.hard_cases import in_each_class
from pipelang.analysis.kernels.prepared_step import prepare
from pipelang.analysis.model.inputs import Arguments, is_certain
from pipelang.analysis.model.model import RIGHT, PipelineModel
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.plain_steps import outlines_of
from pipelang.analysis.sweep.shapes import Form, Outline, form_of
from pipelang.analysis.sweep.sweep import sweep_from
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance


def own_reliabilities(model: PipelineModel) -> dict[str, float | None]:
    """P(answers and is right | arguments right) of each step, over outages, routes and hard cases;
    None where it hangs on what nobody declared, as that of a step may that is never reached. No
    figure hangs on it then, so it is none of the unknowns.
    """
    steps = list(model.steps.values())
    outlines = outlines_of(model)
    found: list[float | None] = []

    def act(of_class: PipelineModel, cases: Table) -> None:
        nonlocal found
        share, alike = float(cases.total()), dict[Outline | None, float | None]()
        here: list[float | None] = []
        for step, outline in zip(steps, outlines, strict=True):
            if outline in alike:
                here.append(alike[outline])
                continue
            mine = _of_class(of_class, step, outline)
            mine = None if mine is None else share * mine
            here.append(mine)
            if outline is not None:
                alike[outline] = mine
        found = [*map(_both, found, here)] if found else here

    in_each_class(model, Table(), act)
    return dict(zip(model.steps, found, strict=True))


def _both(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _of_class(model: PipelineModel, step: p.Step, outline: Outline | None) -> float | None:
    """The same in one class of cases; of one outline it is the same, whether known or not."""
    form = None if outline is None else form_of(model, step, outline)
    if form is None:
        return _if_known(model.parameters, float(_own(model, step)))
    return _if_known(model.parameters, _of_form(model, step, form))


def _if_known(parameters: Parameters, share: float) -> float | None:
    """A share that has just been worked out; None where that asked for what nobody declared, which
    is forgotten.
    """
    if not parameters.unknown_sites:
        return share
    for site in parameters.unknown_sites:
        parameters.bases.pop(site, None)
    parameters.unknown_sites.clear()
    return None


def _of_form(model: PipelineModel, step: p.Step, form: Form) -> float:
    """A function of the rates, which is compiled once for all steps of one structure."""
    values = [*map(model.parameters.value, form.chances)]
    certain: tuple[tuple[int, float], ...] = ()
    if 0.0 in values or 1.0 in values:
        certain = tuple([(at, value) for at, value in enumerate(values) if is_certain(value)])
    key = ("own", form.structure, certain)
    known: CompiledMove | None = model.prepared.get(key)
    if known is None:
        known = model.prepared[key] = _compiled(model, step, form.chances, dict(certain))
    if certain:
        fixed = dict(certain)
        values = [value for at, value in enumerate(values) if at not in fixed]
    return float(known.forward(ONE, values)[0][0])


ONE = ((1.0,), ())
"""The weights of a single state, of which nothing else has come."""


def _compiled(
    model: PipelineModel, step: p.Step, chances: tuple[Chance, ...], fixed: Mapping[int, float]
) -> CompiledMove:
    """A step's own reliability as a move from one state to one, from the chances not `fixed`."""
    trace = Trace()
    terms = [fixed[at] if at in fixed else trace.new() for at in range(len(chances))]
    inputs = Arguments(dict(zip(chances, terms, strict=True)))
    parameters = replace(model.parameters, inputs=inputs)
    total = _own(replace(model, parameters=parameters, prepared={}), step)
    arguments = [one for one in terms if isinstance(one, Term)]
    return compiled_move(1, 1, [(0, 0, total)], (), arguments, ())


def _own(model: PipelineModel, step: p.Step) -> Any:
    kernel = StepKernel(prepare(model, step, frozenset()), sweep_from)
    reads = kernel.prepared.reads
    bits = tuple(key for key in reads if key[0] == "value")
    table = perform(Table(bits, {(RIGHT,) * len(bits): 1.0}), kernel.prepared.plan)
    total: Any = 0.0
    for state, weight in table.weights.items():
        values = dict(zip(table.slots, state, strict=True))
        closed = kernel.close(values, frozenset(), None, again=False)
        right = sum(chance for (right, *_), chance in closed.answers.items() if right)
        total = total + weight * right
    return total
