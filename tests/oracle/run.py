"""One run of a pipeline, simulated literally, with every draw made explicit.

This follows the texts of the design sentence by sentence and takes no short cut: regions, barriers,
chains, redos and people are played as they would happen, and chance is asked wherever it decides.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, assert_never

from . import model as m
from .actions import Actions, Ending
from .conditions import Conditions
from .expressions import Expr
from .facts import Facts
from .lookup import Lookup
from .meeting import Rests, Versions
from .root import Root
from .single import CERTAIN, NOTHING, Place
from .values import Latent, Value, all_right

Outcome = Literal["success", "silent_error", "escalation", "rejection", "failure"]


@dataclass(frozen=True, slots=True)
class Result:
    outcome: Outcome
    by: str
    wrong_effect: bool


@dataclass(slots=True)
class Block:
    """A block that is being run: `at` is the item to come."""

    items: tuple[m.Item, ...]
    at: int = 0
    again: str | None = None  # the step that a redo has just sent us back to
    endings: list[Ending] = field(default_factory=list)  # of the region, in writing order


class Run:
    """One call of one pipeline, the main one or one that is run inside another."""

    def __init__(
        self,
        root: Root,
        lookup: Lookup,
        scope: dict[str, Value],
        facts: Facts,
        inside_redo: bool = False,
        around: tuple[Value, ...] = (),
    ) -> None:
        self._root = root
        self._lookup = lookup
        self._scope = scope
        self._facts = facts
        self._conditions = Conditions(lookup, root.draws, scope, facts)
        # What the conditions around the present item read, those around the call included.
        self._around: list[Value] = [*around]
        self._labels = [lookup.pipeline.name]  # the pipeline, then the named `when`s
        # The last answer of each step, for correlation, and whether it may be copied.
        self._answers: dict[str, tuple[Value, bool]] = {}
        self._run_before: set[str] = set()
        self._seen: dict[str, tuple[Value, ...]] = {}  # what a step read, a gate passed on
        self._redone: dict[str, int] = {}
        self._actions = Actions(
            root, lookup, scope, self._conditions, facts, self._around, inside_redo
        )
        self._actions.run_child = self._child
        # The blocks that the run is in; of a sub-pipeline, nobody asks.
        self._blocks: list[Block] = []
        self._rests: Rests | None = None
        self._is_main = False

    @classmethod
    def of_main(cls, root: Root, lookup: Lookup, rests: Rests | None) -> Run:
        """With `rests`, a run that meets another ends in `MetAnotherError`."""
        if root.literal:
            for provider in lookup.available:
                root.is_down(provider)
        given = Latent(root.draws, CERTAIN, CERTAIN)
        scope = {item.name: Value(given, ()) for item in lookup.pipeline.inputs}
        run = cls(root, lookup, scope, Facts(root, lookup, scope))
        run._is_main, run._rests = True, rests
        return run

    def play(self) -> Ending:
        ending = self._block(self._lookup.pipeline.items)
        if ending is None:
            raise ValueError("the pipeline ran off its end")
        return ending

    def result(self) -> Result:
        ending = self.play()
        wrong_effect = not all_right(tuple(self._root.effects))
        outcome: Outcome
        match ending.outcome:
            case m.Return():
                right = not wrong_effect and all_right(ending.made_from)
                outcome = "success" if right else "silent_error"
            case m.Escalate(role=role):
                outcome = "escalation"
                self._root.ask(role)
            case m.Reject():
                outcome = "rejection"
            case m.Fail():
                outcome = "failure"
            case _:
                assert_never(ending.outcome)
        return Result(outcome, ending.by, wrong_effect)

    # --- blocks and regions -----------------------------------------------------------------

    def _block(self, items: tuple[m.Item, ...]) -> Ending | None:
        block = Block(items)
        self._blocks.append(block)
        ending = self._items(block)
        self._blocks.pop()
        return ending

    def _items(self, block: Block) -> Ending | None:
        items, endings = block.items, block.endings
        while block.at < len(items):
            if self._rests is not None:
                self._stand(self._rests)
            item = items[block.at]
            block.at += 1
            if isinstance(item, m.Let):
                continue  # its value is looked up where it is used
            if isinstance(item, m.Step) and not self._lookup.is_barrier(item):
                ending = self._region_step(item, forced=item.name == block.again)
                if ending is not None:
                    endings.append(ending)
                continue
            if endings:
                return endings[0]
            block.again = None
            if isinstance(item, m.Gate | m.Approve) and item.redo is not None:
                said = self._passes(item) if isinstance(item, m.Gate) else self._approves(item)
                if said:
                    continue
                if said is None or self._redone.get(item.name, 0) == item.redo.times:
                    return self._actions.ending(item.otherwise, item.name)
                self._redone[item.name] = self._redone.get(item.name, 0) + 1
                block.again = item.redo.step
                block.at = self._position(items, item.redo.step, block.at)
                continue
            if isinstance(item, m.Gate):
                if self._passes(item):
                    continue
                return self._actions.ending(item.otherwise, item.name)
            ending = self._barrier(item)
            if ending is not None:
                return ending
        return endings[0] if endings else None

    def _stand(self, rests: Rests) -> None:
        """Ends the run where another has stood with all that the rest depends on."""
        if self._root.draws.replays:
            return
        ends = self._blocks[-1].endings[:1]
        rest = rests.of([(block.items, block.at) for block in self._blocks], bool(ends))
        versions = Versions()
        scope = {
            name: value
            for name, value in sorted(self._scope.items())
            if name in rest.words or (rest.shows_all and name in self._lookup.steps)
        }
        versions.alive = frozenset(scope.values())
        words = rest.words
        self._root.tally.stand(
            (
                tuple([(id(block.items), block.at, block.again) for block in self._blocks]),
                tuple([(end.outcome, end.by, versions.open(end.made_from)) for end in ends]),
                tuple([(name, versions.number(value)) for name, value in scope.items()]),
                versions.open(self._around),
                tuple(
                    [
                        (name, versions.number(value.latent), single)
                        for name, (value, single) in sorted(self._answers.items())
                        if name in words
                    ]
                ),
                frozenset(self._run_before & words),
                tuple(
                    [
                        (name, versions.numbers(values))
                        for name, values in sorted(self._seen.items())
                        if name in words and versions.lives(values)
                    ]
                ),
                frozenset((name, n) for name, n in self._redone.items() if name in words),
                self._conditions.drawn(versions, rests),
                self._facts.drawn(versions, rests),
                frozenset(self._root.down.items()),
                versions.open(self._root.effects),
                tuple(versions.told),
            )
        )

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
        """Where a redo goes back to; only regions and gates may lie between. The item that sends
        back is the last before `gate`.
        """
        for at, item in enumerate(items[:gate]):
            if isinstance(item, m.Step) and item.name == step:
                for between in items[at : gate - 1]:
                    allowed = isinstance(between, m.Step | m.Let | m.Gate)
                    if not allowed or (
                        isinstance(between, m.Step)
                        and self._lookup.is_barrier(between)
                        and not (between.name == step and self._is_asked(between))
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
                    None
                    if self._person_agrees(item)
                    else self._actions.ending(item.otherwise, item.name)
                )
            case m.When(name=name, test=test, then=then, otherwise=otherwise):
                branch = then if self._conditions.holds(test) else otherwise
                return self._inside(branch, test.condition, name)
            case m.Match(path=path, arms=arms):
                member = self._facts.path(path)
                for pattern, items in arms:
                    if member in pattern or pattern == ("else",):
                        return self._inside(items, path, None)
                raise ValueError(f"no arm for {member}")
            case m.Remember(key=key, value=value):
                written = (*self._conditions.values(key), *self._conditions.values(value))
                given = Latent(self._root.draws, CERTAIN, NOTHING)
                self._root.effects.append(Value(given, (*written, *self._around)))
                return None
            case m.Return() | m.Escalate() | m.Reject() | m.Fail():
                return self._actions.ending(item, self._labels[-1])
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

    def _is_asked(self, step: m.Step) -> bool:
        """Whether people answer a step: the one barrier that a redo may go back to."""
        return all(
            isinstance(link.action, m.Ask) and link.action.by in self._lookup.roles
            for link in step.links
        )

    def _shown_right(self, item: m.Hold | m.Approve) -> bool:
        if item.showing is not None:
            return all_right(self._conditions.values(item.showing))
        made = self._scope.items()
        return all_right(tuple(v for name, v in made if name in self._lookup.steps))

    def _approves(self, item: m.Approve) -> bool | None:
        """What a person says who may send something back; None for no answer in time."""
        if item.when is not None and not self._conditions.computed(item.when):
            return True
        role = self._lookup.roles[item.role]
        self._root.ask(item.role)
        in_time = CERTAIN if item.within is None else self._lookup.in_time(role, item.within)
        if not self._root.draws.flip(in_time):
            return None
        yes = role.accuracy if self._shown_right(item) else 1 - role.accuracy
        return self._root.draws.flip(yes)

    def _person_agrees(self, item: m.Hold | m.Approve) -> bool:
        if item.when is not None and not self._conditions.computed(item.when):
            return True
        right = self._shown_right(item)
        role = self._lookup.roles[item.role]
        self._root.ask(item.role)
        if isinstance(item, m.Hold):
            veto = 1 - role.accuracy if right else role.accuracy
            return not self._root.draws.flip(self._lookup.in_time(role, item.seconds) * veto)
        says_yes = role.accuracy if right else 1 - role.accuracy
        in_time = CERTAIN if item.within is None else self._lookup.in_time(role, item.within)
        return self._root.draws.flip(in_time * says_yes)

    # --- steps ------------------------------------------------------------------------------

    def _run_step(self, step: m.Step) -> Ending | None:
        """The chain from its head; the first link that answers makes the value."""
        if self._is_main and step.name not in self._run_before:
            self._root.tally.add(("reached", step.name), CERTAIN)
        self._scope.pop(step.name, None)
        former, single = self._answers.get(step.name, (None, False))
        place = Place(
            step.name,
            redone=step.name in self._run_before,
            former=None if former is None else former.latent,
            former_is_single=single,
        )
        self._run_before.add(step.name)
        answer, link = self._actions.chain(step.links, step.otherwise, place)
        match answer:
            case Value():
                self._scope[step.name] = answer
                self._answers[step.name] = (answer, link is not None)
                return None
            case None:
                return Ending(m.Fail("chain_exhausted"), step.name)
            case _:
                return answer

    def _child(self, action: m.RunPipeline, redone: bool) -> Ending:
        """A call of a sub-pipeline: a parameter is as right as its argument and what is around."""
        lookup = self._root.lookups[action.pipeline]
        inputs = lookup.pipeline.inputs
        scope = {}
        arguments = {}
        for item, expr in zip(inputs, action.args, strict=True):
            made_from = (*self._conditions.values(expr), *self._around)
            scope[item.name] = Value(Latent(self._root.draws, CERTAIN, NOTHING), made_from)
            arguments[item.name] = expr
        facts = Facts(self._root, lookup, scope, self._facts, arguments)
        around = tuple(self._around)
        return Run(self._root, lookup, scope, facts, inside_redo=redone, around=around).play()
