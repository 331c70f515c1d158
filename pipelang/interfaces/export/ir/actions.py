"""Actions, links, chains and outcomes in the IR."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.ir.expressions import expression_json, optional_expression
from pipelang.interfaces.export.ir.types import type_json
from pipelang.interfaces.export.ir.writer import Json, Writer, by_name, constant, exact, names
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def chain_json(writer: Writer, chain: p.Chain) -> Json:
    """`end` is null where a used-up chain fails the run with `chain_exhausted`."""
    return {
        "links": [_link(writer, link) for link in chain.links],
        "end": optional_outcome(writer, chain.end),
    }


def _link(writer: Writer, link: p.Link) -> Json:
    return {
        "action": _action(writer, link.action),
        "retry": retry_json(link.retry),
        "vote": _vote(link.vote),
        "timeout": exact(link.timeout),
        "accuracy": writer.chance(link.accuracy),
        "accuracy_by_tier": by_name(link.accuracy_by_tier, writer.chance),
        "recovers": writer.chance(link.recovers),
        "correlation": writer.chance(link.correlation),
        "output_mean": link.output_mean,
        "output_max": link.output_max,
        "effort": link.effort,
        "thinking": link.thinking,
        "cache": _cache(writer, link.cache),
        "batch": exact(link.batch),
        "reads": names(link.reads),
        **writer.place(link.span),
    }


def _cache(writer: Writer, cache: p.Cache | None) -> Json | None:
    if cache is None:
        return None
    keys = [expression_json(writer, key) for key in cache.keys]
    return {"keeps": exact(cache.keeps), "keys": keys, "hits": writer.chance(cache.hits)}


def retry_json(retry: p.Retry) -> Json:
    """Attempts after the first; the wait before them in seconds."""
    backoff = None
    if retry.backoff is not None:
        backoff = {"low": exact(retry.backoff[0]), "high": exact(retry.backoff[1])}
    return {"count": retry.count, "backoff": backoff}


def _vote(vote: p.Vote | None) -> Json | None:
    match vote:
        case None:
            return None
        case p.Majority():
            return {"calls": vote.calls, "lead": None}
        case p.Lead():
            return {"calls": vote.calls, "lead": vote.lead}
        case _:
            assert_never(vote)


def rates_json(writer: Writer, rates: p.ByRates) -> Json:
    """The rates of a test: wrong values that it catches, right ones that it refuses by mistake."""
    return {
        "catches": writer.chance(rates.catches),
        "false_alarms": writer.chance(rates.false_alarms),
    }


def _loop(agent: p.Agent) -> Json:
    return {
        "tools": list(agent.tools),
        "pipelines": list(agent.pipelines),
        "steps": agent.steps,
        "turns": agent.turns,
    }


def _action(writer: Writer, action: p.Action) -> Json:
    match action:
        case p.AskTier():
            return {
                "action": "ask",
                "prompt": action.prompt,
                "arguments": _arguments(writer, action.arguments),
                "who": expression_json(writer, action.who),
                "answers": type_json(action.answers),
            }
        case p.AskRole():
            return {
                "action": "ask_role",
                "prompt": action.prompt,
                "arguments": _arguments(writer, action.arguments),
                "role": action.role,
                "answers": type_json(action.answers),
            }
        case p.Cascade():
            return {
                "action": "cascade",
                "prompt": action.prompt,
                "arguments": _arguments(writer, action.arguments),
                "tiers": list(action.tiers),
                "until": expression_json(writer, action.until),
                "rates": rates_json(writer, action.rates),
                "answers": type_json(action.answers),
                "agent": None if action.agent is None else _loop(action.agent),
            }
        case p.Call():
            arguments = _arguments(writer, action.arguments)
            return {"action": "call", "tool": action.tool, "arguments": arguments}
        case p.Value():
            return {"action": "value", "value": expression_json(writer, action.value)}
        case p.Choose():
            arms = [
                {
                    "values": None if values is None else [constant(value) for value in values],
                    "link": _link(writer, link),
                }
                for values, link in action.arms
            ]
            subject = expression_json(writer, action.subject)
            return {"action": "choose", "subject": subject, "arms": arms}
        case p.Agent():
            return {
                "action": "agent",
                "prompt": action.prompt,
                "arguments": _arguments(writer, action.arguments),
                "who": expression_json(writer, action.who),
                **_loop(action),
                "answers": type_json(action.answers),
            }
        case p.RunPipeline():
            arguments = _arguments(writer, action.arguments)
            return {"action": "run", "pipeline": action.pipeline, "arguments": arguments}
        case p.Recall():
            key = expression_json(writer, action.key)
            return {"action": "recall", "memory": action.memory, "key": key}
        case p.Each():
            share = action.need.share
            return {
                "action": "each",
                "variable": action.variable,
                "elements": expression_json(writer, action.elements),
                "element": type_json(action.element),
                "max": action.most,
                "ordered": action.ordered,
                "need": action.need.kind if share is None else constant(share),
                "parallel": action.parallel,
                "body": chain_json(writer, action.body),
            }
        case p.Broken():
            raise AssertionError("a program with errors is not exported")
        case _:
            assert_never(action)


def _arguments(writer: Writer, arguments: tuple[tuple[str, expr.Expr], ...]) -> list[Json]:
    return [{"name": name, "value": expression_json(writer, value)} for name, value in arguments]


def outcome_json(writer: Writer, outcome: p.Outcome) -> Json:
    """An outcome, with its kind in `outcome`."""
    match outcome:
        case p.Return():
            value = expression_json(writer, outcome.value)
            return {"outcome": "answered", "value": value, **writer.place(outcome.span)}
        case p.Escalate():
            return {
                "outcome": "escalated",
                "role": outcome.role,
                "reason": outcome.reason,
                "text": outcome.text,
                "with": optional_expression(writer, outcome.value),
                **writer.place(outcome.span),
            }
        case p.Reject():
            return {
                "outcome": "rejected",
                "reason": outcome.reason,
                "text": outcome.text,
                **writer.place(outcome.span),
            }
        case p.Fail():
            return {
                "outcome": "failed",
                "code": outcome.code,
                "reason": outcome.reason,
                **writer.place(outcome.span),
            }
        case _:
            assert_never(outcome)


def optional_outcome(writer: Writer, outcome: p.Outcome | None) -> Json | None:
    return None if outcome is None else outcome_json(writer, outcome)
