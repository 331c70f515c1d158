"""Effects that may happen twice, by a retry or by a fallback after another effect, and effects that
happen side by side.

An attempt that seems to have failed may have worked: a timeout does not say whether the other side
has acted. A second attempt then repeats the effect, unless the tool is `idempotent`; and a fallback
that acts adds another effect to the first. An `each` without `ordered` starts its elements at once:
where one fails, the others have acted already.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tools_behind
from pipelang.semantics.walk import agent_of, all_items, inner_links


def effects(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Return the findings about a pipeline's own effects."""
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            for link in inner_links(item.chain):
                yield from _retried(program, link)
            yield from _half_done(program, item.chain)
            for link in inner_links(item.chain):
                if isinstance(link.action, p.Each):
                    yield from _half_done(program, link.action.body)
                    yield from _side_by_side(program, link, link.action)


def _retried(program: p.Program, link: p.Link) -> Iterator[Diagnostic]:
    """Report an effect that a retry repeats; a tool's own `retry` counts too."""
    action = link.action
    if isinstance(action, p.Call):
        tool = program.tools[action.tool]
        if tool.acts and not tool.idempotent and (link.retry.count or tool.retry.count):
            yield report(codes.RETRIED_EFFECT, link.span, tool=tool.name)
    elif link.retry.count and isinstance(action, (p.RunPipeline, p.Agent, p.Cascade, p.Each)):
        for name in _acting(program, link):
            if not program.tools[name].idempotent:
                yield report(codes.RETRIED_EFFECT, link.span, tool=name)
                return


def _side_by_side(program: p.Program, link: p.Link, each: p.Each) -> Iterator[Diagnostic]:
    """Report an `each` that does what cannot be undone for several elements at a time.

    One that says how many at a time was written with that in mind.
    """
    if each.ordered or each.parallel is not None or each.most == 1:
        return
    for inner in each.body.links:
        for name in _acting(program, inner):
            if program.tools[name].effect == "irreversible":
                yield report(codes.UNORDERED_EFFECT, link.span, tool=name, variable=each.variable)
                return


def _acting(program: p.Program, link: p.Link) -> list[str]:
    """Return the tools of a link that act on the world, each once."""
    found: dict[str, None] = {}
    for inner in inner_links(p.Chain((link,), None)):
        action = inner.action
        if isinstance(action, p.Call):
            found[action.tool] = None
        names = [action.pipeline] if isinstance(action, p.RunPipeline) else []
        agent = agent_of(action)
        if agent is not None:
            names += agent.pipelines
        for name in names:
            found.update(dict.fromkeys(tools_behind(program, program.pipelines[name])))
    return [name for name in found if program.tools[name].acts]


def _half_done(program: p.Program, chain: p.Chain) -> Iterator[Diagnostic]:
    """Report a link that acts as the fallback of a link that may have acted."""
    before: list[str] = []
    for link in chain.links:
        acting = _acting(program, link)
        again = {name for name in acting if program.tools[name].idempotent and [name] == acting}
        first = next((name for name in before if name not in again), None)
        if acting and first is not None:
            yield report(codes.HALF_DONE, link.span, first=first, second=acting[0])
            return
        before += acting
