"""Random conditions over values of every type, and what is wrongly said of them.

The conditions are the gates of one pipeline. The decider says of each, and of pairs, what cannot
be; the interpreter's own closures evaluate them over many inputs, among them the ones on which
arithmetic rounds, values are absent and JSON is something else than expected.
"""

from __future__ import annotations

import datetime
import itertools
import random
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from pipelang.analysis.claims.deciding import Work, possible
from pipelang.analysis.claims.formulas import Formula, opposite
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.symbols import SymbolicExpressions
from pipelang.analysis.claims.values import one
from pipelang.runtime.engine.expressions import Expressions, NoValue
from pipelang.runtime.engine.values import Misfit, Types
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.patterns import Patterns

from ...memory import MemoryLoader

PARAMETERS = {
    "b": "bool",
    "g": "bool",
    "ob": "bool?",
    "og": "bool?",
    "n": "int",
    "m": "int",
    "w": "int in 0..10",
    "v": "int in 1..9",
    "on": "int?",
    "om": "int?",
    "x": "number",
    "y": "number",
    "z": "number in 0..10",
    "ox": "number?",
    "c": "money",
    "d": "money",
    "q": "probability",
    "r": "probability",
    "e": "duration",
    "f": "duration",
    "t": "time",
    "u": "time",
    "s": "text",
    "i": "text max 2 tokens",
    "os": "text?",
    "k": "Kind",
    "h": "Kind",
    "ok": "Kind?",
    "xs": "[int] max 3",
    "ys": "[int] max 3",
    "zs": "[int?] max 2",
    "bs": "[bool] max 2",
    "mp": "{text: int}",
    "a": "Thing",
    "l": "Thing",
    "oa": "Thing?",
    "j": "json",
    "jj": "json",
}
HEAD = """
enum Kind { low mid high }
type Inner { p: bool?  q: int }
type Thing { b: bool  o: int?  n: int  x: number  k: Kind?
  s: text max 3 tokens  c: money  i: Inner }
patterns digits { "^[0-9]+$" }
fn pick(n: int) -> int = if n == 1 then 1 else if n == 2 then 2 else if n == 3 then 3 else 4
fn digits3(a: int, b: int, c: int) -> int = pick(a) * 100 + pick(b) * 10 + pick(c)
fn third(a: money) -> money = a / 3
fn half(a: number) -> number = a / 2
fn same(a: number) -> number = a
"""
PATHS = {
    "bool": ["b", "g", "a.b", "l.b"],
    "int": ["n", "m", "w", "v", "a.n", "l.n", "a.i.q", "len(xs)", "len(ys)", "len(s)", "len(i)"],
    "number": ["x", "y", "z", "a.x", "l.x"],
    "money": ["c", "d", "a.c", "l.c"],
    "probability": ["q", "r"],
    "duration": ["e", "f"],
    "time": ["t", "u"],
    "text": ["s", "i", "a.s", "l.s"],
    "Kind": ["k", "h"],
    "bool?": ["ob", "og", "a.i.p", "bs[0]", "bs[1]"],
    "int?": ["on", "om", "a.o", "l.o", "xs[0]", "xs[1]", "ys[0]", "zs[0]", 'mp["k"]'],
    "number?": ["ox"],
    "text?": ["os"],
    "Kind?": ["ok", "a.k", "l.k"],
    "list": ["xs", "ys"],
    "json": ["j", "jj"],
    "json?": ["j.x", "j.y", "jj.x", "jj.y"],
}
CONSTANTS = {
    "bool": ["true", "false"],
    "int": ["0", "1", "2", "3", "7", "100", "101", "9007199254740993"],
    "number": ["0.0", "0.1", "0.2", "0.3", "0.5", "1.0", "3.0", "100000000000000000.0"],
    "money": ["$0", "$1", "$100", "$0.01", "$33.33"],
    "probability": ["0%", "50%", "70%", "100%"],
    "duration": ["0s", "1s", "90s", "3h"],
    "text": ['""', '"a"', '"12"', '"longer text"'],
    "Kind": ["low", "mid", "high"],
}
NUMERIC = ("int", "number", "money", "probability", "duration")


class Conditions:
    """Writes conditions."""

    def __init__(self, source: random.Random) -> None:
        self.pick = source

    def one_of(self, kind: str) -> str:
        options = PATHS.get(kind, [])
        if kind in CONSTANTS and (not options or self.pick.random() < 0.35):
            return self.pick.choice(CONSTANTS[kind])
        return self.pick.choice(options)

    def condition(self, depth: int = 3) -> str:
        roll = self.pick.random()
        if depth > 0 and roll < 0.3:
            word = self.pick.choice(["and", "or"])
            return f"({self.condition(depth - 1)} {word} {self.condition(depth - 1)})"
        if depth > 0 and roll < 0.37:
            return f"not ({self.condition(depth - 1)})"
        if depth > 0 and roll < 0.41:
            parts = [self.condition(depth - 1) for _ in range(3)]
            return f"(if {parts[0]} then {parts[1]} else {parts[2]})"
        return self.atom(depth)

    def tricky(self) -> str:
        """Something that a plausible shortcut of a decider gets wrong."""
        kind = self.pick.choice(["bool", "int", "Kind"])
        first, second = (self.pick.choice(PATHS[f"{kind}?"]) for _ in range(2))
        field = self.pick.choice(["j.x", "j.y", "jj.x"])
        money, number = self.one_of("money"), self.one_of("number")
        digits = [f"digits3({', '.join(self.one_of('int') for _ in range(3))})" for _ in range(2)]
        little, many = self.pick.choice(["0.1", "1.0", "5"]), self.pick.choice(["3", "7"])
        return self.pick.choice(
            [
                f"({first} == {second} and not ({first}?))",
                f"({first} != {second} and not ({first}?))",
                f"({field} == {self.one_of(kind)} and not ({field}?))",
                f"(not ({field}?) and {field} == {self.pick.choice(['j.y', 'jj.y', 'on'])})",
                f"(third({money}) * 3) != {money}",
                f"(third({money}) + third({money}) + third({money})) < {money}",
                f"({money} / {many} * {many}) > {money}",
                f"({number} + {little}) <= {number}",
                f"(half({number}) * 2) != {number}",
                f"({number} / {many} * {many}) == {number}",
                f"({money} + $1 - $1) != {money}",
                f"({number} - {self.one_of('number')}) == 0.0",
                f"{digits[0]} != {digits[1]}",
                f"({digits[0]} - {digits[1]}) > 0",
            ]
        )

    def atom(self, depth: int) -> str:
        if self.pick.random() < 0.15:
            return self.tricky()
        roll = self.pick.random()
        if roll < 0.3:
            kind = self.pick.choice([*NUMERIC, "time", "number", "money", "int"])
            op = self.pick.choice(["<", "<=", ">", ">=", "==", "!="])
            return f"{self.quantity(kind, depth)} {op} {self.quantity(kind, depth)}"
        if roll < 0.36:
            op = self.pick.choice(["<", "<=", ">", "==", "!="])
            return f"{self.quantity('int', depth)} {op} {self.quantity('number', depth)}"
        if roll < 0.55:
            kind = self.pick.choice(["bool", "text", "Kind", "int", "number"])
            left = self.one_of(f"{kind}?")
            right = self.one_of(self.pick.choice([f"{kind}?", kind]))
            return f"{left} {self.pick.choice(['==', '!='])} {right}"
        if roll < 0.65:
            kind = self.pick.choice(["text", "Kind", "bool"])
            return f"{self.one_of(kind)} {self.pick.choice(['==', '!='])} {self.one_of(kind)}"
        if roll < 0.73:
            kind = self.pick.choice(["bool?", "int?", "Kind?", "text?", "json?", "number?"])
            return f"({self.pick.choice(PATHS[kind])}?)"
        if roll < 0.8:
            return self.json()
        if roll < 0.9:
            return self.collection()
        if roll < 0.93:
            path = self.pick.choice(["on", "om", "a.o", "l.o"])
            return f"({path}? and {path} {self.pick.choice(['<', '>='])} {self.one_of('int')})"
        if roll < 0.95:
            return f"{self.one_of('text')} matches digits"
        return self.one_of("bool")

    def json(self) -> str:
        kinds = ["json?", "json?", "json", "bool", "int", "text", "number", "Kind", "int?", "money"]
        left, right = self.one_of("json?"), self.one_of(self.pick.choice(kinds[:-1]))
        return f"{left} {self.pick.choice(['==', '!='])} {right}"

    def collection(self) -> str:
        return self.pick.choice(
            [
                f"{self.one_of('int')} in {self.one_of('list')}",
                f"{self.one_of('int?')} in zs",
                f"{self.one_of('int?')} in [1, {self.one_of('int')}]",
                f"{self.one_of('text')} in mp",
                f"{self.one_of('list')} == {self.one_of('list')}",
                f"{self.one_of('list')} == []",
                f"xs == [{self.one_of('int')}, {self.one_of('int')}]",
                "a == l",
                "oa == a",
                "a.i == l.i",
                "(oa?)",
                f"(oa? and oa.b == {self.one_of('bool')})",
                f"(oa? and oa.o == {self.one_of('int?')})",
            ]
        )

    def quantity(self, kind: str, depth: int) -> str:
        roll = self.pick.random()
        if depth <= 0 or kind == "time" or roll < 0.45:
            return self.one_of(kind)
        make = self.quantity
        below = depth - 1
        if roll < 0.55:
            test = self.condition(0)
            return f"(if {test} then {make(kind, below)} else {make(kind, below)})"
        if roll < 0.62:
            word = self.pick.choice(["min", "max"])
            parts = [make(kind, below) for _ in range(self.pick.choice([2, 2, 3]))]
            return f"{word}({', '.join(parts)})"
        if roll < 0.75:
            return f"({make(kind, below)} {self.pick.choice('+-')} {make(kind, below)})"
        match kind:
            case "int":
                if roll < 0.85:
                    return f"({make('int', below)} * {make('int', below)})"
                if roll < 0.9:
                    return f"digits3({', '.join(self.one_of('int') for _ in range(3))})"
                return self.pick.choice(
                    [f"(-{make('int', below)})", "round(x)", "sum(xs)", "pick(n)"]
                )
            case "number":
                return self.pick.choice(
                    [
                        f"({make('number', below)} * {make('number', below)})",
                        f"({make('number', below)} / {self.pick.choice(['3', '2', 'v', '0.1'])})",
                        f"({make('int', below)} / {self.pick.choice(['3', 'v'])})",
                        f"({make('int', below)} + {make('number', below)})",
                        f"half({make('number', below)})",
                        f"same({make('int', below)})",
                        f"(-{make('number', below)})",
                        f"({make('money', below)} / $3)",
                        f"round({make('number', below)}, 2)",
                    ]
                )
            case "money" | "duration":
                options = [
                    f"({make(kind, below)} * {make('number', below)})",
                    f"({make(kind, below)} * {self.one_of('int')})",
                    f"({make('probability', 0)} * {make(kind, below)})",
                    f"({make(kind, below)} / {self.pick.choice(['3', '7', 'v'])})",
                    f"(-{make(kind, below)})",
                ]
                if kind == "money":
                    options += [f"third({make('money', below)})"] * 2
                return self.pick.choice(options)
            case _:
                return f"({make(kind, below)} * {make(kind, below)})"


# --------------------------------------------------------------------------------------- inputs

INTS = [-1, 0, 0, 1, 1, 2, 3, 7, 100, 101, 2**53, 2**53 + 1, 10**17, -(2**53) - 1]
FLOATS = [0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 1.0, 3.0, 1e17, 1e308, -1e308, 5e-324, 1e-323, -0.1, 1 / 3]
FLOATS += [2.0**53, 2.0**53 + 2, 0.30000000000000004, 9.999999999999999e22]
MONEY = ["0", "0.01", "1", "1", "100", "100", "33.33", "-1", "1e17", "1e27", "1e28", "1e-30"]
MONEY += ["0.3333333333333333333333333333", "33.33333333333333333333333333", "1e-27", "7"]
MONEY += ["1.0000000000000000000000000000001", "99.99999999999999999999999999999999"]
SHARES = ["0", "0.5", "0.7", "1", "0.3333333333333333333333333333", "1e-29"]
TEXTS = ["", "a", "12", "longer text", "ab"]
KINDS = ["low", "mid", "high"]
JSONS: list[Any] = [None, {}, True, 1, "a", [True], [1], {"x": True}, {"x": False}, {"x": 1}]
JSONS += [{"x": None, "y": 0}, {"x": "a", "y": "a"}, {"x": 1.0, "y": 1}, {"x": [1], "y": [True]}]
JSONS += [{"x": 0.1, "y": "low"}, {"x": "low", "y": True}, {"x": {"x": 1}, "y": None}]
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def inputs(source: random.Random) -> dict[str, Any]:
    """Values for all parameters, JSON-like; several parameters often have the same."""

    def maybe(value: Any) -> Any:
        return None if source.random() < 0.4 else value

    def whole() -> int:
        return source.choice(INTS)

    def number() -> float:
        return source.choice(FLOATS) if source.random() < 0.8 else source.uniform(-2, 2)

    def exact(options: list[str]) -> Decimal:
        return Decimal(source.choice(options))

    def thing() -> dict[str, Any]:
        return {
            "b": source.random() < 0.5,
            "o": maybe(source.choice([0, 1, 2])),
            "n": source.choice([0, 1, 2]),
            "x": number(),
            "k": maybe(source.choice(KINDS)),
            "s": source.choice(TEXTS[:3]),
            "c": exact(MONEY),
            "i": {"p": maybe(source.random() < 0.5), "q": source.choice([0, 1])},
        }

    def numbers() -> list[int]:
        return [source.choice([0, 1, 2]) for _ in range(source.randrange(4))]

    a = thing()
    return {
        **{name: source.random() < 0.5 for name in "bg"},
        **{name: maybe(source.random() < 0.5) for name in ("ob", "og")},
        **{name: whole() for name in "nm"},
        "w": source.randrange(11),
        "v": source.randrange(1, 10),
        **{name: maybe(source.choice([0, 1, 2])) for name in ("on", "om")},
        **{name: number() for name in "xy"},
        "z": source.choice([0.0, 0.1, 3.0, 10.0, 0.5]),
        "ox": maybe(number()),
        **{name: exact(MONEY) for name in "cdef"},
        **{name: exact(SHARES) for name in "qr"},
        **{name: NOW + datetime.timedelta(seconds=source.randrange(3)) for name in "tu"},
        "s": source.choice(TEXTS),
        "i": source.choice(["", "a", "12", "ab"]),
        "os": maybe(source.choice(TEXTS)),
        "k": source.choice(KINDS),
        "h": source.choice(KINDS),
        "ok": maybe(source.choice(KINDS)),
        "xs": numbers(),
        "ys": numbers(),
        "zs": [maybe(source.choice([0, 1])) for _ in range(source.randrange(3))],
        "bs": [source.random() < 0.5 for _ in range(source.randrange(3))],
        "mp": {key: source.choice([0, 1]) for key in source.sample(["k", "a", ""], 1)},
        "a": a,
        "l": a if source.random() < 0.3 else thing(),
        "oa": maybe(a if source.random() < 0.5 else thing()),
        "j": source.choice(JSONS),
        "jj": source.choice(JSONS),
    }


# ---------------------------------------------------------------------------------------- judging


def program(texts: list[str]) -> p.Program | None:
    """A pipeline with the conditions as its gates; None if one of them is none."""
    given = ", ".join(f"{name}: {type}" for name, type in PARAMETERS.items())
    gates = "\n".join(f"  gate g{at}: {text} else reject" for at, text in enumerate(texts))
    text = f"{HEAD}\npipeline main({given}) -> int {{\n{gates}\n  return 1\n}}"
    return build("case.pipe", MemoryLoader({"case.pipe": text})).program


OPERATOR = re.compile(r" (<|<=|>|>=|==|!=) ")


def varied(source: random.Random, text: str) -> str:
    """The condition with another operator in one place: most of such pairs decide one another."""
    places = list(OPERATOR.finditer(text))
    if not places:
        return f"not ({text})"
    place = source.choice(places)
    other = source.choice(["==", "!="] if place[1] in ("==", "!=") else ["<", "<=", ">", "=="])
    return f"{text[: place.start()]} {other} {text[place.end() :]}"


def conditions(seed: int, count: int = 4) -> list[str]:
    """Random conditions, each before its variation; both in a program of their own are right."""
    source = random.Random(seed)
    writer = Conditions(source)
    texts: list[str] = []
    while len(texts) < 2 * count:
        text = writer.condition()
        texts += [text, varied(source, text)]
    found = program(texts)
    if found is not None:
        return texts
    pairs = zip(texts[::2], texts[1::2], strict=True)
    return [text for pair in pairs if program(list(pair)) is not None for text in pair]


def wrong(seed: int, tries: int = 60) -> Iterator[str]:
    """What the decider says of random conditions and an input contradicts."""
    texts = conditions(seed)
    found = program(texts)
    if found is not None and texts:
        yield from judged(found, texts, random.Random(seed), tries)


def judged(found: p.Program, texts: list[str], source: random.Random, tries: int) -> Iterator[str]:
    nodes = [item.condition for item in found.pipelines["main"].block.items if _is_gate(item)]
    seen = _seen(found, nodes, source, tries)
    symbols = SymbolicExpressions(found)
    values = {q.name: one(symbols.free(q.name, q.type)) for q in found.pipelines["main"].parameters}
    formulas: list[Formula | None] = []
    for node in nodes:
        try:
            formulas.append(symbols.truth(node, values))
        except TooHard:
            formulas.append(None)
    for at, formula in enumerate(formulas):
        for holds in (True, False):
            if formula is None or not any(row[at] is holds for row in seen):
                continue
            if not _possible(symbols, [_signed(formula, holds)]):
                yield f"never {holds}: {texts[at]}"
    for i, k in zip(range(0, len(texts), 2), range(1, len(texts), 2), strict=False):
        first, second = formulas[i], formulas[k]
        for signs in itertools.product((True, False), repeat=2):
            if first is None or second is None:
                continue
            if not any(row[i] is signs[0] and row[k] is signs[1] for row in seen):
                continue
            parts = [_signed(first, signs[0]), _signed(second, signs[1])]
            if not _possible(symbols, parts):
                yield f"never {signs} together: {texts[i]}  AND  {texts[k]}"


def _is_gate(item: p.Item) -> bool:
    return isinstance(item, p.Gate)


def _signed(formula: Formula, holds: bool) -> Formula:
    return formula if holds else opposite(formula)


def _possible(symbols: SymbolicExpressions, parts: list[Formula]) -> bool:
    try:
        return possible(symbols.facts, parts, Work(20_000))
    except (TooHard, RecursionError):
        return True


def _seen(
    found: p.Program, nodes: list[expr.Expr], source: random.Random, tries: int
) -> list[tuple[bool | None, ...]]:
    """What the interpreter says of each condition, by input; None where one has no value."""
    patterns = Patterns(found.patterns)
    types = Types(patterns)
    functions: dict[str, Any] = {}
    expressions = Expressions(types, patterns.matches, functions)
    for function in found.functions.values():
        names = [one.name for one in function.parameters]
        body = function.body
        assert body is not None
        functions[function.name] = lambda *given, names=names, body=body: expressions.evaluate(
            body, dict(zip(names, given, strict=True))
        )
    rows = []
    parameters = found.pipelines["main"].parameters
    for _ in range(tries):
        given = inputs(source)
        try:
            values = {q.name: types.check(q.type, given[q.name]) for q in parameters}
        except Misfit:
            continue
        row: list[bool | None] = []
        for node in nodes:
            try:
                row.append(bool(expressions.evaluate(node, values)))
            except NoValue:
                row.append(None)
        rows.append(tuple(row))
    return rows
