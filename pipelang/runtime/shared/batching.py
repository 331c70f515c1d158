"""`batch within D`: requests of runs that come together are sent to a provider as one batch.

Providers ask half the price for that. The first request opens a batch, which takes in others for a
short while and then goes out; each run waits for its own answer, as long as its own D allows. No
single request can be taken back: a batch is given up when the last run that waits for it has gone.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol, runtime_checkable
from weakref import WeakKeyDictionary

from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest

HALF = Decimal("0.5")
"""The share of a price that is billed for a request in a batch."""

_LONGEST = 1.0
"""Seconds that a batch is open for others at most."""

_SHARE = 0.05
"""Share of the D of its first request that a batch is open for at most."""

_MOST = 10_000
"""Requests in a batch; providers take ten times as many."""


@runtime_checkable
class BatchProvider(Protocol):
    """A model provider that takes batches of requests."""

    async def batch(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelFault]:
        """The answer or fault of each request, in their order. Raises ModelFault if the whole batch
        failed; gives the batch up when it is cancelled.
        """
        ...


class Batches:
    """The batches that are open, by provider. Each event loop has its own."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _Batch]]
        self._loops = WeakKeyDictionary()

    async def answer(
        self, provider: BatchProvider, request: ModelRequest, within: float
    ) -> ModelAnswer:
        """The answer to a request, sent with others. Raises ModelFault."""
        with self._lock:
            open_ones = self._loops.setdefault(asyncio.get_running_loop(), {})
        batch = open_ones.get(id(provider))
        if batch is None or batch.closed or len(batch.requests) >= _MOST:
            batch = open_ones[id(provider)] = _Batch(provider, min(_LONGEST, _SHARE * within))
        try:
            return await batch.join(request)
        finally:
            if batch.closed and open_ones.get(id(provider)) is batch:
                del open_ones[id(provider)]


class _Batch:
    """Requests and the runs that wait for them; `closed` says that no more may join."""

    def __init__(self, provider: BatchProvider, window: float) -> None:
        self.requests: list[ModelRequest] = []
        self.closed = False
        self._provider = provider
        self._answers: list[asyncio.Future[ModelAnswer]] = []
        self._sending = asyncio.get_running_loop().create_task(self._send(window))

    async def join(self, request: ModelRequest) -> ModelAnswer:
        """Wait for the answer to a request."""
        answer: asyncio.Future[ModelAnswer] = asyncio.get_running_loop().create_future()
        self.requests.append(request)
        self._answers.append(answer)
        try:
            return await answer
        finally:
            answer.cancel()
            if all(other.done() for other in self._answers):
                self.closed = True
                self._sending.cancel()
                await asyncio.wait([self._sending])

    async def _send(self, window: float) -> None:
        await asyncio.sleep(window)
        self.closed = True
        sent = [(r, a) for r, a in zip(self.requests, self._answers, strict=True) if not a.done()]
        try:
            results = await self._provider.batch([request for request, _ in sent])
            if len(results) != len(sent):
                raise ModelFault("server", "the batch has not as many results as requests")
        except Exception as error:
            fault = error if isinstance(error, ModelFault) else None
            for _, answer in sent:
                if not answer.done():
                    # One object for each: an exception that is raised twice grows a traceback.
                    answer.set_exception(ModelFault(*fault.args) if fault else error)
            return
        for (_, answer), result in zip(sent, results, strict=True):
            if not answer.done():
                if isinstance(result, ModelFault):
                    answer.set_exception(result)
                else:
                    answer.set_result(result)
