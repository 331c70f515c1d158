"""A derivation is exact: its parts add up to the number in the report, whatever it is of."""

from __future__ import annotations

import os
from math import isclose
from pathlib import Path

import pytest

from pipelang.analysis.metrics.analyse import Analysis
from pipelang.analysis.metrics.derivation import Derivations, derivable, derive, figure, recorded
from pipelang.analysis.metrics.loss_waterfall import waterfall
from pipelang.interfaces.check.check import check_file
from pipelang.semantics import program as p
from tests.oracle.generate import generate
from tests.oracle.write_pipe import write_pipe

REPO = Path(__file__).resolve().parents[4]
FILES = sorted((REPO / "examples").rglob("*.pipe"))
SEEDS = range(47_000, 47_036 if os.environ.get("ORACLE_LONG") else 47_012)
"""36 of them in the long run (`make oracle`)."""


def pipelines(path: Path) -> list[tuple[p.Program, Analysis]]:
    checked = check_file(str(path))
    assert checked.program is not None
    return [(checked.program, analysis) for analysis in checked.analyses]


def derived(program: p.Program, analysis: Analysis) -> int:
    """How many numbers were derived; each is compared with what the report has."""
    done = 0
    derivations = Derivations(program, analysis)
    for name in derivable(analysis):
        number = figure(analysis, name)
        assert number is not None, name
        found = derivations.of(name)
        if found is None:
            assert number.value is None or analysis.unknown or analysis.cut, name
            continue
        together = (found.start + sum(part.amount for part in found.parts)) / found.over
        assert number.value is not None, name
        for value in (together, found.value):
            assert isclose(value, number.value, rel_tol=1e-12, abs_tol=1e-12), name
        for part in found.parts:
            if part.calls is not None and part.each is not None:
                assert isclose(part.calls * part.each, part.amount, rel_tol=1e-12), name
        done += 1
    return done


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_examples_add_up(path: Path) -> None:
    for program, analysis in pipelines(path):
        done = derived(program, analysis)
        # Where budgets may cut runs, amounts are derived, and no shares.
        assert done >= (4 if analysis.cut else 12) or analysis.unknown


@pytest.mark.parametrize("seed", SEEDS)
def test_generated_pipelines_add_up(seed: int, tmp_path: Path) -> None:
    for program, analysis in pipelines(write_pipe(generate(seed), tmp_path)):
        derived(program, analysis)
        if analysis.unknown:
            continue
        model, _ = recorded(program, analysis.pipeline)
        for row in waterfall(model)[0].rows.values():
            if isinstance(row.item, (p.When, p.MatchBranch)):
                continue  # what comes into branches is counted by the items inside of them
            for flow in (row.right, row.wrong):
                out = flow.on_right + flow.on_wrong + flow.back + flow.lost + flow.answered
                assert isclose(flow.came, out, rel_tol=1e-12, abs_tol=1e-12), row.item


def test_inputs_are_those_that_the_analysis_used() -> None:
    for program, analysis in pipelines(REPO / "examples/support/support.pipe"):
        _, recorder = recorded(program, analysis.pipeline)
        assert recorder.asked.keys() <= analysis.bases.keys() | {
            site for site, (_, value) in recorder.asked.items() if value in (0, 1)
        }


CUT = '''\
provider lab { kind simulated available 100% }
tier model { provider lab model "any" price $0 in, $10 out transient 0% }
prompt ask(x: text) """{{ x }}"""
pipeline main(x: text max 9 tokens) -> text max 300 tokens {
  budget 1 steps else reject "spent"
  step a: text max 300 tokens = ask ask(x) by model { accuracy 90% output 300 tokens max }
  step b: text max 300 tokens = ask ask(a) by model { accuracy 90% output 300 tokens max }
  return b
}
'''


def test_a_share_of_cut_runs_is_not_derived_from_runs_without_cuts(tmp_path: Path) -> None:
    path = tmp_path / "a.pipe"
    path.write_text(CUT)
    ((program, analysis),) = pipelines(path)
    assert analysis.numbers["success"].value == 0.0
    assert derive(program, analysis, "success") is None
    assert derive(program, analysis, "cost.mean") is not None
