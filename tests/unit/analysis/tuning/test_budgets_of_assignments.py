"""Budgets of assignments: what is inferred from others is what a look at each by itself says."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from random import Random

import pytest

from pipelang.analysis.advice.trying import Bench, cuts_of
from pipelang.analysis.tuning.budgets import BudgetedAssignments
from pipelang.analysis.tuning.dimensions import dimensions, edits_of
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

TEXT = """
provider cloud {{ kind simulated available 99% }}
tier cheap {{ provider cloud model "m" price $1 in, $5 out
  latency 10ms median, 20ms p95 transient 2% }}
tier dear {{ provider cloud model "d" price $3 in, $15 out
  latency 20ms median, 30ms p95 transient 1% }}
prompt say(x: int) \"\"\"
Say {{{{ x }}}}. {{% if feedback %}}Not: {{{{ feedback }}}}{{% endif %}}
\"\"\"
tool look(x: int) -> int {{
  python "m:f" effect read succeeds {succeeds} accuracy 90% cost $0.001 timeout 2s
  latency 10ms median, 20ms p95
}}
tool slow(x: int) -> int {{ python "m:g" effect read succeeds 100% accuracy 90% timeout 30s
  latency 10s median, 20s p95 }}
role desk {{ }}
pipeline main(x: int) -> text max 50 tokens {{
  budget {budget} else escalate to desk
  step found = call look(x) {{ retry 1 correlation 0% }}
    else call slow(x) {{ correlation 0% }}
  gate good: found > 3 {{ catches 50% false_alarms 10% }} else redo found up to 1
    else escalate to desk
  step answer: text max 50 tokens = ask say(found) by cheap
    {{ accuracy cheap 90%, dear 96% timeout 9s output 20 tokens mean }}
  return answer
}}
"""

CASES = [
    ("$0.006", "95%"),
    ("9 steps", "95%"),
    ("18s", "95%"),
    ("18s", "99.99%"),
    ("130s", "95%"),
    ("700 tokens", "19 of 20"),
    ("$0.0075, 18s", "99.99%"),
    ("$1, 200 steps", "95%"),
]


def bench_of(folder: Path, budget: str, succeeds: str) -> Bench:
    path = folder / "m.pipe"
    path.write_text(TEXT.format(budget=budget, succeeds=succeeds))
    loader = DiskLoader()
    made = build(str(path), loader)
    assert made.program is not None, made.diagnostics
    return Bench(str(path), made.program, made.sources, loader)


@pytest.mark.parametrize(("budget", "succeeds"), CASES)
def test_is_what_each_says_by_itself(tmp_path: Path, budget: str, succeeds: str) -> None:
    """Over every assignment, asked for in several orders. A tool that hardly ever fails has a slow
    fallback: with more retries that is reached too rarely for lateness to count.
    """
    bench = bench_of(tmp_path, budget, succeeds)
    pipeline = bench.program.pipelines["main"]
    found = dimensions(bench, pipeline)
    every = list(product(*(range(len(one.choices)) for one in found)))
    assert len(every) == 4 * 4 * 2

    def looked_at(assignment: tuple[int, ...]) -> bool:
        program = bench.rebuilt(edits_of(found, assignment)).program
        assert program is not None
        return bool(cuts_of(program, program.pipelines["main"]))

    alone = {one: looked_at(one) for one in every}
    for seed in range(3):
        budgets = BudgetedAssignments(bench, pipeline, found, frozenset())
        order = Random(seed).sample(every, len(every))
        for one in order:
            known = budgets.told(one)
            assert not known or alone[one]
            assert budgets.cut(one) == alone[one], one
            assert budgets.told(one) == alone[one]
        if "18s" not in budget:
            assert budgets.built <= 0.8 * len(every), "as good as nothing is inferred"


def test_a_retry_may_make_late_runs_too_rare_to_count(tmp_path: Path) -> None:
    """So of times nothing is inferred: the judge above has such a case."""
    bench = bench_of(tmp_path, "18s", "99.99%")
    pipeline = bench.program.pipelines["main"]
    found = dimensions(bench, pipeline)
    budgets = BudgetedAssignments(bench, pipeline, found, frozenset())
    at = [one.name for one in found].index("`found` retry")
    none = tuple(0 for _ in found)
    assert budgets.cut(none)
    assert not budgets.cut((*none[:at], 1, *none[at + 1 :]))
