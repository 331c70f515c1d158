"""Observation and watch over a store: the same records as a state folder leaves, and the state of
a watch beside them.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import pipelang
from pipelang.diagnostics import RULES
from pipelang.interfaces.cli.operate.observe import command as observe
from pipelang.interfaces.cli.operate.watch import command as watch
from pipelang.interfaces.observation.store_source import StoreSource
from pipelang.runtime.durable.upkeep import cancel
from pipelang.runtime.durable.versions.releases import Release, release

from ...runtime.durable.by_hand import Stage

PROGRAM = """
role judges { people 2 handles 2m }
tool look(x: text) -> text { effect read succeeds 99% }
tool put(x: text, idempotency_key: text) { effect write idempotent }

pipeline judged(x: text) -> text {
  budget $1
  quota $5/day, 40 runs/day per tenant else fail "spent"
  watch { failure <= 10% over 1d else alert judges }
  sample 100% of seen by judges
  step seen = call look(x) else fail "unseen"
  step done = call put(seen, "k") else fail "not put"
  return seen
}
"""


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    made = Stage(f"sqlite:///{tmp_path}/runs.db", tmp_path)
    file = tmp_path / "judged.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    made.loaded = pipelang.load(file, allow=RULES)
    for number in range(6):
        thread = "story" if number < 3 else None
        run = made.submit("judged", thread=thread, key=f"k{number}", input={"x": str(number)})
        assert made.do(made.take(run))
    return made


def test_runs_of_a_store_are_observed(stage: Stage, tmp_path: Path) -> None:
    source = StoreSource(stage.store)
    runs = source.runs("judged")
    assert [run.outcome for run in runs] == ["answered"] * 6
    assert {run.program for run in runs} == {stage.loaded.hash}
    assert all(run.seconds is not None and run.turnaround is not None for run in runs)
    assert source.runs("judged", source.now() + 60) == []
    line = [str(tmp_path / "judged.pipe"), "--store", stage.url, "--format", "json"]
    result = CliRunner().invoke(observe, line, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    (found,) = json.loads(result.output)["pipelines"].values()
    assert (found["runs"], found["stories"]) == (6, 4)
    assert found["steps"]["seen"]["reached"]["observed"] == 1.0
    assert found["steps"]["seen"]["attempts"][0]["who"] == "look"
    assert found["labels"]["open"] == 6
    money, runs = found["quotas"]
    assert money["left"] == 1.0
    assert (runs["used"], runs["left"]) == (6, 0.85)
    assert found["people"]["judges"]["waiting"] == 6
    stage.store.close()


def test_runs_that_people_cancelled_count_for_no_figure(stage: Stage, tmp_path: Path) -> None:
    waiting = [stage.submit("judged", key=f"c{number}", input={"x": "c"}) for number in range(3)]
    for run in waiting[:2]:
        cancel(stage.store, run)
    line = [str(tmp_path / "judged.pipe"), "--store", stage.url]
    told = CliRunner().invoke(observe, [*line, "--format", "json"], catch_exceptions=False)
    (found,) = json.loads(told.output)["pipelines"].values()
    assert (found["runs"], found["stopped"], found["unfinished"]) == (6, 2, 1)
    assert found["metrics"]["failure"]["observed"] == 0
    shown = CliRunner().invoke(observe, line, catch_exceptions=False)
    assert "2 runs that people cancelled or killed count for no figure" in shown.output
    stage.store.close()


def test_a_watch_remembers_beside_the_runs(stage: Stage, tmp_path: Path) -> None:
    line = [str(tmp_path / "judged.pipe"), "--store", stage.url]
    result = CliRunner().invoke(watch, line, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "failure <= 10% over 1d" in result.output
    kept = StoreSource(stage.store).recall(f"judged.{stage.loaded.hash[:12]}")
    assert kept is not None
    assert json.loads(kept)["lines"]["failure <= 10% over 1d"]["closed"] > 20_000
    for more, words in (
        (["--alert", "nobody=https://a.example"], "no role is called `nobody`"),
        (["--baseline", "v9"], "no release of `judged` is `v9`"),
    ):
        wrong = CliRunner().invoke(watch, [*line, *more], catch_exceptions=False)
        assert wrong.exit_code in (1, 2)
        assert words in wrong.output
    hook = "https://a.example/hook"
    for more, words in (
        (["--alert", "ftp://a.example"], "alerts are not sent by `ftp`"),
        (["--alert", "https:///hook"], "is no web address"),
        (["--alert", "judges="], "names no place for alerts"),
        (["--alert", str(tmp_path)], "is a folder"),
        (["--alert", str(tmp_path / "none" / "a.jsonl")], "in a folder that is there"),
        (["--alert", os.devnull], "is no plain file"),
        (["--secret", "env:NO_SUCH_SECRET"], "no alert goes to a web address"),
        (["--alert", hook, "--secret", "env:NO_SUCH_SECRET"], "there is nothing behind"),
        (["--alert", hook, "--secret", f"file:{tmp_path}"], "there is nothing behind"),
        (["--alert", hook, "--secret", "hush"], "is no reference"),
        (["--every", "0s"], "is too short"),
    ):
        wrong = CliRunner().invoke(watch, [*line, *more], catch_exceptions=False)
        assert (wrong.exit_code, words in wrong.output) == (2, True), wrong.output
    release(
        stage.store,
        Release("judged", "v9", stage.loaded.hash, "", "current", 1.0, (), "", "ada", 0.0, 0.0),
        "for a test",
    )
    named = CliRunner().invoke(watch, [*line, "--baseline", "v9"], catch_exceptions=False)
    assert named.exit_code == 0, named.output
    other = tmp_path / "other.pipe"
    other.write_text(PROGRAM.replace("10%", "11%"), encoding="utf-8")
    told = CliRunner().invoke(watch, [str(other), "--store", stage.url], catch_exceptions=False)
    assert "what is deployed is another program" in told.output
    line = [str(other), "--store", stage.url, "--program", "v9"]
    seen = CliRunner().invoke(observe, line, catch_exceptions=False)
    assert seen.exit_code == 0, seen.output
    assert f"6 runs of {stage.loaded.hash[:12]}" in seen.output
    release(
        stage.store,
        Release("judged", "v10", "ab" * 32, "", "current", 1.0, (), "", "ada", 0.0, 0.0),
        "for a test",
    )
    none = CliRunner().invoke(observe, [*line[:-1], "v10"], catch_exceptions=False)
    assert (none.exit_code, "no runs of `v10` of `judged` (abababababab)" in none.output) == (
        1,
        True,
    )
    stage.store.close()


def test_a_store_that_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "judged.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    for command in (observe, watch):
        line = [str(file), "--store", f"sqlite:///{tmp_path}/none.db"]
        result = CliRunner().invoke(command, line, catch_exceptions=False)
        assert result.exit_code == 3
        assert "there is no store" in result.output
