"""By how many points hard cases could matter, against brute force.

The report says what would become of the outcomes if one case in ten were hard and models were wrong
five times as often there, overall as often as declared. That is a mixture of two programs, each
enumerated in exact fractions. Where the report says nothing, nothing may move.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from . import model as m
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate import generate
from .generate_nested import generate_nested
from .generate_wide import generate_wide
from .models_alone import with_rates
from .subject import analyse
from .values import OpenReadingError
from .write_pipe import pipe_text, write_pipe

SEEDS, BATCH = (400, 40) if os.environ.get("ORACLE_LONG") else (12, 12)
FIRST = 190_000
MOST_RUNS = 3_000
MAKERS: dict[str, Callable[[int], m.Program]] = {
    "plain": generate,
    "wide": generate_wide,
    "nested": generate_nested,
}
HARD = Fraction(1, 10)
TIMES = 5
RARELY = Fraction(1, 10**15)


def wrong_if_hard(right: Fraction) -> Fraction:
    return min(Fraction(1), TIMES * (1 - right))


def in_easy_cases(right: Fraction) -> Fraction:
    return 1 - (1 - right - HARD * wrong_if_hard(right)) / (1 - HARD)


def in_hard_cases(right: Fraction) -> Fraction:
    """The rate, and next to nothing for none: in a program of hard cases alone no right answer
    could be kept, and in a cache stand those of easy cases, too.
    """
    return max(RARELY, 1 - wrong_if_hard(right))


def changes(program: m.Program) -> dict[str, Fraction]:
    """What hard cases would do to each outcome."""
    now, easy, hard = (
        enumerate_runs(one, limit=MOST_RUNS).outcomes
        for one in (
            program,
            with_rates(program, in_easy_cases),
            with_rates(program, in_hard_cases),
        )
    )
    return {name: (1 - HARD) * easy[name] + HARD * hard[name] - now[name] for name in now}


def off(exact: dict[str, Fraction], told: dict[str, Any] | None) -> list[str]:
    """Where the report says otherwise."""
    found = []
    for name, change in exact.items():
        value = 0.0 if told is None else told["changes"][name]["value"]
        if value is None or abs(value - float(change)) > 1e-11:
            found.append(f"{name} changes by {float(change)!r}, reported {value!r}")
    return found


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_hard_cases_would_matter_as_much_as_is_said(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    compared = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        program = MAKERS[maker](seed)
        if program.files:
            continue  # rows say how sure answers are as well, and are no rate to be moved
        try:
            exact = changes(program)
        except (TooManyRunsError, OpenReadingError):
            continue
        compared += any(exact.values())
        report = analyse(write_pipe(program, tmp_path / f"seed_{seed}"))["main"]
        found = off(exact, report["sensitivity"])
        if found:
            failures += [f"{maker}, seed {seed}", *found, pipe_text(program)]
    assert compared
    assert not failures, "\n".join(failures)
