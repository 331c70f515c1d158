"""Findings about pictures and documents that the model behind a tier would not take."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.media import DOCUMENT, media_shown, rule_at
from pipelang.semantics.walk import all_steps, inner_links, tiers_of


@dataclass(frozen=True, slots=True)
class SeenMedium:
    """A picture or document that a step shows to a tier. `pages` are those of the document at most,
    None where its type has no `max`.
    """

    step: str
    tier: str
    link: p.Link
    kind: str
    pages: int | None


def seen_media(program: p.Program, pipeline: p.Pipeline) -> Iterator[SeenMedium]:
    """The pictures and documents that the models of a pipeline are shown."""
    for step in all_steps(pipeline):
        for link in inner_links(step.chain):
            action = link.action
            if not isinstance(action, (p.AskTier, p.Cascade, p.Agent)):
                continue
            shown = media_shown(program.prompts[action.prompt])
            for tier in tiers_of(action):
                for kind, pages in shown:
                    yield SeenMedium(step.name, tier, link, kind, pages)


def media_findings(program: p.Program) -> Iterator[Diagnostic]:
    """Report what a maker takes none of, and documents that may be longer than it takes."""
    for pipeline in program.pipelines.values():
        for seen in seen_media(program, pipeline):
            rule = rule_at(program, seen.tier)
            model = program.tiers[seen.tier].model or rule.maker
            if seen.kind not in rule.takes:
                yield report(
                    codes.NOT_SEEN,
                    seen.link.span,
                    step=seen.step,
                    kind=seen.kind,
                    tier=seen.tier,
                    model=model,
                    help=_takers(program, seen.kind),
                )
            elif seen.kind == DOCUMENT and (seen.pages or 0) > (rule.pages or float("inf")):
                yield report(
                    codes.TOO_MANY_PAGES,
                    seen.link.span,
                    step=seen.step,
                    pages=seen.pages,
                    tier=seen.tier,
                    most=rule.pages,
                    help=f"write `max {rule.pages} pages`, or ask another tier for longer ones",
                )


def _takers(program: p.Program, kind: str) -> str:
    takers = [tier for tier in program.tiers if kind in rule_at(program, tier).takes]
    if takers:
        return f"tiers that take one: {', '.join(takers)}"
    return "models of the kinds anthropic, openai and google take pictures and documents"
