"""What one run of a pipeline and of all the pipelines that it runs have in common."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from fractions import Fraction
from typing import TypeAlias

from . import model as m
from .draws import Draws
from .lookup import Lookup
from .values import Value

Share: TypeAlias = "Fraction | tuple[tuple[str, Fraction], ...] | m.Mean"


class Root:
    """Outages, facts about values that several pipelines look at, the bill, effects, and cases."""

    def __init__(self, lookups: dict[str, Lookup], draws: Draws, literal: bool) -> None:
        self.lookups = lookups
        self.draws = draws
        self.literal = literal
        self.cost = Fraction(0)
        self.effects: list[Value] = []
        self.asked: Counter[str] = Counter()  # cases that came to each role
        self.down: dict[str, bool] = {}  # providers drawn so far
        self.facts: dict[tuple[Hashable, str], tuple[str, Share]] = {}

    def is_down(self, provider: str) -> bool:
        """One draw per provider and root run, made when it is first asked."""
        if provider not in self.down:
            available = next(iter(self.lookups.values())).available[provider]
            self.down[provider] = not self.draws.flip(available)
        return self.down[provider]
