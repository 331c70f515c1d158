"""Lines about tiers whose figures stand in no file, or not where a reader would look for them."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.interfaces.text.number_format import listed
from pipelang.semantics import program as p
from pipelang.semantics.kernels.decisions import PROBABILITIES, WORD, source_of
from pipelang.semantics.kernels.run import tiers_behind
from pipelang.semantics.types import choices_of
from pipelang.semantics.walk import all_steps, inner_links, tiers_of


def tier_notes(program: p.Program, pipeline: p.Pipeline | None = None) -> Iterator[str]:
    """A line for each tier that another stands in for, and for each that has its price from the
    snapshot; of those that a pipeline may ask, if one is named.
    """
    asked = None if pipeline is None else {*tiers_behind(program, pipeline)}
    for name, tier in program.tiers.items():
        if asked is not None and name not in asked:
            continue
        if tier.stands_in is not None:
            made = f"{tier.model} at {tier.provider}" if tier.model else f"at {tier.provider}"
            yield f"tier `{name}` is `{tier.stands_in}` ({made})"
        if tier.priced_by is not None:
            both = f"${tier.prices['in']} in, ${tier.prices['out']} out a million tokens"
            yield f"tier `{name}` has no price: {both}, from {tier.priced_by} of {tier.as_of}"
    if pipeline is not None:
        yield from _decisions(program, pipeline)


def _decisions(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """A line for each step that decides, on what its confidence rests."""
    for item in all_steps(pipeline):
        if not choices_of(item.type):
            continue
        sources = {
            tier: source_of(program, tier)
            for link in inner_links(item.chain)
            for tier in tiers_of(link.action)
        }
        for source, words in _WORDS.items():
            told = [f"`{tier}`" for tier, found in sources.items() if found == source]
            if told:
                yield f"the confidence of `{item.name}` is {words} {listed(told)}"


_WORDS = {PROBABILITIES: "the probability told by", WORD: "the model's own word at"}
