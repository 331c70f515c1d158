"""The critical path: the steps and people that account for most of a run's time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.analysis.latency.regions import waits
from pipelang.semantics import program as p

LITTLE = 0.05
"""Names with a smaller share of the path's time are left out."""


def critical_path(block: p.Block, times: Mapping[str, float]) -> tuple[str, ...]:
    """Return names in the order in which they are waited for, from the mean seconds of each per
    run.

    Of steps side by side, the slowest path counts.
    """
    names = list(_path(block, times))
    total = sum(times.get(name, 0.0) for name in names)
    return tuple(name for name in names if times.get(name, 0.0) > LITTLE * total)


def _path(block: p.Block, times: Mapping[str, float]) -> Iterator[str]:
    for segment in block.segments:
        if isinstance(segment, p.Region):
            yield from _slowest(block, segment.members, times)
            continue
        item = block.items[segment.index]
        match item:
            case p.Step() | p.Person():
                yield item.name
            case p.When():
                yield from _path(item.then, times)
                yield from _path(item.otherwise, times)
            case p.MatchBranch():
                for _, arm in item.arms:
                    yield from _path(arm, times)
            case _:
                pass


def _slowest(block: p.Block, members: tuple[int, ...], times: Mapping[str, float]) -> Iterator[str]:
    """Return the slowest path through a region."""
    before = waits(block.items, members)
    done: dict[int, float] = {}
    came_from: dict[int, int | None] = {}
    for index in members:
        item = block.items[index]
        assert isinstance(item, (p.Step, p.Let))
        came_from[index] = max(before[index], key=done.__getitem__, default=None)
        started = came_from[index]
        own = times.get(item.name, 0.0) if isinstance(item, p.Step) else 0.0
        done[index] = own + (0.0 if started is None else done[started])
    at: int | None = max(members, key=done.__getitem__)
    names = []
    while at is not None:
        item = block.items[at]
        if isinstance(item, p.Step):
            names.append(item.name)
        at = came_from[at]
    yield from reversed(names)
