"""Lines about tiers whose figures stand in no file, or not where a reader would look for them."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare, of_class
from pipelang.semantics.kernels.decisions import EITHER, PROBABILITIES, WORD, source_of
from pipelang.semantics.kernels.media import DOCUMENT, IMAGE, rule_at
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
        yield from _media(program, pipeline)


def confidence_sources(program: p.Program, pipeline: p.Pipeline) -> dict[str, dict[str, str]]:
    """For each step that decides, by tier, what its confidence is: the probability that a provider
    tells, or the model's own word.
    """
    return {
        item.name: {
            tier: source_of(program, tier)
            for link in inner_links(item.chain)
            for tier in tiers_of(link.action)
        }
        for item in all_steps(pipeline)
        if choices_of(item.type)
    }


def _decisions(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """A line for each step that decides, on what its confidence rests."""
    from pipelang.interfaces.text.number_format import listed

    for step, sources in confidence_sources(program, pipeline).items():
        for source, words in _WORDS.items():
            told = [f"`{tier}`" for tier, found in sources.items() if found == source]
            if told:
                yield f"the confidence of `{step}` is {words} {listed(told)}"


def other_confidences(program: p.Program) -> Iterator[Diagnostic]:
    """Report each decision whose evidence has confidences of the other kind than its tier tells."""
    for pipeline in program.pipelines.values():
        for step in all_steps(pipeline):
            if not choices_of(step.type):
                continue
            for link in inner_links(step.chain):
                for tier in tiers_of(link.action):
                    chance = of_class(link.accuracy_by_tier.get(tier, link.accuracy), False)
                    if not isinstance(chance, MeasuredShare):
                        continue
                    said = program.evidence[chance.file].sources
                    told = source_of(program, tier)
                    if said and told != EITHER and told not in said:
                        other = next(iter(said))
                        yield report(
                            codes.OTHER_CONFIDENCE,
                            link.span,
                            file=chance.file,
                            found=_KINDS[other],
                            tier=tier,
                            told=_KINDS[told],
                        )


_KINDS = {PROBABILITIES: "probabilities", WORD: "the model's own word"}


def _media(program: p.Program, pipeline: p.Pipeline) -> Iterator[str]:
    """A line for each tier that is shown pictures or documents, on what these count."""
    from pipelang.interfaces.check.media_findings import seen_media
    from pipelang.interfaces.text.number_format import listed

    shown: dict[str, set[str]] = {}
    for seen in seen_media(program, pipeline):
        shown.setdefault(seen.tier, set()).add(seen.kind)
    for tier, kinds in shown.items():
        rule = rule_at(program, tier)
        most = {IMAGE: ("a picture", rule.image_tokens), DOCUMENT: ("a page", rule.page_tokens)}
        told = [most[kind] for kind in (IMAGE, DOCUMENT) if kind in kinds]
        counts = [f"{count:,} tokens for {what}" for what, count in told if count is not None]
        if counts:
            by = f"by the rule of {rule.maker} of {rule.as_of} ({rule.source})"
            yield f"tier `{tier}` counts at most {listed(counts)}, {by}"
        elif kinds & {*rule.takes}:
            yield f"nobody published what {listed([what for what, _ in told])} counts at `{tier}`"


_WORDS = {
    PROBABILITIES: "the probability told by",
    WORD: "the model's own word at",
    EITHER: "the probability, where the server tells it, and else the model's own word at",
}


def about_tiers(program: p.Program, pipeline: p.Pipeline) -> dict[str, object]:
    """The keys of a report in JSON about what its tiers rest on; none where nothing is to say."""
    found: dict[str, object] = {}
    notes = list(tier_notes(program, pipeline))
    if notes:
        found["notes"] = notes
    sources = confidence_sources(program, pipeline)
    if sources:
        found["confidence_from"] = sources
    return found
