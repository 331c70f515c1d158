"""The calls of a tool in a pipeline, each with the values that can be read there."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.reach.effects import reached
from pipelang.semantics.walk import agent_of, all_items, inner_blocks


@dataclass(frozen=True, slots=True)
class CallInScope:
    """A place that calls a tool, directly or through a pipeline: the `names` in scope there, and
    those that were made in a branch that is closed (`gone`).
    """

    span: Span
    names: frozenset[str]
    gone: frozenset[str]


def calls_of(context: Context, pipeline: p.Pipeline, tool: str) -> Iterator[CallInScope]:
    """Every place in a pipeline that may call a tool, given by its key."""
    names = frozenset(parameter.name for parameter in pipeline.parameters)
    if pipeline.breaker is not None:
        chain = pipeline.breaker.otherwise.chain
        yield from _in_chain(context, chain, tool, names, frozenset())
    yield from _in_block(context, pipeline.block, tool, names, frozenset())


def _in_block(
    context: Context, block: p.Block, tool: str, names: frozenset[str], gone: frozenset[str]
) -> Iterator[CallInScope]:
    for item in block.items:
        if isinstance(item, p.Step):
            yield from _in_chain(context, item.chain, tool, names, gone)
        if isinstance(item, (p.Step, p.Let)):
            names |= {item.name}
        for inner in inner_blocks(item):
            yield from _in_block(context, inner, tool, names, gone)
            made = (one.name for one in all_items(inner) if isinstance(one, (p.Step, p.Let)))
            gone |= frozenset(made)


def _in_chain(
    context: Context, chain: p.Chain, tool: str, names: frozenset[str], gone: frozenset[str]
) -> Iterator[CallInScope]:
    for link in chain.links:
        yield from _in_link(context, link, tool, names, gone)


def _in_link(
    context: Context, link: p.Link, tool: str, names: frozenset[str], gone: frozenset[str]
) -> Iterator[CallInScope]:
    action = link.action
    if isinstance(action, p.Choose):
        for _, arm in action.arms:
            yield from _in_link(context, arm, tool, names, gone)
    elif isinstance(action, p.Each):
        inside = names | {action.variable}
        yield from _in_chain(context, action.body, tool, inside, gone)
    else:
        loop = agent_of(action)
        called = [action.tool] if isinstance(action, p.Call) else []
        run = [action.pipeline] if isinstance(action, p.RunPipeline) else []
        if loop is not None:
            called, run = [*loop.tools], [*loop.pipelines]
        if tool in called or any(tool in reached(context, name) for name in run):
            yield CallInScope(link.span, names, gone)
