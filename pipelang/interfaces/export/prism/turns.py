"""Agents that are asked by turn: before each of them a route by what is left of the budget.

A share that `traffic` gives is drawn anew at each turn. A test that changes once is a draw of the
turn at which it does, as far as that is not certain; any other has an unknown share at each turn.
"""

from __future__ import annotations

from pipelang.analysis.kernels.turn_tests import Certainty, certainty
from pipelang.interfaces.export.prism.agents import after_turn, of_several
from pipelang.interfaces.export.prism.answers import attempt, unless_out
from pipelang.interfaces.export.prism.draws import (
    FAILS,
    HOLDS,
    PrismDraw,
    either,
)
from pipelang.interfaces.export.prism.formulas import (
    TRUE,
    Formula,
    compared,
    is_,
    number,
    variable,
)
from pipelang.interfaces.export.prism.judging import route_test
from pipelang.interfaces.export.prism.machine import NotExportable, PrismUpdate
from pipelang.interfaces.export.prism.translation import LinkTrial
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.walk import tiers_of

ASKED = "asked_at_turn"
_NOBODY: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Tests:
    """The tests of what is left in a route, by their variables; `switches` are the variables of the
    turns at which they change, None where that is certain.
    """

    tiers: list[tuple[str, Formula]]
    declared: dict[str, PrismDraw] = field(default_factory=dict)
    unknown: dict[str, tuple[str, Certainty | None]] = field(default_factory=dict)
    switches: dict[str, str | None] = field(default_factory=dict)
    known: dict[str, Certainty] = field(default_factory=dict)


def loop_by_turn(trial: LinkTrial, agent: p.Agent, place: int, answered: int) -> None:
    """All turns of one loop, from a place to where it has answered, and `ASKED` says by whom."""
    t, machine = trial.t, trial.machine
    asked = machine.declare(ASKED, len(tiers_of(agent)), "who is asked at this turn of an agent")
    turns, most = None, agent.turns or agent.steps
    if agent.turns is None:
        turns, place = of_several(trial, "turns", id(agent), most, place)
    tests, place = _tests(trial, agent, most, place)
    for turn in range(1, most + 1):
        place = _routed(trial, tests, turn, place)
        said = machine.place()
        for tier, case in tests.tiers:
            asking = machine.place()
            machine.go(place, PrismUpdate(asking), case)
            mine = replace(trial, tier=tier)
            if not trial.free:
                asking = unless_out(mine, tier, asking)
            mine.pay(asking, agent, turn)
            by_it = machine.place()
            attempt(mine, asking, t.constants.share(t.program.tiers[tier].transient), by_it)
            at = tiers_of(agent).index(tier) + 1
            machine.go(by_it, PrismUpdate(said).setting(asked, at))
        if turn == most:
            machine.go(said, PrismUpdate(answered))
            return
        place = after_turn(trial, agent, turn, turns, said, answered)


def by_whom(trial: LinkTrial, answered: int) -> list[tuple[LinkTrial, int]]:
    """The trials whose answer there may be at a place, each with the place where it is its."""
    agent = trial.link.action
    if not isinstance(agent, p.Agent) or not chosen_by_turn(agent):
        return [(trial, answered)]
    found = []
    for at, tier in enumerate(tiers_of(agent), start=1):
        behind = trial.machine.place()
        trial.machine.go(answered, PrismUpdate(behind).setting(ASKED, 0), is_(ASKED, at))
        found.append((replace(trial, tier=tier), behind))
    return found


def refuse_never(trial: LinkTrial, agent: p.Agent) -> None:
    """Raise `NotExportable` where a tier never answers: what a cache then holds hangs on it."""
    t = trial.t
    if any(t.constants.is_certain(t.program.tiers[tier].transient) for tier in tiers_of(agent)):
        raise NotExportable("a tier of a cached agent never answers")


def _tests(trial: LinkTrial, agent: p.Agent, turns: int, place: int) -> tuple[_Tests, int]:
    """The tests of a route, and the place behind what is drawn before the loop begins."""
    t, scope = trial.t, trial.scope
    test, tiers = route_test(t.draws, scope, agent.who)
    tests, before = _Tests(tiers), {}
    for name, draw in test.draws.items():
        node = t.draws.left_test(name)
        if node is None:
            before[name] = draw
        elif node in scope.condition_shares() or node in scope.path_shares():
            tests.declared[name] = draw
        else:
            step = trial.making.step
            known = certainty(scope.frame.prices, step, trial.link, agent, node, turns)
            what = f"left:{scope.show(node)}"
            if known is None or not known.once:
                where = f"{scope.pipeline.name}.{step.name}@{trial.link.span.start}"
                tests.unknown[name] = f"{where}.{what}", known
                continue
            tests.known[name] = known
            tests.switches[name] = None
            count = known.last - known.first + 1
            if count > 1:
                about = id(agent)
                tests.switches[name], place = of_several(trial, what, about, count, place)
    return tests, t.draws.perform(place, before)


def _routed(trial: LinkTrial, tests: _Tests, turn: int, place: int) -> int:
    """The place behind the tests of a turn."""
    t, machine = trial.t, trial.machine
    fresh = dict(tests.declared)
    for name, (site, known) in tests.unknown.items():
        if known is not None and not known.first <= turn < known.last:
            place = _set(trial, name, (turn >= known.last) is known.little, TRUE, place)
            continue
        shares = t.constants.stick(f"{site}@{turn}", machine.variables[name].highest)
        numbered = tuple(enumerate(shares, start=1))
        if len(shares) == len((HOLDS, FAILS)):
            numbered = either(shares[0])
        fresh[name] = PrismDraw(name, _NOBODY, numbered, numbered)
    for name, draw in fresh.items():
        open_ = machine.place()
        machine.go(place, PrismUpdate(open_).setting(name, 0))
        place = t.draws.perform(open_, {name: draw})
    for name, switch in tests.switches.items():
        known = tests.known[name]
        if switch is None:
            place = _set(trial, name, (turn >= known.first) is known.little, TRUE, place)
            continue
        behind = machine.place()
        at = number(turn - known.first + 1)
        for sign, holds in (("<=", known.little), (">", not known.little)):
            move = PrismUpdate(behind).setting(name, HOLDS if holds else FAILS)
            machine.go(place, move, compared(variable(switch), sign, at))
        place = behind
    return place


def _set(trial: LinkTrial, name: str, holds: bool, guard: Formula, place: int) -> int:
    behind = trial.machine.place()
    move = PrismUpdate(behind).setting(name, HOLDS if holds else FAILS)
    trial.machine.go(place, move, guard)
    return behind
