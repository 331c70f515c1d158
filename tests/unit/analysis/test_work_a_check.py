"""What a check works out once: what hangs on the program alone, however often it is swept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.advice import trying
from pipelang.analysis.arithmetic import formula
from pipelang.analysis.budgets import reaching
from pipelang.analysis.kernels import costs
from pipelang.analysis.metrics import analyse as analysing
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.metrics.sensitivity import sensitivity
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.analysis.sweep import liveness
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import sweep
from pipelang.interfaces.check.advice import with_advice
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics import program as p
from pipelang.semantics.build import build

REPO = Path(__file__).parents[3]
DESK = "benchmarks/data/desk"
FILES = [DESK, "examples/gallery/01_chain", "examples/gallery/06_redo", "examples/gallery/14_route"]


def built(file: str) -> p.Program:
    made = build(str(REPO / f"{file}.pipe"), DiskLoader()).program
    assert made is not None
    return made


def analysed(file: str) -> list[Analysis]:
    program = built(file)
    return [analyse(program, pipeline) for pipeline in program.pipelines.values()]


@pytest.mark.parametrize("file", [DESK, "examples/support/support"])
def test_the_length_of_a_prompt(file, monkeypatch):
    seen: Counter[tuple[Any, ...]] = Counter()
    plain = costs.rendered_cost

    def counted(model, step, link, ask, tier, turn, told, drawn=None):
        seen[model.pipeline.name, id(link), tier, turn, told] += 1
        return plain(model, step, link, ask, tier, turn, told, drawn)

    monkeypatch.setattr(costs, "rendered_cost", counted)
    program = built(file)
    analyse(program, program.pipelines["handle_ticket"])
    assert seen
    assert set(seen.values()) == {1}


def test_what_is_read_later(monkeypatch):
    seen: Counter[int] = Counter()
    plain = liveness._needed_after

    def counted(model, block, taint, after, at):
        seen[id(block)] += 1
        return plain(model, block, taint, after, at)

    monkeypatch.setattr(liveness, "_needed_after", counted)
    program = built(DESK)
    analyse(program, program.pipelines["handle_ticket"])
    assert seen
    assert set(seen.values()) == {1}


def test_one_formula_is_behind_importances_and_the_sensitivity(monkeypatch):
    written: list[bool] = []
    plain = Compiled._write

    def counted(self, parameters, repeats, all_slopes):
        written.append(all_slopes)
        return plain(self, parameters, repeats, all_slopes)

    monkeypatch.setattr(Compiled, "_write", counted)
    (analysis,) = analysed(DESK)
    assert analysis.sensitivity is not None
    assert written == [True]


@pytest.mark.parametrize("file", FILES)
def test_the_sensitivity_is_that_of_a_formula_of_its_own(file):
    program = built(file)
    for pipeline in program.pipelines.values():
        model = make_model(program, pipeline, point_parameters(program))
        totals = sweep(model)
        own = sensitivity(Compiled(program, pipeline), model, totals, None)
        assert analyse(program, pipeline).sensitivity == own


def test_walks_are_over_before_anything_is_drawn(monkeypatch):
    """Each holds arrays by the dozen megabytes, draws until the analysis is done."""
    order: list[str] = []
    for name in ("spent", "_drawn"):
        plain = getattr(analysing, name)

        def noted(*given, plain=plain, name=name):
            order.append(name)
            return plain(*given)

        monkeypatch.setattr(analysing, name, noted)
    program, orders = built("examples/gallery/11_counted"), []
    for pipeline in program.pipelines.values():
        analyse(program, pipeline)
        orders.append(tuple(order))
        order.clear()
    assert set(orders) == {("spent",), ("spent", "_drawn")}


HEAD = """\
use std.tiers
fn is_fine(said: untrusted text) -> bool python "a:b"
prompt ask_it(question: text) \"\"\"{{ question }}\"\"\"
"""
STEPS = """\
  step said: text max 50 tokens = ask ask_it(question) by haiku {
    accuracy 95%, 60% if hard  output 20 tokens mean, 50 tokens max
  }
  gate fine: is_fine(said) { catches 90%, 20% if hard false_alarms 1%, 30% if hard }
    else fail "not_fine"
"""
SIGNATURE = "(question: text max 50 tokens) -> text max 50 tokens {"
INLINE = f"{HEAD}pipeline main{SIGNATURE}\n  traffic {{ hard: 20% }}\n{STEPS}  return said\n}}\n"
NESTED = (
    f"{HEAD}pipeline child{SIGNATURE}\n{STEPS}  return said\n}}\n"
    f"pipeline main{SIGNATURE}\n  traffic {{ hard: 20% }}\n"
    "  step said = run child(question)\n  return said\n}\n"
)


def test_but_what_holds_in_one_class_of_cases_does_not_in_the_other(tmp_path):
    found = []
    for text in (INLINE, NESTED):
        path = tmp_path / "a.pipe"
        path.write_text(text)
        program = build(str(path), DiskLoader()).program
        assert program is not None
        analysis = analyse(program, program.pipelines["main"])
        names = ("success", "silent_error", "cost.mean", "latency.p95")
        found.append([analysis.numbers[name].value for name in names])
    assert found[0] == pytest.approx(found[1])


def test_the_last_reads_of_numbers(monkeypatch):
    """Of a formula over numbers nobody asks where each is read last; all come out the same."""
    asked: list[Any] = []
    plain = formula._last_uses

    def counted(*given):
        asked.append(given)
        return plain(*given)

    monkeypatch.setattr(formula, "_last_uses", counted)
    program = built(DESK)
    found = analyse(program, program.pipelines["handle_ticket"]).compiled
    assert found is not None
    assert found.beyond is not None
    point = point_parameters(program)
    given = found.beyond.given(point, {})
    assert given is not None
    made = found.beyond.formula
    by_numbers = made.results(given)
    assert not asked
    (at, value), *others = given
    by_arrays = made.results([(at, np.array([value, value])), *others])
    assert asked
    kept = [one for one in made.stays if by_numbers[one] is not None]
    assert kept
    for one in kept:
        assert np.all(by_arrays[one] == by_numbers[one])


def test_a_change_that_budgets_leave_open(monkeypatch):
    """A fallback whose correlation nobody declared is swept up to that, once, and the limits of
    what is written are looked at once.
    """
    ended: list[bool] = []
    plain, cuts = reaching.sweep, Counter[bool]()

    def swept(model):
        ended.append(False)
        found = plain(model)
        ended[-1] = True
        return found

    def looked(model):
        cuts[model.program is checked.program] += 1
        return possible(model)

    checked = check_file(str(REPO / f"{DESK}.pipe"))
    possible = trying.possible_cuts
    monkeypatch.setattr(reaching, "sweep", swept)
    monkeypatch.setattr(trying, "possible_cuts", looked)
    (advised,) = with_advice([checked])
    assert advised.advice
    assert ended == [False]
    assert cuts[False] == 2
    assert not cuts[True], "the analysis has looked"
