"""The tools that are called on every way of a branch, whichever it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tools_behind
from pipelang.semantics.walk import all_items, inner_links


def always_called(program: p.Program, ways: Iterable[p.Block]) -> frozenset[str]:
    """Return the tools that each of some ways calls equally often, and never under a test."""
    certain = [_certain(program, way) for way in ways]
    first, *others = certain
    found = {tool for tool, calls in first.items() if all(o[tool] == calls for o in others)}
    mentions = [_mentions(program, way) for way in ways] if found else []
    return frozenset(
        tool
        for tool in found
        if all(count[tool] == calls[tool] for count, calls in zip(mentions, certain, strict=True))
    )


def _certain(program: p.Program, block: p.Block) -> Counter[str]:
    """Return how often each tool is called before anything can end or divide the run."""
    return _certain_in(program, block, {})


def _certain_in(program: p.Program, block: p.Block, known: dict[str, Counter[str]]) -> Counter[str]:
    found = Counter[str]()
    for item in block.items:
        if isinstance(item, p.Step) and item.chain.links:
            action = item.chain.links[0].action
            if isinstance(action, p.Call):
                found[action.tool] += 1
            elif isinstance(action, p.RunPipeline):
                name = action.pipeline
                if name not in known:
                    known[name] = _certain_in(program, program.pipelines[name].block, known)
                found += known[name]
        elif not isinstance(item, (p.Step, p.Let, p.Remember)):
            break
    return found


def _mentions(program: p.Program, block: p.Block) -> Counter[str]:
    """Return how often each tool is called anywhere; in a loop, more often than anything else."""
    return _mentions_in(program, block, {})


def _mentions_in(
    program: p.Program, block: p.Block, known: dict[str, Counter[str]]
) -> Counter[str]:
    found = Counter[str]()
    for item in all_items(block):
        for link in inner_links(item.chain) if isinstance(item, p.Step) else ():
            action = link.action
            if isinstance(action, p.Call):
                found[action.tool] += 1
            elif isinstance(action, p.RunPipeline):
                name = action.pipeline
                if name not in known:
                    known[name] = _mentions_in(program, program.pipelines[name].block, known)
                found += known[name]
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
