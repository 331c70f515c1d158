"""`--assume accuracy=95%`: shares for what nobody declared, as the command line says them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from pipelang.diagnostics.spelling import closest
from pipelang.semantics.elaborate.options.options import ASSUMABLE

_SHARE = re.compile(r"(?P<number>\d{1,3}(\.\d{1,12})?|\.\d{1,12})(?P<sign>%?)")


def assumptions(words: Sequence[str]) -> tuple[tuple[str, Decimal], ...] | str:
    """The shares by their names, in order; what is wrong where something is."""
    found: dict[str, Decimal] = {}
    for word in words:
        name, equals, value = (part.strip() for part in word.partition("="))
        if not equals:
            return f"expected NAME=SHARE, as in accuracy=95%, found `{word}`"
        if name not in ASSUMABLE:
            return f"there is no `{name}` to assume; {_meant(name)}"
        if name in found:
            return f"`{name}` is assumed twice"
        match = _SHARE.fullmatch(value)
        share = None if match is None else Decimal(match["number"])
        if match is not None and share is not None and match["sign"]:
            share /= 100
        if share is None or share > 1:
            return f"expected a share from 0% to 100% for `{name}`, found `{value}`"
        found[name] = share
    return tuple(sorted(found.items()))


def _meant(name: str) -> str:
    close = closest(name, ASSUMABLE)
    return f"did you mean `{close}`?" if close else f"there are: {', '.join(ASSUMABLE)}"
