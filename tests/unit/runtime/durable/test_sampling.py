"""Sampled answers of runs in a store: one case each, wherever a worker dies."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics import RULES

from .by_hand import Stage

PROGRAM = """
role judges { people 2 handles 2m }
tool look(x: text) -> text { effect read }
tool put(x: text, idempotency_key: text) { effect write idempotent }

pipeline judged(x: text) -> text {
  sample 100% of seen, again, both by judges
  step seen = call look(x) else fail "unseen"
  step done = call put(seen, "k") else fail "not put"
  step again = call look(seen) else fail "unseen"
  step both = each one in [x, seen] ordered { call look(one) } else fail "unseen"
  return again
}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    file = tmp_path / "judged.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    made.loaded = pipelang.load(file, allow=RULES)
    yield made
    made.store.close()


def test_one_case_an_answer_wherever_a_worker_dies(stage: Stage) -> None:
    rows = 0
    for side in ("before", "after"):
        at = 0
        while True:
            at += 1
            run = stage.submit("judged")
            lived = stage.do(stage.take(run), at, side)
            if not lived:
                assert stage.do(stage.take(run))
            assert stage.row(run)["status"] == "answered"
            cases = [case for case in stage.inbox.cases() if case.run_id == run]
            assert sorted(case.name for case in cases) == ["again", "both[0]", "both[1]", "seen"]
            assert {case.state for case in cases} == {"open"}
            if lived:
                break
        rows = max(rows, at)
    assert rows > 4


def test_a_verdict_comes_after_the_run_has_ended(stage: Stage) -> None:
    run = stage.submit("judged")
    assert stage.do(stage.take(run))
    case = next(one for one in stage.inbox.cases() if one.name == "seen")
    asyncio.run(stage.inbox.look(case.id, "ada"))
    closed = asyncio.run(stage.inbox.label(case.id, right=False, answer="seen y", by="ada"))
    assert closed.verdict is not None
    assert closed.verdict.seconds is not None
    assert stage.inbox.case(case.id).verdict == closed.verdict
    assert stage.row(run)["status"] == "answered"
