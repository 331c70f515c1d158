"""The work from text to program, counted: so many calls of functions a step, and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import sources
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build
from pipelang.syntax import parse
from tests.work import calls


def work_of(steps: int, own: bool, folder: Path) -> int:
    graph = sources.series_parallel(steps)
    text = sources.with_own_rates(graph) if own else sources.as_pipe(graph)
    path = folder / f"{steps}.pipe"
    path.write_text(text, encoding="utf-8")
    assert build(str(path), DiskLoader()).program is not None  # what is made once is made here
    parse._parse_once.cache_clear()  # the tree of a short file is kept
    return calls(lambda: build(str(path), DiskLoader()))


@pytest.mark.parametrize(
    ("own", "most"),
    [
        pytest.param(False, 260, id="steps that share two tools"),
        pytest.param(True, 490, id="a tool with rates and a cost for each step"),
    ],
)
def test_calls_a_step(own: bool, most: int, tmp_path: Path) -> None:
    """478 and 1,214 they were, while the automaton took each item and a loop each
    token; of that 289 and 641 beside the parser, while options were found by `isinstance`
    and every token passed a generator on its way to the hash.
    """
    small, large = work_of(600, own, tmp_path), work_of(1400, own, tmp_path)
    assert (large - small) / 800 <= most
