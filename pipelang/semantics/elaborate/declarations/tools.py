"""Tools and functions: what a program may call, and how it is bound to the host's code."""

from __future__ import annotations

from decimal import Decimal

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics import program as p
from pipelang.semantics.chance import always
from pipelang.semantics.elaborate.broken_parts import flawed, whole
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.names.local_names import no_shadowing
from pipelang.semantics.elaborate.options.options import (
    no_duplicates,
    option_word,
    pick,
    rate_of,
    retry,
    spread,
)
from pipelang.semantics.elaborate.options.quantity import quantity
from pipelang.semantics.types import DURATION, MONEY, RATE, NothingType
from pipelang.syntax import ast


def tool(context: Context, file: str, key: str, decl: ast.ToolDecl) -> p.Tool:
    no_duplicates(context, decl.options)
    options, scope = decl.options, Scope(file)
    parameters, returns = signature(context, key)
    permit = pick(options, ast.Permit)
    limit = pick(options, ast.RateLimit)
    timeout = pick(options, ast.Timeout)
    latency = pick(options, ast.Latency)
    cost = pick(options, ast.Cost)
    binding, binding_span = _binding(context, options)
    effect = _effect(context, decl)
    always_works = always(f"{key}.pure")
    return p.Tool(
        name=key,
        parameters=parameters,
        returns=returns,
        binding=binding,
        effect=effect,
        permit=str(permit.name.value) if permit else None,
        rate=quantity(context, scope, limit.rate, RATE, "rate", positive=True) if limit else None,
        timeout=quantity(context, scope, timeout.after, DURATION, "timeout", positive=True)
        if timeout
        else None,
        retry=retry(context, scope, pick(options, ast.Retry)) or p.NO_RETRY,
        succeeds=always_works
        if effect == "pure"
        else rate_of(context, scope, options, ast.Succeeds, key),
        accuracy=rate_of(context, scope, options, ast.Accuracy, key, always(f"{key}.accuracy")),
        latency=spread(context, scope, latency.spread, "latency") if latency else None,
        cost=(quantity(context, scope, cost.amount, MONEY, "cost") if cost else None) or Decimal(0),
        idempotent=pick(options, ast.Idempotent) is not None,
        span=decl.name.span,
        binding_span=binding_span,
        doc=decl.doc,
    )


def _effect(context: Context, decl: ast.ToolDecl) -> str:
    """The effect of a tool; reports where it is missing or where an option contradicts it."""
    effect = pick(decl.options, ast.Effect)
    if effect is None and flawed(decl.options):
        return "read"
    if effect is None:
        context.tell(
            codes.MISSING_OPTION,
            decl.name.span,
            what="tool",
            name=decl.name.text,
            option="effect",
            help="`effect pure`, `effect read`, `effect write` or `effect irreversible`",
        )
        return "read"
    if effect.kind == "pure":
        for option in whole(decl.options):
            if isinstance(option, (ast.Succeeds, ast.Accuracy, ast.Retry)):
                context.tell(
                    codes.CONTRADICTION,
                    option.span,
                    what=f"a pure tool neither fails nor errs, so `{option_word(option)}` says "
                    "nothing about it",
                    help="declare `effect read`, or drop the option",
                )
        if decl.returns is None:
            context.tell(
                codes.CONTRADICTION,
                decl.name.span,
                what=f"`{decl.name.text}` is pure and answers nothing, so it does nothing",
                help="say what it answers: `-> TYPE`",
            )
    return effect.kind


def _binding(
    context: Context, options: tuple[ast.Option, ...]
) -> tuple[tuple[str, ...] | None, Span | None]:
    """Address of a tool's code, and the span that states it."""
    python, mcp = pick(options, ast.PythonBinding), pick(options, ast.McpBinding)
    if python is not None and mcp is not None:
        label = Label(python.span, "it is bound here")
        context.tell(
            codes.CONTRADICTION, mcp.span, what="a tool is bound to one thing", labels=(label,)
        )
    if python is not None:
        check_binding(context, python)
        return ("python", str(python.target.value)), python.span
    if mcp is not None:
        return ("mcp", str(mcp.server.value), str(mcp.tool.value)), mcp.span
    return None, None


def check_binding(context: Context, binding: ast.PythonBinding) -> None:
    """A binding looks like `module:function`; whether it is there is only asked when running."""
    module, colon, function = str(binding.target.value).partition(":")
    parts = [*module.split("."), *function.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        context.tell(
            codes.UNIT_MISMATCH,
            binding.target.span,
            option="python",
            expected='a binding like "module:function"',
            found=f"`{binding.target.raw}`",
        )


def function(context: Context, file: str, key: str, decl: ast.FnDecl) -> p.Function:
    parameters, returns = signature(context, key)
    body, binding = None, None
    if isinstance(returns, NothingType):  # the grammar asks for a type; an import could not
        raise AssertionError("a fn without a type")
    if isinstance(decl.body, ast.PythonBinding):
        check_binding(context, decl.body)
        binding = str(decl.body.target.value)
    else:
        names = {}
        for written, parameter in zip(decl.params, parameters, strict=False):
            no_shadowing(context, file, written.name)
            names[parameter.name] = Local(parameter.type, written.name.span)
        body = elaborate(context, Scope(file, names), decl.body, returns)
    return p.Function(key, parameters, returns, decl.public, body, binding, decl.name.span)
