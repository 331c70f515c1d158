"""Values for random conditions: the ones on which arithmetic rounds, values are absent and JSON is
something else than expected.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.runtime.engine.values import Misfit, Types
from pipelang.semantics import program as p

from .conditions import PARAMETERS

INTS = [-1, 0, 0, 1, 1, 2, 3, 7, 100, 101, 2**53, 2**53 + 1, 10**17, -(2**53) - 1]
FLOATS = [0.0, 0.1, 0.2, 0.3, 0.5, 1.0, 1.0, 3.0, 1e17, 1e308, -1e308, 5e-324, 1e-323, -0.1, 1 / 3]
FLOATS += [2.0**53, 2.0**53 + 2, 0.30000000000000004, 9.999999999999999e22, 0.6, -0.0]
MONEY = ["0", "0.01", "1", "1", "100", "100", "33.33", "-1", "1e17", "1e27", "1e28", "1e-30"]
MONEY += ["0.3333333333333333333333333333", "33.33333333333333333333333333", "1e-27", "7"]
MONEY += ["1.0000000000000000000000000000001", "99.99999999999999999999999999999999"]
SHARES = ["0", "0.5", "0.7", "1", "0.3333333333333333333333333333", "1e-29"]
TEXTS = ["", "a", "12", "longer text", "ab", "Low!"]
KINDS = ["Low!", "mid", "2-high"]
JSONS: list[Any] = [None, {}, True, 1, "a", [True], [1], {"x": True}, {"x": False}, {"x": 1}]
JSONS += [{"x": None, "y": 0}, {"x": "a", "y": "a"}, {"x": 1.0, "y": 1}, {"x": [1], "y": [True]}]
JSONS += [{"x": 0.1, "y": "low"}, {"x": "Low!", "y": True}, {"x": {"x": 1}, "y": None}]
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
MANY = 48
"""Records and lists that are drawn for each parameter."""


class Inputs:
    """Values of the parameters of a pipeline, checked once, from which rows are drawn: several
    parameters of a type often have the same value.
    """

    def __init__(self, types: Types, parameters: tuple[p.Parameter, ...]) -> None:
        source = random.Random(0)
        self.pools: dict[str, list[Any]] = {}
        self.alike: dict[str, list[str]] = {}
        for one in parameters:
            pool = []
            for value in candidates(source, _shown(one)):
                try:
                    pool.append(types.check(one.type, value))
                except Misfit:
                    continue
            assert pool, one.name
            self.pools[one.name] = pool
            if _shown(one) == PARAMETERS[one.name].split(" max 3")[0]:  # any value of the type fits
                self.alike.setdefault(_shown(one).removesuffix("?"), []).append(one.name)

    def draw(self, source: random.Random, near: frozenset[str]) -> Mapping[str, Any]:
        """A row; only what is `near`, the values that are read, is drawn."""
        row = {name: source.choice(self.pools[name]) for name in sorted(near)}
        if source.random() < 0.5:
            for names in self.alike.values():
                own = [name for name in names if name in row]
                if len(own) > 1:
                    first, second = source.sample(own, 2)
                    if row[second] is not None:
                        row[first] = row[second]
        return row


def _shown(one: p.Parameter) -> str:
    """The type of a parameter, without limits."""
    return PARAMETERS[one.name].split(" max ")[0].split(" in ")[0]


def candidates(source: random.Random, kind: str) -> list[Any]:
    """Raw values of a type, JSON-like, by its name."""
    if kind.endswith("?"):
        inner = candidates(source, kind[:-1])
        return [*([None] * (len(inner) // 2 + 1)), *inner]
    if kind.startswith("["):
        small = _few(source, kind[1:-1])
        lists = [[source.choice(small) for _ in range(source.randrange(4))] for _ in range(MANY)]
        return [[], *([one] for one in small), *lists]
    match kind:
        case "bool":
            return [True, False]
        case "int":
            return [*INTS, *range(11)]
        case "number":
            return [*FLOATS, 10.0, *(source.uniform(-2, 2) for _ in range(6))]
        case "money" | "duration":
            return [Decimal(one) for one in MONEY]
        case "probability":
            return [Decimal(one) for one in SHARES]
        case "time":
            return [NOW + datetime.timedelta(seconds=at) for at in range(3)]
        case "text":
            return TEXTS
        case "Kind":
            return KINDS
        case "json":
            return JSONS
        case "{text: int}":
            return [{}, {"k": 0}, {"k": 1}, {"a": 1}, {"": 0}, {"a": 0, "k": 1}]
        case "Thing":
            return [thing(source) for _ in range(MANY)]
        case _:
            raise AssertionError(kind)


def _few(source: random.Random, kind: str) -> list[Any]:
    """Values of elements: few, so that lists are often equal."""
    match kind:
        case "int":
            return [0, 1, 2]
        case "int?":
            return [None, 0, 1]
        case _:
            return candidates(source, kind)


def thing(source: random.Random) -> dict[str, Any]:
    """A record, by the outer names of its fields."""

    def maybe(value: Any) -> Any:
        return None if source.random() < 0.4 else value

    return {
        "b": source.random() < 0.5,
        "an-o": maybe(source.choice([0, 1, 2])),
        "n": Decimal(source.choice(MONEY)),
        "count": source.choice([0, 1, 2]),
        "x": source.choice(FLOATS),
        "the kind": maybe(source.choice(KINDS)),
        "s": source.choice(TEXTS[:3]),
        "inner": {"is-p": maybe(source.random() < 0.5), "q": source.choice([0, 1])},
    }
