"""Cutting a run off, going on with it, and judging what came of it."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from pipelang import Answered, Escalated, Failed, Rejected
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.semantics import program as p

from ...unit.runtime.stage import load
from ...unit.runtime.virtual_time import run_alone, virtual
from .outside import Crash, Outside, kinds_of
from .pipelines import generate

SPENT = {"budget_exceeded", "max_steps", "timeout"}


@dataclass
class Ended:
    """A run that ended: its result, and the outside as it left it."""

    result: Result
    outside: Outside
    boundaries: int


def program_of(text: str) -> LoadedProgram:
    with tempfile.TemporaryDirectory() as folder:
        return load(Path(folder), text)


def leg(
    program: LoadedProgram, outside: Outside, at: int | None, replay: bool = False
) -> Result | None:
    """One process of a run: its result, None if it died."""

    async def main() -> Result | None:
        outside.reborn(at)
        ready = program.pipeline("main", runtime=outside.runtime)
        run: Run = ready.start({"x": "a"}, run_id="r", record=outside.record(), replay=replay)
        try:
            return await run_pipeline(run)
        except Crash:
            return None

    with virtual():
        try:
            result = run_alone(main())
        except Crash:
            result = None
    if outside.dead:
        return None
    return result


def whole(program: LoadedProgram, luck: int, pace: int = 0) -> Ended:
    """A run that nothing cuts off."""
    outside = Outside(luck, pace)
    result = leg(program, outside, None)
    assert result is not None, "a run came to no end"
    assert outside.wrong == [], outside.wrong
    return Ended(result, outside, outside.count)


def cut(program: LoadedProgram, luck: int, cuts: list[int]) -> tuple[Ended, bool]:
    """A run that dies at these boundaries of its processes; whether anything was cut in its
    middle.
    """
    outside, midway = Outside(luck), False
    for at in cuts:
        result = leg(program, outside, at)
        if result is not None:
            break
        midway = midway or bool(open_units(outside))
    else:
        result = leg(program, outside, None)
    assert result is not None, "a run came to no end"
    return Ended(result, outside, outside.count), midway


def open_units(outside: Outside) -> list[str]:
    """The places of what was begun, and neither has an outcome nor stands in what has one."""
    rows = kinds_of(outside.texts)
    done = {place for place, kind in rows.items() if kind in ("done", "region")}
    begun = [place for place, kind in rows.items() if kind in ("intent", "ahead")]
    return [place for place in begun if place[:-1] not in done]


def unknown_effects(outside: Outside) -> bool:
    """Whether an irreversible call was begun whose outcome is not recorded."""
    rows = kinds_of(outside.texts)
    return any(kind == "intent" and place[:-1] not in rows for place, kind in rows.items())


def problems(
    first: Ended, then: Ended, midway: bool, roomy: bool, limits: p.Budget | None
) -> list[str]:
    """What is wrong with a run that was cut off, beside the one that was not."""
    wrong = list(then.outside.wrong)
    one, other = first.result, then.result
    unknown = isinstance(other, Failed) and other.code == "effect_unknown"
    if unknown and not unknown_effects(then.outside):
        wrong.append("an effect is called unknown that is known")
    if roomy and not unknown:
        if said(one) != said(other):
            wrong.append(f"{said(one)} became {said(other)}")
        if not midway:
            if (one.cost, one.tokens) != (other.cost, other.tokens):
                wrong.append(f"{one.cost}, {one.tokens} became {other.cost}, {other.tokens}")
            if abs(one.duration - other.duration) > 1e-6:
                wrong.append(f"{one.duration} s became {other.duration} s")
            mine, others = kinds(first), kinds(then)
            if mine != others:
                wrong.append(f"events: {mine - others} are missing, {others - mine} too many")
        if first.outside.notes() != then.outside.notes():
            wrong.append(f"{first.outside.notes()} became {then.outside.notes()}")
        if set(first.outside.begun) != set(then.outside.begun):
            wrong.append(f"keys {set(first.outside.begun) ^ set(then.outside.begun)}")
        if first.outside.asked != then.outside.asked:
            wrong.append(f"asked {first.outside.asked ^ then.outside.asked}")
    if other.cost < then.outside.money:
        wrong.append(f"it says ${other.cost}, and ${then.outside.money} were spent")
    numbers = sorted(then.outside.told)
    if numbers != list(range(len(numbers))):
        wrong.append(f"the numbers of events are {numbers}")
    heard = [then.outside.told[number] for number in numbers]
    if [one.number for one in other.trace] != numbers or list(other.trace) != heard:
        wrong.append("the trace is not what was told")
    for kind in ("run", "outcome"):
        if sum(event.kind == kind and "/" not in event.name for event in heard) != 1:
            wrong.append(f"not one event `{kind}`")
    return wrong + over(then.outside, limits)


def over(outside: Outside, limits: p.Budget | None) -> list[str]:
    """The dimensions of the budget that were passed, by what the outside saw."""
    assert limits is not None
    most = {"money": limits.money, "tokens": limits.tokens, "steps": limits.steps}
    used = {"money": outside.money, "tokens": outside.tokens, "steps": outside.calls}
    return [
        f"{used[name]} of at most {limit} {name}"
        for name, limit in most.items()
        if limit is not None and used[name] > limit
    ]


def kinds(ended: Ended) -> Counter[tuple[str, str]]:
    return Counter((event.kind, event.name) for event in ended.outside.told.values())


def said(result: Result) -> Any:
    match result:
        case Answered():
            return "answered", to_json(result.value)
        case Escalated():
            return "escalated", result.role, result.reason, result.text, result.handoff
        case Rejected():
            return "rejected", result.reason, result.text
        case Failed():
            return "failed", result.code, result.reason, result.partial


def every(program: LoadedProgram, luck: int, roomy: bool, step: int = 1) -> tuple[int, list[str]]:
    """Cut a run at every so-many-th boundary, and now and then also the process that goes on: how
    many cuts there were, and what went wrong.
    """
    first = whole(program, luck)
    limits = program.program.pipelines["main"].budget
    found: list[str] = over(first.outside, limits)
    cuts, pick = 0, Random(luck)
    for at in range(1 + luck % step, first.boundaries + 1, step):
        more = [pick.randint(1, first.boundaries) for _ in range(pick.choice((0, 0, 1, 2)))]
        then, midway = cut(program, luck, [at, *more])
        cuts += 1 + len(more)
        wrong = problems(first, then, midway, roomy, limits)
        found += [f"cut at {[at, *more]}: {one}" for one in wrong]
    return cuts, found


def generated(seed: int, step: int = 1) -> tuple[int, list[str]]:
    text, roomy = generate(seed)
    return every(program_of(text), seed, roomy, step)
