"""Declared shares of what is left of a budget: the analysis against Storm and the interpreter."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.runtime.host.simulate import simulate

from .subject import analyse, exported
from .test_cached_runs import storm as storm  # a fixture
from .test_interpreter_agrees import disagreements as unlikely
from .test_storm import Judged, Storm, disagreements

PIPE = """
provider a { available 95% }
provider b { available 100% }
tier cheap { provider a transient 10% price $1 in, $5 out }
tier dear { provider b transient 0% price $10 in, $50 out }
type R { ok: bool  body: text max 9 tokens }
prompt q(x: text max 9 tokens) \"\"\"hi {{ x }}\"\"\"
pipeline inner(x: text max 9 tokens) -> R {
  budget $1
  traffic { (budget.remaining.tokens < 90 tokens): 60% }
  step made: R = ask q(x) by (if budget.remaining.tokens < 90 tokens then dear else cheap) {
    accuracy cheap 70%, dear 90% correlation 0% output 9 tokens max timeout 5s
  } else {ok: true, body: x} { accuracy 30% }
  return made
}
pipeline main(x: text max 9 tokens) -> R {
  budget $1
  traffic { budget.remaining < $0.5: 20% }
  step one: R = ask q(x) by (if budget.remaining < $0.5 then cheap else dear) {
    accuracy cheap 70%, dear 90% correlation 0% output 9 tokens max timeout 5s
  } else {ok: true, body: x} { accuracy 30% correlation 0% }
  gate fine: one.ok { catches 60% false_alarms 10% } else redo one up to 1 else reject "no"
  step two = match budget.remaining >= $0.5 {
    true  => run inner(one.body)
    false => ask q(one.body) by cheap {
      accuracy 60% recovers 20% output 9 tokens max timeout 5s
    }
  } else {ok: true, body: x} { accuracy 50% }
  return two
}
"""


def written(folder: Path) -> Path:
    path = folder / "main.pipe"
    path.write_text(PIPE, encoding="utf-8")
    return path


@pytest.mark.judge("Storm")
def test_what_storm_finds(storm: Storm, judged: Judged, tmp_path: Path) -> None:
    path = written(tmp_path)
    reports, models = analyse(path), exported(path)
    for name in ("main", "inner"):
        assert not models[name].unknown
        found = disagreements(storm, reports[name], models[name].text, True)
        judged(1)
        assert not found, "\n".join(found)


def test_what_simulated_runs_do(tmp_path: Path) -> None:
    path = written(tmp_path)
    report, loaded = analyse(path)["main"], pipelang.load(path, allow=RULES)
    pipeline = loaded.program.pipelines["main"]
    counts = simulate(loaded, pipeline, 4_000, 7, spending(loaded.program, pipeline))
    assert not unlikely(counts, report)


def test_each_place_draws_its_own(tmp_path: Path) -> None:
    """At the second place as little may be left as at the first, or more than is asked for there:
    with one draw for both, 20% of the runs would be asked twice of the cheap one.
    """
    path = tmp_path / "main.pipe"
    head = PIPE[: PIPE.index("pipeline inner")]
    ask = (
        "ask q({}) by (if budget.remaining < $0.5 then cheap else dear)"
        " {{ accuracy cheap 0%, dear 100% correlation 0% output 9 tokens max timeout 5s }}"
    )
    body = (
        "pipeline main(x: text max 9 tokens) -> R {\n  budget $1\n"
        "  traffic { budget.remaining < $0.5: 20% }\n"
        f"  step one: R = {ask.format('x')}\n  step two: R = {ask.format('one.body')}\n"
        "  return two\n}\n"
    )
    path.write_text(head.replace("95%", "100%").replace("10%", "0%", 1) + body, encoding="utf-8")
    assert analyse(path)["main"]["outcomes"]["success"]["value"] == pytest.approx(0.8 * 0.8)
