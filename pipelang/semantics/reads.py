"""The names that actions, chains and outcomes read, which say what waits for what."""

from __future__ import annotations

from typing import assert_never

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p

_NOTHING = frozenset[str]()


def action_reads(action: p.Action) -> frozenset[str]:
    """Every name that an action mentions, routes included."""
    match action:
        case p.AskTier() | p.Agent():
            return argument_reads(action.arguments) | expr.mentions(action.who)
        case p.Cascade():
            return argument_reads(action.arguments) | (expr.mentions(action.until) - {"it"})
        case p.Recall():
            return expr.mentions(action.key)
        case p.Each():
            inside = chain_reads(action.body) - {action.variable}
            return inside | expr.mentions(action.elements)
        case p.AskRole() | p.Call() | p.RunPipeline():
            return argument_reads(action.arguments)
        case p.Value():
            return expr.mentions(action.value)
        case p.Choose():
            inner = [link.reads for _, link in action.arms]
            return frozenset().union(expr.mentions(action.subject), *inner)
        case p.Broken():
            return action.reads
        case _:
            assert_never(action)


def argument_reads(arguments: tuple[tuple[str, expr.Expr], ...]) -> frozenset[str]:
    """Every name that some arguments mention."""
    if len(arguments) == 1:
        return expr.mentions(arguments[0][1])
    return _NOTHING.union(*[expr.mentions(value) for _, value in arguments])


def chain_reads(chain: p.Chain) -> frozenset[str]:
    """Every name that a chain mentions, in any link or in its outcome."""
    if len(chain.links) == 1:
        reads = chain.links[0].reads
    else:
        reads = _NOTHING.union(*[link.reads for link in chain.links])
    return reads if chain.end is None else reads | outcome_reads(chain.end)


def outcome_reads(outcome: p.Outcome) -> frozenset[str]:
    """The names that an outcome mentions."""
    match outcome:
        case p.Return():
            return expr.mentions(outcome.value)
        case p.Escalate():
            return frozenset() if outcome.value is None else expr.mentions(outcome.value)
        case p.Reject() | p.Fail():
            return frozenset()
        case _:
            assert_never(outcome)
