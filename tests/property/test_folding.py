"""Constants against runs: an expression over literals that is folded has the value that a run gives
it, and its comparisons come out the same way.
"""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.runtime.engine.expressions import Expressions, NoValue
from pipelang.runtime.engine.values import Types
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.fold import NotConstant, fold
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.types import NUMBER

from ..memory import MemoryLoader

HEAD = """
enum Size { little medium much }
type Thing { n: int  x: number  note: text? = none }
"""
LEAVES = {
    "int": ["0", "1", "-3", "7", "9007199254740993", "100000000000000000000003"],
    "number": [
        "0.1",
        "0.3",
        "1.0",
        "2.5",
        "100000000000000000.0",
        "0.70.1234567890123456789",
        "9007199254740993.0",
        "3",
        "0.00000000000000000001",
    ],
    "money": ["$0", "$0.01", "$100", "$33.33", "$1.10", "$0.1234567890123456789"],
    "duration": ["1s", "90s", "300ms", "2h"],
    "probability": ["0%", "30%", "33.3%", "100%"],
    "text": ['""', '"a"', '"héé"'],
    "bool": ["true", "false"],
    "Size": ["little", "much"],
}
DIVISORS = ["3", "7.0", "0.1", "3.0", "10"]


NUMBERS = ("int", "number", "money", "duration")
COMPARED = [("number", "number"), ("number", "number"), ("int", "number"), ("int", "int")]
COMPARED += [("money", "money"), ("duration", "duration"), ("probability", "probability")]


class Writer:
    """Writes expressions of a kind over literals."""

    def __init__(self, source: random.Random) -> None:
        self.source = source

    def text(self, kind: str, depth: int) -> str:
        pick = self.source.choice
        if not depth or self.source.random() < 0.15:
            return pick(LEAVES[kind])
        ways = [self.choice]
        if kind in NUMBERS:
            ways += [self.sum, self.listed, self.product]
        if kind == "bool":
            ways += [self.compared, self.compared, self.compared, self.truth]
        return pick(ways)(kind, depth - 1)

    def choice(self, kind: str, depth: int) -> str:
        test, own, other = self.text("bool", depth), self.text(kind, depth), self.text(kind, depth)
        return f"(if {test} then {own} else {other})"

    def sum(self, kind: str, depth: int) -> str:
        own = self.text(kind, depth)
        sign = self.source.choice("+-")
        return self.source.choice([f"({own} {sign} {self.text(kind, depth)})", f"(-{own})"])

    def listed(self, kind: str, depth: int) -> str:
        one, other = self.text(kind, depth), self.text(kind, depth)
        texts = [f"sum([{one}, {other}])", f"min({one}, {other})", f"max({one}, {other})"]
        texts.append(f"sum(it for it in [{one}, {other}] if {self.text('bool', depth)})")
        return self.source.choice(texts)

    def product(self, kind: str, depth: int) -> str:
        own = self.text(kind, depth)
        texts = [f"({own} * {self.text('int', depth)})"]
        if kind != "int":
            number = self.text("number", depth)
            texts += [f"({own} * {number})", *[f"({own} / {by})" for by in DIVISORS[:2]]]
        if kind == "number":
            texts.append(f"({self.text('money', depth)} / $0.03)")
        return self.source.choice(texts)

    def compared(self, kind: str, depth: int) -> str:
        one, other = self.source.choice(COMPARED)
        op = self.source.choice(["==", "==", "!=", "<", "<=", ">", ">="])
        return f"({self.text(one, depth)} {op} {self.text(other, depth)})"

    def truth(self, kind: str, depth: int) -> str:
        x, y, z = (self.text("number", depth) for _ in range(3))
        own, other = self.text("bool", depth), self.text("bool", depth)
        return self.source.choice(
            [
                f"({x} in [{self.text('int', depth)}, {y}])",
                f"([{x}, {y}] == [{y}, {z}])",
                f"any(it == {x} for it in [{y}, {z}])",
                f"(not {own})",
                f"({own} and {other})",
                f"({own} or {other})",
            ]
        )


def drawn(seed: int) -> list[tuple[str, str]]:
    source = random.Random(seed)
    kinds = ["bool", "bool", "bool", "number", "money", "int", "duration"]
    writer = Writer(source)
    return [(kind := source.choice(kinds), writer.text(kind, 3)) for _ in range(25)]


def lets(texts: list[tuple[str, str]]) -> tuple[p.Program, list[expr.Expr]]:
    """A program with each text that has no mistake as the value of a `let`."""
    while True:
        items = "\n".join(f"  let e{at}: {kind} = {text}" for at, (kind, text) in enumerate(texts))
        source = f"{HEAD}pipeline main() -> int {{\n{items}\n  return 1\n}}\n"
        built = build("case.pipe", MemoryLoader({"case.pipe": source}))
        if built.program is not None:
            block = built.program.pipelines["main"].block
            return built.program, [i.value for i in block.items if isinstance(i, p.Let)]
        first = source[: source.index("  let")].count("\n")
        at = [d.span.start for d in built.diagnostics if d.is_error]
        wrong = {source[:offset].count("\n") - first for offset in at}
        left = [one for at, one in enumerate(texts) if at not in wrong]
        assert len(left) < len(texts), [d.message for d in built.diagnostics if d.is_error]
        texts = left


def run_by(program: p.Program) -> Expressions:
    patterns = Patterns(program.patterns)
    return Expressions(Types(patterns), patterns.matches, {})


def as_folded(value: Any, kind: str = "") -> Any:
    """A value as a constant is kept. A number is a float, also where a run has picked an int."""
    if kind == "number" and isinstance(value, int):
        value = float(value)
    return Decimal(repr(value)) if isinstance(value, float) else value


def disagreements(texts: list[tuple[str, str]]) -> tuple[list[str], int]:
    """The expressions whose constant is not what a run says, and how many are constants."""
    program, nodes = lets(texts)
    evaluator, found, seen = run_by(program), [], 0
    for node in nodes:
        try:
            constant = fold(node)
        except NotConstant:
            continue
        seen += 1
        try:
            value = evaluator.evaluate(node, {})
        except NoValue:
            found.append(f"{expr.show(node)}: {constant}, a run has no value")
            continue
        kind = "number" if node.type == NUMBER else ""
        own = as_folded(evaluator.evaluate(expr.Const(constant, node.type), {}), kind)
        if as_folded(value, kind) != own:
            found.append(f"{expr.show(node)}: {constant}, a run says {value!r}")
    return found, seen


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**9))
def test_a_constant_is_what_a_run_says(seed: int) -> None:
    found, _ = disagreements(drawn(seed))
    assert not found


KNOWN = [
    ("bool", "1.0 / 7 * 7 == 1.0", True),
    ("bool", "0.1 + 0.2 == 0.3", True),
    ("bool", "1.0 / 3.0 == 0.3333333333333333", True),
    ("bool", "0.1234567890123456789 == 0.12345678901234568", True),
    ("bool", "$10 / 3 * 3 == $10", False),
    ("bool", "9007199254740993 == 9007199254740993.0", False),
    ("bool", "sum([0.1, 0.2]) == 0.3", True),
    ("bool", "1 / 49.0 * 49 == 1.0", False),
]


@pytest.mark.parametrize(("kind", "text", "value"), KNOWN)
def test_known_constants(kind: str, text: str, value: Any) -> None:
    program, (node,) = lets([(kind, text)])
    assert run_by(program).evaluate(node, {}) == value
    assert fold(node) == value


def test_most_expressions_are_constants() -> None:
    """A generator of mistakes would test nothing."""
    counts = [disagreements(drawn(seed)) for seed in range(5)]
    assert sum(seen for _, seen in counts) > 60
