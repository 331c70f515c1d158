"""All runs of the real interpreter over the simulated world, each with its exact probability.

The interpreter asks for chance through one `random.Random`. `EveryDraw` stands in its place and
hands every question to `Draws`, which replays the interpreter once for each way through them. The
analysis imports nothing of it, so what the runs took (dollars, tokens, seconds) is a second reading
of all that a report says beside outcomes.

Times are made certain first (`timed`): every attempt of a tier takes as long as any other, so that
the time of a run is a figure and not a distribution.
"""

from __future__ import annotations

import functools
import math
import random
import re
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from itertools import count
from pathlib import Path
from typing import Any

import pipelang
from pipelang.diagnostics import RULES
from pipelang.runtime.engine.outcomes import Escalated
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.host.simulate import Rehearsal, outcome
from pipelang.runtime.worlds.simulation.budgets import Spending
from pipelang.runtime.worlds.simulation.frames import DrawnPrompt
from pipelang.semantics import program as p
from pipelang.semantics.sizes import output_limit

from .draws import BroadDraws, Draws
from .enumerate_runs import TooManyRunsError


class Toss:
    """A number in [0, 1) of which nothing is known until it is compared."""

    def __init__(self, draws: Draws) -> None:
        self._draws = draws

    def __lt__(self, share: float) -> bool:
        return self._draws.flip(exact(share))


class EveryDraw(random.Random):
    """A source of chance that takes every way."""

    def __init__(self, draws: Draws) -> None:
        super().__init__()
        self._draws = draws

    def random(self) -> Any:
        return Toss(self._draws)

    def choice(self, seq: Any) -> Any:
        """One of several; those that nothing tells apart are drawn as one."""
        alike: dict[Hashable, tuple[Any, int]] = {}
        for one in seq:
            key = getattr(one, "confidence", one)
            alike[key] = (one, alike.get(key, (one, 0))[1] + 1)
        return self._draws.choose([(Fraction(n, len(seq)), one) for one, n in alike.values()])

    def choices(self, population: Any, weights: Any = None, **_: Any) -> list[Any]:
        return [
            self._draws.choose([(exact(w), x) for x, w in zip(population, weights, strict=True)])
        ]

    def gauss(self, mu: float = 0.0, sigma: float = 1.0) -> float:
        return mu  # times are certain (see `load`), so that no deviation counts

    def uniform(self, a: float, b: float) -> float:
        raise AssertionError("the generators make no waits between attempts")


@functools.cache
def exact(share: float) -> Fraction:
    """The decimal, or the ratio of two counts, that a float stands for. The same few are asked for
    by every run, and finding one took a sixth of the time of all runs.
    """
    return Fraction(share).limit_denominator(10**9)


@dataclass(frozen=True, slots=True)
class Played:
    """What one run came to, and took."""

    chance: Fraction
    outcome: str
    cost: float
    tokens: float
    seconds: float
    reason: str = ""
    wrong_effect: bool = False


@dataclass
class Attempts:
    """The prices of a simulation: of any attempt so many dollars and tokens, by its tier. It
    reserves `most`, or what it costs.
    """

    price: Callable[[p.Link, str], tuple[float, float]]
    made: Counter[str] = field(default_factory=Counter)
    most: Callable[[p.Link, str, bool], tuple[Decimal, int]] | None = None

    def attempt(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, drawn: DrawnPrompt
    ) -> tuple[float, float]:
        return self.price(link, tier)

    def reserved(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, again: bool
    ) -> tuple[Decimal, int]:
        if self.most is not None:
            return self.most(link, tier, again)
        dollars, tokens = self.price(link, tier)
        return Decimal(repr(dollars)), math.ceil(tokens)

    def child(self, action: p.RunPipeline) -> Attempts:
        return self


def output_price(loaded: LoadedProgram, tokens: int | None = None) -> Attempts:
    """The price of the output alone, which is all that the generators let cost something: of so
    many tokens, or of as many as are declared of an answer. Where none are, it is the longest.
    """
    tiers = loaded.program.tiers

    def price(link: p.Link, tier: str) -> tuple[float, float]:
        size: float | None = tokens
        if size is None and link.output_mean is None:
            assert isinstance(link.action, p.AskTier | p.Cascade | p.Agent)
            size = output_limit(link, link.action.answers)
        return float(tiers[tier].prices["out"]) * float(size or link.output_mean or 0) / 1e6, 0.0

    return Attempts(price)


def load(path: Path) -> LoadedProgram:
    """A program whose times are certain."""
    loaded = pipelang.load(path, allow=RULES)
    made = loaded.program
    spreads = [x.latency for x in (*made.tiers.values(), *made.tools.values())]
    spreads += [role.responds for role in made.roles.values()]
    assert all(spread is None or spread.p95 == spread.median for spread in spreads)
    return loaded


def every_run(
    loaded: LoadedProgram,
    name: str,
    limit: int,
    spending: Spending | None = None,
    people: bool = False,
    budget: bool = False,
    begun: Callable[[], None] = lambda: None,
) -> list[Played]:
    """All runs of a pipeline, within its `budget` or without. `begun` is told of each. Raises
    `TooManyRunsError` where there are more than `limit`, as soon as so many are known to exist: to
    play them first took four fifths of the time, and what they came to was thrown away.
    """
    rehearsal, draws = Rehearsal(loaded, loaded.program.pipelines[name]), BroadDraws()
    source = EveryDraw(draws)
    spending = spending or output_price(loaded)
    found: dict[tuple[int, ...], Played] = {}
    more = True
    while more:
        draws.restart()
        begun()
        world, result = rehearsal.run(source, spending, people, budget)
        found[draws.way] = Played(
            draws.weight,
            outcome(world, result),
            world.cost,
            world.tokens,
            world.loop.now,
            result.reason if isinstance(result, Escalated) else "",
            world.wrong_effect,
        )
        if len(found) + draws.known > limit:
            raise TooManyRunsError(f"more than {limit} runs")
        more = draws.advance()
    runs = [found[way] for way in sorted(found)]
    assert sum(one.chance for one in runs) == 1
    return runs


def mean(runs: Sequence[Played], read: Callable[[Played], float]) -> float:
    return float(sum(one.chance * Fraction(read(one)) for one in runs))


def share_of(runs: Sequence[Played], wanted: Callable[[Played], bool]) -> float:
    return float(sum(one.chance for one in runs if wanted(one)))


def share(runs: Sequence[Played], kind: str) -> float:
    return share_of(runs, lambda one: one.outcome == kind)


# ---------------------------------------------------------------------------------- the text

LATENCY = re.compile(r"latency (\d+)ms median, \d+s p95")
RESPONDS = re.compile(r"responds (\w+) median, \w+ p95")


def timed(text: str) -> str:
    """The text with times that are certain, one of its own for each tier and tool."""
    number = count(1)
    text = LATENCY.sub(lambda m: (ms := f"{int(m[1]) + 37 * next(number)}ms") and
                       f"latency {ms} median, {ms} p95", text)  # fmt: skip
    return RESPONDS.sub(r"responds \1 median, \1 p95", text)


CACHE = re.compile(r" cache 1h by .*? hits [\d.]+%")


def uncached(text: str) -> str:
    """The text without caches, whose hits the simulation draws until one fits."""
    return CACHE.sub("", text)
