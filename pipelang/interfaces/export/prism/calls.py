"""One call of a model: past its provider's outage, with its retries; an agent makes several."""

from __future__ import annotations

from pipelang.interfaces.export.prism.answers import attempt
from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import Draw
from pipelang.interfaces.export.prism.formulas import TRUE, compared, is_, number, rest, variable
from pipelang.interfaces.export.prism.machine import Move
from pipelang.interfaces.export.prism.translation import Making, NotExportable, Translation
from pipelang.semantics import program as p

_NOBODY: frozenset[str] = frozenset()


def call(
    t: Translation,
    making: Making,
    link: p.Link,
    tier: str,
    place: int,
    answered: int,
    failed: int,
    may_fail: bool = False,
) -> None:
    """From a place to where the call has answered, or failed.

    What comes from a cache is free and was answered; with `may_fail` it is one call of several, and
    the transient faults of the others belong to it.
    """
    transient = t.constants.share(t.program.tiers[tier].transient)
    if making.kept:
        transient = transient if may_fail else "0"
    else:
        place = _unless_out(t, place, tier, failed)
    loop = link.action.agent if isinstance(link.action, p.Cascade) else link.action
    if isinstance(loop, p.Agent):
        _loop(t, making, link, loop, tier, transient, place, answered, failed)
        return
    dollars = None if making.kept else t.dollars(making.step, link, tier)
    attempt(t, place, transient, dollars, link.retry.count, answered, failed)


def _loop(
    t: Translation,
    making: Making,
    link: p.Link,
    agent: p.Agent,
    tier: str,
    transient: str,
    place: int,
    answered: int,
    failed: int,
) -> None:
    """So many turns, each a call with its own retries; between them tools are called."""
    if agent.pipelines:
        raise NotExportable("an agent with pipelines among its tools cannot be exported yet")
    machine = t.machine
    turns, most = None, agent.turns or agent.steps
    if agent.turns is None:
        shares = t.constants.stick(f"{making.step.name}.turns", most)
        note = f"turns of {making.step.name}"
        like = f"n_{identifier(making.step.name)}"
        turns = t.draws.variable(("turns", id(agent)), like, most, note, _NOBODY)
        numbered = tuple(enumerate(shares, start=1))
        place = t.draws.perform(place, {turns: Draw(turns, _NOBODY, numbered, numbered)})
    for turn in range(1, most + 1):
        said = machine.place()
        dollars = None if making.kept else t.turn_dollars(making.step, link, agent, tier, turn)
        attempt(t, place, transient, dollars, link.retry.count, said, failed)
        if turn == most:
            machine.go(said, Move(answered))
            return
        tools, place = machine.place(), machine.place()
        goes_on = TRUE
        if turns is not None:
            machine.go(said, Move(answered), is_(turns, turn))
            goes_on = compared(variable(turns), ">", number(turn))
        machine.go(said, Move(tools), goes_on)
        if not making.kept:
            t.pay(tools, t.tool_dollars(agent))
        machine.go(tools, Move(place))


def _unless_out(t: Translation, place: int, tier: str, failed: int) -> int:
    """Past the outage of a tier's provider, which no retry beats; one draw a run."""
    provider = t.program.providers[t.program.tiers[tier].provider]
    available = t.constants.share(provider.available)
    if available == "1":
        return place
    note = f"provider {provider.name}: 1 available, 2 out"
    key, like = ("outage", provider.name), f"o_{identifier(provider.name)}"
    name = t.draws.variable(key, like, 2, note, _NOBODY)
    shares = ((1, available), (2, rest(available)))
    draw = Draw(name, _NOBODY, shares, shares)
    place = t.draws.perform(place, {name: draw})
    up = t.machine.place()
    t.machine.go(place, Move(up), is_(name, 1))
    t.machine.go(place, Move(failed), is_(name, 2))
    return up
