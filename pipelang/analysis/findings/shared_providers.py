"""Findings about fallbacks that share the outages of what they should replace."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tiers_behind
from pipelang.semantics.walk import all_items, inner_links, tiers_of


def shared_providers(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding for each fallback to a model of the same provider, itself or by a pipeline."""
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            for chain in _chains(item.chain):
                yield from _in_chain(program, chain)


def _chains(chain: p.Chain) -> Iterator[p.Chain]:
    """A chain, and those of the lists in it."""
    yield chain
    for link in inner_links(chain):
        if isinstance(link.action, p.Each):
            yield link.action.body


def _in_chain(program: p.Program, chain: p.Chain) -> Iterator[Diagnostic]:
    before: set[str] = set()
    for position, link in enumerate(chain.links):
        providers = _providers(program, link)
        shared = providers & before
        later = chain.links[position:]
        # What stands last and asks no model is there in an outage.
        if shared and providers <= before and all(_needs_models(program, one) for one in later):
            yield report(codes.SHARED_PROVIDER, link.span, provider=min(shared))
        if _needs_models(program, link):
            before |= providers


def _providers(program: p.Program, link: p.Link) -> set[str]:
    """The providers of the models that a link asks, itself or by the pipeline that it runs."""
    found: set[str] = set()
    for inner in inner_links(p.Chain((link,), None)):
        tiers = list(tiers_of(inner.action))
        if isinstance(inner.action, p.RunPipeline):
            tiers += tiers_behind(program, program.pipelines[inner.action.pipeline])
        found |= {program.tiers[tier].provider for tier in tiers}
    return found


def _needs_models(program: p.Program, link: p.Link) -> bool:
    """Whether a link fails where none of its models answers."""
    match link.action:
        case p.AskTier() | p.Agent() | p.Cascade():
            return bool(tiers_of(link.action))
        case p.Choose(arms=arms):
            return all(_needs_models(program, arm) for _, arm in arms)
        case p.Each(body=body):
            return _fails(program, body)
        case p.RunPipeline(pipeline=name):
            steps = [
                item for item in program.pipelines[name].block.items if isinstance(item, p.Step)
            ]
            return any(_fails(program, step.chain) for step in steps)
        case _:
            return False


def _fails(program: p.Program, chain: p.Chain) -> bool:
    """Whether a chain fails where none of its models answers."""
    failing = chain.end is None or isinstance(chain.end, p.Fail)
    return failing and all(_needs_models(program, link) for link in chain.links)
