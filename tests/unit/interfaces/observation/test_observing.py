"""Observed runs beside their prediction, of a model and tools that do as declared, or do not."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import pipelang
from pipelang import Inbox, Runtime, TraceFiles
from pipelang.diagnostics import RULES
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.cli.operate.observe import command
from pipelang.interfaces.cli.operate.watch import command as watch
from pipelang.interfaces.observation.comparison import (
    FigureVerdict,
    observed_quantile,
    observed_share,
)
from pipelang.interfaces.observation.folder_source import FolderSource
from pipelang.interfaces.observation.observation import Observation, observe
from pipelang.interfaces.report.observed.dashboard import dashboard_html
from pipelang.runtime.providers.protocol import ModelAnswer, ModelRequest, Usage

PROGRAM = """
provider lab { kind fake available 100% }
tier small {
  provider lab model "s" price $0 in, $50 out transient 0% context 100k tokens
}
role staff { people 2 handles 6m cost $40 }
type Answer { value: text max 100 tokens  confidence: probability }
tool look(x: text max 20 tokens) -> text max 20 tokens {
  effect read succeeds 99.9%
}
prompt say(x: text max 20 tokens, y: text max 20 tokens) \"\"\"Say {{ x }} {{ y }}.\"\"\"

pipeline desk(x: text max 20 tokens) -> Answer {
  traffic 100/day { }
  sample 100% of kind by staff
  step docs = call look(x) else "none" { accuracy 60% }
  step kind: Answer = ask say(x, docs) by small {
    accuracy from "kind.jsonl"
    output   5 tokens mean, 100 tokens max
  } else fail "no"
  gate sure: kind.confidence >= 70% else escalate to staff "unsure"
  return kind
}
"""

RUNS = 400


class Model:
    """Answers as its evidence says: of two levels of confidence, right as often as they say."""

    name = "lab"

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.right: list[bool] = []

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        sure = 0.9 if self.random.random() < 0.8 else 0.5
        self.right.append(self.random.random() < sure)
        value = {"value": "right" if self.right[-1] else "wrong", "confidence": sure}
        return ModelAnswer(value, Usage(104, 5), request.model)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


class Desk:
    """A folder with the program, its evidence, and the runs that it did."""

    def __init__(
        self, folder: Path, seed: int, fails: float = 0.001, runs: int = RUNS, watch: str = ""
    ) -> None:
        self.folder = folder
        source = random.Random(seed)
        rows = []
        for number in range(2000):
            sure = 0.9 if number % 5 else 0.5
            right = source.random() < sure
            rows.append(json.dumps({"confidence": sure, "correct": right}))
        (folder / "kind.jsonl").write_text("\n".join(rows) + "\n")
        self.file = folder / "desk.pipe"
        self.file.write_text(
            PROGRAM.replace("  traffic", f"  {watch}\n  traffic"), encoding="utf-8"
        )
        self.state = folder / "state"
        self.inbox = Inbox(self.state / "inbox")
        self.fails = fails
        self.random = random.Random(seed + 1)
        self.model = Model(seed)
        asyncio.run(self._run(runs))

    def look(self, x: str) -> str:
        if self.random.random() < self.fails:
            raise OSError("away")
        return "seen"

    async def _run(self, runs: int) -> None:
        loaded = pipelang.load(self.file, allow=RULES)
        runtime = Runtime(
            providers={"lab": self.model},
            tools={"look": self.look},
            people=self.inbox,
            sinks=(TraceFiles(self.state / "traces"),),
        )
        handle = loaded.pipeline("desk", runtime=runtime)
        for _ in range(runs):
            await handle.run(x="x")

    def label(self) -> None:
        """Say of every answer what is true of it."""

        async def all_of_them() -> None:
            for case in self.inbox.cases():
                if case.kind == "label":
                    right = case.shown["answer"]["value"] == "right"
                    await self.inbox.label(case.id, right=right, by="ada", seconds=60)

        asyncio.run(all_of_them())

    def observed(self) -> Observation:
        checked = check_file(str(self.file))
        assert checked.program is not None
        (analysis,) = checked.analyses
        source = FolderSource(self.state)
        return observe(checked.program, analysis, source, 0.0, checked.program.hash)

    def command(self, *more: str) -> Result:
        line = [str(self.file), "--state", str(self.state), *more]
        return CliRunner().invoke(command, line, catch_exceptions=False)


@pytest.fixture(scope="module")
def as_declared(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    desk = Desk(tmp_path_factory.mktemp("declared"), seed=5)
    desk.label()
    return desk


def test_predictions_lie_in_the_intervals_of_what_was_observed(as_declared: Desk) -> None:
    found = as_declared.observed()
    assert found.runs == RUNS
    assert found.first is None, found.first
    for name in ("escalation", "coverage", "success", "silent_error", "accuracy(kind)"):
        one = found.metric(name)
        assert one is not None
        assert one.verdict in (FigureVerdict.AGREES, FigureVerdict.TOO_FEW), one
        assert one.predicted is not None
        assert one.low is not None
        assert one.high is not None
        assert one.predicted.value is not None
        assert one.low <= one.predicted.value <= one.high, one
    calibration = found.metric("calibration(kind)")
    assert calibration is not None
    assert calibration.value is not None
    assert calibration.value < 0.06
    certain, unknown = found.metric("rejection"), found.metric("latency.p95")
    assert certain is not None
    assert certain.verdict is FigureVerdict.AGREES  # one rejected run would refute it
    assert unknown is not None
    assert unknown.verdict is FigureVerdict.ALONE
    cost = found.metric("cost.mean")
    assert cost is not None
    assert cost.value == pytest.approx(5 * 50 / 1e6)
    assert found.fit.said == ()


def test_savings_follow_from_handles_and_cost(as_declared: Desk) -> None:
    found = as_declared.observed()
    saved = found.savings
    answered = found.metric("coverage")
    assert answered is not None
    assert answered.value is not None
    assert saved.automated == round(answered.value * RUNS)
    assert saved.hours == pytest.approx(saved.automated * 0.1)
    assert saved.dollars == pytest.approx(saved.automated * 4 - saved.spent)
    assert saved.touched == 0  # a sampled answer is judged beside the run, which asks nobody
    assert "with a person's word" not in as_declared.command().output
    (queue,) = found.people
    assert queue.role == "staff"
    assert queue.cases == RUNS + found.runs - saved.automated


def test_the_first_thing_that_differs_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path, seed=6, fails=0.06)
    found = desk.observed()
    assert found.first is not None
    assert found.first.startswith("`docs` at `look` fails")
    assert "declared 0.1%" in found.first
    result = desk.command("--strict")
    assert result.exit_code == 1
    assert "first difference: `docs`" in result.output


def test_threads_count_as_one(as_declared: Desk) -> None:
    """Forty runs of ten threads say as much as ten runs."""
    alone = observed_share("escalation", 20, 100, 100, None)
    threads = observed_share("escalation", 20, 100, 10, None)
    assert alone.value == threads.value == 0.2
    assert alone.low is not None
    assert threads.low is not None
    assert threads.low < alone.low
    values = [float(n) for n in range(100)]
    wide = observed_quantile("latency.p50", values, 0.5, 10, None)
    assert wide.low is not None
    assert wide.high is not None
    assert wide.low < 30
    assert wide.high > 70


def test_formats_and_what_is_wrong(as_declared: Desk) -> None:
    record = json.loads(as_declared.command("--format", "json").output)
    (found,) = record["pipelines"].values()
    assert found["runs"] == RUNS
    assert found["metrics"]["escalation"]["verdict"] in ("agrees", "too few")
    assert found["labels"]["counted"] == RUNS
    text = as_declared.command().output
    assert "nothing differs from the prediction" in text
    assert "tasks automated" in text
    page = dashboard_html([as_declared.observed()])
    for words in (
        "At a glance",
        "hours saved",
        ">money saved<",
        "accuracy(kind)",
        "labels of kind",
    ):
        assert words in page
    assert as_declared.command("--format", "html").exit_code == 0
    assert "no pipeline `other`" in as_declared.command("other").output
    wrong = as_declared.command("--program", "ffffffffffff")
    assert wrong.exit_code == 1
    assert "begins with `ffffffffffff`" in wrong.output
    folder = as_declared.folder / "nowhere"
    missing = CliRunner().invoke(command, [str(as_declared.file), "--state", str(folder)])
    assert missing.exit_code == 1
    assert "there is no state folder" in missing.output


def test_runs_of_another_program_are_told_and_not_mixed(tmp_path: Path) -> None:
    desk = Desk(tmp_path, seed=7, runs=3)
    desk.file.write_text(PROGRAM.replace("70%", "75%"), encoding="utf-8")
    result = desk.command()
    assert result.exit_code == 1
    assert "has no runs of `desk` by this" in result.output
    told = result.output.partition("--program ")[2].split()[0]
    assert desk.command("--program", told).exit_code == 0


def test_too_few_runs_say_how_many_more(tmp_path: Path) -> None:
    found = Desk(tmp_path, seed=8, runs=5).observed()
    one = found.metric("escalation")
    assert one is not None
    assert one.verdict is FigureVerdict.TOO_FEW
    assert one.more > 50
    quantile = found.metric("cost.p95")
    assert quantile is not None
    assert quantile.more > 50
    unlabelled = found.metric("accuracy(kind)")
    assert unlabelled is not None
    assert unlabelled.verdict is FigureVerdict.UNMEASURED
    assert unlabelled.what == "labels"


def test_watch_alerts_from_a_state_folder_once(tmp_path: Path) -> None:
    line = 'watch { escalation <= 1% over 1d else alert staff "too many" }'
    desk = Desk(tmp_path, seed=9, runs=60, watch=line)
    log = tmp_path / "alerts.jsonl"
    asked = [str(desk.file), "--state", str(desk.state), "--alert", f"staff={log}"]
    for _ in range(2):
        result = CliRunner().invoke(watch, asked, catch_exceptions=False)
        assert result.exit_code == 1
        assert "`escalation <= 1% over 1d` does not hold" in result.output
        assert "too many" in result.output
    (told,) = map(json.loads, log.read_text().splitlines())
    assert told["kind"] == "alert"
    assert told["limit"] == 0.01
    record = json.loads(CliRunner().invoke(watch, [*asked, "--format", "json"]).output)
    ((status,),) = record["pipelines"].values()
    assert status["state"] == "alert"
    assert status["alert"]["told"] == [str(log)]
    (kept,) = (one for one in (desk.state / "watch").iterdir() if one.suffix != ".lock")
    kept.write_text("{", encoding="utf-8")
    broken = CliRunner().invoke(watch, asked, catch_exceptions=False)
    assert broken.exit_code == 1
    assert "cannot be read" in broken.output
    nobody = CliRunner().invoke(watch, [str(desk.file), "--state", str(tmp_path)])
    assert nobody.exit_code == 0  # it is watched, and nothing has run there
    assert "quiet" in nobody.output
