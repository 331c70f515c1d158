"""What the world offers: providers, tiers, roles, tools, functions, patterns, prompts, memories."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, TypeVar

from pipelang.diagnostics import Span, codes
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, Undeclared, always
from pipelang.semantics.elaborate.context import Context, Local, Scope
from pipelang.semantics.elaborate.expressions import elaborate
from pipelang.semantics.elaborate.rates import chance, no_duplicates, quantity
from pipelang.semantics.elaborate.signatures import signature
from pipelang.semantics.elaborate.templates import read_template
from pipelang.semantics.loading import Unreadable
from pipelang.semantics.types import (
    DURATION,
    INT,
    MONEY,
    NUMBER,
    RATE,
    TEXT,
    TOKENS,
    OptionalType,
    Type,
)
from pipelang.syntax import ast

O = TypeVar("O")  # noqa: E741  (an option)


def pick(options: tuple[ast.Option, ...], kind: type[O]) -> O | None:
    """The option of a kind, if it is there."""
    for option in options:
        if isinstance(option, kind):
            return option
    return None


def rate_of(
    context: Context,
    file: str,
    options: tuple[ast.Option, ...],
    kind: type[Any],
    owner: str,
    default: Chance | None = None,
) -> Chance:
    """The share of an option, or what it counts as where it is not declared."""
    word = kind.__name__.lower()
    option = pick(options, kind)
    if option is None:
        return default or Undeclared(f"{owner}.{word}")
    return chance(context, file, option.rate, f"{owner}.{word}")


def spread(context: Context, file: str, written: ast.Spread, option: str) -> p.Spread | None:
    """A median and a 95% quantile in seconds."""
    median = quantity(context, file, written.median, DURATION, option, positive=True)
    p95 = None
    if written.p95 is not None:
        p95 = quantity(context, file, written.p95, DURATION, option, positive=True)
        if median is not None and p95 is not None and p95 < median:
            context.tell(
                codes.CONTRADICTION,
                written.span,
                what="the 95% quantile is below the median",
                help="the median is what half of the cases stay under; p95 must be larger",
            )
            return None
    return None if median is None else p.Spread(median, p95)


def provider(context: Context, file: str, key: str, decl: ast.ProviderDecl) -> p.Provider:
    no_duplicates(context, decl.options)
    kind = pick(decl.options, ast.Kind)
    reference = pick(decl.options, ast.Key)
    url = pick(decl.options, ast.BaseUrl)
    if reference is not None and not str(reference.reference.value).startswith(("env:", "file:")):
        context.tell(
            codes.TYPE_MISMATCH,
            reference.span,
            expected="a reference such as `env:ANTHROPIC_API_KEY` or `file:/run/secrets/key`",
            found="something else",
            help="a secret never stands in a .pipe file",
        )
    return p.Provider(
        name=key,
        kind=kind.name.text if kind else "anthropic",
        key=str(reference.reference.value) if reference else None,
        base_url=str(url.url.value) if url else None,
        available=rate_of(context, file, decl.options, ast.Available, key),
        span=decl.name.span,
    )


DEFAULT_PROVIDER = "anthropic"


def tier(context: Context, file: str, key: str, decl: ast.TierDecl) -> p.Tier:
    no_duplicates(context, decl.options)
    named = pick(decl.options, ast.Provider)
    symbol = context.find(file, named.name, "provider") if named else None
    model = pick(decl.options, ast.Model)
    price = pick(decl.options, ast.Price)
    latency = pick(decl.options, ast.Latency)
    size = pick(decl.options, ast.Context)
    as_of = pick(decl.options, ast.AsOf)
    prices: dict[str, Decimal] = {}
    for item in price.items if price else ():
        amount = quantity(context, file, item.amount, MONEY, "price")
        if item.kind in prices:
            context.tell(codes.DUPLICATE_OPTION, item.span, option=item.kind)
        if amount is not None:
            prices[item.kind] = amount
    return p.Tier(
        name=key,
        provider=symbol.key if symbol else DEFAULT_PROVIDER,
        model=str(model.id.value) if model else None,
        prices=prices,
        latency=spread(context, file, latency.spread, "latency") if latency else None,
        transient=rate_of(context, file, decl.options, ast.Transient, key),
        context=quantity(context, file, size.size, TOKENS, "context") if size else None,
        as_of=str(as_of.date.value) if as_of else None,
        span=decl.name.span,
    )


def role(context: Context, file: str, key: str, decl: ast.RoleDecl) -> p.Role:
    no_duplicates(context, decl.options)
    people = pick(decl.options, ast.People)
    handles = pick(decl.options, ast.Handles)
    responds = pick(decl.options, ast.Responds)
    hours = pick(decl.options, ast.Hours)
    differ = pick(decl.options, ast.MustDifferFrom)
    other = context.find(file, differ.role, "role") if differ else None
    day = quantity(context, file, hours.count, NUMBER, "hours") if hours else None
    return p.Role(
        name=key,
        people=quantity(context, file, people.count, INT, "people") if people else None,
        handles=quantity(context, file, handles.mean, DURATION, "handles") if handles else None,
        responds=spread(context, file, responds.spread, "responds") if responds else None,
        accuracy=rate_of(context, file, decl.options, ast.Accuracy, key),
        hours=None if day is None else Decimal(day),
        must_differ_from=other.key if other else None,
        span=decl.name.span,
    )


def retry(context: Context, file: str, option: ast.Retry | None) -> p.Retry | None:
    """`retry N backoff LOW..HIGH`, None where it is not written."""
    if option is None:
        return None
    count = quantity(context, file, option.count, INT, "retry")
    backoff = None
    if option.backoff is not None:
        low = quantity(context, file, option.backoff[0], DURATION, "backoff")
        high = quantity(context, file, option.backoff[1], DURATION, "backoff")
        if low is not None and high is not None:
            if low > high:
                context.tell(
                    codes.CONTRADICTION,
                    option.span,
                    what="the backoff starts above its own limit",
                )
            backoff = (low, high)
    return p.Retry(count or 0, backoff)


def tool(context: Context, file: str, key: str, decl: ast.ToolDecl) -> p.Tool:
    no_duplicates(context, decl.options)
    options = decl.options
    parameters, returns = signature(context, key)
    python, mcp = pick(options, ast.PythonBinding), pick(options, ast.McpBinding)
    effect = pick(options, ast.Effect)
    permit = pick(options, ast.Permit)
    limit = pick(options, ast.RateLimit)
    timeout = pick(options, ast.Timeout)
    latency = pick(options, ast.Latency)
    cost = pick(options, ast.Cost)
    if effect is None:
        context.tell(
            codes.MISSING_OPTION,
            decl.name.span,
            what="tool",
            name=decl.name.text,
            option="effect",
            help="`effect pure`, `effect read`, `effect write` or `effect irreversible`",
        )
    binding: tuple[str, ...] | None = None
    binding_span = None
    if python is not None:
        binding, binding_span = ("python", str(python.target.value)), python.span
        check_binding(context, python)
    elif mcp is not None:
        binding = ("mcp", str(mcp.server.value), str(mcp.tool.value))
        binding_span = mcp.span
    kind = effect.kind if effect else "read"
    pure = kind == "pure"
    return p.Tool(
        name=key,
        parameters=parameters,
        returns=returns,
        binding=binding,
        effect=kind,
        permit=str(permit.name.value) if permit else None,
        rate=quantity_rate(context, file, limit),
        timeout=quantity(context, file, timeout.after, DURATION, "timeout", positive=True)
        if timeout
        else None,
        retry=retry(context, file, pick(options, ast.Retry)) or p.NO_RETRY,
        succeeds=always(f"{key}.pure")
        if pure
        else rate_of(context, file, options, ast.Succeeds, key),
        accuracy=rate_of(context, file, options, ast.Accuracy, key, always(f"{key}.accuracy")),
        latency=spread(context, file, latency.spread, "latency") if latency else None,
        cost=(quantity(context, file, cost.amount, MONEY, "cost") if cost else None) or Decimal(0),
        idempotent=pick(options, ast.Idempotent) is not None,
        span=decl.name.span,
        binding_span=binding_span,
        doc=decl.doc,
    )


def quantity_rate(
    context: Context, file: str, limit: ast.RateLimit | None
) -> tuple[int, int] | None:
    """`100/min` as (100, 60)."""
    from pipelang.semantics.elaborate.constants import constant

    if limit is None:
        return None
    value = constant(context, file, limit.rate, RATE)
    return value if isinstance(value, tuple) else None


def check_binding(context: Context, binding: ast.PythonBinding) -> None:
    """A binding looks like `module:function`; whether it is there is only asked when running."""
    module, colon, function = str(binding.target.value).partition(":")
    parts = [*module.split("."), *function.split(".")]
    if not colon or not all(part.isidentifier() for part in parts):
        context.tell(
            codes.TYPE_MISMATCH,
            binding.target.span,
            expected='a binding like "module:function"',
            found=binding.target.raw,
        )


def function(context: Context, file: str, key: str, decl: ast.FnDecl) -> p.Function:
    parameters, returns = signature(context, key)
    body, binding = None, None
    if isinstance(decl.body, ast.PythonBinding):
        check_binding(context, decl.body)
        binding = str(decl.body.target.value)
    else:
        names = {parameter.name: Local(parameter.type, decl.span) for parameter in parameters}
        body = elaborate(context, Scope(file, names), decl.body, returns)
    return p.Function(key, parameters, returns, decl.public, body, binding, decl.name.span)


def patterns(context: Context, decl: ast.PatternsDecl) -> tuple[str, ...]:
    """RE2 patterns, each tried; RE2's own log line to stderr is kept quiet."""
    import re2

    quiet = re2.Options()
    quiet.log_errors = False
    result = []
    for literal in decl.patterns:
        text = str(literal.value)
        try:
            re2.compile(text, quiet)
        except re2.error as error:
            why = error.args[0] if error.args else "it does not compile"
            if isinstance(why, bytes):
                why = why.decode("utf-8", "replace")
            context.tell(codes.BAD_PATTERN, literal.span, why=why)
        result.append(text)
    return tuple(result)


def prompt(context: Context, file: str, key: str, decl: ast.PromptDecl) -> p.Prompt:
    parameters, _ = signature(context, key)
    variables: dict[str, Type] = {
        **{parameter.name: parameter.type for parameter in parameters},
        "feedback": OptionalType(TEXT),
    }
    system, system_shape, in_system = None, (), frozenset[str]()
    if decl.system is not None:
        system, system_shape, in_system = _template(context, file, key, decl.system, variables)
    user, user_shape, in_user = _template(context, file, key, decl.user, variables)
    for parameter, written in zip(parameters, decl.params, strict=False):
        if parameter.name not in in_system | in_user:
            context.tell(
                codes.UNUSED,
                written.name.span,
                what="parameter",
                name=parameter.name,
                help=f"put it in the template: {{{{ {parameter.name} }}}}",
            )
    shape = (*system_shape, *user_shape)
    return p.Prompt(key, parameters, system, user or "", shape, decl.name.span)


def _template(
    context: Context,
    file: str,
    key: str,
    template: ast.Template,
    variables: Mapping[str, Type],
) -> tuple[str | None, p.TemplateShape, frozenset[str]]:
    text = template.text
    span: Span = template.span
    if template.file is not None:
        path = context.loader.beside(file, str(template.file.value))
        span = template.file.span
        try:
            text = context.loader.read(path)
        except Unreadable as problem:
            context.tell(codes.NOT_TEXT, span, file=path, why=problem)
        else:
            if text is None:
                context.tell(codes.MISSING_FILE, span, path=path)
    if text is None:
        return None, (), frozenset(variables)
    shape, used = read_template(context, key, text, span, variables)
    return text, shape, used


def memory(context: Context, file: str, key: str, decl: ast.MemoryDecl) -> p.Memory:
    parameters, returns = signature(context, key)
    if len(parameters) != 1:
        context.tell(codes.ARGUMENTS, decl.name.span, what=f"memory `{key}` takes one key")
        parameters = (*parameters, p.Parameter("key", TEXT))
    keeps = pick(decl.options, ast.Keeps)
    duration = quantity(context, file, keeps.duration, DURATION, "keeps") if keeps else None
    return p.Memory(key, parameters[0], returns, duration, decl.name.span)
