"""`python -m tests.durable --minutes 60`: workers are killed, stopped and cut off at random."""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from secrets import randbits, token_hex

from .harness import Harness
from .postgres import Server, programs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durable", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--seed", type=int, default=randbits(32))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    luck = random.Random(given.seed)
    end = time.monotonic() + 60 * given.minutes
    server = Server.new() if programs() is not None else None
    if server is None:
        print("no PostgreSQL can be started on this machine: only SQLite is tested")
    found = rounds = runs = kills = 0
    try:
        while time.monotonic() < end:
            on_postgres = server is not None and luck.random() < 0.6
            with tempfile.TemporaryDirectory() as folder:
                name = f"sqlite:///{folder}/runs.db"
                if on_postgres and server is not None:
                    name = server.database(f"c{token_hex(6)}")
                harness = Harness(name, Path(folder))
                try:
                    wrong = chaos(harness, luck, server if on_postgres else None)
                finally:
                    harness.close()
            rounds, found, kills = rounds + 1, found + len(wrong), kills + harness.kills
            runs += 30
            for one in wrong:
                print(f"round {rounds} on {name.partition(':')[0]}: {one}", flush=True)
    finally:
        if server is not None:
            server.close()
    print(f"{rounds} rounds, {runs} runs, {kills} kills: {found} found")
    return 1 if found else 0


def chaos(harness: Harness, luck: random.Random, server: Server | None) -> list[str]:
    """One round: 30 runs, workers that come and go, and what is wrong afterwards."""
    runs = harness.submit(30)
    many = [harness.worker() for _ in range(luck.choice((2, 4)))]
    for _ in range(luck.randint(2, 5)):
        time.sleep(luck.random() * 4)
        match luck.choice(("kill", "kill", "row", "stop", "database")):
            case "kill":
                harness.kill(many.pop(luck.randrange(len(many))))
                many.append(harness.worker())
            case "row":
                harness.worker(luck.randint(1, 30), luck.choice(("before", "after")))
            case "stop":
                one = luck.choice(many)
                one.send_signal(signal.SIGSTOP)
                time.sleep(4)
                one.send_signal(signal.SIGCONT)
            case _:
                if server is not None:
                    server.stop()
                    time.sleep(luck.random() * 3)
                    server.start()
    return harness.problems(harness.wait(runs, 180))


if __name__ == "__main__":
    sys.exit(main())
