"""Patterns of a match: what each arm takes, whether all is covered, whether an arm is too late."""

from __future__ import annotations

from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.symbols import suggestion
from pipelang.semantics.types import BOOL, TEXT, EnumType, ErrorType, Type, show
from pipelang.syntax import ast

Values = tuple[Any, ...] | None


def elaborate_patterns(
    context: Context, subject: Type, patterns: list[ast.Pattern], span: Span
) -> list[Values]:
    """The values that each arm takes, None for `else`. Tells what is missing and what is dead."""
    covered: set[Any] = set()
    everything = False
    result: list[Values] = []
    domain = _domain(subject)
    for pattern in patterns:
        if everything:
            context.tell(
                codes.UNREACHABLE_ARM, _span(pattern), why="the arms above take everything"
            )
        if isinstance(pattern, ast.Else):
            everything = True
            result.append(None)
            continue
        values: list[Any] = []
        for atom in pattern:
            ok, value = _atom(context, subject, atom)
            if not ok:
                continue
            if value in covered:
                why = f"`{_show(value)}` was taken above"
                context.tell(codes.UNREACHABLE_ARM, atom.span, why=why)
            covered.add(value)
            values.append(value)
        result.append(tuple(values))
        if domain is not None and covered >= domain:
            everything = True
    if not everything and not isinstance(subject, ErrorType):
        if domain is None:
            missing = "every other value"
            help = "end it with `else`"
        else:
            left = [value for value in _ordered(subject) if value not in covered]
            missing = ", ".join(f"`{_show(value)}`" for value in left)
            help = "add an arm for each, or an `else` arm"
        if domain is None and subject != TEXT:
            context.tell(
                codes.TYPE_MISMATCH,
                span,
                expected="an enum, a bool or a text to match on",
                found=f"`{show(subject)}`",
            )
        else:
            context.tell(codes.NOT_EXHAUSTIVE, span, missing=missing, help=help)
    return result


def _ordered(subject: Type) -> tuple[Any, ...]:
    if isinstance(subject, EnumType):
        return subject.members
    return (True, False)


def _domain(subject: Type) -> set[Any] | None:
    if isinstance(subject, EnumType) or subject == BOOL:
        return set(_ordered(subject))
    return None


def _span(pattern: ast.Pattern) -> Span:
    return pattern.span if isinstance(pattern, ast.Else) else pattern[0].span


def _show(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _atom(context: Context, subject: Type, atom: ast.Literal | ast.Name) -> tuple[bool, Any]:
    if isinstance(subject, ErrorType):
        return False, None
    if isinstance(atom, ast.Name):
        if isinstance(subject, EnumType):
            if atom.text in subject.members:
                return True, atom.text
            help = suggestion(atom.text, subject.members)
            help = help or "members: " + ", ".join(subject.members)
            context.tell(
                codes.UNKNOWN_NAME,
                atom.span,
                what=f"member of {subject.name}",
                name=atom.text,
                help=help,
            )
            return False, None
        found = f"the name `{atom.text}`"
    else:
        found = f"`{atom.raw}`"
        if (subject == BOOL and isinstance(atom.value, bool)) or (
            subject == TEXT and isinstance(atom.value, str)
        ):
            return True, atom.value
    context.tell(
        codes.TYPE_MISMATCH, atom.span, expected=f"a value of `{show(subject)}`", found=found
    )
    return False, None
