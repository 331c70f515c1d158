"""Baselines: what runs in a pipeline is asked at one tier, all else of a file stays as it is."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from pipelang.analysis.metrics import baseline_cost
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.metrics.baseline_cost import asks_models, at_tier, baselines
from pipelang.analysis.model.work_limit import seconds_in_force, time_limit
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.report.text import report_text
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.chance import Basis
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.walk import contents
from tests.memory import MemoryLoader

REPO = Path(__file__).parents[4]
FILES = ["support/support", "supervisor/supervisor", "moderation/moderation", "devops/devops"]


def program_of(name: str) -> p.Program:
    program = build(str(REPO / f"examples/{name}.pipe"), DiskLoader()).program
    assert program is not None
    return program


def reached(program: p.Program, name: str) -> set[str]:
    """By the definition: itself, and what is reached from whatever it runs."""
    inner = set(sub_pipelines(program.pipelines[name].block))
    return {name}.union(*(reached(program, one) for one in inner))


def models_of(pipeline: p.Pipeline) -> list[object]:
    links = [link.action for _, link in contents(pipeline.block).links]
    return [one for one in links if isinstance(one, (p.AskTier, p.Agent, p.Cascade))]


@pytest.mark.parametrize("file", FILES)
def test_what_runs_in_it_is_at_the_tier_and_no_more(file):
    program = program_of(file)
    tier = next(iter(program.tiers))
    changed = 0
    for name, pipeline in program.pipelines.items():
        made, inside = at_tier(program, pipeline, tier), reached(program, name)
        for other, before in program.pipelines.items():
            after = made.pipelines[other]
            if other not in inside:
                assert after is before
                continue
            for action in models_of(after):
                assert not isinstance(action, p.Cascade)
                assert action.who.value == tier
                changed += 1
        models = any(models_of(program.pipelines[one]) for one in inside)
        assert asks_models(program, pipeline) == models
    assert changed


def test_nobody_pays_for_baselines_that_are_not_read(monkeypatch):
    """The report that is printed without being asked for more shows none."""
    asked: list[str] = []
    before = baseline_cost.baseline

    def counted(program: p.Program, pipeline: p.Pipeline, tier: str, basis: Basis):
        asked.append(tier)
        return before(program, pipeline, tier, basis)

    monkeypatch.setattr(baseline_cost, "baseline", counted)
    checked = check_file(str(REPO / "examples/support/support.pipe"))
    short = report_text([checked])
    assert "mean run" in short
    assert not asked
    long = report_text([checked], verbose=True)
    assert "all by" in long
    tiers = list(checked.program.tiers)
    assert asked == tiers
    assert list(checked.analyses[0].baseline) == tiers
    report_text([checked], verbose=True)
    assert asked == tiers


def test_baselines_read_later_are_those_of_the_analysis(monkeypatch):
    """Under the limit of work that was in force, and whatever is in force when they are read."""
    program = program_of("support/support")
    pipeline = program.pipelines["handle_ticket"]
    seen: list[float] = []
    before = baseline_cost.baseline

    def limit(*given):
        seen.append(seconds_in_force())
        return before(*given)

    monkeypatch.setattr(baseline_cost, "baseline", limit)
    with time_limit(3.0):
        later = analyse(program, pipeline).baseline
    assert not seen
    found = dict(later)
    assert set(seen) == {3.0}
    assert found == baselines(program, pipeline, found["haiku"].basis)
    assert pickle.loads(pickle.dumps(later)) == found
    assert later == found
    assert len(later) == len(found)


def test_a_promise_about_a_baseline_is_decided_at_once(tmp_path):
    path = tmp_path / "p.pipe"
    path.write_text(
        """
provider host { kind simulated available 100% }
tier dear { provider host model "m" price $10 in, $10 out transient 0% context 100k tokens }
tier cheap { provider host model "n" price $1 in, $1 out transient 0% context 100k tokens }
prompt a(x: text max 9 tokens) \"\"\"{{ x }}\"\"\"
pipeline p(x: text max 9 tokens) -> text max 9 tokens {
  slo { cost.baseline["dear"] <= $0.000001 }
  traffic 1/day { x: 5 tokens mean }
  step s: text max 9 tokens = ask a(x) by cheap {
    accuracy 90% output 5 tokens mean, 9 tokens max
  } else reject
  return s
}
""",
        encoding="utf-8",
    )
    (verdict,) = check_file(str(path)).analyses[0].slo
    assert verdict.holds is False
    assert verdict.number is not None
    assert verdict.number.value == pytest.approx(10 * analysed(path, "cheap"))


def analysed(path: Path, tier: str) -> float:
    number = check_file(str(path)).analyses[0].baseline[tier]
    assert number.value is not None
    return number.value


MIXED = """
provider lab { available 99% }
tier paid { provider lab price $1 in, $5 out transient 1% context 200k tokens }
prompt say(t: text max 20 tokens) \"""x {{ t }}\"""
pipeline main(t: text max 20 tokens) -> text max 20 tokens {
  step a: text max 20 tokens = ask say(t) by paid { A output 9 tokens max }
  gate g: a == t { catches 8 of 10 false_alarms 1 of 10 } else reject
  step b: text max 20 tokens = ask say(a) by paid { accuracy 90% output 9 tokens max }
  return b
}
"""


@pytest.mark.parametrize("accuracy", ["", "accuracy 90 of 100", "recovers 0%", "accuracy 70%"])
def test_a_baseline_is_no_surer_than_the_mean_run_that_it_is(accuracy: str) -> None:
    """All is asked at one tier as it is: counts leave as much open beside unknowns as alone."""
    built = build("m.pipe", MemoryLoader({"m.pipe": MIXED.replace("A ", f"{accuracy} ")}))
    assert built.program is not None, built.diagnostics
    found = analyse(built.program, built.program.pipelines["main"])
    mean, base = found.numbers["cost.mean"], found.baseline["paid"]
    assert mean.low is not None
    assert mean.high is not None
    wide = mean.high - mean.low
    assert wide > 0
    assert base.low is not None
    assert base.high is not None
    # Draws and the delta method are not quite the same.
    assert base.low < mean.low + wide / 5
    assert base.high > mean.high - wide / 5
    assert base.high - base.low < 2 * wide
    assert base.basis is mean.basis
