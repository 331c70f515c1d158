"""Elaboration of `traffic`: the distribution of inputs, and how often conditions hold.

A share is meant where its path is reached, so what may be absent counts as there.
"""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import Label, Span, codes
from pipelang.records import replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import (
    ByCase,
    Chance,
    CountedShare,
    Declared,
    PlainChance,
    of_class,
)
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.expressions import condition, elaborate
from pipelang.semantics.elaborate.names.named_items import Contents
from pipelang.semantics.elaborate.options.conflicting_rates import one_draw_each
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.elaborate.options.rates import chance
from pipelang.semantics.kernels.hard import HARD
from pipelang.semantics.lengths import EACH, shown_path
from pipelang.semantics.quantities import show_share
from pipelang.semantics.symbols import listed, suggestion
from pipelang.semantics.types import (
    NUMBER,
    TEXT,
    TOKENS,
    EnumType,
    ErrorType,
    ListType,
    Scalar,
    ScalarKind,
    present,
    quoted,
)
from pipelang.syntax import ast

EMPTY = p.Traffic(None, (), (), (), ())
Rated = ast.ShareOf | ast.ShareByRight


def elaborate_traffic(
    context: Context, scope: Scope, contents: Contents, written: ast.Traffic
) -> p.Traffic:
    """The declared traffic of a pipeline. `scope` has all values of the pipeline; a line may ask
    what is left of the budget, too.
    """
    scope = replace(scope, reached=True, budget=True)
    paths: list[p.PathShares] = []
    conditions: list[p.ConditionShare] = []
    names: list[p.NamedShare] = []
    means: list[p.MeanLine] = []
    hard: p.HardShare | None = None
    for line in whole(written.lines):
        if isinstance(line.subject, ast.NameRef) and line.subject.name == HARD:
            hard = _hard(context, scope, contents, line, hard)
            continue
        match line.share:
            case ast.Mean() as share:
                mean = _mean(context, scope, line, share)
                if mean is not None:
                    means.append(mean)
            case ast.Members() as share:
                members = _members(context, scope, line, share)
                if members is not None:
                    paths.append(members)
            case share if (name := _bare(line.subject, contents)) is not None:
                named = _named(context, scope, line, share, name, contents)
                if named is not None:
                    names.append(named)
            case share:
                match _condition(context, scope, line, share):
                    case p.PathShares() as made:
                        paths.append(made)
                    case p.ConditionShare() as made:
                        conditions.append(made)
                    case None:
                        pass
    traffic = p.Traffic(
        _per_day(context, written),
        tuple(paths),
        tuple(conditions),
        tuple(names),
        tuple(means),
        hard,
    )
    one_draw_each(context, traffic, contents)
    return traffic


def _hard(
    context: Context,
    scope: Scope,
    contents: Contents,
    line: ast.TrafficLine,
    known: p.HardShare | None,
) -> p.HardShare | None:
    """The share of the inputs that are hard; None where it could mean a value instead."""
    spans = [
        found.span
        for names in (contents.values, contents.gates, contents.branches, contents.elements)
        for name, found in names.items()
        if name == HARD
    ]
    if spans:
        label = Label(line.subject.span, "this is the share of hard cases")
        help = "give it another name: in `traffic`, `hard` is the share of the inputs that are hard"
        context.tell(codes.SHADOWING, spans[0], name=HARD, labels=(label,), help=help)
        return None
    if known is not None:
        help = "say once how many of the inputs are hard"
        context.tell(codes.DUPLICATE, line.span, name=HARD, help=help)
        return known
    rate = line.share.rate if isinstance(line.share, ast.ShareOf) else None
    if rate is None or isinstance(rate, (ast.FromFile, ast.RateByCase)):
        expected, found_ = "one share of all inputs", "something else"
        help = "write `hard: 15%`, or count them: `hard: 30 of 200`"
        context.tell(
            codes.TYPE_MISMATCH, line.share.span, expected=expected, found=found_, help=help
        )
        return None
    return p.HardShare(chance(context, scope, rate, HARD, "traffic"), line.span)


def _per_day(context: Context, written: ast.Traffic) -> Decimal | None:
    if written.rate is None or not isinstance(written.rate.value, tuple):
        return None
    count, seconds = written.rate.value
    if count == 0:
        context.tell(
            codes.OUT_OF_RANGE,
            written.rate.span,
            what="`traffic`",
            range="more than 0",
            found=written.rate.raw,
        )
        return None
    return Decimal(count) * 86400 / seconds


def _bare(subject: ast.Expr, contents: Contents) -> ast.NameRef | None:
    """A name alone that is no value: a gate or a branch."""
    known = {**contents.values, **contents.elements}
    if isinstance(subject, ast.NameRef) and subject.name not in known:
        return subject
    return None


def _mean(
    context: Context, scope: Scope, line: ast.TrafficLine, share: ast.Mean
) -> p.MeanLine | None:
    scope, subject, lists = _through_lists(context, scope, line.subject)

    def rooted(path: tuple[str, ...]) -> tuple[str, ...]:
        return (*lists.get(path[0], path[:1]), *path[1:])

    if isinstance(subject, ast.FieldRef) and subject.name.text == "length":
        inside = elaborate(_quiet(context), scope, subject.target)
        path, type = expr.path_of(inside), present(inside.type)
        if isinstance(type, ListType) and path is not None:
            value = quantity(context, scope, share.value, NUMBER, "mean")
            _not_above(context, share, value, type.max_length, "elements")
            return (
                None if value is None else p.MeanLine((*rooted(path), "length"), value, line.span)
            )
    typed = elaborate(context, scope, subject)
    path, text = expr.path_of(typed), present(typed.type)
    if isinstance(text, Scalar) and text == TEXT and path is not None:
        value = quantity(context, scope, share.value, TOKENS, "mean")
        _not_above(context, share, value, text.max_tokens, "tokens")
        return None if value is None else p.MeanLine(rooted(path), Decimal(value), line.span)
    if isinstance(text, Scalar) and text.kind is ScalarKind.DOCUMENT and path is not None:
        pages = _pages(context, share)
        _not_above(context, share, pages, text.max_pages, "pages")
        return None if pages is None else p.MeanLine(rooted(path), pages, line.span)
    if not isinstance(typed.type, ErrorType):
        expected = "a path to a text or a document, or the `length` of a list"
        found, help = quoted(typed.type), None
        if isinstance(present(typed.type), ListType):
            help = f"of what is in a list: `{shown_path(rooted(path or ('LIST',)))}.each`"
        context.tell(
            codes.TYPE_MISMATCH, line.subject.span, expected=expected, found=found, help=help
        )
    return None


def _through_lists(
    context: Context, scope: Scope, node: ast.Expr
) -> tuple[Scope, ast.Expr, dict[str, tuple[str, ...]]]:
    """A path with a name in place of each `LIST.each`, the scope that knows these names, and the
    paths that they stand for.
    """
    if not isinstance(node, ast.FieldRef):
        return scope, node, {}
    inner, target, lists = _through_lists(context, scope, node.target)
    if node.name.text == "each":
        whole = elaborate(_quiet(context), inner, target)
        path, type = expr.path_of(whole), present(whole.type)
        if isinstance(type, ListType) and path is not None:
            name = f"{'.'.join(path)}.each"
            lists = {**lists, name: (*lists.get(path[0], path[:1]), *path[1:], EACH)}
            end = Span(node.span.file, node.span.end, node.span.end)  # a name that stands nowhere
            named = inner.with_name(name, Local(type.element, end))
            return named, ast.NameRef(name, span=end), lists
    return inner, replace(node, target=target), lists


def _quiet(context: Context) -> Context:
    """A context that reports nothing, and notes the names all the same."""
    return Context(context.symbols, context.loader, uses=context.uses)


def _pages(context: Context, share: ast.Mean) -> Decimal | None:
    """The mean pages of a document."""
    said = share.value
    if isinstance(said, ast.Literal) and said.kind is ast.LiteralKind.PAGES:
        return Decimal(str(said.value))
    expected = "an amount like 3 pages"
    found = f"`{said.raw}`" if isinstance(said, ast.Literal) else "an expression"
    context.tell(codes.UNIT_MISMATCH, said.span, option="mean", expected=expected, found=found)
    return None


def _not_above(
    context: Context, share: ast.Mean, mean: Decimal | int | None, most: int | None, what: str
) -> None:
    if mean is not None and most is not None and mean > most:
        told = f"a mean of {mean} {what} is above the `max` of {most}"
        context.tell(codes.CONTRADICTION, share.span, what=told)


def _members(
    context: Context, scope: Scope, line: ast.TrafficLine, share: ast.Members
) -> p.PathShares | None:
    typed = elaborate(context, scope, line.subject)
    type = typed.type
    if isinstance(type, ErrorType):
        return None
    if not isinstance(type, EnumType) or expr.path_of(typed) is None:
        context.tell(
            codes.TYPE_MISMATCH, line.subject.span, expected="a path to an enum", found=quoted(type)
        )
        return None
    shares: dict[str, Declared] = {}
    for member in share.members:
        made = _member(context, scope, member, type, f"{expr.show(typed)}.{member.name.text}")
        if made is None:
            return None
        name = member.name.text
        value = type.value_of(name) or name
        if value in shares:
            help = "give every member one share"
            context.tell(codes.DUPLICATE, member.name.span, name=name, help=help)
            return None
        shares[value] = made
    total = sum((made.share for made in shares.values()), Decimal(0))
    if total != 1:
        context.tell(
            codes.CONTRADICTION,
            line.span,
            what=f"these shares sum to {show_share(total)}, not to 100%",
            help="give every member its share; what is left out counts as 0%",
        )
        return None
    zero = Declared(Decimal(0), f"{expr.show(typed)}.rest")
    return p.PathShares(
        typed, tuple((member, shares.get(member, zero)) for member in type.members), line.span
    )


def _member(
    context: Context, scope: Scope, member: ast.Member, type: EnumType, site: str
) -> Declared | None:
    name = member.name.text
    if name not in type.written:
        help = suggestion(name, type.written) or "members: " + listed(type.written)
        what = f"member of {type.name}"
        context.tell(codes.UNKNOWN_NAME, member.name.span, what=what, name=name, help=help)
        return None
    context.refer_to_part(member.name.span, type.name, name)
    if isinstance(member.rate, (ast.Counted, ast.FromFile)):
        context.tell(
            codes.TYPE_MISMATCH,
            member.rate.span,
            expected="a percentage for each member",
            found="a count or a file",
        )
        return None
    made = chance(context, scope, member.rate, site, name)
    return made if isinstance(made, Declared) else None


def _rates(context: Context, scope: Scope, share: Rated, name: str) -> tuple[Chance, Chance] | None:
    """The rates of a test: if what it mentions is right, and if not."""
    rates = (share.rate,) if isinstance(share, ast.ShareOf) else (share.right, share.wrong)
    for rate in rates:
        if isinstance(rate, ast.FromFile):
            context.tell(
                codes.TYPE_MISMATCH,
                rate.span,
                expected="a percentage or a count",
                found="a file",
                help="evidence from a file belongs to a gate: `{ evidence from FILE }`",
            )
            return None
    if isinstance(share, ast.ShareOf):
        both = chance(context, scope, share.rate, name, "traffic")
        return both, both
    right = chance(context, scope, share.right, f"{name} if right", "traffic")
    return right, chance(context, scope, share.wrong, f"{name} if wrong", "traffic")


def _named(
    context: Context,
    scope: Scope,
    line: ast.TrafficLine,
    share: Rated,
    subject: ast.NameRef,
    contents: Contents,
) -> p.NamedShare | None:
    name, tests = subject.name, contents.tests
    if name not in tests:
        if name in contents.people:
            found = "an approval or hold"
            help = "how often a person says no is worked out from what they judge"
            context.tell(
                codes.WRONG_KIND,
                subject.span,
                help=help,
                name=name,
                found=found,
                expected="a gate, a branch or a value",
            )
        elif not contents.flawed:
            close = suggestion(name, [*tests, *contents.values])
            what = "gate, branch or value"
            context.tell(codes.UNKNOWN_NAME, subject.span, what=what, name=name, help=close)
        return None
    rates = _rates(context, scope, share, name)
    return None if rates is None else p.NamedShare(name, *rates, line.span)


def _condition(
    context: Context, scope: Scope, line: ast.TrafficLine, share: Rated
) -> p.PathShares | p.ConditionShare | None:
    typed = condition(context, scope, line.subject)
    if isinstance(typed.type, ErrorType):
        return None
    rates = _rates(context, scope, share, expr.show(typed))
    if rates is None:
        return None
    right, wrong = rates
    while isinstance(typed, expr.Not):
        typed, right, wrong = typed.operand, complement(right), complement(wrong)
    if expr.path_of(typed) is not None and isinstance(share, ast.ShareOf) and _declared(right):
        shares: tuple[tuple[bool, Chance], ...] = ((True, right), (False, complement(right)))
        return p.PathShares(typed, shares, line.span)
    return p.ConditionShare(typed, right, wrong, line.span)


def _declared(share: Chance) -> bool:
    return all(isinstance(of_class(share, hard), Declared) for hard in (False, True))


def complement(share: Chance) -> Chance:
    """One minus a share that is declared or counted; what is undeclared stays so."""
    if isinstance(share, ByCase):
        return ByCase(_complement(share.easy), _complement(share.hard), share.site)
    return _complement(share)


def _complement(share: PlainChance) -> PlainChance:
    match share:
        case Declared():
            return Declared(1 - share.share, share.site)
        case CountedShare():
            return CountedShare(share.total - share.good, share.total, share.site)
        case _:
            return share
