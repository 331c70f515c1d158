"""Demands on failures: an `else` for every action, and a path that works without any model."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import can_be_used_up
from pipelang.semantics.kernels.run import pipelines_behind
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


def fails_without_models(program: p.Program, chain: p.Chain) -> bool:
    """Whether a chain fails where no model answers."""
    return _Outage(program, None).fails(chain)


def needs_model(program: p.Program, link: p.Link, out: Providers | None = None) -> bool:
    """Whether a link cannot answer without a model, or without those of the providers that are
    `out`: in one arm of a `match` is enough, and so is one step of a pipeline that it runs.
    """
    return _Outage(program, out).stops(link)


class _Outage:
    """An outage of all models, or of the providers that are `out`, and the pipelines it stops."""

    def __init__(self, program: p.Program, out: Providers | None) -> None:
        self._program, self._out = program, out
        self._pipelines: dict[str, bool] = {}

    def fails(self, chain: p.Chain) -> bool:
        """Whether a chain fails in it."""
        failing = chain.end is None or isinstance(chain.end, p.Fail)
        return failing and all(self.stops(link) for link in chain.links)

    def stops(self, link: p.Link) -> bool:
        """Whether a link cannot answer in it."""
        match link.action:
            case p.Choose():
                return any(self.stops(arm) for _, arm in link.action.arms)
            case p.Each():
                return self.fails(link.action.body)
            case p.RunPipeline():
                return self._stops_run(link.action.pipeline)
            case _ if self._out is None:
                return asks_model(link.action)
            case _:
                asked = {self._program.tiers[tier].provider for tier in tiers_of(link.action)}
                return bool(asked) and asked <= self._out

    def _stops_run(self, name: str) -> bool:
        known = self._pipelines.get(name)
        if known is None:
            items = self._program.pipelines[name].block.items
            steps = (item for item in items if isinstance(item, p.Step))
            known = self._pipelines[name] = any(self.fails(step.chain) for step in steps)
        return known


def asks_model(action: p.Action) -> bool:
    """Whether an action is itself a call of a model."""
    return isinstance(action, (p.AskTier, p.Cascade, p.Agent))


def models_inside(program: p.Program, chain: p.Chain) -> bool:
    """Whether a model may have made the answer of a chain, also by a pipeline that it runs."""
    return any(asks_model(link.action) for link in inner_links(chain)) or any(
        asks_model(link.action)
        for name in pipelines_behind(program, chain)
        for step in all_steps(program.pipelines[name])
        for link in inner_links(step.chain)
    )
