"""Rows of steps that are made when they are read are those that would be written down."""

from __future__ import annotations

import pytest

from benchmarks.sources import series_parallel, with_own_rates
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.metrics.metrics import Figures
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from tests.memory import MemoryLoader


def analysed(steps: int) -> Analysis:
    found = build("m.pipe", MemoryLoader({"m.pipe": with_own_rates(series_parallel(steps))}))
    assert found.program is not None, found.diagnostics
    return analyse(found.program, found.program.pipelines["main"])


@pytest.mark.parametrize("steps", [30, 130, 600])  # by terms, by moves, with slopes at once
def test_rows_are_the_same_written_down(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):  # what comes often is compiled, which may move a last bit
        analysed(steps)
    made = analysed(steps).steps
    monkeypatch.setattr(Figures, "is_certain", property(lambda self: False))
    written = analysed(steps).steps
    assert isinstance(written, tuple)
    assert not isinstance(made, tuple)
    assert len(made) == len(written) >= steps
    assert [*made] == [*written] == [made[at] for at in range(len(made))]
    assert made[-1] == written[-1]
    assert [*made[2:9:3]] == [*written[2:9:3]]
    assert made == written
    assert made != written[1:]


def test_rows_stand_in_writing_order() -> None:
    found = analysed(130)
    items = found.pipeline.block.items
    assert [row.name for row in found.steps] == [one.name for one in items if type(one) is p.Step]
