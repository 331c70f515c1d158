"""The seeds that `make test` tries of the main oracles: few, and no two constructs are left apart.

Most faults lie where two constructs meet. Of the programs of the first seeds those are chosen, the
cheapest first, in which every two constructs that stand together in one of them do so a few times.
Of those with all constructs, which have thousands of pairs, a pair is wanted that stands in
`LEAST_WIDE` of them. `python -m tests.oracle.chosen_seeds` chooses again, after a change of a
generator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import combinations

from .constructs import constructs
from .constructs_wide import wide_constructs
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate import generate
from .generate_wide import generate_wide
from .values import OpenReadingError

AMONG, AMONG_WIDE = 600, 240
TIMES, TIMES_WIDE = 3, 2
LEAST_WIDE = 5
MOST_RUNS, MOST_RUNS_WIDE = 5_000, 3_000  # about half a second; what has more is left out
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

CHOSEN_WIDE = (
    4, 8, 17, 18, 19, 22, 26, 27, 29, 30, 32, 33, 35, 37, 38, 39, 43, 45, 46, 47, 49, 51, 52,
    57, 59, 62, 67, 68, 72, 80, 83, 86, 87, 93, 94, 102, 104, 106, 110, 111, 113, 126, 129, 132,
    133, 137, 141, 142, 147, 148, 151, 159, 163, 165, 166, 167, 168, 174, 179, 182, 185, 187,
    190, 196, 197, 199, 200, 201, 203, 204, 205, 208, 210, 213, 219, 220, 222, 229, 230, 233,
    238,
)
# fmt: on

Pairs = frozenset[tuple[str, str]]


def pairs(seed: int) -> Pairs:
    """The constructs that stand together in a program, two by two."""
    return frozenset(combinations(sorted(constructs(generate(seed))), 2))


def pairs_wide(seed: int) -> Pairs:
    """The same of a program with all constructs."""
    return frozenset(combinations(sorted(wide_constructs(generate_wide(seed))), 2))


def choose(of: Mapping[int, Pairs], costs: Mapping[int, int], times: int, least: int) -> list[int]:
    """The seeds to try of some with their pairs and costs: by most that is new for the cost, and
    then without those that others made needless.
    """
    there = Counter(pair for seed in costs for pair in of[seed])
    wanted = {pair: min(times, n) for pair, n in there.items() if n >= least}
    missing, left, chosen = Counter(wanted), set(costs), []
    while any(missing.values()):
        new = {seed: sum(missing[pair] > 0 for pair in of[seed]) for seed in left}
        best = max(left, key=lambda seed: (new[seed] / costs[seed], -seed))
        left.remove(best)
        chosen.append(best)
        for pair in of[best]:
            missing[pair] = max(0, missing[pair] - 1)
    tried = Counter(pair for seed in chosen for pair in of[seed])
    for seed in sorted(chosen, key=lambda seed: costs[seed], reverse=True):
        if all(tried[pair] > wanted.get(pair, 0) for pair in of[seed]):
            chosen.remove(seed)
            tried.subtract(of[seed])
    return sorted(chosen)


def main() -> None:
    costs, wide = {}, {}
    for seed in range(AMONG):
        try:
            costs[seed] = ANALYSIS + enumerate_runs(generate(seed), limit=MOST_RUNS).runs
        except TooManyRunsError:
            continue
    print(*choose({seed: pairs(seed) for seed in costs}, costs, TIMES, 1), sep=", ")
    for seed in range(AMONG_WIDE):
        try:
            wide[seed] = ANALYSIS + enumerate_runs(generate_wide(seed), limit=MOST_RUNS_WIDE).runs
        except (TooManyRunsError, OpenReadingError):
            continue
    of = {seed: pairs_wide(seed) for seed in wide}
    print(*choose(of, wide, TIMES_WIDE, LEAST_WIDE), sep=", ")


if __name__ == "__main__":
    main()
