"""People at the command line: one process runs and waits, others list and answer."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from ..warm import Process, command_text, start

REPO = Path(__file__).resolve().parents[2]

PIPE = """\
role support { people 2 }
role legal { people 1 must_differ_from support }
type Kind { topic: text max 20 tokens  urgent: bool }
prompt sort(x: text) \"\"\"Sort {{ x }}.\"\"\"

pipeline main(x: text) -> Kind {
  step kind: Kind = ask sort(x) by support else fail "nobody"
  ## May this go out?
  approve ok by legal within 1h showing kind else escalate to support "not approved" with kind
  return kind
}

pipeline quick(x: text) -> text {
  approve ok by legal within 1s else fail "late"
  return x
}

pipeline held(x: text) -> text {
  hold veto for 1d by support else fail "vetoed"
  return x
}

pipeline plain(x: text) -> text { return x }
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "t.pipe").write_text(PIPE, encoding="utf-8")
    return tmp_path


def environment() -> dict[str, str]:
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return {**plain, "COLUMNS": "100"}


def call(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command_text(*arguments, cwd=place, env=environment())


@contextmanager
def running(place: Path, *arguments: str) -> Iterator[Process]:
    process = start("run", "t.pipe", *arguments, cwd=place, env=environment())
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def cases(place: Path, *arguments: str) -> list[dict[str, Any]]:
    done = call(place, "inbox", "--format", "json", *arguments)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["cases"]
    return found


def waiting(place: Path, *arguments: str, count: int = 1) -> list[dict[str, Any]]:
    """The open cases, as soon as there are so many."""
    for _ in range(100):
        found = cases(place, *arguments)
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError("nothing waits")


def test_a_run_waits_until_people_in_other_processes_have_answered(place: Path) -> None:
    assert call(place, "inbox").stdout == f"nothing waits in {Path('.pipelang/inbox')}\n"
    with running(place, "main", "--input", '{"x": "this"}', "--tenant", "acme") as process:
        (ask,) = waiting(place)
        assert (ask["kind"], ask["role"], ask["prompt"]) == ("ask", "support", "Sort this.")
        assert cases(place, "--role", "legal") == cases(place, "--tenant", "other") == []
        shown = call(place, "inbox", ask["id"][:6]).stdout
        assert "Sort this." in shown
        assert f"pipelang approve {ask['id']} --answer" in shown

        wrong = call(place, "approve", ask["id"], "--answer", '{"topic": "bill"}')
        assert wrong.returncode == 1
        assert "the answer does not fit: `urgent`: is missing" in wrong.stderr
        answer = place / "answer.json"
        answer.write_text('{"topic": "bill", "urgent": true}', encoding="utf-8")
        done = call(place, "approve", ask["id"][:6], "--answer", "@answer.json", "--by", "ada")
        assert (done.returncode, done.stderr) == (0, "")
        assert "ada answered: main/kind, for support" in done.stdout

        (approval,) = waiting(place, "--role", "legal")
        same = call(place, "approve", approval["id"], "--by", "ada")
        assert same.returncode == 1
        assert "must be somebody else" in same.stderr
        done = call(place, "approve", approval["id"], "--by", "bob", "--reason", "reads well")
        assert done.returncode == 0
        again = call(place, "approve", approval["id"], "--no", "--by", "eve")
        assert again.returncode == 1
        assert "is already decided: `bob` said yes at" in again.stderr

        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "bob said yes: reads well" in out
    assert '"topic": "bill"' in out
    assert f"  pipelang approve {ask['id']} --answer '{{...}}'\n" in err
    assert "legal must approve main/ok: May this go out?, until " in err
    assert [case["state"] for case in cases(place, "--all")] == ["decided", "decided"]
    table = call(place, "inbox", "--all").stdout
    assert "bob said yes: reads well" in table
    assert "acme" in table


def test_the_user_of_the_machine_decides_where_nobody_is_named(place: Path) -> None:
    import getpass

    with running(place, "held", "--input", '{"x": "y"}', "--state", "kept here") as process:
        (case,) = waiting(place, "--state", "kept here")
        done = call(place, "approve", case["id"], "--state", "kept here")
        assert done.stdout.startswith(f"{getpass.getuser()} said yes")
        _, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert f"pipelang approve {case['id']} --state 'kept here'" in err


def test_after_its_time_a_case_takes_no_answer(place: Path) -> None:
    with running(place, "quick", "--input", '{"x": "y"}') as process:
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "failed with `late`" in out
    (case,) = cases(place, "--all")
    late = call(place, "approve", case["id"])
    assert late.returncode == 1
    assert f"case `{case['id']}` was expired at" in late.stderr


def test_a_veto_stops_a_hold(place: Path) -> None:
    with running(place, "held", "--input", '{"x": "y"}') as process:
        (case,) = waiting(place)
        assert call(place, "approve", case["id"], "--no", "--reason", "wait").returncode == 0
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert "failed with `vetoed`" in out


def test_of_several_processes_at_once_one_decides(place: Path) -> None:
    with running(place, "held", "--input", '{"x": "y"}') as process:
        (case,) = waiting(place)
        people = [
            start("approve", case["id"], "--by", f"p{i}", cwd=place, env=environment())
            for i in range(4)
        ]
        said = [person.communicate(timeout=60) for person in people]
        out, _ = process.communicate(timeout=30)
    assert sorted(person.returncode for person in people) == [0, 1, 1, 1]
    (winner,) = (f"p{i}" for i, person in enumerate(people) if person.returncode == 0)
    assert f"{winner} said yes" in out
    assert sum(f"already decided: `{winner}` said yes" in err for _, err in said) == 3


def test_what_was_handed_over_is_closed_with_a_note(place: Path) -> None:
    with running(place, "main", "--input", '{"x": "y"}') as process:
        (ask,) = waiting(place)
        answer = '{"topic": "bill", "urgent": true}'
        call(place, "approve", ask["id"], "--answer", answer, "--by", "ada")
        (approval,) = waiting(place)
        call(place, "approve", approval["id"], "--no", "--by", "bob")
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "escalated to support by `ok`: not approved" in out
    (case,) = cases(place)
    assert (case["kind"], case["shown"]["with"]) == ("escalation", json.loads(answer))
    assert "not approved" in call(place, "inbox", case["id"]).stdout
    assert call(place, "approve", case["id"], "--no").returncode == 1
    assert call(place, "approve", case["id"], "--reason", "called them").returncode == 0
    assert cases(place) == []


@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize(
    ("sign", "code", "words"),
    [
        (signal.SIGINT, 130, "the run stopped waiting"),
        (signal.SIGKILL, -signal.SIGKILL, "the run that waited is gone"),
    ],
)
def test_who_answers_a_run_that_was_stopped_is_told(
    place: Path, sign: signal.Signals, code: int, words: str
) -> None:
    with running(place, "held", "--input", '{"x": "y"}') as process:
        (case,) = waiting(place)
        process.send_signal(sign)
        process.communicate(timeout=30)
    assert process.returncode == code
    assert cases(place) == []
    late = call(place, "approve", case["id"])
    assert late.returncode == 1
    assert words in late.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["approve", "abc"], 1, "there is no case `abc`"),
        (["inbox", "abc"], 1, "there is no case `abc`"),
        (["approve", "abc", "--no", "--answer", "1"], 2, "exclude each other"),
        (["approve", "abc", "--answer", "fine"], 2, "a text stands in quotes"),
        (["approve", "abc", "--answer", "@nowhere.json"], 2, "there is no file `nowhere.json`"),
        (["approve", "abc", "--by", "ada\x1b[2J"], 2, "a text in one line"),
        (["inbox", "abc", "--by", "ada\nbob"], 2, "a text in one line"),
        (["approve"], 2, "Missing argument"),
        (["inbox", "--state", "t.pipe"], 1, "t.pipe"),
        (["run", "t.pipe", "plain", "--people", "somebody"], 2, "somebody"),
    ],
)
def test_mistakes_are_told(place: Path, arguments: list[str], code: int, words: str) -> None:
    done = call(place, *arguments)
    assert done.returncode == code
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_run_that_only_shows_what_would_happen_asks_nobody_and_says_so(place: Path) -> None:
    simulated = ["--provider", "simulated", "--input", '{"x": "y"}']
    done = call(place, "run", "t.pipe", "held", *simulated)
    assert done.returncode == 0
    assert "nobody is asked: holds pass at once" in done.stderr
    assert not (place / ".pipelang" / "inbox").exists()
    plain = call(place, "run", "t.pipe", "plain", *simulated)
    assert "nobody is asked" not in plain.stderr
    with running(place, "held", *simulated, "--people", "inbox") as process:
        (case,) = waiting(place)
        assert call(place, "approve", case["id"]).returncode == 0
        process.communicate(timeout=30)
    assert process.returncode == 0
    alone = call(place, "run", "t.pipe", "main", "--people", "nobody", "--input", '{"x": "y"}')
    assert alone.returncode == 1
    assert "nobody is asked: holds wait their time and pass" in alone.stderr
