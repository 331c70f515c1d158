"""`python -m tests.fuzz --files 100000 --checked 20000`: mutate, run, keep what finds something."""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from .mutate import mutated
from .run import timed
from .seeds import CASES, seeds

BATCH = 250


def one(number: int, every: int) -> tuple[str, str, str] | None:
    """None if all went well, else where it happened, the traceback and the text."""
    path, text = mutated(number)
    try:
        timed(path, text, deep=bool(every) and number % every == 0)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        ours = [frame for frame in frames if f"{os.sep}pipelang{os.sep}" in frame.filename]
        place = f"{ours[-1].filename}:{ours[-1].lineno}" if ours else "tests"
        return f"{type(error).__name__} at {place}", traceback.format_exc(), f"{path}\0{text}"
    return None


def batch(numbers: range, every: int) -> list[tuple[int, tuple[str, str, str]]]:
    results = ((number, one(number, every)) for number in numbers)
    return [(number, result) for number, result in results if result is not None]


def keep(place: str, path: str, text: str) -> str:
    """A text that found something, as a case that is replayed from now on."""
    name = hashlib.sha256(place.encode()).hexdigest()[:12]
    CASES.mkdir(exist_ok=True)
    file = CASES / f"{name}.pipe"
    file.write_bytes(text.encode("utf-8", "surrogatepass"))
    return file.name


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--checked", type=int, default=2_000, help="so many go through check")
    parser.add_argument("--first", type=int, default=0, help="number of the first file")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    given = parser.parse_args()
    every = max(1, given.files // given.checked) if given.checked else 0
    starts = range(given.first, given.first + given.files, BATCH)
    last = given.first + given.files
    ranges = [range(start, min(start + BATCH, last)) for start in starts]
    found: Counter[str] = Counter()
    with ProcessPoolExecutor(given.jobs) as pool:
        for results in pool.map(partial(batch, every=every), ranges):
            for number, (place, trace, file) in results:
                if place not in found:
                    path, _, text = file.partition("\0")
                    kept = keep(place, path, text)
                    print(f"\n--- file {number} (from {path}), kept as {kept}\n{trace}")
                found[place] += 1
    deep = len([n for n in range(given.first, last) if every and n % every == 0])
    print(f"{given.files} files from {len(seeds())} seeds parsed and formatted, {deep} checked")
    for place, count in found.most_common():
        print(f"{count:6} {place}")
    print("nothing found" if not found else f"{len(found)} places")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
