"""Findings about providers: kinds that nothing here knows, options that a kind does not have."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.runtime.providers.kinds import (
    ANTHROPIC,
    BUILT_IN,
    ENTRY_POINTS,
    SDK_KINDS,
    installed_kinds,
)
from pipelang.semantics import program as p
from pipelang.semantics.kernels.answer_schemas import why_in_words
from pipelang.semantics.types import quoted
from pipelang.semantics.walk import all_steps, inner_links, tiers_of


def unknown_kinds(program: p.Program) -> Iterator[Diagnostic]:
    """Report each provider of a kind that neither comes with pipelang nor with a package.

    Whether its key is set is not asked: where programs are checked, there often is none.
    """
    for provider in program.providers.values():
        if provider.kind not in BUILT_IN:
            yield from _unless_installed(provider)


def _unless_installed(provider: p.Provider) -> Iterator[Diagnostic]:
    from difflib import get_close_matches

    known = installed_kinds()
    if provider.kind in known:
        return
    close = get_close_matches(provider.kind, known, n=1)
    listed = ", ".join(f"`{kind}`" for kind in known)
    help = (
        f"did you mean `{close[0]}`?"
        if close
        else f"there are {listed}; a package offers more by entry points of `{ENTRY_POINTS}`"
    )
    yield report(
        codes.UNKNOWN_KIND, provider.span, kind=provider.kind, name=provider.name, help=help
    )


def schemas_in_words(program: p.Program) -> Iterator[Diagnostic]:
    """Report each step whose answer's schema the API behind a tier does not enforce."""
    for pipeline in program.pipelines.values():
        for step in all_steps(pipeline):
            for link in inner_links(step.chain):
                if not isinstance(link.action, (p.AskTier, p.Cascade, p.Agent)):
                    continue
                kinds: dict[str, str] = {}
                for tier in tiers_of(link.action):
                    kinds.setdefault(program.providers[program.tiers[tier].provider].kind, tier)
                for kind, tier in kinds.items():
                    why = why_in_words(kind, link.action.answers) if kind in SDK_KINDS else None
                    if why is not None:
                        yield report(
                            codes.SCHEMA_IN_WORDS,
                            link.span,
                            step=step.name,
                            type=quoted(link.action.answers),
                            why=why,
                            kind=kind,
                            tier=tier,
                        )


_BATCHES = (ANTHROPIC,)
"""The built-in kinds that take batches."""


def not_offered(program: p.Program) -> Iterator[Diagnostic]:
    """Report each step that wants of a built-in kind of provider what it does not have: its mean
    cost would be that of a batch, and each call be charged in full.
    """
    without = {kind for kind in SDK_KINDS if kind not in _BATCHES}
    for pipeline in program.pipelines.values():
        for step in all_steps(pipeline):
            for link in inner_links(step.chain):
                for tier in tiers_of(link.action) if link.batch is not None else ():
                    kind = program.providers[program.tiers[tier].provider].kind
                    if kind in without:
                        help = f"leave it out; kinds that have it: {', '.join(_BATCHES)}"
                        yield report(
                            codes.NOT_OFFERED,
                            link.span,
                            help=help,
                            step=step.name,
                            tier=tier,
                            what="`batch`",
                            kind=kind,
                        )
