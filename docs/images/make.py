"""The pictures of the documentation: what the real commands print, as SVG.

Run by `make pictures`. Each picture is one command, run here with colours on, or a picture itself.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PICTURES = {
    "check.svg": (["check", "examples/support/support.pipe"], 50),
    "run.svg": (
        [
            *("run", "examples/support/support.pipe", "handle_ticket"),
            *("--input", "@examples/support/data/tickets.jsonl", "--line", "24"),
        ],
        28,
    ),
}


def main() -> None:
    for name, (arguments, lines) in PICTURES.items():
        environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": "100"}
        done = subprocess.run(
            [sys.executable, "-m", "pipelang", *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        shown = "\n".join(done.stdout.splitlines()[:lines])
        console = Console(width=102, record=True, file=io.StringIO(), force_terminal=True)
        console.print(Text.from_ansi(shown))
        title = "pipelang " + " ".join(arguments)
        svg = console.export_svg(title=title if len(title) < 80 else title[:77] + "...")
        (HERE / name).write_text(svg, encoding="utf-8")
        print(f"{name}: {lines} lines of `{title}`")
    graph = ["graph", "examples/support/support.pipe", "handle_ticket", "--format", "svg"]
    picture = ["-o", str(HERE / "graph.svg")]
    subprocess.run([sys.executable, "-m", "pipelang", *graph, *picture], cwd=ROOT, check=True)
    print(f"graph.svg: `pipelang {' '.join(graph)}`")
    year = ["examples/ticket_routing/year.py", "--picture", str(HERE / "year.svg")]
    subprocess.run([sys.executable, *year], cwd=ROOT, check=True)
    print(f"year.svg: `python {year[0]}`")


if __name__ == "__main__":
    main()
