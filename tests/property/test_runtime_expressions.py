"""Compiled expressions against a naive evaluator that was written without looking at them.

A generated expression is a text of the language together with a function that works it out over
exact fractions. The text goes through the checker and is compiled; both must agree.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.runtime.engine.expressions import Expressions
from pipelang.runtime.engine.values import to_json

from ..unit.runtime.stage import load

Values = dict[str, Any]
Naive = Callable[[Values], Any]


@dataclasses.dataclass(frozen=True)
class Made:
    """An expression: how it is written and what it comes to."""

    text: str
    value: Naive


PARAMETERS = {
    "a": "int",
    "b": "int",
    "n": "number",
    "m": "number",
    "t": "text",
    "u": "text",
    "p": "probability",
    "q": "probability",
    "c": "money",
    "d": "money",
    "e": "duration",
    "f": "duration",
    "s": "Size",
    "g": "bool",
    "xs": "[int] max 5",
    "ns": "[number] max 5",
    "ts": "[text] max 5",
    "o": "int?",
    "r": "Thing",
    "counts": "{text: int}",
}
HEAD = """
enum Size { little medium much }
type Thing { n: int  note: text?  share: probability = 50%  size: Size  inner: [text] max 3 }
"""
SIZES = ("little", "medium", "much")
INTS = st.integers(-9, 9)
SHORT = st.sampled_from(
    [Fraction(n, 4) for n in range(-20, 21)] + [Fraction(n, 10) for n in (1, 2, 3)]
)
TEXTS = st.sampled_from(["", "a", "b", "héé", "日本語", "a longer text", "🙂"])
SHARES = st.sampled_from([Fraction(n, 20) for n in range(21)])
THINGS = st.fixed_dictionaries(
    {
        "n": INTS,
        "note": st.none() | TEXTS,
        "share": SHARES,
        "size": st.sampled_from(SIZES),
        "inner": st.lists(TEXTS, max_size=3),
    }
)
DRAWN = st.fixed_dictionaries(
    {
        "a": INTS,
        "b": INTS,
        "n": SHORT,
        "m": SHORT,
        "t": TEXTS,
        "u": TEXTS,
        "p": SHARES,
        "q": SHARES,
        "c": SHORT,
        "d": SHORT,
        "e": SHORT,
        "f": SHORT,
        "s": st.sampled_from(SIZES),
        "g": st.booleans(),
        "xs": st.lists(INTS, max_size=5),
        "ns": st.lists(SHORT, max_size=5),
        "ts": st.lists(TEXTS, max_size=5),
        "o": st.none() | INTS,
        "r": THINGS,
        "counts": st.dictionaries(TEXTS, INTS, max_size=3),
    }
)


def number(value: Fraction) -> Fraction:
    """A number is a float: what it is written as is its value."""
    return Fraction(repr(float(value)))


# ---------------------------------------------------------------------------------- generating


class Writer:
    """Draws expressions of a type, by depth."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def one(self, *ways: Callable[[], Made]) -> Made:
        return self.chance.choice(ways)()

    def read(self, *names: str) -> Made:
        name = self.chance.choice(names)
        return Made(name, lambda v: v[name])

    def make(self, kind: str, depth: int) -> Made:
        """An expression of a kind. Deep ones are made of shallower ones."""
        leaf = getattr(self, f"leaf_{kind}")
        if depth <= 0:
            return leaf()
        grow = getattr(self, f"grow_{kind}")
        return self.one(
            leaf, lambda: grow(depth - 1), lambda: grow(depth - 1), *self.any(kind, depth - 1)
        )

    def any(self, kind: str, depth: int) -> list[Callable[[], Made]]:
        """What gives every kind: conditions and matches."""
        return [lambda: self.choice(kind, depth), lambda: self.match(kind, depth)]

    def choice(self, kind: str, depth: int) -> Made:
        test, yes, no = self.make("bool", depth), self.make(kind, depth), self.make(kind, depth)
        return Made(
            f"(if {test.text} then {yes.text} else {no.text})",
            lambda v: yes.value(v) if test.value(v) else no.value(v),
        )

    def match(self, kind: str, depth: int) -> Made:
        arms = [self.make(kind, depth) for _ in range(3)]
        split = self.chance.randrange(3)
        if split == 0:
            text = f"little => {arms[0].text} medium => {arms[1].text} much => {arms[2].text}"
            at = {"little": 0, "medium": 1, "much": 2}
        elif split == 1:
            text = f"little, much => {arms[0].text} medium => {arms[1].text}"
            at = {"little": 0, "medium": 1, "much": 0}
        else:
            text = f"much => {arms[0].text} else => {arms[1].text}"
            at = {"little": 1, "medium": 1, "much": 0}
        return Made(f"(match s {{ {text} }})", lambda v: arms[at[v["s"]]].value(v))

    def binary(self, left: Made, op: str, right: Made, fit: Naive = lambda x: x) -> Made:
        work = {
            "+": lambda x, y: x + y,
            "-": lambda x, y: x - y,
            "*": lambda x, y: x * y,
            "/": lambda x, y: x / y,
        }[op]
        return Made(
            f"({left.text} {op} {right.text})", lambda v: fit(work(left.value(v), right.value(v)))
        )

    # -- int

    def leaf_int(self) -> Made:
        literal = self.chance.randint(0, 9)
        return self.one(
            lambda: self.read("a", "b"),
            lambda: Made(str(literal), lambda v: literal),
            lambda: Made("r.n", lambda v: v["r"]["n"]),
            lambda: Made("len(xs)", lambda v: len(v["xs"])),
            lambda: Made("len(t)", lambda v: len(v["t"])),
            lambda: Made("len(counts)", lambda v: len(v["counts"])),
            lambda: Made("sum(xs)", lambda v: sum(v["xs"])),
        )

    def grow_int(self, depth: int) -> Made:
        left, right = self.make("int", depth), self.make("int", depth)
        some = self.make("number", depth)
        op = self.chance.choice("+-*")
        return self.one(
            lambda: self.binary(left, op, right),
            lambda: self.over_elements("sum", left),
            lambda: Made(f"(-{left.text})", lambda v: -left.value(v)),
            lambda: Made(
                f"min({left.text}, {right.text})", lambda v: min(left.value(v), right.value(v))
            ),
            lambda: Made(f"round({some.text})", lambda v: round(Fraction(some.value(v)))),
            lambda: Made(
                f"(if o? then o else {left.text})",
                lambda v: left.value(v) if v["o"] is None else v["o"],
            ),
        )

    def over_elements(self, function: str, part: Made) -> Made:
        """`function(... for z in LIST if ...)`; the element is mixed with a part from outside."""
        limit = self.chance.randint(-3, 9)
        source, read = self.chance.choice(
            [
                ("xs", lambda v: v["xs"]),
                ("xs + [a, 2] + xs", lambda v: [*v["xs"], v["a"], 2, *v["xs"]]),
                ("[y - 1 for y in xs if y != 2]", lambda v: [y - 1 for y in v["xs"] if y != 2]),
            ]
        )
        test = f" if z > {limit}" if self.chance.random() < 0.5 else ""
        item = "z * 2 + " if function == "sum" else "z < "

        def value(v: Values) -> Any:
            taken = [z for z in read(v) if not test or z > limit]
            if function == "sum":
                return sum(z * 2 + part.value(v) for z in taken)
            return {"any": any, "all": all}[function](z < part.value(v) for z in taken)

        return Made(f"{function}({item}{part.text} for z in {source}{test})", value)

    # -- number

    def leaf_number(self) -> Made:
        literal = self.chance.choice(["0.5", "1.25", "2.0", "0.1"])
        return self.one(
            lambda: self.read("n", "m"),
            lambda: Made(literal, lambda v: Fraction(literal)),
            lambda: Made("sum(ns)", lambda v: number(sum(v["ns"], Fraction(0)))),
            lambda: Made("(c / $4)", lambda v: number(v["c"] / 4)),
            lambda: Made("(e / 2s)", lambda v: number(v["e"] / 2)),
        )

    def grow_number(self, depth: int) -> Made:
        left, right = self.make("number", depth), self.make("number", depth)
        whole = self.make("int", depth)
        digits = self.chance.randint(0, 3)
        divisor = self.chance.choice(["2", "4", "5", "0.5", "(-8)"])
        exact = Fraction(divisor.strip("()"))
        op = self.chance.choice("+-*")
        pairs = [(left, right), (whole, right), (left, whole)]
        first, second = self.chance.choice(pairs)
        return self.one(
            lambda: self.binary(first, op, second, number),
            lambda: self.binary(
                self.chance.choice([left, whole]), "/", Made(divisor, lambda v: exact), number
            ),
            lambda: Made(
                f"round({left.text}, {digits})",
                lambda v: number(round(Fraction(left.value(v)), digits)),
            ),
            lambda: Made(
                f"max({left.text}, {right.text})", lambda v: max(left.value(v), right.value(v))
            ),
            lambda: Made(f"(-{left.text})", lambda v: -left.value(v)),
        )

    # -- quantities

    def leaf_money(self) -> Made:
        literal = self.chance.choice(["0.05", "1", "2.50"])
        return self.one(
            lambda: self.read("c", "d"), lambda: Made(f"${literal}", lambda v: Fraction(literal))
        )

    def grow_money(self, depth: int) -> Made:
        return self._quantity("money", depth)

    def leaf_duration(self) -> Made:
        literal, size = self.chance.choice([("30s", 30), ("2m", 120), ("500ms", Fraction(1, 2))])
        return self.one(
            lambda: self.read("e", "f"), lambda: Made(literal, lambda v: Fraction(size))
        )

    def grow_duration(self, depth: int) -> Made:
        return self._quantity("duration", depth)

    def _quantity(self, kind: str, depth: int) -> Made:
        left, right = self.make(kind, depth), self.make(kind, depth)
        times = self.make(self.chance.choice(["int", "number", "probability"]), min(depth, 1))
        return self.one(
            lambda: self.binary(left, self.chance.choice("+-"), right),
            lambda: self.binary(*self.chance.choice([(left, "*", times), (times, "*", left)])),
            lambda: self.binary(left, "/", Made("4", lambda v: 4)),
            lambda: Made(
                f"max({left.text}, {right.text})", lambda v: max(left.value(v), right.value(v))
            ),
        )

    def leaf_probability(self) -> Made:
        literal = self.chance.choice(["5%", "85%", "12.5%"])
        return self.one(
            lambda: self.read("p", "q"),
            lambda: Made(literal, lambda v: Fraction(literal[:-1]) / 100),
            lambda: Made("r.share", lambda v: v["r"]["share"]),
        )

    def grow_probability(self, depth: int) -> Made:
        left, right = self.make("probability", depth), self.make("probability", depth)
        return self.binary(left, self.chance.choice("+-*"), right)

    # -- text and enum

    def leaf_text(self) -> Made:
        literal = self.chance.choice(["", "a", "héé", "日本語"])
        return self.one(
            lambda: self.read("t", "u"), lambda: Made(f'"{literal}"', lambda v: literal)
        )

    def grow_text(self, depth: int) -> Made:
        inner = self.make("text", depth)
        limit = self.chance.randint(0, 3)
        return self.one(
            lambda: Made(
                f"first({inner.text}, {limit} tokens)", lambda v: cut(inner.value(v), limit)
            ),
            lambda: Made(
                f"(if r.note? then r.note else {inner.text})",
                lambda v: inner.value(v) if v["r"]["note"] is None else v["r"]["note"],
            ),
        )

    # -- bool

    def leaf_bool(self) -> Made:
        member = self.chance.choice(SIZES)
        return self.one(
            lambda: self.read("g"),
            lambda: Made("true", lambda v: True),
            lambda: Made(f"(s == {member})", lambda v: v["s"] == member),
            lambda: Made(f"({member} != r.size)", lambda v: v["r"]["size"] != member),
            lambda: Made(f"(s in [{member}, much])", lambda v: v["s"] in (member, "much")),
            lambda: Made("o?", lambda v: v["o"] is not None),
            lambda: Made("(o == none)", lambda v: v["o"] is None),
            lambda: Made("(s == r.size)", lambda v: v["s"] == v["r"]["size"]),
        )

    def grow_bool(self, depth: int) -> Made:
        if self.chance.random() < 0.2:
            function = self.chance.choice(["any", "all"])
            return self.over_elements(function, self.make("int", depth))
        left, right = self.make("bool", depth), self.make("bool", depth)
        kind = self.chance.choice(["int", "number", "money", "duration", "probability"])
        first, second = self.make(kind, depth), self.make(kind, depth)
        text, at = self.make("text", depth), self.make("int", depth)
        op, work = self.chance.choice(
            [
                ("<", lambda x, y: x < y),
                ("<=", lambda x, y: x <= y),
                (">", lambda x, y: x > y),
                (">=", lambda x, y: x >= y),
                ("==", lambda x, y: x == y),
                ("!=", lambda x, y: x != y),
            ]
        )
        return self.one(
            lambda: Made(
                f"({left.text} and {right.text})", lambda v: left.value(v) and right.value(v)
            ),
            lambda: Made(
                f"({left.text} or {right.text})", lambda v: left.value(v) or right.value(v)
            ),
            lambda: Made(f"(not {left.text})", lambda v: not left.value(v)),
            lambda: Made(
                f"({first.text} {op} {second.text})",
                lambda v: work(first.value(v), second.value(v)),
            ),
            lambda: Made(f"({at.text} in xs)", lambda v: at.value(v) in v["xs"]),
            lambda: Made(f"({text.text} not in ts)", lambda v: text.value(v) not in v["ts"]),
            lambda: Made(f"({text.text} in counts)", lambda v: text.value(v) in v["counts"]),
            lambda: Made(f"({text.text} == u)", lambda v: text.value(v) == v["u"]),
            lambda: Made(f"(xs[{at.text}] == a)", lambda v: item(v["xs"], at.value(v)) == v["a"]),
            lambda: Made(
                f"(r.inner[{at.text}])?", lambda v: item(v["r"]["inner"], at.value(v)) is not None
            ),
            lambda: Made(
                f"(counts[{text.text}] == a)", lambda v: v["counts"].get(text.value(v)) == v["a"]
            ),
            lambda: Made("(max(xs) == a)", lambda v: max(v["xs"], default=None) == v["a"]),
            lambda: Made(
                f"(len(first(ts, {at.text})) == 2)",
                lambda v: len(v["ts"][: max(0, at.value(v))]) == 2,
            ),
            lambda: Made(f"({at.text} == n)", lambda v: at.value(v) == v["n"]),
        )


def item(values: list[Any], at: int) -> Any:
    return values[at] if 0 <= at < len(values) else None


def cut(text: str, tokens: int) -> str:
    """The longest beginning that fits, letter by letter."""
    kept = ""
    for letter in text:
        if len((kept + letter).encode()) > 3 * tokens:
            break
        kept += letter
    return kept


KINDS = ("int", "number", "money", "duration", "probability", "text", "bool")


def as_given(value: Any) -> Any:
    """A drawn value as a host would hand it in."""
    if isinstance(value, Fraction):
        return float(value)
    if isinstance(value, list):
        return [as_given(item) for item in value]
    if isinstance(value, dict):
        return {name: as_given(item) for name, item in value.items()}
    return value


def agrees(found: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(found, bool):
        return found is wanted
    if isinstance(wanted, (int, Fraction)):
        exact = Fraction(repr(found)) if isinstance(found, float) else Fraction(found)
        return exact == wanted
    return bool(found == wanted)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("expressions")


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10**9), drawn=st.lists(DRAWN, min_size=4, max_size=4))
def test_expressions_come_to_what_they_say(folder: Path, seed: int, drawn: list[Values]) -> None:
    writer = Writer(random.Random(seed))
    made = [(kind, writer.make(kind, 3)) for kind in KINDS]
    parameters = ", ".join(f"{name}: {type}" for name, type in PARAMETERS.items())
    functions = "\n".join(
        f"fn f{at}({parameters}) -> {kind} = {one.text}" for at, (kind, one) in enumerate(made)
    )
    used = "pipeline main(x: text) -> text { return x }"
    loaded = load(folder, f"{HEAD}\n{functions}\n{used}")
    expressions = Expressions(loaded.types, loaded.patterns.matches, {})
    for values in drawn:
        for at, (_, one) in enumerate(made):
            function = loaded.program.functions[f"f{at}"]
            typed = {
                parameter.name: loaded.types.check(parameter.type, as_given(values[parameter.name]))
                for parameter in function.parameters
            }
            assert function.body is not None
            before = to_json(typed)
            found = expressions.evaluate(function.body, typed)
            wanted = one.value(values)
            assert agrees(found, wanted), (one.text, values, found, wanted)
            assert to_json(typed) == before, "an expression changes nothing"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(cents=st.lists(st.integers(-(10**9), 10**9), min_size=1, max_size=5))
def test_money_is_added_exactly(folder: Path, cents: list[int]) -> None:
    loaded = _sums(folder)
    expressions = Expressions(loaded.types, loaded.patterns.matches, {})
    function = loaded.program.functions["total"]
    assert function.body is not None
    typed = {"ms": loaded.types.check(function.parameters[0].type, [c / 100 for c in cents])}
    assert expressions.evaluate(function.body, typed) == Decimal(sum(cents)) / 100


_loaded: dict[Path, Any] = {}


def _sums(folder: Path) -> Any:
    if folder not in _loaded:
        text = "fn total(ms: [money] max 5) -> money = sum(ms)"
        used = "pipeline main(x: text) -> text { return x }"
        _loaded[folder] = load(folder, f"{text} {used}", "sums.pipe")
    return _loaded[folder]
