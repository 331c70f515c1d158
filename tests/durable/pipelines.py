"""Pipelines with effects, at random, on the tools of `acting`."""

from __future__ import annotations

from decimal import Decimal
from random import Random

from .acting import PIPE

STEPS = {
    "pay": 'step NAME = call pay(IN) else fail "NAME"',
    "put": 'step NAME = call put(IN) else fail "NAME"',
    "look": 'step NAME = call look(IN) else "nothing"',
    "each": 'step NAMEe: [text?] max 3 = each y in ["a", IN, "c"] { call pay(y) } { need any }'
    ' else fail "NAME"\n  let NAME = IN',
    "ordered": 'step NAMEe: [text?] max 2 = each y in ["a", IN] ordered { call pay(y) }'
    ' { need any } else fail "NAME"\n  let NAME = IN',
    "inner": 'step NAME = run inner(IN) else fail "NAME"',
    "when": 'when IN != "q" { step NAMEw = call pay(IN) else fail "NAME" }\n  let NAME = IN',
    "route": 'step NAME = match IN { "q" => call look(IN) else => call pay(IN) } else fail "NAME"',
    "remember": 'remember seen("k") = IN\n  let NAME = IN',
    "approve": 'approve NAMEa by boss within 1h showing IN else reject "no"\n  let NAME = IN',
}

HEAD = "memory seen(key: text) -> [text max 400 tokens] max 50 { keeps 1d }\n"


TIGHT = Decimal("0.00008")


def text_of(luck: Random, tight: bool = False) -> str:
    """A program with the pipelines of `acting` and one more, `made`, of 3 to 6 steps; a `tight` one
    may spend `TIGHT` dollars, which may be too few.
    """
    lines, at = [], "x"
    for number in range(luck.randint(3, 6)):
        name = f"s{number}"
        step = STEPS[luck.choice(list(STEPS))]
        lines.append("  " + step.replace("NAME", name).replace("IN", luck.choice(("x", at))))
        at = name
    body = "\n".join(lines)
    limit = TIGHT if tight else Decimal(1)
    made = (
        f"pipeline made(x: text) -> text {{\n  budget ${limit}, 600s\n{body}\n  return {at}\n}}\n"
    )
    return PIPE.replace("\nrole boss", "\n" + HEAD + "role boss", 1) + made
