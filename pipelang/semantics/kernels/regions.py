"""Regions and barriers: in which order the items of a block may run.

Barriers are gates, approvals, holds, branches, outcomes, `remember`, an ask by a person, a call of
a tool that writes, and any `run`, `each` or `agent` that contains one of these effects or people.
What stands between two barriers is a region: its steps start as soon as the values they read are
there, and it is left as a whole. A step that reads a value whose step ended the run does not start;
the others finish. Of several endings the first in writing order counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import assert_never

from pipelang.semantics import program as p


def is_barrier(item: p.Item, acts: Callable[[str], bool]) -> bool:
    """Whether nothing below the item may start before it is passed."""
    match item:
        case p.Gate() | p.Person() | p.When() | p.MatchBranch() | p.Remember() | p.End():
            return True
        case p.Let():
            return False
        case p.Step():
            return any(action_is_barrier(link.action, acts) for link in item.chain.links)
        case _:
            assert_never(item)


def action_is_barrier(action: p.Action, acts: Callable[[str], bool]) -> bool:
    """Whether an action touches the world or asks a person; `acts` knows tools and pipelines."""
    match action:
        case p.AskRole():
            return True
        case p.Call():
            return acts(action.tool)
        case p.Choose():
            return any(action_is_barrier(link.action, acts) for _, link in action.arms)
        case p.RunPipeline():
            return acts(action.pipeline)
        case p.Each():
            return any(action_is_barrier(link.action, acts) for link in action.body.links)
        case p.Agent():
            return any(map(acts, (*action.tools, *action.pipelines)))
        case p.Cascade():
            return action.agent is not None and action_is_barrier(action.agent, acts)
        case p.AskTier() | p.Value() | p.Recall() | p.Broken():
            return False
        case _:
            assert_never(action)


def segments(
    items: Sequence[p.Item], acts: Callable[[str], bool]
) -> tuple[p.Region | p.Barrier, ...]:
    """The items of a block, by index, as regions and barriers in order."""
    result: list[p.Region | p.Barrier] = []
    members: list[int] = []
    for index, item in enumerate(items):
        if is_barrier(item, acts):
            if members:
                result.append(p.Region(tuple(members)))
                members = []
            result.append(p.Barrier(index))
        else:
            members.append(index)
    if members:
        result.append(p.Region(tuple(members)))
    return tuple(result)
