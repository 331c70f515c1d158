"""Tells what the braces around a place belong to."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.syntax.tokens import Token


def open_brace(tokens: Sequence[Token]) -> int:
    """The index of the innermost brace that some tokens leave open; -1 if there is none."""
    depth = 0
    for index in range(len(tokens) - 1, -1, -1):
        word = tokens[index].text
        depth += (word == "}") - (word == "{")
        if depth < 0:
            return index
    return -1


def names_metrics(tokens: Sequence[Token]) -> bool:
    """Whether a word behind some tokens is that of a metric: in promises, watches and breakers."""
    index = open_brace(tokens)
    return index > 0 and tokens[index - 1].text in ("slo", "watch", "breaker")
