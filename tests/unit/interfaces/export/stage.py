"""Programs to export: one with every construct, and any that the oracle makes."""

from __future__ import annotations

import os
from pathlib import Path

from pipelang.semantics import program as p
from pipelang.semantics.build import Built, build

from ....memory import MemoryLoader
from ....oracle.generate import generate
from ....oracle.write_pipe import evidence_text, pipe_text

REPO = Path(__file__).resolve().parents[4]
SUPPORT = REPO / "examples" / "support" / "support.pipe"
EXPECTED = Path(__file__).parent / "expected"

WIDE = (Path(__file__).parent / "wide.pipe").read_text(encoding="utf-8")
"""Every construct that there is."""

NASTY = (Path(__file__).parent / "nasty.pipe").read_text(encoding="utf-8")
"""Names and texts that mean something in mermaid, dot, XML, Python or on a terminal."""

EVIDENCE = (Path(__file__).parent / "rows.jsonl").read_text(encoding="utf-8")


def built(text: str) -> Built:
    return build("e.pipe", MemoryLoader({"e.pipe": text, "rows.jsonl": EVIDENCE}))


def program(text: str) -> p.Program:
    result = built(text)
    assert result.program is not None, [d.message for d in result.diagnostics if d.is_error]
    return result.program


def generated(seed: int) -> p.Program:
    """A random program of the oracle's."""
    made = generate(seed)
    files = {file.path: evidence_text(file) for file in made.files}
    result = build("e.pipe", MemoryLoader({"e.pipe": pipe_text(made), **files})).program
    assert result is not None
    return result


def expect(name: str, found: str) -> None:
    """Compare with what is stored in `expected/`, or (PIPELANG_UPDATE=1) store it."""
    path = EXPECTED / name
    if os.environ.get("PIPELANG_UPDATE"):
        path.write_text(found, encoding="utf-8", newline="\n")
    stored = path.read_text(encoding="utf-8") if path.exists() else ""
    assert found == stored, f"PIPELANG_UPDATE=1 rewrites {path.name}, if the new one is right"
