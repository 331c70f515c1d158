"""Elaboration of outcomes; the reason of one is the name of the item that takes it."""

from __future__ import annotations

from typing import assert_never

from pipelang.diagnostics import codes
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.types import JSON, Type
from pipelang.syntax import ast

CODES = frozenset(
    (
        "chain_exhausted budget_exceeded quota_exceeded max_steps timeout unpriced cancelled "
        "killed unrecorded effect_unknown crashed"
    ).split()
)
"""The codes of `failed` that are pipelang's own."""


@dataclass(slots=True)
class ActionSite:
    """The place of an action or outcome: pipeline, item, and answer type of the pipeline."""

    pipeline: str
    step: str
    returns: Type

    def at(self, name: str) -> ActionSite:
        """The same pipeline, at an item of this name."""
        return ActionSite(self.pipeline, name, self.returns)


def outcome(context: Context, scope: Scope, place: ActionSite, written: ast.Outcome) -> p.Outcome:
    """An outcome; its reason is the name of the step or gate that takes it."""
    match written:
        case ast.Return():
            value = elaborate(context, scope, written.value, place.returns)
            return p.Return(value, written.span)
        case ast.Escalate():
            symbol = context.find(scope.file, written.role, "role")
            role = symbol.key if symbol else written.role.text
            handed = None
            if written.value is not None:
                handed = elaborate(context, scope, written.value, JSON)
            return p.Escalate(role, place.step, written.text, handed, written.span)
        case ast.Reject():
            return p.Reject(place.step, written.text, written.span)
        case ast.Fail():
            if written.code in CODES:
                context.tell(
                    codes.SHADOWING,
                    written.span,
                    name=written.code,
                    help="this code is pipelang's own; choose another",
                )
            return p.Fail(written.code, place.step, written.span)
        case _:
            assert_never(written)
