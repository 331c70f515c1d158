"""Runs in the two orders of `Draws` are the same runs, and what is known to come does come."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest

from .draws import BroadDraws, Draws


def play(draws: Draws, seed: int) -> tuple[int, ...]:
    """A run in which what may follow depends on all that was drawn before."""
    drawn: list[int] = []
    while True:
        rng = random.Random(f"{seed} {drawn}")
        if len(drawn) > 5 or rng.random() < 0.2 * len(drawn):
            return tuple(drawn)
        shares = [rng.randrange(4) for _ in range(rng.randrange(1, 5))]
        shares[rng.randrange(len(shares))] += 1
        total = sum(shares)
        drawn.append(draws.choose([(Fraction(x, total), at) for at, x in enumerate(shares)]))


def runs(draws: Draws, seed: int) -> dict[tuple[int, ...], Fraction]:
    found: dict[tuple[int, ...], Fraction] = {}
    known = []
    more = True
    while more:
        draws.restart()
        run = play(draws, seed)
        assert run not in found
        found[run] = draws.weight
        if isinstance(draws, BroadDraws):
            known.append(len(found) + draws.known)
        more = draws.advance()
    assert known == sorted(known)
    assert not known or known[-1] == len(found)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_both_orders_have_the_same_runs(seed: int) -> None:
    broad = BroadDraws()
    deep, wide = runs(Draws(), seed), runs(broad, seed)
    assert sum(deep.values()) == 1
    assert wide == deep


def test_many_runs_are_known_after_few() -> None:
    def run(draws: BroadDraws) -> None:
        for _ in range(20):
            draws.flip(Fraction(1, 3))

    draws, played = BroadDraws(), 0
    more = True
    while more and played + draws.known <= 1_000:
        draws.restart()
        run(draws)
        played += 1
        more = draws.advance()
    assert more
    assert played < 200


def test_ways_are_in_the_order_of_depth_first() -> None:
    def ways(draws: Draws) -> list[tuple[int, ...]]:
        found, more = [], True
        while more:
            draws.restart()
            play(draws, 3)
            found.append(draws.way)
            more = draws.advance()
        return found

    deep, wide = ways(Draws()), ways(BroadDraws())
    assert len(deep) > 10
    assert sorted(wide) == deep != wide
