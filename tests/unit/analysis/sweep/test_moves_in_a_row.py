"""Moves in a row as one operation, with arguments that are one input: what the formula of a long
pipeline says is what a sweep over the same numbers says, whatever it is asked of.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from benchmarks.sources import as_pipe, series_parallel, with_own_rates
from pipelang.analysis.arithmetic.movers import EdgeList
from pipelang.analysis.arithmetic.terms import OperationKind
from pipelang.analysis.frontier.totals import PLAIN, Totals
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.sweep import columns as module
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import sweep
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

STEPS = 130
"""More than have each weight as a term."""
COLUMNS = 7


def built(text: str) -> p.Program:
    found = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert found.program is not None, found.diagnostics
    return found.program


def counted(accuracy: str = "180 of 200", succeeds: str = "90 of 100") -> str:
    """Steps whose tools were counted, so that arrays may be asked for."""
    text = as_pipe(series_parallel(STEPS))
    text = text.replace("accuracy 99.9999%", f"accuracy {accuracy}")
    return text.replace("succeeds 99.9999%", f"succeeds {succeeds}")


def asked(program: p.Program, measured: dict[str, Any]) -> Parameters:
    point = point_parameters(program)
    return Parameters(point.evidence, point.unknown, measured)


def sites(program: p.Program) -> list[str]:
    point = point_parameters(program)
    sweep(make_model(program, program.pipelines["main"], point))
    return [*point.counted]


def swept(program: p.Program, measured: dict[str, Any]) -> Totals:
    return sweep(make_model(program, program.pipelines["main"], asked(program, measured)))


@pytest.mark.parametrize("most", [COLUMNS, 3])  # all columns at once, and some at a time
def test_arrays_are_their_columns(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_COLUMNS", most)
    monkeypatch.setattr(module, "MOST_NUMBERS", 1)
    program = built(counted())
    names = sites(program)
    assert names
    drawn = {name: np.linspace(0.5, 0.9, COLUMNS) + at / 50 for at, name in enumerate(names)}
    compiled = Compiled(program, program.pipelines["main"])
    together = compiled.totals(asked(program, drawn), COLUMNS)
    figures = {name: np.broadcast_to(getattr(together, name), COLUMNS) for name in PLAIN}
    assert len({*figures["success"]}) == COLUMNS
    for column in range(COLUMNS):
        alone = swept(program, {name: float(values[column]) for name, values in drawn.items()})
        for name in PLAIN:
            assert figures[name][column] == pytest.approx(getattr(alone, name), rel=1e-12)
        for step, often in alone.reached.items():
            found = np.broadcast_to(together.reached[step], COLUMNS)[column]
            assert found == pytest.approx(often, rel=1e-12)


@pytest.mark.parametrize("which", [0, 1])
def test_a_formula_is_for_rates_that_are_certain_in_the_same_places(which: int) -> None:
    """Where one becomes certain, or no longer is, another formula is written down."""
    program = built(counted())
    names = sites(program)
    compiled = Compiled(program, program.pipelines["main"])
    for share in (0.8, 1.0, 0.7, 0.0, 1.0):
        measured = {names[0]: 0.9, names[1]: 0.95, names[which]: share}
        found, alone = compiled.totals(asked(program, measured)), swept(program, measured)
        for name in PLAIN:
            assert getattr(found, name) == pytest.approx(getattr(alone, name), rel=1e-12, abs=1e-15)
    assert len(compiled.formulas) == 3


@pytest.mark.parametrize("share", [0.9, 1.0])
def test_importances_of_moves_in_a_row_are_slopes(share: float) -> None:
    """Also by an accuracy that is 1, which is no argument of the figures."""
    program = built(counted())
    names = sites(program)
    accuracy = next(name for name in names if "accuracy" in name)
    compiled = Compiled(program, program.pipelines["main"])
    compiled.totals(asked(program, {accuracy: share}))  # a formula that may have no slopes
    slopes = compiled.importances(asked(program, {accuracy: share}))
    assert slopes is not None
    h = 1e-6
    below = swept(program, {accuracy: share - 2 * h})
    middle = swept(program, {accuracy: share - h})
    above = swept(program, {accuracy: share})
    by_all = (3 * above.success - 4 * middle.success + below.success) / (2 * h)
    steps = [step for step in slopes if step[0] == "main"]
    called = sum(slopes[step].real for step in steps)
    two = [name for name in names if "accuracy" in name]
    assert len(two) == 2  # one for each tool: the slope by one is that of its steps
    ours = sum(
        slopes["main", item.name].real
        for item in program.pipelines["main"].block.items
        if isinstance(item, p.Step) and item.chain.links[0].accuracy.site == accuracy
    )
    assert abs(ours) < abs(called)
    assert ours == pytest.approx(by_all, rel=1e-4)


def test_steps_in_a_row_are_one_operation() -> None:
    program = built(with_own_rates(series_parallel(STEPS)))
    compiled = Compiled(program, program.pipelines["main"])
    compiled.totals(point_parameters(program))
    (written,) = compiled.formulas
    moves = [one.moves for one in written.formula.operations if one.kind is OperationKind.MOVE]
    made = sum(len(one.places) for one in moves)
    assert made >= STEPS
    # Where many states come for the first time they go by edges, which are no part of a row.
    rows = [one for one in moves if not isinstance(one.row[0][0], EdgeList)]
    assert len(rows) <= 3
