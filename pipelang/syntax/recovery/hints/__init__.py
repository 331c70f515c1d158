"""Hints about typical mistakes, such as words of other languages, with the right spelling.

A rule is one function from an `ErrorSite` to a `Hint` or None. The first in `SLIPS` that knows the
spot is believed. A hint says in words what to write; where its edit is certain, the parser makes it
and goes on as if the author had written that, so that one mistake is one error.
"""

from __future__ import annotations

from pipelang.syntax.recovery.hints import (
    actions,
    claims,
    declarations,
    forgotten_words,
    numbers,
    options,
    other_languages,
    outer_names,
    people,
    punctuation,
    tests,
    types,
    words,
)
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint, TokenEdit

SLIPS = (
    forgotten_words.forgotten_word,
    other_languages.else_if,
    tests.test_line,
    claims.claim,
    claims.condition_first,
    actions.redo_in_part,
    actions.misplaced_ordered,
    people.another_order,
    people.text_behind_with,
    numbers.hard_cases,
    actions.second_else,
    actions.ending_in_an_arm,
    other_languages.branch,
    other_languages.in_a_test,
    other_languages.list_item,
    other_languages.assigned,
    other_languages.foreign,
    other_languages.capitals,
    actions.action_alone,
    declarations.json_file,
    declarations.item_outside,
    numbers.a_day,
    numbers.a_rate_of_runs,
    declarations.declaration_inside,
    other_languages.prefixed_text,
    other_languages.foreign_value,
    actions.colon_for_equals,
    types.early_mark,
    types.texts,
    outer_names.outer_name,
    types.late_label,
    types.union,
    types.bare_bounds,
    declarations.reserved_name,
    other_languages.quoted_name,
    declarations.inside_a_template,
    declarations.without_template,
    actions.without_quotes,
    actions.call_without_parentheses,
    actions.action_inside,
    actions.swallowed_word,
    actions.missing_name,
    declarations.alternatives,
    actions.condition_behind,
    actions.text_asked,
    options.option_at_the_top,
    declarations.fields_and_parameters,
    declarations.heads,
    actions.missing_outcome,
    actions.missing_value,
    types.late_mark,
    other_languages.other_types,
    numbers.one_length,
    options.late_answerer,
    options.amount_forgotten,
    options.option_behind_else,
    options.late_wait,
    options.number_first,
    options.option_outside,
    options.option_elsewhere,
    actions.missing_word,
    *numbers.SLIPS,
    *punctuation.SLIPS,
    numbers.missing_quantity,
    words.misspelt,
)


def slip(spot: ErrorSite) -> Hint | None:
    """The hint about the mistake that was made here, if it is a known one."""
    for rule in SLIPS:
        mend = rule(spot)
        if mend is not None:
            return mend
    return None


__all__ = ["SLIPS", "ErrorSite", "Hint", "TokenEdit", "slip"]
