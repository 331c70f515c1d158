"""`pipelang run`, `trace` and `audit` as processes: interrupted, killed, resumed, looked at."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.cli.main import main

from ..warm import Process, start

REPO = Path(__file__).resolve().parents[2]
SUPPORT = REPO / "examples" / "support"

PROGRAM = """
tool slow(n: int, seconds: number) -> int {
  python "tools:slow" effect write permit "x" latency 1ms median succeeds 99%
}
tool quick(n: int) -> int { python "tools:quick" effect read latency 1ms median succeeds 99% }

pipeline main(n: int, seconds: number = 0.0) -> int {
  permits "x"
  step first = call quick(n)
  step second = call slow(first, seconds)
  gate small: second < 1000 else reject "too large"
  return second
}
"""

TOOLS = """
import time

def slow(n, seconds):
    with open("calls.txt", "a") as file:
        file.write(f"{n}\\n")
    time.sleep(seconds)
    return n * 10

def quick(n):
    return n
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a small pipeline, and no key."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    for name in ("ANTHROPIC_API_KEY", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "main.pipe").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "tools.py").write_text(TOOLS, encoding="utf-8")
    return tmp_path


def rows(count: int, **more: Any) -> None:
    lines = [json.dumps({"n": n, **more}) + "\n" for n in range(1, count + 1)]
    Path("in.jsonl").write_text("".join(lines), encoding="utf-8")


def wait_for(there: Any, process: Process) -> None:
    """Until something is there; fails if the process ends before."""
    until = time.monotonic() + 60
    while not there():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.01)


def calls() -> list[int]:
    path = Path("calls.txt")
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def results(path: str = "out.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


# ---------------------------------------------------------------------------- one run, stopped


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_stopped_says_what_it_has(number: signal.Signals, form: str) -> None:
    given = json.dumps({"n": 7, "seconds": 60})
    process = start("run", "main.pipe", "--input", given, "--format", form)
    wait_for(calls, process)
    time.sleep(0.1)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130, (out, err)
    assert "Traceback" not in err
    if form == "json":
        assert err == ""
        said = json.loads(out)
        assert said["outcome"] == "interrupted"
        partial = said["partial"]
        assert said["under_way"] == [{"tool": "slow", "key": f"{said['run_id']}/second/0"}]
    else:
        assert "/second/0` was under way, and whether it happened is unknown\n" in out
        partial = json.loads(out[out.index("{") : out.rindex("}") + 1])
    assert partial == {"input": {"n": 7, "seconds": 60.0}, "values": {"first": 7}}
    # The trace and the audit log know it too.
    (trace,) = Path(".pipelang/traces").iterdir()
    last = json.loads(trace.read_text().splitlines()[-1])
    assert (last["kind"], last["name"]) == ("outcome", "interrupted")
    assert main(["audit", "verify"]) == 0


def test_plain_lines_where_there_is_no_terminal() -> None:
    process = start("run", "main.pipe", "--input", '{"n": 1}')
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0
    phases = [re.split(r"\s{2,}", line.strip())[2:] for line in err.splitlines()]
    assert ["working", "first"] in phases
    assert ["acting", "second"] in phases
    assert "10" in out
    process = start("run", "main.pipe", "--input", '{"n": 1}', "--format", "json")
    out, err = process.communicate(timeout=60)
    assert (json.loads(out)["value"], err) == (10, "")


def test_nothing_runs_where_its_state_folder_cannot_be_written(capsys: Any) -> None:
    Path("taken").write_text("a file")
    assert main(["run", "main.pipe", "--input", '{"n": 1}', "--state", "taken/s"]) == 2
    said = capsys.readouterr()
    assert "`taken/s` cannot keep traces and the audit log" in said.err
    assert "answered" not in said.out


def on_a_terminal(*arguments: str) -> tuple[int, str]:
    """Exit code and everything that a terminal gets, without its colours and movements."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipelang", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPO), "TERM": "xterm", "COLUMNS": "100"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other side is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    return process.wait(30), re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", said.decode())


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_a_terminal_gets_a_picture_and_then_the_trace() -> None:
    code, said = on_a_terminal("run", "main.pipe", "--input", '{"n": 1, "seconds": 0.6}')
    assert code == 0
    assert re.search(r"◌ +second +acting", said)
    assert re.search(r"● +second +called", said.split("◌")[-1])
    assert said.rstrip().splitlines()[-1].startswith("run ")


@pytest.mark.skipif(os.name != "posix", reason="terminals of POSIX")
def test_lines_and_the_bar_do_not_mix_on_a_terminal() -> None:
    rows(12, seconds=0.15)
    code, said = on_a_terminal("run", "main.pipe", "--input", "@in.jsonl", "--jobs", "3")
    assert code == 0
    assert re.search(r"━ +\d+/12 ", said)
    assert re.findall(r"[\r\n] +(\d+)  \$0", said) == [str(n) for n in range(1, 13)]


# ------------------------------------------------------------------------------------ many runs


def test_lines_come_in_order_however_many_run_at_once(capsys: Any) -> None:
    lines = [{"n": n, "seconds": 0.002 * (40 - n)} for n in range(1, 41)]
    Path("in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert main(["run", "main.pipe", "--input", "@in.jsonl", "--format", "json"]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(r["line"], r["value"]) for r in told] == [(n, n * 10) for n in range(1, 41)]


@pytest.mark.parametrize("provider", ["replay", "simulated"])
def test_how_many_run_at_once_changes_no_answer(provider: str, capsys: Any) -> None:
    told = []
    for jobs in ("1", "8"):
        run = ["run", str(SUPPORT / "support.pipe"), "handle_ticket", "--format", "json"]
        run += ["--input", f"@{SUPPORT / 'data' / 'tickets.jsonl'}", "--provider", provider]
        main([*run, "--jobs", jobs])
        records = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        for record in records:
            del record["run_id"], record["duration"]
            for part in ("handoff", "partial"):
                if isinstance(record.get(part), dict):
                    record[part].pop("run", None)
        told.append(records)
    assert len(told[0]) == 52
    assert told[0] == told[1]


def test_a_bad_line_is_told_and_the_others_run(capsys: Any) -> None:
    Path("in.jsonl").write_text('{"n": 1}\n{"m": 2}\n{"n": 3}\n')
    assert main(["run", "main.pipe", "--input", "@in.jsonl"]) == 1
    out = capsys.readouterr().out
    assert "input error: `main` has no input `m`" in out
    assert "2 runs: 2 answered (100%); 1 input did not fit" in out


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_line_may_have_any_text(capsys: Any) -> None:
    """JSON has U+2028 and its like as they are; only a newline ends a line."""
    text = 'prompt p(x: text) """{{ x }}"""\npipeline echo(x: text) -> text { return x }\n'
    Path("echo.pipe").write_text(text, encoding="utf-8")
    given = ["a\u2028b", "a\u0085b\u2029", "c"]
    lines = "".join(json.dumps({"x": x}, ensure_ascii=False) + "\r\n" for x in given)
    Path("in.jsonl").write_bytes(lines.encode())
    assert main(["run", "echo.pipe", "--input", "@in.jsonl", "--format", "json"]) == 0
    out = capsys.readouterr().out
    assert [json.loads(line)["value"] for line in out.strip().split("\n")] == given


def test_one_is_no_more_than_one(capsys: Any) -> None:
    """`1 simulated runs`, `1 runs`"""
    Path("in.jsonl").write_text('{"n": 1}\n', encoding="utf-8")
    main(["run", "main.pipe", "--input", "@in.jsonl"])
    Path("one.pipe").write_text("pipeline one(x: bool) -> bool { traffic { } return x }\n")
    main(["simulate", "one.pipe", "--runs", "1"])
    out = capsys.readouterr().out
    assert "1 run: 1 answered" in out
    assert "1 simulated run (seed" in out


def test_lines_none_of_which_fit(capsys: Any) -> None:
    Path("in.jsonl").write_text('{"n": "x"}\n', encoding="utf-8")
    assert main(["run", "main.pipe", "--input", "@in.jsonl"]) == 1
    assert capsys.readouterr().out.strip().split("\n")[-1] == "1 input did not fit"


def test_a_number_of_thousands_of_digits_is_a_bad_input(capsys: Any) -> None:
    assert main(["run", "main.pipe", "--input", '{"n": ' + "9" * 5000 + "}"]) == 1
    assert capsys.readouterr().err.startswith("error: --input cannot be read: ")


def test_killed_in_the_middle_and_resumed_every_line_is_there_once() -> None:
    rows(60, seconds=0.03)
    run = ["run", "main.pipe", "--input", "@in.jsonl", "--output", "out.jsonl", "--resume"]
    chance = random.Random(7)
    kills = 0
    while True:
        process = start(*run)
        enough = len(calls()) + chance.randint(8, 30)
        until = time.monotonic() + 60
        while process.poll() is None and len(calls()) < enough and time.monotonic() < until:
            time.sleep(0.002)
        if process.poll() is None:
            process.kill()
            kills += 1
        out, err = process.communicate(timeout=60)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, (out, err)
    assert kills >= 2
    header, *records = results()
    assert header["pipeline"] == "main"
    assert sorted(r["line"] for r in records) == list(range(1, 61))
    assert {r["line"]: r["value"] for r in records} == {n: n * 10 for n in range(1, 61)}
    # Only what was in the air when it was killed ran again: eight at once.
    again = sum(count - 1 for count in Counter(calls()).values())
    assert again <= 8 * kills
    assert "60 runs: 60 answered (100%)" in out
    assert main(["audit", "verify"]) == 0


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_ctrl_c_leaves_a_file_that_can_be_gone_on_with(capsys: Any) -> None:
    rows(200, seconds=0.05)
    run = ["run", "main.pipe", "--input", "@in.jsonl", "--output", "out.jsonl"]
    process = start(*run)
    wait_for(lambda: Path("out.jsonl").exists() and len(results()) > 5, process)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "--resume" in err
    done = len(results()) - 1
    assert f"{done} of 200 lines are done" in err
    rows(200, seconds=0.0)
    assert main([*run, "--resume"]) == 2
    assert "another input" in capsys.readouterr().err
    rows(200, seconds=0.05)
    assert main([*run, "--resume", "--jobs", "100"]) == 0
    assert sorted(r["line"] for r in results()[1:]) == list(range(1, 201))


def test_a_torn_last_line_is_taken_off_and_run_again() -> None:
    rows(5)
    run = ["run", "main.pipe", "--input", "@in.jsonl", "--output", "out.jsonl"]
    assert main(run) == 0
    whole = Path("out.jsonl").read_bytes()
    for cut in (len(whole) - 1, len(whole) - 40, 20, 0):
        Path("out.jsonl").write_bytes(whole[:cut])
        assert main([*run, "--resume"]) == 0
        header, *records = results()
        assert header["results"] == 1
        assert sorted(r["line"] for r in records) == [1, 2, 3, 4, 5]


def test_what_cannot_be_gone_on_with_is_refused(capsys: Any) -> None:
    rows(3)
    run = ["run", "main.pipe", "--input", "@in.jsonl", "--output", "out.jsonl"]
    assert main(run) == 0
    capsys.readouterr()

    def refused(*more: str) -> str:
        before = Path("out.jsonl").read_bytes()
        assert main([*run, *more]) == 2
        assert Path("out.jsonl").read_bytes() == before
        return str(capsys.readouterr().err)

    assert "is there already" in refused()
    other = PROGRAM.replace("< 1000", "< 2000")
    Path("main.pipe").write_text(other, encoding="utf-8")
    assert "another version of the program" in refused("--resume")
    Path("main.pipe").write_text(PROGRAM, encoding="utf-8")
    rows(2)
    assert "another input than line 3" in refused("--resume")
    rows(3)
    header, first, *others = Path("out.jsonl").read_text(encoding="utf-8").splitlines()
    edited: list[dict[str, Any]] = [
        *({"outcome": one} for one in (None, [], {}, "x", "escalated", "rejected", "failed")),
        *({"cost": one} for one in ("x", [], True, -1, 10**400)),
        *({"duration": one} for one in (None, "x", {})),
        *({"outcome": one, "reason": [1]} for one in ("escalated", "rejected", "failed")),
    ]
    for change in edited:
        line = json.dumps({**json.loads(first), **change})
        Path("out.jsonl").write_text("\n".join([header, line, *others, ""]), encoding="utf-8")
        assert "has no result in line 2" in refused("--resume")
    beyond = json.dumps({**json.loads(first), "line": 9, "input": None})
    Path("out.jsonl").write_text("\n".join([header, beyond, *others, ""]), encoding="utf-8")
    assert "another input than line 9" in refused("--resume")
    Path("out.jsonl").write_text("a diary\nof mine\n")
    assert "is no file of results" in refused("--resume")
    Path("out.jsonl").write_text("a diary")
    assert "is no file of results" in refused("--resume")
    assert main(["run", "main.pipe", "--input", "@in.jsonl", "--resume"]) == 2
    assert main(["run", "main.pipe", "--input", '{"n": 1}', "--output", "x.jsonl"]) == 2


# ---------------------------------------------------------------------------------------- trace


def test_a_trace_is_found_and_shown(capsys: Any) -> None:
    assert main(["run", "main.pipe", "--input", '{"n": 1}', "--format", "json"]) == 0
    first = json.loads(capsys.readouterr().out)["run_id"]
    assert main(["run", "main.pipe", "--input", '{"n": 500}', "--tenant", "acme"]) == 0
    capsys.readouterr()
    assert main(["trace", first[:8]]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].startswith(f"main  run {first}")
    assert re.search(r"├─ second  0\.\d+ s", out)
    assert re.search(r"│  └─ ● called slow \(write\)", out)
    assert "✓ small holds" in out
    assert re.search(r"^answered  0\.\d+ s", out, re.MULTILINE)
    assert main(["trace", "last", "--format", "json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["run"]["tenant"] == "acme"
    assert said["outcome"]["name"] == "rejected"
    steps = [child["name"] for child in said["tree"]["children"] if "children" in child]
    assert steps == ["first", "second"]
    assert main(["trace"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(["trace", first[:-1] + "?"]) == 1
    assert first in capsys.readouterr().err
    assert main(["trace", "", "--format", "json"]) == 1
    assert "2 runs begin with" in capsys.readouterr().err
    assert main(["trace", "x", "--state", "nowhere"]) == 1


def test_a_switch_that_is_perhaps_mistyped_is_noted(capsys: Any) -> None:
    """In an incident a switch under another name looks thrown, and what is meant goes on."""
    assert main(["kill", "--tool", "slwo"]) == 0
    assert capsys.readouterr().err == ""  # nobody has run here yet: nothing is known
    assert main(["run", "main.pipe", "--input", '{"n": 1}']) == 0
    capsys.readouterr()
    for words, note in (
        (["--tool", "slwo"], "called a tool `slwo`; called were `quick`, `slow`"),
        (["--pipeline", "mian"], "is of `mian`; there are runs of `main`"),
    ):
        assert main(["kill", *words]) == 0
        assert note in capsys.readouterr().err
    for words in (["--tool", "slow"], ["--pipeline", "main"], ["--tool", "slwo", "--undo"]):
        assert main(["kill", *words]) == 0
        assert capsys.readouterr().err == ""


def test_content_is_kept_only_on_request(capsys: Any) -> None:
    assert main(["run", "main.pipe", "--input", '{"n": 4321}']) == 0
    assert main(["run", "main.pipe", "--input", '{"n": 8765}', "--content"]) == 0
    texts = [path.read_text() for path in Path(".pipelang/traces").iterdir()]
    assert [sum("4321" in t for t in texts), sum("8765" in t for t in texts)] == [0, 1]
    assert "87650" not in Path(".pipelang/audit.jsonl").read_text()
    capsys.readouterr()
    assert main(["trace", "last", "--content"]) == 0
    assert "87650" in capsys.readouterr().out
    assert main(["trace", "last"]) == 0
    assert "87650" not in capsys.readouterr().out


def test_a_torn_trace_is_shown_and_told(capsys: Any) -> None:
    assert main(["run", "main.pipe", "--input", '{"n": 1}']) == 0
    (path,) = Path(".pipelang/traces").iterdir()
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b'"kind": "gate"') + 8])
    capsys.readouterr()
    assert main(["trace", "last"]) == 0
    said = capsys.readouterr()
    assert "● called slow" in said.out
    assert "no outcome yet" in said.out
    assert "was cut short" in said.err


def test_following_a_run_until_it_is_over() -> None:
    process = start("run", "main.pipe", "--input", '{"n": 1, "seconds": 1.5}')
    wait_for(calls, process)
    following = start("trace", "last", "--follow")
    out, err = following.communicate(timeout=30)
    assert following.returncode == 0, err
    assert process.poll() is not None or process.wait(10) == 0
    assert "…" in out
    assert out.splitlines()[-1].startswith("answered")
    process.communicate(timeout=10)


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_following_a_run_whose_process_is_gone() -> None:
    process = start("run", "main.pipe", "--input", '{"n": 1, "seconds": 60}')
    wait_for(calls, process)
    process.kill()
    process.communicate(timeout=10)
    following = start("trace", "last", "--follow")
    _, err = following.communicate(timeout=30)
    assert following.returncode == 1
    assert "is gone" in err


# ---------------------------------------------------------------------------------------- audit


def test_the_audit_log_of_several_processes_is_one_chain(capsys: Any) -> None:
    rows(15)
    several = [start("run", "main.pipe", "--input", "@in.jsonl") for _ in range(4)]
    for process in several:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, (out, err)
    assert main(["audit", "verify", "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    entries = [json.loads(line) for line in Path(".pipelang/audit.jsonl").read_text().splitlines()]
    assert found["entries"] == len(entries)
    kinds = Counter(entry["kind"] for entry in entries)
    assert kinds == {"run": 60, "effect": 60, "result": 120, "gate": 60, "outcome": 60}
    assert main(["audit", "verify", "--expect", found["last"]]) == 0
    capsys.readouterr()
    assert main(["audit", "show", entries[0]["run"], "--format", "json"]) == 0
    shown = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [entry["kind"] for entry in shown] == [
        "run",
        "result",
        "effect",
        "result",
        "gate",
        "outcome",
    ]


def test_a_changed_audit_log_is_found(capsys: Any) -> None:
    assert main(["run", "main.pipe", "--input", '{"n": 1}', "--tenant", "acme"]) == 0
    path = Path(".pipelang/audit.jsonl")
    whole = path.read_text()
    assert main(["audit", "verify"]) == 0
    last = json.loads(whole.splitlines()[-1])["hash"]
    lines = whole.splitlines(keepends=True)
    for changed, line, kind in (
        (whole.replace('"passed":true', '"passed":false'), 5, "changed"),
        ("".join(lines[:2] + lines[3:]), 3, "removed"),
        ("".join(lines[:3] + lines[2:]), 4, "inserted"),
        (whole[:-20], 6, "torn"),
    ):
        path.write_text(changed)
        capsys.readouterr()
        assert main(["audit", "verify"]) == 1
        assert capsys.readouterr().out.startswith(f"{path}:{line}: {kind}: ")
    path.write_text("".join(lines[:-1]))
    assert main(["audit", "verify"]) == 0
    assert main(["audit", "verify", "--expect", last]) == 1
    assert main(["audit", "verify", "nowhere.jsonl"]) == 1
    assert main(["audit", "verify", "--expect", "abc"]) == 2


@pytest.mark.parametrize("url", ["http://[::1", "https://a.org:99999", "", "ftp://a.org", "a.org"])
def test_an_address_that_allows_nothing_is_refused(url: str, capsys: Any) -> None:
    assert main(["run", "main.pipe", "--input", '{"n": 1}', "--allow-url", url]) == 2
    assert "--allow-url" in capsys.readouterr().err
