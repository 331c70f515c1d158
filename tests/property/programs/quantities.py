"""Quantities in options, each with its unit, and with the mistakes that they invite."""

from __future__ import annotations

from random import Random

from .writing import slip


def duration(pick: Random, right: str) -> str:
    return slip("wrong unit", right, pick.choice(("$5", "50%", "5", "5k tokens")))


def dollars(pick: Random, right: str) -> str:
    return slip("wrong unit", right, pick.choice(("5s", "50%", "5", "5k tokens")))


def tokens(pick: Random, right: str) -> str:
    return slip("wrong unit", right, pick.choice(("5s", "50%", "5", "$5")))


def count(pick: Random, right: str) -> str:
    return slip("wrong unit", right, pick.choice(("5s", "50%", "$5", "2.5")))


def share(pick: Random, right: str) -> str:
    """A share is between 0% and 100%, and K of N with K at most N."""
    right = slip("share over 100%", right, pick.choice(("140%", "1201 of 1200")))
    return slip("wrong unit", right, pick.choice(("0.9", "90", "$5", "5s")))


def drift(pick: Random) -> str:
    """A file may say by how much it is off: a share, and no count."""
    right = slip("share over 100%", "3%", "140%")
    right = slip("wrong unit", right, pick.choice(("0.9", "90", "$5", "5s")))
    return pick.choice(("", f" shift {right}"))
