"""Numbers and expressions as the text of a `.pipe` file."""

from __future__ import annotations

from fractions import Fraction
from typing import assert_never

from . import expressions as e


def decimal(value: Fraction) -> str:
    """An exact decimal; the oracle never needs a number that has none."""
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
        if digits > 30:
            raise ValueError(f"{value} has no finite decimal")
    whole, rest = divmod(int(value * 10**digits), 10**digits)
    return str(whole) if digits == 0 else f"{whole}.{rest:0{digits}d}"


def percent(value: Fraction) -> str:
    return f"{decimal(value * 100)}%"


def duration(seconds: int) -> str:
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def expression(expr: e.Expr, nested: bool = False) -> str:
    """The text of an expression; compound ones get parentheses inside another one."""
    match expr:
        case e.Path(value=value, field=None):
            return value
        case e.Path(value=value, field="?"):
            return f"{value}?"
        case e.Path(value=value, field=field):
            return f"{value}.{field}"
        case e.Constant(text=text):
            return text
        case e.RecordOf(fields=fields):
            inner = ", ".join(f"{name}: {expression(value)}" for name, value in fields)
            return f"{{{inner}}}"
        case e.ListOf(elements=elements):
            return f"[{', '.join(expression(element) for element in elements)}]"
        case e.Quantified():
            return f"{expr.word}({_elements(expr)})"
        case e.Is(path=path, member=member, negated=negated):
            text = f"{expression(path)} {'!=' if negated else '=='} {member}"
        case e.In(path=path, members=members, negated=negated):
            text = f"{expression(path)} {'not in' if negated else 'in'} [{', '.join(members)}]"
        case e.NotEmpty(path=path):
            text = f"len({expression(path)}) > 0"
        case e.Confidence(step=step, op=op, threshold=threshold):
            text = f"{step}.confidence {op} {percent(threshold)}"
        case e.Not(of=of):
            text = f"not {expression(of, nested=True)}"
        case e.And(left=left, right=right):
            text = f"{expression(left, nested=True)} and {expression(right, nested=True)}"
        case e.Or(left=left, right=right):
            text = f"{expression(left, nested=True)} or {expression(right, nested=True)}"
        case e.Choice(condition=condition, then=then, otherwise=otherwise):
            texts = [expression(part, nested=True) for part in (condition, then, otherwise)]
            text = f"if {texts[0]} then {texts[1]} else {texts[2]}"
        case _:
            assert_never(expr)
    return f"({text})" if nested else text


def _elements(expr: e.Quantified) -> str:
    """A list of conditions, or what is said of each of its elements."""
    parts = [expression(element) for element in expr.elements]
    at = expr.apart
    groups = [parts] if at is None else [parts[:at], parts[at:]]
    written = " + ".join(f"[{', '.join(group)}]" for group in groups)
    if expr.variable is None:
        return written
    return f"{'not ' * expr.negated}{expr.variable} for {expr.variable} in {written}"
