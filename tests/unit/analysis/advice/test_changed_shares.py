"""Changes of shares alone: nothing is built for them, and their figures are those of what would be
built.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.analysis.advice import trying
from pipelang.analysis.advice.advise import Advice, advise, candidates
from pipelang.analysis.advice.changes import Change
from pipelang.analysis.advice.trying import Bench, figures
from pipelang.interfaces.check.advice import bench_of
from pipelang.interfaces.check.check import check_file
from pipelang.records import replace

REPO = Path(__file__).parents[4]
FILES = [
    "benchmarks/data/desk",
    "examples/support/support",
    "examples/supervisor/supervisor",
    "examples/gallery/11_counted",
    "examples/gallery/14_route",
    "examples/gallery/35_hard",
]
NESTED = """\
use std.tiers
prompt ask_it(question: text) \"\"\"{{ question }}\"\"\"
tool look_up(q: text) -> text max 20 tokens {
  python "a:b" effect read timeout 2s succeeds 95% accuracy 90%
}
pipeline child(question: text max 50 tokens) -> text max 20 tokens {
  step found = call look_up(question)
  return found
}
pipeline main(question: text max 50 tokens) -> text max 50 tokens {
  step found = run child(question)
  step again = call look_up(found)
  step last: text max 50 tokens = ask ask_it(again) by haiku {
    accuracy 180 of 200  output 20 tokens mean, 50 tokens max
  }
  return last
}
"""


def benches(path: Path, by_formula: bool = False) -> list[tuple[Bench, list[Change], str]]:
    """For each pipeline of a file its bench, the changes that change shares alone, its name; with
    the formulas of the analysis, or without.
    """
    checked = check_file(str(path))
    assert checked.program is not None
    return [
        (
            bench,
            [one for one in candidates(bench, analysis, everything=True) if one.shares],
            analysis.pipeline.name,
        )
        for analysis in checked.analyses
        for bench in [bench_of(checked)]
        if not by_formula or bench.analysed(analysis)
    ]


def same(path: Path, by_formula: bool) -> int:
    """Compare each such change with the changed file; how many there are."""
    count = 0
    for bench, changes, pipeline in benches(path, by_formula):
        for change in changes:
            if not change.edits:
                continue
            built = bench.rebuilt(change.edits).program
            assert built is not None
            expected = figures(built, built.pipelines[pipeline])
            # Once an analysis wrote down a formula it is asked, which sums in another order.
            after = bench.after(change, bench.program, pipeline)
            near = pytest.approx(expected, rel=1e-12, abs=1e-13) if bench.compiled else expected
            assert after == near, change.words
            assert expected != figures(bench.program, bench.program.pipelines[pipeline])
            count += 1
    return count


@pytest.mark.parametrize("by_formula", [False, True])
@pytest.mark.parametrize("file", FILES)
def test_the_figures_are_those_of_the_changed_file(file, by_formula):
    assert same(REPO / f"{file}.pipe", by_formula)


@pytest.mark.parametrize("by_formula", [False, True])
def test_also_of_what_several_pipelines_run_and_of_counts(tmp_path, by_formula):
    path = tmp_path / "a.pipe"
    path.write_text(NESTED)
    assert same(path, by_formula) == 4


def test_a_formula_is_asked_and_nothing_swept(monkeypatch):
    ((bench, changes, pipeline),) = benches(REPO / "benchmarks/data/desk.pipe", by_formula=True)

    def sweep(*given: object) -> None:
        raise AssertionError("swept once more")

    monkeypatch.setattr(trying, "sweep", sweep)
    assert all(bench.after(one, bench.program, pipeline) for one in changes if one.edits)


def tried_on(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[int, list[Advice]]:
    """How many files are built for the advice on a text, and the advice."""
    path = tmp_path / "a.pipe"
    path.write_text(text)
    checked = check_file(str(path))
    bench, built = bench_of(checked), []
    plain = Bench._built

    def counted(self: Bench, *given: object, **named: object) -> object:
        built.append(given)
        return plain(self, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(Bench, "_built", counted)
    found = [one for analysis in checked.analyses for one in advise(bench, analysis)]
    return len(built), found


DESK = (REPO / "benchmarks/data/desk.pipe").read_text()


def test_nothing_is_built_for_them(tmp_path, monkeypatch):
    built, found = tried_on(DESK, tmp_path, monkeypatch)
    assert [one.change.words for one in found] == ["`reply` 90% → 95%", "`kind` 93% → 96%"]
    assert built == 2  # the check and the fallback, which come to nothing


def test_where_the_worst_run_passes_a_limit_the_changed_file_decides(tmp_path, monkeypatch):
    # The longest run takes 117 seconds, but hardly any takes more than 115: that hangs on shares.
    budget = DESK.replace("budget $0.25, 5m, 60k tokens", "budget $0.25, 115s, 60k tokens")
    assert budget != DESK
    built, found = tried_on(budget, tmp_path, monkeypatch)
    assert [one.change.words for one in found] == ["`reply` 90% → 95%", "`kind` 93% → 96%"]
    assert built == 4


def test_a_share_that_is_declared_is_replaced_and_no_other(tmp_path):
    ((bench, changes, pipeline),) = benches(REPO / "benchmarks/data/desk.pipe")
    now = figures(bench.program, bench.program.pipelines[pipeline])
    nowhere = replace(changes[0], shares={"nowhere": 0.5})
    assert bench.after(nowhere, bench.program, pipeline) == now
