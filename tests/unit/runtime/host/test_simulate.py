"""What all runs of a simulation share: it is the same for each, and does not grow with them."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.prices_of_attempts import Means, spending
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.host.simulate import Rehearsal, simulate
from pipelang.runtime.worlds.simulation.declared_chances import DeclaredChances
from pipelang.runtime.worlds.simulation.frames import DrawnPrompt
from pipelang.semantics import program as p

EXAMPLES = Path(__file__).parents[4] / "examples"
FILES = (
    "support/support.pipe",
    "devops/devops.pipe",
    "resilient_agent/limits.pipe",
    "moderation/moderation.pipe",
)

TWO_OF_A_NAME = '''
use std.tiers
role help { }
prompt guess(x: text) """{{ x }}"""

pipeline inner(x: text max 9 tokens, a: bool, b: bool) -> text {
  traffic {
    a: 50%
    b: 50%
  }
  when a {
    step y: text max 9 tokens = ask guess(x) by haiku { accuracy 50% correlation 90% }
      else escalate to help
    gate first: y == "a" { catches 50% false_alarms 10% } else escalate to help
  }
  when b {
    step y: text max 9 tokens = ask guess(x) by haiku { accuracy 50% correlation 90% }
      else escalate to help
    gate second: y == "b" { catches 90% false_alarms 10% } else escalate to help
  }
  return x
}

pipeline outer(x: text max 9 tokens, a: bool, b: bool) -> text {
  traffic {
    a: 50%
    b: 50%
  }
  step c = run inner(x, a, b)
  return c
}
'''


class Unremembered(Means):
    """Prices that are worked out anew for every attempt."""

    def attempt(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, drawn: DrawnPrompt
    ) -> tuple[float, float]:
        self.known.clear()
        return super().attempt(step, link, tier, turn, told, drawn)

    def child(self, action: p.RunPipeline) -> Means:
        return Unremembered(super().child(action).model)


def test_two_steps_of_a_name_in_a_pipeline_that_is_run_are_two(tmp_path: Path) -> None:
    # The second is no second walk of the first, whose answer it would copy.
    (tmp_path / "two.pipe").write_text(TWO_OF_A_NAME, encoding="utf-8")
    loaded = pipelang.load(tmp_path / "two.pipe")
    found = {}
    for name in ("inner", "outer"):
        pipeline = loaded.program.pipelines[name]
        found[name] = simulate(loaded, pipeline, 500, 3, spending(loaded.program, pipeline))
    assert found["outer"].outcomes == found["inner"].outcomes
    assert found["outer"].seconds == found["inner"].seconds


def _pipelines() -> list[tuple[LoadedProgram, p.Pipeline]]:
    loaded = [pipelang.load(EXAMPLES / file) for file in FILES]
    return [(one, pipeline) for one in loaded for pipeline in one.program.pipelines.values()]


def test_prices_that_are_remembered_are_those_that_are_rendered() -> None:
    remembering = 0
    for loaded, pipeline in _pipelines():
        prices = spending(loaded.program, pipeline)
        remembered = simulate(loaded, pipeline, 60, 5, prices, unknown=0.0)
        anew = Unremembered(spending(loaded.program, pipeline).model)
        assert simulate(loaded, pipeline, 60, 5, anew, unknown=0.0) == remembered, pipeline.name
        remembering += len(prices.known) > 0
    assert remembering > 3


@pytest.mark.parametrize("file", FILES)
def test_what_runs_share_does_not_grow_with_them(file: str) -> None:
    loaded = pipelang.load(EXAMPLES / file)
    for pipeline in loaded.program.pipelines.values():
        rehearsal, chance = Rehearsal(loaded, pipeline, 0.0), random.Random(1)
        prices, kept = spending(loaded.program, pipeline), []
        for _ in range(2):
            for _ in range(150):
                rehearsal.run(chance, prices)
            kept.append(_kept(rehearsal))
        # What is rare may come up among the second runs alone; what a run leaves would double.
        assert kept[1] <= 1.3 * kept[0], pipeline.name


def _kept(rehearsal: Rehearsal) -> int:
    """Entries of what is remembered of the expressions of a pipeline and of those it runs."""
    facts = rehearsal._easy
    memos = [
        memo
        for one in (facts, *facts.inner.values())
        for memo in (one.opened, one.mentioned, one.named, one.folded, one.handed, one.asked)
    ]
    return sum(map(len, memos))


def test_pipelines_that_are_run_are_prepared_once(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = pipelang.load(EXAMPLES / "devops/devops.pipe")
    pipeline = loaded.program.pipelines["handle"]
    prepared: list[str] = []
    plain = DeclaredChances.of.__func__  # type: ignore[attr-defined]

    def noted(cls: type, program: p.Program, of: p.Pipeline, odds: object) -> object:
        prepared.append(of.name)
        return plain(cls, program, of, odds)

    monkeypatch.setattr(DeclaredChances, "of", classmethod(noted))
    simulate(loaded, pipeline, 80, 7, spending(loaded.program, pipeline), unknown=0.0)
    assert len(set(prepared)) > 1
    assert prepared.count("handle") == 2  # for easy cases, and for hard ones
    assert all(prepared.count(name) == 1 for name in set(prepared) - {"handle"})


SAMPLED = '''
use std.tiers
role help { }
role judges { }
type Answer { body: text max 9 tokens  confidence: probability }
prompt guess(x: text) """{{ x }}"""

pipeline inner(x: text max 9 tokens) -> text max 9 tokens {
  sample 100% of y by judges
  step y: text max 9 tokens = ask guess(x) by haiku { accuracy 50% } else escalate to help
  return y
}

pipeline outer(x: text max 9 tokens) -> text max 9 tokens {
  sample 100% of a, many by judges
  step a: Answer = ask guess(x) by haiku { accuracy 80% } else escalate to help
  step many: [Answer] max 3 = each one in [x, a.body] { ask guess(one) by haiku { accuracy 90% } }
    else escalate to help
  step c = run inner(a.body)
  return c
}
'''


@pytest.mark.parametrize("name", ["inner", "outer"])
def test_what_is_sampled_is_no_matter_of_a_simulation(name: str, tmp_path: Path) -> None:
    """It has no values that people could be shown; asked for, they were a KeyError."""
    counted = []
    for skipped in ("nothing", "  sample "):
        file = tmp_path / "sampled.pipe"
        rows = [row for row in SAMPLED.split("\n") if not row.startswith(skipped)]
        file.write_text("\n".join(rows), encoding="utf-8")
        loaded = pipelang.load(file, allow=RULES)
        pipeline = loaded.program.pipelines[name]
        assert bool(pipeline.samples) is (skipped == "nothing")
        prices = spending(loaded.program, pipeline)
        counted.append(simulate(loaded, pipeline, 50, 1, prices))
    assert counted[0] == counted[1]
    assert len(counted[0].outcomes) > 1
