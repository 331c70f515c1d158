"""`run` and `test` take a program from the cache while nothing has changed, and never else."""

from __future__ import annotations

import json
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelang.interfaces.cli.main import main

from ..warm import command_text

BUILD = "pipelang.semantics.build"

MAIN = """
use std.tiers
use "shared.pipe" { Mood }

setting most: int in 1..9 = 5

tool count(n: int) -> int { python "tools:count" effect read latency 1ms median succeeds 99% }
prompt judge(text: text max 50 tokens) from "judge.md"

pipeline main(n: int) -> int {
  slo { success >= 99.9% }
  step mood: Mood = ask judge("a day") by haiku {
    accuracy from "moods.jsonl"
    output 5 tokens mean, 9 tokens max
  }
  step counted = call count(n)
  gate small: counted < most else reject "too large"
  return counted
}

test "counts" {
  given  main(n: 2)
  mock   mood = good
  mock   count = 3
  expect answered 3
}
"""

FILES = {
    "main.pipe": MAIN,
    "shared.pipe": "enum Mood { good bad }\n",
    "judge.md": "How is {{ text }}?\n",
    "moods.jsonl": '{"correct": true}\n' * 40,
    "tools.py": "def count(n):\n    return n + 1\n",
}
CHANGES = (
    ("shared.pipe", "bad", "sad"),
    ("judge.md", "How", "Who"),
    ("moods.jsonl", "true", "false"),
    ("main.pipe", "= 5", "= 3"),
)
RUN = ("run", "main.pipe", "--input", '{"n": 2}', "--format", "json")
TEST = ("test", "main.pipe", "--format", "json")


@dataclass(frozen=True)
class Done:
    """A process: what it said, and whether it read the program's text."""

    code: int
    out: str
    err: str
    built: bool


def call(*arguments: str, **more: str) -> Done:
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as modules:
        done = command_text(
            *arguments, env={**os.environ, **more}, without=BUILD, loaded=Path(modules.name)
        )
        built = BUILD in modules.read().split()
    return Done(done.returncode, done.stdout, done.stderr, built)


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a program of many files, and an empty cache."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "cache"))
    for name in ("ANTHROPIC_API_KEY", "FORCE_COLOR", "PIPELANG_NO_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, text in FILES.items():
        Path(name).write_text(text, encoding="utf-8")
    return tmp_path


def entries() -> list[Path]:
    return sorted(Path("cache/pipelang/programs").glob("*"))


def value(done: Done) -> object:
    assert done.code == 0, done
    return json.loads(done.out)["value"]


@pytest.mark.parametrize("words", [RUN, TEST], ids=["run", "test"])
def test_the_second_time_nothing_is_read_but_what_is_run(words: tuple[str, ...]) -> None:
    first, second = call(*words), call(*words)
    assert (first.code, first.built) == (0, True), first
    assert (second.code, second.built) == (0, False), second
    if words is TEST:
        assert second.out == first.out
    else:
        assert value(first) == value(second) == 3


@pytest.mark.parametrize("words", [RUN, TEST], ids=["run", "test"])
def test_any_file_that_changed_is_seen(words: tuple[str, ...]) -> None:
    """A byte is enough, and the time of the file need not have changed."""
    call(*words)
    for name, old, new in CHANGES:
        file = Path(name)
        times = file.stat()
        file.write_text(file.read_text("utf-8").replace(old, new, 1), encoding="utf-8")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        changed = call(*words)
        assert changed.built, name
    if words is RUN:
        assert json.loads(changed.out)["outcome"] == "rejected"
    else:
        assert changed.code == 1
    again = call(*words)
    assert (again.code, again.built) == (changed.code, False)


def test_tools_are_looked_at_every_time() -> None:
    assert value(call(*RUN)) == 3
    Path("tools.py").write_text("def count(n):\n    return 2 + n + 0\n", encoding="utf-8")
    again = call(*RUN)
    assert (value(again), again.built) == (4, False)
    Path("tools.py").write_text("def counted(n):\n    return n\n", encoding="utf-8")
    gone = call(*RUN)
    assert gone.code == 1
    assert "`count`: `tools` has no function `count`" in gone.err


def test_what_is_refused_stays_refused() -> None:
    text = MAIN.replace("call count(n)", "call act(n) { retry 2 }").replace(
        "tool count",
        'tool act(n: int) -> int { python "tools:count" effect write permit "x"\n'
        "  latency 1ms median succeeds 99% }\ntool count",
    )
    Path("main.pipe").write_text(text.replace("  slo", '  permits "x"\n  slo'), encoding="utf-8")
    first, second = call(*RUN), call(*RUN)
    assert first.code == second.code == 1
    assert first.err == second.err
    assert "error[P507]" in first.err
    assert second.built
    assert entries() == []


def test_missed_promises_are_told_every_time() -> None:
    words = ("run", "main.pipe", "--input", '{"n": 2}')
    first, second = call(*words), call(*words)
    (note,) = (line for line in first.err.splitlines() if "missed" in line)
    assert note in second.err.splitlines()
    assert "P501" in note
    assert not second.built


def test_a_setting_is_checked_against_the_text() -> None:
    call(*RUN)
    turned = call(*RUN, "--set", "most=3")
    assert turned.built
    assert json.loads(turned.out)["outcome"] == "rejected"
    assert value(call(*RUN)) == 3
    assert len(entries()) == 1


@pytest.mark.parametrize("words", [RUN, TEST], ids=["run", "test"])
def test_no_cache(words: tuple[str, ...]) -> None:
    assert call(*words, "--no-cache").built
    assert entries() == []
    call(*words)
    assert call(*words, "--no-cache").built
    assert call(*words, PIPELANG_NO_CACHE="1").built


def test_a_process_that_lives_on_keeps_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """Its code may be older than that on the disk, by which entries are named."""
    assert main(list(TEST)) == 0
    assert main(list(RUN)) == 0
    assert entries() == []
    capsys.readouterr()


def test_a_broken_entry_is_made_again() -> None:
    call(*RUN)
    (entry,) = entries()
    whole = entry.read_bytes()
    for broken in (b"", whole[:-1], whole[:40] + b"?" + whole[41:]):
        entry.write_bytes(broken)
        done = call(*RUN)
        assert (value(done), done.built) == (3, True)
        assert not call(*RUN).built


def test_many_at_once() -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: call(*RUN, "--state", f"s{number}"), range(4)))
    assert [value(one) for one in done] == [3] * 4
    assert len(entries()) == 1
    assert not call(*RUN).built
