"""Blocks: items in writing order, which comes to the same as what the interpreter does.

All steps of a region finish, and of several endings the first in writing order counts. So a region
may be gone through step by step: one that reads a value which is not there is passed over, and the
first ending is remembered until the region is left.

A redo goes back to its step. Items between the step and its gate have a flag that says whether they
must (still) run: what is made anew raises the flags of what reads it, and whoever's flag is down is
passed over. So a gate that reads nothing new keeps its verdict, and nothing stale survives.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.interfaces.export.prism.answers import VERDICTS, repeats
from pipelang.interfaces.export.prism.chains import chain
from pipelang.interfaces.export.prism.constants import identifier
from pipelang.interfaces.export.prism.draws import all_right
from pipelang.interfaces.export.prism.endings import end, end_later
from pipelang.interfaces.export.prism.formulas import (
    FALSE,
    TRUE,
    Formula,
    all_of,
    any_of,
    compared,
    is_,
    more,
    no,
    number,
    product,
    rest,
    variable,
)
from pipelang.interfaces.export.prism.judging import (
    expression_test,
    gate_test,
    match_test,
    named_test,
)
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.redos import Flags, flags_of
from pipelang.interfaces.export.prism.scopes import PrismScope
from pipelang.interfaces.export.prism.translation import Making, Translation
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import ending
from pipelang.semantics.kernels.people import silence_passes
from pipelang.semantics.kernels.redo import last_outcome, redo_of
from pipelang.semantics.walk import inner_links


@dataclass(slots=True)
class _Block:
    """A block being translated. `heads` are where its steps begin, `told` the variables that say
    of steps which gates redo whether one has just done so.
    """

    t: Translation
    block: p.Block
    scope: PrismScope
    around: frozenset[str]
    flags: Flags
    heads: dict[str, int] = field(default_factory=dict)
    told: dict[str, str] = field(default_factory=dict)


def block(
    t: Translation, items: p.Block, scope: PrismScope, around: frozenset[str], place: int
) -> int | None:
    """All items of a block, from a place on; gives the place behind it, None if no run gets there.

    Places are made in the order in which a run comes to them, since that is how they are printed.
    """
    here = _Block(t, items, scope, around, flags_of(items, scope))
    for segment in items.segments:
        if isinstance(segment, p.Region):
            place = _region(here, segment.members, place)
            continue
        item = items.items[segment.index]
        if isinstance(item, p.Step):
            place = _region(here, (segment.index,), place)
            continue
        t.machine.headings.setdefault(place, _heading(scope.frame.path, item))
        match item:
            case p.Gate():
                place = _gate(here, segment.index, item, place)
            case p.Person():
                place = _person(here, item, place)
            case p.When():
                place = _when(here, item, place)
            case p.MatchBranch():
                place = _match(here, item, place)
            case p.End():
                end(scope, item.outcome, around, place)
                return None
            case p.Remember():
                place = _remember(here, item, place)
            case p.Let():
                raise AssertionError("a let is no barrier")
    return place


def _heading(path: str, item: p.Item) -> str:
    match item:
        case p.Gate():
            return f"gate {path}{item.name}"
        case p.Person():
            return f"{item.kind} {path}{item.name}"
        case p.When():
            return f"when {item.name or expr.show(item.condition)}"
        case p.MatchBranch():
            return f"match {expr.show(item.subject)}"
        case p.Remember():
            return f"remember {item.memory}"
        case _:
            return "outcome"


# ------------------------------------------------------------------------------------ regions


def _region(here: _Block, members: Sequence[int], place: int) -> int:
    """The steps of a region, then its end; gives the place behind it."""
    t = here.t
    seen: set[str] = set()
    for index in members:
        item = here.block.items[index]
        if isinstance(item, p.Step):
            place = _step(here, index, item, place, frozenset(seen))
            seen.add(here.scope.own_names[id(item)])
        here.scope.add(item)
    behind, frame = t.machine.place(), here.scope.frame
    t.machine.go(place, PrismUpdate(behind), is_(frame.ending, 0))
    t.machine.go(place, PrismUpdate(frame.finish), no(is_(frame.ending, 0)))
    return behind


def _step(here: _Block, index: int, step: p.Step, place: int, before: frozenset[str]) -> int:
    """One step. It does not start where a value is missing that it reads: its step has ended."""
    t, machine, frame = here.t, here.t.machine, here.scope.frame
    own, shown = here.scope.own_names[id(step)], f"{frame.path}{step.name}"
    machine.headings.setdefault(place, f"step {shown}")
    here.heads[step.name] = place
    run, done, exhausted, over = (machine.place() for _ in range(4))
    if frame is t.root:
        machine.reached.setdefault(step.name, []).append(run)
    memory = again = None
    fresh = frame.fresh
    if own in frame.repeated:
        t.begins[run] = own
        if any(repeats(link) for link in inner_links(step.chain)):
            memory = frame.variable(f"m_{own.removeprefix('v_')}", 4, f"{shown}: {VERDICTS}")
        again = frame.variable(f"again_{own.removeprefix('v_')}", 1, f"1 once {shown} was made")
        fresh = all_of([fresh, is_(again, 0)])
    told = _told(here, step)
    making = Making(
        step, own, here.scope, here.around, done, frame.ending, over, memory, fresh, told
    )
    chain(t, making, step.chain, run, exhausted)
    behind = machine.place()
    machine.go(over, PrismUpdate(behind))
    flag = here.flags.names.get(index)
    must, lowered = TRUE, PrismUpdate(behind)
    if flag is not None:
        must, lowered = is_(flag, 1), PrismUpdate(behind).setting(flag, 0)
        machine.go(place, PrismUpdate(behind), is_(flag, 0))
    missing = any_of(is_(name, 0) for name in sorted(before & here.scope.steps(step.reads)))
    machine.go(place, lowered.setting(own, 0), all_of([must, missing]))
    begin = PrismUpdate(run, {**lowered.sets, own: number(0)})
    machine.go(place, begin, all_of([must, no(missing)]))
    made = PrismUpdate(behind)
    for reader in here.flags.readers(own):
        made = made.setting(reader, 1)
    if told is not None:
        made = made.setting(told, 0)
    machine.go(done, made if again is None else made.setting(again, 1))
    end_later(making, ending(step.chain, step), exhausted)
    return behind


def _told(here: _Block, step: p.Step) -> str | None:
    """The variable that is 1 while a gate's feedback is in a step's prompts."""
    redos = map(redo_of, here.block.items)
    if not any(redo is not None and redo.step == step.name for redo in redos):
        return None
    note = f"1 while step {here.scope.frame.path}{step.name} has the feedback of a gate"
    name = here.scope.frame.variable(f"told_{identifier(step.name)}", 1, note)
    here.told[step.name] = name
    return name


# ------------------------------------------------------------------------------- other items


def _gate(here: _Block, index: int, gate: p.Gate, place: int) -> int:
    t, machine = here.t, here.t.machine
    flag = here.flags.names.get(index)
    judged = place if flag is None else machine.place()
    test = gate_test(t.draws, here.scope, gate)
    decided = t.draws.perform(judged, test.draws)
    refused = machine.place()
    machine.go(decided, PrismUpdate(refused), no(test.value))
    redo = redo_of(gate)
    if redo is not None:
        refused = _redo(here, gate, redo, refused)
    end(here.scope, last_outcome(gate), here.around, refused)
    behind = machine.place()
    passed = PrismUpdate(behind)
    if flag is not None:
        machine.go(place, PrismUpdate(behind), is_(flag, 0))
        machine.go(place, PrismUpdate(judged), is_(flag, 1))
        passed = passed.setting(flag, 0)
    machine.go(decided, passed, test.value)
    return behind


def _redo(here: _Block, gate: p.Gate | p.Person, redo: p.Redo, refused: int) -> int:
    """Back to the redo's step while there are redos left; gives the place where there are none."""
    machine, frame = here.t.machine, here.scope.frame
    what = "gate" if isinstance(gate, p.Gate) else "approve"
    note = f"redos that {what} {frame.path}{gate.name} has used"
    counter = frame.variable(f"r_{identifier(gate.name)}", redo.times, note)
    again = PrismUpdate(here.heads[redo.step], {counter: more(counter)})
    again = again.setting(here.flags.names[here.flags.place_of(redo.step)], 1)
    again = again.setting(here.told[redo.step], 1)
    left = compared(variable(counter), "<", number(redo.times))
    machine.go(refused, again, left)
    spent = machine.place()
    machine.go(refused, PrismUpdate(spent), no(left))
    return spent


def _person(here: _Block, person: p.Person, place: int) -> int:
    """An approval needs a yes in time; a hold goes on unless a no comes in time."""
    t, machine = here.t, here.t.machine
    asked, unasked = place, FALSE
    if person.when is not None:
        test = expression_test(t.draws, here.scope, person.when)
        place = t.draws.perform(place, test.draws)
        asked, unasked = machine.place(), no(test.value)
        machine.go(place, PrismUpdate(asked), test.value)
    sent_back = refused = machine.place()
    redo = redo_of(person)
    if redo is not None:
        refused = _redo(here, person, redo, sent_back)
    end(here.scope, last_outcome(person), here.around, refused)
    behind = machine.place()
    machine.go(place, PrismUpdate(behind), unasked)
    role = t.program.roles[person.role]
    in_time = t.constants.timely(role, person.role, person.seconds)
    accuracy = t.constants.share(role.accuracy)
    good = all_right(here.scope.made_so_far(person.judges))
    for case, yes in ((good, accuracy), (no(good), rest(accuracy))):
        goes_on = product(in_time, yes)
        if silence_passes(person):
            goes_on = rest(product(in_time, rest(yes)))
        ways = [(goes_on, PrismUpdate(behind)), (rest(goes_on), PrismUpdate(refused))]
        if redo is not None:  # no answer in time sends nothing back
            says_no = product(in_time, rest(yes))
            ways[1:] = [(says_no, PrismUpdate(sent_back)), (rest(in_time), PrismUpdate(refused))]
        machine.choose(asked, ways, case)
    return behind


def _remember(here: _Block, item: p.Remember, place: int) -> int:
    """A write: wrong if its key, its value or what it hangs on is."""
    machine, effect = here.t.machine, here.t.effect()
    good = all_right(here.around | here.scope.steps(item.reads))
    behind = machine.place()
    machine.go(place, PrismUpdate(behind), good)
    machine.go(place, PrismUpdate(behind).setting(effect, 1), no(good))
    return behind


def _when(here: _Block, item: p.When, place: int) -> int:
    test = named_test(here.t.draws, here.scope, item.condition, item.name)
    place = here.t.draws.perform(place, test.draws)
    cases = [(test.value, item.then), (no(test.value), item.otherwise)]
    return _branches(here, place, here.scope.mentioned(item.condition), cases)


def _match(here: _Block, item: p.MatchBranch, place: int) -> int:
    taken = [values for values, _ in item.arms]
    test, cases = match_test(here.t.draws, here.scope, item.subject, taken)
    place = here.t.draws.perform(place, test.draws)
    arms = [(case, item.arms[index][1]) for index, case in cases]
    return _branches(here, place, here.scope.mentioned(item.subject), arms)


def _branches(
    here: _Block, place: int, read: frozenset[str], cases: Sequence[tuple[Formula, p.Block]]
) -> int:
    machine = here.t.machine
    lasts: list[int | None] = []
    for case, inner in cases:
        head = machine.place()
        machine.go(place, PrismUpdate(head), case)
        lasts.append(block(here.t, inner, here.scope.inside(), here.around | read, head))
    behind = machine.place()
    for last in lasts:
        if last is not None:
            machine.go(last, PrismUpdate(behind))
    return behind
