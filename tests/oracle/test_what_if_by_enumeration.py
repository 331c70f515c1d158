"""What follows if accuracies that nobody declared were so high, against brute force.

Some accuracies of models are left out of a generated program, in the pipeline and in those that it
runs. The report says what becomes of the outcomes if all of these are 90, 95 or 99%, and how high
they must be for a promise. Each of that is enumerated, of the program in which they are just that.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.advice import with_advice
from pipelang.interfaces.check.check import check_file, report_json

from . import model as m
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate import generate
from .generate_nested import generate_nested
from .generate_wide import generate_wide
from .models_alone import with_rates
from .values import OpenReadingError
from .write_pipe import pipe_text, write_pipe

SEEDS = 400 if os.environ.get("ORACLE_LONG") else 12
BATCH = 12
FIRST = 230_000
MOST_RUNS = 2_000
MAKERS: dict[str, Callable[[int], m.Program]] = {
    "plain": generate,
    "wide": generate_wide,
    "nested": generate_nested,
}
LEFT_OUT = Fraction(12_345, 1_000_000)
"""Stands for an accuracy that nobody declares; no generator makes it."""
SAYS_IT = re.compile(r" accuracy 1\.2345%")
NEAR = Fraction(1, 100_000)


def opened(program: m.Program, seed: int) -> m.Program:
    """The program in which some accuracies of models are marked as left out."""
    rng = random.Random(f"open {seed}")
    return with_rates(program, lambda share: LEFT_OUT if rng.random() < 0.6 else share, plain=True)


def filled(program: m.Program, share: Fraction) -> m.Program:
    return with_rates(program, lambda one: share if one == LEFT_OUT else one)


def promised(text: str, lines: str) -> str:
    head, main = text.split("pipeline main(", 1)
    line, body = main.split("\n", 1)
    return f"{head}pipeline main({line}\n  slo {{ {lines} }}\n{body}"


def holds(outcomes: dict[str, Fraction], line: dict[str, Any], slack: float) -> bool:
    """Whether a promise is kept, with so much more to spare, or less."""
    found = float(outcomes[line["metric"]]) - line["target"]
    return (found if line["op"] == ">=" else -found) >= slack


def off(program: m.Program, told: Any, share_of: random.Random) -> list[str]:
    """What an enumeration says otherwise."""
    found = []
    for row in told.rows:
        share = Fraction(row.accuracy).limit_denominator(100)
        exact = enumerate_runs(filled(program, share), limit=MOST_RUNS).outcomes
        for name, number in (("success", row.success), ("silent_error", row.silent_error)):
            if number.value is None or abs(number.value - float(exact[name])) > 1e-11:
                found.append(f"at {share}: {name} {float(exact[name])!r}, reported {number}")
    for need in told.needs:
        line = need.as_json()
        least = line["accuracy"]
        where = {"1": (Fraction(1), False)} if least is None else {}
        if least is not None:
            least = Fraction(least)
            above = least + (1 - least) * Fraction(share_of.random())
            where = {"it": (min(Fraction(1), least + NEAR), True), "above": (above, True)}
            if least > NEAR:
                where["below"] = (least - NEAR, False)
        for name, (share, kept) in where.items():
            outcomes = enumerate_runs(filled(program, share), limit=MOST_RUNS).outcomes
            if holds(outcomes, line, -1e-9 if kept else 1e-9) != kept:
                found.append(f"{line}, {name} {float(share)}: {float(outcomes[line['metric']])!r}")
    return found


def compared(maker: str, seed: int, folder: Path) -> tuple[list[str], int] | None:
    """What is wrong, and how much was looked at; None where nothing could be left out."""
    program = MAKERS[maker](seed)
    if program.files:
        return None  # rows say how sure answers are as well, and are no rate to be left out
    program = opened(program, seed)
    text = pipe_text(program)
    if not SAYS_IT.search(text):
        return None
    rng = random.Random(f"promise {seed}")
    ends = [
        enumerate_runs(filled(program, Fraction(at)), limit=MOST_RUNS).outcomes for at in (0, 1)
    ]
    targets = {
        name: rng.uniform(*sorted(float(one[name]) for one in ends)) * rng.choice([1, 1, 1, 1.2])
        for name in ("success", "silent_error")
    }
    lines = " ".join(
        f"{name} {op} {min(100.0, 100 * targets[name]):.4f}%"
        for name, op in (("success", ">="), ("silent_error", "<="))
    )
    path = write_pipe(program, folder)
    path.write_text(promised(SAYS_IT.sub("", text), lines), encoding="utf-8")
    (checked,) = with_advice([check_file(str(path))])
    told = checked.advice["main"].what_if
    if not report_json([checked])["pipelines"]["main"]["what_if"]:
        # A step that no run comes to, or in a pipeline that none runs.
        return ([] if ends[0] == ends[1] else ["nothing is said"]), 0
    return off(program, told, rng), len(told.rows) + len(told.needs)


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_what_follows_is_what_is_said(first: int, maker: str, tmp_path: Path) -> None:
    failures: list[str] = []
    looked_at = 0
    for seed in range(FIRST + first, FIRST + first + BATCH):
        try:
            judged = compared(maker, seed, tmp_path / f"seed_{seed}")
        except (TooManyRunsError, OpenReadingError):
            continue
        if judged is None:
            continue
        found, looked = judged
        looked_at += looked
        if found:
            text = (tmp_path / f"seed_{seed}" / "main.pipe").read_text(encoding="utf-8")
            failures += [f"{maker}, seed {seed}", *found, text]
    assert looked_at >= 5
    assert not failures, "\n".join(failures)
