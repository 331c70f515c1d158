"""Agents: so many turns, each a call with its own retries; between them tools are called.

Whether an agent calls a pipeline among its tools nobody declares. What such a pipeline may come to
besides an answer (a wrong effect, a decision that ends the run) has an unknown share where it can;
it comes of the first tools that are called, since none before and any after them may be those.
"""

from __future__ import annotations

from pipelang.interfaces.export.prism.answers import attempt
from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import PrismDraw
from pipelang.interfaces.export.prism.endings import decided
from pipelang.interfaces.export.prism.formulas import TRUE, compared, is_, number, variable
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.translation import LinkTrial
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import endings_of, pipeline_acts

_NOBODY: frozenset[str] = frozenset()


def loop(trial: LinkTrial, agent: p.Agent, transient: str, place: int, answered: int) -> None:
    """All turns of one loop, from a place to where it has answered; the first that fails fails."""
    machine = trial.machine
    turns, most = None, agent.turns or agent.steps
    if agent.turns is None:
        turns, place = of_several(trial, "turns", id(agent), most, place)
    for turn in range(1, most + 1):
        said = machine.place()
        trial.pay(place, agent, turn)
        attempt(trial, place, transient, said)
        if turn == most:
            machine.go(said, PrismUpdate(answered))
            return
        place = after_turn(trial, agent, turn, turns, said, answered)


def after_turn(
    trial: LinkTrial, agent: p.Agent, turn: int, turns: str | None, said: int, answered: int
) -> int:
    """The place of the next turn, behind the tools that one called; `turns` is the variable of how
    many there are, where that was drawn.
    """
    machine = trial.machine
    tools, place = machine.place(), machine.place()
    goes_on = TRUE
    if turns is not None:
        machine.go(said, PrismUpdate(answered), is_(turns, turn))
        goes_on = compared(variable(turns), ">", number(turn))
    machine.go(said, PrismUpdate(tools), goes_on)
    if not trial.free:
        trial.t.pay(tools, trial.tool_dollars(agent))
    if not trial.kept and turn == 1:
        tools = _hazards(trial, agent, tools)
    machine.go(tools, PrismUpdate(place))
    return place


def _hazards(trial: LinkTrial, agent: p.Agent, place: int) -> int:
    """Other endings of the pipelines among the tools; gives the place of going on."""
    program, machine = trial.t.program, trial.machine
    ways: dict[tuple[p.Outcome | None, bool], None] = {(None, False): None}
    for name in agent.pipelines:
        wrongs = (False, True) if pipeline_acts(program, name) else (False,)
        for outcome in (None, *endings_of(program, name)):
            ways |= {(outcome, wrong): None for wrong in wrongs}
    if len(ways) == 1:
        return place
    drawn, place = of_several(trial, "tools", id(agent), len(ways), place)
    goes_on = machine.place()
    for number_, (outcome, wrong) in enumerate(ways, start=1):
        sets = {trial.t.effect(): number(1)} if wrong else {}
        case = is_(drawn, number_)
        if outcome is None:
            machine.go(place, PrismUpdate(goes_on, sets), case)
        else:
            assert isinstance(outcome, (p.Escalate, p.Reject))
            decided(trial, outcome, place, case, sets)
    return goes_on


def of_several(
    trial: LinkTrial, what: str, about: object, count: int, place: int
) -> tuple[str, int]:
    """One of `count` numbers, by shares that nobody declared; gives its variable, and the place
    behind the draw.
    """
    t, frame, step = trial.t, trial.scope.frame, trial.making.step
    site = f"{frame.pipeline.name}.{step.name}@{trial.link.span.start}.{what}"
    shares = tuple(enumerate(t.constants.stick(site, count), start=1))
    note = f"{what} of {frame.path}{step.name}"
    like = f"{what.partition(':')[0]}_{identifier(step.name)}"
    name = t.draws.variable(frame, (what, about), like, count, note)
    return name, t.draws.perform(place, {name: PrismDraw(name, _NOBODY, shares, shares)})
