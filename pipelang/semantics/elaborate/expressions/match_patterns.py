"""Patterns of a `match`: the values of each arm, exhaustiveness, unreachable arms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics.elaborate.broken_parts import flawed, whole
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.expressions.optionals import absent
from pipelang.semantics.symbols import listed, suggestion
from pipelang.semantics.types import BOOL, TEXT, EnumType, ErrorType, OptionalType, Type, quoted
from pipelang.syntax import ast

Values = tuple[Any, ...] | None
Arm = ast.Arm | ast.MatchItemArm


def elaborate_patterns(
    context: Context, subject: expr.Expr, arms: Sequence[Arm | ast.Broken], span: Span
) -> list[Values] | None:
    """The values that each readable arm takes, None for `else`. Reports missing and dead arms.

    None as a whole if the subject is nothing that can be matched on (reported).
    """
    type = subject.type
    if isinstance(type, ErrorType):
        return None
    if isinstance(type, OptionalType):
        absent(context, subject, span)
        return None
    if not isinstance(type, EnumType) and type not in (BOOL, TEXT):
        context.tell(
            codes.TYPE_MISMATCH,
            span,
            expected="an enum, a bool or a text to match on",
            found=quoted(type),
        )
        return None
    covered: set[Any] = set()
    domain = _domain(type)
    everything, unsure = False, flawed(arms)
    result: list[Values] = []
    readable: list[ast.Arm | ast.MatchItemArm] = whole(arms)
    for arm in readable:
        pattern = arm.pattern
        if everything:
            why = "the arms above take everything"
            context.tell(codes.UNREACHABLE_ARM, _span(pattern), why=why)
        if isinstance(pattern, ast.Else):
            everything = True
            result.append(None)
            continue
        atoms = [_atom(context, type, atom) for atom in pattern]
        unsure = unsure or None in atoms
        result.append(tuple(value for value in atoms if value is not None))
        if not everything:
            _tell_doubled(context, type, pattern, atoms, covered)
        covered.update(value for value in atoms if value is not None)
        everything = everything or (domain is not None and len(covered) == len(domain))
    if not everything and not unsure:
        _tell_missing(context, type, covered, span)
    return result


def _tell_doubled(
    context: Context,
    type: Type,
    pattern: tuple[ast.Literal | ast.Name, ...],
    values: list[Any],
    covered: set[Any],
) -> None:
    """Report what this arm takes although it was taken before, in an arm above or in this one."""
    here: set[Any] = set()
    for atom, value in zip(pattern, values, strict=True):
        if value is not None and (value in covered or value in here):
            why = f"`{_show(type, value)}` was taken above"
            context.tell(codes.UNREACHABLE_ARM, atom.span, why=why)
        here.add(value)


def _tell_missing(context: Context, type: Type, covered: set[Any], span: Span) -> None:
    domain = _domain(type)
    if domain is None:
        missing, help = "every other text", "end it with an `else` arm"
    else:
        left = [value for value in domain if value not in covered]
        missing = listed(f"`{_show(type, value)}`" for value in left)
        help = "add an arm for each, or an `else` arm"
    context.tell(codes.NOT_EXHAUSTIVE, span, missing=missing, help=help)


def _domain(subject: Type) -> tuple[Any, ...] | None:
    """All values of a type, None where nobody can list them."""
    if isinstance(subject, EnumType):
        return subject.members
    return (True, False) if subject == BOOL else None


def _span(pattern: ast.Pattern) -> Span:
    return pattern.span if isinstance(pattern, ast.Else) else pattern[0].span


def _show(type: Type, value: Any) -> str:
    if isinstance(type, EnumType):
        return type.name_of(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _atom(context: Context, type: Type, atom: ast.Literal | ast.Name) -> Any:
    """The value that a pattern stands for, None (reported) if it is none of the subject's type."""
    if isinstance(atom, ast.Name):
        if isinstance(type, EnumType):
            value = type.value_of(atom.text)
            if value is not None:
                context.refer_to_part(atom.span, type.name, atom.text)
                return value
            help = suggestion(atom.text, type.written)
            help = help or "members: " + listed(type.written)
            what = f"member of {type.name}"
            context.tell(codes.UNKNOWN_NAME, atom.span, what=what, name=atom.text, help=help)
            return None
        found = f"the name `{atom.text}`"
    else:
        found = f"`{atom.raw}`"
        if (type == BOOL and isinstance(atom.value, bool)) or (
            type == TEXT and isinstance(atom.value, str)
        ):
            return atom.value
    help = None
    if isinstance(type, EnumType):
        help = f"write the member without quotes: {', '.join(type.written)}"
    context.tell(
        codes.TYPE_MISMATCH,
        atom.span,
        expected=f"a value of {quoted(type)}",
        found=found,
        help=help,
    )
    return None
