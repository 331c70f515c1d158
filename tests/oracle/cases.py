"""Small programs with sub-pipelines, lists and the rest, and their numbers worked out by hand.

The enumeration is held against them (`test_enumerator_wide`), and so is the analysis
(`test_new_constructs`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction

from . import model as m
from .building import rate


@dataclass(frozen=True)
class Case:
    """What is not named is not looked at, but that outcomes which are not named have no chance."""

    program: m.Program
    outcomes: dict[str, Fraction]
    escalations: dict[str, Fraction] = field(default_factory=dict)
    wrong_effect: Fraction | None = None
    cost: Fraction | None = None


CASES: dict[str, Callable[[], Case]] = {}


def case(function: Callable[[], Case]) -> Callable[[], Case]:
    CASES[function.__name__] = function
    return function


def numbers(**rates: str | Fraction) -> dict[str, Fraction]:
    return {name: rate(p) if isinstance(p, str) else p for name, p in rates.items()}
