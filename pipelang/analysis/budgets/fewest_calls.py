"""The fewest calls of models and tools that runs make: which call is never within `budget N steps`.

The fewest are those of a run in which every first attempt answers and every branch is the shortest.
Steps of a region run side by side, so all of them count, in writing order.
"""

from __future__ import annotations

from collections.abc import Callable

from pipelang.analysis.kernels.each import fixed_length
from pipelang.semantics import program as p
from pipelang.semantics.kernels.each import least
from pipelang.semantics.kernels.run import by_pipeline


def call_beyond(program: p.Program, pipeline: p.Pipeline, limit: int) -> tuple[p.Step, int] | None:
    """The first step of a pipeline that no run gets to make whole, and how many calls come first at
    least; None if some run makes all of them.
    """
    return _beyond(by_pipeline(program, _shortest), pipeline.block, 0, limit)[1]


Inner = Callable[[str], int]
"""The fewest calls of a run of a sub-pipeline, however it ends."""


def _shortest(inner: Inner, pipeline: p.Pipeline) -> int:
    through, ended = _ways(inner, pipeline.block)
    return min(way for way in (through, ended) if way is not None)


Found = tuple[p.Step, int] | None


def _beyond(inner: Inner, block: p.Block, before: int, limit: int) -> tuple[int | None, Found]:
    """The fewest calls on a way through a block (None: no way), and the first step beyond."""
    for item in block.items:
        match item:
            case p.Step():
                takes = _fewest(inner, item.chain)
                if takes and before + takes > limit:
                    return None, (item, limit)
                before += takes
            case p.When() | p.MatchBranch():
                inside = (
                    [item.then, item.otherwise]
                    if isinstance(item, p.When)
                    else [arm for _, arm in item.arms]
                )
                ways = [_beyond(inner, one, before, limit) for one in inside]
                found = next((beyond for _, beyond in ways if beyond is not None), None)
                if found is not None:
                    return None, found
                through = [way for way, _ in ways if way is not None]
                if not through:
                    return None, None
                before = min(through)
            case p.End():
                return None, None
            case _:
                pass
    return before, None


def _fewest(inner: Inner, chain: p.Chain) -> int:
    """The fewest calls after which a chain has answered."""
    return _of_link(inner, chain.links[0])


def _of_link(inner: Inner, link: p.Link) -> int:
    action = link.action
    if link.cache is not None:
        return 0
    match action:
        case p.Call() | p.AskTier() | p.Agent() | p.Cascade():
            if isinstance(link.vote, p.Lead):
                return link.vote.lead
            return 1 if link.vote is None else link.vote.calls // 2 + 1
        case p.RunPipeline():
            return inner(action.pipeline)
        case p.Each():
            length = fixed_length(action.elements) or 0
            return least(action.need, length) * _fewest(inner, action.body)
        case p.Choose():
            return min((_of_link(inner, arm) for _, arm in action.arms), default=0)
        case _:
            return 0


def _ways(inner: Inner, block: p.Block) -> tuple[int | None, int | None]:
    """The fewest calls to the end of a block, and to an end of the run inside it."""
    count, ended = 0, None

    def fewer(first: int | None, second: int | None) -> int | None:
        known = [one for one in (first, second) if one is not None]
        return min(known, default=None)

    for item in block.items:
        match item:
            case p.Step():
                count += _fewest(inner, item.chain)
            case p.Gate() | p.Person():
                ended = fewer(ended, count)
            case p.When() | p.MatchBranch():
                inside = (
                    [item.then, item.otherwise]
                    if isinstance(item, p.When)
                    else [arm for _, arm in item.arms]
                )
                ways = [_ways(inner, one) for one in inside]
                for _, ends in ways:
                    ended = fewer(ended, None if ends is None else count + ends)
                through = [way for way, _ in ways if way is not None]
                if not through:
                    return None, ended
                count += min(through)
            case p.End():
                return None, fewer(ended, count)
            case _:
                pass
    return count, ended
