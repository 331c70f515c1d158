"""Declarations of the world in the IR: models, people, tools, functions, prompts, memories."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.ir.actions import retry_json
from pipelang.interfaces.export.ir.expressions import optional_expression
from pipelang.interfaces.export.ir.types import parameters_json, type_json
from pipelang.interfaces.export.ir.writer import Json, Writer, exact
from pipelang.semantics import program as p


def provider_json(writer: Writer, provider: p.Provider) -> Json:
    """`key` is a reference such as `env:NAME`; a secret is never here."""
    return {
        "kind": provider.kind,
        "key": provider.key,
        "base_url": provider.base_url,
        "available": writer.chance(provider.available),
        **writer.place(provider.span),
    }


def tier_json(writer: Writer, tier: p.Tier) -> Json:
    """Prices are dollars per million tokens."""
    return {
        "provider": tier.provider,
        "model": tier.model,
        "prices": {kind: exact(tier.prices[kind]) for kind in sorted(tier.prices)},
        "latency": _spread(tier.latency),
        "transient": writer.chance(tier.transient),
        "context": tier.context,
        "as_of": tier.as_of,
        **({} if tier.stands_in is None else {"stands_in": tier.stands_in}),
        **({} if tier.priced_by is None else {"priced_by": tier.priced_by}),
        **writer.place(tier.span),
    }


def role_json(writer: Writer, role: p.Role) -> Json:
    return {
        "people": role.people,
        "handles": exact(role.handles),
        "responds": _spread(role.responds),
        "accuracy": writer.chance(role.accuracy),
        "hours": exact(role.hours),
        "must_differ_from": role.must_differ_from,
        **({} if role.weight == 1 else {"weight": exact(role.weight)}),
        **({} if role.rushed is None else {"rushed": exact(role.rushed)}),
        **({} if role.cost is None else {"cost": exact(role.cost)}),
        **writer.place(role.span),
    }


def _spread(spread: p.Spread | None) -> Json | None:
    return None if spread is None else {"median": exact(spread.median), "p95": exact(spread.p95)}


def tool_json(writer: Writer, tool: p.Tool) -> Json:
    return {
        "parameters": parameters_json(tool.parameters),
        "returns": type_json(tool.returns),
        "binding": _binding(tool.binding),
        "effect": tool.effect,
        "permit": tool.permit,
        "rate": None if tool.rate is None else {"count": tool.rate[0], "seconds": tool.rate[1]},
        "timeout": exact(tool.timeout),
        "retry": retry_json(tool.retry),
        "succeeds": writer.chance(tool.succeeds),
        "accuracy": writer.chance(tool.accuracy),
        "latency": _spread(tool.latency),
        "cost": exact(tool.cost),
        "idempotent": tool.idempotent,
        "doc": tool.doc,
        **writer.place(tool.span),
    }


def _binding(binding: tuple[str, ...] | None) -> Json | None:
    match binding:
        case None:
            return None
        case ("mcp", server, tool):
            return {"mcp": {"server": server, "tool": tool}}
        case (kind, target):
            return {kind: target}
        case _:
            raise AssertionError(binding)


def function_json(writer: Writer, function: p.Function) -> Json:
    """Either `body` or `binding` is set."""
    return {
        "parameters": parameters_json(function.parameters),
        "returns": type_json(function.returns),
        "public": function.public,
        "body": optional_expression(writer, function.body),
        "binding": _binding(None if function.binding is None else ("python", function.binding)),
        **writer.place(function.span),
    }


def prompt_json(writer: Writer, prompt: p.Prompt) -> Json:
    """`system` and `user` are Jinja2 sources; `shape` is what bounds on tokens are made from."""
    return {
        "parameters": parameters_json(prompt.parameters),
        "system": prompt.system,
        "user": prompt.user,
        "shape": _shape(prompt.shape),
        "system_parts": prompt.system_parts,
        "shows": [list(path) for path in prompt.shows],
        **writer.place(prompt.span),
    }


def _shape(parts: tuple[p.TemplatePart, ...]) -> list[Json]:
    return [_part(part) for part in parts]


def _part(part: p.TemplatePart) -> Json:
    match part:
        case p.TemplateText():
            return {"part": "text", "bytes": part.size}
        case p.TemplateValue():
            shown = None if part.path is None else list(part.path)
            type = None if part.type is None else type_json(part.type)
            return {"part": "value", "path": shown, "type": type}
        case p.TemplateLoop():
            return {"part": "loop", "max_length": part.max_length, "body": _shape(part.body)}
        case p.TemplateBranch():
            test = None
            if part.test is not None:
                path, taken_if = part.test
                test = {"path": list(path), "taken_if": taken_if}
            return {"part": "branch", "test": test, "ways": [_shape(way) for way in part.ways]}
        case _:
            assert_never(part)


def memory_json(writer: Writer, memory: p.Memory) -> Json:
    return {
        "key": parameters_json((memory.key,))[0],
        "returns": type_json(memory.returns),
        "keeps": exact(memory.keeps),
        **writer.place(memory.span),
    }
