"""Traffic: what the inputs look like, and how often conditions hold."""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, CountedShare, Declared
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions import condition, elaborate
from pipelang.semantics.elaborate.rates import chance, quantity
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import BOOL, NUMBER, TEXT, TOKENS, EnumType, ListType, show
from pipelang.syntax import ast

EMPTY = p.Traffic(None, (), (), (), ())


def complement(share: Chance) -> Chance:
    """One minus a share."""
    if isinstance(share, Declared):
        return Declared(1 - share.share, share.site)
    if isinstance(share, CountedShare):
        return CountedShare(share.total - share.good, share.total, share.site)
    raise TypeError(share)


def elaborate_traffic(
    context: Context,
    file: str,
    locals: dict[str, Local],
    tests: dict[str, ir.Expr],
    written: ast.Traffic,
) -> p.Traffic:
    """`locals` are all values of the pipeline, `tests` its named gates and branches."""
    scope = Scope(file, locals)
    paths: list[p.PathShares] = []
    conditions: list[p.ConditionShare] = []
    names: list[p.NamedShare] = []
    means: list[p.MeanLine] = []
    for line in written.lines:
        share = line.share
        if isinstance(share, ast.Mean):
            mean = _mean(context, scope, line, share)
            if mean is not None:
                means.append(mean)
        elif isinstance(share, ast.Members):
            members = _members(context, scope, line, share)
            if members is not None:
                _once(context, [known.path for known in paths], members.path, line.span)
                paths.append(members)
        elif isinstance(line.subject, ast.NameRef) and line.subject.name not in locals:
            named = _named(context, file, line, share, line.subject, tests)
            if named is not None:
                names.append(named)
        else:
            made = _condition(context, scope, line, share)
            if isinstance(made, p.PathShares):
                _once(context, [known.path for known in paths], made.path, line.span)
                paths.append(made)
            elif made is not None:
                _once(context, [c.condition for c in conditions], made.condition, line.span)
                conditions.append(made)
    per_day = None
    if written.rate is not None and isinstance(written.rate.value, tuple):
        count, seconds = written.rate.value
        per_day = Decimal(count) * 86400 / seconds
    return p.Traffic(per_day, tuple(paths), tuple(conditions), tuple(names), tuple(means))


def _once(context: Context, known: list[ir.Expr], new: ir.Expr, span: Span) -> None:
    if new in known:
        context.tell(codes.DUPLICATE, span, name=ir.show(new))


def _mean(
    context: Context, scope: Scope, line: ast.TrafficLine, share: ast.Mean
) -> p.MeanLine | None:
    subject = line.subject
    length = isinstance(subject, ast.FieldRef) and subject.name.text == "length"
    target = subject.target if length and isinstance(subject, ast.FieldRef) else subject
    typed = elaborate(context, scope, target)
    path = ir.path_of(typed)
    if length and isinstance(typed.type, ListType) and path is not None:
        value = quantity(context, scope.file, share.value, NUMBER, "mean")
        path = (*path, "length")
    elif typed.type == TEXT and path is not None:
        value = quantity(context, scope.file, share.value, TOKENS, "mean")
    else:
        context.tell(
            codes.TYPE_MISMATCH,
            line.subject.span,
            expected="a text, or the `length` of a list",
            found=f"`{show(typed.type)}`",
        )
        return None
    return None if value is None else p.MeanLine(path, Decimal(value), line.span)


def _members(
    context: Context, scope: Scope, line: ast.TrafficLine, share: ast.Members
) -> p.PathShares | None:
    typed = elaborate(context, scope, line.subject)
    type = typed.type
    if not isinstance(type, EnumType) or ir.path_of(typed) is None:
        context.tell(
            codes.TYPE_MISMATCH,
            line.subject.span,
            expected="a path to an enum",
            found=f"`{show(type)}`",
        )
        return None
    shares: dict[str, Chance] = {}
    total = Decimal(0)
    for member in share.members:
        name = member.name.text
        if name not in type.members:
            context.tell(
                codes.UNKNOWN_NAME,
                member.name.span,
                what=f"member of {type.name}",
                name=name,
                help=suggestion(name, type.members) or "members: " + ", ".join(type.members),
            )
            return None
        if name in shares:
            context.tell(codes.DUPLICATE, member.name.span, name=name)
        made = chance(context, scope.file, member.rate, f"{ir.show(typed)}.{name}")
        if not isinstance(made, Declared):
            context.tell(
                codes.TYPE_MISMATCH,
                member.span,
                expected="a percentage for each member",
                found="a count or a file",
            )
            return None
        shares[name] = made
        total += made.share
    if total != 1:
        context.tell(
            codes.CONTRADICTION,
            line.span,
            what=f"these shares sum to {total * 100:f}%, not to 100%",
            help="give every member its share; what is left out counts as 0%",
        )
        return None
    zero = Declared(Decimal(0), f"{ir.show(typed)}.rest")
    return p.PathShares(
        typed, tuple((member, shares.get(member, zero)) for member in type.members), line.span
    )


def _rates(
    context: Context, file: str, share: ast.ShareOf | ast.ShareByRight, name: str
) -> tuple[Chance, Chance]:
    if isinstance(share, ast.ShareOf):
        both = chance(context, file, share.rate, name)
        return both, both
    right = chance(context, file, share.right, f"{name} if right")
    return right, chance(context, file, share.wrong, f"{name} if wrong")


def _named(
    context: Context,
    file: str,
    line: ast.TrafficLine,
    share: ast.ShareOf | ast.ShareByRight,
    subject: ast.NameRef,
    tests: dict[str, ir.Expr],
) -> p.NamedShare | None:
    if subject.name not in tests:
        help = suggestion(subject.name, tests)
        context.tell(
            codes.UNKNOWN_NAME,
            subject.span,
            what="gate, branch or value",
            name=subject.name,
            help=help,
        )
        return None
    right, wrong = _rates(context, file, share, subject.name)
    return p.NamedShare(subject.name, right, wrong, line.span)


def _condition(
    context: Context,
    scope: Scope,
    line: ast.TrafficLine,
    share: ast.ShareOf | ast.ShareByRight,
) -> p.PathShares | p.ConditionShare | None:
    typed = condition(context, scope, line.subject)
    if typed.type != BOOL:
        return None
    right, wrong = _rates(context, scope.file, share, ir.show(typed))
    negated = False
    while isinstance(typed, ir.Not):
        typed, negated = typed.operand, not negated
    if negated:
        if not all(isinstance(rate, (Declared, CountedShare)) for rate in (right, wrong)):
            return None
        right, wrong = complement(right), complement(wrong)
    single = isinstance(share, ast.ShareOf) and isinstance(right, Declared)
    if ir.path_of(typed) is not None and single and isinstance(right, Declared):
        no = Declared(1 - right.share, right.site)
        return p.PathShares(typed, ((True, right), (False, no)), line.span)
    return p.ConditionShare(typed, right, wrong, line.span)


def all_locals(context: Context, locals: dict[str, Local], block: p.Block) -> None:
    """Add every value made anywhere in a block, branches included."""
    for item in block.items:
        match item:
            case p.Step() | p.Let():
                locals.setdefault(item.name, Local(item.type, item.span))
            case p.When():
                all_locals(context, locals, item.then)
                all_locals(context, locals, item.otherwise)
            case p.MatchBranch():
                for _, arm in item.arms:
                    all_locals(context, locals, arm)
            case _:
                pass


def all_tests(tests: dict[str, ir.Expr], block: p.Block) -> None:
    """Add the condition of every named gate and branch in a block."""
    for item in block.items:
        match item:
            case p.Gate():
                tests[item.name] = item.condition
            case p.When():
                if item.name is not None:
                    tests[item.name] = item.condition
                all_tests(tests, item.then)
                all_tests(tests, item.otherwise)
            case p.MatchBranch():
                for _, arm in item.arms:
                    all_tests(tests, arm)
            case _:
                pass
