"""The accuracies of models in a program, and the same program with others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from fractions import Fraction
from typing import Any

from . import model as m

Rate = Callable[[Fraction], Fraction]


def with_rates(program: m.Program, rate: Rate, plain: bool = False) -> m.Program:
    """The program with each accuracy of a model's answers changed, and no person's or tool's;
    `plain`: only where one number says it of all tiers.
    """
    roles = {role.name for role in program.roles}

    def changed(node: Any) -> Any:
        if isinstance(node, tuple):
            return tuple(map(changed, node))
        if not is_dataclass(node) or isinstance(node, type):
            return node
        found = replace(
            node, **{field.name: changed(getattr(node, field.name)) for field in fields(node)}
        )
        by_tier = plain and isinstance(getattr(found, "accuracy", None), m.ByTier)
        if isinstance(found, m.Link) and _by_model(found, roles) and not by_tier:
            return replace(found, accuracy=_moved(found.accuracy, rate))
        return found

    made = changed(program)
    assert isinstance(made, m.Program)
    return made


def _by_model(link: m.Link, roles: set[str]) -> bool:
    return isinstance(link.action, m.Ask | m.Agent) and link.action.by not in roles


def _moved(accuracy: Any, rate: Rate) -> Any:
    match accuracy:
        case m.ByTier(rates=rates):
            return m.ByTier(tuple((tier, rate(share)) for tier, share in rates))
        case Fraction():
            return rate(accuracy)
        case _:
            raise AssertionError(f"an accuracy that no number says: {accuracy}")
