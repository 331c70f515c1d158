"""Reductions to nodes: one function a grammar rule, named like the rule or its alias.

A builder is called as `builder(lowering, span, *children)`: keywords and punctuation are gone, an
absent optional is None, tokens come as they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax.lower import actions, declarations, expressions, items, options, tests, types
from pipelang.syntax.lower.context import Lowering, only
from pipelang.syntax.tables import ReductionRule

_MODULES = (expressions, types, options, actions, items, declarations, tests)


def _collect() -> dict[str, Callable[..., Any]]:
    builders: dict[str, Callable[..., Any]] = {}
    for module in _MODULES:
        builders.update(module.BUILDERS)
    return builders


_BUILDERS = _collect()


def _helper(lowering: Lowering, span: Span, *children: Any) -> list[Any]:
    """Rules that lark made of `*` and `+` only gather their children."""
    return list(children)


def builder(rule: ReductionRule) -> Callable[..., Any]:
    """The function that makes the value of a reduction. Raises KeyError if the house lacks one."""
    if rule.builder.startswith("__"):
        return _helper
    if rule.passthrough and rule.builder not in _BUILDERS:
        return only
    return _BUILDERS[rule.builder]


__all__ = ["Lowering", "builder"]
