"""A figure that is left out: what it was lies within the bounds.

Programs of the generators are analysed as they are, and again without some of their declared
figures. Whatever nobody declared may be anything, so no result may leave its bounds: not what is
certain, and not, but for the noise of draws, what is counted.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .generate import generate
from .generate_nested import generate_nested
from .generate_wide import generate_wide
from .subject import whole_report
from .write_pipe import write_pipe

PROGRAMS = int(os.environ.get("LEFT_OUT_PROGRAMS", "8"))
"""Of each maker. Of hundreds a few leave their bounds by what these are told not to be: quantiles
between points that were looked at, and times whose counts would have taken too long to move.
"""
MUTANTS = 3
MAKERS = {"plain": generate, "nested": generate_nested, "wide": generate_wide}

FIGURES = [
    re.compile(pattern, re.MULTILINE)
    for pattern in (
        r"accuracy [\d.]+%(, [\d.]+% if hard)?(?= [^}]*timeout)",
        r"(?<= )transient [\d.]+%",
        r"(?<= )succeeds [\d.]+%",
        r"(?<= )available [\d.]+%",
        r"catches [\d.]+%(, [\d.]+% if hard)?",
        r"false_alarms [\d.]+%(, [\d.]+% if hard)?",
        r"correlation [\d.]+%",
        r"turns \d+",
        r"hits [\d.]+%",
        r"responds \w+ median, \w+ p95",
        r"(?<= )latency \w+ median, \w+ p95",
    )
]
"""What is unknown where it is not declared. Shares of `traffic` are not among them: without one a
sub-pipeline's own holds.
"""


def left_out(text: str, chance: random.Random) -> tuple[str, str]:
    """The text without one to three of its figures, and these."""
    gone = []
    for _ in range(chance.randint(1, 3)):
        found = list(chance.choice(FIGURES).finditer(text))
        if found:
            one = chance.choice(found)
            line = text[text.rfind("\n", 0, one.start()) : one.start()]
            if one[0].startswith("accuracy") and ("call " in line or " by role" in line):
                continue  # it has a default, or the role's holds
            gone.append(one[0])
            text = text[: one.start()] + text[one.end() :]
    return text, ", ".join(gone)


def figures(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    report = whole_report(path)
    for name, one in report["pipelines"].items():
        for group in ("outcomes", "escalations"):
            found |= {f"{name}: {key}": number for key, number in one[group].items()}
        found |= {f"{name}: {key}": one[key] for key in ("coverage", "wrong_effect")}
        found |= {f"{name}: tokens": one["tokens"]["mean"], f"{name}: cost": one["cost"]["mean"]}
        found |= {f"{name}: time {key}": one["latency"][key] for key in ("mean", "p50", "p95")}
    return found


def outside(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> Iterator[str]:
    for name, was in before.items():
        if was["basis"] == "unknown" or name not in after:
            continue
        now, low, high = after[name], was["low"], was["high"]
        room = 1e-9 * (1 + abs(high or 0))
        if " time " in name:
            room = 0.02 * abs(high or 0) + 1e-6  # as exact as quantiles are
        if low != high:
            room = 0.01 + 0.03 * abs(high or 0)  # draws of counts, of which few may fit
        if now.get("tight") is False:
            room = max(room, 0.001)  # a quantile between two points that were looked at
        if low is not None and now["low"] is not None and low < now["low"] - room:
            yield f"{name}: {low} below {now['low']}"
        if high is not None and now["high"] is not None and high > now["high"] + room:
            yield f"{name}: {high} above {now['high']}"


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("seed", range(700_000, 700_000 + PROGRAMS))
def test_what_it_was_lies_within(kind: str, seed: int, tmp_path: Path) -> None:
    path = write_pipe(MAKERS[kind](seed), tmp_path)
    text, chance = path.read_text(encoding="utf-8"), random.Random(seed)
    before = figures(path)
    for _ in range(MUTANTS):
        mutant, gone = left_out(text, chance)
        path.write_text(mutant, encoding="utf-8")
        found = list(outside(before, figures(path)))
        assert not found, f"without {gone}: {found[:3]}"
