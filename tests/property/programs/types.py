"""Types of generated programs, and the constants of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

from .writing import slip


@dataclass(frozen=True)
class Type:
    """A type. `most` bounds a text (in tokens), a list or a map, `low` and `high` a quantity."""

    kind: str
    name: str = ""
    inner: Type | None = None
    most: int | None = None
    low: int | None = None
    high: int | None = None
    optional: bool = False
    labels: str = ""
    pattern: str = ""

    @property
    def here(self) -> Type:
        return replace(self, optional=False)

    @property
    def maybe(self) -> Type:
        return replace(self, optional=True)


@dataclass(frozen=True)
class Field:
    name: str
    type: Type
    has_default: bool = False


@dataclass
class Types:
    """The enums and records that there are."""

    members: dict[str, list[str]] = field(default_factory=dict)
    fields: dict[str, list[Field]] = field(default_factory=dict)


TEXT, INT, NUMBER, BOOL = Type("text", most=40), Type("int"), Type("number"), Type("bool")
SHARE, MONEY, TIME, JSON = Type("probability"), Type("money"), Type("time"), Type("json")
DURATION = Type("duration")
SCALARS = (TEXT, INT, NUMBER, BOOL, SHARE, MONEY, DURATION)
ORDERED = ("int", "number", "probability", "money", "duration", "time")

_UNITS = {"int": "{}", "number": "{}.5", "probability": "{}%", "money": "${}", "duration": "{}s"}


def bound(kind: str, value: int) -> str:
    """A literal of a quantity's type."""
    text = _UNITS[kind].format(abs(value))
    return f"-{text}" if value < 0 else text


def written(type: Type) -> str:
    """The type as it stands in a file."""
    match type.kind:
        case "list":
            assert type.inner is not None
            core = f"[{written(type.inner)}]"
        case "map":
            assert type.inner is not None
            core = f"{{text: {written(type.inner)}}}"
        case "enum" | "record":
            core = type.name
        case _:
            core = type.kind
    core += "?" * type.optional
    if type.most is not None:
        core += f" max {type.most}{' tokens' * (type.kind == 'text')}"
    if type.low is not None and type.high is not None:
        core += f" in {bound(type.kind, type.low)}..{bound(type.kind, type.high)}"
    if type.pattern:
        core += f" matches {type.pattern}"
    return f"{type.labels} {core}" if type.labels else core


def fits(found: Type, expected: Type) -> bool:
    """Whether a value can stand where another is expected, ranges kept."""
    if found.optional and not expected.optional:
        return False
    if (found.kind, expected.kind) != ("int", "number"):
        if found.kind != expected.kind or found.name != expected.name:
            return False
        if expected.inner is not None:
            assert found.inner is not None
            if not fits(found.inner, expected.inner):
                return False
    if expected.low is None or expected.high is None:
        return True
    if found.low is None or found.high is None:
        return False
    return found.low >= expected.low and found.high <= expected.high


WORDS = ("billing", "legal", "login", "a late parcel", "two words", "it broke", "hello there")


def constant(pick: Random, types: Types, type: Type, depth: int = 3) -> str:
    """A value of a type that is known before anything runs."""
    if type.optional and (depth <= 0 or type.kind == "time" or pick.random() < 0.3):
        return "none"
    match type.kind:
        case "text":
            return slip("wrong type", f'"{pick.choice(WORDS)}"', "70%")
        case "bool":
            return slip("wrong type", pick.choice(("true", "false")), "3")
        case "json":
            return pick.choice(('{a: 1, b: "x"}', "[1, true]", '"x"', "3"))
        case "enum":
            members = types.members[type.name]
            return slip("unknown member", pick.choice(members), f"{members[0]}_no_more")
        case "record":
            return record(pick, types, type, lambda one: constant(pick, types, one, depth - 1))
        case "list":
            assert type.inner is not None
            count = pick.randrange(0, min(3, type.most or 3)) if depth > 0 else 0
            parts = [constant(pick, types, type.inner, depth - 1) for _ in range(count)]
            return slip("wrong type", f"[{', '.join(parts)}]", "$1")
        case "map":
            assert type.inner is not None
            value = constant(pick, types, type.inner, depth - 1)
            return slip("double key", f'{{"a": {value}}}', f'{{"a": {value}, "a": {value}}}')
        case kind:
            return quantity(pick, type, kind)


def quantity(pick: Random, type: Type, kind: str) -> str:
    low = 1 if type.low is None else type.low
    high = 90 if type.high is None else type.high
    high -= kind == "number" and high > low  # a half is added to it
    value = bound(kind, pick.randint(low, high))
    right = slip("wrong unit", value, '"x"')
    if type.high is not None and kind != "number":
        right = slip("out of range", right, bound(kind, type.high + 1))
    return f"({right})" if value.startswith("-") else right


def record(pick: Random, types: Types, type: Type, value: object) -> str:
    """A record written down; `value` gives the words of a field by its type."""
    assert callable(value)
    given = []
    for one in types.fields[type.name]:
        if (one.has_default or one.type.optional) and pick.random() < 0.4:
            continue
        given.append((one, f"{one.name}: {value(one.type)}"))
    needed = [at for at, (one, _) in enumerate(given) if not (one.has_default or one.type.optional)]
    words = ", ".join(part for _, part in given)
    right = slip("unknown part", f"{{{words}}}", f"{{{words}, nothing_at_all: 1}}")
    if needed:
        left = [part for at, (_, part) in enumerate(given) if at != needed[0]]
        right = slip("missing part", right, f"{{{', '.join(left)}}}")
        twice = [*(part for _, part in given), given[needed[0]][1]]
        right = slip("double part", right, f"{{{', '.join(twice)}}}")
    return right
