"""Changes where a budget may cut runs: what is printed beside them is what a check says, cuts and
all.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.advice.advise import Advice, advise
from pipelang.analysis.advice.changes import Change, ChangeKind
from pipelang.analysis.advice.raised import with_budgets
from pipelang.analysis.advice.trying import Bench, edited
from pipelang.analysis.advice.what_if import what_if
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.tuning.tune import Tuned, tune
from pipelang.diagnostics import Edit, Span
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.cli.check.report import check_report

TEXT = '''\
provider lab {{ kind simulated available 99.9% }}
tier small {{
  provider lab model "s" price $1 in, $5 out transient 10% latency 1s median, 1.5s p95
}}
tier large {{
  provider lab model "l" price $4 in, $20 out transient 10% latency 1s median, 1.5s p95
}}
setting most: money in $0.001..$1 = $0.002
prompt ask(x: text) """{{{{ x }}}}"""
{before}
pipeline main(x: text max 9 tokens) -> text max 200 tokens {{
  {budget}
  step s: text max 200 tokens = {action}
  return s
}}
'''
ASK = "ask ask(x) by small { accuracy small 80%, large 90%  timeout 2s  output 200 tokens max }"
CHILD = """\
pipeline inner(x: text max 9 tokens) -> text max 200 tokens {{
  {budget}
  step r: text max 200 tokens = {action}
  return r
}}
"""


def bench(tmp_path: Path, budget: str, action: str = ASK, before: str = "") -> Bench:
    path = tmp_path / "a.pipe"
    path.write_text(TEXT.format(budget=budget, action=action, before=before))
    checked = check_file(str(path), DiskLoader())
    assert checked.program is not None, [one.message for one in checked.diagnostics]
    return Bench(checked.path, checked.program, checked.sources, DiskLoader())


def report(path: Path) -> dict[str, Any]:
    found = check_report([str(path)])
    errors = [one for one in found["diagnostics"] if one["severity"] == "error"]
    assert not [one for one in errors if one["name"] != "slo-missed"]
    return found["pipelines"]  # type: ignore[no-any-return]


def advised(made: Bench, name: str = "main") -> dict[str, Advice]:
    """The advice on a pipeline by its words; each is applied, and says what a check says, for the
    pipelines that run the changed one too.
    """
    path = Path(made.path)
    before = path.read_text()
    found = advise(made, analyse(made.program, made.program.pipelines[name]), everything=True)
    for one in found:
        path.write_text(edited(before, one.change.edits))
        pipelines = report(path)
        for pipeline, figures in {name: one.figures, **one.roots}.items():
            assert not pipelines[pipeline].get("cut"), one.change.words
            for metric in figures.keys() & pipelines[pipeline]["outcomes"].keys():
                value = pipelines[pipeline]["outcomes"][metric]["value"]
                assert value == pytest.approx(figures[metric][1], abs=1e-9), one.change.words
        path.write_text(before)
    return {one.change.words: one for one in found}


@pytest.mark.parametrize(
    ("budget", "needs"),
    [
        ("$0.0015", "$0.00222"),
        ("300 tokens", "618 tokens"),
        ("1 steps", "2 steps"),
        ("2s", "6s"),
        ("$0.0015, 300 tokens, 1 steps", "$0.00222, 618 tokens, 2 steps"),
    ],
)
def test_a_change_comes_with_the_budget_that_it_needs(
    budget: str, needs: str, tmp_path: Path
) -> None:
    found = advised(bench(tmp_path, f"budget {budget}"))
    assert f"`s` retry 0 → 1, and budget {needs}" in found


def test_a_budget_that_suffices_is_left_alone(tmp_path: Path) -> None:
    found = advised(bench(tmp_path, "budget $0.1, 700 tokens"))
    assert "`s` retry 0 → 1" in found


def test_a_limit_that_is_no_number_is_not_raised(tmp_path: Path) -> None:
    found = advised(bench(tmp_path, "budget most"))
    assert found
    assert not [words for words in found if "retry" in words or "budget" in words]


def test_no_advice_where_a_budget_may_cut_already(tmp_path: Path) -> None:
    twice = ASK.replace("output", "retry 1 output")
    assert not advised(bench(tmp_path, "budget $0.0015", twice))
    assert advised(bench(tmp_path, "budget $0.1", twice))


def test_the_budget_of_a_child_is_raised_with_its_callers(tmp_path: Path) -> None:
    child = CHILD.format(budget="budget $0.0015", action=ASK)
    made = bench(tmp_path, "budget $0.0016", "run inner(x)", child)
    words = "`inner.r` retry 0 → 1, and budget $0.00222, and budget $0.00222 of `inner`"
    assert words in advised(made)
    inside = advised(made, "inner")
    assert any("and budget" in words and "of `main`" in words for words in inside)


LIMITS = "budget $0.0015, 300 tokens, 1 steps, 2s"


@pytest.mark.parametrize("quota", ["", "quota $1000/day per tenant\n  "])
def test_raised_limits_are_those_that_the_text_with_them_has(quota: str, tmp_path: Path) -> None:
    """Built once, without them; where a quota has to hold the budget, with them too."""
    made = bench(tmp_path, f"{quota}{LIMITS}")
    text = Path(made.path).read_text()
    at = text.index(" output 200 tokens max")
    change = Change(ChangeKind.RETRY, "s", "more", (Edit(Span(made.path, at, at), " retry 3 "),), 0)
    made.known.clear()
    found = with_budgets(made, change, ["main"])
    assert found is not None
    assert len(made.known) == (2 if quota else 1)
    built = made.rebuilt(found[0].edits).program
    assert built is not None
    said, written = found[1].pipelines["main"].budget, built.pipelines["main"].budget
    assert said is not None
    assert written is not None
    for name in ("money", "seconds", "tokens", "steps"):
        assert getattr(said, name) == getattr(written, name) is not None
    figures = [
        analyse(one, one.pipelines["main"], promises=True).numbers for one in (found[1], built)
    ]
    assert figures[0] == figures[1]


def test_a_change_without_a_limit_to_raise_is_none(tmp_path: Path) -> None:
    made = bench(tmp_path, "budget most")
    at = Path(made.path).read_text().index(" output 200 tokens max")
    edit = Edit(Span(made.path, at, at), " retry 3 ")
    assert with_budgets(made, Change(ChangeKind.RETRY, "s", "more", (edit,), 0.0), ["main"]) is None


def test_tune_leaves_out_what_a_budget_may_cut(tmp_path: Path) -> None:
    made = bench(tmp_path, "budget $0.0065\n  slo { success >= 75% }")
    path, tuned = Path(made.path), tuned_of(made)
    cut = [one for one in tuned.found.known() if tuned.found.cut(one)]
    assert cut
    assert not tuned.cut_now
    assert tuned.best is not None
    shown = [*tuned.front, *tuned.errors, tuned.best]
    before = path.read_text()
    for one in {one.assignment: one for one in [*shown, *cut[:3]]}.values():
        path.write_text(edited(before, tuned.edits(one)))
        found = report(path)["main"]
        assert bool(found.get("cut")) == (one in cut)
        if one in shown:
            for metric in ("success", "silent_error"):
                value = found["outcomes"][metric]["value"]
                assert value == pytest.approx(one.figures[metric], abs=1e-9)


def test_tune_says_that_a_budget_cuts_what_is_written(tmp_path: Path) -> None:
    by_large = ASK.replace("by small", "by large").replace("output", "retry 1 output")
    tuned = tuned_of(bench(tmp_path, "budget $0.005\n  slo { success >= 70% }", by_large))
    assert tuned.cut_now
    assert tuned.best is not None
    assert not tuned.found.cut(tuned.best)


def tuned_of(made: Bench) -> Tuned:
    found = tune(made, made.program.pipelines["main"], 500, lambda done, total: None)
    assert found is not None
    return found


@pytest.mark.parametrize("budget", ["$0.0015", "$0.1"])
def test_a_what_if_has_the_cuts_in_it(budget: str, tmp_path: Path) -> None:
    unknown = "ask ask(x) by small { timeout 2s retry 1 output 200 tokens max }"
    made = bench(tmp_path, f"budget {budget}", unknown)
    found = what_if(made, analyse(made.program, made.program.pipelines["main"]))
    assert len(found.rows) == 3
    for row in found.rows:
        program = made.rebuilt((), {"accuracy": row.accuracy}).program
        assert program is not None
        numbers = analyse(program, program.pipelines["main"]).numbers
        for metric, number in (("success", row.success), ("silent_error", row.silent_error)):
            assert number.low == pytest.approx(numbers[metric].low)
            assert number.high == pytest.approx(numbers[metric].high)
            assert (number.value is None) == (budget == "$0.0015")
    assert bool(found.widening) == (budget == "$0.1")
