"""Votes and cascades: known answers, the interpreter's counting, and that the two agree."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.runs.compare_simulation import simulated
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage

FRAME = """
provider a {{ available 100% }}
tier t {{ provider a transient 0%  price $0 in, $0 out }}
tier u {{ provider a transient 10% price $0 in, $0 out }}
role support {{ accuracy 99% }}
type R {{ body: text max 100 tokens  confidence: probability }}
prompt q(x: text) \"\"\"hi {{{{ x }}}}\"\"\"
pipeline f(x: text max 10 tokens) -> R {{
  step s: R = ask q(x) by {who} {{ {options} output 50 tokens max timeout 5s }}
    else escalate to support
  return s
}}
"""


def write(folder: Path, who: str, options: str) -> str:
    path = folder / "f.pipe"
    path.write_text(FRAME.format(who=who, options=options), encoding="utf-8")
    return str(path)


def shares(path: str) -> dict[str, float]:
    checked = check_file(path)
    assert not [d for d in checked.diagnostics if d.is_error]
    numbers = checked.analyses[0].numbers
    found = {name: numbers[name].value for name in ("success", "silent_error", "escalation")}
    return {name: value for name, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("who", "options", "success", "silent"),
    [  # the first three are rows of the design's table of known answers
        ("t", "accuracy 90% correlation 0% vote 3", 0.972, 0.028),
        ("t", "accuracy 90% correlation 30% vote 3", 0.93528, 0.06472),
        ("u", "accuracy 90% correlation 0% vote 3", 0.905418, 0.022842),
        # first to lead by k: p^k / (p^k + q^k), and 99 calls are all but endless
        ("t", "accuracy 90% correlation 0% vote lead 2 of 99", 0.81 / 0.82, 0.01 / 0.82),
        ("t", "accuracy 90% correlation 100% vote 3", 0.9, 0.1),
        # u fails twice in a row once in a hundred
        ("u", "accuracy 90% correlation 0% vote 1 retry 1", 0.891, 0.099),
        # 80% * 95% + (80% * 5% + 20% * 90%) * 95% * 95%, all of it with transient faults of none
        (
            "cascade(t, v) until it.confidence >= 80%",
            "accuracy t 80%, v 95% correlation 0% catches 90% false_alarms 5%",
            0.8 * 0.95 + (0.8 * 0.05 + 0.2 * 0.9) * 0.95 * 0.95,
            0.2 * 0.1 + (0.8 * 0.05 + 0.2 * 0.9) * 0.05 * 0.1,
        ),
    ],
)
def test_known_answers(
    tmp_path: Path, who: str, options: str, success: float, silent: float
) -> None:
    path = write(tmp_path, who, options)
    text = Path(path).read_text(encoding="utf-8")
    tier = "tier v { provider a transient 0% price $0 in, $0 out }\n"
    Path(path).write_text(tier + text, encoding="utf-8")
    found = shares(path)
    assert found["success"] == pytest.approx(success, abs=1e-12)
    assert found["silent_error"] == pytest.approx(silent, abs=1e-12)
    loaded = pipelang.load(path, allow=RULES)
    observed = simulated(loaded, loaded.program.pipelines["f"], 4_000, 7, None)
    assert all(one.agrees for one in observed.outcomes.values())


class Scripted:
    """Answers from a script, by the model that is asked; an exception is raised."""

    name = "scripted"

    def __init__(self, script: list[Any]) -> None:
        self.script = script
        self.asked: list[str] = []

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.asked.append(request.tier)
        said = self.script[min(len(self.asked), len(self.script)) - 1]
        if isinstance(said, Exception):
            raise said
        body, confidence = said
        return ModelAnswer({"body": body, "confidence": confidence}, Usage(1, 1), "m")

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


def run(path: str, script: list[Any]) -> tuple[Any, list[str]]:
    provider = Scripted(script)
    runtime = pipelang.Runtime(providers={"a": provider})
    handle = pipelang.load(path, allow=RULES).pipeline("f", runtime=runtime)
    return asyncio.run(handle.run(x="x")), provider.asked


def test_the_majority_is_taken(tmp_path: Path) -> None:
    path = write(tmp_path, "t", "accuracy 90% correlation 0% vote 3")
    result, asked = run(path, [("a", 0.5), ("b", 0.5), ("a", 0.5)])
    assert result.value.body == "a"
    assert len(asked) == 3


def test_no_majority_is_a_failed_link(tmp_path: Path) -> None:
    path = write(tmp_path, "t", "accuracy 90% correlation 0% vote 3")
    result, _ = run(path, [("a", 0.5), ("b", 0.5), ("c", 0.5)])
    assert isinstance(result, pipelang.Escalated)


def test_a_lead_ends_the_vote(tmp_path: Path) -> None:
    path = write(tmp_path, "t", "accuracy 90% correlation 0% vote lead 2 of 9")
    result, asked = run(path, [("a", 0.5), ("b", 0.5), ("a", 0.5), ("a", 0.5), ("b", 0.5)])
    assert result.value.body == "a"
    assert len(asked) == 4


def test_a_failed_call_counts_as_a_call(tmp_path: Path) -> None:
    path = write(tmp_path, "t", "accuracy 90% correlation 0% vote 3")
    fault = ModelFault("overloaded", "busy")
    result, asked = run(path, [("a", 0.5), fault, ("a", 0.5)])
    assert result.value.body == "a"
    assert len(asked) == 3


def test_a_cascade_goes_on_until_it_is_sure(tmp_path: Path) -> None:
    options = "accuracy 90% correlation 0% catches 90% false_alarms 5%"
    path = write(tmp_path, "cascade(t, u) until it.confidence >= 80%", options)
    result, asked = run(path, [("a", 0.5), ("b", 0.9)])
    assert result.value.body == "b"
    assert asked == ["t", "u"]
    result, asked = run(path, [("a", 0.9)])
    assert result.value.body == "a"
    assert asked == ["t"]
    result, _ = run(path, [("a", 0.5), ("b", 0.6)])
    assert isinstance(result, pipelang.Escalated)
