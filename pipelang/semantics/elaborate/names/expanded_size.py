"""Limits on the size of a declaration with everything that it names written out.

Records inside records and values made of values double quickly: thirty lines can stand for a
billion fields. What models are sent about a type, and what the analysis works out of a test, is
written out, so both are bounded; and so is how deep they are nested then.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.diagnostics import codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.types import ErrorType, ListType, MapType, RecordType, Type, present
from pipelang.syntax import ast

MOST_FIELDS = 2_000
MOST_PARTS = 20_000
MOST_LEVELS = 100


def is_too_large(context: Context, type: Type, name: ast.Name) -> bool:
    """Whether a record has too many fields, those of its fields included; that is reported."""
    found = _fields(context, type)
    if found <= MOST_FIELDS:
        return False
    what = f"`{name.text}`, with the fields of its fields,"
    context.tell(codes.TOO_LARGE, name.span, what=what, found=f"{found:,} fields", most=MOST_FIELDS)
    return True


def _fields(context: Context, type: Type) -> int:
    inner = present(type)
    match inner:
        case RecordType():
            known = context.sizes.get(inner.name)
            if known is None:
                known = 1 + sum(_fields(context, field.type) for field in inner.fields)
                context.sizes[inner.name] = known
            return known
        case ListType():
            return _fields(context, inner.element)
        case MapType():
            return _fields(context, inner.value)
        case _:
            return 1


def parts_of(node: expr.Expr, sizes: Mapping[str, int]) -> int:
    """The parts of an expression once every value and function in it is written out; `sizes` are
    those of what has a name.
    """
    total = 0
    for part in expr.walk(node):
        total += 1
        if isinstance(part, expr.Read):
            total += sizes.get(part.name, 0)
        elif isinstance(part, expr.Apply):
            total += sizes.get(part.function, 0)
    return total


def not_too_long(
    context: Context, node: expr.Expr, sizes: dict[str, int], name: ast.Name | None, key: str
) -> None:
    """Note the size of a value or function, and report it if it is too large."""
    if isinstance(node.type, ErrorType):
        return
    found = parts_of(node, sizes)
    sizes[key] = found
    if found > MOST_PARTS and name is not None:
        sizes[key] = 1  # told once, not again for everything that reads it
        what = f"`{name.text}`, with all that it is made of,"
        words = f"{found:,} parts"
        context.tell(codes.TOO_LARGE, name.span, what=what, found=words, most=MOST_PARTS)


def is_too_deep(context: Context, node: expr.Expr, levels: dict[str, int], name: ast.Name) -> bool:
    """Whether a `let` is nested too deep once those that it reads are written out; that is
    reported.
    """
    levels[name.text] = _depth(node, levels)
    if levels[name.text] <= MOST_LEVELS:
        return False
    levels[name.text] = 1
    context.tell(codes.TOO_DEEP, name.span, limit=MOST_LEVELS)
    return True


def _depth(node: expr.Expr, levels: Mapping[str, int]) -> int:
    if isinstance(node, expr.Read):
        return levels.get(node.name, 1)
    return 1 + max((_depth(part, levels) for part in expr.parts(node)), default=0)


def functions_not_too_long(context: Context, functions: Mapping[str, p.Function]) -> None:
    """Report `fn`s that call so many others that evaluating them would take too long."""
    sizes: dict[str, int] = {}
    for key in _callees_first(functions):
        function = functions[key]
        declaration = context.symbols.by_key[key].declaration
        if function.body is not None:
            not_too_long(context, function.body, sizes, declaration.name, key)


def _callees_first(functions: Mapping[str, p.Function]) -> list[str]:
    """The functions, each behind those that it calls; a circle is cut somewhere."""
    order: list[str] = []
    seen: set[str] = set()
    for start in functions:
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            key, left = todo.pop()
            if left:
                order.append(key)
            elif key not in seen and key in functions:
                seen.add(key)
                todo.append((key, True))
                body = functions[key].body
                parts = () if body is None else expr.walk(body)
                called = {part.function for part in parts if isinstance(part, expr.Apply)}
                todo.extend((name, False) for name in sorted(called))
    return order
