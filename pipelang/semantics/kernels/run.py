"""The kernel of `run`: how the outcome of a sub-pipeline becomes one of its caller.

What a sub-pipeline answers is the action's answer, its failing is an attempt that failed.
Escalating and rejecting are decisions: they end the caller's run too, and by name they are
`PIPELINE.GATE`.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.walk import (
    agent_of,
    all_items,
    all_steps,
    contents,
    inner_links,
    outcomes,
    tiers_of,
)


def passed_on(pipeline: str, outcome: p.Outcome) -> p.Outcome:
    """A decision of a sub-pipeline as the caller's: under its own name and that of who took it."""
    if not isinstance(outcome, (p.Escalate, p.Reject)):
        raise TypeError(f"{outcome!r} is no decision")
    return replace(outcome, reason=named(pipeline, outcome.reason))


def named(pipeline: str, reason: str) -> str:
    """`PIPELINE.GATE`; what came from further down keeps the name that it has."""
    return reason if "." in reason else f"{pipeline}.{reason}"


def sub_pipelines(block: p.Block) -> Iterator[str]:
    """The pipelines that a block runs, or lets an agent run."""
    for _, link in contents(block).links:
        yield from run_by_link(link)


def with_inner(program: p.Program, pipeline: p.Pipeline) -> Iterator[p.Pipeline]:
    """A pipeline and all that run in it, through others and through agents too, each once."""
    seen = {pipeline.name}
    ahead = [pipeline]
    while ahead:
        one = ahead.pop()
        yield one
        for name in sub_pipelines(one.block):
            if name not in seen:
                seen.add(name)
                ahead.append(program.pipelines[name])


def pipelines_run(program: p.Program, pipeline: p.Pipeline) -> tuple[p.Pipeline, ...]:
    """The pipelines that one runs by `run`, and those that these run, each once."""
    found: dict[str, p.Pipeline] = {}
    ahead = [pipeline]
    while ahead:
        here = ahead.pop(0)
        steps = (item for item in all_items(here.block) if isinstance(item, p.Step))
        for step in steps:
            for link in inner_links(step.chain):
                if isinstance(link.action, p.RunPipeline) and link.action.pipeline not in found:
                    inner = found[link.action.pipeline] = program.pipelines[link.action.pipeline]
                    ahead.append(inner)
    return tuple(found.values())


def pipelines_behind(program: p.Program, chain: p.Chain) -> Iterator[str]:
    """Every pipeline that a chain may run, also through others and through agents."""
    for name in pipelines_in(chain):
        yield name
        for item in all_steps(program.pipelines[name]):
            yield from pipelines_behind(program, item.chain)


def _run_by(step: p.Step) -> Iterator[str]:
    yield from pipelines_in(step.chain)


def pipelines_in(chain: p.Chain) -> Iterator[str]:
    """The pipelines that a chain itself runs, or lets an agent run."""
    for link in inner_links(chain):
        yield from run_by_link(link)


def run_by_link(link: p.Link) -> Iterator[str]:
    """The pipelines that a link runs, or lets an agent run."""
    if isinstance(link.action, p.RunPipeline):
        yield link.action.pipeline
    agent = agent_of(link.action)
    if agent is not None:
        yield from agent.pipelines


def endings_of(program: p.Program, pipeline: str) -> tuple[p.Outcome, ...]:
    """The decisions that a sub-pipeline may end its caller's run with."""
    block = program.pipelines[pipeline].block
    found: dict[p.Outcome, None] = {}
    for outcome in outcomes(block):
        if isinstance(outcome, (p.Escalate, p.Reject)):
            found[passed_on(pipeline, outcome)] = None
    for inner in sub_pipelines(block):
        found |= dict.fromkeys(endings_of(program, inner))
    return tuple(found)


def waits_for_people(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether a run of a pipeline may wait for people, also through others and through agents."""
    if any(isinstance(item, p.Person) for item in all_items(pipeline.block)):
        return True
    for step in all_steps(pipeline):
        if any(isinstance(link.action, p.AskRole) for link in inner_links(step.chain)):
            return True
        if any(waits_for_people(program, program.pipelines[name]) for name in _run_by(step)):
            return True
    return False


def pipeline_acts(program: p.Program, pipeline: str) -> bool:
    """Whether a pipeline, or one that it runs, changes the world."""
    found = program.pipelines[pipeline]
    if any(isinstance(item, p.Remember) for item in all_items(found.block)):
        return True
    for step in all_steps(found):
        for link in inner_links(step.chain):
            if isinstance(link.action, p.Call) and program.tools[link.action.tool].acts:
                return True
        if any(pipeline_acts(program, inner) for inner in _run_by(step)):
            return True
    return False


def tiers_behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """Every tier that a run of a pipeline may ask, also through others and through agents."""
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            yield from tiers_of(link.action)
        for inner in dict.fromkeys(_run_by(step)):
            yield from tiers_behind(program, program.pipelines[inner])


def tools_behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """Every tool that a run of a pipeline may call, also through others and through agents."""
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            if isinstance(link.action, p.Call):
                yield link.action.tool
            agent = agent_of(link.action)
            if agent is not None:
                yield from agent.tools
        for inner in dict.fromkeys(_run_by(step)):
            yield from tools_behind(program, program.pipelines[inner])


def prompts_behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """Every prompt that a run of a pipeline may ask, also through others."""
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            if isinstance(link.action, (p.AskTier, p.AskRole, p.Cascade, p.Agent)):
                yield link.action.prompt
        for inner in dict.fromkeys(_run_by(step)):
            yield from prompts_behind(program, program.pipelines[inner])


def called_behind(program: p.Program, action: p.Action) -> tuple[frozenset[str], frozenset[str]]:
    """The tools that an action may call and the pipelines that it may run, also through others."""
    agent = agent_of(action)
    tools = {action.tool} if isinstance(action, p.Call) else set[str]()
    ran = [action.pipeline] if isinstance(action, p.RunPipeline) else []
    if agent is not None:
        tools.update(agent.tools)
        ran += agent.pipelines
    pipelines = set(ran)
    for name in ran:
        inner = program.pipelines[name]
        tools.update(tools_behind(program, inner))
        for step in all_steps(inner):
            pipelines.update(pipelines_behind(program, step.chain))
    return frozenset(tools), frozenset(pipelines)


def permits_behind(program: p.Program, action: p.Action) -> frozenset[str]:
    """The permits of the tools that an action calls, also through what it runs."""
    needed = (program.tools[name].permit for name in called_behind(program, action)[0])
    return frozenset(permit for permit in needed if permit is not None)
