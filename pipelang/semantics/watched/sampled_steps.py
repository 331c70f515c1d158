"""Sampled steps: what people judge of a pipeline, and of those that run in it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import all_behind
from pipelang.semantics.types import ListType, MapType, OptionalType, RecordType, Type
from pipelang.semantics.walk import all_items, all_steps, inner_links, outcomes


def sampled_steps(program: p.Program, pipeline: p.Pipeline) -> dict[str, None]:
    """The steps that a `sample` puts before people in a pipeline's runs, in writing order: its own,
    and those of pipelines that run in it as `PIPELINE.STEP`, whichever of them says so.
    """
    found: dict[str, None] = {}
    for one in all_behind(program, pipeline):
        for sample in one.samples:
            for name in sample.steps:
                own = one is pipeline or "." in name
                found[name if own else f"{one.name}.{name}"] = None
    return found


def samples_of(program: p.Program, pipeline: str, step: str) -> Iterator[p.Sample]:
    """The samples that name a step of a pipeline: there, and in those that run it."""
    for one in program.pipelines.values():
        for sample in one.samples:
            named = step if one.name == pipeline else f"{pipeline}.{step}"
            if named in sample.steps:
                yield sample


def step_named(program: p.Program, pipeline: p.Pipeline, name: str) -> p.Step | None:
    """The step of a pipeline, or of one that runs in it as `PIPELINE.STEP`."""
    inner, dot, step = name.rpartition(".")
    owner = program.pipelines.get(inner) if dot else pipeline
    if owner is None:
        return None
    return next((one for one in all_steps(owner) if one.name == step), None)


def not_to_judge(step: p.Step) -> tuple[str, str] | None:
    """The reason why nobody can say whether an answer is right, and what to do; None if one can. Of
    an `each` it is an element that is judged.
    """
    links = [link.action for link in inner_links(step.chain)]
    bodies = [action.body for action in links if isinstance(action, p.Each)]
    if any(isinstance(link.action, p.Each) for body in bodies for link in inner_links(body)):
        return (
            f"the elements of `{step.name}` are lists themselves",
            "put what is done for an element into a pipeline, and `sample` there",
        )
    if any(isinstance(action, p.RunPipeline) for action in links):
        return (
            f"`{step.name}` runs a pipeline",
            "name the step in it: `sample 5% of PIPELINE.STEP by ROLE`, here or without "
            "`PIPELINE.` there",
        )
    asked = (p.AskTier, p.Cascade, p.Agent, p.Call, p.Broken)
    if not any(isinstance(action, asked) for action in links):
        return f"no model and no tool answers `{step.name}`", "sample what a model answers"
    if _is_secret(step.type):
        return (
            f"`{step.name}` answers a secret, which nobody is shown",
            "sample a step whose answer people may see",
        )
    return None


def _is_secret(type: Type) -> bool:
    """Whether there is nothing in a value but secrets."""
    if "secret" in type.labels:
        return True
    match type:
        case RecordType():
            return bool(type.fields) and all(_is_secret(field.type) for field in type.fields)
        case ListType():
            return _is_secret(type.element)
        case MapType():
            return _is_secret(type.value)
        case OptionalType():
            return _is_secret(type.inner)
        case _:
            return False


def returned_step(pipeline: p.Pipeline) -> str | None:
    """The step on which alone every answer of a pipeline hangs; None if there is no such one."""
    steps = {step.name for step in all_steps(pipeline)}
    lets = {item.name: item.value for item in all_items(pipeline.block) if isinstance(item, p.Let)}
    names: set[str] = set()
    for outcome in outcomes(pipeline.block):
        if isinstance(outcome, p.Return):
            names |= expr.mentions(expr.substitute(outcome.value, lets))
    return names.pop() if len(names) == 1 and names <= steps else None
