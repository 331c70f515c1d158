"""Findings about fallbacks that share the outages of what they should replace."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.production.failing import needs_model
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
        needed = {one for one in providers if needs_model(program, link, frozenset({one}))}
        # What needs several is down with one of them; of what can do with one all must be.
        shared = needed & before or (providers if providers <= before else set())
        later = chain.links[position:]
        # What stands last and asks no model is there in an outage.
        if shared and all(needs_model(program, one) for one in later):
            yield report(codes.SHARED_PROVIDER, link.span, provider=min(shared))
        if needs_model(program, link):
            before |= needed or providers


def _providers(program: p.Program, link: p.Link) -> set[str]:
    """The providers of the models that a link asks, itself or by the pipeline that it runs."""
    found: set[str] = set()
    for inner in inner_links(p.Chain((link,), None)):
        tiers = list(tiers_of(inner.action))
        if isinstance(inner.action, p.RunPipeline):
            tiers += tiers_behind(program, program.pipelines[inner.action.pipeline])
        found |= {program.tiers[tier].provider for tier in tiers}
    return found
