"""What the flow takes for bounded is bounded, by brute force: gates at random over numbers that a
model picks, and the interpreter's word on whether one can pass while the number is huge.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest

from pipelang.analysis.flow import bounding
from pipelang.analysis.flow.bounding import Limits, NumberBounds
from pipelang.analysis.flow.checking import Flows
from pipelang.runtime.engine.expressions import Expressions
from pipelang.runtime.engine.values import Types
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.patterns import Patterns

from ....memory import MemoryLoader

FILE = '''
provider lab {{ available 99.9% }}
tier opus {{ provider lab price $1 in, $5 out transient 1% context 50k tokens }}
type Plan {{ n: int  k: int  few: int in 1..10  all_: [int] max 3 }}
prompt write(m: text) """{{{{ m }}}}"""
tool take(n: int) -> text max 10 tokens {{ effect write }}
pipeline main(body: untrusted text max 9 tokens, most: int, vip: bool) -> int {{
  step a: Plan = ask write(body) by opus
  gate g: {gate} {{ catches 90% false_alarms 1% }} else reject
  step s = call take({value})
  return 1
}}
'''
HUGE = 10**12
NUMBERS = (-HUGE, -3, 0, 1, 7, HUGE)
ALLOWED = 10**8
"""More than any constant of a gate, or what is worked out from some, comes to."""


class Gates:
    """Writes gates, and values that are made of what they look at."""

    def __init__(self, seed: int) -> None:
        self.pick = random.Random(seed)

    def number(self, deep: int) -> str:
        if deep == 0 or self.pick.random() < 0.3:
            return self.pick.choice(("a.n", "a.n", "a.k", "a.few", "most", "2", "0", "-3", "7"))
        one, other = self.number(deep - 1), self.number(deep - 1)
        return self.pick.choice(
            (
                f"({one} + {other})",
                f"({one} - {other})",
                f"({self.pick.choice(('2', '0', '-1', 'a.few', one))} * {other})",
                f"min({one}, {other})",
                f"max({one}, {other})",
                f"(-({one}))",
                f"(if {self.pick.choice(('vip', f'{one} < 50'))} then {one} else {other})",
                f"sum([{one}, {other}])",
            )
        )

    def test(self, deep: int) -> str:
        if deep == 0 or self.pick.random() < 0.4:
            one, other = self.number(2), self.number(1)
            return self.pick.choice(
                (
                    f"{one} <= {other}",
                    f"{one} < 50",
                    f"{one} >= {other}",
                    f"{one} == {self.pick.choice(('5', 'most', 'a.few'))}",
                    f"{one} != 5",
                    f"{one} in [1, {self.pick.choice(('2', 'most', 'a.k'))}]",
                    f"all(x <= {self.pick.choice(('9', 'a.k'))} for x in [a.n, 3])",
                    "vip",
                )
            )
        one, other = self.test(deep - 1), self.test(deep - 1)
        return self.pick.choice(
            (
                f"({one} and {other})",
                f"({one} or {other})",
                f"(not ({one}))",
                f"(if vip then {one} else {other})",
            )
        )


@cache
def case(seed: int) -> tuple[str, bool, bool] | None:
    """A gate and a value, whether the flow takes that for bounded, and whether it is; None where
    the two are no file, or none of the values passes.
    """
    gates = Gates(seed)
    gate, value = gates.test(2), gates.pick.choice(("a.n", "a.n", gates.number(1)))
    text = FILE.format(gate=gate, value=value)
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    if built.program is None or any(one.is_error for one in built.diagnostics):
        return None
    codes = {one.rule.code for one in Flows(built.program).findings()}
    passed = list(_passing(built.program))
    if "P712" in codes or not passed:
        return None
    return f"{gate} ... {value}", "P711" not in codes, max(passed) <= ALLOWED


def _passing(program: p.Program) -> Iterator[Any]:
    """The values that the gate lets through."""
    block = program.pipelines["main"].block
    gate, call = block.items[1], block.items[2]
    assert isinstance(gate, p.Gate)
    assert isinstance(call, p.Step)
    action = call.chain.links[0].action
    assert isinstance(action, p.Call)
    patterns = Patterns(program.patterns)
    made = Expressions(Types(patterns), patterns.matches, {})
    for n, k, few, most, vip in itertools.product(
        NUMBERS, NUMBERS, (1, 10), (-5, 1000), (True, False)
    ):
        plan = {"n": n, "k": k, "few": few, "all_": []}
        values: dict[str, Any] = {"a": plan, "most": most, "vip": vip}
        if made.evaluate(gate.condition, values):
            yield made.evaluate(action.arguments[0][1], values)


SEEDS = range(300)


def is_unsound(found: tuple[str, bool, bool] | None) -> bool:
    return found is not None and found[1] and not found[2]


def test_what_counts_as_bounded_is_bounded() -> None:
    assert not list(filter(is_unsound, map(case, SEEDS)))


def test_most_that_is_bounded_counts_as_such() -> None:
    cases = [found for seed in SEEDS if (found := case(seed)) is not None]
    bounded = [taken for _, taken, is_bounded in cases if is_bounded]
    assert len(bounded) > 60
    assert sum(bounded) > 0.85 * len(bounded)


def test_a_bound_by_a_minimum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = NumberBounds.limited

    def changed(bounds: NumberBounds, node: expr.Expr, up: bool) -> Limits:
        found = limited(bounds, node, up)
        if isinstance(node, expr.Builtin) and node.function == "min":
            return found | bounding.UNLIMITED | limited(bounds, node.arguments[0], up)
        return found

    monkeypatch.setattr(NumberBounds, "limited", changed)
    assert any(map(is_unsound, map(case.__wrapped__, SEEDS)))
