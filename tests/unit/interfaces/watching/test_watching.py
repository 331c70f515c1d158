"""Watched lines over histories of days: what is found when, what stays quiet, what is told once."""

from __future__ import annotations

import contextlib
import http.server
import json
import os
import random
import socket
import threading
from pathlib import Path
from typing import Any, ClassVar

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.observation.labels import AnswerLabel, of_returned, speaking
from pipelang.interfaces.observation.records import DAY, ObservedRun
from pipelang.interfaces.watching.alerts import NoTarget, alert_json, target_from, tell
from pipelang.interfaces.watching.evaluation import (
    LineState,
    LineStatus,
    evaluate,
    name_of,
)
from pipelang.runtime.inbox.webhook import signature_of
from pipelang.semantics import program as p
from pipelang.statistics.shares import ShareMonitor

from .histories import START, History

FILE = """
provider lab { kind fake available 100% }
tier small {
  provider lab model "s" price $1 in, $5 out latency 1s median, 3s p95 transient 0%
  context 100k tokens
}
role staff { people 2 handles 2m }
role owner { people 1 }
type Answer { value: text max 100 tokens  confidence: probability }
prompt say(x: text max 20 tokens) \"\"\"Say {{ x }}.\"\"\"

pipeline desk(x: text max 20 tokens) -> Answer {
  WATCH
  sample 5% of kind by staff
  step kind: Answer = ask say(x) by small {
    accuracy 90% output 20 tokens mean, 100 tokens max
  } else fail "no"
  gate sure: kind.confidence >= 80% { catches 50% false_alarms 15% } else escalate to staff
  return kind
}
"""


def program_with(folder: Path, *lines: str) -> p.Program:
    watch = f"watch {{\n    {chr(10).join(lines)}\n  }}" if lines else ""
    file = folder / "desk.pipe"
    file.write_text(FILE.replace("WATCH", watch), encoding="utf-8")
    checked = check_file(str(file))
    assert checked.program is not None, checked.diagnostics
    return checked.program


def look(history: History, program: p.Program, against: str | None = None) -> list[LineStatus]:
    statuses, state = evaluate(
        program, program.pipelines["desk"], history.source, program.hash, against
    )
    for status in statuses:
        if status.alert is not None:
            status.alert["told"] = ["somebody"]
    history.source.keep(name_of("desk", program.hash), state.text())
    return statuses


KNOWN = "escalation <= 20% over 1d else alert owner"


def test_a_rise_over_a_known_share_is_found_within_two_days(tmp_path: Path) -> None:
    """By the whole way from runs to alerts, at 500 runs a day, in 30 histories; 400 more are in
    tests/unit/statistics.
    """
    program = program_with(tmp_path, KNOWN)
    found = 0
    for seed in range(30):
        history = History(seed, program.hash[:12])
        for _ in range(6):
            history.add_day(escalated=0.19)
        assert [one.state for one in look(history, program)] == [LineState.QUIET]
        for _ in range(2):
            history.add_day(escalated=0.28)
            history.source.clock -= 700  # at midnight, before the day is closed for good
            if look(history, program)[0].state is LineState.ALERT:
                found += 1
                break
    assert found >= 29


def test_a_quiet_year_is_quiet_and_reads_only_what_is_new(tmp_path: Path) -> None:
    program = program_with(
        tmp_path,
        "escalation <= baseline + 20% over 1d",
        "latency.p95 <= 30s over 1h",
        "failure <= 1% over 7d",
        "cost.mean <= $0.012 over 1d",
    )
    history = History(3, program.hash[:12])
    told = []
    for _ in range(365):
        history.add_day(runs=60, failed=0.004)
        if history.day % 3 == 0:
            told += [one for one in look(history, program) if one.state is LineState.ALERT]
    assert not told
    assert history.source.asked[-1] > START + 300 * DAY


def test_what_is_told_is_told_once_and_again_for_the_next_cause(tmp_path: Path) -> None:
    program = program_with(tmp_path, KNOWN)
    history = History(1, program.hash[:12])
    seen = []
    log = tmp_path / "alerts.jsonl"
    for share in [0.18] * 5 + [0.3] * 5 + [0.18] * 5 + [0.3] * 4:
        history.add_day(escalated=share)
        statuses, state = evaluate(program, program.pipelines["desk"], history.source, program.hash)
        (status,) = statuses
        if status.state in (LineState.ALERT, LineState.RECOVERED):
            body = alert_json(status, program.hash, "memory")
            assert tell(status, [target_from(str(log))], body) == []
        history.source.keep(name_of("desk", program.hash), state.text())
        seen.append(status.state)
    kinds = [json.loads(line)["kind"] for line in log.read_text().splitlines()]
    assert kinds == ["alert", "recovered", "alert"]
    assert seen[:5] == [LineState.QUIET] * 5
    first = json.loads(log.read_text().splitlines()[0])
    assert first["role"] == "owner"
    assert first["line"] == "escalation <= 20% over 1d"
    assert any("escalated `sure`" in one for one in first["changed"])
    assert "does not hold" in first["says"]


def test_a_baseline_waits_for_runs_and_is_frozen(tmp_path: Path) -> None:
    program = program_with(tmp_path, "escalation <= baseline + 20% over 1d")
    history = History(2, program.hash[:12])
    history.add_day()
    (status,) = look(history, program)
    assert status.state is LineState.WAITING
    assert "1,500 more runs" in status.note
    for _ in range(3):
        history.add_day()
    (status,) = look(history, program)
    assert status.state is LineState.QUIET
    frozen = json.loads(history.source.kept[name_of("desk", program.hash)])
    (record,) = frozen["lines"].values()
    assert record["baseline"]["runs"] == 2000
    share = record["baseline"]["value"]
    assert status.limit == pytest.approx(1.2 * share)
    for _ in range(3):
        history.add_day(escalated=0.24)
        (status,) = look(history, program)
    assert status.limit == pytest.approx(1.2 * share)


def test_a_baseline_of_another_release(tmp_path: Path) -> None:
    program = program_with(tmp_path, "escalation <= baseline over 1d")
    history = History(4, "0123456789ab")
    for _ in range(8):
        history.add_day(escalated=0.1)
    history.program = program.hash[:12]
    history.add_day(escalated=0.16)
    (status,) = look(history, program, "0123456789ab")
    for _ in range(2):
        if status.state is LineState.ALERT:
            break
        history.add_day(escalated=0.16)
        (status,) = look(history, program, "0123456789ab")
    assert status.state is LineState.ALERT
    assert status.limit == pytest.approx(0.1, abs=0.02)


def test_slow_runs_alert_and_so_do_those_that_never_end(tmp_path: Path) -> None:
    program = program_with(tmp_path, "latency.p95 <= 30s over 1h else alert owner")
    history = History(5, program.hash[:12])
    history.add_day()
    assert look(history, program)[0].state is LineState.QUIET
    now = START + DAY + 5 * 3600
    for n in range(60):
        started = now - 1800 + n
        history.source.every.append(
            ObservedRun(
                f"u{n}",
                "desk",
                program.hash[:12],
                None,
                None,
                started,
                None,
                None,
                waits=n >= 40,
            )
        )
    history.source.clock = now
    (status,) = look(history, program)
    assert status.state is LineState.ALERT
    assert status.count == 40  # who waits for people is not slow
    assert status.value == 1.0
    # Told is the time so far: all of them began between 29 and 30 minutes ago.
    assert status.alert is not None
    assert 29 * 60 < status.alert["observed"] <= 30 * 60


def test_labels_say_that_accuracy_and_calibration_fell(tmp_path: Path) -> None:
    program = program_with(
        tmp_path, "accuracy(kind) >= 85% over 7d", "calibration(kind) <= 5% over 30d"
    )
    history = History(6, program.hash[:12])
    for _ in range(10):
        history.add_day(runs=20, labels=(25, 0.9), sure=0.9)
    assert [one.state for one in look(history, program)] == [LineState.QUIET] * 2
    states = []
    for _ in range(21):
        history.add_day(runs=20, labels=(25, 0.7), sure=0.9)
        states = [one.state for one in look(history, program)]
    assert states == [LineState.ALERT] * 2


LISTS = """
pipeline inner(x: text max 20 tokens) -> Answer {
  step kind: Answer = ask say(x) by small { accuracy 90% output 20 tokens mean } else fail "no"
  return kind
}

pipeline desk(xs: [text max 20 tokens] max 3) -> [Answer] max 3 {
  watch {
    accuracy(kinds)      >= 90% over 7d else alert owner
    accuracy(inner.kind) >= 90% over 7d else alert owner
    success              >= 30% over 7d else alert owner
  }
  sample 5% of kinds by staff
  sample 5% of inner.kind by staff
  step kinds: [Answer] max 3 = each x in xs { ask say(x) by small { accuracy 90% } } else fail "no"
  step others = each x in xs { run inner(x) } else fail "no"
  gate sure: len(others) > 1 else escalate to staff
  return kinds
}
"""


def test_labels_of_elements_and_of_sub_pipelines_are_watched(tmp_path: Path) -> None:
    file = tmp_path / "desk.pipe"
    file.write_text(FILE[: FILE.index("pipeline desk")] + LISTS, encoding="utf-8")
    checked = check_file(str(file))
    assert checked.program is not None, checked.diagnostics
    program = checked.program
    history = History(8, program.hash)
    states: dict[str, list[LineState]] = {}
    for day in range(20):
        history.add_day(runs=40, escalated=0.0)
        for number in range(30):
            wrong = day >= 10 and number % 5 < 3
            history.label_list(number, "kinds", [not wrong, True], "desk")
            history.label_list(number, "kind", [True, not wrong, True], "inner")
        for status in look(history, program):
            states.setdefault(status.watched.line.metric, []).append(status.state)
            if day == 5 and status.watched.line.metric == "accuracy(kinds)":
                assert status.count == 30 * 6  # one a run
    for metric in ("accuracy(kinds)", "accuracy(inner.kind)"):
        assert LineState.ALERT not in states[metric][:10]
        assert LineState.ALERT in states[metric][10:]
    # Two fifths of the runs are right as a whole: all of their elements are.
    assert LineState.ALERT not in states["success"]


def test_answers_of_one_run_that_go_together_alarm_no_more_often() -> None:
    """Elements that are all right or all wrong, at exactly the accuracy that is asked for: of one
    label a run a test is made, so that 100 histories of 40 days alarm in 5% at most. Taken for
    independent, the same labels alarm far more often.
    """
    draw = random.Random(20261130)
    alarms = {"speaking": 0, "every": 0}
    for history in range(100):
        monitors = {name: ShareMonitor(0.9, above=False, parts=1) for name in alarms}
        for day in range(40):
            labels = [
                AnswerLabel(
                    f"{history}-{day}-{run}", "kinds", right, None, 1.0, day * DAY, "", f"{n}"
                )
                for run in range(30)
                for right in [draw.random() < 0.9]
                for n in range(3)
            ]
            for name, mine in (("speaking", speaking(labels, "kinds")), ("every", labels)):
                monitors[name].add(sum(one.right for one in mine), len(mine))
                monitors[name].close_day()
        for name, monitor in monitors.items():
            alarms[name] += monitor.alarmed
    assert alarms["speaking"] <= 0.05 * 100
    assert alarms["every"] > 3 * max(alarms["speaking"], 4)


def test_what_is_returned_is_right_as_a_whole() -> None:
    """By the last answer at each place; what a gate sent back is not what was returned."""

    def label(run: str, right: bool, place: str, visit: int, at: float) -> AnswerLabel:
        return AnswerLabel(run, "s", right, None, 0.5, at, "", place, visit)

    labels = [
        label("a", False, "s", 0, 1.0),
        label("a", True, "s", 1, 2.0),
        label("b", True, "s[0]", 0, 3.0),
        label("b", False, "s[1]", 0, 4.0),
        label("c", True, "s", 1, 6.0),
        label("c", False, "s", 0, 5.0),
    ]
    assert [(one.run, one.right) for one in of_returned(labels, "s")] == [
        ("a", True),
        ("b", False),
        ("c", True),
    ]
    assert of_returned(labels, None) == []


def test_success_and_silent_errors_are_watched_by_labels(tmp_path: Path) -> None:
    program = program_with(tmp_path, "silent_error <= 3% over 7d", "wrong_effect <= 1% over 7d")
    (errors, effects) = look(History(7, program.hash[:12]), program)
    assert errors.state is LineState.QUIET
    assert effects.state is LineState.UNMEASURED
    assert "no run shows it" in effects.note


def test_what_nobody_labels_is_said_not_watched(tmp_path: Path) -> None:
    file = tmp_path / "desk.pipe"
    text = FILE.replace("WATCH", "watch { accuracy(kind) >= 85% over 7d }")
    file.write_text(text.replace("sample 5% of kind by staff", ""), encoding="utf-8")
    program = check_file(str(file)).program
    assert program is not None
    (status,) = look(History(8, program.hash[:12]), program)
    assert status.state is LineState.UNMEASURED
    assert "sample 5% of kind by ROLE" in status.note


def test_no_sample_is_advised_where_none_can_be(tmp_path: Path) -> None:
    file = tmp_path / "desk.pipe"
    text = FILE.replace("WATCH", "watch { accuracy(whole) >= 85% over 7d }")
    text = text.replace("sample 5% of kind by staff", "")
    text = text.replace("  return kind", "  step whole = run inner(x)\n  return whole")
    inner = "pipeline inner(x: text max 20 tokens) -> Answer {\n"
    inner += '  return {value: "a", confidence: 50%}\n}\n'
    file.write_text(text + inner, encoding="utf-8")
    checked = check_file(str(file))
    assert checked.program is not None, checked.diagnostics
    (status,) = look(History(8, checked.program.hash[:12]), checked.program)
    assert status.state is LineState.UNMEASURED
    assert status.note == "nobody labels it: `whole` runs a pipeline"


def test_without_a_watch_the_usual_alerts_hold(tmp_path: Path) -> None:
    program = program_with(tmp_path)
    statuses = look(History(9, program.hash[:12]), program)
    assert [one.watched.line.text for one in statuses] == [
        "accuracy(kind) >= 85% over 7d",
        "escalation <= baseline + 20% over 1d",
        "latency.p95 <= 30s over 1h",
    ]
    assert all(one.watched.is_default for one in statuses)


def test_how_many_days_are_needed_is_said(tmp_path: Path) -> None:
    """20% plus 20% at 500 a day: a rise by 40% takes days, one over the known share two."""
    program = program_with(tmp_path, KNOWN, "escalation <= baseline + 20% over 1d")
    history = History(10, program.hash[:12])
    for _ in range(7):
        history.add_day(escalated=0.2)
    known, tolerant = look(history, program)
    assert known.days is not None
    assert known.days <= 2.1
    assert known.changed_to == pytest.approx(0.28)
    assert tolerant.days is not None
    assert tolerant.days > 4


class _Taker(http.server.BaseHTTPRequestHandler):
    taken: ClassVar[list[tuple[dict[str, Any], str, bytes]]] = []
    code = 204

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((json.loads(body), self.headers["X-Pipelang-Signature"] or "", body))
        self.send_response(self.code)
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        return None


def test_an_alert_is_posted_and_signed_or_told_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_SECRET", "hush")
    program = program_with(tmp_path, KNOWN)
    history = History(11, program.hash[:12])
    for _ in range(2):
        history.add_day(escalated=0.5)
    statuses, _ = evaluate(program, program.pipelines["desk"], history.source, program.hash)
    (status,) = statuses
    body = alert_json(status, program.hash, "memory")
    server = http.server.HTTPServer(("127.0.0.1", 0), _Taker)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}/hook"
        target = target_from(f"owner={url}", "env:ALERT_SECRET")
        _Taker.code = 400
        (problem,) = tell(status, [target], body)
        assert "it answered 400" in problem
        _Taker.code = 204
        assert tell(status, [target], body) == []
        assert tell(status, [target], body) == []  # not twice
        assert tell(status, [target_from(f"staff={url}")], body) == []  # not theirs
    finally:
        server.shutdown()
        server.server_close()
    assert len(_Taker.taken) == 2
    said, signature, raw = _Taker.taken[-1]
    assert signature == signature_of(raw, "hush")
    assert said["line"] == "escalation <= 20% over 1d"
    (tmp_path / "no").mkdir()
    gone = target_from(str(tmp_path / "no" / "file"))
    (tmp_path / "no").rmdir()
    (problem,) = tell(status, [gone], body)
    assert "cannot be written" in problem
    # What answers there need not speak HTTP, and what is asked for need not fit into a request.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_say_garbage, args=(listening,), daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/hook"
        (problem,) = tell(status, [target_from(url)], body)
        assert "BadStatusLine" in problem
    (problem,) = tell(status, [target_from("http://127.0.0.1:9/a b")], body)
    assert "InvalidURL" in problem
    with pytest.raises(NoTarget):
        target_from("http://127.0.0.1:99999/hook")


@pytest.mark.parametrize("name", ["no/file", "folder", "link", "pipe", "x" * 5_000])
def test_a_file_that_takes_no_line_is_refused_at_once(tmp_path: Path, name: str) -> None:
    """It was told with the first alert, by which time nobody looked."""
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(tmp_path / "pipe")
    for role in ("", "staff="):
        with pytest.raises(NoTarget):
            target_from(f"{role}{tmp_path / name}")
    assert target_from(str(tmp_path / "new.jsonl")).where.endswith("new.jsonl")


def _say_garbage(listening: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while True:
            made, _ = listening.accept()
            with made:
                made.recv(65536)
                made.sendall(b"220 mail.acme.com ESMTP\r\n")
