"""Findings about providers: kinds that nothing here knows, options that a kind does not have."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.diagnostics.spelling import closest
from pipelang.runtime.providers.kinds import (
    ANTHROPIC,
    BUILT_IN,
    ENTRY_POINTS,
    GOOGLE,
    OPENAI,
    SDK_KINDS,
    installed_kinds,
)
from pipelang.semantics import program as p
from pipelang.semantics.kernels.answer_schemas import why_in_words
from pipelang.semantics.kernels.decisions import decides
from pipelang.semantics.kernels.thinking import MAKERS, budgets_of, has_effort
from pipelang.semantics.types import choices_of, quoted
from pipelang.semantics.walk import all_steps, inner_links, tiers_of


def unknown_kinds(program: p.Program) -> Iterator[Diagnostic]:
    """Report each provider of a kind that neither comes with pipelang nor with a package.

    Whether its key is set is not asked: where programs are checked, there often is none.
    """
    for provider in program.providers.values():
        if provider.kind not in BUILT_IN:
            yield from _unless_installed(provider)


def _unless_installed(provider: p.Provider) -> Iterator[Diagnostic]:
    known = installed_kinds()
    if provider.kind in known:
        return
    close = closest(provider.kind, known)
    listed = ", ".join(f"`{kind}`" for kind in known)
    help = (
        f"did you mean `{close}`?"
        if close
        else f"there are {listed}; a package offers more by entry points of `{ENTRY_POINTS}`"
    )
    yield report(
        codes.UNKNOWN_KIND, provider.span, kind=provider.kind, name=provider.name, help=help
    )


def bad_addresses(program: p.Program) -> Iterator[Diagnostic]:
    """Report each address that cannot be asked, as far as a kind is known, and each that holds a
    secret.
    """
    for provider in program.providers.values():
        url = provider.base_url
        if url is None:
            continue
        from pipelang.semantics.kernels.addresses import address_problem, holds_user

        if holds_user(url):
            what: str | None = "holds a user's name or password"
            help = "a secret never stands in a .pipe file: leave it out, and name a key by `key`"
        else:
            what = address_problem(url) if provider.kind in SDK_KINDS else None
            help = None
        if what is not None:
            yield report(
                codes.PROVIDER_ADDRESS, provider.span, help=help, name=provider.name, what=what
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


_BATCHES = (ANTHROPIC, OPENAI, GOOGLE)
"""The built-in kinds that take batches."""


def not_offered(program: p.Program) -> Iterator[Diagnostic]:
    """Report each step that wants of a built-in kind of provider what it does not have: a batch
    would be charged in full, and a request that a maker does not know be turned down.
    """
    for pipeline in program.pipelines.values():
        for step in all_steps(pipeline):
            for link in inner_links(step.chain):
                for name in tiers_of(link.action):
                    tier = program.tiers[name]
                    kind = program.providers[tier.provider].kind
                    if kind not in SDK_KINDS:
                        continue
                    for what, whose, help in _missing(link, kind, tier.model):
                        yield report(
                            codes.NOT_OFFERED,
                            link.span,
                            help=help,
                            step=step.name,
                            tier=name,
                            what=what,
                            whose=whose,
                        )


def _decides(link: p.Link, kind: str, model: str | None) -> bool:
    """Whether a link asks by the API of decisions."""
    if not isinstance(link.action, (p.AskTier, p.Cascade, p.Agent)):
        return False
    return bool(choices_of(link.action.answers)) and decides(kind, model)


def _missing(link: p.Link, kind: str, model: str | None) -> Iterator[tuple[str, str, str]]:
    """The options of a link that a model at a kind of provider lacks: which, who lacks it, help."""
    kinds = f"providers of kind `{kind}` do"
    if link.batch is not None and kind not in _BATCHES:
        yield "`batch`", kinds, f"leave it out; kinds that have it: {', '.join(_BATCHES)}"
    elif link.batch is not None and _decides(link, kind, model):
        help = "leave it out, or ask a model that decides in words"
        yield "`batch` for a decision", f"`{model}` does", help
    if link.effort is not None and not has_effort(kind, model):
        yield "`effort`", f"`{model}` does", "leave it out, or ask a newer model"
    if link.thinking is None:
        return
    budgets, listed = budgets_of(kind, model), ", ".join(MAKERS)
    if budgets is None and kind in MAKERS:
        yield "`thinking`", f"`{model}` does", "leave it out, or ask a newer model"
    elif budgets is None:
        other = "`effort low` says how much to think there"
        yield "`thinking`", kinds, f"leave it out, {other}; kinds that have it: {listed}"
    elif link.thinking < budgets.least:
        what = f"`thinking` of less than {budgets.least:,} tokens"
        yield what, f"`{model}` does", f"`thinking {budgets.least} tokens`, or none"
    elif budgets.most is not None and link.thinking > budgets.most:
        what = f"`thinking` of more than {budgets.most:,} tokens"
        yield what, f"`{model}` does", f"`thinking {budgets.most} tokens` at most"
