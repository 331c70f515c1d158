"""The kernel of `run`: how the outcome of a sub-pipeline becomes one of its caller.

What a sub-pipeline answers is the action's answer, its failing is an attempt that failed.
Escalating and rejecting are decisions: they end the caller's run too, and by name they are
`PIPELINE.GATE`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import TypeVar

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

Answer = TypeVar("Answer")


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
    return _each_once(program, pipeline, lambda one: sub_pipelines(one.block))


def all_behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[p.Pipeline]:
    """A pipeline and all that a run of it may run, each once: those `with_inner`, and what answers
    while a breaker is open.
    """
    return _each_once(program, pipeline, _run_by)


def _each_once(
    program: p.Program, first: p.Pipeline, inside: Callable[[p.Pipeline], Iterable[str]]
) -> Iterator[p.Pipeline]:
    # Each once: what is run twice by what is run twice, and so on, is reached in 2^n ways.
    seen = set[str]()
    ahead = [first.name]
    while ahead:
        name = ahead.pop()
        # Where a program is not whole yet, a pipeline with a mistake is not there.
        one = first if name == first.name else program.pipelines.get(name)
        if one is not None and name not in seen:
            seen.add(name)
            yield one
            ahead += reversed([*inside(one)])


def by_pipeline(
    program: p.Program, answer: Callable[[Callable[[str], Answer], p.Pipeline], Answer]
) -> Callable[[str], Answer]:
    """The answer to a question about each pipeline, by name and worked out once; `answer` is given
    those of the pipelines that one runs.
    """

    @cache
    def known(name: str) -> Answer:
        return answer(known, program.pipelines[name])

    return known


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
    """Every pipeline that a chain may run, also through others and through agents, each once."""
    found: dict[str, None] = {}
    for name in pipelines_in(chain):
        if name not in found:
            found |= dict.fromkeys(one.name for one in all_behind(program, program.pipelines[name]))
    return iter(found)


def _run_by(pipeline: p.Pipeline) -> Iterator[str]:
    """The pipelines that one itself runs, or lets an agent run, whatever its breaker says."""
    yield from sub_pipelines(pipeline.block)
    if pipeline.breaker is not None:
        yield from pipelines_in(pipeline.breaker.otherwise.chain)


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
    return by_pipeline(program, _endings)(pipeline)


def _endings(
    inner: Callable[[str], tuple[p.Outcome, ...]], pipeline: p.Pipeline
) -> tuple[p.Outcome, ...]:
    found: dict[p.Outcome, None] = {}
    for outcome in outcomes(pipeline.block):
        if isinstance(outcome, (p.Escalate, p.Reject)):
            found[passed_on(pipeline.name, outcome)] = None
    for name in sub_pipelines(pipeline.block):
        found |= dict.fromkeys(inner(name))
    return tuple(found)


def asks_people(pipeline: p.Pipeline) -> bool:
    """Whether a pipeline itself waits for a person, or asks one, while its breaker is closed."""
    inside = contents(pipeline.block)
    return any(isinstance(item, p.Person) for item in inside.beside) or any(
        isinstance(link.action, p.AskRole) for _, link in inside.links
    )


def waits_for_people(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether a run of a pipeline may wait for people, also through others and through agents."""
    for one in all_behind(program, pipeline):
        instead = () if one.breaker is None else inner_links(one.breaker.otherwise.chain)
        if asks_people(one) or any(isinstance(link.action, p.AskRole) for link in instead):
            return True
    return False


def pipeline_acts(program: p.Program, pipeline: str) -> bool:
    """Whether a pipeline, or one that it runs, changes the world."""
    for one in all_behind(program, program.pipelines[pipeline]):
        if any(isinstance(item, p.Remember) for item in contents(one.block).beside):
            return True
        for link in _all_links(one):
            if isinstance(link.action, p.Call) and program.tools[link.action.tool].acts:
                return True
    return False


def tiers_behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """Every tier that a run of a pipeline may ask, also through others and through agents."""
    for one in all_behind(program, pipeline):
        for link in _all_links(one):
            yield from tiers_of(link.action)


def tools_behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """Every tool that a run of a pipeline may call, also through others and through agents."""
    for one in all_behind(program, pipeline):
        for link in _all_links(one):
            if isinstance(link.action, p.Call):
                yield link.action.tool
            agent = agent_of(link.action)
            if agent is not None:
                yield from agent.tools


def prompts_behind(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """Every prompt that a run of a pipeline may ask, also through others."""
    for one in all_behind(program, pipeline):
        for link in _all_links(one):
            if isinstance(link.action, (p.AskTier, p.AskRole, p.Cascade, p.Agent)):
                yield link.action.prompt


def _all_links(pipeline: p.Pipeline) -> Iterator[p.Link]:
    for step in all_steps(pipeline):
        yield from inner_links(step.chain)


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
        pipelines.update(one.name for one in all_behind(program, inner))
    return frozenset(tools), frozenset(pipelines)


def permits_behind(program: p.Program, action: p.Action) -> frozenset[str]:
    """The permits of the tools that an action calls, also through what it runs."""
    needed = (program.tools[name].permit for name in called_behind(program, action)[0])
    return frozenset(permit for permit in needed if permit is not None)
