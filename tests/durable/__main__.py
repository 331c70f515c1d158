"""`python -m tests.durable --minutes 60`: workers are killed, stopped and cut off at random.

A seed that found something finds the same programs and faults again, though not the same moments.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from secrets import randbits

from .chaos import RUNS, place_of
from .postgres import Server, programs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durable", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=randbits(32))
    parser.add_argument("--on", choices=["sqlite", "postgresql"], help="Only this kind of store.")
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    end = time.monotonic() + 60 * given.minutes
    server = Server.new() if programs() is not None and given.on != "sqlite" else None
    if server is None and given.on != "sqlite":
        print("no PostgreSQL can be started on this machine: only SQLite is tested")
    total: Counter[str] = Counter()
    try:
        while time.monotonic() < end:
            luck = random.Random(f"{given.seed} {total['rounds']}")
            on = luck.choice(("sqlite", "postgresql", "postgresql"))
            on = given.on or (on if server is not None else "sqlite")
            with place_of(on, server, luck) as chaos:
                wrong = chaos.round()
            total.update(rounds=1, runs=RUNS + 1, kills=chaos.harness.kills, found=len(wrong))
            total.update(chaos.done)
            for one in wrong:
                print(f"round {total['rounds']} on {on}: {one}", flush=True)
    finally:
        if server is not None:
            server.close()
    print(", ".join(f"{count} {what}" for what, count in total.items()))
    return 1 if total["found"] else 0


if __name__ == "__main__":
    sys.exit(main())
