"""What is said of `child.step` where the child stands in another file, two deep, and is run twice.

The figures are worked out by hand: `kid` answers in .94 x .94 of the runs without an outage, and a
second run of it puts right a tenth of what the first has made wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelang.analysis.advice.advise import Advice, advise
from pipelang.analysis.advice.trying import Bench, edited
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.tuning.search import frontier
from pipelang.analysis.tuning.tune import tune
from pipelang.diagnostics.diagnostic import Edit
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

FILES = {
    "base.pipe": '''
provider px { kind simulated available 97% }
tier fa { provider px model "m" price $1 in, $5 out transient 6% context 200k tokens }
tier sl { provider px model "m2" price $3 in, $15 out transient 4% context 200k tokens }
role desk { people 9 handles 4m accuracy 97% }
prompt p(q: text max 60 tokens) """{{ q }}"""
''',
    "kid.pipe": """
use "base.pipe"
pipeline deep(q: text max 60 tokens) -> text max 60 tokens {
  step d: text max 60 tokens = ask p(q) by fa { accuracy fa 90%, sl 97% recovers 10% timeout 3s }
  return d
}
pipeline kid(q: text max 60 tokens) -> text max 60 tokens {
  step k: text max 60 tokens = run deep(q) else escalate to desk
  step m: text max 60 tokens = ask p(k) by fa { accuracy fa 85%, sl 96% timeout 3s }
  return m
}
""",
    "main.pipe": """
use "base.pipe"
use "kid.pipe"
pipeline twice(q: text max 60 tokens) -> text max 60 tokens {
  slo { success >= 75% }
  step a: text max 60 tokens = run kid(q)
  step b: text max 60 tokens = run kid(a)
  return b
}
pipeline many(xs: [text max 60 tokens] max 3) -> [text max 60 tokens] max 3 {
  traffic { xs.length: 2 mean }
  step all: [text max 60 tokens] max 3 = each x in xs { run kid(x) }
  return all
}
pipeline asked(q: text max 60 tokens) -> text max 60 tokens {
  step g: text max 60 tokens = agent p(q) by fa with kid { steps 3 turns 2 accuracy 90% }
  step h: text max 60 tokens = run deep(g)
  return h
}
""",
}


def success(deep: float = 0.9, kid: float = 0.85, d: float = 0.06, m: float = 0.06) -> float:
    """How often `twice` is right, by the accuracies and transients of its two models' steps."""
    first = deep * kid
    right = first * first + (1 - first) * 0.1 * kid
    return 0.97 * ((1 - d) * (1 - m)) ** 2 * right


def bench_in(folder: Path, files: dict[str, str]) -> Bench:
    for name, text in files.items():
        (folder / name).write_text(text)
    loader = DiskLoader()
    path = str(folder / "main.pipe")
    built = build(path, loader)
    assert built.program is not None, [one.message for one in built.diagnostics]
    return Bench(path, built.program, built.sources, loader)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_in(tmp_path, FILES)


def analysed(bench: Bench, name: str = "twice") -> Analysis:
    return analyse(bench.program, bench.program.pipelines[name])


def changed(folder: Path, edits: tuple[Edit, ...]) -> Bench:
    """The files with edits made, each in the file that it names."""
    by_file: dict[str, list[Edit]] = defaultdict(list)
    for edit in edits:
        by_file[Path(edit.span.file).name].append(edit)
    assert {*by_file} == {"kid.pipe"}
    return bench_in(folder, {n: edited(FILES[n], by_file.get(n, [])) for n in FILES})


def test_success_is_what_it_is_by_hand(bench: Bench) -> None:
    assert analysed(bench).numbers["success"].value == pytest.approx(success(), abs=1e-12)


@pytest.mark.parametrize(
    ("name", "moved"),
    [
        ("deep.d", lambda by: success(deep=0.9 + by)),
        ("kid.m", lambda by: success(kid=0.85 + by)),
    ],
)
def test_importance_is_of_both_runs(
    name: str, moved: Callable[[float], float], bench: Bench
) -> None:
    """Of a polynomial of degree two the central difference is the derivative; a wrong input is put
    right as often as ever, and `recovers` moves with nothing.
    """
    slope = (moved(1e-3) - moved(-1e-3)) / 2e-3
    (row,) = (one for one in analysed(bench).inner if one.name == name)
    assert row.importance_success.value == pytest.approx(slope, abs=1e-9)
    reached = {"deep.d": 1 + 0.97 * 0.94**2, "kid.m": 0.97 * 0.94 + 0.97 * 0.94**3}
    assert row.reached.value == pytest.approx(reached[name])


def advised(bench: Bench, name: str) -> dict[str, Advice]:
    return {one.change.words: one for one in advise(bench, analysed(bench, name), everything=True)}


def test_advice_edits_the_other_file_and_says_what_comes_of_it(
    bench: Bench, tmp_path: Path
) -> None:
    found = advised(bench, "twice")
    one = found["`deep.d` by fa → sl"]
    assert one.after == pytest.approx(success(deep=0.97, d=0.04), abs=1e-12)
    assert "many" in one.roots
    again = changed(tmp_path, one.change.edits)
    assert analysed(again).numbers["success"].value == pytest.approx(one.after, abs=1e-12)
    within = analysed(again, "many").numbers["success"].value
    assert within == pytest.approx(one.roots["many"]["success"][1], abs=1e-12)


def test_tune_turns_what_stands_in_the_other_file(bench: Bench, tmp_path: Path) -> None:
    tuned = tune(bench, bench.program.pipelines["twice"], 500, lambda done, total: None)
    assert tuned is not None
    assert tuned.best is not None
    assert tuned.found.complete
    hand = {
        (d, m, dr, mr): success(
            {"fa": 0.9, "sl": 0.97}[d],
            {"fa": 0.85, "sl": 0.96}[m],
            {"fa": 0.06, "sl": 0.04}[d] ** (dr + 1),
            {"fa": 0.06, "sl": 0.04}[m] ** (mr + 1),
        )
        for d in ("fa", "sl")
        for m in ("fa", "sl")
        for dr in range(4)
        for mr in range(4)
    }
    front = [one.figures["success"] for one in frontier(tuned.found.known())]
    assert max(front) == pytest.approx(max(hand.values()), abs=1e-12)
    assert tuned.best.figures["success"] >= 0.75


def test_a_pipeline_that_an_agent_may_run_is_looked_into(bench: Bench) -> None:
    """Nobody says how often it is run, so what is inside is open, and named all the same."""
    found = analysed(bench, "asked")
    names = {one.name for one in found.inner}
    assert {"deep.d", "kid.m"} <= names
    # At best the agent never runs `kid`, whose escalation would end the run: its two turns answer.
    high = found.numbers["success"].high
    assert high == pytest.approx(0.97 * 0.94**3 * (0.9 * 0.9 + 0.1 * 0.1), abs=1e-9)
