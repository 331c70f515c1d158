"""Numbers of evidence files that are written in a few letters, and are longer than any memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", ["1e99999999", "1E+999999999", "1e-99999999", "0.5", "0"])
def test_an_attempt_is_no_endless_number(number: str, tmp_path: Path) -> None:
    """In a process of its own: what is worked out here listens to no signal but the last."""
    path = tmp_path / "e.jsonl"
    path.write_text(f'{{"correct": true, "case": "a", "attempt": {number}}}\n', encoding="utf-8")
    command = [sys.executable, "-m", "pipelang", "evidence", "show", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "`attempt` must be a whole number from 1" in done.stderr


def test_a_confidence_is_told_of_in_a_line(tmp_path: Path) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text(f'{{"correct": true, "confidence": {"1" * 900}}}\n', encoding="utf-8")
    command = [sys.executable, "-m", "pipelang", "evidence", "show", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "found 1.111e+899" in done.stderr
