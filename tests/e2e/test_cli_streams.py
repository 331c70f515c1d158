"""Commands whose streams lead nowhere, to a full disk, or that stand in a folder that is gone."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

FULL = Path("/dev/full")
COMMANDS = ("check {}", "fmt --check {}", "simulate {} --runs 10", "explain P202", "--help")

pytestmark = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    pipe = tmp_path / "a.pipe"
    pipe.write_text("pipeline main(x: int) -> int {\n  return x\n}\n", encoding="utf-8")
    return pipe


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = f"exec {sys.executable} -m pipelang {line}"
    return subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_is_told_and_is_no_success(command: str, file: Path) -> None:
    done = shell(f"{command.format(file.name)} >{FULL}", file.parent)
    assert done.stderr == "pipelang: nothing more can be written: No space left on device\n"
    assert done.returncode == 2


def test_nothing_can_be_told_where_both_streams_are_full(file: Path) -> None:
    done = shell(f"check {file.name} >{FULL} 2>{FULL}", file.parent)
    assert done.returncode == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_a_stream_that_is_closed_changes_no_exit_code(command: str, file: Path) -> None:
    done = shell(f"{command.format(file.name)} >&- <&-", file.parent)
    assert (done.returncode, done.stderr) == (0, "")


LONG = "n" * 300
NAMED = (
    *("observe {} --state NAME", "watch {} --state NAME", "inbox --state NAME"),
    *("audit verify NAME", "token list --tokens NAME", "graph NAME"),
)


@pytest.mark.parametrize("command", NAMED)
def test_a_name_that_is_too_long_is_told(command: str, file: Path) -> None:
    done = shell(command.format(file.name).replace("NAME", LONG), file.parent)
    assert done.returncode in (1, 2), done.stderr
    assert re.match("error: .*`n{200}", done.stderr), done.stderr


def nowhere(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a folder that was taken away."""
    gone = folder / "gone"
    gone.mkdir()
    code = (
        f"import os, sys; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r});"
        f"os.execv(sys.executable, [sys.executable, '-m', 'pipelang', *{list(words)!r}])"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)


def test_a_folder_that_is_gone_is_told(file: Path) -> None:
    done = nowhere(file.parent, "new", "desk")
    assert done.stderr == "error: the folder that this command was called in is gone\n"
    assert done.returncode == 2


def test_a_folder_that_is_gone_takes_no_command_along(file: Path) -> None:
    done = nowhere(file.parent, "check", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    assert "no errors, no warnings" in done.stdout
