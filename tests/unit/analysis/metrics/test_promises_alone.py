"""An analysis for the promises alone: it decides them as a whole one does, and walks for less."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.analysis.frontier.meter import Measure
from pipelang.analysis.latency.written import WrittenWalk
from pipelang.analysis.metrics.analyse import analyse
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics import program as p
from pipelang.semantics.build import build

REPO = Path(__file__).parents[4]
FILES = [
    "examples/support/support",
    "examples/moderation/moderation",
    "examples/invoice_processing/invoice_processing",
    "examples/gallery/10_unknown",
    "examples/gallery/21_budget",
    "benchmarks/data/desk",
]

HEAD = """
provider host { kind simulated available 100% }
tier z { provider host model "m" price $1 in, $1 out transient 5% context 100k tokens
         latency 2s median, 9s p95 }
prompt a(x: text max 9 tokens) \"\"\"{{ x }}\"\"\"
role desk { people 1 accuracy 100% responds 1m median, 9m p95 }
"""
BODY = """
  step s: text max 9 tokens = ask a(x) by z { accuracy 90% } else ask a(x) by desk else reject
  return s
"""


def program_of(path: Path) -> p.Program:
    program = build(str(path), DiskLoader()).program
    assert program is not None
    return program


def decided(program: p.Program, pipeline: p.Pipeline, promises: bool) -> list[object]:
    return [one.as_json() for one in analyse(program, pipeline, promises).slo]


@pytest.mark.parametrize("file", FILES)
def test_promises_are_decided_as_by_a_whole_analysis(file):
    program = program_of(REPO / f"{file}.pipe")
    for pipeline in program.pipelines.values():
        whole = analyse(program, pipeline)
        if all(one.holds for one in whole.slo):  # else times are left out
            assert decided(program, pipeline, True) == [one.as_json() for one in whole.slo]


@pytest.mark.parametrize(
    ("promise", "walked"),
    [
        ("latency.p95 <= 1h", {Measure.LATENCY_MOST}),
        ("turnaround.p95 <= 9h", {Measure.TURNAROUND_MOST}),
        ("cost.p95 <= $1", {Measure.COST}),
        ("cost.p99 <= $1 latency.mean <= 1h", {Measure.COST, Measure.LATENCY_MOST}),
        ("success >= 1%", set()),
    ],
)
def test_only_what_is_promised_is_read_off_a_walk(promise, walked, tmp_path, monkeypatch):
    path = tmp_path / "p.pipe"
    pipeline = "pipeline p(x: text max 9 tokens) -> text max 9 tokens {\n  slo { %s }%s}\n"
    path.write_text(HEAD + pipeline % (promise, BODY), encoding="utf-8")
    seen: set[Measure] = set()
    coarse, fine = WrittenWalk.coarse, WrittenWalk.at

    def first(walk, measures):
        seen.update(measures)
        return coarse(walk, measures)

    def second(walk, scales, measures):
        seen.update(measures)
        return fine(walk, scales, measures)

    monkeypatch.setattr(WrittenWalk, "coarse", first)
    monkeypatch.setattr(WrittenWalk, "at", second)
    program = program_of(path)
    (one,) = program.pipelines.values()
    found = analyse(program, one, promises=True)
    assert seen == walked
    names = {"cost.p95", "latency.p95", "turnaround.p95"}
    numbers = {name: found.numbers.get(name) for name in names}
    known = {name for name, one in numbers.items() if one is not None and one.value is not None}
    assert known == {name for name in names if name.partition(".")[0] in promise}
    whole = analyse(program, one)
    assert [one.as_json() for one in found.slo] == [one.as_json() for one in whole.slo]


def test_without_people_turnaround_is_latency(tmp_path):
    path = tmp_path / "p.pipe"
    path.write_text(
        HEAD
        + """pipeline p(x: text max 9 tokens) -> text max 9 tokens {
  slo { turnaround.p95 <= 1h }
  step s: text max 9 tokens = ask a(x) by z { accuracy 90% } else reject
  return s
}
""",
        encoding="utf-8",
    )
    program = program_of(path)
    (one,) = program.pipelines.values()
    (verdict,) = analyse(program, one, promises=True).slo
    whole = analyse(program, one)
    assert verdict.as_json() == whole.slo[0].as_json()
    assert verdict.number is not None
    assert verdict.number.value == whole.numbers["latency.p95"].value
