"""`python -m tests.property.crashes --cuts 10000`: so many cuts of generated pipelines."""

from __future__ import annotations

import argparse
import sys
import time

from .cutting import generated


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.property.crashes", description=__doc__)
    parser.add_argument("--cuts", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="number of the first pipeline")
    given = parser.parse_args()
    started, cuts, seed, found = time.process_time(), 0, given.first, 0
    while cuts < given.cuts:
        made, wrong = generated(seed)
        cuts += made
        found += len(wrong)
        for one in wrong[:3]:
            print(f"pipeline {seed}: {one}", flush=True)
        seed += 1
    took = time.process_time() - started
    print(f"{seed - given.first} pipelines, {cuts} cuts, {took:.0f} s of CPU, {found} found")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
