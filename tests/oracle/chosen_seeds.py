"""The seeds that `make test` tries of the main oracle: few, and no two constructs are left apart.

Most faults lie where two constructs meet. Of the programs of the first seeds those are chosen, the
cheapest first, in which every two constructs that stand together in one of them do so a few times.
`python -m tests.oracle.chosen_seeds` chooses again, after a change of the generator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import combinations

from .constructs import constructs
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate import generate

AMONG = 600
TIMES = 3
MOST_RUNS = 5_000  # about half a second; some 3% of the seeds have more and are left out
ANALYSIS = 90
"""Runs that take as long to enumerate as a report does to be worked out, about."""

# fmt: off
CHOSEN = (
    0, 5, 8, 11, 16, 42, 44, 47, 48, 56, 58, 59, 63, 69, 77, 81, 83, 91, 92, 99, 105, 108, 112,
    114, 117, 120, 124, 125, 136, 142, 149, 155, 156, 157, 159, 160, 167, 171, 172, 174, 175,
    178, 182, 189, 191, 195, 196, 208, 209, 218, 225, 229, 232, 235, 237, 238, 250, 264, 266,
    272, 276, 278, 279, 286, 288, 290, 291, 299, 309, 310, 315, 319, 325, 328, 329, 335, 346,
    348, 349, 350, 354, 358, 359, 375, 384, 389, 398, 402, 405, 408, 409, 410, 418, 419, 422,
    425, 428, 436, 443, 444, 448, 449, 459, 461, 464, 468, 470, 473, 477, 478, 480, 484, 490,
    496, 498, 504, 508, 509, 519, 524, 525, 529, 530, 538, 539, 540, 546, 576, 588, 598,
)
# fmt: on

Pair = tuple[str, str]


def pairs(seed: int) -> frozenset[Pair]:
    """The constructs that stand together in a program, two by two."""
    return frozenset(combinations(sorted(constructs(generate(seed))), 2))


def choose(costs: Mapping[int, int]) -> list[int]:
    """The seeds to try of some with their costs: by most that is new for the cost, and then
    without those that others made needless.
    """
    of = {seed: pairs(seed) for seed in costs}
    there = Counter(pair for found in of.values() for pair in found)
    missing = {pair: min(TIMES, times) for pair, times in there.items()}
    left, chosen = set(costs), []
    while any(missing.values()):
        new = {seed: sum(missing[pair] > 0 for pair in of[seed]) for seed in left}
        best = max(left, key=lambda seed: (new[seed] / costs[seed], -seed))
        left.remove(best)
        chosen.append(best)
        for pair in of[best]:
            missing[pair] = max(0, missing[pair] - 1)
    tried = Counter(pair for seed in chosen for pair in of[seed])
    for seed in sorted(chosen, key=lambda seed: costs[seed], reverse=True):
        if all(tried[pair] > min(TIMES, there[pair]) for pair in of[seed]):
            chosen.remove(seed)
            tried.subtract(of[seed])
    return sorted(chosen)


def main() -> None:
    costs = {}
    for seed in range(AMONG):
        try:
            costs[seed] = ANALYSIS + enumerate_runs(generate(seed), limit=MOST_RUNS).runs
        except TooManyRunsError:
            continue
    print(*choose(costs), sep=", ")


if __name__ == "__main__":
    main()
