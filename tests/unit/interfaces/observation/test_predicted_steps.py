"""Steps that an event's name does not tell apart, or that a run comes to more than once: what they
were predicted to do holds of runs that do as declared.
"""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

import pipelang
from pipelang import Runtime, TraceFiles
from pipelang.diagnostics import RULES
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.observation.folder_source import FolderSource
from pipelang.interfaces.observation.observation import observe
from pipelang.interfaces.observation.predicted_steps import predicted_steps

PROGRAM = """
role staff { }
tool look(x: int) -> int { effect read succeeds 100% }

pipeline child(x: int) -> int {
  step seen = call look(x) else fail "no"
  return seen
}

pipeline one_name(x: int, a: bool, b: bool) -> int {
  traffic {
    a: 50%
    b: 50%
  }
  when a { step y = call look(x) else fail "no" }
  when b { step y = call look(x) else fail "no" }
  return x
}

pipeline in_two_places(x: int, a: bool, b: bool) -> int {
  traffic {
    a: 50%
    b: 50%
  }
  when a { step c = run child(x) else fail "no" }
  when b { step d = run child(x) else fail "no" }
  return x
}

pipeline for_each(x: [int] max 4, a: bool) -> int {
  traffic {
    a: 50%
    x.length: 2 mean
  }
  when a { step c = each n in x { run child(n) } else fail "no" }
  return 1
}

pipeline once(x: int, a: bool) -> int {
  traffic { a: 50% }
  when a { step c = run child(x) else fail "no" }
  return x
}
"""

PIPELINES = {
    "one_name": {"y": (0.5, 1.0)},
    "in_two_places": {"c": (0.5, 0.5), "d": (0.5, 0.5), "child.seen": (0.5, 1.0)},
    "for_each": {"c": (0.5, 0.5), "child.seen": (0.0, 1.0)},
    "once": {"c": (0.5, 0.5), "child.seen": (0.5, 0.5)},
}


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("steps") / "steps.pipe"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", PIPELINES)
def test_a_prediction_is_of_the_runs_that_come_there(name: str, program: Path) -> None:
    checked = check_file(str(program))
    analysis = next(one for one in checked.analyses if one.pipeline.name == name)
    assert checked.program is not None
    found = {step: one.reached for step, one in predicted_steps(checked.program, analysis).items()}
    ranges = {step: (one.low, one.high) for step, one in found.items() if one is not None}
    assert ranges == {
        step: (pytest.approx(low), pytest.approx(high))
        for step, (low, high) in PIPELINES[name].items()
    }


@pytest.mark.parametrize("name", PIPELINES)
def test_runs_that_do_as_declared_differ_in_nothing(
    name: str, program: Path, tmp_path: Path
) -> None:
    draw = random.Random(7)

    async def run() -> None:
        loaded = pipelang.load(program, allow=RULES)
        runtime = Runtime(sinks=(TraceFiles(tmp_path / "traces"),))
        handle = loaded.pipeline(name, runtime=runtime, tools={"look": lambda x: x})
        for number in range(200):
            given = {"x": number, "a": draw.random() < 0.5, "b": draw.random() < 0.5}
            if name == "for_each":
                given["x"] = [1] * draw.choice((1, 2, 3))
            wanted = {parameter.name for parameter in loaded.program.pipelines[name].parameters}
            await handle.run(**{key: value for key, value in given.items() if key in wanted})
        await runtime.close()

    asyncio.run(run())
    checked = check_file(str(program))
    analysis = next(one for one in checked.analyses if one.pipeline.name == name)
    assert checked.program is not None
    seen = observe(checked.program, analysis, FolderSource(tmp_path), 0.0, checked.program.hash)
    assert seen.runs == 200
    assert [one.words for one in seen.differences] == []
