"""The tools that are called on every way of a branch, whichever it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import by_pipeline, tools_behind
from pipelang.semantics.walk import all_items, inner_links


def always_called(program: p.Program, ways: Iterable[p.Block]) -> frozenset[str]:
    """Return the tools that each of some ways calls equally often, and never under a test."""
    certain_of = by_pipeline(program, lambda inner, one: _certain(inner, one.block))
    certain = [_certain(certain_of, way) for way in ways]
    first, *others = certain
    found = {tool for tool, calls in first.items() if all(o[tool] == calls for o in others)}
    if not found:
        return frozenset()
    mentions_of = by_pipeline(program, lambda inner, one: _mentions(program, inner, one.block))
    mentions = [_mentions(program, mentions_of, way) for way in ways]
    return frozenset(
        tool
        for tool in found
        if all(count[tool] == calls[tool] for count, calls in zip(mentions, certain, strict=True))
    )


Inner = Callable[[str], Counter[str]]
"""The same of a pipeline that is run, by name."""


def _certain(inner: Inner, block: p.Block) -> Counter[str]:
    """Return how often each tool is called before anything can end or divide the run."""
    found = Counter[str]()
    for item in block.items:
        if isinstance(item, p.Step) and item.chain.links:
            action = item.chain.links[0].action
            if isinstance(action, p.Call):
                found[action.tool] += 1
            elif isinstance(action, p.RunPipeline):
                found += inner(action.pipeline)
        elif not isinstance(item, (p.Step, p.Let, p.Remember)):
            break
    return found


def _mentions(program: p.Program, inner: Inner, block: p.Block) -> Counter[str]:
    """Return how often each tool is called anywhere; in a loop, more often than anything else."""
    found = Counter[str]()
    for item in all_items(block):
        for link in inner_links(item.chain) if isinstance(item, p.Step) else ():
            action = link.action
            if isinstance(action, p.Call):
                found[action.tool] += 1
            elif isinstance(action, p.RunPipeline):
                found += inner(action.pipeline)
        if isinstance(item, p.Step):
            for link in inner_links(item.chain):
                found.update(dict.fromkeys(_looped(program, link), _OFTEN))
    return found


_OFTEN = 1_000


def _looped(program: p.Program, link: p.Link) -> Iterable[str]:
    """Return the tools that a link may call any number of times."""
    action = link.action
    if isinstance(action, p.Each):
        inner = p.Chain(action.body.links, None)
        for one in inner_links(inner):
            if isinstance(one.action, p.Call):
                yield one.action.tool
            elif isinstance(one.action, p.RunPipeline):
                yield from tools_behind(program, program.pipelines[one.action.pipeline])
    elif isinstance(action, (p.Agent, p.Cascade)):
        agent = action if isinstance(action, p.Agent) else action.agent
        for name in agent.pipelines if agent is not None else ():
            yield from tools_behind(program, program.pipelines[name])
