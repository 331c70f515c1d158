"""Orders of regions: series and parallel parts, and what is neither."""

from __future__ import annotations

import random

import pytest

from pipelang.analysis.latency import regions
from pipelang.analysis.latency.regions import Order, ParallelRegion, RegionLeaf, Series, order_of
from pipelang.diagnostics import Span
from pipelang.semantics import program as p
from pipelang.semantics.types import TEXT

SPAN = Span("x.pipe", 0, 0)


def steps(*reads: str) -> list[p.Item]:
    """Steps a, b, c, ... that read the letters given."""
    chain = p.Chain((), None)
    return [
        p.Step(chr(97 + at), TEXT, chain, frozenset(names), None, SPAN)
        for at, names in enumerate(reads)
    ]


def shown(order: Order) -> str:
    match order:
        case RegionLeaf():
            return chr(97 + order.index)
        case Series():
            return "(" + ";".join(map(shown, order.parts)) + ")"
        case ParallelRegion():
            return "(" + "|".join(map(shown, order.parts)) + ")"


@pytest.mark.parametrize(
    ("reads", "order", "exact"),
    [
        ([""], "a", True),
        (["", "a", "b"], "(a;b;c)", True),
        (["", ""], "(a|b)", True),
        (["", "a", "a", "bc"], "(a;(b|c);d)", True),
        (["", "", "a", "b"], "((a;c)|(b;d))", True),
        (["", "", "ab"], "((a|b);c)", True),
        (["", "", "ab", "ab"], "((a|b);(c|d))", True),
        (["", "a", "ab"], "(a;b;c)", True),
        (["", "", "ab", "b"], "((a|b);(c|d))", False),
        (["", "", "ab", "b", ""], "(((a|b);(c|d))|e)", False),
    ],
)
def test_orders(reads: list[str], order: str, exact: bool) -> None:
    items = steps(*reads)
    found, is_exact = order_of(items, range(len(items)))
    assert (shown(found), is_exact) == (order, exact)


def longest(order: Order, seconds: list[float]) -> float:
    match order:
        case RegionLeaf():
            return seconds[order.index]
        case Series():
            return sum(longest(part, seconds) for part in order.parts)
        case ParallelRegion():
            return max(longest(part, seconds) for part in order.parts)


def by_hand(items: list[p.Item], seconds: list[float]) -> float:
    done: dict[str, float] = {}
    for item, own in zip(items, seconds, strict=True):
        assert isinstance(item, p.Step)
        done[item.name] = own + max((done[name] for name in item.reads), default=0.0)
    return max(done.values())


@pytest.mark.parametrize(("deepest", "exact_of_400"), [(regions.DEEPEST, 100), (1, 60)])
def test_no_order_is_faster_than_the_steps(
    deepest: int, exact_of_400: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exact orders take as long as the steps, others at least as long, whatever each takes and
    however deep parts may lie in one another.
    """
    monkeypatch.setattr(regions, "DEEPEST", deepest)
    pick = random.Random(3)
    exact_ones = 0
    for _ in range(400):
        count = pick.randint(1, 8)
        reads = [
            "".join(chr(97 + b) for b in range(a) if pick.random() < 0.3) for a in range(count)
        ]
        items = steps(*reads)
        order, exact = order_of(items, range(count))
        exact_ones += exact
        for _ in range(5):
            seconds = [pick.expovariate(1) for _ in range(count)]
            found, true = longest(order, seconds), by_hand(items, seconds)
            assert found == pytest.approx(true) if exact else found >= true - 1e-12, reads
    assert exact_of_400 < exact_ones < 400
