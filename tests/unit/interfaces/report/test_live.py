"""The picture of a run on a terminal, and the lines where there is none."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.report.runs.live import LiveDisplay, PlainLines
from pipelang.runtime.engine.events import Event
from tests.unit.runtime.stage import load

PROGRAM = """
tool send(x: text) -> text { effect write latency 1ms median succeeds 99% }
pipeline main(x: text) -> text {
  step first: Answer = ask say(x) by small
  step second = call send(first.value)
  approve ok by boss else reject
  return second
}
"""


def event(kind: str, name: str, at: float = 0.0, **data: Any) -> Event:
    return Event(kind, name, at, data)


EVENTS = (
    event("run", "main"),
    event("step", "first", 0.1),
    event("failed", "first", 0.2, why="overloaded", message="busy"),
    event("retry", "first", 0.3, wait=1.0),
    event("answer", "first", 1.3, tier="small", confidence=0.91, cost=0.25),
    event("done", "first", 1.3),
    event("step", "second", 1.4),
    event("effect", "second", 1.5, tool="send", effect="write"),
    event("result", "second", 1.6, tool="send", effect="write"),
    event("done", "second", 1.7),
    event("asks", "ok", 1.8, role="boss", text="over $100"),
)


def test_a_picture_shows_phase_steps_progress_cost_and_who_is_waited_for(tmp_path: Path) -> None:
    pytest.importorskip("rich")
    from rich.console import Console

    pipeline = load(tmp_path, PROGRAM).program.pipelines["main"]
    now = [0.0]
    console = Console(file=io.StringIO(), width=90, force_terminal=True, color_system=None)
    picture = LiveDisplay(pipeline, console, clock=lambda: now[0])

    def shown() -> str:
        with console.capture() as capture:
            console.print(picture.render())
        return capture.get()

    assert "starting" in shown()
    seen = []
    for one in EVENTS:
        now[0] = one.at
        picture.show(one)
        seen.append(shown())
    assert "failed: overloaded" in seen[2]
    assert "confidence 91%" in seen[4]
    assert "$0.2500" in seen[4]
    assert "acts on the world" in seen[7]
    assert "acts on the world" not in seen[8]
    last = seen[-1]
    assert "waits for boss: ok, over $100" in last
    assert "waiting for a person" in last
    now[0] = 61.8
    first, second, ok = (line for line in shown().splitlines() if line[:1] in "●◌")
    assert first.split()[:2] == ["●", "first"]
    assert "1.2 s" in first
    assert second.split()[:2] == ["●", "second"]
    # What is waited for goes on.
    assert ok.split()[:2] == ["◌", "ok"]
    assert "60.0 s" in ok


def test_plain_lines_tell_what_is_worth_a_line(tmp_path: Path) -> None:
    pipeline = load(tmp_path, PROGRAM).program.pipelines["main"]
    said: list[str] = []
    lines = PlainLines(pipeline, said.append)
    for one in EVENTS:
        lines.show(one)
    words = [line.split(maxsplit=2)[2] for line in said]
    assert [" ".join(line.split()) for line in words] == [
        "working first",
        "failed first overloaded: busy",
        "retrying first",
        "working second",
        "acting second",
        "waiting for a person ok (waits for boss: ok, over $100)",
    ]
