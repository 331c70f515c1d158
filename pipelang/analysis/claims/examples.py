"""Counterexamples as users read them: the values of a run that takes a path, in the file's own
words.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from pipelang.analysis.claims.deciding import Assignment
from pipelang.analysis.claims.symbols import SymbolicExpressions
from pipelang.semantics import program as p
from pipelang.semantics.quantities import show_value
from pipelang.semantics.types import JSON, EnumType, Scalar, ScalarKind, Type, present
from pipelang.semantics.walk import all_items


def example_of(
    symbols: SymbolicExpressions, case: Assignment, pipeline: p.Pipeline
) -> Iterator[str]:
    """Return lines such as `ticket.customer.enterprise: true`, one for each value that matters, in
    this order: inputs, values of steps, answers of functions that the analysis cannot look into.
    """
    names = {parameter.name for parameter in pipeline.parameters}
    names |= {item.name for item in all_items(pipeline.block) if isinstance(item, p.Step)}
    said: dict[str, str] = {}
    for name, text in case.texts.items():
        if _is_shown(name, names):
            type = present(symbols.types.get(name, _TEXT))
            shown = _json(text) if type == JSON else show_value(text, _TEXT)
            said[name] = type.name_of(text) if isinstance(type, EnumType) else shown
    for name, number in case.numbers.items():
        if _is_shown(name, names):
            known = symbols.types.get(name)
            said[name] = str(number) if known is None else _quantity(number, present(known))
    for name, truth in case.truths.items():
        if not _is_shown(name, names):
            continue
        if name.endswith("?") and not name.startswith("?"):
            inside = name[:-1]
            if not truth:
                said[inside] = "none"
            elif not any(other.startswith(inside) for other in said):
                said.setdefault(inside, "something")
        else:
            said[name.removeprefix("?")] = "true" if truth else "false"
    for name in sorted(said):
        yield f"{name}: {said[name]}"


def _json(tag: str) -> str:
    """Show a json by the tag of its value (`equality`)."""
    kind, _, value = tag.partition(" ")
    return show_value(value, _TEXT) if kind == "text" else value.lower() if value else "something"


_TEXT = Scalar(ScalarKind.TEXT)


def _is_shown(name: str, roots: set[str]) -> bool:
    """Whether a variable has a name that users know; values inside sub-pipelines have internal
    names.
    """
    if name.startswith("?"):
        readable = "(" in name and not any(mark in name for mark in ("{", "~", "(="))
        return readable and len(name) < MOST_LETTERS
    first, *inside = name.removeprefix("len(").split(".")
    return first.split("[")[0].rstrip("?)") in roots and not any(map(str.isdigit, inside))


MOST_LETTERS = 60
"""The most letters of a question that an example shows."""


def _quantity(number: Fraction, type: Type) -> str:
    if isinstance(type, Scalar) and type.kind is ScalarKind.INT:
        return str(int(number))
    return show_value(Decimal(number.numerator) / Decimal(number.denominator), type)
