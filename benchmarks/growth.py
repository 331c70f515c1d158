"""`python -m benchmarks.growth`: processor time and peak memory of analyses that could grow fast.

Prints the table of docs/limits.md. Every row is a process of its own, with its imports.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time

from benchmarks.growing import SHAPES

ROWS = {
    "counted": ("counted figures side by side in a region", (8, 16, 33, 66)),
    "chain": ("steps in a row, without a gate", (50, 100, 200)),
    "doubled": ("`let`s that mention the one before twice", (6, 11)),
    "redone": ("steps behind a redo over an undeclared input", (3, 6, 12)),
    "window": ("steps with ancestors within 14", (200, 500, 2000)),
    "gates": ("gates whose catches nobody declared", (15, 16, 32, 64)),
    "templated": ("elements of a list in a template", (500, 2000)),
}


def main(arguments: list[str]) -> int:
    """Print the table; with a shape and a size, measure just that in this process."""
    if arguments:
        return _one(arguments[0], int(arguments[1]))
    print("| shape | size | processor time | peak memory |")
    print("|---|---|---|---|")
    for shape, (words, sizes) in ROWS.items():
        for size in sizes:
            command = [sys.executable, "-m", "benchmarks.growth", shape, str(size)]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            seconds, megabytes = done.stdout.split() if done.returncode == 0 else ("failed", "")
            print(f"| {words} | {size:,} | {seconds} s | {megabytes} MB |", flush=True)
    return 0


def _one(shape: str, size: int) -> int:
    from pipelang.analysis.metrics.analyse import analyse
    from pipelang.semantics.build import build
    from tests.memory import MemoryLoader

    built = build("growth.pipe", MemoryLoader({"growth.pipe": SHAPES[shape](size)}))
    if built.program is None:
        return 1
    analyse(built.program, built.program.pipelines["main"])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{time.process_time():.2f} {peak:.0f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
