"""The kernel of a chain: attempts, retries, fallbacks.

A chain is walked from position (link 0, attempt 0). An attempt that answers ends the walk. One that
fails goes on to the next attempt of its link while retries are left, then to the next link, then to
the chain's end: its outcome, or `failed` with `chain_exhausted`.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import assert_never

from pipelang.records import dataclass
from pipelang.semantics import program as p

CHAIN_EXHAUSTED = "chain_exhausted"


@dataclass(frozen=True, slots=True)
class ChainPosition:
    """The next attempt: of which link, and its number; both from 0."""

    link: int
    attempt: int


START = ChainPosition(0, 0)


def attempts(link: p.Link) -> int:
    """The number of attempts of a link: its retries and one.

    A pure value has one. So have votes, cascades, agents and lists as a whole: their calls have the
    retries.
    """
    whole = isinstance(link.action, (p.Value, p.Cascade, p.Agent, p.Each, p.Recall))
    return 1 if whole or link.vote is not None else link.retry.count + 1


def can_fail(link: p.Link, pure: Callable[[str], bool]) -> bool:
    """Whether a link can leave its chain to what comes next; `pure` knows tools by their keys.

    A value, a look into a memory and a call of a pure tool always answer. A `match` over actions
    fails where one of its arms can. An `each` fails by elements without an answer, so it cannot
    where its body always answers, or ends the run when it has no answer. A `run` counts as able to
    fail whatever its pipeline does.
    """
    match link.action:
        case p.Value() | p.Recall():
            return False
        case p.Call():
            return not pure(link.action.tool)
        case p.Choose():
            arms = link.action.arms
            return not arms or any(can_fail(arm, pure) for _, arm in arms)
        case p.Each():
            body = link.action.body
            return body.end is None and can_be_used_up(body, pure)
        case p.AskTier() | p.AskRole() | p.Cascade() | p.Agent() | p.RunPipeline() | p.Broken():
            return True
        case _:
            assert_never(link.action)


def can_be_used_up(chain: p.Chain, pure: Callable[[str], bool]) -> bool:
    """Whether every link of a chain can fail, so that its ending is reached."""
    return all(can_fail(link, pure) for link in chain.links)


def reached_links(chain: p.Chain, pure: Callable[[str], bool]) -> tuple[p.Link, ...]:
    """The links that can be tried: up to and including the first that cannot fail."""
    for number, link in enumerate(chain.links, start=1):
        if not can_fail(link, pure):
            return chain.links[:number]
    return chain.links


def after_failure(
    chain: p.Chain, at: ChainPosition, taken: p.Link | None = None
) -> ChainPosition | None:
    """The position after a failed attempt; None when the chain is used up.

    `taken` is the arm of a `match` that was attempted: it has retries of its own.
    """
    if at.attempt + 1 < attempts(taken or chain.links[at.link]):
        return ChainPosition(at.link, at.attempt + 1)
    if at.link + 1 < len(chain.links):
        return ChainPosition(at.link + 1, 0)
    return None


def after_giving_up(chain: p.Chain, at: ChainPosition) -> ChainPosition | None:
    """The position after a failure that makes retrying this link pointless; None at the end."""
    return ChainPosition(at.link + 1, 0) if at.link + 1 < len(chain.links) else None


def ending(chain: p.Chain, step: p.Step) -> p.Outcome:
    """The outcome of a used-up chain."""
    if chain.end is not None:
        return chain.end
    return p.Fail(CHAIN_EXHAUSTED, step.name, step.span)


def longest_wait(retry: p.Retry, number: int) -> Decimal:
    """The longest wait in seconds before retry `number` (from 1); the wait is uniform in [0, it].

    Full jitter over a doubling window: min(hi, lo * 2**(number - 1)).
    """
    if retry.backoff is None:
        return Decimal(0)
    low, high = retry.backoff
    if low == 0:
        return Decimal(0)
    doublings = min(number - 1, 64)
    return min(high, low * (1 << doublings))


def resolve(action: p.Action, chosen: object) -> p.Link:
    """The arm of a `match` over actions that a subject's value takes."""
    assert isinstance(action, p.Choose)
    for values, link in action.arms:
        if values is None or chosen in values:
            return link
    raise LookupError(f"no arm takes {chosen!r}")
