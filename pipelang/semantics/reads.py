"""The names that actions, chains and outcomes mention: what waits for what."""

from __future__ import annotations

from typing import assert_never

from pipelang.semantics import expressions as ir
from pipelang.semantics import program as p


def action_reads(action: p.Action) -> frozenset[str]:
    """Every name that an action mentions, routes included."""
    match action:
        case p.AskTier() | p.Agent():
            return argument_reads(action.arguments) | ir.mentions(action.who)
        case p.Cascade():
            return argument_reads(action.arguments) | (ir.mentions(action.until) - {"it"})
        case p.Recall():
            return ir.mentions(action.key)
        case p.Each():
            inside = chain_reads(action.body) - {action.variable}
            return inside | ir.mentions(action.elements)
        case p.AskRole() | p.Call() | p.RunPipeline():
            return argument_reads(action.arguments)
        case p.Value():
            return ir.mentions(action.value)
        case p.Choose():
            inner = [link.reads for _, link in action.arms]
            return frozenset().union(ir.mentions(action.subject), *inner)
        case p.Broken():
            return action.reads
        case _:
            assert_never(action)


def argument_reads(arguments: tuple[tuple[str, ir.Expr], ...]) -> frozenset[str]:
    """Every name that some arguments mention."""
    return frozenset[str]().union(*(ir.mentions(value) for _, value in arguments))


def chain_reads(chain: p.Chain) -> frozenset[str]:
    """Every name that a chain mentions, in any link or in its outcome."""
    reads = frozenset[str]().union(*(link.reads for link in chain.links))
    return reads if chain.end is None else reads | outcome_reads(chain.end)


def outcome_reads(outcome: p.Outcome) -> frozenset[str]:
    """The names that an outcome mentions."""
    match outcome:
        case p.Return():
            return ir.mentions(outcome.value)
        case p.Escalate():
            return frozenset() if outcome.value is None else ir.mentions(outcome.value)
        case p.Reject() | p.Fail():
            return frozenset()
        case _:
            assert_never(outcome)
