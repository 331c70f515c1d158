"""Constants of the lexical grammar that tokens, guesses at bad tokens and recovery share."""

from __future__ import annotations

DECLARING = frozenset(
    "use enum type provider tier role tool fn patterns prompt setting memory pipeline prove "
    "test".split()
)
"""The keywords that declarations start with."""

ITEMS = frozenset(
    "budget permits quota sample slo traffic watch let step gate approve hold when match remember "
    "breaker return escalate reject fail".split()
)
"""The keywords that items of a pipeline start with."""

LONGEST_NUMBER = 25
"""Characters of a numeral with its unit, so that it fits a Decimal without being rounded."""
