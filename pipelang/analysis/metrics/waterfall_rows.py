"""The rows of a loss waterfall: what an item does to the runs that come to it, right or wrong.

An item that runs a pipeline has rows of its own inside: what the items there do, for each run of
it, taken together over all situations in which it is run. The sweep carries them as it carries how
often a run asks a person (`Totals.inside`), so they stay exact through retries, lists and branches.
"""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.analysis.frontier.totals import FLOW, Inner
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import named
from pipelang.semantics.metrics import ESCALATION, FAILURE, REJECTION, SILENT_ERROR, SUCCESS


@dataclass(slots=True)
class Flow:
    """The runs of one kind at an item, as shares of all runs: how many come, how many go on right
    and wrong, how many a redo sends back, how the others end (by the names of `ended_by`).
    """

    came: float = 0.0
    on_right: float = 0.0
    on_wrong: float = 0.0
    back: float = 0.0
    ended: dict[str, float] = field(default_factory=dict)

    def end(self, shares: Mapping[str, float]) -> None:
        for name, share in shares.items():
            if share:
                self.ended[name] = self.ended.get(name, 0.0) + share

    @property
    def lost(self) -> float:
        """The runs that end here without an answer."""
        return sum(self.ended.get(name, 0.0) for name in (ESCALATION, REJECTION, FAILURE))

    @property
    def answered(self) -> float:
        return self.ended.get(SUCCESS, 0.0) + self.ended.get(SILENT_ERROR, 0.0)


InnerPlace = tuple[str, int, bool]
"""A sub-pipeline, the identity of one of its items, whether it is done again."""


@dataclass(slots=True)
class WaterfallRow:
    """An item, and what it does to right and to wrong runs; `again`: where they were sent back.
    `inside` has what the items of a pipeline that it runs do there, which is no more of the sum.
    """

    item: p.Item
    again: bool
    right: Flow = field(default_factory=Flow)
    wrong: Flow = field(default_factory=Flow)
    inside: dict[InnerPlace, WaterfallRow] = field(default_factory=dict)

    def of(self, wrong: bool) -> Flow:
        return self.wrong if wrong else self.right

    @property
    def left_right(self) -> float:
        """The runs that are right before the item and not after it."""
        right = self.right
        return right.lost + right.answered + right.on_wrong - self.wrong.on_right


def inner_flows(pipeline: str, rows: Mapping[tuple[int, bool], WaterfallRow]) -> dict[Inner, float]:
    """The counts of a sub-pipeline's waterfall, each under its place, whether runs came there
    wrong, and what was counted.
    """
    made: dict[Inner, float] = {}
    for (item, again), row in rows.items():
        made |= _flows_of((FLOW, (pipeline, item, again)), row, pipeline)
    return made


def _flows_of(place: Inner, row: WaterfallRow, pipeline: str) -> dict[Inner, float]:
    made: dict[Inner, float] = {}
    for wrong in (False, True):
        flow = row.of(wrong)
        for name in _COUNTS:
            made[*place, wrong, name] = getattr(flow, name)
        for name, share in flow.ended.items():
            made[*place, wrong, _seen_above(pipeline, name)] = share
    for inner, below in row.inside.items():
        made |= _flows_of((*place, inner), below, pipeline)
    return {key: amount for key, amount in made.items() if amount}


_COUNTS = ("came", "on_right", "on_wrong", "back")


def _seen_above(pipeline: str, ending: str) -> str:
    """The name of an ending for who runs a pipeline, as `semantics.kernels.run` gives it."""
    head, dot, reason = ending.partition(".")
    return f"{head}.{named(pipeline, reason)}" if dot else ending


def put_inside(row: WaterfallRow, key: Inner, amount: float, items: Mapping[int, p.Item]) -> None:
    """Add a count of a sub-pipeline to the row of the item that runs it."""
    *places, wrong, name = key[1:]
    for place in places:
        _, item, again = place
        row = row.inside.setdefault(place, WaterfallRow(items[item], again))
    flow = row.of(wrong)
    if name in _COUNTS:
        setattr(flow, name, getattr(flow, name) + amount)
    else:
        flow.ended[name] = flow.ended.get(name, 0.0) + amount
