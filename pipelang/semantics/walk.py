"""Going through programs: every item, every link, every outcome of a block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar, assert_never
from weakref import ref

from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import last_outcome
from pipelang.semantics.types import ANSWERER


def blocks(block: p.Block) -> Iterator[p.Block]:
    """A block and every block inside it, in writing order."""
    yield block
    for item in block.items:
        if isinstance(item, (p.When, p.MatchBranch)):
            for inner in inner_blocks(item):
                yield from blocks(inner)


def inner_blocks(item: p.Item) -> tuple[p.Block, ...]:
    """The blocks directly inside an item."""
    match item:
        case p.Step() | p.Let() | p.Gate() | p.Person() | p.Remember() | p.End():
            return ()
        case p.When():
            return (item.then, item.otherwise)
        case p.MatchBranch():
            return tuple(arm for _, arm in item.arms)
        case _:
            assert_never(item)


@dataclass(frozen=True, slots=True)
class BlockContents:
    """Every item of a block, those of its branches included, in writing order; those `beside` its
    steps; and each link, also those inside others, that does more than to call a tool or to give a
    value, with its step.
    """

    items: tuple[p.Item, ...]
    beside: tuple[p.Item, ...]
    links: tuple[tuple[p.Step, p.Link], ...]


T = TypeVar("T")

_KNOWN: dict[int, tuple[Any, dict[Any, Any]]] = {}
"""By the identity of blocks that are there. An analysis asks a dozen times."""


def once(block: p.Block, question: Callable[[p.Block], T]) -> T:
    """The answer to a question about a block; worked out once as long as the block is there."""
    key = id(block)
    if key not in _KNOWN:
        _KNOWN[key] = (ref(block, lambda _: _KNOWN.pop(key, None)), {})
    answers: dict[Any, T] = _KNOWN[key][1]
    if question not in answers:
        answers[question] = question(block)
    return answers[question]


def contents(block: p.Block) -> BlockContents:
    """The contents of a block; gone through once as long as it is there."""
    return once(block, _contents)


def _contents(block: p.Block) -> BlockContents:
    items = tuple(_every_item(block))
    links = [
        (item, link)
        for item in items
        if isinstance(item, p.Step)
        for link in inner_links(item.chain)
        if not isinstance(link.action, (p.Call, p.Value))
    ]
    beside = tuple([item for item in items if not isinstance(item, p.Step)])
    return BlockContents(items, beside, tuple(links))


def _every_item(block: p.Block) -> Iterator[p.Item]:
    for item in block.items:
        yield item
        if isinstance(item, (p.When, p.MatchBranch)):
            for inner in inner_blocks(item):
                yield from _every_item(inner)


def all_items(block: p.Block) -> Iterator[p.Item]:
    """Every item of a block, those of its branches included, in writing order."""
    return iter(contents(block).items)


def all_steps(pipeline: p.Pipeline) -> Iterator[p.Step]:
    """Every step of a pipeline, and the one that answers in its place while its breaker is open."""
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            yield item
    if pipeline.breaker is not None:
        yield pipeline.breaker.otherwise


def inner_links(chain: p.Chain) -> Iterator[p.Link]:
    """The links of a chain, of the matches in it, and of the bodies of `each`."""
    for link in chain.links:
        yield link
        if isinstance(link.action, (p.Choose, p.Each)):
            yield from _inside(link.action)


def _inside(action: p.Choose | p.Each) -> Iterator[p.Link]:
    if isinstance(action, p.Each):
        yield from inner_links(action.body)
        return
    for _, arm in action.arms:
        yield arm
        if isinstance(arm.action, (p.Choose, p.Each)):
            yield from _inside(arm.action)


def judged_links(step: p.Step) -> Iterator[p.Link]:
    """The links whose accuracy is that of a step's answer, or of each element of it."""
    for link in step.chain.links:
        yield from link.action.body.links if isinstance(link.action, p.Each) else (link,)


def agent_of(action: p.Action) -> p.Agent | None:
    """The loop that an action goes through, by one tier or by a cascade of them."""
    loop = action.agent if isinstance(action, p.Cascade) else action
    return loop if isinstance(loop, p.Agent) else None


def answered_by_a_role(step: p.Step) -> bool:
    """Whether people may answer a step itself: by a link of its chain or of a `match` in it, and
    not one element of a list.
    """

    def asks(link: p.Link) -> bool:
        if isinstance(link.action, p.Choose):
            return any(asks(arm) for _, arm in link.action.arms)
        return isinstance(link.action, p.AskRole)

    return any(map(asks, step.chain.links))


def tiers_of(action: p.Action) -> list[str]:
    """Every tier that an action itself can ask, in the order in which they are written."""
    if isinstance(action, p.Cascade):
        return list(action.tiers)
    if not isinstance(action, (p.AskTier, p.Agent)):
        return []
    names = [
        str(part.value)
        for part in expr.walk(action.who)
        if isinstance(part, expr.Const) and part.type == ANSWERER
    ]
    return list(dict.fromkeys(names))


def outcomes(block: p.Block) -> Iterator[p.Outcome]:
    """Every outcome that stands anywhere in a block."""
    for item in all_items(block):
        match item:
            case p.Step():
                if item.chain.end is not None:
                    yield item.chain.end
                for link in inner_links(item.chain):
                    if isinstance(link.action, p.Each) and link.action.body.end is not None:
                        yield link.action.body.end
            case p.Gate() | p.Person():
                yield last_outcome(item)
            case p.End():
                yield item.outcome
            case p.When() | p.MatchBranch() | p.Let() | p.Remember():
                pass
            case _:
                assert_never(item)
