"""Random conditions over values of every type, as texts: what a plausible shortcut gets wrong."""

from __future__ import annotations

import random
import re

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
    "cs": "[money] max 3",
    "ns": "[number] max 2",
    "qs": "[probability] max 2",
    "fs": "[duration] max 2",
    "ks": "[Kind] max 2",
    "ls": "[Thing] max 2",
    "mp": "{text: int}",
    "a": "Thing",
    "l": "Thing",
    "oa": "Thing?",
    "j": "json",
    "jj": "json",
}
HEAD = """
enum Kind { low "Low!" mid high "2-high" }
type Inner { p "is-p": bool?  q: int }
type Thing { b: bool  o "an-o": int?  n "count": int  x: number  k "the kind": Kind?
  s: text max 3 tokens  c "n": money  i "inner": Inner }
patterns digits { "^[0-9]+$" }
fn pick(n: int) -> int = if n == 1 then 1 else if n == 2 then 2 else if n == 3 then 3 else 4
fn digits3(a: int, b: int, c: int) -> int = pick(a) * 100 + pick(b) * 10 + pick(c)
fn third(a: money) -> money = a / 3
fn half(a: number) -> number = a / 2
fn same(a: number) -> number = a
fn above(these: [int] max 9, least: int) -> [int] max 9 = [one for one in these if one > least]
fn made(a: bool, n: int) -> Inner = {p: a, q: n}
"""
PATHS = {
    "bool": ["b", "g", "a.b", "l.b", "made(b, n).q == 1"],
    "int": ["n", "m", "w", "v", "a.n", "l.n", "a.i.q", "len(xs)", "len(ys)", "len(s)", "len(i)"],
    "number": ["x", "y", "z", "a.x", "l.x"],
    "money": ["c", "d", "a.c", "l.c"],
    "probability": ["q", "r"],
    "duration": ["e", "f"],
    "time": ["t", "u"],
    "text": ["s", "i", "a.s", "l.s"],
    "Kind": ["k", "h"],
    "bool?": ["ob", "og", "a.i.p", "bs[0]", "bs[1]", "made(g, m).p"],
    "int?": [
        "on",
        "om",
        "a.o",
        "l.o",
        "xs[0]",
        "xs[1]",
        "ys[0]",
        "zs[0]",
        'mp["k"]',
        "(xs + ys)[1]",
    ],
    "number?": ["ox", "ns[0]"],
    "text?": ["os"],
    "Kind?": ["ok", "a.k", "l.k", "ks[0]"],
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
LISTS = {
    "int": ["xs", "ys"],
    "money": ["cs"],
    "number": ["ns"],
    "probability": ["qs"],
    "duration": ["fs"],
    "Kind": ["ks"],
    "bool": ["bs"],
}
"""Lists of parameters by the type of their elements."""


class Conditions:
    """Writes conditions. `inside` are the elements of the comprehensions around, by type."""

    def __init__(self, source: random.Random) -> None:
        self.pick = source
        self.inside: dict[str, list[str]] = {}

    def one_of(self, kind: str) -> str:
        options = PATHS.get(kind, [])
        near = self.inside.get(kind)
        if near and self.pick.random() < 0.6:
            return self.pick.choice(near)
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
        pick, whole = self.pick.choice, self.pick.choice(["w", "v", "len(xs)", "len(ks)"])
        little, many = pick(["0.1", "1.0", "5"]), pick(["3", "7"])
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
                f"sum([{money}, {self.one_of('money')}, -{money}]) == {self.one_of('money')}",
                f"sum(third(one) for one in [{money}, {money}, {money}]) == {money}",
                f"({whole} / {many} * {many}) {pick(['!=', '<'])} {whole}",
                f"(third({whole} * $1) * 3) {pick(['!=', '<'])} ({whole} * $1)",
                f"({whole} * 0.1 + v * 0.2) {pick(['==', '<'])} ({whole} / 10 + v / 5)",
                f"({whole} * $0.10 / {many}) {pick(['==', '>='])} (v * $0.30 / {many})",
                f"(len(xs + ys) - len(xs)) == len({self.pick.choice(['xs', 'ys'])})",
                f"(all(one == {digits[0]} for one in xs) and xs[0] != {digits[0]})",
            ]
        )

    def atom(self, depth: int) -> str:
        if self.pick.random() < 0.15:
            return self.tricky()
        roll = self.pick.random()
        if roll < 0.27:
            kind = self.pick.choice([*NUMERIC, "time", "number", "money", "int"])
            op = self.pick.choice(["<", "<=", ">", ">=", "==", "!="])
            return f"{self.quantity(kind, depth)} {op} {self.quantity(kind, depth)}"
        if roll < 0.32:
            op = self.pick.choice(["<", "<=", ">", "==", "!="])
            return f"{self.quantity('int', depth)} {op} {self.quantity('number', depth)}"
        if roll < 0.47:
            kind = self.pick.choice(["bool", "text", "Kind", "int", "number"])
            left = self.one_of(f"{kind}?")
            right = self.one_of(self.pick.choice([f"{kind}?", kind]))
            return f"{left} {self.pick.choice(['==', '!='])} {right}"
        if roll < 0.55:
            kind = self.pick.choice(["text", "Kind", "bool"])
            return f"{self.one_of(kind)} {self.pick.choice(['==', '!='])} {self.one_of(kind)}"
        if roll < 0.62:
            kind = self.pick.choice(["bool?", "int?", "Kind?", "text?", "json?", "number?"])
            return f"({self.pick.choice(PATHS[kind])}?)"
        if roll < 0.69:
            return self.json()
        if roll < 0.78:
            return self.collection()
        if roll < 0.92:
            return self.elements(depth)
        if roll < 0.95:
            path = self.pick.choice(["on", "om", "a.o", "l.o"])
            return f"({path}? and {path} {self.pick.choice(['<', '>='])} {self.one_of('int')})"
        if roll < 0.97:
            return f"{self.one_of('text')} matches digits"
        return self.one_of("bool")

    def json(self) -> str:
        kinds = ["json?", "json?", "json", "bool", "int", "text", "number", "Kind", "int?", "money"]
        left, right = self.one_of("json?"), self.one_of(self.pick.choice(kinds[:-1]))
        return f"{left} {self.pick.choice(['==', '!='])} {right}"

    def collection(self) -> str:
        return self.pick.choice(
            [
                f"{self.one_of('int')} in {self.whole()}",
                f"{self.one_of('int?')} in zs",
                f"{self.one_of('int?')} in [1, {self.one_of('int')}]",
                f"{self.one_of('text')} in mp",
                f"{self.one_of('list')} == {self.whole()}",
                f"{self.whole()} == {self.whole()}",
                f"{self.whole()} == []",
                f"xs == [{self.one_of('int')}, {self.one_of('int')}]",
                "a == l",
                "oa == a",
                "a.i == l.i",
                f"made({self.one_of('bool')}, {self.one_of('int')}) == a.i",
                "(oa?)",
                f"(oa? and oa.b == {self.one_of('bool')})",
                f"(oa? and oa.o == {self.one_of('int?')})",
            ]
        )

    # --------------------------------------------------------------------------------- elements

    def whole(self, depth: int = 2) -> str:
        """A list of whole numbers."""
        roll = self.pick.random()
        if depth <= 0 or roll < 0.4:
            return self.one_of("list")
        below = depth - 1
        if roll < 0.55:
            return f"({self.whole(below)} + {self.whole(below)})"
        if roll < 0.63:
            return f"[{', '.join(self.one_of('int') for _ in range(self.pick.choice([1, 2, 3])))}]"
        if roll < 0.68:
            return f"above({self.whole(below)}, {self.one_of('int')})"
        if roll < 0.71:
            return "first(xs, 2)"
        if roll < 0.76:
            return f"[it{depth}.{self.pick.choice(['n', 'i.q'])} for it{depth} in ls]"
        return f"[{self.over(f'it{depth}', self.whole(below), self.number_of, 'int')}]"

    def number_of(self) -> str:
        near = self.pick.choice(self.inside["int"])
        return self.pick.choice([near, near, f"({near} + {self.one_of('int')})", f"({near} * 2)"])

    def over(self, name: str, collection: str, item: object, kind: str) -> str:
        """`ITEM for NAME in COLLECTION`, sometimes with a condition."""
        assert callable(item)
        self.inside.setdefault(kind, []).append(name)
        made = item()
        test = f" if {self.test_of(kind)}" if self.pick.random() < 0.4 else ""
        self.inside[kind].remove(name)
        return f"{made} for {name} in {collection}{test}"

    def test_of(self, kind: str) -> str:
        """A condition on an element."""
        near = self.pick.choice(self.inside[kind])
        if kind == "bool":
            return self.pick.choice([near, f"not {near}", f"{near} == {self.one_of('bool')}"])
        if kind == "Kind":
            return f"{near} {self.pick.choice(['==', '!='])} {self.one_of('Kind')}"
        if kind == "int" and self.pick.random() < 0.2:
            return self.pick.choice([f"{near} in ys", f"{near} == on", f"({near} / 3) < x"])
        op = self.pick.choice(["<", "<=", ">", ">=", "==", "!="])
        return f"{near} {op} {self.one_of(kind)}"

    def elements(self, depth: int) -> str:
        """A condition over the elements of a list."""
        kind = self.pick.choice(["int", "int", "int", *LISTS])
        collection = self.whole() if kind == "int" else self.pick.choice(LISTS[kind])
        written = [self.one_of(kind) for _ in range(self.pick.choice([1, 2, 3]))]
        if self.pick.random() < 0.3 or not LISTS.get(kind):
            collection = f"[{', '.join(written)}]"
        roll = self.pick.random()
        word = self.pick.choice(["any", "all"])
        if roll < 0.4:
            name = self.pick.choice(["el", "item"])
            return f"{word}({self.over(name, collection, lambda: self.test_of(kind), kind)})"
        if roll < 0.5:
            test = self.pick.choice(
                [
                    "at.b",
                    "(at.o?)",
                    f"at.n == {self.one_of('int')}",
                    f"at.c > {self.one_of('money')}",
                ]
            )
            return f"{word}({test} for at in ls)"
        if roll < 0.55:
            both = f"[b, {self.one_of('bool')}]"
            return f"{word}({self.pick.choice(['bs', both])})"
        op = self.pick.choice(["<", "<=", ">", "==", "!="])
        if roll < 0.75:
            kind = self.pick.choice(["int", "money", "number", "duration"])
            return f"{self.total(kind)} {op} {self.quantity(kind, depth - 1)}"
        if roll < 0.85:
            length = f"len({self.whole()})"
            return f"{length} {op} {self.pick.choice(['0', '1', f'len({self.whole()})'])}"
        least = self.pick.choice(["min", "max"])
        if roll < 0.9:
            return f"({least}({self.whole()})?)"
        if roll < 0.95:
            return f"{least}({self.whole()}) {self.pick.choice(['==', '!='])} {self.one_of('int')}"
        return f"{least}(cs) {self.pick.choice(['==', '!='])} {self.one_of('money')}"

    def total(self, kind: str) -> str:
        """A sum over elements."""
        collection = self.whole() if kind == "int" else self.pick.choice(LISTS[kind])
        if self.pick.random() < 0.35:
            written = [self.one_of(kind) for _ in range(self.pick.choice([1, 2, 3]))]
            collection = f"[{', '.join(written)}]"
        if kind == "money" and self.pick.random() < 0.3:
            return "sum(thing.c for thing in ls)"
        if self.pick.random() < 0.4:
            return f"sum({collection})"

        def item() -> str:
            near = self.pick.choice(self.inside[kind])
            more = [f"({near} * 2)", f"({near} + {self.one_of(kind)})"]
            more += [f"third({near})"] if kind == "money" else []
            more += [f"({near} / 3)"] if kind != "int" else []
            return self.pick.choice([near, *more])

        return f"sum({self.over('part', collection, item, kind)})"

    # -------------------------------------------------------------------------------- quantities

    def quantity(self, kind: str, depth: int) -> str:
        roll = self.pick.random()
        make = self.quantity
        below = depth - 1
        if kind == "time":
            return (
                self.one_of(kind)
                if roll < 0.8
                else f"({self.one_of(kind)} + {make('duration', 0)})"
            )
        if kind == "duration" and roll > 0.92:
            return "(t - u)"
        if depth <= 0 or roll < 0.45:
            return self.one_of(kind)
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
                    [f"(-{make('int', below)})", "round(x)", self.total("int"), "pick(n)"]
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
                        self.total("number"),
                    ]
                )
            case "money" | "duration":
                options = [
                    f"({make(kind, below)} * {make('number', below)})",
                    f"({make(kind, below)} * {self.one_of('int')})",
                    f"({make('probability', 0)} * {make(kind, below)})",
                    f"({make(kind, below)} / {self.pick.choice(['3', '7', 'v'])})",
                    f"(-{make(kind, below)})",
                    self.total(kind),
                ]
                if kind == "money":
                    options += [f"third({make('money', below)})"] * 2
                return self.pick.choice(options)
            case _:
                return f"({make(kind, below)} * {make(kind, below)})"


OPERATOR = re.compile(r" (<|<=|>|>=|==|!=) ")


def varied(source: random.Random, text: str) -> str:
    """The condition with another operator in one place: most of such pairs decide one another."""
    places = list(OPERATOR.finditer(text))
    if not places:
        return f"not ({text})"
    place = source.choice(places)
    other = source.choice(["==", "!="] if place[1] in ("==", "!=") else ["<", "<=", ">", "=="])
    return f"{text[: place.start()]} {other} {text[place.end() :]}"
