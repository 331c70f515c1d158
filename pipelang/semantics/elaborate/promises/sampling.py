"""Samples of a pipeline: which share of its runs goes before people for a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelang.diagnostics import codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.names.named_items import Contents
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import PROBABILITY
from pipelang.semantics.walk import inner_links
from pipelang.syntax import ast


def sample(
    context: Context,
    file: str,
    item: ast.Sample,
    contents: Contents,
    before: list[p.Sample],
) -> Iterator[p.Sample]:
    """A `sample`, beside those before it; nothing where what it says was told to be wrong."""
    share = quantity(context, Scope(file), item.share, PROBABILITY, "sample", positive=True)
    role = context.find(file, item.role, "role")
    steps: list[str] = []
    for path in item.steps:
        name = path[-1]
        if len(path) > 1:
            shown = ".".join(part.text for part in path)
            what = f"`{shown}` is a step of another pipeline"
            help = f"write `sample` into `{path[0].text}`: it holds wherever that is run"
            context.tell(codes.NOT_SAMPLED, item.span, what=what, help=help)
            continue
        step = contents.steps.get(name.text)
        if step is None:
            if not contents.flawed:
                near = suggestion(name.text, contents.steps)
                context.tell(codes.UNKNOWN_NAME, name.span, what="step", name=name.text, help=near)
            continue
        why = not_to_judge(step)
        if why is not None:
            context.tell(codes.NOT_SAMPLED, name.span, what=why[0], help=why[1])
            continue
        again = [one for one in before if role is not None and one.role == role.key]
        if name.text in steps or any(name.text in one.steps for one in again):
            what = f"`{name.text}` is sampled twice by `{item.role.text}`"
            context.tell(codes.CONTRADICTION, name.span, what=what)
            continue
        steps.append(name.text)
    if share is not None and role is not None and steps:
        yield p.Sample(Decimal(share), tuple(steps), role.key, item.span)


def not_to_judge(step: p.Step) -> tuple[str, str] | None:
    """The reason why nobody can say whether an answer is right, and what to do; None if one can."""
    links = [link.action for link in inner_links(step.chain)]
    if any(isinstance(action, p.Each) for action in links):
        return (
            f"`{step.name}` answers with a list, whose elements are right or wrong each for itself",
            "put what is done for an element into a pipeline, and `sample` there",
        )
    if any(isinstance(action, p.RunPipeline) for action in links):
        return (
            f"`{step.name}` runs a pipeline",
            "write `sample` into that pipeline: it holds wherever it is run",
        )
    asked = (p.AskTier, p.Cascade, p.Agent, p.Call, p.Broken)
    if not any(isinstance(action, asked) for action in links):
        return f"no model and no tool answers `{step.name}`", "sample what a model answers"
    return None
