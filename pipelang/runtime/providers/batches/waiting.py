"""A maker's batch from its making to its results, whichever maker's it is.

What no request of a run should wait for longer than it has to is here: a batch that is cancelled
while it is being made, polls that fail, results that are missing. A request without a result of its
own is a fault of its own, and the others keep their answers.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from pipelang.runtime.providers.answers import media_in, uncounted, with_estimate
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.providers.sdk_provider import well_formed

Made = TypeVar("Made")
Result = ModelAnswer | ModelFault

DEFAULT_TIMEOUT = 86_400.0
"""Seconds for a batch whose requests have no time limit: makers themselves give it 24 hours."""

CALL = 60.0
"""Seconds for one call about a batch; it is the API that works long, not the connection."""

GIVING_UP = 5.0
"""Seconds for the calls that give a batch up."""

MESSAGE_BYTES = 400
NOTHING = Usage(0, 0)

_MISSED = 5
"""Looks in a row, or readings of the results, that may fail before the batch is taken for lost."""


class MakersBatches(ABC, Generic[Made]):
    """The calls about batches of one maker's API, through its SDK."""

    most_bytes: int
    """The size of a batch that the maker takes, with room to spare for what surrounds requests."""
    one_model: bool = False
    """Whether all requests of a batch have to be for the same model."""

    @abstractmethod
    async def make(self, requests: Sequence[ModelRequest]) -> Made:
        """Send requests as a batch."""

    @abstractmethod
    async def look(self, batch: Made) -> Made:
        """The batch as it is now."""

    @abstractmethod
    def is_over(self, batch: Made) -> bool | None:
        """Whether a batch has ended, however it did; None for what is no batch with a state."""

    @abstractmethod
    async def results(self, batch: Made, requests: Sequence[ModelRequest]) -> list[Result]:
        """The answer or fault of each request of a batch that has ended, in their order."""

    @abstractmethod
    async def give_up(self, batch: Made) -> None:
        """Cancel what is left of a batch; one that has ended refuses that, which is as well."""

    async def tidy(self, batch: Made) -> None:
        """Remove what the maker kept of a batch that was read."""


async def run_batches(
    maker: MakersBatches[Made],
    requests: Sequence[ModelRequest],
    fault_of: Callable[[Exception], ModelFault | None],
) -> list[Result]:
    """The answer or fault of each request, in order, by as many batches as they need: one that
    fails takes no other along. Raises ModelFault if it is the only one.
    """
    parts = _parts(maker, requests)
    if len(parts) == 1:
        return await _one(maker, requests, fault_of)
    work = (_one(maker, [requests[place] for place in part], fault_of) for part in parts)
    # When this is cancelled, each of them gives its own batch up, and is waited for.
    done = await asyncio.gather(*work, return_exceptions=True)
    found: dict[int, Result] = {}
    for part, results in zip(parts, done, strict=True):
        if isinstance(results, ModelFault):
            found |= {place: ModelFault(*results.args) for place in part}
        elif isinstance(results, BaseException):
            raise results
        else:
            found |= dict(zip(part, results, strict=True))
    return [found[place] for place in range(len(requests))]


def _parts(maker: MakersBatches[Made], requests: Sequence[ModelRequest]) -> list[list[int]]:
    """The places of the requests of each batch."""
    parts: list[list[int]] = []
    open_ones: dict[str, tuple[list[int], int]] = {}
    for place, request in enumerate(requests):
        name = request.model if maker.one_model else ""
        part, size = open_ones.get(name, ([], maker.most_bytes))
        more = _size(request)
        if size + more > maker.most_bytes:
            part, size = [], 0
            parts.append(part)
        part.append(place)
        open_ones[name] = part, size + more
    return parts


def _size(request: ModelRequest) -> int:
    """Bytes of a request on the wire, roughly and rather too many."""
    told: Iterable[str | None] = (request.system, request.user, request.misfit)
    texts = sum(len((text or "").encode(errors="replace")) for text in told)
    return 4_000 + 2 * texts + sum(4 * one.size // 3 for one in media_in(request))


async def _one(
    maker: MakersBatches[Made],
    requests: Sequence[ModelRequest],
    fault_of: Callable[[Exception], ModelFault | None],
) -> list[Result]:
    fault: ModelFault | None
    try:
        return await _run(maker, requests)
    except ModelFault:
        raise
    except Exception as error:
        fault = fault_of(error)
        if fault is None:
            raise
    raise fault


async def _run(maker: MakersBatches[Made], requests: Sequence[ModelRequest]) -> list[Result]:
    limits = [request.timeout for request in requests]
    known = [limit for limit in limits if limit is not None]
    patience = max(known) if len(known) == len(limits) else DEFAULT_TIMEOUT
    making = asyncio.ensure_future(maker.make(requests))
    try:
        # Shielded: a batch that is cancelled while it is being made has no id yet to give it up by.
        batch = await asyncio.shield(making)
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(GIVING_UP):
                await maker.give_up(await making)
        making.cancel()
        raise
    try:
        async with asyncio.timeout(patience):
            if maker.is_over(batch) is None:
                raise ModelFault("server", "the API's answer isn't a batch")
            batch = await _ended(maker, batch, patience)
            results = await _read(maker, batch, requests)
    except BaseException:
        with suppress(Exception):
            async with asyncio.timeout(GIVING_UP):
                await maker.give_up(batch)
        raise
    with suppress(Exception):
        async with asyncio.timeout(GIVING_UP):
            await maker.tidy(batch)
    return results


async def _ended(maker: MakersBatches[Made], batch: Made, patience: float) -> Made:
    pause, longest, missed = min(1.0, patience / 50), min(60.0, patience / 20), 0
    while not maker.is_over(batch):
        await asyncio.sleep(pause)
        pause = min(longest, pause * 1.5)
        try:
            seen = await well_formed(maker.look(batch))
            if maker.is_over(seen) is None:
                raise ModelFault("server", "the API tells nothing of the batch's state")
        except Exception:
            missed += 1
            if missed == _MISSED:
                raise
        else:
            batch, missed = seen, 0
    return batch


async def _read(
    maker: MakersBatches[Made], batch: Made, requests: Sequence[ModelRequest]
) -> list[Result]:
    """The results, which are paid by now: a connection that breaks is no reason to lose them."""
    for pause in range(_MISSED - 1):
        try:
            return await _results(maker, batch, requests)
        except ModelFault:
            raise
        except Exception:
            await asyncio.sleep(pause / 4)
    return await _results(maker, batch, requests)


async def _results(
    maker: MakersBatches[Made], batch: Made, requests: Sequence[ModelRequest]
) -> list[Result]:
    found: list[Result] = await well_formed(maker.results(batch, requests))
    return [_counted(request, one) for request, one in zip(requests, found, strict=True)]


def _counted(request: ModelRequest, result: Result) -> Result:
    """A result with an estimate of what its server did not count."""
    if isinstance(result, ModelAnswer):
        return with_estimate(request, result)
    return result if result.usage is NOTHING else uncounted(result)


def numbered(
    requests: Sequence[ModelRequest], told: Iterable[tuple[str, Result]], lost: Result | None = None
) -> list[Result]:
    """The result of each request out of what was told by its number, in whatever order. Of two
    results for one number the first counts; a request without any was lost.
    """
    found: dict[str, Result] = {}
    for number, result in told:
        found.setdefault(number, result)
    missing = lost or ModelFault("server", "the batch ended without a result for this request")
    return [
        found.get(str(place)) or _again(missing)  # one object for each: it is raised
        for place in range(len(requests))
    ]


def _again(result: Result) -> Result:
    return ModelFault(*result.args) if isinstance(result, ModelFault) else result


def ended_before(how: str) -> ModelFault:
    """The fault of a request whose batch ended before its turn came, which nobody is billed for."""
    return ModelFault("timeout", f"the batch was {how} before its turn came", NOTHING)
