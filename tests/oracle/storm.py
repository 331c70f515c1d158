"""Storm as an exact judge, in a process of its own: stormpy is GPL, so pipelang never loads it."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from fractions import Fraction
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
WORKER = Path(__file__).with_name("storm_worker.py")
VENV = REPO / ".venv-storm"
ALLOCATION = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "536870912"}
"""Storm makes large tables for each model. Of memory that goes back to Linux when a model is done
and is asked for again with the next, every page is mapped and cleared anew: a sixth of all work.
"""
HOW = "no stormpy: `make storm` gets it, or PIPELANG_STORM_PYTHON names a Python that has it"


@functools.cache
def storm_python() -> str | None:
    """An interpreter that has stormpy: what the environment names, or that of `make storm`."""
    named = os.environ.get("PIPELANG_STORM_PYTHON")
    for candidate in [named] if named else [str(VENV / "bin" / "python")]:
        try:
            found = subprocess.run(
                [candidate, "-c", "import stormpy"], capture_output=True, timeout=60
            )
        except OSError:
            continue
        if found.returncode == 0:
            return candidate
    return None


class Storm:
    """One worker, asked one model after the other."""

    def __init__(self, python: str) -> None:
        self._worker = subprocess.Popen(
            [python, str(WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **ALLOCATION},
        )

    def _ask(self, task: dict[str, Any]) -> dict[str, Any]:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.write(json.dumps(task) + "\n")
        self._worker.stdin.flush()
        line = self._worker.stdout.readline()
        assert line, f"Storm ended with code {self._worker.wait()} on\n{task['model']}"
        answer: dict[str, Any] = json.loads(line)
        assert "error" not in answer, f"{answer['error']} on\n{task['model']}"
        return answer

    def values(self, model: str, properties: dict[str, str]) -> dict[str, Fraction]:
        """The exact value of every property."""
        answer = self._ask({"model": model, "properties": properties})
        return {name: Fraction(value) for name, value in answer["values"].items()}

    def derivatives(
        self, model: str, properties: dict[str, str], at: dict[str, Fraction]
    ) -> dict[str, dict[str, Fraction]]:
        """Of every property by each constant that the model leaves open, at these values."""
        task = {
            "model": model,
            "properties": properties,
            "derive": list(at),
            "at": {name: f"{value.numerator}/{value.denominator}" for name, value in at.items()},
        }
        answer = self._ask(task)["derivatives"]
        return {
            name: {constant: Fraction(value) for constant, value in found.items()}
            for name, found in answer.items()
        }

    def close(self) -> None:
        assert self._worker.stdin is not None
        assert self._worker.stdout is not None
        self._worker.stdin.close()
        self._worker.wait(timeout=60)
        self._worker.stdout.close()
