"""`--tier haiku=local_small`: tiers that stand in for others, as the command line says them."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)?")


def stand_ins(words: Sequence[str]) -> tuple[tuple[str, str], ...] | str:
    """The tiers by those that they stand in for, in order; what is wrong where something is."""
    found: dict[str, str] = {}
    for word in words:
        name, _, other = (part.strip() for part in word.partition("="))
        if not _NAME.fullmatch(name) or not _NAME.fullmatch(other):
            return f"expected TIER=TIER, as in haiku=local_small, found `{word}`"
        if name in found:
            return f"`{name}` is replaced twice"
        found[name] = other
    return tuple(sorted(found.items()))
