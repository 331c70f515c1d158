"""The simulated year of ticket routing: what is found when, and what it is worth."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from .readme_figures import year_of_mails

REPO = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def module() -> ModuleType:
    path = REPO / "examples" / "ticket_routing" / "year.py"
    spec = importlib.util.spec_from_file_location("ticket_year", path)
    assert spec is not None
    assert spec.loader is not None
    made = importlib.util.module_from_spec(spec)
    sys.modules["ticket_year"] = made
    spec.loader.exec_module(made)
    return made


def test_each_cause_is_found_once_and_nothing_else_is_told(module: ModuleType) -> None:
    """Looked at every night. Each of the three changes alerts soon after it, the model's by
    its labels and by what the desk stops; nothing else alerts. The labels that an alert leads to
    make `check` say what people see.
    """
    looped = module.year(with_loop=True)
    alone = module.year(with_loop=False)
    found = {
        (module.cause_of(metric, changed), metric): day for day, metric, changed in looped.alerts
    }
    assert len(found) == len(looped.alerts)
    degrades = found.pop((module.MODEL, "accuracy(sorted)"))
    assert module.DEGRADES < degrades <= module.DEGRADES + 24
    stopped = found.pop((module.MODEL, "escalation"), degrades)
    assert module.DEGRADES < stopped <= degrades + module.REPAIRS[module.MODEL]
    assert module.SLOWS <= found.pop((module.PROVIDER, "latency.p95")) <= module.SLOWS + 12
    assert module.SHIFTS < found.pop((module.MIX, "escalation")) <= module.SHIFTS + 24
    assert not found
    assert sum(looped.unnoticed) < 0.6 * sum(alone.unnoticed)
    assert sum(looped.slow) < 0.35 * sum(alone.slow)
    before = module.world_of(module.evidence_rows())[2]
    after = module.checked_again(looped.evidence)
    assert before < 0.03
    assert 0.04 < after < 0.09
    began = {
        module.MODEL: module.DEGRADES,
        module.PROVIDER: module.SLOWS,
        module.MIX: module.SHIFTS,
    }
    days = {
        metric: day + 1 - began[module.cause_of(metric, changed)]
        for day, metric, changed in looped.alerts
    }
    assert stopped - degrades == 9
    unnoticed = sum(looped.unnoticed), sum(alone.unnoticed)
    wanted = year_of_mails(days, before, after, unnoticed, sum(looped.runs))
    page = " ".join((REPO / "docs" / "operating.md").read_text("utf-8").split())
    assert [one for one in wanted if one not in page] == []
    root = ElementTree.fromstring(module.picture(looped, alone))
    words = "".join(root.itertext())
    assert "alert: accuracy(sorted)" in words
    assert "without (dashed)" in words
