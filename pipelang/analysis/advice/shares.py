"""Changes of accuracy: steps, tools and people that are right more often."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.analysis.advice.changes import Change, ChangeKind, better, percent
from pipelang.analysis.advice.written import Written, WrittenFile, option
from pipelang.diagnostics import Edit
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import ByCase, Chance, CountedShare, Declared, MeasuredShare
from pipelang.syntax import ast

ENOUGH = 0.9999
"""An accuracy above this gets no advice."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The sum of the derivatives of success and silent error by a step's accuracy, by step name;
    and the share of the cases that are hard, 1 where nobody knows it.
    """

    by_step: Mapping[str, float]
    hard: float = 1.0

    def of(self, step: str) -> float:
        return self.by_step.get(step, 0.0)


def accuracies(
    program: p.Program, page: WrittenFile, links: list[Written], weights: Weights
) -> Iterator[Change]:
    """Return a change to half the errors for every accuracy of a pipeline."""
    seen: set[str] = set()
    for one in links:
        for chance, rate, whose in _written(program, page, one):
            if chance.site in seen:
                continue
            seen.add(chance.site)
            made = _better(program, page, one, chance, rate, whose, weights)
            if made is not None:
                yield made


def _written(
    program: p.Program, page: WrittenFile, one: Written
) -> Iterator[tuple[Chance, ast.Rate | None, str]]:
    """The accuracies of a link, where they are written, and whose they are."""
    own = option(one.link.options, ast.Accuracy)
    by_tier = option(one.link.options, ast.AccuracyByTier)
    if isinstance(own, ast.Accuracy):
        yield one.made.accuracy, own.rate, one.name
    elif isinstance(by_tier, ast.AccuracyByTier):
        for rate in by_tier.rates:
            chance = one.made.accuracy_by_tier.get(rate.tier.text)
            if chance is not None:
                yield chance, rate.rate, f"{one.name} by {rate.tier.text}"
    elif isinstance(one.made.action, (p.Call, p.AskRole)):
        action = one.made.action
        name = action.tool if isinstance(action, p.Call) else action.role
        kind = ast.ToolDecl if isinstance(action, p.Call) else ast.RoleDecl
        for declared in page.module.declarations:
            if isinstance(declared, kind) and declared.name.text == name:
                found = option(declared.options, ast.Accuracy)
                if isinstance(found, ast.Accuracy):
                    yield one.made.accuracy, found.rate, f"`{name}`"


def _better(
    program: p.Program,
    page: WrittenFile,
    one: Written,
    chance: Chance,
    rate: ast.Rate | None,
    whose: str,
    weights: Weights,
) -> Change | None:
    if isinstance(chance, ByCase):
        return _better_in_both(program, one, chance, rate, whose, weights)
    now = value_of(program, chance)
    if now is None or not 0 < now < ENOUGH:
        return None
    wanted = better(now)
    gain = float(wanted) - now
    if gain <= 0:
        return None
    share = weights.of(one.place) * (1.0 if one.head else 0.05)
    words = f"{whose} {_shown(now)} → {percent(wanted)}"
    step, guess, shares = one.place, share * gain, {chance.site: float(wanted)}
    if isinstance(chance, MeasuredShare):
        return Change(ChangeKind.ACCURACY, step, words, (), guess, shares)
    if rate is None:
        return None
    edit = Edit(rate.span, percent(wanted))
    return Change(ChangeKind.ACCURACY, step, words, (edit,), guess, shares)


def _better_in_both(
    program: p.Program,
    one: Written,
    chance: ByCase,
    rate: ast.Rate | None,
    whose: str,
    weights: Weights,
) -> Change | None:
    """Half the errors in each class of cases."""
    now = [value_of(program, part) for part in (chance.easy, chance.hard)]
    known = [share for share in now if share is not None]
    if rate is None or len(known) < 2 or not all(0 < share < ENOUGH for share in known):
        return None
    wanted = [better(share) for share in known]
    easy, hard = (float(new) - old for new, old in zip(wanted, known, strict=True))
    gain = max(easy, hard)
    if gain <= 0:
        return None
    # Few cases are hard, and the guess is of all: what gains more elsewhere is to be tried before.
    gain = (1 - weights.hard) * easy + weights.hard * hard
    guess = weights.of(one.place) * (1.0 if one.head else 0.05) * gain
    old, new = ", ".join(map(_shown, known)), ", ".join(map(percent, wanted))
    words, edit = f"{whose} {old} if hard → {new} if hard", Edit(rate.span, new)
    shares = dict(zip((chance.easy.site, chance.hard.site), map(float, wanted), strict=True))
    return Change(ChangeKind.ACCURACY, one.place, words, (edit,), guess, shares)


def _shown(share: float) -> str:
    return percent(round(share, 3))


def value_of(program: p.Program, chance: Chance) -> float | None:
    """The point estimate of a share; None for an unknown one."""
    match chance:
        case Declared():
            return float(chance.share)
        case CountedShare():
            return chance.good / chance.total
        case MeasuredShare():
            file = program.evidence[chance.file]
            return file.right / len(file.rows)
        case _:
            return None
