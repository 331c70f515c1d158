"""What a check works out once: what hangs on the program alone, however often it is swept."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.kernels import costs
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.sweep import liveness
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics import program as p
from pipelang.semantics.build import build

REPO = Path(__file__).parents[3]
DESK = "benchmarks/data/desk"


def built(file: str) -> p.Program:
    made = build(str(REPO / f"{file}.pipe"), DiskLoader()).program
    assert made is not None
    return made


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
