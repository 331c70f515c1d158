"""Hard cases: one hidden bit of a run, drawn before everything else.

All that a run does reads the bit, so instead of carrying it in every state, the first table is
split by it, and each part is swept with the rates of its class. What the parts add up to is what
one frontier with the bit in it would.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.frontier.table import Table, assign, forget, split
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import replace
from pipelang.semantics.chance import Chance
from pipelang.semantics.kernels.hard import share_of_hard

HARDNESS: Key = ("hard",)


def in_each_class(
    model: PipelineModel, start: Table, act: Callable[[PipelineModel, Table], None]
) -> None:
    """Do something with the states that a root's runs start from: once, or where a rate depends on
    it, for the cases that are not hard and for those that are, by a model of their own.
    """
    share = share_of(model)
    if share is None:
        act(model, start)
        return
    parameters = model.parameters
    hard = parameters.value(share)
    drawn = assign(start, (HARDNESS,), (), lambda seen: [((False,), 1 - hard), ((True,), hard)])
    try:
        for is_hard, part in split(drawn, (HARDNESS,), lambda seen: bool(seen[0])).items():
            parameters.hard, parameters.handled, parameters.unrolled = is_hard, 0, 0
            act(_of_class(model, is_hard), forget(part, lambda key: key != HARDNESS))
    finally:
        parameters.hard = False


def share_of(model: PipelineModel) -> Chance | None:
    """The share of hard cases; None where no rate depends on it."""
    key = "share of hard cases"
    if key not in model.shapes:
        model.shapes[key] = share_of_hard(model.program, model.pipeline)
    known: Chance | None = model.shapes[key]
    return known


def _of_class(model: PipelineModel, hard: bool) -> PipelineModel:
    """The model of one class: what was worked out for the other does not hold here."""
    key = ("of class", hard)
    if key not in model.prepared:
        model.prepared[key] = replace(model, prepared={}, children={})
    made: PipelineModel = model.prepared[key]
    made.meter, made.marked, made.watched = model.meter, model.marked, model.watched
    return made
