"""`python -m tests.property.programs --programs 100`: every mistake of so many programs."""

from __future__ import annotations

import argparse
import sys
import time
import traceback
from collections import Counter

from .breaking import mistakes
from .generate import program
from .judging import errors, missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.property.programs", description=__doc__)
    parser.add_argument("--programs", type=int, default=20)
    parser.add_argument("--first", type=int, default=0, help="number of the first program")
    parser.add_argument("--every", type=int, default=1, help="only each so-many-th mistake")
    parser.add_argument("--show", type=int, help="print this program, and stop")
    given = parser.parse_args()
    if given.show is not None:
        print(program(given.show).text)
        return 0
    tried: Counter[str] = Counter()
    found: Counter[str] = Counter()
    started = time.process_time()
    for seed in range(given.first, given.first + given.programs):
        whole = program(seed)
        problems = [
            ("accepted", f"line {line}: {code} {said}") for line, code, said in _told(whole)
        ]
        for number, mistake in enumerate(mistakes(whole)):
            if number % given.every == seed % given.every:
                tried[mistake.kind] += 1
                problem = _tried(whole, mistake)
                problems += [(mistake.kind, problem)] if problem else []
        for kind, problem in problems:
            found[kind] += 1
            if found[kind] <= 3:
                print(f"--- program {seed}, {kind}\n{problem}\n", flush=True)
    took = time.process_time() - started
    print(
        f"{given.programs} programs, {tried.total()} mistakes of {len(tried)} kinds, {took:.0f} s"
    )
    for kind, count in found.most_common():
        print(f"{count:6} {kind}")
    print("nothing found" if not found else f"{found.total()} found")
    return 1 if found else 0


def _told(whole) -> list[tuple[int, str, str]]:
    try:
        return errors(whole, whole.text)
    except Exception:
        return [(0, "raised", traceback.format_exc())]


def _tried(whole, mistake) -> str | None:
    try:
        return missed(whole, mistake)
    except Exception:
        return f"{mistake.text}\n{traceback.format_exc()}"


if __name__ == "__main__":
    sys.exit(main())
