"""What fuzzing has found stays found: every kept case, and a few fresh mutations."""

from __future__ import annotations

from pathlib import Path

import pytest

from .mutate import mutated
from .run import HANGS, timed
from .seeds import CASES

FRESH = 200


@pytest.mark.parametrize("path", sorted(CASES.glob("*.pipe")), ids=lambda path: path.name)
def test_kept(path: Path) -> None:
    text = path.read_bytes().decode("utf-8", "surrogatepass")
    timed(f"tests/fuzz/cases/{path.name}", text, deep=True, limit=HANGS)


@pytest.mark.parametrize("part", range(4))
def test_fresh(part: int) -> None:
    for number in range(part * FRESH, (part + 1) * FRESH):
        path, text = mutated(number)
        try:
            timed(path, text, deep=number % 5 == 0, limit=HANGS)
        except BaseException as error:
            error.add_note(f"file {number} of {path}:\n{text}")
            raise
