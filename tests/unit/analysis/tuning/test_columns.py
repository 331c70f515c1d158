"""Assignments side by side are what each is alone: the changed text, built and swept by itself."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from itertools import pairwise, product
from pathlib import Path

import pytest

from pipelang.analysis.advice.trying import Bench, figures
from pipelang.analysis.model.intervals import compare
from pipelang.analysis.tuning.columns import columns
from pipelang.analysis.tuning.dimensions import dimensions, edits_of
from pipelang.analysis.tuning.held_out import FOLDS, folds_of, held_out
from pipelang.analysis.tuning.tune import tune
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.report.tuned import tuned_text
from pipelang.interfaces.text.colours import painter
from pipelang.semantics.build import build
from pipelang.semantics.program import Program

TEXT = '''\
provider px { kind simulated available 97% }
provider py { kind simulated available 98% }
tier fa { provider px model "m" price $1 in, $5 out transient 16% context 200k tokens }
tier sl { provider py model "m2" price $3 in, $15 out transient 9% context 200k tokens }
role desk { people 9 handles 4m accuracy 97% }
type O { value: text max 60 tokens confidence: probability }
setting bar: probability in 50%..99% = 70%
setting far: probability in 50%..99% = 60%
tool look(x: text max 60 tokens) -> int {
  python "tools:look"  effect read  succeeds 83%  timeout 1s
}
prompt p(q: text max 60 tokens) """{{ q }}"""
pipeline kid(q: text max 60 tokens) -> O {
  step k: O = ask p(q) by fa { accuracy fa 85%, sl 92% recovers 20% timeout 3s }
  gate g: k.confidence > 75% { evidence from "k.jsonl" } else escalate to desk
  return k
}
pipeline main(q: text max 60 tokens, xs: [text max 60 tokens] max 2) -> O {
  traffic 10/day { xs.length: 2 mean  FAR }
  slo { success >= 55% silent_error <= 9% }
  step first: O = run kid(q) { retry 1 } else ask p(q) by sl { accuracy 60% retry 1 }
  step some: [int] max 2 = each x in xs { call look(x) { retry 1 } } { parallel 2 }
  step three: text max 60 tokens = ask p(first.value) by fa {
    accuracy 90% vote 3 correlation 20% retry 1 timeout 3s
  }
  step last: O = ask p(three) by fa {
    accuracy from "l.jsonl" timeout 3s retry 1 correlation 30%
  }
  gate sure: last.confidence >= bar { evidence from "l.jsonl" }
    else redo last up to 1 else escalate to desk
  when last.confidence >= 90% { return last }
  gate usable: last.confidence >= far { evidence from "l.jsonl" } else reject
  return last
}
'''


def rows(seed: int, count: int) -> str:
    made = random.Random(seed)
    found = []
    for _ in range(count):
        right = made.random() < 0.8
        sure = made.betavariate(6, 2) if right else made.betavariate(4, 3)
        found.append(json.dumps({"confidence": round(0.5 + sure / 2, 3), "correct": right}))
    return "\n".join(found) + "\n"


def bench_of(folder: Path, text: str, count: int = 40) -> Bench:
    (folder / "a.pipe").write_text(text)
    (folder / "tools.py").write_text("def look(x): return 1\n")
    (folder / "k.jsonl").write_text(rows(1, count))
    (folder / "l.jsonl").write_text(rows(2, count))
    loader = DiskLoader()
    built = build(str(folder / "a.pipe"), loader)
    assert built.program is not None, [one.message for one in built.diagnostics]
    return Bench(str(folder / "a.pipe"), built.program, built.sources, loader)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return bench_of(tmp_path, TEXT.replace("FAR", ""))


def test_side_by_side_is_one_by_one(bench: Bench) -> None:
    """Also where thresholds on one file change places, or meet."""
    pipeline = bench.program.pipelines["main"]
    found = dimensions(bench, pipeline)
    worker = columns(bench, pipeline, found)
    names = {found[at].name for at in worker.cuts}
    assert names == {
        "setting `bar`",
        "setting `far`",
        "gate `kid.g`: kid.k.confidence",
        "`last.confidence`",
    }
    assert len(worker.retries) == 5
    made = random.Random(5)
    tried = [tuple(made.randrange(len(one.choices)) for one in found) for _ in range(40)]
    bar, far = (at for at, one in enumerate(found) if one.setting is not None)
    same = [x.shown for x in found[far].choices]
    for number in range(0, 40, 4):  # the two thresholds on one value
        shown = found[bar].choices[tried[number][bar]].shown
        if shown in same:
            tried[number] = (*tried[number][:far], same.index(shown), *tried[number][far + 1 :])
    for one, mine in zip(tried, worker.figures(tried), strict=True):
        program = bench.rebuilt(edits_of(found, one)).program
        assert program is not None
        alone = figures(program, program.pipelines["main"])
        assert alone is not None
        assert mine is not None
        # An exit that no run takes there may be missing where it is worked out by itself.
        assert not any(value for name, value in mine.items() if name not in alone)
        for name, value in alone.items():
            assert mine[name] == pytest.approx(value, abs=1e-12), (name, one)


def test_a_setting_that_is_read_elsewhere_is_no_mere_cut(tmp_path: Path) -> None:
    text = TEXT.replace("FAR", "").replace(
        "reject\n", "reject\n  gate odd: far >= 60% else reject\n"
    )
    bench = bench_of(tmp_path, text)
    pipeline = bench.program.pipelines["main"]
    found = dimensions(bench, pipeline)
    worker = columns(bench, pipeline, found)
    assert "setting `far`" not in {found[at].name for at in worker.cuts}
    at = next(at for at, one in enumerate(found) if one.setting == "far")
    now = tuple(one.now for one in found)
    tried = [(*now[:at], choice, *now[at + 1 :]) for choice in range(len(found[at].choices))]
    for one, mine in zip(tried[::7], worker.figures(tried[::7]), strict=True):
        program = bench.rebuilt(edits_of(found, one)).program
        assert program is not None
        assert mine == pytest.approx(figures(program, program.pipelines["main"]), abs=1e-12)


SMALL = '''\
provider px { kind simulated available 97% }
tier fa { provider px model "m" price $1 in, $5 out transient 16% context 200k tokens }
role desk { people 9 handles 4m accuracy 97% }
type O { value: text max 60 tokens confidence: probability }
prompt p(q: text max 60 tokens) """{{ q }}"""
pipeline main(q: text max 60 tokens) -> O {
  slo { silent_error <= 9% SLO }
  step k: O = ask p(q) by fa { accuracy 85% timeout 3s output 20 tokens mean, 90 tokens max }
  gate g: k.confidence >= 75% { evidence from "k.jsonl" } else escalate to desk
  step l: O = ask p(k.value) by fa { accuracy 95% timeout 3s output 20 tokens mean, 90 tokens max }
  gate h: l.confidence > 65% { evidence from "l.jsonl" } else escalate to desk
  return l
}
'''


def test_every_distinct_cut_is_tried_and_the_best_is_the_best_of_all(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, SMALL.replace("SLO", "success >= 30%"), 12)
    pipeline = bench.program.pipelines["main"]
    tuned = tune(bench, pipeline, 20_000, lambda done, total: None)
    assert tuned is not None
    assert tuned.found.complete
    kept = []
    shares = []
    for name in ("k.jsonl", "l.jsonl"):
        found = [json.loads(line) for line in (tmp_path / name).read_text().splitlines()]
        sure = sorted({Decimal(repr(row["confidence"])) for row in found})
        # Something of every gap between two confidences, below all of them and above.
        shares.append([Decimal(0), *((a + b) / 2 for a, b in pairwise(sure)), 1])
    text = (tmp_path / "a.pipe").read_text()
    for (one, other), again in product(product(*shares), range(4)):
        made = text.replace("75%", f"{one * 100}%").replace("65%", f"{other * 100}%")
        made = made.replace("timeout 3s output", f"timeout 3s retry {again} output", 1)
        program = build_of(bench, made)
        point = figures(program, program.pipelines["main"])
        assert point is not None
        if compare(point["success"], ">=", 0.3) and compare(point["silent_error"], "<=", 0.09):
            kept.append(point["cost.mean"])
    assert tuned.found.keeping(pipeline)[0].cost <= min(kept) + 1e-15


def build_of(bench: Bench, text: str) -> Program:
    Path(bench.path).write_text(text)
    program = build(bench.path, bench.loader).program
    assert program is not None
    return program


def test_folds_are_of_cases_and_have_both_verdicts(bench: Bench) -> None:
    files = dict(bench.program.evidence)
    folds = folds_of(files)
    for name, file in files.items():
        counts: dict[tuple[int, bool], int] = {}
        for row in file.rows:
            key = (folds[name][row.line], row.correct)
            counts[key] = counts.get(key, 0) + 1
        assert len(counts) == 2 * FOLDS
        for verdict in (True, False):
            mine = [counts[fold, verdict] for fold in range(FOLDS)]
            assert sum(mine) == sum(row.correct is verdict for row in file.rows)


def test_the_score_is_that_of_rows_that_did_not_choose(tmp_path: Path) -> None:
    """By hand: every fold's threshold is chosen on files without its rows, in a text of its own."""
    bench = bench_of(tmp_path, SMALL.replace("SLO", ""), 60)
    pipeline = bench.program.pipelines["main"]
    tuned = tune(bench, pipeline, 40, lambda done, total: None)
    assert tuned is not None
    assert tuned.best is not None
    found = tuned.found.dimensions
    worker = columns(bench, pipeline, found)
    best = tuned.best.assignment
    few = [at for at, one in enumerate(found) if at in worker.cuts][:1]
    score = held_out(worker, pipeline, best, [])
    assert few
    assert score is not None
    assert score.figures is not None
    assert score.thin == ()
    assert 0 < score.figures["silent_error"] < 1
    assert score.figures["silent_error"] != pytest.approx(tuned.best.figures["silent_error"])
    words = " ".join("\n".join(tuned_text(tuned, painter(False), 100)).split())
    assert "that did not choose the thresholds (5 folds)" in words


def test_a_file_with_few_wrong_rows_is_not_scored(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, SMALL.replace("SLO", ""), 12)
    tuned = tune(bench, bench.program.pipelines["main"], 40, lambda done, total: None)
    assert tuned is not None
    assert tuned.held_out is not None
    assert tuned.held_out.figures is None
    assert {Path(name).name for name in tuned.held_out.thin} <= {"k.jsonl", "l.jsonl"}
    assert tuned.held_out.thin
    assert "fewer than 5 wrong rows" in " ".join(
        "\n".join(tuned_text(tuned, painter(False), 100)).split()
    )
