"""What is mutated: every program of the repository, and the files that it reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from tests.memory import MemoryLoader, libraries
from tests.suite.chunks import MAIN, SUITE, all_chunks

REPO = Path(__file__).resolve().parents[2]
CASES = Path(__file__).resolve().parent / "cases"
_FENCE = re.compile(r"^```pipe\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_READ = ("*.jsonl", "*.j2", "*.json")


@cache
def seeds() -> tuple[tuple[str, str], ...]:
    """Paths and texts: examples, the standard library, fences of documents, cases of the suite."""
    files = {
        path.relative_to(REPO).as_posix(): path.read_text("utf-8")
        for folder in ("examples", "tests/data", "tests/unit/syntax/format")
        for path in sorted((REPO / folder).rglob("*.pipe"))
    }
    fences = {
        f"{path.relative_to(REPO).as_posix()}.{number}.pipe": text
        for path in sorted([REPO / "README.md", *(REPO / "docs").rglob("*.md")])
        for number, text in enumerate(_FENCE.findall(path.read_text("utf-8")))
    }
    return tuple({**files, **libraries(), **fences, **suite()}.items())


def suite() -> dict[str, str]:
    """The cases of the conformance suite, beside the file that they share."""
    folder = SUITE.relative_to(REPO).as_posix()
    shared = {f"{folder}/world.pipe": (SUITE / "world.pipe").read_text("utf-8")}
    cases = {f"{folder}/{chunk.id.replace('/', '.')}.pipe": chunk for chunk in all_chunks()}
    return {**shared, **{path: chunk.files[MAIN] for path, chunk in cases.items()}}


@cache
def beside() -> Mapping[str, str]:
    """The files that programs read: prompts, evidence."""
    return {
        path.relative_to(REPO).as_posix(): path.read_text("utf-8")
        for folder in ("examples", "tests/data")
        for pattern in _READ
        for path in (REPO / folder).rglob(pattern)
        if path.stat().st_size < 200_000
    }


def loader(path: str, text: str) -> MemoryLoader:
    """One file, mutated, among all the others as they are."""
    return MemoryLoader({**dict(seeds()), **beside(), path: text})
