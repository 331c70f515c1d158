"""The kernel of `each`: whether enough elements answered.

`need all` is every element, `any` at least one, a share at least that part of them, rounded up. Of
an empty list nothing is needed.
"""

from __future__ import annotations

from decimal import ROUND_CEILING

from pipelang.semantics import program as p


def least(need: p.Need, length: int) -> int:
    """The number of elements that must answer in a list of this length."""
    match need.kind:
        case "all":
            return length
        case "any":
            return min(length, 1)
        case "share":
            assert need.share is not None
            return int((need.share * length).to_integral_value(ROUND_CEILING))
        case _:
            raise AssertionError(f"no need of kind {need.kind!r}")


def enough(need: p.Need, answered: int, length: int) -> bool:
    """Whether the action answers, given how many of its elements did."""
    return answered >= least(need, length)
