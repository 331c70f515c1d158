"""The programs that are measured: long texts, chains, fans, series-parallel graphs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

DATA = Path(__file__).resolve().parent / "data"
DESK = DATA / "desk.pipe"


# ------------------------------------------------------------------------------------- checking


def with_a_mistake() -> str:
    """The desk with a unit that doesn't fit, so that a check ends with what it found."""
    return _replaced(DESK.read_text(encoding="utf-8"), "timeout  10s", "timeout  $5")


def counted() -> str:
    """The desk with shares that were counted, so that a report has a posterior to sample."""
    text = _replaced(DESK.read_text(encoding="utf-8"), "accuracy 93%", "accuracy 372 of 400")
    return _replaced(text, "accuracy    90%", "accuracy    180 of 200")


def _replaced(text: str, old: str, new: str) -> str:
    assert old in text, f"desk.pipe has no {old!r} any more"
    return text.replace(old, new)


# -------------------------------------------------------------------------------------- parsing


def long_text(lines: int) -> str:
    """The desk over and over. Parsing doesn't mind that the names come again.

    lark's lexer takes every keyword for one, where our words are soft, so names that are keywords
    elsewhere (a field `cost`) get an underscore here: everybody parses the same text.
    """
    text = _plain_words(DESK.read_text(encoding="utf-8"))
    return text * -(-lines // text.count("\n"))


def _plain_words(text: str) -> str:
    from pipelang.diagnostics import Source
    from pipelang.syntax.parse import SHIFT_AS_NAME, parse

    parsed = parse(Source("desk.pipe", text))
    shifts = [entry for entry in parsed.derivation if entry < 0]
    parts, last = [], 0
    for token, shift in zip(parsed.tokens.tokens, shifts, strict=False):
        # A derivation's rules are below SHIFT too, as the automaton numbers them from 0 upwards.
        if shift == SHIFT_AS_NAME:
            parts += [text[last : token.end], "_"]
            last = token.end
    return "".join([*parts, text[last:]])


# -------------------------------------------------------------------------------------- running

_TOOL = """tool noop(x: int) -> int {
  python "noops:noop"
  effect pure
}
"""


def chain(steps: int, by: Literal["tool", "value"]) -> str:
    """Steps that each read the one before."""
    lines = [_TOOL, "pipeline main(x: int) -> int {"]
    before = "x"
    for index in range(steps):
        action = f"call noop({before})" if by == "tool" else before
        lines.append(f"  step s{index} = {action}")
        before = f"s{index}"
    return "\n".join([*lines, f"  return {before}", "}", ""])


def fan_out(steps: int) -> str:
    """Steps side by side, and one that reads them all."""
    lines = [_TOOL, "pipeline main(x: int) -> int {"]
    lines += [f"  step s{index} = call noop(x)" for index in range(steps)]
    # In lets of ten: an expression may be 100 deep.
    sums = []
    for start in range(0, steps, 10):
        names = (f"s{index}" for index in range(start, min(steps, start + 10)))
        lines.append(f"  let t{start} = {' + '.join(names)}")
        sums.append(f"t{start}")
    return "\n".join([*lines, f"  return {' + '.join(sums)}", "}", ""])


# ------------------------------------------------------------------------------------ analysing

SUCCEEDS, ACCURACY, CATCHES, FALSE_ALARMS, COST = 0.999999, 0.999999, 0.0001, 0.000001, 0.0001


@dataclass(frozen=True, slots=True)
class Instruction:
    """A step that is right if all that it `reads` is, or a gate over what it reads."""

    kind: Literal["step", "gate"]
    name: str
    reads: tuple[str, ...]


def series_parallel(steps: int, seed: int = 1) -> list[Instruction]:
    """A random series-parallel graph of steps, cut by gates into regions of about a dozen steps.

    Forks stand in forks, three deep at most, so a handful of values is alive at a time.
    """
    chance = random.Random(seed)
    made: list[Instruction] = []

    steps_made = [0]

    def step(*reads: str) -> str:
        name = f"s{steps_made[0]}"
        steps_made[0] += 1
        made.append(Instruction("step", name, tuple(dict.fromkeys(reads))))
        return name

    def part(source: str, depth: int) -> str:
        if depth < 3 and chance.random() < 0.5:
            left, right = part(source, depth + 1), part(source, depth + 1)
            return step(left, right)
        return step(step(source)) if chance.random() < 0.5 else step(source)

    last = "x"
    while steps_made[0] < steps:
        last = part(part(last, 0), 0)
        made.append(Instruction("gate", f"g{steps_made[0]}", (last,)))
    return made


def as_pipe(graph: list[Instruction]) -> str:
    """A graph in our language: tools that may fail and err, gates that miss and cry wolf."""
    options = (
        f'{{ python "noops:noop" effect read succeeds {_percent(SUCCEEDS)} '
        f"accuracy {_percent(ACCURACY)} cost ${COST:.4f} }}"
    )
    lines = [
        f"tool one(a: int) -> int {options}",
        f"tool two(a: int, b: int) -> int {options}",
        "role desk { }",
        "pipeline main(x: int) -> int {",
    ]
    for one in graph:
        if one.kind == "step":
            tool = "one" if len(one.reads) == 1 else "two"
            lines.append(f"  step {one.name} = call {tool}({', '.join(one.reads)})")
        else:
            rates = f"catches {_percent(CATCHES)} false_alarms {_percent(FALSE_ALARMS)}"
            lines.append(f"  gate {one.name}: {one.reads[0]} > 0 {{ {rates} }}")
            lines.append("    else escalate to desk")
    return "\n".join([*lines, f"  return {graph[-1].reads[0]}", "}", ""])


def with_own_rates(graph: list[Instruction], seed: int = 7) -> str:
    """A graph in which every step has a tool, and every gate rates, of its own."""
    chance = random.Random(seed)
    tools, lines = [], ["role desk { }", "pipeline main(x: int) -> int {"]
    for one in graph:
        if one.kind == "step":
            given = ", ".join(f"{name}: int" for name in "ab"[: len(one.reads)])
            rates = [_percent(1 - chance.random() * 1e-5) for _ in range(2)]
            cost = chance.randint(1, 900) / 1e5
            tools.append(
                f'tool t_{one.name}({given}) -> int {{ python "noops:noop" effect read '
                f"succeeds {rates[0]} accuracy {rates[1]} cost ${cost:.5f} }}"
            )
            lines.append(f"  step {one.name} = call t_{one.name}({', '.join(one.reads)})")
        else:
            catches, alarms = _percent(chance.random() * 1e-3), _percent(chance.random() * 1e-5)
            rates_of_gate = f"{{ catches {catches} false_alarms {alarms} }}"
            lines.append(f"  gate {one.name}: {one.reads[0]} > 0 {rates_of_gate}")
            lines.append("    else escalate to desk")
    return "\n".join([*tools, *lines, f"  return {graph[-1].reads[0]}", "}", ""])


def _percent(share: float) -> str:
    return f"{share * 100:.6f}".rstrip("0").rstrip(".") + "%"
