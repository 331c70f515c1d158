"""What the decider says of conditions against what the interpreter says, over many inputs.

`python -m tests.property.claims expressions 0 2600` judges 100,000 conditions.
"""

from __future__ import annotations

import pytest

from .expressions import wrong
from .planted import OF_EXPRESSIONS, Plant

SEEDS = range(20)
FOUND_WITHIN = 24


@pytest.mark.parametrize("first", SEEDS[::5])
def test_nothing_that_happens_is_called_impossible(first: int) -> None:
    found = [(seed, said) for seed in range(first, first + 5) for said in wrong(seed)]
    assert not found


@pytest.mark.parametrize("plant", OF_EXPRESSIONS)
def test_a_fault_put_back_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert any(any(wrong(seed)) for seed in range(FOUND_WITHIN)), plant.__doc__
