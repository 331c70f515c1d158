"""Typical slips: what people write who think of another language, and how pipelang says it.

A slip is one function from a `Spot` to a `Mend` or None. The first in `SLIPS` that knows the spot
is believed. A mend says in words what to write; where its edit is certain, the parser makes it and
goes on as if the author had written that, so that one slip is one error.
"""

from __future__ import annotations

from pipelang.syntax.slips import numbers, signs, words
from pipelang.syntax.slips.spot import Edit, Mend, Spot

SLIPS = (*words.SLIPS, *numbers.SLIPS, *signs.SLIPS, numbers.missing_quantity, words.misspelt)


def slip(spot: Spot) -> Mend | None:
    """The slip that was made here, if it is a known one."""
    for rule in SLIPS:
        mend = rule(spot)
        if mend is not None:
            return mend
    return None


__all__ = ["SLIPS", "Edit", "Mend", "Spot", "slip"]
