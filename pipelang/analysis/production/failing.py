"""Demands on failures: an `else` for every action, and a path that works without any model."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import can_be_used_up
from pipelang.semantics.kernels.run import pipelines_in
from pipelang.semantics.walk import all_items, all_steps, inner_links, tiers_of


def errors_are_handled(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Require that every chain ends in an action that cannot fail, or in an outcome."""
    for item in all_items(pipeline.block):
        if not isinstance(item, p.Step) or item.chain.end is not None:
            continue
        if can_be_used_up(item.chain, program.pure):
            yield report(codes.NO_ERROR_HANDLING, item.span, step=item.name)


def works_without_models(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Require that no step fails the run because all models are unavailable. A chain without an
    `else` is reported by the demand above only.
    """
    for item in all_items(pipeline.block):
        if not isinstance(item, p.Step) or not isinstance(item.chain.end, p.Fail):
            continue
        if fails_without_models(program, item.chain):
            end = item.chain.end.span
            name = pipeline.name
            yield report(codes.NO_WAY_WITHOUT_MODEL, end, step=item.name, name=name)


Providers = frozenset[str]


def fails_without_models(program: p.Program, chain: p.Chain, out: Providers | None = None) -> bool:
    """Whether a chain fails where no model answers, or none of the providers that are `out`."""
    failing = chain.end is None or isinstance(chain.end, p.Fail)
    return failing and all(needs_model(program, link, out) for link in chain.links)


def needs_model(program: p.Program, link: p.Link, out: Providers | None = None) -> bool:
    """Whether a link cannot answer without a model, or without those of the providers that are
    `out`: in one arm of a `match` is enough, and so is one step of a pipeline that it runs.
    """
    match link.action:
        case p.Choose():
            return any(needs_model(program, arm, out) for _, arm in link.action.arms)
        case p.Each():
            return fails_without_models(program, link.action.body, out)
        case p.RunPipeline():
            items = program.pipelines[link.action.pipeline].block.items
            steps = (item for item in items if isinstance(item, p.Step))
            return any(fails_without_models(program, step.chain, out) for step in steps)
        case _ if out is None:
            return asks_model(link.action)
        case _:
            asked = {program.tiers[tier].provider for tier in tiers_of(link.action)}
            return bool(asked) and asked <= out


def asks_model(action: p.Action) -> bool:
    """Whether an action is itself a call of a model."""
    return isinstance(action, (p.AskTier, p.Cascade, p.Agent))


def models_inside(program: p.Program, chain: p.Chain) -> bool:
    """Whether a model may have made the answer of a chain, also by a pipeline that it runs."""
    return any(asks_model(link.action) for link in inner_links(chain)) or any(
        models_inside(program, step.chain)
        for name in pipelines_in(chain)
        for step in all_steps(program.pipelines[name])
    )
