"""An example that is run over all its data, without waiting between attempts.

    python -m tests.examples.at_once NAME     # as `examples/run_example.py NAME`

Recorded answers fail where the models did, and a run then waits as long as it did then. Here the
clock goes on by what would be waited, so that budgets of time pass as they would.
"""

from __future__ import annotations

import runpy
import sys
import time
from pathlib import Path
from typing import Any

from pipelang.runtime.worlds.real import cancellation, tool_calls, world

RUNNER = Path(__file__).resolve().parents[2] / "examples" / "run_example.py"


def main() -> None:
    """Run the examples that are named."""
    ahead = 0.0
    clock, wait = time.monotonic, cancellation.pause

    async def pause(switches: Any, run: Any, seconds: float, tool: str | None = None) -> None:
        nonlocal ahead
        ahead += max(seconds, 0.0)
        # A little is waited all the same: whoever switches a tool off is heard.
        await wait(switches, run, min(seconds, 0.001), tool)

    time.monotonic = lambda: clock() + ahead
    world.pause = tool_calls.pause = pause
    sys.argv[0] = str(RUNNER)
    # The script's own folder comes first, as where it is started by its path.
    sys.path.insert(0, str(RUNNER.parent))
    runpy.run_path(str(RUNNER), run_name="__main__")


if __name__ == "__main__":
    main()
