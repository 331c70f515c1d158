"""Lets the on-call's autonomy grow with the confidence that was measured, and no further.

    python examples/devops/autonomy.py

Evidence comes in month by month: labels of people, as `pipelang evidence pull` writes them. Each
month the lowest threshold is taken at which the upper end of the interval of `silent_error` keeps
the promise of 3%: with few labels the interval is wide, and more goes to people. Nobody guesses.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROMISE = 0.03
SETTING = "setting autonomy: probability in 60%..95% = 75%"
THRESHOLDS = (95, 91, 87, 83, 79, 75, 71, 67, 63)
MONTHS = (40, 80, 160, 320, 600)
"""Labels that there are at the end of each month."""


def checked(folder: Path, percent: int) -> dict[str, Any]:
    """What `pipelang check` says of the pipeline at a threshold."""
    text = (HERE / "devops.pipe").read_text(encoding="utf-8")
    assert SETTING in text
    (folder / "devops.pipe").write_text(text.replace(SETTING, f"{SETTING[:-3]}{percent}%"))
    line = ["check", "--format", "json", "devops.pipe"]
    done = subprocess.run(
        [sys.executable, "-m", "pipelang", *line],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.stdout:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout)["pipelines"]["handle"]["outcomes"]
    return found


def months() -> list[str]:
    """The table, a line a month."""
    evidence = (HERE / "evals" / "finding.jsonl").read_text(encoding="utf-8").splitlines(True)
    said = ["month  labels  autonomy  to people  silent errors (95%)"]
    with tempfile.TemporaryDirectory(prefix="pipelang-autonomy-") as name:
        folder = Path(name) / "devops"
        shutil.copytree(HERE, folder)
        for month, labels in enumerate(MONTHS, 1):
            head = [line for line in evidence[:1] if "correct" not in line]
            rows = [line for line in evidence if "correct" in line][:labels]
            (folder / "evals" / "finding.jsonl").write_text("".join([*head, *rows]))
            said.append(_month(folder, month, labels))
    return said


def _month(folder: Path, month: int, labels: int) -> str:
    chosen: tuple[int, dict[str, Any]] | None = None
    for percent in THRESHOLDS:
        found = checked(folder, percent)
        if found["silent_error"]["high"] > PROMISE:
            break
        chosen = percent, found
    if chosen is None:
        return f"{month:5}{labels:8}{'none':>10}{'all':>11}  nothing is sure enough yet"
    percent, found = chosen
    silent = found["silent_error"]
    interval = f"{silent['value']:.1%} ({silent['low']:.1%} to {silent['high']:.1%})"
    return f"{month:5}{labels:8}{percent:9}%{found['escalation']['value']:>11.1%}  {interval}"


if __name__ == "__main__":
    print("\n".join(months()))
