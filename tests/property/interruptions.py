"""Foreign code for pipelines that are interrupted: tools, a model, people, an MCP server and stores
whose every await is counted, and at one of which something happens.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from mcp.server.mcpserver import Context, MCPServer

from pipelang import McpServer, Runtime
from pipelang.runtime.engine.world import Decision, Question, ToolCall
from pipelang.runtime.mcp.tools import KEY
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.shared.cache import InMemoryCache
from pipelang.runtime.shared.memory_store import InMemory, Place
from pipelang.runtime.tools.threads import Threads

from ..unit.runtime.virtual_time import VirtualTime


class Stage:
    """Foreign code that does `what` at its await number `at`, counted from 1, and that takes being
    cancelled in its own manner.
    """

    name = "lab"

    def __init__(self, clock: VirtualTime, what: str, at: int, manner: str) -> None:
        self.clock, self.what, self.at, self.manner = clock, what, at, manner
        self.count = 0
        self.over: float | None = None
        self.task: asyncio.Task[Any] | None = None
        tools = {"put": self.put, "pay": self.pay, "rated": self.put, "look": self.look}
        self.runtime = Runtime(
            providers={"lab": self},
            people=self,
            tools=tools,
            threads=InLoop(self),
            memories=Shelf(self),
            cache=Drawer(),
            mcp={"srv": McpServer(server=server_of(self))},
        )
        self.done: set[str] = set()
        self.wrong: list[str] = []

    async def point(self) -> None:
        """One await of foreign code."""
        self.count += 1
        number = self.count
        if number == self.at:
            self.happen()
        try:
            await asyncio.sleep(0.25 * (1 + number % 5))
        except asyncio.CancelledError:
            if self.manner == "raises":
                raise ConnectionError("cleanup failed") from None
            if self.manner == "honest":
                raise

    def happen(self) -> None:
        match self.what:
            case "kill":
                self.over = self.clock.now
                self.runtime.switches.kill(reason="stop")
            case "cancel":
                assert self.task is not None
                self.over = self.clock.now
                self.task.cancel()
            case "raise":
                raise RuntimeError("broken")
            case "cancelled":
                raise asyncio.CancelledError
            case "exit":
                raise SystemExit(3)
            case "generator":
                raise GeneratorExit
            case "interrupt":
                raise ModelFault("connection", "gone")

    def acts(self, key: str) -> None:
        """Something is about to be changed outside."""
        if self.what == "kill" and self.over is not None:
            self.wrong.append(f"{key} after the kill")
        if self.over is not None and self.clock.now > self.over:
            self.wrong.append(f"{key} after the end")

    def begins(self, key: str) -> None:
        """An effect begins."""
        self.acts(key)
        if key in self.done:
            self.wrong.append(f"{key} twice")

    async def put(self, x: str, idempotency_key: str) -> Any:
        self.begins(idempotency_key)
        await self.point()
        if self.what == "wrong" and self.count == self.at:
            return 7  # nobody can tell from that whether it was done
        self.done.add(idempotency_key)
        return "done"

    async def pay(self, x: str, idempotency_key: str) -> Any:
        return await self.put(x, idempotency_key)

    async def look(self, x: str) -> Any:
        await self.point()
        return "seen"

    async def answer(self, *request: Any) -> Any:
        await self.point()
        if not isinstance(request[0], ModelRequest):
            return "said"
        asked: ModelRequest = request[0]
        if asked.tools and not asked.turns:
            names = [tool.name for tool in asked.tools]
            calls = tuple(ToolCall(f"{n}", names[n % len(names)], {"x": "p"}) for n in range(2))
            return ModelAnswer(None, Usage(1, 1), "s", calls=calls)
        wrong: Any = 7 if self.what == "wrong" else "s"
        return ModelAnswer("said", Usage(5, 5), wrong)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        await self.point()
        return None

    async def decide(self, run_id: str, question: Question) -> Decision | None:
        await self.point()
        return Decision(True, by="ada")

    async def close(self) -> None:
        return None


class InLoop(Threads):
    """Threads that are none: no clock stands still while it waits for one. Each call is waited for
    twice: for its turn, and for its result.
    """

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    async def run(
        self, work: Callable[[], Any], name: str = "", ready: Callable[[], None] | None = None
    ) -> Any:
        await self._stage.point()
        if ready is not None:
            ready()
        result = work()
        await self._stage.point()
        return result


class Shelf(InMemory):
    """A store of memories: writing is an effect."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def write(
        self,
        place: Place,
        value: Any,
        most: int | None,
        keeps: float | None,
        key: str | None = None,
    ) -> None:
        self._stage.acts("memory")
        super().write(place, value, most, keeps, key)


class Drawer(InMemoryCache):
    """A cache that is read in a thread."""

    blocks = True


def server_of(stage: Stage) -> MCPServer:
    """An MCP server with a tool that writes; a crash of its own is an answer, too."""
    server = MCPServer("srv", log_level="CRITICAL")

    @server.tool()
    async def far(x: str, ctx: Context) -> str:
        meta: Any = ctx.request_context.meta
        try:
            said = await stage.put(x, meta[KEY])
        except (SystemExit, GeneratorExit) as error:
            raise RuntimeError("crashed") from error
        return str(said)

    return server
