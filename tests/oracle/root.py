"""What one run of a pipeline and of all the pipelines that it runs have in common."""

from __future__ import annotations

from collections.abc import Hashable
from fractions import Fraction
from typing import TypeAlias

from . import model as m
from .draws import Draws
from .lookup import Lookup
from .tally import Tally
from .values import Value

Share: TypeAlias = "Fraction | tuple[tuple[str, Fraction], ...] | m.Mean"


class Root:
    """Outages, facts about values that several pipelines look at, the bill, effects, and cases."""

    def __init__(
        self, lookups: dict[str, Lookup], draws: Draws, tally: Tally, literal: bool
    ) -> None:
        self.lookups = lookups
        self.draws = draws
        self.tally = tally
        self.literal = literal
        self.effects: list[Value] = []
        self.down: dict[str, bool] = {}  # providers drawn so far
        self.facts: dict[tuple[Hashable, str], tuple[str, Share]] = {}

    def pay(self, dollars: Fraction) -> None:
        self.tally.add("cost", dollars)

    def ask(self, role: str) -> None:
        """Counts a case that comes to the people of a role."""
        self.tally.add(("asked", role), Fraction(1))

    def is_down(self, provider: str) -> bool:
        """One draw per provider and root run, made when it is first asked."""
        if provider not in self.down:
            available = next(iter(self.lookups.values())).available[provider]
            self.down[provider] = not self.draws.flip(available)
        return self.down[provider]
