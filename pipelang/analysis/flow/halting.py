"""Parts of a pipeline that may end the run: behind them, what led to them decides, too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelang.analysis.flow.situation import Control
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.walk import agent_of, all_items, inner_links


@dataclass(frozen=True, slots=True)
class Halts:
    """Whether something may end a run by a test that a file says, and whether people may."""

    tests: bool = False
    people: bool = False

    def __or__(self, other: Halts) -> Halts:
        return Halts(self.tests or other.tests, self.people or other.people)

    def left_of(self, control: Control) -> Control | None:
        """Return what is left of the test that led here, for all that comes after: None if nothing.

        Whoever is asked decides by what they see, and no outsider does; but that they were asked
        tells of the test.
        """
        marks = control.marks if self.tests else ()
        reveals = control.reveals if self.tests or self.people else ()
        if not marks and not reveals:
            return None
        return replace(control, marks=marks, reveals=reveals, branch=False, always=frozenset[str]())


def halting(program: p.Program, parts: Iterable[p.Block | p.Chain]) -> Halts:
    """Return whether anything in these parts may end a run."""
    found, known = Halts(), dict[str, Halts]()
    for part in parts:
        links = inner_links(part) if isinstance(part, p.Chain) else _links(part)
        if isinstance(part, p.Block):
            found |= _items(part, answers=True)
        for link in links:
            for name in _run_by(link):
                found |= _inside(program, name, known)
    return found


def _inside(program: p.Program, name: str, known: dict[str, Halts]) -> Halts:
    """Return how a sub-pipeline may end the run of its caller: by any outcome but its answer."""
    if name not in known:
        block = program.pipelines[name].block
        found = _items(block, answers=False)
        for link in _links(block):
            for inner in _run_by(link):
                found |= _inside(program, inner, known)
        known[name] = found
    return known[name]


def _items(block: p.Block, *, answers: bool) -> Halts:
    tests = people = False
    for item in all_items(block):
        outcome: p.Outcome | None = None
        if isinstance(item, p.Gate):
            other = item.otherwise
            outcome = other.otherwise if isinstance(other, p.Redo) else other
        elif isinstance(item, p.End):
            outcome = item.outcome
        elif isinstance(item, p.Person):
            people = people or answers or not isinstance(item.otherwise, p.Return)
        if outcome is not None:
            tests = tests or answers or not isinstance(outcome, p.Return)
    return Halts(tests, people)


def _links(block: p.Block) -> Iterator[p.Link]:
    for item in all_items(block):
        if isinstance(item, p.Step):
            yield from inner_links(item.chain)


def _run_by(link: p.Link) -> list[str]:
    action, loop = link.action, agent_of(link.action)
    found = [action.pipeline] if isinstance(action, p.RunPipeline) else []
    return found if loop is None else [*found, *loop.pipelines]
