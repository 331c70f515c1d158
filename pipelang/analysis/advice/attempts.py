"""Changes of attempts: more retries, other tiers, and a fallback at another provider."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.advice.changes import Change, ChangeKind, percent
from pipelang.analysis.advice.shares import Weights, value_of
from pipelang.analysis.advice.written import Written, WrittenFile, option, with_option
from pipelang.diagnostics import Edit, Span
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.media import sees
from pipelang.semantics.kernels.prices import is_priced
from pipelang.semantics.types import ANSWERER
from pipelang.syntax import ast

MOST_RETRIES = 3


def may_be_repeated(program: p.Program, link: p.Link) -> bool:
    """Whether another attempt is harmless; a write that is not idempotent must be made once."""
    action = link.action
    if isinstance(action, p.Call):
        tool = program.tools[action.tool]
        return tool.effect in ("pure", "read") or tool.idempotent
    return isinstance(action, (p.AskTier, p.Agent))


def with_retries(page: WrittenFile, one: Written, count: int) -> Edit | None:
    """So many retries instead of what is written; None where it says so, or cannot be changed."""
    written = option(one.link.options, ast.Retry)
    if one.made.retry.count == count:
        return None
    if isinstance(written, ast.Retry):
        return Edit(written.count.span, str(count))
    return with_option(page, one.link, f"retry {count}")


def retries(
    program: p.Program, page: WrittenFile, links: list[Written], weights: Weights, fewer: bool
) -> Iterator[Change]:
    """One attempt more, or with `fewer` one less."""
    for one in links:
        now = one.made.retry.count
        wanted = now - 1 if fewer else now + 1
        if not may_be_repeated(program, one.made) or not 0 <= wanted <= MOST_RETRIES:
            continue
        chance = fails(program, one.made)
        edit = with_retries(page, one, wanted)
        if edit is None or not chance:
            continue
        words = f"{one.name} retry {now} → {wanted}"
        guess = weights.of(one.place) * chance ** (now + 1) * (1.0 if one.head else 0.05)
        yield Change(ChangeKind.RETRY, one.place, words, (edit,), guess)


def fails(program: p.Program, link: p.Link) -> float:
    """About how often an attempt fails, outages apart."""
    action = link.action
    if isinstance(action, p.Call):
        works = value_of(program, program.tools[action.tool].succeeds)
        return 0.0 if works is None else 1 - works
    found = [value_of(program, program.tiers[tier].transient) or 0.0 for tier in asked(link)]
    return max(found, default=0.0)


def asked(link: p.Link) -> list[str]:
    """The tiers that an ask or an agent may go to."""
    if not isinstance(link.action, (p.AskTier, p.Agent)):
        return []
    parts = expr.walk(link.action.who)
    names = [str(x.value) for x in parts if isinstance(x, expr.Const) and x.type == ANSWERER]
    return list(dict.fromkeys(names))


# ------------------------------------------------------------------------------------- tiers


def tier_places(page: WrittenFile, one: Written) -> list[tuple[str, Span]]:
    """The tiers of a link that its accuracy is declared by, and where their names stand."""
    action = one.made.action
    if not isinstance(action, (p.AskTier, p.Agent)) or len(one.made.accuracy_by_tier) < 2:
        return []
    found = []
    for part in expr.walk(action.who):
        if not isinstance(part, expr.Const) or part.type != ANSWERER:
            continue
        if part.span.file == page.source.name and page.words(part.span) == part.value:
            found.append((str(part.value), part.span))
    return list(dict.fromkeys(found))


def tiers(
    program: p.Program, page: WrittenFile, links: list[Written], weights: Weights
) -> Iterator[Change]:
    """Return changes to other tiers whose accuracy is declared for this step; the accuracy of a
    tier in one step says nothing about another step.
    """
    for one in links:
        rates = one.made.accuracy_by_tier
        for now, span in tier_places(page, one):
            for other in rates:
                before, after = (value_of(program, rates[x]) for x in (now, other) if x in rates)
                if other == now or before is None or after is None:
                    continue
                guess = weights.of(one.place) * abs(after - before)
                words = f"{one.name} by {now} → {other}"
                yield Change(ChangeKind.TIER, one.place, words, (Edit(span, other),), guess)


# --------------------------------------------------------------------------------- fallbacks


def fallbacks(
    program: p.Program, page: WrittenFile, links: list[Written], weights: Weights
) -> Iterator[Change]:
    """The same question to a second provider, where every model of a step has the same one."""
    for one in links:
        if not one.head or not isinstance(one.made.action, p.AskTier):
            continue
        chain = one.step.chain
        providers = {program.tiers[t].provider for link in chain.links for t in asked(link)}
        models = [isinstance(link.action, p.AskTier) for link in chain.links]
        if len(providers) != 1 or not all(models):
            continue
        (provider,) = providers
        up = value_of(program, program.providers[provider].available)
        accuracy = value_of(program, one.made.accuracy)
        if up is None or accuracy is None or not isinstance(one.link.action, ast.Ask):
            continue
        made = _second(program, page, one, provider, accuracy)
        if made is None:
            continue
        tier, declared = made
        action = one.link.action
        start = page.text[action.span.start : _who(action).start]
        at = one.item.chain.links[-1].span.end
        again = f"\n    else {start}{tier} {{ accuracy {percent(round(accuracy, 4))} }}"
        edits = [Edit(Span(page.source.name, at, at), again), *declared]
        fail = 1 - up + up * fails(program, one.made) ** (one.made.retry.count + 1)
        if declared:
            words = f"{one.name} + a fallback at a second provider that is as good"
        else:
            words = f"{one.name} + a fallback at another provider, by {tier}"
        guess = weights.of(one.place) * fail
        yield Change(ChangeKind.FALLBACK, one.place, words, tuple(edits), guess)


def _who(ask: ast.Ask) -> Span:
    return ask.who.span


def _second(
    program: p.Program, page: WrittenFile, one: Written, provider: str, accuracy: float
) -> tuple[str, list[Edit]] | None:
    """A tier at another provider: one of the program, or one to declare with the first's figures.

    The provider is declared with the kind `simulated`, which the reader replaces by his own.
    """
    assert isinstance(one.made.action, p.AskTier)
    prompt = program.prompts[one.made.action.prompt]
    for name, tier in program.tiers.items():
        if tier.provider != provider and is_priced(tier) and sees(program, name, prompt):
            return name, []
    first = program.tiers[asked(one.made)[0]]
    known = {name for group in (program.tiers, program.providers, program.tools) for name in group}
    up = value_of(program, program.providers[provider].available)
    transient = value_of(program, first.transient)
    if up is None or transient is None or known & {"second_provider", "second_tier"}:
        return None
    money = ", ".join(
        f"${first.prices[kind]:f} {kind}" for kind in ("in", "out") if kind in first.prices
    )
    lines = [
        "provider second_provider {",
        "  kind      simulated",
        f"  available {percent(up)}",
        "}",
        "",
        "tier second_tier {",
        "  provider  second_provider",
        '  model     "another-model"',
        *([f"  price     {money}"] if money else []),
        f"  transient {percent(transient)}",
        *([f"  context   {first.context} tokens"] if first.context else []),
        "}",
        "",
        "",
    ]
    at = _before(page, one)
    if at is None:
        return None
    return "second_tier", [Edit(Span(page.source.name, at, at), "\n".join(lines))]


def _before(page: WrittenFile, one: Written) -> int | None:
    """The place of a declaration that a link needs: before its pipeline and what is said of it."""
    return declared_before(page, one.link.span.start)


def declared_before(page: WrittenFile, at: int) -> int | None:
    """The start of the first line of the declaration that holds a place, its doc comment's."""
    for one in page.module.declarations:
        if one.span.start <= at < one.span.end:
            start = page.text.rfind("\n", 0, one.span.start) + 1
            while start:
                before = page.text.rfind("\n", 0, start - 1) + 1
                if not page.text[before:start].lstrip().startswith("#"):
                    break
                start = before
            return start
    return None
