"""Findings about data at forbidden sinks: the words of each finding, with its remedy."""

from __future__ import annotations

from pipelang.analysis.flow.marks import Hop, Mark
from pipelang.analysis.flow.situation import Control, FlowFinding
from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def _quoted(node: expr.Expr) -> str:
    text = expr.show(node)
    return "this value" if "`" in text or len(text) > 60 else f"`{text}`"


def untrusted(mark: Mark, tool: str, parameter: str, node: expr.Expr, span: Span) -> FlowFinding:
    value = _quoted(node)
    help = (
        f"put a gate or an approval that reads {value} on every way to it,"
        f" or declare `{parameter}: untrusted ...` if `{tool}` can take anything"
    )
    words = (("value", value), ("tool", tool), ("source", mark.origin.name))
    hops = (*mark.hops, Hop(f"`{tool}` gets it as `{parameter}`", span))
    return FlowFinding(codes.UNTRUSTED_EFFECT, span, words, hops, help)


def unbounded(mark: Mark, tool: str, parameter: str, node: expr.Expr, span: Span) -> FlowFinding:
    value = _quoted(node)
    help = (
        f"put a gate or an approval that reads {value} on every way to it, or give its type"
        f" or `{parameter}` an upper bound, as in `in 1..10`"
    )
    words = (("value", value), ("tool", tool), ("source", mark.origin.name))
    hops = (*mark.hops, Hop(f"`{tool}` gets it as `{parameter}`", span))
    return FlowFinding(codes.UNBOUNDED_EFFECT, span, words, hops, help)


def steered(mark: Mark, control: Control, tool: str, span: Span) -> FlowFinding:
    shown = "this test" if "`" in control.name else f"`{control.name}`"
    help = (
        "put a gate with evidence (`catches`, `false_alarms` or `evidence from`),"
        f" an approval or a hold between {shown} and the call"
    )
    words = (("tool", tool), ("source", mark.origin.name))
    hops = (
        *mark.hops,
        Hop(f"{shown} hangs on it", control.span),
        Hop(f"`{tool}` is called or not", span),
    )
    return FlowFinding(codes.STEERED_EFFECT, span, words, hops, help)


def trifecta(private: Mark, outside: Mark, tool: str, span: Span) -> FlowFinding:
    words = (
        ("tool", tool),
        ("private", private.origin.name),
        ("source", outside.origin.name),
    )
    help = "put an `approve` on every way to it, or keep one of the two out: a `-> public` fn"
    help += " that picks what may be told, or a prompt of its own for what comes from outside"
    hops = (*private.hops, *outside.hops, Hop(f"`{tool}` sends what saw both", span))
    return FlowFinding(codes.TRIFECTA, span, words, hops, help)


def cache(mark: Mark, step: p.Step, span: Span) -> FlowFinding:
    words = (("step", step.name), ("private", mark.origin.name))
    help = f"add `{mark.origin.name}`, or what says whose it is, to the key of the cache"
    hops = (*mark.hops, Hop(f"`{step.name}` keeps an answer made from it", span))
    return FlowFinding(codes.PRIVATE_CACHE, span, words, hops, help)


def memory(mark: Mark, item: p.Remember) -> FlowFinding:
    words = (("memory", item.memory), ("private", mark.origin.name))
    help = f"key `{item.memory}` by `{mark.origin.name}` or by what says whose it is"
    hops = (*mark.hops, Hop(f"`{item.memory}` keeps it under another key", item.span))
    return FlowFinding(codes.PRIVATE_MEMORY, item.span, words, hops, help)


def secret(mark: Mark, where: str, node: expr.Expr | None, span: Span) -> FlowFinding:
    words = (("secret", mark.origin.name), ("where", where))
    help = "leave it out; a tool in Python may take it as a `secret` parameter, and a pipeline may"
    help += " answer with it if its type says `secret`"
    hops = (*mark.hops, Hop(f"it gets into {where}", span))
    return FlowFinding(codes.SECRET_LEAK, span, words, hops, help)


def traced(mark: Mark, step: p.Step) -> FlowFinding:
    where = f"the value of `{step.name}`, which is traced and handed over"
    words = (("secret", mark.origin.name), ("where", where))
    help = "label the type of what is made from it `secret` too, or do not make it a step"
    hops = (*mark.hops, Hop(f"`{step.name}` holds it under a type without the label", step.span))
    return FlowFinding(codes.SECRET_LEAK, step.span, words, hops, help)


def ungated(tool: str, step: p.Step, span: Span) -> FlowFinding:
    return FlowFinding(codes.UNGATED_EFFECT, span, (("tool", tool), ("step", step.name)), ())
