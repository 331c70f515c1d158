"""Names of values in pipelines and functions: no duplicates, no shadowing."""

from __future__ import annotations

from collections.abc import MutableMapping

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.symbols import BUILTIN_NAMES, READ_AS_VALUES, style
from pipelang.syntax import ast


def no_shadowing(context: Context, file: str, name: ast.Name) -> None:
    """Report a name of a value that hides a name that expressions read: a setting, tier or role.

    Tools, prompts and types stand where no value can, so a step may be called like its tool.
    """
    symbol = context.symbols.find(file, name.text)
    if name.text in BUILTIN_NAMES:
        help = f"`{name.text}` is pipelang's own; choose another name"
        context.tell(codes.SHADOWING, name.span, name=name.text, help=help)
    elif symbol is not None and symbol.kind in READ_AS_VALUES:
        label = Label(symbol.declaration.name.span, f"this {symbol.kind} is meant elsewhere")
        context.tell(codes.SHADOWING, name.span, name=name.text, labels=(label,))


def take(
    context: Context,
    file: str,
    name: ast.Name,
    taken: MutableMapping[str, Span],
    what: str,
    *,
    value: bool,
) -> None:
    """Claim a name in a pipeline; reports it if it is taken or in the wrong case."""
    if name.text in taken:
        label = Label(taken[name.text], "it is taken here")
        context.tell(codes.DUPLICATE, name.span, name=name.text, labels=(label,))
    else:
        taken[name.text] = name.span
        if value:
            no_shadowing(context, file, name)
    if not name.text.islower() and name.text.strip("_"):
        context.diagnostics.append(style(name, what))


def inner_name(context: Context, scope: Scope, name: ast.Name) -> None:
    """Report a variable of an `each` that hides a value around it."""
    around = scope.names.get(name.text)
    if around is not None:
        label = Label(around.span, "it is taken here")
        context.tell(codes.SHADOWING, name.span, name=name.text, labels=(label,))
    else:
        no_shadowing(context, scope.file, name)
