"""The judges over many seeds: `python -m tests.property.claims expressions|structures FROM TO`.

Structures from 10,000,000 on are those of `newer`, with all constructs.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter

from .expressions import conditions, judged
from .newer import program
from .test_structures import judged as judged_pipeline


def main() -> int:
    what, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    seen: Counter[str] = Counter()
    started, found = time.process_time(), 0
    for seed in range(first, last):
        if what == "expressions":
            found_in, texts = conditions(seed)
            seen["conditions"] += len(texts)
            said = list(judged(found_in, texts, random.Random(seed)))
        else:
            claims = judged_pipeline(seed)
            seen["pipelines"] += bool(claims)
            seen.update(verdict for _, verdict, _ in claims)
            seen["broken"] += sum(broken for *_, broken in claims)
            said = [
                f"proved, and broken: {claim}\n{program(seed)}"
                for claim, verdict, broken in claims
                if broken and verdict == "proved"
            ]
        for one in said:
            found += 1
            print(f"--- seed {seed}: {one}", flush=True)
        if seed % 100 == 99 or seed == last - 1:
            print(
                f"{seed}: {dict(seen)}, {found} wrong, {time.process_time() - started:.0f} s",
                flush=True,
            )
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
