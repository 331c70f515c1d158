"""Answers of pipelines that are kept: the analysis against Storm, the interpreter, arithmetic."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.runs.prices_of_attempts import spending
from pipelang.runtime.host.simulate import simulate

from .generate_wide import generate_wide
from .storm import Storm, storm_python
from .subject import analyse, exported
from .test_interpreter_agrees import disagreements as unlikely
from .test_storm import Judged, disagreements, reports_of
from .write_pipe import write_pipe

WORLD = """
provider a { available 90% }
provider b { available 100% }
tier cheap { provider a transient 20% price $1 in, $5 out latency 100ms median, 300ms p95 }
tier dear { provider b transient 0% price $10 in, $50 out latency 1s median, 2s p95 }
type R { ok: bool  body: text max 9 tokens }
type Q { vip: bool  size: Size  lines: [text max 9 tokens] max 3 }
enum Size { small large }
tool coin(x: text max 9 tokens) -> text max 9 tokens {
  python "m:f" effect read succeeds 50% accuracy 90% cost $0.01 timeout 1s
}
prompt q(x: text max 9 tokens) \"\"\"hi {{ x }}\"\"\"
prompt about(x: Q) \"\"\"hi {{ x.size }}\"\"\"
pipeline judged(x: text max 9 tokens) -> R {
  step made: R = ask q(x) by cheap {
    accuracy 80% correlation 0% output 9 tokens max timeout 5s retry 1
  } else ask q(x) by dear { accuracy 95% correlation 0% output 9 tokens max timeout 5s }
  gate good: made.ok { catches 60% false_alarms 10% } else redo made up to 1 else reject "no"
  return made
}
pipeline choosy(x: Q) -> R {
  traffic { x.size: small 70%, large 30%  x.lines.length: 2 mean }
  gate lowly: not x.vip else reject "vip"
  step made: R = ask about(x) by match x.size { small => cheap  large => dear } {
    accuracy cheap 80%, dear 95% output 9 tokens max timeout 5s
  }
  step each_one = each line in x.lines { call coin(line) { retry 3 } } { need any }
  return made
}
"""

CASES = {
    "a gate": """
pipeline main(x: text max 9 tokens) -> R {
  step s = run judged(x) { cache 1h by x hits 40% retry 1 }
  return s
}
""",
    "what never answers": """
pipeline main(x: Q, y: Q) -> R {
  traffic { x.vip: 25% y.vip: 40% }
  step s = run choosy(x) { cache 1h by x.size hits 40% }
    else run choosy(y) { cache 1h by "k" hits 70% }
  return s
}
""",
    "a wrong argument": """
pipeline main(x: text max 9 tokens) -> R {
  traffic { other: 30% if right, 60% if wrong }
  step c = call coin(x) else "n" { accuracy 50% correlation 0% }
  when other: c == "n" { return {ok: true, body: c} }
  step s = run judged(c) { cache 1h by c hits 40% }
  return s
}
""",
    "in a list, a pipeline and a cache": """
pipeline middle(x: text max 9 tokens) -> R {
  step s = run judged(x) { cache 1h by x hits 50% } else {ok: true, body: "n"} { accuracy 20% }
  step t: R = ask q(s.body) by cheap {
    accuracy 70% recovers 20% correlation 0% cache 1h by x hits 30% output 9 tokens max timeout 5s
  } else {ok: true, body: x} { accuracy 30% }
  return t
}
pipeline main(x: text max 9 tokens) -> [R] max 2 {
  step all = each y in [x, "b"] { run middle(y) { cache 1h by y hits 60% } } { need all }
  return all
}
""",
    "made again": """
pipeline main(x: text max 9 tokens) -> R {
  step s = run judged(x) { cache 1h by x hits 40% }
  gate right: s.ok { catches 70% false_alarms 20% } else redo s up to 2 else fail "no"
  return s
}
""",
}


@pytest.fixture(scope="module")
def storm() -> Iterator[Storm]:
    python = storm_python()
    assert python is not None
    storm = Storm(python)
    yield storm
    storm.close()


def written(case: str, folder: Path) -> Path:
    path = folder / "main.pipe"
    path.write_text(WORLD + CASES[case], encoding="utf-8")
    return path


@pytest.mark.judge("Storm")
@pytest.mark.parametrize("case", CASES)
def test_what_storm_finds(storm: Storm, judged: Judged, case: str, tmp_path: Path) -> None:
    path = written(case, tmp_path)
    found = disagreements(storm, analyse(path)["main"], exported(path)["main"].text, True)
    judged(1)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", CASES)
def test_what_simulated_runs_do(case: str, tmp_path: Path) -> None:
    path = written(case, tmp_path)
    report, loaded = analyse(path)["main"], pipelang.load(path, allow=RULES)
    pipeline = loaded.program.pipelines["main"]
    counts = simulate(loaded, pipeline, 4_000, 7, spending(loaded.program, pipeline))
    assert not unlikely(counts, report)
    cost = report["cost"]["mean"]["value"]
    assert sum(counts.costs) / counts.runs == pytest.approx(cost, rel=0.1)


def test_what_is_worked_out_by_hand(tmp_path: Path) -> None:
    """Of what is given a share is kept: it was answered, and nobody was out then."""
    path = written("a gate", tmp_path)
    report, calm = analyse(path)["main"], 1 - 0.2 * 0.2

    def judged(cheap: float) -> tuple[float, float]:
        """The chances of a right and of a wrong answer, where `cheap` answers so often."""
        right = cheap * 0.8 + (1 - cheap) * 0.95
        again = right * 0.1 + (1 - right) * 0.6
        return right * 0.9 * (1 + again), (1 - right) * 0.4 * (1 + again)

    right, wrong = judged(calm)
    fresh = 0.9 * right + 0.1 * judged(0.0)[0]
    expected = 0.4 * right / (right + wrong) + 0.6 * fresh
    assert report["outcomes"]["success"]["value"] == pytest.approx(expected, abs=1e-12)
    given = analyse(path)["judged"]["cost"]["mean"]["value"]
    assert report["cost"]["mean"]["value"] == pytest.approx(0.6 * given, rel=1e-9)


RUNS = re.compile(r"(\brun \w+\((?:[^()\n]|\([^()\n]*\))*\))( \{ )?")
SEEDS = int(os.environ.get("STORM_SEEDS", "100"))
SIMULATED = 96 if os.environ.get("ORACLE_LONG") else 16
BATCH = 10
FIRST = 60_000


def kept(text: str, seed: int) -> str:
    """The text in which answers of pipelines are kept, most of them."""
    rng = random.Random(seed)

    def written(found: re.Match[str]) -> str:
        if rng.random() < 0.2:
            return found[0]
        cache = f'cache 1h by "k" hits {rng.choice(["20%", "50%", "100%"])}'
        return f"{found[1]} {{ {cache} " + ("" if found[2] else "}")

    return RUNS.sub(written, text)


def with_kept_answers(seed: int, folder: Path) -> tuple[Path, dict[str, Any]] | None:
    """A program of the seed in which answers of pipelines are kept, and its reports; None if it
    runs none, or what it runs acts or asks people.
    """
    path = write_pipe(generate_wide(seed), folder)
    before = path.read_text(encoding="utf-8")
    text = kept(before, seed)
    path.write_text(text, encoding="utf-8")
    reports = None if text == before else reports_of(path)
    return None if reports is None else (path, reports)


@pytest.mark.judge("Storm")
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_kept_answers_wherever_a_pipeline_is_run(
    storm: Storm, judged: Judged, first: int, tmp_path: Path
) -> None:
    failures: list[str] = []
    compared = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        made = with_kept_answers(seed, tmp_path / f"seed_{seed}")
        if made is None:
            continue
        path, reports = made
        for name, model in exported(path).items():
            found = disagreements(storm, reports[name], model.text, True)
            compared += 1
            if found:
                failures += [f"seed {seed}, {name}", *found, path.read_text(encoding="utf-8")]
    judged(compared)
    assert not failures, "\n".join(failures)


@pytest.mark.parametrize("seed", range(FIRST, FIRST + SIMULATED))
def test_simulated_runs_find_kept_answers(seed: int, tmp_path: Path) -> None:
    made = with_kept_answers(seed, tmp_path)
    if made is None:
        pytest.skip("no answer of a pipeline can be kept in this program")
    path, reports = made
    loaded = pipelang.load(path, allow=RULES)
    name = generate_wide(seed).pipeline.name
    pipeline = loaded.program.pipelines[name]
    counts = simulate(loaded, pipeline, 1_500, seed, spending(loaded.program, pipeline))
    found = unlikely(counts, reports[name])
    assert not found, "\n".join([*found, path.read_text(encoding="utf-8")])
