"""Watched lines where clocks disagree: runs that begin later than now, and looks ahead of time."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.observation.observation import observe
from pipelang.interfaces.observation.records import DAY
from pipelang.interfaces.watching.evaluation import LineState
from pipelang.records import replace

from .histories import History
from .test_watching import KNOWN, look, program_with


@pytest.mark.parametrize(("ahead", "counts"), [(290, True), (310, False), (590, False)])
def test_what_begins_later_than_now_is_left_out_by_watch_as_by_observe(
    ahead: float, counts: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = program_with(tmp_path, "failure <= 10% over 2d")
    history = History(7, program.hash[:12])
    history.add_day(runs=50)
    source = history.source
    odd = replace(source.every[0], id="odd", started=source.clock + ahead, ended=None, outcome=None)
    every = [*source.every, replace(odd, ended=odd.started, outcome="failed")]
    monkeypatch.setattr(source, "runs", lambda pipeline, since=0.0: every)
    (analysis,) = check_file(str(tmp_path / "desk.pipe")).analyses
    seen = observe(program, analysis, source, 0.0, program.hash)
    (status,) = look(history, program)
    assert (seen.clocks, status.count) == ((0, 51) if counts else (1, 50))


@pytest.mark.parametrize("ran", [False, True], ids=["looked", "ran"])
@pytest.mark.parametrize("days", [0.5, 30, 400])
def test_a_clock_that_ran_ahead_for_a_while_makes_no_line_deaf(
    days: float, ran: bool, tmp_path: Path
) -> None:
    """What one look closed in days to come was counted no more until they were over. Nor is an
    alert late, or told of what is fine.
    """
    lines = "failure <= 3% over 1d", "cost.mean <= $0.02 over 1d", "latency.p95 <= 30s over 1d"
    program = program_with(tmp_path, KNOWN, *lines)
    history = History(1, program.hash[:12])
    for _ in range(5):
        history.add_day(escalated=0.18)
        look(history, program)
    right = history.source.clock
    history.source.clock = right + days * DAY
    if ran:  # runs of that time, too, have a wrong one
        ahead = [
            replace(
                run, id=f"x{run.id}", started=run.started + days * DAY, ended=run.ended + days * DAY
            )
            for run in history.source.every[-60:]
            if run.ended is not None
        ]
        history.source.every += ahead
    look(history, program)
    history.source.clock = right
    states = []
    for _ in range(4):
        history.add_day(escalated=0.17)
        states += [one.state for one in look(history, program)]
    assert set(states) == {LineState.QUIET}
    for _ in range(3):
        history.add_day(escalated=0.35, failed=0.1, cost=0.04, slow=0.2)
        states = [one.state for one in look(history, program)]
    assert states == [LineState.ALERT] * 4
    for _ in range(3):
        history.add_day(escalated=0.15)
        states = [one.state for one in look(history, program)]
    assert states == [LineState.QUIET] * 4
