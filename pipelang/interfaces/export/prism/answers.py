"""Outages, attempts and answers: whether something answers, and whether it is right.

An answer has two hidden verdicts: would it be right if its arguments are, and if they are not. A
step that may be made again keeps them, because with the correlation of the link that answers the
new answer repeats the former one's verdicts. `1` both, `2` only the first, `3` only the second,
`4` neither.
"""

from __future__ import annotations

from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import PrismDraw, all_right
from pipelang.interfaces.export.prism.formulas import (
    Formula,
    all_of,
    any_of,
    compared,
    is_,
    is_not,
    more,
    no,
    number,
    product,
    rest,
    variable,
)
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.translation import LinkTrial, Translation
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared

TRIES = "tries"
_NOBODY: frozenset[str] = frozenset()
VERDICTS = "1 right in any case, 2 right with right arguments, 3 right with wrong ones, 4 wrong"


@dataclass(frozen=True, slots=True)
class Answer:
    """The draw of an answer. `memory` is the variable with the verdicts of the one before."""

    accuracy: str
    recovers: str
    correlation: str
    arguments: Formula
    memory: str | None


def answer_of(trial: LinkTrial) -> Answer:
    """The answer of a link."""
    link, scope, constants = trial.link, trial.scope, trial.t.constants
    given: list[frozenset[str]] = [trial.around]
    recovers = "0"
    accuracy = link.accuracy
    match link.action:
        case p.AskTier() | p.Cascade() | p.AskRole() | p.Agent():
            given += [scope.mentioned(value) for _, value in link.action.arguments]
            recovers = constants.share(link.recovers)
            accuracy = link.accuracy_by_tier.get(trial.tier or "", accuracy)
        case p.Call():
            given += [scope.mentioned(value) for _, value in link.action.arguments]
        case p.Value():
            given.append(scope.mentioned(link.action.value))
        case _:
            raise AssertionError("not a single answer")
    return Answer(
        accuracy=constants.named(accuracy),
        recovers=recovers,
        correlation=constants.share(link.correlation),
        arguments=all_right(frozenset[str]().union(*given)),
        memory=trial.making.memory,
    )


def repeats(link: p.Link) -> bool:
    """Whether an answer of a link may repeat the verdict of the one before."""
    return not (isinstance(link.correlation, Declared) and link.correlation.share == 0)


def draw_answer(
    t: Translation, place: int, answer: Answer, right: PrismUpdate, wrong: PrismUpdate
) -> None:
    """Draw the verdicts of an answer, and go on by whether it is right."""
    machine = t.machine
    if answer.memory is None:
        for case, share in (
            (answer.arguments, answer.accuracy),
            (no(answer.arguments), answer.recovers),
        ):
            machine.choose(place, [(share, right), (rest(share), wrong)], case)
        return
    memory = answer.memory
    anew, judged = machine.place(), machine.place()
    machine.go(place, PrismUpdate(anew), is_(memory, 0))
    copies = [
        (answer.correlation, PrismUpdate(judged)),
        (rest(answer.correlation), PrismUpdate(anew)),
    ]
    machine.choose(place, copies, is_not(memory, 0))
    drawn = []
    for code, first, second in ((1, 1, 1), (2, 1, 0), (3, 0, 1), (4, 0, 0)):
        share = product(
            answer.accuracy if first else rest(answer.accuracy),
            answer.recovers if second else rest(answer.recovers),
        )
        drawn.append((share, PrismUpdate(judged).setting(memory, code)))
    machine.choose(anew, drawn)
    known = any_of([is_(memory, 1), is_(memory, 2)])
    mended = any_of([is_(memory, 1), is_(memory, 3)])
    arguments = answer.arguments
    good = any_of([all_of([arguments, known]), all_of([no(arguments), mended])])
    machine.go(judged, right, good)
    machine.go(judged, wrong, no(good))


def attempt(trial: LinkTrial, place: int, fails: str, on: int) -> None:
    """Attempts until one answers or all are used; each of them visits the place."""
    machine, retry, failed = trial.machine, trial.link.retry.count, trial.failed
    if retry == 0:
        machine.choose(place, [(rest(fails), PrismUpdate(on)), (fails, PrismUpdate(failed))])
        return
    tries = machine.declare(TRIES, retry, "attempts of this link that have failed")
    on_again = PrismUpdate(on).setting(tries, 0)
    left = compared(variable(tries), "<", number(retry))
    again = PrismUpdate(place, {tries: more(tries)})
    machine.choose(place, [(rest(fails), on_again), (fails, again)], left)
    last = PrismUpdate(failed).setting(tries, 0)
    machine.choose(place, [(rest(fails), on_again), (fails, last)], is_(tries, retry))


def unless_out(trial: LinkTrial, tier: str, place: int) -> int:
    """Past the outage of a tier's provider, which no retry beats; one draw a run."""
    t, machine = trial.t, trial.machine
    provider = t.program.providers[t.program.tiers[tier].provider]
    available = t.constants.share(provider.available)
    if available == "1":
        return place
    note = f"provider {provider.name}: 1 available, 2 out"
    key, like = ("outage", provider.name), f"o_{identifier(provider.name)}"
    name = t.draws.variable(t.root, key, like, 2, note)
    shares = ((1, available), (2, rest(available)))
    place = t.draws.perform(place, {name: PrismDraw(name, _NOBODY, shares, shares)})
    up = machine.place()
    machine.go(place, PrismUpdate(up), is_(name, 1))
    machine.go(place, PrismUpdate(trial.failed), is_(name, 2))
    return up
