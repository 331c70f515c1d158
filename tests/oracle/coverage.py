"""What share of the generated programs has which construct.

`python -m tests.oracle.coverage 1000` prints it; with `--fates` also how many of them brute force
can be compared with: some have too many runs, and some come to a place that it can't play.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable

from . import model as m
from .chosen_seeds import MOST_RUNS_WIDE
from .constructs import constructs
from .constructs_wide import wide_constructs
from .enumerate_runs import TooManyRunsError, enumerate_runs
from .generate import generate
from .generate_wide import generate_wide
from .values import OpenReadingError


def counted(
    programs: Iterable[m.Program], named: Callable[[m.Program], frozenset[str]]
) -> Counter[str]:
    found: Counter[str] = Counter()
    for program in programs:
        found.update(named(program))
    return found


def fate(program: m.Program) -> str:
    try:
        enumerate_runs(program, limit=MOST_RUNS_WIDE)
    except TooManyRunsError:
        return "too many runs"
    except OpenReadingError as error:
        return f"open: {error}"
    return "compared"


def show(title: str, found: Counter[str], number: int) -> None:
    print(f"\n{title}")
    for name, times in found.most_common():
        print(f"{times / number:6.1%}  {name}")


def main() -> None:
    numbers = [int(word) for word in sys.argv[1:] if word.isdecimal()]
    number = numbers[0] if numbers else 500
    wide = [generate_wide(seed) for seed in range(number)]
    show(f"constructs of generate_wide, {number} programs", counted(wide, wide_constructs), number)
    narrow = (generate(seed) for seed in range(number))
    show(f"constructs of generate, {number} programs", counted(narrow, constructs), number)
    if "--fates" in sys.argv:
        fates = Counter(fate(program) for program in wide)
        show(f"generate_wide, {number} programs", fates, number)


if __name__ == "__main__":
    main()
