"""One run of a pipeline, simulated literally, with every draw made explicit.

This follows the texts of the design sentence by sentence and takes no short cut: regions, barriers,
chains, redos and people are played as they would happen, and chance is asked wherever it decides.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, assert_never

from . import model as m
from .attempts import Attempts
from .conditions import Conditions
from .draws import Draws
from .expressions import Expr
from .lookup import Lookup
from .traverse import argument_exprs
from .values import Latent, Value, all_right

Outcome = Literal["success", "silent_error", "escalation", "rejection", "failure"]

NOTHING = Fraction(0)
CERTAIN = Fraction(1)


@dataclass(frozen=True, slots=True)
class Ending:
    """A way in which the run may end, not yet judged; `by` is the name that goes with it."""

    outcome: m.Outcome
    by: str
    made_from: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    by: str
    wrong_effect: bool
    reached: frozenset[str]


class Run:
    """Two things are shortened, neither of which changes a probability: the attempts of a link are
    drawn as one (see `attempts`), and outages and hidden bits as late as possible (see `values`).
    `literal` shortens nothing."""

    def __init__(self, lookup: Lookup, draws: Draws, literal: bool = False) -> None:
        self._lookup = lookup
        self._draws = draws
        self._literal = literal
        given = Latent(draws, CERTAIN, CERTAIN)
        inputs = lookup.program.pipeline.inputs
        self._scope = {item.name: Value(given, ()) for item in inputs}
        self._conditions = Conditions(lookup, draws, self._scope)
        self._down: dict[str, bool] = {}  # providers drawn so far
        self._around: list[Value] = []  # what the conditions around the present item read
        self._labels = [lookup.program.pipeline.name]  # the pipeline, then the named `when`s
        self._answers: dict[str, Value] = {}  # the last answer of each step, for correlation
        self._seen: dict[str, tuple[Value, ...]] = {}  # what a step read, a gate passed on
        self._redone: dict[str, int] = {}
        self._effects: list[Value] = []
        self._reached: set[str] = set()
        self.cost = NOTHING

    def play(self) -> Result:
        if self._literal:
            for provider in self._lookup.available:
                self._is_down(provider)
        ending = self._block(self._lookup.program.pipeline.items)
        if ending is None:
            raise ValueError("the pipeline ran off its end")
        wrong_effect = not all_right(tuple(self._effects))
        outcome: Outcome
        match ending.outcome:
            case m.Return():
                right = not wrong_effect and all_right(ending.made_from)
                outcome = "success" if right else "silent_error"
            case m.Escalate():
                outcome = "escalation"
            case m.Reject():
                outcome = "rejection"
            case m.Fail():
                outcome = "failure"
            case _:
                assert_never(ending.outcome)
        return Result(outcome, ending.by, wrong_effect, frozenset(self._reached))

    # --- blocks and regions -----------------------------------------------------------------

    def _block(self, items: tuple[m.Item, ...]) -> Ending | None:
        endings: list[Ending] = []  # of the region that we are in, in writing order
        again: str | None = None  # the step that a redo has just sent us back to
        at = 0
        while at < len(items):
            item = items[at]
            at += 1
            if isinstance(item, m.Let):
                continue  # its value is looked up where it is used
            if isinstance(item, m.Step) and not self._lookup.is_barrier(item):
                ending = self._region_step(item, forced=item.name == again)
                if ending is not None:
                    endings.append(ending)
                continue
            if endings:
                return endings[0]
            again = None
            if isinstance(item, m.Gate):
                if self._passes(item):
                    continue
                if item.redo is None or self._redone.get(item.name, 0) == item.redo.times:
                    return self._ending(item.otherwise, item.name)
                self._redone[item.name] = self._redone.get(item.name, 0) + 1
                again = item.redo.step
                at = self._position(items, again, at)
                continue
            ending = self._barrier(item)
            if ending is not None:
                return ending
        return endings[0] if endings else None

    def _region_step(self, step: m.Step, forced: bool) -> Ending | None:
        """Runs a step unless it has run already and nothing that it read has changed since."""
        names = self._lookup.reads(step)
        if any(name not in self._scope for name in names):
            self._scope.pop(step.name, None)  # something it needs has ended: it can't run
            return None
        reads = tuple(self._scope[name] for name in names)
        if not forced and self._seen.get(step.name) == reads:
            return None
        self._seen[step.name] = reads
        return self._run_step(step)

    def _passes(self, gate: m.Gate) -> bool:
        """A gate keeps its verdict until something that it reads has been made again."""
        reads = self._conditions.values(gate.test.condition)
        if self._seen.get(gate.name) == reads:
            return True
        if not self._conditions.holds(gate.test):
            return False
        self._seen[gate.name] = reads
        return True

    def _position(self, items: tuple[m.Item, ...], step: str, gate: int) -> int:
        """Where a redo goes back to; only regions and gates may lie between."""
        for at, item in enumerate(items[:gate]):
            if isinstance(item, m.Step) and item.name == step:
                for between in items[at:gate]:
                    allowed = isinstance(between, m.Step | m.Let | m.Gate)
                    if not allowed or (
                        isinstance(between, m.Step) and self._lookup.is_barrier(between)
                    ):
                        raise ValueError(f"a redo of {step} across {between}")
                return at
        raise ValueError(f"no step {step} before its gate in the same block")

    # --- barriers ---------------------------------------------------------------------------

    def _barrier(self, item: m.Item) -> Ending | None:
        match item:
            case m.Step():
                return self._run_step(item)
            case m.Hold() | m.Approve():
                return (
                    None if self._person_agrees(item) else self._ending(item.otherwise, item.name)
                )
            case m.When(name=name, test=test, then=then, otherwise=otherwise):
                branch = then if self._conditions.holds(test) else otherwise
                return self._inside(branch, test.condition, name)
            case m.Match(path=path, arms=arms):
                member = self._conditions.path(path)
                for pattern, items in arms:
                    if member in pattern or pattern == ("else",):
                        return self._inside(items, path, None)
                raise ValueError(f"no arm for {member}")
            case m.Return() | m.Escalate() | m.Reject() | m.Fail():
                return self._ending(item, self._labels[-1])
            case m.Let() | m.Gate():
                raise ValueError("not a barrier that is handled here")
            case _:
                assert_never(item)

    def _inside(
        self, items: tuple[m.Item, ...], condition: Expr, name: str | None
    ) -> Ending | None:
        """A branch: what it makes, returns and performs reads the condition around it too."""
        depth = len(self._around)
        self._around += self._conditions.values(condition)
        self._labels.append(name if name is not None else self._labels[-1])
        ending = self._block(items)
        self._labels.pop()
        del self._around[depth:]
        return ending

    def _person_agrees(self, item: m.Hold | m.Approve) -> bool:
        if item.when is not None and not self._conditions.computed(item.when):
            return True
        if item.showing is not None:
            shown = self._conditions.values(item.showing)
        else:
            shown = tuple(v for name, v in self._scope.items() if name in self._lookup.steps)
        right = all_right(shown)
        role = self._lookup.roles[item.role]
        if isinstance(item, m.Hold):
            veto = 1 - role.accuracy if right else role.accuracy
            return not self._draws.flip(self._lookup.in_time(role, item.seconds) * veto)
        says_yes = role.accuracy if right else 1 - role.accuracy
        in_time = CERTAIN if item.within is None else self._lookup.in_time(role, item.within)
        return self._draws.flip(in_time * says_yes)

    def _ending(self, outcome: m.Outcome, by: str) -> Ending:
        made_from: tuple[Value, ...] = ()
        if isinstance(outcome, m.Return):
            made_from = (*self._conditions.values(outcome.value), *self._around)
        return Ending(outcome, by, made_from)

    # --- steps ------------------------------------------------------------------------------

    def _run_step(self, step: m.Step) -> Ending | None:
        """The chain from its head; the first link that answers makes the value."""
        self._reached.add(step.name)
        self._scope.pop(step.name, None)
        for link in step.links:
            answer = self._attempts(step, link)
            if answer is not None:
                self._scope[step.name] = self._answers[step.name] = answer
                return None
        if step.otherwise is None:
            return Ending(m.Fail("chain_exhausted"), step.name)
        return self._ending(step.otherwise, step.name)

    def _attempts(self, step: m.Step, link: m.Link) -> Value | None:
        """All attempts of one link: its answer, or None."""
        match link.action:
            case m.Ask(by=by):
                name = by if isinstance(by, str) else self._routed(by)
                tier = self._lookup.tiers[name]
                if self._is_down(tier.provider):
                    return None  # no retry beats an outage
                if not self._succeeds(self._lookup.attempts(link, tier)):
                    return None
                accuracy = self._lookup.accuracy(link, name)
                return self._answer(step, link, accuracy, link.recovers or NOTHING)
            case m.Call(tool=tool_name):
                tool = self._lookup.tools[tool_name]
                if not self._succeeds(self._lookup.attempts(link, tool)):
                    return None
                value = self._answer(step, link, tool.accuracy, NOTHING)
                if tool.writes:
                    self._effects.append(value)
                return value
            case m.Pure():
                return self._answer(step, link, self._lookup.accuracy(link, ""), NOTHING)
            case _:
                assert_never(link.action)

    def _succeeds(self, attempts: Attempts) -> bool:
        """Attempts until one succeeds or all are used; every one of them is billed."""
        if not self._literal:
            failed = self._draws.flip(attempts.fail)
            if attempts.cost:
                self.cost += attempts.cost_of_failure if failed else attempts.cost_of_success
            return not failed
        for _ in range(attempts.number):
            self.cost += attempts.cost
            if self._draws.flip(attempts.succeeds):
                return True
        return False

    def _answer(self, step: m.Step, link: m.Link, accuracy: Fraction, recovers: Fraction) -> Value:
        arguments = [v for expr in argument_exprs(link) for v in self._conditions.values(expr)]
        former = self._answers.get(step.name)
        if former is None:
            latent = Latent(self._draws, accuracy, recovers)
        else:
            if link.correlation is None:
                raise ValueError(f"a redo needs the correlation of {step.name}")
            latent = Latent(self._draws, accuracy, recovers, former.latent, link.correlation)
        value = Value(latent, (*arguments, *self._around))
        if self._literal:
            value.right()
        return value

    def _is_down(self, provider: str) -> bool:
        """One draw per provider and run, made when it is first asked."""
        if provider not in self._down:
            self._down[provider] = not self._draws.flip(self._lookup.available[provider])
        return self._down[provider]

    def _routed(self, route: m.Route) -> str:
        member = self._conditions.path(route.path)
        for pattern, tier in route.arms:
            if member in pattern or pattern == ("else",):
                return tier
        raise ValueError(f"no tier for {member}")
