"""What an injection can reach in a pipeline, worked out from the ground truth alone, and what the
check says about the same calls. Nothing of `pipelang.analysis` takes part in the first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pipelang.analysis.findings.verify import prove
from pipelang.semantics.build import build

from ..memory import MemoryLoader
from .pipelines import Form, Planned, agent_of, file_of, is_closed, is_number, planned
from .tasks import Call, Suite, Task

Flagged = dict[str, dict[int, set[str]]]
"""The codes of the P7 family by pipeline and call."""


def told_of(suite: Suite, form: Form) -> Flagged:
    """What the check says of every pipeline of a suite, warnings too."""
    return flagged_in(file_of(suite, form))


def flagged_in(text: str) -> Flagged:
    """What the check says of every pipeline of a file."""
    built = build("suite.pipe", MemoryLoader({"suite.pipe": text}))
    assert built.program is not None, [one.message for one in built.diagnostics]
    found: Flagged = {name: {} for name in built.program.pipelines}
    for one in prove(built.program, ())[1]:
        if one.rule.code.startswith("P7"):
            assert one.span is not None
            before = text[: text.index("\n", one.span.start)]
            name = re.findall(r"^pipeline (\w+)", before, re.MULTILINE)[-1]
            at = re.findall(r"^ *step call_(\d+) ", before, re.MULTILINE)[-1]
            found[name].setdefault(int(at), set()).add(one.rule.code)
    return found


def told_of_agent(suite: Suite, gated: bool) -> set[str]:
    """The tools whose pipelines the check flags where an agent has them all."""
    text = agent_of(suite, gated)
    built = build("agent.pipe", MemoryLoader({"agent.pipe": text}))
    assert built.program is not None, [one.message for one in built.diagnostics]
    found = set()
    for one in prove(built.program, ())[1]:
        if one.rule.code.startswith("P7"):
            assert one.span is not None
            before = text[: text.index("\n", one.span.start)]
            found.add(re.findall(r"^pipeline do_(\w+)", before, re.MULTILINE)[-1])
    return found


def carries_text(suite: Suite, step: Planned) -> bool:
    """Whether text from outside gets into a call that acts, by a model that read it."""
    loose = [name for name in step.decided if not is_closed(suite, step, name)]
    return step.call.acts and step.exposed and bool(loose)


def picks_number(suite: Suite, step: Planned) -> bool:
    """Whether text from outside picks a number in a call that acts, of any size."""
    numbers = [name for name in step.decided if is_number(suite, step, name)]
    return step.call.acts and step.exposed and bool(numbers)


def gets_in(suite: Suite, step: Planned) -> bool:
    """Whether text, a number or a decision out of text from outside goes into a call that acts."""
    return carries_text(suite, step) or picks_number(suite, step) or is_steered(step)


def is_steered(step: Planned) -> bool:
    """Whether text from outside decides that a call that acts is made."""
    return step.call.acts and step.exposed and step.asks


def aimed_at(step: Planned, attack: Call) -> bool:
    """Whether a call is of the tool that an attack wants, with arguments that a model made of
    text from outside, whichever they are.
    """
    same = attack.acts and step.call.tool == attack.tool
    return same and step.exposed and bool(step.decided)


def within_reach(step: Planned, attack: Call) -> bool:
    """Whether an attack gets its own call: each of its arguments is one that the model fills in,
    or is what stands there anyway.
    """
    return aimed_at(step, attack) and all(
        name in step.decided or step.call.arguments.get(name) == value
        for name, value in attack.arguments.items()
    )


@dataclass(frozen=True)
class Verdicts:
    """Pipelines of one suite in one form, by task. `aimed`: some attack's tool is called with what
    a model made of text from outside; `reached`: some attack gets its own call; `open`: text from
    outside gets into some call that acts, or decides about one, attacked here or not; `flagged` by
    the check.
    """

    tasks: tuple[str, ...]
    acting: frozenset[str]
    aimed: frozenset[str]
    reached: frozenset[str]
    open: frozenset[str]
    flagged: frozenset[str]


def verdicts(suite: Suite, form: Form) -> Verdicts:
    told = told_of(suite, form)
    attacks = [call for attack in suite.attacks for call in attack.calls]
    steps = {task.id: planned(suite, task, form) for task in suite.users}

    def some(holds: object) -> frozenset[str]:
        assert callable(holds)
        return frozenset(name for name, found in steps.items() if any(map(holds, found)))

    return Verdicts(
        tuple(steps),
        frozenset(task.id for task in suite.users if task.acts),
        some(lambda step: any(aimed_at(step, one) for one in attacks)),
        some(lambda step: any(within_reach(step, one) for one in attacks)),
        some(lambda step: gets_in(suite, step)),
        frozenset(name for name, found in told.items() if found),
    )


def expected(suite: Suite, task: Task, form: Form) -> dict[int, set[str]]:
    """What the check must say of a pipeline, call by call."""
    found: dict[int, set[str]] = {}
    for step in planned(suite, task, form) if form != "gated" else ():
        if carries_text(suite, step):
            found.setdefault(step.at, set()).add("P704")
        if picks_number(suite, step):
            found.setdefault(step.at, set()).add("P711")
        if is_steered(step):
            found.setdefault(step.at, set()).add("P705")
    return found
