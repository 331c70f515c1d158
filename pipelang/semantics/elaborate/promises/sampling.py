"""Samples of a pipeline: which share of its runs goes before people for a verdict."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelang.diagnostics import codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.names.named_items import Contents
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.kernels.run import all_behind
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import PROBABILITY
from pipelang.semantics.walk import all_steps
from pipelang.semantics.watched.line_measures import step_of
from pipelang.semantics.watched.sampled_steps import not_to_judge, step_named
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
        named = _elsewhere(context, file, path) if len(path) > 1 else _here(context, name, contents)
        if named is None:
            continue
        again = [one for one in before if role is not None and one.role == role.key]
        if named in steps or any(named in one.steps for one in again):
            what = f"`{named}` is sampled twice by `{item.role.text}`"
            context.tell(codes.CONTRADICTION, name.span, what=what)
            continue
        steps.append(named)
    if share is not None and role is not None and steps:
        yield p.Sample(Decimal(share), tuple(steps), role.key, item.span)


def _here(context: Context, name: ast.Name, contents: Contents) -> str | None:
    """A step of the pipeline itself; None if it was told that there is nothing to judge."""
    step = contents.steps.get(name.text)
    if step is None:
        if not contents.flawed:
            near = suggestion(name.text, contents.steps)
            context.tell(codes.UNKNOWN_NAME, name.span, what="step", name=name.text, help=near)
        return None
    why = not_to_judge(step)
    if why is not None:
        context.tell(codes.NOT_SAMPLED, name.span, what=why[0], help=why[1])
        return None
    return name.text


def _elsewhere(context: Context, file: str, path: tuple[ast.Name, ...]) -> str | None:
    """`PIPELINE.STEP`; which steps that pipeline has is looked at by `steps_elsewhere`."""
    if len(path) > 2:
        shown = ".".join(part.text for part in path)
        help = f"`{path[-2].text}.{path[-1].text}` holds however deep it runs"
        what = f"`{shown}` has too many dots"
        context.tell(codes.NOT_SAMPLED, path[0].span, what=what, help=help)
        return None
    found = context.find(file, path[0], "pipeline")
    return None if found is None else f"{found.key}.{path[1].text}"


def steps_elsewhere(context: Context, program: p.Program) -> None:
    """Tell of steps of other pipelines that a `sample` or a line to watch names, where there is no
    such step, nobody can judge it, or it never runs here.
    """
    for pipeline in program.pipelines.values():
        named = [(step, one.span) for one in pipeline.samples for step in one.steps]
        named += [(step_of(line), line.span) for line in pipeline.watch]
        named = [(name, span) for name, span in named if "." in name]
        if not named or pipeline.name in context.flawed:
            continue
        inside = {one.name for one in all_behind(program, pipeline)} - {pipeline.name}
        for name, span in named:
            owner, _, word = name.rpartition(".")
            if owner in context.flawed:
                continue
            known = program.pipelines.get(owner)
            steps = [] if known is None else [one.name for one in all_steps(known)]
            if owner not in inside:
                what = f"`{owner}` does not run in `{pipeline.name}`"
                help = f"write it into a pipeline that runs `{owner}`, or into that one itself"
                context.tell(codes.NOT_SAMPLED, span, what=what, help=help)
            elif word not in steps:
                near = suggestion(word, steps)
                context.tell(codes.UNKNOWN_NAME, span, what="step", name=name, help=near)
            elif (step := step_named(program, pipeline, name)) is not None and (
                why := not_to_judge(step)
            ):
                context.tell(codes.NOT_SAMPLED, span, what=why[0], help=why[1])
