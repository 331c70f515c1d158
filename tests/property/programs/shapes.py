"""The types that a program is about, and what its functions take and give."""

from __future__ import annotations

from .types import BOOL, DURATION, INT, JSON, MONEY, NUMBER, SHARE, TEXT, TIME, Type
from .world import World

LIST = Type("list", inner=Type("text", most=10), most=5)
MAP = Type("map", inner=Type("int", low=0, high=9), most=4)


def declare_types(world: World) -> dict[str, Type]:
    """The types of a program: what comes in, what goes out, and a confident answer."""
    pick = world.pick
    enums = [world.enum() for _ in range(pick.randint(2, 3))]
    for _ in range(pick.randint(1, 2)):
        world.patterns()
    inner = world.record([TEXT, BOOL, *pick.sample([SHARE, MONEY, enums[0], SMALL], 2)], True)
    pattern = pick.choice(world.names.patterns)
    asked = [
        Type("text", most=200, labels="untrusted"),
        Type("text", most=20, labels="private"),
        Type("text", most=20, optional=True, pattern=pattern),
        BOOL, enums[0], enums[1], SMALL, INT.maybe, LIST, MAP, inner, inner.maybe,
        Type("money", low=0, high=99), TIME.maybe, MONEY.maybe, JSON.maybe, SHARE, DURATION,
        Type("list", inner=inner, most=3), Type("list", inner=SMALL, most=4), enums[1].maybe,
        Type("int", low=-9, high=9), Type("text", most=30, labels="private secret"),
    ]  # fmt: skip
    first, rest = asked[:6], asked[6:]
    ticket = world.record([*first, *pick.sample(rest, pick.randint(6, len(rest)))], True)
    answer = world.record([Type("text", most=60), BOOL, enums[0], MONEY, TEXT.maybe], sure=True)
    return {"ticket": ticket, "answer": answer, "inner": inner, "enum": enums[0], "small": SMALL}


SMALL = Type("int", low=1, high=9)
SIGNATURES: tuple[tuple[list[Type], Type], ...] = (
    ([TEXT, INT], BOOL),
    ([SHARE], MONEY),
    ([INT, NUMBER], NUMBER),
    ([TIME, TIME], DURATION),
    ([MONEY, DURATION], BOOL),
    ([BOOL], INT),
    ([TEXT.maybe], TEXT),
    ([SMALL], SHARE),
)
