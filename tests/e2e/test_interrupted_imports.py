"""Ctrl-C while the module of a tool is imported ends every command at once and in order."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..warm import start

REPO = Path(__file__).parents[2]

PROGRAM = """
tool look(x: text) -> text {
  python "slow:look" effect read latency 1ms median, 2ms p95 succeeds 99%
}
pipeline main(x: text) -> text { step a = call look(x) else fail "no" return a }
test "it is called" { given main(x: "a")  expect answered }
"""
SLOW = """
import faulthandler, pathlib, time
faulthandler.enable()
pathlib.Path(__file__).with_name("importing").touch()
for _ in range(60_000):
    time.sleep(0.01)
"""
"""Many short sleeps: a signal that comes right before Python falls asleep does not wake it."""

COMMANDS = {
    "run": ["run", "p.pipe", "--input", '{"x": "a"}'],
    "batch": ["run", "p.pipe", "--input", "@in.jsonl", "--output", "out.jsonl"],
    "test": ["test", "p.pipe"],
    "check": ["check", "p.pipe", "--import-tools"],
}


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent")
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("how", ["SIGINT", "SIGTERM"])
def test_an_import_is_interrupted(tmp_path: Path, command: str, how: str) -> None:
    (tmp_path / "p.pipe").write_text(PROGRAM, encoding="utf-8")
    (tmp_path / "slow.py").write_text(SLOW, encoding="utf-8")
    (tmp_path / "in.jsonl").write_text('{"x": "a"}\n{"x": "b"}\n', encoding="utf-8")
    process = start(*COMMANDS[command], cwd=tmp_path)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "importing").exists():
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.send_signal(getattr(signal, how))
        try:
            process.wait(timeout=120)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)  # it tells where it is
        out, err = process.communicate()
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, out + err
    assert "Traceback" not in out + err
    assert err.endswith("interrupted\n")
