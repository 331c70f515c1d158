"""Barriers that reach outside: questions to people, and writes into memories."""

from __future__ import annotations

from pipelang.records import NamedTuple
from pipelang.runtime.engine.endings import values_of, without_value
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import Ended
from pipelang.runtime.engine.redaction import hide
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import shown
from pipelang.runtime.engine.world import AttemptFailed, Question
from pipelang.semantics import program as p
from pipelang.semantics.kernels.people import passes


async def remember(run: Run, item: p.Remember) -> Ended | None:
    """Write into a memory; a failure ends the run. It goes on with what the write was made of."""
    try:
        new = await run.world.remember(run, item, run.arrive(f"remember {item.memory}"))
    except (AttemptFailed, NoValue) as problem:
        return without_value(item.memory, item.span, problem)
    run.values.update(new)
    run.emit("remember", item.memory, **({"renewed": sorted(new)} if new else {}))
    return None


class Refusal(NamedTuple):
    """A no with its reason, or silence: whether somebody `answered`."""

    answered: bool
    reason: str


async def ask_person(run: Run, person: p.Person) -> Refusal | None:
    """Ask a person once. None if the run goes on."""
    if person.when is not None and not await run.world.holds(run, person, person.when):
        run.emit(person.kind, person.name, asked=False)
        return None
    if person.showing is not None:
        content = shown(person.showing.type, await run.world.value(run, person.showing))
    else:
        content = values_of(run)
    question = Question(person, content, person.doc or person.name, run.arrive(person.name))
    asked = {"role": person.role, "what": person.kind, "text": question.text}
    run.emit("asks", person.name, content=content, **asked)
    decision = await run.world.decide(run, question)
    goes_on = passes(person, decision is not None, decision is not None and decision.yes)
    said = {}
    if decision is not None:
        said = {"by": hide(run, decision.by), "reason": hide(run, decision.reason)}
        run.notes.decided[person.name] = {"role": person.role, "yes": decision.yes, **said}
    answered = decision is not None
    run.emit(person.kind, person.name, asked=True, answered=answered, passed=goes_on, **said)
    if goes_on:
        return None
    if decision is None or not decision.heard:
        return Refusal(False, "")
    return Refusal(True, decision.reason)
