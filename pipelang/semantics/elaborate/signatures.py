"""Signatures: what prompts, tools, functions, memories and pipelines take and give."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.diagnostics import codes
from pipelang.semantics.elaborate.constants import constant
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.types import elaborate_type
from pipelang.semantics.program import Parameter
from pipelang.semantics.types import NOTHING, Type
from pipelang.syntax import ast


def parameters_of(
    context: Context, file: str, written: tuple[ast.Param, ...]
) -> tuple[Parameter, ...]:
    """Parameters with their types and default values."""
    result: dict[str, Parameter] = {}
    for param in written:
        name = param.name.text
        if name in result:
            context.tell(codes.DUPLICATE, param.name.span, name=name)
            continue
        type = elaborate_type(context, file, param.type)
        default: Any = None
        if param.default is not None:
            default = constant(context, file, param.default, type)
        result[name] = Parameter(name, type, param.default is not None, default)
    return tuple(result.values())


def signature(context: Context, key: str) -> tuple[tuple[Parameter, ...], Type]:
    """Parameters and result of a declaration that has them, made once."""
    if key not in context.signatures:
        symbol = context.symbols.by_key[key]
        declaration = symbol.declaration
        assert isinstance(
            declaration,
            (ast.FnDecl, ast.ToolDecl, ast.PromptDecl, ast.PipelineDecl, ast.MemoryDecl),
        )
        parameters = parameters_of(context, symbol.file, declaration.params)
        returns: Type = NOTHING
        if not isinstance(declaration, ast.PromptDecl) and declaration.returns is not None:
            returns = elaborate_type(context, symbol.file, declaration.returns)
        context.signatures[key] = (parameters, returns)
    found: tuple[tuple[Parameter, ...], Type] = context.signatures[key]
    return found


def function_signature(context: Context, key: str) -> tuple[Sequence[Parameter], Type]:
    """Parameters and result of a `fn`."""
    return signature(context, key)
