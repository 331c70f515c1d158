"""Tests of many conditions: gone through one by one, and as exact as if all were drawn together."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelang.analysis.kernels import conditions
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import calls

HEAD = """
role team { }
tool one(x: int) -> int { python "m:f" effect read succeeds 99% accuracy 90% }
"""


def analysed(text: str) -> Analysis:
    built = build("m.pipe", MemoryLoader({"m.pipe": HEAD + text}))
    assert built.program is not None, built.diagnostics
    return analyse(built.program, built.program.pipelines["main"])


def gate(condition: str, size: int, shares: bool = True, after: str = "") -> str:
    names = ", ".join(f"k{number}: int" for number in range(size))
    lines = " ".join(f"k{number} > 3: {30 + number % 60}%" for number in range(size))
    traffic = f"traffic 9/day {{ {lines} }}" if shares else ""
    return (
        f"pipeline main({names}) -> int {{\n  {traffic}\n  step s = call one(k0)\n"
        f"  gate g: {condition} else escalate to team\n{after}  return s\n}}\n"
    )


def all_of(size: int) -> str:
    return " and ".join(f"k{number} > 3" for number in range(size))


def some_pair(size: int) -> str:
    return " or ".join(f"(k{at} > 3 and not k{at + 1} > 3)" for at in range(0, size - 1, 2))


def one_after_the_other(size: int) -> str:
    found = "k0 > 3"
    for number in range(1, size):
        found = f"(if k{number} > 3 then {found} else not k{number - 1} > 3)"
    return found


CONDITIONS = [all_of, some_pair, one_after_the_other]
BELOW = {
    "nothing": "",
    "the same again": (
        '  when w: k1 > 3 { step t = call one(k1) gate h: k2 > 3 or k3 > 3 else fail "x" }\n'
        "  gate i: k0 > 3 or not k2 > 3 else reject\n"
    ),
    "a redo of all": "  gate r: k1 > 3 or s > 2 { catches 50% false_alarms 5% } "
    "else redo s up to 2 else reject\n",
}


def figures(found: Analysis) -> dict[str, list[float]]:
    """The value of each figure and its ends, -1 for one that is open."""
    return {
        name: [-1.0 if one is None else one for one in (number.value, number.low, number.high)]
        for name, number in found.numbers.items()
        if number.tight
    }


@pytest.mark.parametrize("below", BELOW.values(), ids=BELOW)
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("shares", [True, False])
def test_operand_by_operand_is_all_at_once(
    condition: Callable[[int], str], below: str, shares: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = 7 if shares else 4
    text = gate(condition(size), size, shares, below)
    monkeypatch.setattr(conditions, "FEW_DRAWS", 100)
    together = figures(analysed(text))
    monkeypatch.setattr(conditions, "FEW_DRAWS", 1)
    apart = figures(analysed(text))
    assert apart.keys() == together.keys()
    for name, values in apart.items():
        assert values == pytest.approx(together[name], abs=1e-9, rel=1e-9), name


@pytest.mark.parametrize("shares", [True, False])
@pytest.mark.parametrize("condition", [all_of, some_pair])
def test_a_condition_more_does_not_double_the_work(
    condition: Callable[[int], str], shares: bool
) -> None:
    """A gate over 16 comparisons took more than 14 s and 2 GB."""
    analysed(gate(condition(3), 3, shares))
    small = calls(lambda: analysed(gate(condition(16), 16, shares)))
    large = calls(lambda: analysed(gate(condition(32), 32, shares)))
    assert large < 5 * small, (small, large)
