"""The programs whose analysis could grow faster than their text: a text for every size.

Each shape once took seconds, gigabytes, or crashed. `benchmarks.growth` measures them, and
`tests/unit/analysis/test_growth.py` counts their work.
"""

from __future__ import annotations

import random
from collections.abc import Callable

HELP = "role help { }\n"


def _tool(name: str, reads: int = 1, numbers: str = "succeeds 99% accuracy 97%") -> str:
    parameters = ", ".join(f"a{number}: int" for number in range(reads))
    return f'tool {name}({parameters}) -> int {{ python "m:f" effect read {numbers} }}\n'


def _main(lines: list[str], result: str, result_type: str = "int", extra: str = "") -> str:
    body = "".join(f"  {line}\n" for line in lines)
    return f"pipeline main(x: int{extra}) -> {result_type} {{\n{body}  return {result}\n}}\n"


def counted(size: int) -> str:
    """Counted tools side by side in one region, and one that reads them all."""
    tools = [
        _tool(f"t{number}", numbers=f"succeeds 99% accuracy {90 + number % 9} of 100")
        for number in range(size)
    ]
    lines = [f"step s{number} = call t{number}(x)" for number in range(size)]
    reads = ", ".join(f"s{number}" for number in range(size))
    lines.append(f"step joined = call all({reads})")
    return "".join([*tools, _tool("all", size), _main(lines, "joined")])


def chain(size: int) -> str:
    """A chain of tools that take time, without a gate: a wrong value goes on to the end."""
    lines, before = [], "x"
    for number in range(size):
        lines.append(f"step s{number} = call one({before})")
        before = f"s{number}"
    numbers = "succeeds 99% accuracy 97% latency 1s median, 3s p95 timeout 20s"
    return _tool("one", numbers=numbers) + _main(lines, before)


def doubled(size: int) -> str:
    """`let`s that each mention the one before twice."""
    lines = ["step s = call one(x)", "let b0 = s + 1"]
    lines += [f"let b{number + 1} = b{number} + b{number}" for number in range(size)]
    lines.append(f"gate big: b{size} > 3 else escalate to help")
    return HELP + _tool("one") + _main(lines, "s")


def redone(size: int) -> str:
    """Steps, and a gate that redoes the first by an input that nobody declared anything about."""
    lines, before = [], "x"
    for number in range(size):
        lines.append(f"step s{number} = call one({before})")
        before = f"s{number}"
    lines.append(f"gate good: strict and {before} > 2 else redo s0 up to 2 else escalate to help")
    return HELP + _tool("one") + _main(lines, before, extra=", strict: bool")


def window(size: int, near: int = 14) -> str:
    """Steps that each read two of the `near` before them."""
    chance = random.Random(7)
    lines = [f"step s{number} = call one(x)" for number in range(near)]
    for number in range(near, size):
        first, second = sorted(chance.sample(range(number - near, number), 2))
        lines.append(f"step s{number} = call two(s{first}, s{second})")
    return _tool("one") + _tool("two", 2) + _main(lines, f"s{size - 1}")


def gates(size: int) -> str:
    """Steps in a row, each behind a gate whose catches nobody declared."""
    lines, before = [], "x"
    for number in range(size):
        lines.append(f"step s{number} = call one({before})")
        before = f"s{number}"
        gate = f"gate g{number}: {before} > {number}"
        lines.append(f"{gate} {{ false_alarms 20% }} else escalate to help")
    return HELP + _tool("one") + _main(lines, before)


def templated(size: int) -> str:
    """A template that goes through a list of many elements."""
    cells = ", ".join(str(number % 10) for number in range(size))
    template = "{% set cells = [" + cells + "] %}{% for one in cells %}{{ one + x }}{% endfor %}"
    return (
        "provider local { kind anthropic }\n"
        'tier small { provider local model "m" price $1 in, $2 out }\n'
        f'prompt say(x: int) {{\n  user """{template}"""\n}}\n'
        + _main(["step s: text max 50 tokens = ask say(x) by small"], "s", "text")
    )


def branched(size: int) -> str:
    """Branches, each on a comparison of its own."""
    lines = ["let big = x > 3"]
    for number in range(size):
        lines.append(f"step s{number} = call one(x + {number})")
        lines.append(f"when s{number} > {number} {{ step w{number} = call one(s{number}) }}")
    return _tool("one") + _main(lines, f"s{size - 1}")


SHAPES: dict[str, Callable[[int], str]] = {
    "counted": counted,
    "chain": chain,
    "doubled": doubled,
    "redone": redone,
    "window": window,
    "gates": gates,
    "templated": templated,
    "branched": branched,
}
