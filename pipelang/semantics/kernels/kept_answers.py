"""The kernel of `cache`: the type of the answer that is kept of an action."""

from __future__ import annotations

from pipelang.semantics import program as p
from pipelang.semantics.types import Type


def kept_type(program: p.Program, action: p.Action) -> Type:
    """The type of what an action that may be cached answers."""
    match action:
        case p.Call():
            return program.tools[action.tool].returns
        case p.RunPipeline():
            return program.pipelines[action.pipeline].returns
        case p.AskTier() | p.AskRole() | p.Cascade() | p.Agent():
            return action.answers
        case _:
            raise TypeError(f"no answer of {type(action).__name__} is kept")
