"""The kernel of `each`: whether enough elements answered.

`need all` is every element, `any` at least one, a share at least that part of them, rounded up. Of
an empty list nothing is needed.
"""

from __future__ import annotations

from decimal import ROUND_CEILING

from pipelang.semantics import program as p


def enough(need: p.Need, answered: int, length: int) -> bool:
    """Whether the action answers, given how many of its elements did."""
    if length == 0:
        return True
    match need.kind:
        case "all":
            return answered == length
        case "any":
            return answered >= 1
        case "share":
            assert need.share is not None
            least = (need.share * length).to_integral_value(ROUND_CEILING)
            return answered >= least
        case _:
            raise AssertionError(f"no need of kind {need.kind!r}")
