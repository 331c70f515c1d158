"""The runs of a sub-pipeline that a call comes after, by the structure of a file, not by the clock.

Steps of a region that do not read one another lie side by side, as do the elements of an `each`
that is not `ordered`. A run beside a call is not before it, and of runs side by side none is the
latest.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.runtime.engine.run import Run
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items, blocks, inner_links


def _around(run: Run) -> Iterator[Run]:
    """A run, and the runs around it."""
    at: Run | None = run
    while at is not None:
        yield at
        at = at.parent


def _identity(run: Run) -> int:
    """Return what tells runs of a pipeline apart; elements of an `each` see the same run."""
    return id(run.notes.decided)


def _latest(begun: list[Run], run: Run, step: str) -> list[Run]:
    """Return, of the runs that have begun, those that a call in a step of a run comes after, and
    that none of the others comes after.
    """
    call = run.path + step
    before = [one for one in begun if _is_before(one, one.path, run, call)]
    return [
        one
        for at, one in enumerate(before)
        if not any(_is_before(one, one.path, later, later.path) for later in before[at + 1 :])
    ]


def _is_before(first: Run, one: str, second: Run, other: str) -> bool:
    """Whether what began first is not beside the second, by their paths."""
    mine = {_identity(frame) for frame in _around(first)}
    shared = next(frame for frame in _around(second) if _identity(frame) in mine)
    length = len(_plain(shared))
    a, b = one[length:].split("/")[0], other[length:].split("/")[0]
    return a == b or not _beside(shared.pipeline, a, b)


def _plain(frame: Run) -> str:
    """The path of a run of a pipeline, without the element that it is."""
    if not frame.index:
        return frame.path
    return frame.path.removesuffix(frame.path.rsplit("/", 2)[-2] + "/")


def _beside(pipeline: p.Pipeline, one: str, other: str) -> bool:
    a, b = one.split("[")[0], other.split("[")[0]
    if a == b:
        step = next(i for i in all_items(pipeline.block) if isinstance(i, p.Step) and i.name == a)
        loops = [link.action for link in inner_links(step.chain) if isinstance(link.action, p.Each)]
        return not any(loop.ordered for loop in loops)
    for block in blocks(pipeline.block):
        for region in block.segments:
            if isinstance(region, p.Region):
                names = [block.items[index] for index in region.members]
                found = {i.name: i for i in names if isinstance(i, (p.Step, p.Let))}
                if a in found and b in found:
                    return a not in _needs(found, b)
    return False


def _needs(items: dict[str, p.Step | p.Let], name: str) -> set[str]:
    found: set[str] = set()
    ahead = [name]
    while ahead:
        for other in items[ahead.pop()].reads & items.keys():
            if other not in found:
                found.add(other)
                ahead.append(other)
    return found


class PassedTests:
    """The tests that runs have passed, for claims about what comes after them."""

    def __init__(self) -> None:
        self._begun: list[Run] = []  # kept, so that no two have one identity
        self._passed: set[tuple[int, str]] = set()

    def enter(self, run: Run) -> None:
        self._begun.append(run)

    def record(self, run: Run, name: str) -> None:
        """Note that a run has passed a test, or that people have answered its step."""
        self._passed.add((_identity(run), name.split(" ")[0]))

    def before(self, run: Run, step: str, pipeline: str, name: str) -> bool:
        """Whether a call in a step of a run comes after a test: inside a run of its own pipeline
        that of this run, elsewhere that of the latest one, or of each of the latest side by side.
        """
        own = [one for one in _around(run) if one.pipeline.name == pipeline]
        begun = [one for one in self._begun if one.pipeline.name == pipeline]
        wanted = {(_identity(one), name) for one in own or _latest(begun, run, step)}
        return bool(wanted) and wanted <= self._passed
