"""`python -m tests.durable.mortal N SIDE LEASE ...`: `pipelang ...` in a process that kills itself
with SIGKILL before or after its Nth row (0 for never), and whose leases last so many seconds.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from pipelang.runtime.durable import leases, listing, worker
from pipelang.runtime.durable.legs import Legs


def main() -> int:
    at, side, lease = int(sys.argv[1]), sys.argv[2], float(sys.argv[3])
    leases.LEASE = listing.LEASE = lease
    leases.BEAT = worker.BEAT = lease / 4
    worker.LEASE = lease
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


if __name__ == "__main__":
    sys.exit(main())
