"""Typical slips: what people write who think of another language, and how pipelang says it.

A slip is one function from a `Spot` to a `Mend` or None. The first in `SLIPS` that knows the spot
is believed. A mend says in words what to write; where its edit is certain, the parser makes it and
goes on as if the author had written that, so that one slip is one error.
"""

from __future__ import annotations

from pipelang.syntax.slips import actions, foreign, heads, numbers, options, signs, words
from pipelang.syntax.slips.spot import Edit, Mend, Spot

SLIPS = (
    foreign.else_if,
    actions.second_else,
    foreign.branch,
    foreign.in_a_test,
    foreign.list_item,
    foreign.assigned,
    foreign.foreign,
    foreign.capitals,
    actions.action_alone,
    heads.item_outside,
    heads.declaration_inside,
    foreign.prefixed_text,
    foreign.foreign_value,
    actions.colon_for_equals,
    heads.reserved_name,
    foreign.quoted_name,
    heads.without_template,
    actions.without_quotes,
    actions.call_without_parentheses,
    actions.action_inside,
    actions.swallowed_word,
    actions.missing_name,
    heads.fields_and_parameters,
    heads.heads,
    actions.missing_outcome,
    actions.missing_value,
    foreign.other_types,
    options.option_outside,
    options.option_elsewhere,
    actions.missing_word,
    *numbers.SLIPS,
    *signs.SLIPS,
    numbers.missing_quantity,
    words.misspelt,
)


def slip(spot: Spot) -> Mend | None:
    """The slip that was made here, if it is a known one."""
    for rule in SLIPS:
        mend = rule(spot)
        if mend is not None:
            return mend
    return None


__all__ = ["SLIPS", "Edit", "Mend", "Spot", "slip"]
