"""The work of a simulation that is the same in all its runs is done once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.compare_simulation import spending
from pipelang.runtime.host.simulate import Counts, simulate
from pipelang.runtime.worlds.simulation import declared_chances
from pipelang.runtime.worlds.simulation.declared_chances import DeclaredChances

NESTED = '''
pipeline outer(question: Question) -> Answer {
  step one = run middle(question)
  step two = run answered(question)
  return two
}

pipeline middle(question: Question) -> Answer {
  step found = run answered(question)
  return found
}

pipeline answered(question: Question) -> Answer {
  step text: Answer = ask reply(question) by model {
    accuracy 75%
    output   100 tokens mean, 200 tokens max
  }

  return text
}

type Question { body: text max 40 tokens }
type Answer { body: text max 200 tokens }

prompt reply(question: Question) """Answer: {{ question.body }}"""

provider lab { kind simulated available 100% }
tier model { provider lab model "any" price $0 in, $10 out transient 0% }
'''


def simulated(file: Path, runs: int) -> Counts:
    loaded = pipelang.load(file, allow=RULES)
    pipeline = loaded.program.pipelines["outer"]
    return simulate(loaded, pipeline, runs, 7, spending(loaded.program, pipeline), unknown=1.0)


def test_what_is_prepared_does_not_grow_with_the_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Pipelines that are run inside are prepared at their first run; so are the sizes of texts."""
    file = tmp_path / "nested.pipe"
    file.write_text(NESTED, "utf-8")
    prepared: list[str] = []
    sizes: list[object] = []
    plain, measured = DeclaredChances.of.__func__, declared_chances.value_size  # type: ignore[attr-defined]

    def noted(cls: type, program: object, pipeline: Any, odds: object) -> object:
        prepared.append(pipeline.name)
        return plain(cls, program, pipeline, odds)

    monkeypatch.setattr(DeclaredChances, "of", classmethod(noted))
    monkeypatch.setattr(
        declared_chances, "value_size", lambda type: sizes.append(type) or measured(type)
    )
    work = []
    for runs in (40, 80):
        prepared.clear()
        sizes.clear()
        counts = simulated(file, runs)
        assert counts.runs == runs
        work.append((sorted(prepared), len(sizes)))
    assert work[0] == work[1]
    assert {"outer", "middle", "answered"} == set(work[0][0])
