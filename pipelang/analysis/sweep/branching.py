"""Partitions of a frontier: by tests, gates, arms, verdicts of people, rightness of what is
returned.

The sweep of probabilities and the walk of times part their tables by the same functions, so they
agree on which runs go where.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipelang.analysis.frontier.states import Key, State, add
from pipelang.analysis.frontier.table import Table, assign, forget, merge, split
from pipelang.analysis.kernels.conditions import (
    EvaluationPlan,
    TestParts,
    gate_plan,
    perform,
    subject_plan,
    test_plan,
)
from pipelang.analysis.model.model import RIGHT, PipelineModel, value_key
from pipelang.analysis.sweep.liveness import Taint
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.people import passes, sends_back
from pipelang.semantics.reads import outcome_reads

Keeps = Callable[[Key], bool]
"""Whether a variable is still read after a test."""


def _keeps_all(key: Key) -> bool:
    return True


def tested(table: Table, plan: EvaluationPlan, keeps: Keeps = _keeps_all) -> dict[bool, Table]:
    """The states by whether a test holds.

    A test of many draws is gone through operand by operand: what decides it first is all that is
    drawn, and what nothing reads any more (`keeps`) is summed out at once. Drawn together, twenty
    comparisons were a million states.
    """
    if plan.parts is not None:
        return _by_parts(table, plan, plan.parts, keeps)
    table = perform(table, plan)
    keys = plan.keys
    return split(table, keys, lambda seen: bool(plan.compute(dict(zip(keys, seen, strict=True)))))


def _by_parts(
    table: Table, plan: EvaluationPlan, parts: TestParts, keeps: Keeps
) -> dict[bool, Table]:
    found: dict[bool, list[Table]] = {True: [], False: []}

    def done(holds: bool, part: Table | None) -> None:
        if part is not None:
            found[holds].append(forget(part, lambda key: key not in drawn or keeps(key)))

    def test(number: int, part: Table) -> dict[bool, Table]:
        later = parts.later[number]

        def read(key: Key) -> bool:
            return key in later or keeps(key)

        ways = tested(part, parts.operands[number], read)
        return {
            holds: forget(way, lambda key: key not in drawn or read(key))
            for holds, way in ways.items()
        }

    drawn = frozenset(plan.keys)
    ways = test(0, table)
    if parts.op == "not":
        return {not holds: part for holds, part in ways.items()}
    if parts.op == "if":
        for number, holds in ((1, True), (2, False)):
            if holds in ways:
                for value, part in test(number, ways[holds]).items():
                    done(value, part)
    else:
        stops = parts.op == "or"
        for number in range(1, len(parts.operands)):
            done(stops, ways.get(stops))
            if (not stops) not in ways:
                break
            ways = test(number, ways[not stops])
        else:
            done(stops, ways.get(stops))
            done(not stops, ways.get(not stops))
    return {holds: merge(some) for holds, some in found.items() if some}


def by_arm(model: PipelineModel, item: p.MatchBranch, table: Table) -> dict[int, Table]:
    """The states by the number of the arm that they take."""
    plan = subject_plan(model, item.subject, (taken for taken, _ in item.arms))

    def arm(seen: State) -> int:
        value = plan.compute(dict(zip(plan.keys, seen, strict=True)))
        for number, (taken, _) in enumerate(item.arms):
            if taken is None or value in taken:
                return number
        raise LookupError(f"no arm takes {value!r}")

    return split(perform(table, plan), plan.keys, arm)


Judged = tuple[Table, Table | None, Table | None]
"""The states that pass, those that are sent back as long as redos are left, and those that end the
run whatever is left.
"""


def judged(
    model: PipelineModel,
    gate: p.Gate,
    table: Table,
    plans: dict[int, EvaluationPlan],
    keeps: Keeps = _keeps_all,
) -> tuple[Table, Table | None]:
    """The states that pass a gate, and those that do not. `plans` remembers the gates' plans."""
    plan = plans.get(id(gate))
    if plan is None:
        plan = plans[id(gate)] = gate_plan(model, gate)
    parts = tested(table, plan, keeps)
    return parts.get(True, table.empty()), parts.get(False)


def branches(
    model: PipelineModel,
    item: p.When | p.MatchBranch,
    table: Table,
    taint: Taint,
    keeps: Keeps = _keeps_all,
) -> tuple[list[tuple[Table, p.Block]], Taint]:
    """The states by the block that they go into, and the taint inside these blocks."""
    if isinstance(item, p.MatchBranch):
        arms = by_arm(model, item, table).items()
        blocks = [(part, item.arms[number][1]) for number, part in arms]
        return blocks, taint | model.values(item.subject)
    parts = tested(table, test_plan(model, item.condition, item.name), keeps)
    inside = ((True, item.then), (False, item.otherwise))
    blocks = [(parts[holds], block) for holds, block in inside if holds in parts]
    return blocks, taint | model.values(item.condition)


def by_asking(
    model: PipelineModel, person: p.Person, table: Table
) -> tuple[Table | None, Table | None]:
    """The states in which a person is asked, and those in which the run goes on without."""
    if person.when is None:
        return table, None
    parts = tested(table, test_plan(model, person.when, None))
    return parts.get(True), parts.get(False)


def judged_by(model: PipelineModel, person: p.Person) -> tuple[Key, ...]:
    """The variables that a person's verdict depends on."""
    return tuple(value_key(name) for name in sorted(model.roots(person.judges)))


ON, BACK, OUT = "on", "back", "out"
"""The ways behind a person: the run goes on, the step is redone, the run ends."""

Takes = Callable[[bool, bool], Any]
"""A factor of a verdict's probability, by whether the person answers in time and whether the run
goes on: the distribution of the time that it takes.
"""


def by_verdict(
    model: PipelineModel,
    person: p.Person,
    table: Table,
    takes: Takes | None = None,
    seen_by: Callable[[State, list[Any]], None] | None = None,
) -> tuple[Table | None, Table | None, Table | None]:
    """The states with which the run goes on after a person was asked, those that the person sends
    back, and those that end it.

    `seen_by` gets the values of the variables that the person judges (`judged_by`), and the
    probabilities of the verdicts.
    """
    role = model.program.roles[person.role]
    in_time = model.parameters.timely(role.responds, person.seconds, person.role)
    accuracy = model.parameters.value(role.accuracy)
    keys = judged_by(model, person)
    verdict: Key = ("verdict",)

    def outcomes(seen: State) -> list[tuple[State, Any]]:
        right = all(bit in (RIGHT, None) for bit in seen)
        yes = accuracy if right else 1 - accuracy
        chances: dict[str, Any] = {}
        for answers, share in ((True, in_time), (False, 1 - in_time)):
            for says, part in ((True, yes), (False, 1 - yes)):
                goes_on = passes(person, answers, says)
                back = BACK if sends_back(person, answers, says) else OUT
                chance = share * part
                chance = chance if takes is None else chance * takes(answers, goes_on)
                add(chances, ON if goes_on else back, chance)
        if seen_by is not None:
            seen_by(seen, list(chances.values()))
        return [((way,), chance) for way, chance in chances.items()]

    decided = assign(table, (verdict,), keys, outcomes)
    parts = {
        way: forget(part, lambda key: key != verdict)
        for way, part in split(decided, (verdict,), lambda seen: seen[0]).items()
    }
    return parts.get(ON), parts.get(BACK), parts.get(OUT)


def together(*tables: Table | None) -> Table:
    """One table of all that are there."""
    return merge([table for table in tables if table is not None])


def by_rightness(
    model: PipelineModel, outcome: p.Outcome, table: Table, taint: Taint
) -> dict[bool, Table]:
    """The states by whether what an outcome returns is right."""
    keys = tuple(value_key(name) for name in sorted(model.roots(outcome_reads(outcome)) | taint))

    def right(seen: State) -> bool:
        return is_right(model, outcome, dict(zip(keys, seen, strict=True)), taint)

    return split(table, keys, right)


def outdated(table: Table, step: str) -> Table:
    """Without any draw about a value that is about to be made anew."""

    def keep(key: Key) -> bool:
        if key[0] in ("path", "test", "length"):
            return step not in expr.mentions(key[1])
        return not (key[0] == "bin" and key[1] == step)

    return forget(table, keep)


def is_right(
    model: PipelineModel, outcome: p.Outcome, values: Mapping[Key, Any], taint: frozenset[str]
) -> bool:
    """Whether what an outcome returns is right, by what was drawn."""
    if not isinstance(outcome, p.Return):
        return True
    mentioned = model.values(outcome.value) | taint
    return all(values.get(value_key(name)) in (RIGHT, None) for name in mentioned)
