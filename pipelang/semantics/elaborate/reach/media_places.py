"""Places that cannot hold pictures and documents: what is kept, and what models write, is JSON."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.types import Type, media_in
from pipelang.semantics.walk import agent_of, all_steps, inner_links


def misplaced_media(context: Context, made: Mapping[str, Mapping[str, Any]]) -> None:
    """Report each type with pictures or documents where none can be."""
    for memory in made["memory"].values():
        types = (memory.key.type, memory.returns)
        _tell(context, memory.span, f"memory `{memory.name}`", types, _KEPT)
    tools: Mapping[str, p.Tool] = made["tool"]
    for tool in tools.values():
        if tool.binding is not None and tool.binding[0] == "mcp":
            help = "bind the tool to a Python function, which takes and gives bytes"
            _tell(context, tool.span, f"`{tool.name}`, a tool over MCP,", _types(tool), help)
    for pipeline in made["pipeline"].values():
        for step in all_steps(pipeline):
            for link in inner_links(step.chain):
                _link(context, step, link, tools, made["pipeline"])


_KEPT = "keep what names it, such as an id, and let a tool fetch it"
_ANSWERED = "models and people answer in words: ask for what is seen, or for where it is"
_OFFERED = "give the loop what it should see in its prompt, and its tools texts and numbers"


def _link(
    context: Context,
    step: p.Step,
    link: p.Link,
    tools: Mapping[str, p.Tool],
    pipelines: Mapping[str, p.Pipeline],
) -> None:
    action = link.action
    if isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent)):
        whose = f"the answer of `{step.name}`"
        _tell(context, link.span, whose, (action.answers,), _ANSWERED)
    if link.cache is not None and isinstance(action, p.Call):
        _tell(context, link.span, "a cache", (tools[action.tool].returns,), _KEPT)
    if link.cache is not None and isinstance(action, p.RunPipeline):
        # One that was reported is not there.
        kept = [pipelines[action.pipeline].returns] if action.pipeline in pipelines else []
        _tell(context, link.span, "a cache", kept, _KEPT)
    agent = agent_of(action)
    if agent is None:
        return
    for name in agent.tools:
        _tell(context, link.span, f"`{name}`, which a model calls,", _types(tools[name]), _OFFERED)
    for name in agent.pipelines:
        if name in pipelines:
            types = _types(pipelines[name])
            _tell(context, link.span, f"`{name}`, which a model calls,", types, _OFFERED)


def _types(callee: p.Tool | p.Pipeline) -> tuple[Type, ...]:
    return (*(parameter.type for parameter in callee.parameters), callee.returns)


def _tell(context: Context, span: Span, where: str, types: Iterable[Type], help: str) -> None:
    found = next((one for type in types for one in media_in(type)), None)
    if found is not None:
        context.tell(
            codes.MISPLACED_MEDIA, span, where=where, kind=f"`{found.kind.value}`", help=help
        )
