"""The simulated year of ticket routing: what is found when, and what it is worth."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

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
    """Looked at every third night. Each of the three changes alerts once, soon after it; nothing
    alerts before the first. The labels that an alert leads to make `check` say what people see.
    """
    looped = module.year(with_loop=True, nights=3)
    alone = module.year(with_loop=False)
    assert [metric for _, metric in looped.alerts] == [
        "accuracy(kind)",
        "latency.p95",
        "escalation",
    ]
    days = [day for day, _ in looped.alerts]
    assert module.DEGRADES < days[0] <= module.DEGRADES + 24
    assert module.SLOWS <= days[1] <= module.SLOWS + 4
    assert module.SHIFTS < days[2] <= module.SHIFTS + 24
    assert sum(looped.unnoticed) < 0.35 * sum(alone.unnoticed)
    assert sum(looped.slow) < 0.35 * sum(alone.slow)
    assert module.predicted(module.FILE)[3] < 0.03
    assert 0.12 < module.checked_again(looped.evidence) < 0.25
    root = ElementTree.fromstring(module.picture(looped, alone))
    words = "".join(root.itertext())
    assert "alert: accuracy(kind)" in words
    assert "without (dashed)" in words
