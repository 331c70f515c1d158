"""The inputs of a run that takes a path: what its conditions speak of, in the file's words."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

from pipelang.analysis.claims.deciding import Case
from pipelang.analysis.claims.symbols import Symbols
from pipelang.semantics import program as p
from pipelang.semantics.quantities import show_value
from pipelang.semantics.types import EnumType, Kind, Scalar, Type, present


def example_of(symbols: Symbols, case: Case, parameters: tuple[p.Parameter, ...]) -> Iterator[str]:
    """`ticket.customer.enterprise: true`, one for every input that matters, in order."""
    names = tuple(parameter.name for parameter in parameters)
    said: dict[str, str] = {}
    for name, text in case.texts.items():
        if _is_input(name, names):
            enum = isinstance(present(symbols.types.get(name, _TEXT)), EnumType)
            said[name] = text if enum else show_value(text, _TEXT)
    for name, number in case.numbers.items():
        if _is_input(name, names):
            type = symbols.types.get(name)
            said[name] = str(number) if type is None else _quantity(number, present(type))
    for name, truth in case.truths.items():
        if not _is_input(name, names):
            continue
        if name.endswith("?"):
            inside = name[:-1]
            if not truth:
                said[inside] = "none"
            elif not any(other.startswith(inside) for other in said):
                said.setdefault(inside, "something")
        else:
            said[name] = "true" if truth else "false"
    for name in sorted(said):
        yield f"{name}: {said[name]}"


_TEXT = Scalar(Kind.TEXT)


def _is_input(name: str, inputs: tuple[str, ...]) -> bool:
    inner = name.removeprefix("len(")
    return inner.split(".")[0].split("[")[0].rstrip("?)") in inputs


def _quantity(number: Fraction, type: Type) -> str:
    if isinstance(type, Scalar) and type.kind is Kind.INT:
        return str(int(number))
    return show_value(Decimal(number.numerator) / Decimal(number.denominator), type)
