"""The steps of a pipeline in words: all that can be said before there are any numbers."""

from __future__ import annotations

from pipelang.analysis.kernels.providers import tiers_of
from pipelang.diagnostics.columns import wrap
from pipelang.interfaces.report.sections.outcomes import ways_to_people
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.number_format import listed, plural, times
from pipelang.interfaces.text.table import labelled
from pipelang.semantics import program as p
from pipelang.semantics.kernels.agent import chosen_by_turn
from pipelang.semantics.kernels.chain import can_be_used_up, reached_links
from pipelang.semantics.walk import all_items


def structure(view: View) -> list[str]:
    """A row a step: what is tried in which order, and what happens when nothing worked."""
    told = [(name, f"{does}, {end}" if end else does) for name, does, end in in_words(view)]
    lines = labelled(told, view.paint, width=view.width)
    said = _around(view, list(all_items(view.pipeline.block)))
    more = [view.paint(line, "dim") for line in wrap(said, view.width, 2)] if said else []
    return [view.heading("What it does"), *lines, *more]


def in_words(view: View) -> list[tuple[str, str, str]]:
    """Step, what is tried, what happens when nothing worked."""
    return [
        (step.name, _chain(view.program, step.chain), _end(view.program, step.chain))
        for step in all_items(view.pipeline.block)
        if isinstance(step, p.Step)
    ]


def _chain(program: p.Program, chain: p.Chain) -> str:
    return ", else ".join(_link(program, link) for link in reached_links(chain, program.pure))


def _link(program: p.Program, link: p.Link) -> str:
    tries = link.retry.count + 1
    often = f", up to {times(tries)}" if tries > 1 else ""
    action = link.action
    match action:
        case p.AskTier():
            return f"asks {listed(tiers_of(action), 'or')}{often}"
        case p.Cascade():
            return f"asks {', then '.join(action.tiers)}, until one is sure enough{often}"
        case p.AskRole():
            return f"asks a person ({action.role})"
        case p.Call():
            tool = program.tools[action.tool]
            effect = f" ({tool.effect})" if tool.acts else ""
            return f"calls {action.tool}{effect}{often}"
        case p.Value():
            return "a plain value"
        case p.Choose():
            ways = dict.fromkeys(_link(program, arm) for _, arm in action.arms)
            return listed(list(ways), "or")
        case p.Agent():
            tools = listed([*action.tools, *action.pipelines], "and")
            steps = f"up to {times(action.steps)}"
            whom = listed(tiers_of(action), "or")
            if chosen_by_turn(action):
                whom = f"{whom} (chosen before each turn)"
            return f"lets {whom} work with {tools}, {steps}"
        case p.RunPipeline():
            return f"runs {action.pipeline}{often}"
        case p.Recall():
            return f"recalls {action.memory}"
        case p.Each():
            how = ", one after the other" if action.ordered else ""
            return f"for each {action.variable}: {_chain(program, action.body)}{how}"
        case p.Broken():
            return "something that could not be read"


def _end(program: p.Program, chain: p.Chain) -> str:
    if not can_be_used_up(chain, program.pure):
        return ""
    match chain.end:
        case None:
            return "or the run fails"
        case p.Escalate():
            return f"or it goes to {chain.end.role}"
        case p.Reject():
            return "or it is rejected"
        case p.Fail():
            return "or the run fails"
        case p.Return():
            return "or it is answered without"


def _around(view: View, everything: list[p.Item]) -> str:
    """Gates, people and effects, counted."""
    parts = []
    gates = sum(isinstance(item, p.Gate) for item in everything)
    if gates:
        parts.append(plural(gates, "gate"))
    for kind, word in (("approve", "approval"), ("hold", "hold")):
        number = sum(isinstance(item, p.Person) and item.kind == kind for item in everything)
        if number:
            parts.append(plural(number, word))
    ways = len(ways_to_people(view.pipeline.block))
    if ways:
        parts.append(f"{plural(ways, 'way')} to a person")
    return f"{listed(parts)}." if parts else ""
