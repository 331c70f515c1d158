"""`python dbos_durable.py URL STEPS RUNS`: workflows of DBOS from a queue, with a step per step."""

from __future__ import annotations

import os
import sqlite3
import sys

from dbos import DBOS


def main() -> None:
    url, steps, runs = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    if url.startswith("sqlite"):  # as ours
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
    DBOS(
        config={
            "name": "bench",
            "system_database_url": url,
            "log_level": "CRITICAL",
            "run_admin_server": False,
        }
    )

    @DBOS.step()
    async def put(x: str) -> str:
        return x

    @DBOS.workflow()
    async def acts(x: str) -> str:
        for _ in range(steps):
            x = await put(x)
        return x

    DBOS.launch()
    DBOS.register_queue("bench", worker_concurrency=10, polling_interval_sec=0.25)
    handles = [DBOS.enqueue_workflow("bench", acts, str(n)) for n in range(runs)]
    for handle in handles:
        handle.get_result()
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
