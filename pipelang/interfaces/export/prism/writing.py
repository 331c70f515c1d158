"""A finished model as text in PRISM's language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from pipelang.diagnostics.columns import harmless
from pipelang.interfaces.export.prism.constants import Constant, identifier
from pipelang.interfaces.export.prism.formulas import Formula
from pipelang.interfaces.export.prism.machine import Command, Machine, PrismUpdate, TakenNames
from pipelang.interfaces.export.prism.translation import EFFECT, Translation
from pipelang.semantics.metrics import OUTCOMES, SUCCESS

COUNTER = "place"


def written(t: Translation, commands: Sequence[Command], endings: dict[str, int]) -> str:
    """The model; `commands` are those of its machine, with what is dead forgotten."""
    numbers = _numbers(t, commands, endings)
    commands = [_renumbered(command, numbers) for command in commands if command.place in numbers]
    endings = {name: numbers[place] for name, place in endings.items()}
    headings = {numbers[at]: text for at, text in t.machine.headings.items() if at in numbers}
    first = min(endings.values(), default=len(numbers))
    lines = [
        f"// pipeline {t.root.pipeline.name} of {_one_line(t.program.file)}, written by pipelang",
        f"// {t.program.hash}",
        "//",
        f'// P=? [ F "{SUCCESS}" ], or another label below; R{{"cost"}}=? [ F "done" ]',
        "",
        "dtmc",
        "",
        *map(_constant, _used(t, commands)),
        "",
        f"module {identifier(t.root.pipeline.name)}_run",
        *_variables(t.machine, commands, numbers),
        *_commands(commands, headings),
        f"  [] {COUNTER}>={first} -> true;",
        "endmodule",
        "",
        *_labels(t.machine, numbers, endings),
        "",
        *_rewards(t, numbers),
    ]
    return "\n".join(lines) + "\n"


def _used(t: Translation, commands: Sequence[Command]) -> Iterator[Constant]:
    """The constants that some command mentions, in the order of the pipeline."""
    shares = {share for command in commands for share, _ in command.moves}
    words = {word for share in shares for word in re.findall(r"\w+", share)}
    return (constant for constant in t.constants.made.values() if constant.name in words)


def _constant(constant: Constant) -> str:
    value = "" if constant.value is None else f" = {constant.value}"
    note = constant.note if constant.value is not None else f"{constant.note}: nobody declared it"
    return f"const double {constant.name}{value}; // {_one_line(note)}"


def _numbers(
    t: Translation, commands: Sequence[Command], endings: Mapping[str, int]
) -> dict[int, int]:
    """The places that can be reached, numbered as they are printed: the ends of runs last."""
    ways: dict[int, set[int]] = {}
    for command in commands:
        ways.setdefault(command.place, set()).update(move.to for _, move in command.moves)
    reached, waiting = {0, *endings.values()}, [0]
    while waiting:
        new = ways.get(waiting.pop(), set()) - reached
        reached |= new
        waiting.extend(new)
    last = {t.root.finish: 1, **dict.fromkeys(endings.values(), 2)}
    ordered = sorted(reached, key=lambda place: (last.get(place, 0), place))
    return {place: number for number, place in enumerate(ordered)}


def _renumbered(command: Command, numbers: Mapping[int, int]) -> Command:
    moves = tuple((share, PrismUpdate(numbers[m.to], m.sets)) for share, m in command.moves)
    return Command(numbers[command.place], command.guard, moves)


def _variables(
    machine: Machine, commands: Sequence[Command], numbers: Mapping[int, int]
) -> Iterator[str]:
    yield f"  {COUNTER} : [0..{len(numbers) - 1}] init 0;"
    used = set(machine.kept)
    for reward in machine.rewards:
        used |= reward.guard.reads if reward.place in numbers else set()
    for command in commands:
        used |= command.guard.reads
        for _, move in command.moves:
            used |= move.sets.keys()
    for one in machine.variables.values():
        if one.name in used:
            head = f"  {one.name} : [0..{one.highest}] init {one.initial};"
            yield f"{head} // {_one_line(one.note)}"


def _commands(commands: Sequence[Command], headings: Mapping[int, str]) -> Iterator[str]:
    by_place: dict[int, list[Command]] = {}
    for command in commands:
        by_place.setdefault(command.place, []).append(command)
    for place in sorted(by_place):
        if place in headings:
            yield ""
            yield f"  // {_one_line(headings[place])}"
        yield from map(_command, by_place[place])


def _command(command: Command) -> str:
    guard = f"{COUNTER}={command.place}"
    if command.guard.text != "true":
        text = command.guard.text
        guard += f" & ({text})" if " | " in text else f" & {text}"
    moves = (_move(share, move, command) for share, move in command.moves)
    return f"  [] {guard} -> {' + '.join(moves)};"


def _move(share: str, move: PrismUpdate, command: Command) -> str:
    sets: dict[str, Formula] = dict(move.sets)
    parts = [f"({name}'={value.text})" for name, value in sets.items()]
    if move.to != command.place:
        parts.insert(0, f"({COUNTER}'={move.to})")
    text = " & ".join(parts) if parts else "true"
    return text if share == "1" else f"{share} : {text}"


def _labels(
    machine: Machine, numbers: Mapping[int, int], endings: Mapping[str, int]
) -> Iterator[str]:
    taken = TakenNames()
    groups: dict[str, list[int]] = {name: [] for name in OUTCOMES}
    for name, place in endings.items():
        groups[name.partition(" ")[0]].append(place)
    for name in OUTCOMES:
        yield _label(taken.unused(name), groups[name])
    effect = f"{EFFECT}=1" if EFFECT in machine.variables else "false"
    yield f'label "{taken.unused(EFFECT)}" = {effect};'
    yield _label(taken.unused("done"), list(endings.values()))
    for name, place in endings.items():
        kind, _, reason = name.partition(" ")
        if reason:
            yield _label(taken.unused(f"{kind}_{identifier(reason)}"), [place])
    for step, places in machine.reached.items():
        there = [numbers[place] for place in places if place in numbers]
        yield _label(taken.unused(f"reached_{identifier(step)}"), there)


def _label(name: str, places: Sequence[int]) -> str:
    holds = " | ".join(f"{COUNTER}={place}" for place in places) or "false"
    return f'label "{name}" = {holds};'


def _rewards(t: Translation, numbers: Mapping[int, int]) -> Iterator[str]:
    if t.unpriced:
        yield f'// no rewards "cost": {"; ".join(map(_one_line, t.unpriced))}'
        return
    yield 'rewards "cost" // dollars'
    rewards = [reward for reward in t.machine.rewards if reward.place in numbers]
    for reward in rewards:
        where = f"{COUNTER}={numbers[reward.place]}"
        if reward.guard.text != "true":
            where += f" & {reward.guard.text}"
        yield f"  {where} : {reward.dollars};"
    if not rewards:
        yield "  true : 0;"
    yield "endrewards"


def _one_line(text: str) -> str:
    """Text that stays in a comment, whatever a file is called."""
    return " ".join(harmless(text).split())
