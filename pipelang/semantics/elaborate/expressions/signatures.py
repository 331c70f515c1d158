"""Signatures (parameters and result) of prompts, tools, functions, memories, pipelines."""

from __future__ import annotations

from typing import Any

from pipelang.diagnostics import Span, codes
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.constants import constant
from pipelang.semantics.elaborate.expressions.types import elaborate_type, outer_of
from pipelang.semantics.elaborate.names.nesting_depth import BeingComputed, hangs_on
from pipelang.semantics.program import Parameter
from pipelang.semantics.types import ERROR, NOTHING, Type
from pipelang.syntax import ast

_CALLED_FROM_OUTSIDE = frozenset({"tool", "pipeline"})
"""Kinds whose arguments have names outside of the program."""


def parameters_of(
    context: Context, file: str, written: tuple[ast.Param, ...], kind: str
) -> tuple[Parameter, ...]:
    """Parameters, of a declaration of this kind, with their types and default values."""
    result: dict[str, Parameter] = {}
    seen: dict[str, Span] = {}
    for param in written:
        name = param.name.text
        if name in result and name:
            context.tell(codes.DUPLICATE, param.name.span, name=name)
            continue
        type = elaborate_type(context, file, param.type)
        default: Any = None
        if param.default is not None:
            default = constant(context, Scope(file), param.default, type)
        outer = outer_of(context, seen, param)
        if param.outer is not None and kind not in _CALLED_FROM_OUTSIDE:
            what = f"nobody outside of the program gives a `{kind}` its arguments"
            help = f"leave out {param.outer.raw}"
            context.tell(codes.CONTRADICTION, param.outer.span, what=what, help=help)
        has = param.default is not None
        result[name] = Parameter(name, type, has, default, param.span, outer, param.doc)
    return tuple(result.values())


def signature(context: Context, key: str) -> tuple[tuple[Parameter, ...], Type]:
    """Parameters and result of a declaration that has them, made once."""
    if key not in context.signatures:
        symbol = context.symbols.by_key[key]
        if key in context.pending:  # a default value that asks for its own function
            cycle = " -> ".join([*context.pending[context.pending.index(key) :], key])
            context.tell(codes.RECURSION, symbol.declaration.name.span, name=key, cycle=cycle)
            return (), ERROR
        declaration = symbol.declaration
        assert isinstance(
            declaration,
            (ast.FnDecl, ast.ToolDecl, ast.PromptDecl, ast.PipelineDecl, ast.MemoryDecl),
        )
        with BeingComputed(context, key, declaration.name.span) as may:
            if not may:
                return (), ERROR
            parameters = parameters_of(context, symbol.file, declaration.params, symbol.kind)
            returns: Type = NOTHING
            if not isinstance(declaration, ast.PromptDecl) and declaration.returns is not None:
                returns = elaborate_type(context, symbol.file, declaration.returns)
        context.signatures[key] = (parameters, returns)
    else:
        hangs_on(context, key)
    found: tuple[tuple[Parameter, ...], Type] = context.signatures[key]
    return found
