"""State folders as they are found: without an inbox, with traces that somebody changed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.cli.operate.observe import command as observe
from pipelang.interfaces.cli.operate.watch import command as watch
from pipelang.interfaces.observation import folder_source
from pipelang.interfaces.observation.folder_source import FolderSource

PROGRAM = """
provider lab { kind fake available 100% }
tier small {
  provider lab model "s" price $0 in, $50 out transient 10% context 10k tokens
}
role desk { people 1 handles 6m }
prompt say(x: text max 20 tokens) \"\"\"Say {{ x }}.\"\"\"

pipeline main(x: text max 20 tokens) -> text max 20 tokens {
  traffic 48/day { }
  step s: text max 20 tokens = ask say(x) by small {
    accuracy 98% output 10 tokens mean, 20 tokens max timeout 10s
  } else escalate to desk "no model"
  return s
}
"""
RUNS = 10


class Folder:
    """A state folder of a program, with traces written by hand."""

    def __init__(self, root: Path) -> None:
        self.file = root / "main.pipe"
        self.file.write_text(PROGRAM, encoding="utf-8")
        program = check_file(str(self.file)).program
        assert program is not None
        self.hash = program.hash[:12]
        self.state = root / "state"
        (self.state / "traces").mkdir(parents=True)

    def write(
        self,
        number: int,
        ago: timedelta,
        outcome: str = "answered",
        attempt: Any = None,
        **end: Any,
    ) -> None:
        started = datetime.now(UTC) - ago
        run = f"{number:012x}"
        head = {"trace": 1, "run": run, "pipeline": "main", "program": self.hash}
        said = {"cost": 0.001, "tokens": 30, "seconds": 1.0, **end}
        answer = {"tier": "small", "seconds": 1.0, "tokens_in": 20, "tokens_out": 10, "cost": 0.001}
        events = [
            {"kind": "step", "name": "s", "data": {}},
            {"kind": "answer", "name": "s", "data": {**answer, **(attempt or {})}},
            {"kind": "outcome", "name": outcome, "data": said},
        ]
        lines = [{**head, "started": started.isoformat()}]
        lines += [{**one, "at": 1.0, "time": started.isoformat()} for one in events]
        path = self.state / "traces" / f"{run}.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")

    def observed(self) -> dict[str, Any]:
        line = [str(self.file), "--state", str(self.state), "--format", "json"]
        result = CliRunner().invoke(observe, line, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)["pipelines"]["main"]
        return found


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_an_escalation_is_a_case_though_no_inbox_was_kept(folder: Folder) -> None:
    for number in range(RUNS):
        folder.write(number, timedelta(hours=2 * number + 2), "escalated", role="desk", reason="s")
    desk = folder.observed()["people"]["desk"]
    # Ten runs since the first of them, 20 hours ago; each takes 6 of the 480 minutes of a day.
    assert (desk["cases"], desk["waiting"]) == (RUNS, 0)
    assert desk["a_day"]["observed"] == pytest.approx(12, rel=1e-3)
    assert desk["busy"]["observed"] == pytest.approx(12 * 6 / 480, rel=1e-3)


def test_cases_of_a_minute_make_no_day(folder: Folder) -> None:
    for number in range(RUNS):
        folder.write(number, timedelta(seconds=60 + number), "escalated", role="desk", reason="s")
    desk = folder.observed()["people"]["desk"]
    assert (desk["cases"], desk["a_day"]["observed"], desk["busy"]["observed"]) == (
        RUNS,
        None,
        None,
    )


@pytest.mark.parametrize(
    "end",
    [
        {"cost": "x"},
        {"cost": [0]},
        {"cost": float("inf")},
        {"cost": -1},
        {"tokens": "z"},
        {"tokens": True},
        {"seconds": "y"},
        {"seconds": float("nan")},
    ],
)
def test_a_run_of_impossible_amounts_is_left_out(folder: Folder, end: dict[str, Any]) -> None:
    folder.write(1, timedelta(hours=2))
    folder.write(2, timedelta(hours=2), **end)
    assert folder.observed()["runs"] == 1
    source = FolderSource(folder.state)
    assert (len(source.runs("main")), len(source.unreadable)) == (1, 1)
    line = [str(folder.file), "main", "--state", str(folder.state)]
    assert CliRunner().invoke(watch, line, catch_exceptions=False).exit_code == 0


def test_traces_that_cannot_be_read_are_told(folder: Folder) -> None:
    """They were counted, and nobody was told; one that is just begun is none of them."""
    folder.write(1, timedelta(hours=2))
    traces = folder.state / "traces"
    (traces / "empty.jsonl").write_bytes(b"")
    line = [str(folder.file), "--state", str(folder.state)]
    assert CliRunner().invoke(observe, line).stderr == ""
    (traces / "a.jsonl").write_bytes(b"[]\n")
    (traces / "b.jsonl").write_bytes(bytes(range(256)))
    for command in (observe, watch):
        done = CliRunner().invoke(command, [*line, "--format", "json"], catch_exceptions=False)
        assert "2 traces" in done.stderr
        assert "`a.jsonl` and others" in done.stderr
        json.loads(done.stdout)


@pytest.mark.parametrize("torn", [b"{", b"\xff\xfe", b"[]", b'{"kind": "answer"'])
def test_lines_of_a_trace_that_cannot_be_read_are_told(folder: Folder, torn: bytes) -> None:
    """What happened there was missing in every figure, and nobody was told."""
    line = [str(folder.file), "--state", str(folder.state), "--format", "json"]
    for number in range(3):
        folder.write(number, timedelta(hours=2))
    one, two, last = sorted((folder.state / "traces").iterdir())
    with last.open("ab") as file:
        file.write(torn)  # as a process leaves a line that it is still writing
    assert CliRunner().invoke(observe, line).stderr == ""
    for path in (one, two):
        lines = path.read_bytes().split(b"\n")
        path.write_bytes(b"\n".join([lines[0], torn, *lines[1:2], torn, *lines[3:]]))
    for command in (observe, watch):
        done = CliRunner().invoke(command, line, catch_exceptions=False)
        assert "4 lines of 2 traces" in done.stderr
        assert f"`{one.name}`, line 2" in done.stderr
        json.loads(done.stdout)


@pytest.mark.parametrize(
    "kept", [b"", b"\xff\xfe", b"[" * 100_000, b'{"version": 1}', b"[]", b"9" * 5_000, None]
)
def test_a_state_of_a_watch_that_cannot_be_read_is_told(folder: Folder, kept: bytes | None) -> None:
    folder.write(1, timedelta(hours=2))
    line = [str(folder.file), "--state", str(folder.state)]
    assert CliRunner().invoke(watch, line).exit_code == 0
    (path,) = (folder.state / "watch").glob("*.json")
    path.unlink()
    if kept is None:
        path.mkdir()
    else:
        path.write_bytes(kept)
    done = CliRunner().invoke(watch, line, catch_exceptions=False)
    assert done.exit_code == 1
    assert "take it away, and the watch begins anew" in done.stderr
    assert kept is None or path.read_bytes() == kept


@pytest.mark.parametrize(
    "attempt",
    [
        {"cost": "x", "tokens_in": "a", "tokens_out": []},
        {"seconds": float("nan"), "confidence": "high"},
        {"confidence": 5, "tier": 5},
    ],
)
def test_an_attempt_that_nobody_can_read_harms_nothing(folder: Folder, attempt: Any) -> None:
    folder.write(1, timedelta(hours=2))
    folder.write(2, timedelta(hours=2), role=["a"], reason=5, attempt=attempt)
    found = folder.observed()
    assert (found["runs"], found["steps"]["s"]["visits"]) == (2, 2)
    assert found["metrics"]["cost.mean"]["observed"] == 0.001


@pytest.mark.parametrize(
    "kept",
    [
        "x",
        "[]",
        '{"version": 1}',
        '{"version": 1, "lines": 5}',
        '{"version": 1, "lines": {"failure <= 10% over 1d": 5}}',
        '{"version": 1, "lines": {"failure <= 10% over 1d": {"closed": "x"}}}',
        '{"version": 1, "lines": {"failure <= 10% over 1d": {"alert": "x"}}}',
    ],
)
def test_what_a_watch_kept_and_cannot_be_read_is_told(folder: Folder, kept: str) -> None:
    folder.write(1, timedelta(hours=2))
    place = folder.state / "watch" / f"main.{folder.hash}.json"
    place.parent.mkdir()
    place.write_text(kept, encoding="utf-8")
    line = [str(folder.file), "main", "--state", str(folder.state)]
    result = CliRunner().invoke(watch, line, catch_exceptions=False)
    assert (result.exit_code, f"`main.{folder.hash}` cannot be read" in result.output) == (1, True)
    place.unlink()
    assert CliRunner().invoke(watch, line, catch_exceptions=False).exit_code == 0


@pytest.mark.parametrize("command", [observe, watch])
def test_an_inbox_that_cannot_be_read_is_told(folder: Folder, command: click.Command) -> None:
    folder.write(1, timedelta(hours=2))
    (folder.state / "inbox").mkdir()
    (folder.state / "inbox" / "open").write_text("no folder", encoding="utf-8")
    line = [str(folder.file), "main", "--state", str(folder.state)]
    result = CliRunner().invoke(command, line, catch_exceptions=False)
    assert (result.exit_code, "inbox" in result.output) == (1, True), result.output


def test_a_day_costs_what_its_rate_comes_to(folder: Folder) -> None:
    # Ten runs of a tenth of a cent in the last 20 hours, which may touch two calendar days.
    for number in range(RUNS):
        folder.write(number, timedelta(hours=2 * number + 2))
    line = [str(folder.file), "--state", str(folder.state), "--format", "html"]
    page = CliRunner().invoke(observe, line, catch_exceptions=False).output
    assert "$0.012" in page.partition("cost a day")[2][:200]


def test_no_number_of_further_runs_mends_an_unknown_cost(folder: Folder) -> None:
    for number in range(RUNS):
        folder.write(number, timedelta(hours=2 * number + 2), cost=0.001 if number else None)
    metrics = folder.observed()["metrics"]
    costs = {name: one for name, one in metrics.items() if name.startswith("cost.")}
    assert len(costs) == 6
    for name, one in costs.items():
        assert (one["observed"], "more" in one, "unknown" in one["note"]) == (None, False, True), (
            name
        )
    assert "more" in metrics["latency.mean"]


def test_of_many_traces_the_newest_are_kept_and_the_others_read_again(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100,000 of them, each with its events, took 840 MB."""
    for number in range(6):
        folder.write(number, timedelta(hours=number))
    whole = FolderSource(folder.state)
    expected = [(run, list(events)) for run, events in whole.events(whole.runs("main"))]
    monkeypatch.setattr(folder_source, "MOST_KEPT", 2)
    source = FolderSource(folder.state)
    found = source.runs("main")
    kept = [one for one in source._traces.values() if not isinstance(one, Path)]
    assert len(kept) == 2
    assert [(run, list(events)) for run, events in source.events(found)] == expected
    next(folder.state.glob("traces/*0.jsonl")).unlink()
    assert len(list(source.events(found))) == 5


@pytest.mark.parametrize(
    ("code", "runs", "failures"), [("killed", 9, 0), ("cancelled", 9, 0), ("crashed", 10, 1)]
)
def test_a_run_that_people_stopped_is_no_failure(
    tmp_path: Path, code: str, runs: int, failures: int
) -> None:
    folder = Folder(tmp_path)
    for number in range(9):
        folder.write(number, timedelta(hours=number + 1))
    folder.write(9, timedelta(hours=11), "failed", code=code)
    found = folder.observed()
    assert (found["runs"], found["stopped"]) == (runs, 10 - runs)
    assert found["metrics"]["failure"]["observed"] == failures / runs
