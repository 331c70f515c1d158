"""`python -m tests.durable.mortal N SIDE LEASE ...`: `pipelang ...` in a process that kills itself
with SIGKILL before or after its Nth row (0 for never), and whose leases last so many seconds.

With the variable CLOCK its own clock and that of its store are ahead by the seconds in that file.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from pipelang.runtime.durable import leases, listing, worker
from pipelang.runtime.durable.legs import Legs
from pipelang.runtime.durable.store import Store


def main() -> int:
    at, side, lease = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    leases.LEASE = listing.LEASE = lease
    leases.BEAT = worker.BEAT = lease / 4
    worker.LEASE = lease
    if "CLOCK" in os.environ:
        jumping(Path(os.environ["CLOCK"]))
    written, write = 0, Legs.write

    def mortal(self: Legs, *what: Any) -> None:
        nonlocal written
        written += 1
        dies = written == at
        if dies and side == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        write(self, *what)
        if dies:
            os.kill(os.getpid(), signal.SIGKILL)

    Legs.write = mortal  # type: ignore[method-assign]
    from pipelang.interfaces.cli.main import main as pipelang

    sys.argv = ["pipelang", *sys.argv[4:]]
    return pipelang()


def jumping(file: Path) -> None:
    """Have the clocks of this process and of its store be ahead by what a file says."""
    clock, now_on = time.time, Store.now_on

    def ahead() -> float:
        return float(file.read_text(encoding="ascii"))

    def stored(self: Store, connection: sa.Connection) -> float:
        return now_on(self, connection) + ahead()

    time.time = lambda: clock() + ahead()
    Store.now_on = stored  # type: ignore[method-assign]


if __name__ == "__main__":
    sys.exit(main())
