"""Manners of the command line: signals, readers that go away, standard input, widths."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import pipelang
from pipelang.interfaces.check import disk_loader
from pipelang.interfaces.cli.commands import Commands
from pipelang.interfaces.cli.main import main
from pipelang.interfaces.cli.terminal import text_width


def _await_handler(process: subprocess.Popen[str], number: int) -> None:
    """Wait until a process has a handler for a signal; where that can't be seen, a while."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        time.sleep(3)
        return
    for _ in range(6_000):
        (caught,) = [row for row in status.read_text().splitlines() if row.startswith("SigCgt:")]
        if int(caught.split()[1], 16) >> (number - 1) & 1:
            return
        time.sleep(0.01)
    raise AssertionError("no handler after a minute")


posix = pytest.mark.skipif(os.name == "nt", reason="signals and pipes are others on Windows")


@posix
@pytest.mark.parametrize("sent", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("words", [["simulate", "--runs", "9000000"], ["run"]])
def test_signals_end_a_command_in_order(sent: str, words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(
        "tool nap(x: text) -> text {\n"
        '  python "naps:nap" effect read latency 1s median succeeds 99%\n}\n'
        "pipeline main(x: text) -> text { step a = call nap(x) return a }\n"
    )
    (tmp_path / "naps.py").write_text(
        "import asyncio\nasync def nap(x):\n    await asyncio.sleep(60)\n    return x\n"
    )
    line = [sys.executable, "-m", "pipelang", words[0], str(file), *words[1:]]
    if words == ["run"]:
        line += ["--input", '{"x": "a"}', "--state", str(tmp_path / "state")]
    number = getattr(signal, sent)
    before = signal.signal(number, signal.SIG_DFL)  # under nohup it would be ignored there, too
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        signal.signal(number, before)
        try:
            _await_handler(process, number)
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "interrupted" in out + err
    assert "Traceback" not in err


ASKED_IN_A_CALLBACK = """
import os, signal, sys, time, weakref
from pipelang.interfaces.cli import main, signals

# Under nohup, or behind a shell's `&`, these would be ignored here, too.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

class Thing:
    pass

class Finalized:
    def __del__(self):
        ask()

def ask(*gone):
    os.kill(os.getpid(), getattr(signal, sys.argv[1]))

def call(arguments):
    signals.end_by_signals()
    thing = Finalized() if sys.argv[2] == "finalizer" else Thing()
    seen = weakref.ref(thing, ask if sys.argv[2] == "weak reference" else None)
    del thing
    if sys.argv[2] == "string":  # as a dataclass is made; by then, all that `warn` needs is loaded
        import pipelang.diagnostics.columns
        exec("ask()\\nfor _ in range(10_000): pass", globals())
    time.sleep(20)
    return 0

main._call = call
sys.exit(main.main())
"""


@posix
@pytest.mark.parametrize("sent", ["SIGTERM", "SIGHUP", "SIGINT"])
@pytest.mark.parametrize("place", ["finalizer", "weak reference", "string"])
def test_a_signal_is_not_lost_where_python_raises_nothing(
    sent: str, place: str, tmp_path: Path
) -> None:
    """Each import has such callbacks: now and then a command went on as if nobody had asked.

    And each has code that is run from a string: a signal there ended `python -m pipelang` by
    SIGINT, whatever its exit code was.
    """
    (tmp_path / "asked.py").write_text(ASKED_IN_A_CALLBACK)
    line = [sys.executable, "-m", "asked", sent, place]
    paths = {**os.environ, "PYTHONPATH": str(Path(pipelang.__file__).parents[1])}
    done = subprocess.run(
        line, capture_output=True, text=True, timeout=40, check=False, cwd=tmp_path, env=paths
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


@posix
@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["explain", "P101"]])
def test_a_reader_that_goes_away_is_no_mistake(words: list[str]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    line = [sys.executable, "-m", "pipelang", *words]
    done = subprocess.run(line, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


def test_check_reads_standard_input(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    disk_loader._standard_input.cache_clear()
    text = b"pipeline main(x: text) -> int { return x }"
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert main(["check", "-"]) == 1
    assert "-:1:40" in capsys.readouterr().out
    disk_loader._standard_input.cache_clear()


def test_a_case_that_is_not_there_is_told_of_those_that_wait(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inbox", "no_such", "--state", str(tmp_path)]) == 1
    err = capsys.readouterr().err
    assert "nothing waits" in err
    assert "pipelang inbox" not in err


@pytest.mark.parametrize(("said", "width"), [("80", 80), ("500", 400), ("9", 40), ("x", 100)])
def test_columns_decide_the_width(said: str, width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", said)
    assert text_width(io.StringIO()) == width


def options_of(group: click.Group) -> Iterator[tuple[str, click.Option]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from options_of(command)
        elif command is not None:
            yield from ((name, one) for one in command.params if isinstance(one, click.Option))


def test_where_a_command_writes_has_one_name_everywhere() -> None:
    for name, option in options_of(Commands("pipelang")):
        if {"-o", "--out", "--output"} & set(option.opts):
            # `run --output` is a file that `--resume` reads too, and has no short name.
            assert ({"--output"} if name == "run" else {"-o", "--output"}) <= set(option.opts), (
                name,
                option,
            )


def test_a_command_that_keeps_nothing_shows_no_option_of_a_cache() -> None:
    shown = {
        name
        for name, one in options_of(Commands("pipelang"))
        if "--no-cache" in one.opts and not one.hidden
    }
    assert shown == {"check", "run", "test", "submit", "worker"}


def test_an_approval_that_nobody_had_to_give_is_told_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.pipe").write_text(
        "role boss { accuracy 98% }\n"
        "pipeline pay(amount: int, notes: [int] max 2 = []) -> int {\n"
        "  approve ok by boss when amount > 100 else reject\n"
        "  return amount\n"
        "}\n"
    )
    assert main(["run", "a.pipe", "--input", '{"amount": 5}']) == 0
    assert "no approval needed" in capsys.readouterr().out
    assert main(["run", "a.pipe", "--input", '{"amount": 5, "notes": [1, 2, 3]}']) == 1
    assert "input `notes`: list should have at most 2 items, not 3" in capsys.readouterr().err


UNDECLARED = """
tool look(x: text max 9 tokens) -> text max 9 tokens {
  python "m:f"  effect read  succeeds 80%  cost $0  timeout 1s
}
pipeline p(x: text max 9 tokens) -> text max 9 tokens {
  step s = call look(x) { correlation 20% } else call look(x)
  gate g: s == "a" { catches 60% false_alarms 20% } else redo s up to 1 else reject
  return s
}
"""


def test_a_simulation_says_which_figure_of_a_step_it_lacks(tmp_path, capsys):
    """It named the step alone, whose options are a dozen."""
    file = tmp_path / "main.pipe"
    file.write_text(UNDECLARED, encoding="utf-8")
    assert main(["simulate", str(file)]) == 1
    said = capsys.readouterr().err
    assert "nobody declared `p.s` (correlation)" in said
    assert "@" not in said


@pytest.mark.parametrize("command", ["simulate", "tune"])
def test_a_file_without_a_pipeline_is_told_so(command, tmp_path, capsys):
    file = tmp_path / "main.pipe"
    file.write_text("enum Size { small large }\n", encoding="utf-8")
    assert main([command, str(file)]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "has no pipeline" in shown.err
