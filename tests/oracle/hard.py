"""Hard cases by brute force: the same program twice, with the rates of each class, and one text.

The enumeration knows no hidden draw, and need not: a run is a run of one of two programs that
differ in their rates, and the hidden draw says of which. So whoever carries it through one program
has to find exactly the mixture of the two.
"""

from __future__ import annotations

import random
import re
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

from . import model as m
from .enumerate_runs import Reliability
from .write_pipe import pipe_text

SHARES = tuple(Fraction(n, 20) for n in (1, 3, 5, 10, 19))
"""Of hard cases."""

RATES = tuple(Fraction(n, 20) for n in (0, 2, 5, 8, 12, 17, 20))
BY_CASE = ("accuracy", "recovers", "catches", "false_alarms")
PERCENT = re.compile(r"(\d[\d.]*%)")


def hard_twin(program: m.Program, seed: int) -> m.Program:
    """The program with other rates wherever a file may say `if hard`; about half are the same."""
    rng = random.Random(seed)

    def twin(node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(map(twin, node))
        if not is_dataclass(node) or isinstance(node, type):
            return node
        changes: dict[str, Any] = {}
        for field in fields(node):
            value = getattr(node, field.name)
            if isinstance(node, m.PathShare) and isinstance(value, Fraction):
                # Pipelines that speak of one value still say the same of it.
                changes[field.name] = 1 - value
            elif isinstance(node, m.ByTier):
                rates = tuple((tier, rng.choice(RATES)) for tier, _ in node.rates)
                changes["rates"] = rates
            elif field.name in BY_CASE and isinstance(value, Fraction):
                changes[field.name] = rng.choice((value, rng.choice(RATES)))
            else:
                changes[field.name] = twin(value)
        return replace(node, **changes)

    found = twin(program)
    assert isinstance(found, m.Program)
    return found


def text_of_both(easy: m.Program, hard: m.Program, share: Fraction | None) -> str:
    """One text that says the rates of both, and how many cases are hard; of children it says
    something else, which nobody should read.
    """
    return both_texts(pipe_text(easy), pipe_text(hard), easy, share)


def both_texts(first: str, second: str, program: m.Program, share: Fraction | None) -> str:
    """The same from the texts of both."""
    parts = PERCENT.split(first), PERCENT.split(second)
    assert [*parts[0][::2]] == [*parts[1][::2]], "the two differ in more than rates"
    merged = [
        one if one == other else f"{one}, {other} if hard"
        for one, other in zip(*parts, strict=True)
    ]
    text = "".join(merged)
    for pipeline in (*program.children, program.pipeline):
        if pipeline is not program.pipeline:
            says = "hard: 97%"
        elif share is None:
            continue
        else:
            says = f"hard: {float(100 * share):g}%"
        text, count = re.subn(
            rf"^(pipeline {pipeline.name}\(.*\{{\n)(  traffic 100/day \{{\n)?",
            lambda found, says=says: (  # type: ignore[misc]
                f"{found[1]}{found[2]}    {says}\n"
                if found[2]
                else f"{found[1]}  traffic {{ {says} }}\n"
            ),
            text,
            flags=re.MULTILINE,
        )
        assert count == 1, pipeline.name
    return text


def mixed(easy: Reliability, hard: Reliability, share: Fraction) -> Reliability:
    """The numbers of all runs, of which so many are hard."""

    def both(first: dict[str, Fraction], second: dict[str, Fraction]) -> dict[str, Fraction]:
        return {
            name: number(first.get(name, Fraction(0)), second.get(name, Fraction(0)))
            for name in {**first, **second}
        }

    def number(first: Fraction, second: Fraction) -> Fraction:
        return (1 - share) * first + share * second

    return Reliability(
        outcomes=both(easy.outcomes, hard.outcomes),
        escalations=both(easy.escalations, hard.escalations),
        wrong_effect=number(easy.wrong_effect, hard.wrong_effect),
        cost_mean=number(easy.cost_mean, hard.cost_mean),
        reached=both(easy.reached, hard.reached),
        runs=easy.runs + hard.runs,
    )
