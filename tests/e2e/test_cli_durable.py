"""Durable runs at the command line: their commands, exit codes and JSON, and bad input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ..durable.acting import write_into
from ..warm import command_text

REPO = Path(__file__).resolve().parents[2]
STORE = "sqlite:///runs.db"
RUN_KEYS = {
    "id",
    "pipeline",
    "program",
    "tenant",
    "thread",
    "status",
    "result",
    "waiting_for",
    "cost",
    "tokens",
    "started",
    "ended",
    "attempts",
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    write_into(tmp_path)
    return tmp_path


def call(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    environment = {
        **plain,
        "COLUMNS": "100",
        "EFFECTS": str(place / "effects"),
        "SLOW": "0",
    }
    done = command_text(*arguments, cwd=place, env=environment, timeout=100)
    assert "Traceback" not in done.stderr, done.stderr
    return done


def told(place: Path, *arguments: str) -> Any:
    done = call(place, *arguments, "--store", STORE, "--format", "json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def submit(place: Path, pipeline: str, *more: str) -> str:
    done = call(
        place, "submit", "acts.pipe", pipeline, "--input", '{"x": "a"}', "--store", STORE, *more
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_from_submitting_to_an_answer_of_a_person(place: Path) -> None:
    acts, asks = submit(place, "acts", "--tenant", "t"), submit(place, "asks", "--thread", "th")
    late = submit(place, "acts", "--delay", "1h")
    listed = {one["id"]: one for one in told(place, "runs", "list")["runs"]}
    assert [listed[run]["status"] for run in (acts, asks, late)] == ["queued", "queued", "delayed"]
    assert listed[acts]["waiting_for"]["kind"] == "worker"
    assert all(set(one) == RUN_KEYS for one in listed.values())

    drained = call(place, "worker", "acts.pipe", "--store", STORE, "--drain")
    assert drained.returncode == 0, drained.stderr
    assert drained.stdout.startswith("ready ")
    done = told(place, "runs", "show", acts)
    assert (done["status"], done["result"]) == ("answered", {"value": "pay put pay seen a"})
    assert (done["cost"], done["tenant"], done["attempts"]) == ("0.00012", "t", 1)
    assert done["ended"].endswith("Z")
    waiting = told(place, "runs", "show", asks)
    assert (waiting["status"], waiting["thread"]) == ("waiting", "th")
    assert waiting["waiting_for"]["name"] == "boss"
    assert told(place, "runs", "list", "--status", "delayed")["runs"][0]["id"] == late
    assert (
        call(place, "runs", "wait", asks, "--store", STORE, "--timeout", "0.2s").returncode == 124
    )

    (case,) = told(place, "inbox")["cases"]
    answered = call(place, "approve", case["id"], "--no", "--by", "ada", "--store", STORE)
    assert answered.returncode == 0, answered.stderr
    again = call(place, "approve", case["id"], "--by", "bob", "--store", STORE)
    assert again.returncode == 1
    assert "ada" in again.stderr
    assert call(place, "worker", "acts.pipe", "--store", STORE, "--drain").returncode == 0
    waited = call(place, "runs", "wait", asks, acts, "--store", STORE, "--format", "json")
    assert waited.returncode == 0
    first, second = map(json.loads, waited.stdout.splitlines())
    assert (first["status"], first["result"]["reason"]) == ("rejected", "sure")
    assert second["id"] == acts
    lines = (place / "effects").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(set(lines)) == 7

    traced = call(place, "trace", acts, "--store", STORE)
    assert traced.returncode == 0
    assert "answered" in traced.stdout
    followed = call(place, "trace", acts, "--follow", "--store", STORE)
    assert followed.returncode == 0
    assert followed.stdout.splitlines()[-1].startswith("answered")
    assert "called pay (irreversible)" in followed.stdout
    rows = call(place, "trace", acts, "--follow", "--format", "json", "--store", STORE).stdout
    assert [json.loads(row)["kind"] for row in rows.splitlines()][
        :: len(rows.splitlines()) - 1
    ] == [
        "run",
        "outcome",
    ]
    shown = call(place, "audit", "show", acts, "--store", STORE)
    assert shown.returncode == 0
    assert "effect first" in shown.stdout
    verified = told(place, "audit", "verify")
    assert (verified["ok"], verified["runs"]) == (True, 3)
    wrong = call(place, "audit", "verify", "--store", STORE, "--expect", "0" * 63 + "1")
    assert wrong.returncode == 1
    assert call(place, "audit", "show", "nobody", "--store", STORE).returncode == 1
    assert call(place, "runs", "cancel", late, "--store", STORE).returncode == 0
    assert told(place, "runs", "show", late)["result"]["code"] == "cancelled"
    assert call(place, "runs", "wait", late, "--store", STORE).returncode == 1
    left = call(place, "trace", late, "--follow", "--store", STORE)
    assert (left.returncode, "without an outcome of its own" in left.stderr) == (1, True)
    assert call(place, "store", "check", STORE).returncode == 0
    pruned = call(place, "runs", "prune", "--older-than", "0s", "--store", STORE)
    assert pruned.stdout == "3 runs are deleted\n"


def test_a_key_is_one_run(place: Path) -> None:
    lines = '{"x": "a"}\n{"x": "b"}\n{"x": "a"}\n'
    (place / "in.jsonl").write_text(lines, encoding="utf-8")
    line = ("submit", "acts.pipe", "acts", "--input", "@in.jsonl", "--store", STORE, "--key", "x")
    first, second = call(place, *line), call(place, *line)
    assert first.returncode == second.returncode == 0
    assert first.stdout == second.stdout
    a, b, c = first.stdout.split()
    assert a == c != b


def test_a_key_of_another_input_is_told_with_its_line(place: Path) -> None:
    text = "pipeline main(k: text max 9 tokens, n: int in 0..9) -> int in 0..9 { return n }\n"
    (place / "k.pipe").write_text(text, encoding="utf-8")
    rows = '{"k": "a", "n": 1}\n{"k": "a", "n": 2}\n'
    (place / "in.jsonl").write_text(rows, encoding="utf-8")
    done = call(place, "submit", "k.pipe", "--input", "@in.jsonl", "--key", "k", "--store", STORE)
    run = done.stdout.strip()
    assert done.returncode == 1
    said = f"error: in.jsonl:2: key `a` was used for run {run} of `main` with another input"
    assert said in done.stderr


def test_a_run_in_a_store_in_one_process(place: Path) -> None:
    line = ("run", "acts.pipe", "acts", "--input", '{"x": "a"}', "--store", STORE)
    done = call(place, *line, "--format", "json")
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["value"] == "pay put pay seen a"
    assert told(place, "runs", "show", result["run_id"])["status"] == "answered"


ASKED_AT_ONCE = """
import os, signal, sys, time
from pipelang.interfaces.cli.main import main
from pipelang.runtime.durable.worker import Worker

start, when = Worker.start, sys.argv[1]

def asked(self):
    if when == "during":
        start(self)
        while not os.path.exists(os.environ["EFFECTS"]):
            time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)

Worker.start = asked
sys.argv = ["pipelang", *sys.argv[2:]]
sys.exit(main())
"""


def asked_at_once(place: Path, when: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Call a command that gets SIGTERM while its worker starts, or once that has begun to work."""
    environment = {**os.environ, "EFFECTS": str(place / "effects"), "SLOW": "0.2"}
    line = [sys.executable, "-c", ASKED_AT_ONCE, when, *words, "--store", STORE]
    return subprocess.run(
        line, cwd=place, env=environment, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.skipif(os.name == "nt", reason="signals are others on Windows")
def test_a_worker_that_is_asked_to_stop_while_it_starts_does_what_it_has(place: Path) -> None:
    """It takes runs before it says that it is ready; then its effects were cut off."""
    run = submit(place, "acts")
    done = asked_at_once(place, "during", "worker", "acts.pipe")
    assert (done.returncode, done.stderr) == (0, "stopping: no new runs\n")
    assert told(place, "runs", "show", run)["status"] == "answered"


@pytest.mark.skipif(os.name == "nt", reason="signals are others on Windows")
@pytest.mark.parametrize("when", ["before", "during"])
def test_a_run_that_is_interrupted_while_its_worker_starts_is_named(place: Path, when: str) -> None:
    done = asked_at_once(place, when, "run", "acts.pipe", "acts", "--input", '{"x": "a"}')
    (run,) = told(place, "runs", "list")["runs"]
    said = f"interrupted; any worker of acts.pipe goes on with {run['id']}\n"
    assert (done.returncode, done.stderr.endswith(said)) == (130, True), done.stderr


def test_a_worker_leaves_what_it_cannot_run_to_others(place: Path) -> None:
    run = submit(place, "acts")
    (place / "acts.py").unlink()
    drained = call(place, "worker", "acts.pipe", "--store", STORE, "--drain")
    assert drained.returncode == 0
    assert "runs of `acts` are left to other workers" in drained.stderr
    found = told(place, "runs", "show", run)
    assert (found["status"], found["waiting_for"]["kind"]) == ("queued", "worker")
    assert found["waiting_for"]["name"] == found["program"]


SUBMIT = ("submit", "acts.pipe", "acts", "--input")


@pytest.mark.parametrize(
    ("line", "code", "said"),
    [
        ((*SUBMIT, '{"y": 1}', "--store", STORE), 1, "no input `y`"),
        ((*SUBMIT, "{", "--store", STORE), 1, "no JSON"),
        ((*SUBMIT, '{"x": "a"}', "--store", STORE, "--key", "y"), 2, "no input `y`"),
        ((*SUBMIT, '{"x": "a"}', "--store", "runs.db"), 2, "URL of no store"),
        ((*SUBMIT, '{"x": "a"}', "--store", "mysql://u:secret@h/d"), 2, "URL of no store"),
        ((*SUBMIT, '{"x": "a"}', "--store", "sqlite:///no/runs.db"), 3, "there is no folder"),
        ((*SUBMIT, '{"x": "a"}', "--store", "postgresql://127.0.0.1:1/d"), 3, "cannot be used"),
        ((*SUBMIT, '{"x": "a"}'), 2, "--store"),
        ((*SUBMIT, '{"x": "a"}', "--store", STORE, "--delay", "soon"), 2, "no duration"),
        ((*SUBMIT, '{"x": "a"}', "--store", STORE, "--priority", "0"), 2, "--priority"),
        ((*SUBMIT, '{"x": "a"}', "--store", STORE, "--delay", "367d"), 2, "at most 366d"),
        ((*SUBMIT, '{"x": "a"}', "--store", STORE, "--tenant", ""), 2, "leave the option out"),
        ((*SUBMIT, '{"x": "a"}', "--store", STORE, "--thread", "a\nb"), 2, "in one line"),
        ((*SUBMIT, '{"x": "a"}', "--store", STORE, "--tenant", "\udcff"), 2, "in one line"),
        ((*SUBMIT, '{"x": ""}', "--store", STORE, "--key", "x"), 1, "--input: a key is a text"),
        (("runs", "list", "--store", STORE), 3, "there is no store"),
        (("worker", "no.pipe", "--store", STORE), 2, "no.pipe"),
        (("worker", "--store", STORE), 2, "FILES"),
        (("inbox", "--store", STORE), 3, "there is no store"),
        (("kill", "--all", "--store", STORE), 3, "there is no store"),
        (("pause", "acts", "--store", STORE), 3, "there is no store"),
        (("store", "check", STORE), 3, "there is no store"),
        (("store", "migrate", STORE), 3, "there is no store"),
        (("store", "check", "sqlite:///acts.pipe"), 3, "not a database"),
        (("store", "check", "sqlite:///acts.pipe"), 3, "help: a store is a file"),
        (("audit", "verify", "--store", STORE), 3, "there is no store"),
        (("audit", "verify", "file", "--store", STORE), 2, "exclude"),
        (("runs", "fork", "x", "--store", STORE), 3, "there is no store"),
        (("runs", "stuck", "--store", STORE), 3, "there is no store"),
        (("runs", "prune", "--older-than", "1y", "--store", STORE), 2, "no duration"),
        (("runs", "prune", "--older-than", "5", "--store", STORE), 2, "write e.g. 5d"),
        (("trace", "--store", STORE), 2, "name a run"),
        (("run", "acts.pipe", "acts", "--store", STORE, "--jobs", "2"), 2, "exclude"),
        *(
            (("run", "acts.pipe", "acts", "--store", STORE, *more), 2, f"{more[0]} and --store")
            for more in (
                ("--provider", "simulated"),
                ("--seed", "3"),
                ("--tier", "haiku=sonnet"),
                ("--content",),
                ("--state", "elsewhere"),
            )
        ),
    ],
)
def test_a_wrong_line_is_told(place: Path, line: tuple[str, ...], code: int, said: str) -> None:
    done = call(place, *line)
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    "line",
    [
        ("worker", "no.pipe"),
        ("worker", "acts.pipe", "wrong.pipe"),
        (*SUBMIT, '{"y": 1}'),
        (*SUBMIT, '{"x": "a"}', "--delay", "367d"),
        ("run", "acts.pipe", "acts", "--input", '{"y": 1}'),
    ],
)
def test_what_is_refused_makes_no_store(place: Path, line: tuple[str, ...]) -> None:
    (place / "wrong.pipe").write_text("pipeline p(x: int) -> text { return x }\n", encoding="utf-8")
    assert call(place, *line, "--store", STORE).returncode in (1, 2)
    assert [*place.glob("runs.db*")] == []


@pytest.mark.parametrize("line", [("serve", "--port", "0"), ("worker",)])
def test_a_store_that_can_only_be_read_is_told(place: Path, line: tuple[str, ...]) -> None:
    """A server ended with a traceback, and with help about something else."""
    assert call(place, "store", "init", STORE).returncode == 0
    with open(place / "runs.db", "rb+") as file:
        file.seek(18)  # of a later format: SQLite reads it, and does not write it
        file.write(b"\x03")
    done = call(place, *line, "acts.pipe", "--store", STORE)
    assert done.returncode == 3
    said = "error: `sqlite:///runs.db` cannot be used: attempt to write a readonly database"
    assert done.stderr.count(said) == 1
    assert "help: this user has to be let write the file" in done.stderr
    assert "ERROR" not in done.stderr


def test_a_run_is_forked(place: Path) -> None:
    run = submit(place, "acts")
    drain = ("worker", "acts.pipe", "--store", STORE, "--drain")
    assert call(place, *drain).returncode == 0
    forked = call(place, "runs", "fork", run, "--from", "last", "--store", STORE)
    assert forked.returncode == 0, forked.stderr
    assert "made 2 calls that act from `last` on" in forked.stderr
    assert call(place, *drain).returncode == 0
    old, new = (told(place, "runs", "show", id) for id in (run, forked.stdout.strip()))
    assert (new["status"], new["result"]) == ("answered", old["result"])
    lines = (place / "effects").read_text(encoding="utf-8").splitlines()
    assert len(lines) == len(set(lines)) == 8
    wrong = call(place, "runs", "fork", run, "--from", "lost", "--store", STORE)
    assert wrong.returncode == 1
    assert "it can be forked from `seen`, `first`, `more`, `last`" in wrong.stderr


@pytest.mark.parametrize("command", ["show", "wait", "cancel", "resume", "fork"])
def test_an_unknown_run_is_told(place: Path, command: str) -> None:
    assert call(place, "store", "init", STORE).returncode == 0
    done = call(place, "runs", command, "nobody", "--store", STORE)
    assert done.returncode == 1
    assert "there is no run `nobody`" in done.stderr


def test_a_run_that_cannot_be_cancelled_keeps_none_from_it(place: Path) -> None:
    first, second = submit(place, "acts"), submit(place, "acts")
    done = call(place, "runs", "cancel", first, first, "nobody", second, "--store", STORE)
    assert (done.returncode, done.stdout) == (
        1,
        f"run {first} is cancelled\nrun {second} is cancelled\n",
    )
    assert f"run {first} has ended: failed" in done.stderr
    assert "there is no run `nobody`" in done.stderr
    again = call(place, "runs", "resume", "nobody", second, "--store", STORE)
    assert (again.returncode, again.stdout) == (1, f"run {second} is queued again\n")


def test_a_name_that_is_perhaps_mistyped_is_noted(place: Path) -> None:
    run = submit(place, "acts")
    for line in (("pause",), ("kill", "--pipeline")):
        done = call(place, *line, "atcs", "--store", STORE)
        assert done.returncode == 0
        assert "no run of `atcs` yet; there are runs of `acts`" in done.stderr
    done = call(place, "kill", "--tool", "pya", "--store", STORE)
    assert (done.returncode, done.stdout) == (0, "tool `pya` is switched off\n")
    assert "calls a tool `pya`; did you mean `pay`? There are: `look`, `pay`" in done.stderr
    for line in (("--tool", "pay"), ("--tool", "pya", "--undo")):
        assert call(place, "kill", *line, "--store", STORE).stderr == ""
    assert call(place, "pause", "acts", "--store", STORE).stderr == ""
    assert call(place, "pause", "\udcff", "--store", STORE).returncode == 2
    assert told(place, "runs", "show", run)["status"] == "queued"


def test_what_is_paused_is_told_with_its_reason(place: Path) -> None:
    submit(place, "acts")
    assert call(place, "pause", "--store", STORE).stdout == "nothing is paused\n"
    assert call(place, "pause", "acts", "--reason", "audit", "--store", STORE).returncode == 0
    assert call(place, "pause", "--store", STORE).stdout == "`acts`: audit\n"
    assert call(place, "pause", "acts", "--store", STORE).returncode == 0
    assert call(place, "pause", "--store", STORE).stdout == "`acts`\n"
    assert call(place, "pause", "--reason", "audit", "--store", STORE).returncode == 2
    assert call(place, "unpause", "acts", "--store", STORE).returncode == 0
    assert call(place, "pause", "--store", STORE).stdout == "nothing is paused\n"


def test_a_store_that_cannot_be_copied_is_told(place: Path) -> None:
    assert call(place, "store", "init", STORE).returncode == 0
    outputs = (
        ("no/x.db", "no folder"),
        ("runs.db", "there already"),
        ("n" * 300, "File name too long"),
        ("runs.db/x", "cannot be written"),
    )
    there = sorted(path.name for path in place.iterdir())
    for output, said in outputs:
        done = call(place, "store", "backup", STORE, "--output", output)
        assert (done.returncode, said in done.stderr) == (1, True), done.stderr
    assert sorted(path.name for path in place.iterdir()) == there
    done = call(place, "store", "backup", STORE, "--output", "copy.db")
    assert (done.returncode, done.stdout) == (0, "copy.db\n")
    assert call(place, "store", "check", "sqlite:///copy.db").returncode == 0


def test_a_pipeline_with_secrets_is_refused(place: Path) -> None:
    text = "pipeline main(x: secret text max 9 tokens) -> text { return x }\n"
    (place / "s.pipe").write_text(text, encoding="utf-8")
    done = call(place, "submit", "s.pipe", "--input", '{"x": "a"}', "--store", STORE)
    assert done.returncode == 1
    assert "secret" in done.stderr


def test_a_kill_in_the_store_stops_runs(place: Path) -> None:
    run = submit(place, "acts")
    assert call(place, "kill", "--tool", "pay", "--reason", "no", "--store", STORE).returncode == 0
    assert "tool `pay`" in call(place, "kill", "--store", STORE).stdout
    assert call(place, "worker", "acts.pipe", "--store", STORE, "--drain").returncode == 0
    assert told(place, "runs", "show", run)["result"]["code"] == "killed"
    assert not (place / "effects").exists()


def test_a_quota_is_told_and_tenants_have_their_places(place: Path) -> None:
    file = place / "acts.pipe"
    text, quota = file.read_text(encoding="utf-8"), "quota 2 runs/day per tenant"
    at = text.index("pipeline acts")
    text = text[:at] + text[at:].replace("budget $1, 600s", f"budget $1, 600s\n  {quota}", 1)
    file.write_text(text, encoding="utf-8")
    runs = [submit(place, "acts", "--tenant", "t") for _ in range(4)]
    other = submit(place, "acts")
    worker = ("worker", "acts.pipe", "--store", STORE, "--drain", "--per-tenant", "1")
    drained = call(place, *worker)
    assert drained.returncode == 0, drained.stderr
    found = [told(place, "runs", "show", run) for run in (*runs, other)]
    codes = [(one["result"] or {}).get("code", one["status"]) for one in found]
    assert sorted(codes[:4]) == ["answered", "answered", "quota_exceeded", "quota_exceeded"]
    assert codes[4] == "answered"
    assert all(set(one) == RUN_KEYS for one in found)
    took = call(place, "runs", "show", runs[codes.index("answered")], "--store", STORE)
    assert "settled: 1 run of `acts` in " in took.stdout
    spent = call(place, "trace", runs[codes.index("quota_exceeded")], "--store", STORE)
    assert "the quota of 2 runs/day is spent" in spent.stdout


@pytest.mark.parametrize(
    "line",
    [
        ("observe", "acts.pipe"),
        ("watch", "acts.pipe"),
        ("inbox",),
        ("approve", "abc"),
        ("kill", "--all"),
        ("trace", "last"),
        ("audit", "verify"),
        ("audit", "show"),
        ("run", "acts.pipe", "acts"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("state", ["elsewhere", ".pipelang"])
def test_a_state_folder_beside_a_store_is_not_passed_over(
    place: Path, line: tuple[str, ...], state: str
) -> None:
    done = call(place, *line, "--store", STORE, "--state", state)
    assert done.returncode == 2, done.stderr
    assert "--state and --store exclude each other" in done.stderr
    assert not (place / "runs.db").exists()


@pytest.mark.parametrize(
    "option", [("--concurrency", "10"), ("--per-tenant", "1"), ("--no-worker",)], ids=" ".join
)
def test_what_serve_needs_a_store_for_is_not_passed_over(
    place: Path, option: tuple[str, ...]
) -> None:
    done = call(place, "serve", "acts.pipe", *option)
    assert done.returncode == 2, done.stderr
    assert f"{option[0]} needs runs that are kept: --store" in done.stderr
