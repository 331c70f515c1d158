"""Sessions with MCP servers: begun when first needed, one for each event loop, begun again after
a crash, ended by the runtime.

The SDK's contexts must be left in the task that entered them, so each session has a task of its
own that holds it open.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from importlib import import_module
from typing import Any
from weakref import WeakKeyDictionary, WeakSet

from pipelang.records import dataclass
from pipelang.runtime.mcp.faults import Unreachable
from pipelang.runtime.mcp.large_results import LARGEST_MESSAGE, beside_the_loop, limit_body
from pipelang.runtime.mcp.servers import PATIENCE, McpServer, opened
from pipelang.runtime.mcp.stderr import StderrLines
from pipelang.runtime.mcp.stdio import stdio_transport

_LEAVING = 5.0
"""Seconds that a session has to end in peace."""

_PROBE = 5.0
"""Seconds that a server has to list its tools after a call that got no answer in time; one that
does not is taken to hang.
"""

_DEAF = 5.0
"""Seconds before a server is listened to again that stopped telling what changes."""

_MOST_PAGES = 100


@dataclass(slots=True, eq=False)
class Session:
    """An open session: the SDK's client, the tools of the server by their names, and what the
    server wrote to its standard error and nobody has read yet.

    `stale` says that the server announced other tools. `calls` counts those that are under way.
    """

    client: Any
    tools: Mapping[str, Any]
    stderr: StderrLines | None = None
    stale: bool = False
    calls: int = 0

    async def refresh(self) -> None:
        """Ask the server for its tools as they are now."""
        self.stale = False
        self.tools = await _listed(self.client)


class _Held:
    """A session and the task that holds it open."""

    def __init__(self, name: str, server: McpServer) -> None:
        self._name = name
        self._server = server
        self._leave = asyncio.Event()
        self._replaced = False
        self._session: Session | None = None
        self._ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._task = asyncio.ensure_future(self._hold())

    @property
    def opened(self) -> Session | None:
        """The session once it is open."""
        return self._session

    @property
    def ended(self) -> bool:
        failed = self._ready.done() and self._ready.exception() is not None
        return failed or self._task.done() or self._leave.is_set() or self._replaced

    def is_of(self, session: Session) -> bool:
        """Whether this holds that session."""
        return self._ready.done() and not self.ended and self._ready.result() is session

    def leave(self) -> None:
        """Let the session end; nobody waits for it."""
        self._leave.set()

    def replace(self) -> None:
        """Let the session take no new calls, and end once those under way are over: they may be
        other runs'.
        """
        self._replaced = True
        if self._ready.done() and not self._ready.exception() and not self._ready.result().calls:
            self._leave.set()

    @contextlib.contextmanager
    def calling(self, session: Session) -> Iterator[None]:
        """Count a call as under way."""
        session.calls += 1
        try:
            yield
        finally:
            session.calls -= 1
            if self._replaced and not session.calls:
                self._leave.set()

    async def session(self) -> Session:
        """The session, as soon as there is one. Raises `Unreachable`."""
        done, _ = await asyncio.wait([self._ready], timeout=PATIENCE)
        if not done:
            self._task.cancel()
            raise Unreachable(f"MCP server `{self._name}` did not answer within {PATIENCE:g} s")
        return self._ready.result()

    async def _hold(self) -> None:
        try:
            async with AsyncExitStack() as stack:
                stderr = None
                if self._server.command:
                    stderr = stack.enter_context(StderrLines())
                await asyncio.to_thread(import_module, "mcp.client")  # which takes a second
                client = await stack.enter_async_context(await self._client(stack, stderr))
                checks = client.session
                checks.validate_tool_result = beside_the_loop(checks.validate_tool_result)
                session = Session(client, await _listed(client), stderr)
                self._session = session
                stack.push_async_callback(self._deaf, asyncio.ensure_future(self._listen(session)))
                if not self._ready.done():
                    self._ready.set_result(session)
                await self._leave.wait()
        except asyncio.CancelledError:
            self._fail("it was given up")
            raise
        except BaseException as error:  # the SDK raises groups, also of what is no Exception
            self._fail(_why(error))

    def _fail(self, why: str) -> None:
        if not self._ready.done():
            self._ready.set_exception(Unreachable(f"MCP server `{self._name}`: {why}"))
            self._ready.exception()  # marks it as retrieved: without a waiter it is no error

    async def _heard(self, message: Any) -> None:
        """A message of the server that answers nothing: that its tools have changed, perhaps."""
        from mcp.types import ToolListChangedNotification

        if isinstance(message, ToolListChangedNotification) and self._session is not None:
            self._session.stale = True

    async def _listen(self, session: Session) -> None:
        """Hear of changed tools from a server of the newer protocol, which tells only who asks, as
        long as it has ever told anything.
        """
        heard = False
        while True:
            with contextlib.suppress(Exception):  # it does not tell, or the connection broke
                async with session.client.listen(tools_list_changed=True) as changes:
                    heard = session.stale = True  # what changed while nobody listened
                    async for _ in changes:
                        session.stale = True
            if not heard:
                return
            await asyncio.sleep(_DEAF)

    @staticmethod
    async def _deaf(listening: asyncio.Future[None]) -> None:
        listening.cancel()
        await asyncio.wait([listening])

    async def _client(self, stack: AsyncExitStack, stderr: StderrLines | None) -> Any:
        from mcp.client import Client

        server = self._server
        target: Any = server.server
        if server.command:
            env = {name: opened(value) for name, value in server.env.items()}
            assert stderr is not None
            target = stdio_transport(server.command, env, server.folder, stderr.file)
        elif server.url is not None:
            from mcp.client.streamable_http import streamable_http_client
            from mcp.shared._httpx_utils import create_mcp_http_client

            headers = {name: opened(value) for name, value in server.headers.items()}
            http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
            http.event_hooks["response"].append(limit_body)
            target = streamable_http_client(
                server.url, http_client=http, max_sse_event_size=LARGEST_MESSAGE
            )
        return Client(target, message_handler=self._heard)

    async def close(self) -> None:
        """End the session, and wait until it is gone."""
        self._leave.set()
        done, _ = await asyncio.wait([self._task], timeout=_LEAVING)
        if not done or not self._ready.done():
            self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await self._task


async def _listed(client: Any) -> dict[str, Any]:
    """Every tool of a server, page by page."""
    tools: dict[str, Any] = {}
    cursor: str | None = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor, cache_mode="bypass")
        tools |= {tool.name: tool for tool in page.tools}
        cursor = page.next_cursor
        if cursor is None:
            break
    return tools


def _why(error: BaseException) -> str:
    """The first thing that went wrong, out of the groups that the SDK wraps it in."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    said = str(error)
    return f"{type(error).__name__}: {said}" if said else type(error).__name__


class Sessions:
    """The sessions of a runtime, by event loop and server."""

    def __init__(self, servers: Mapping[str, McpServer]) -> None:
        self.servers = dict(servers)
        self._lock = threading.Lock()
        self._held: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, _Held]]
        self._held = WeakKeyDictionary()
        self._probed: dict[_Held, asyncio.Future[None]] = {}
        self._replaced: WeakSet[_Held] = WeakSet()

    async def session(self, name: str) -> Session:
        """The session with a server in this loop. Raises `Unreachable`."""
        held = self._here().get(name)
        if held is None or held.ended:
            held = self._here()[name] = _Held(name, self.servers[name])
        return await held.session()

    def open_session(self, name: str) -> Session | None:
        """The session with a server in this loop if there is one."""
        held = self._here().get(name)
        return None if held is None else held.opened

    @contextlib.contextmanager
    def calling(self, name: str, session: Session) -> Iterator[None]:
        """Count a call as under way, so that a replaced session does not cut it off."""
        held = self._here().get(name)
        if held is None or not held.is_of(session):
            yield
            return
        with held.calling(session):
            yield

    def lose(self, name: str, session: Session) -> None:
        """A session whose connection is gone: the next call begins another."""
        held = self._here().get(name)
        if held is not None and held.is_of(session):
            del self._here()[name]
            held.leave()

    def probe(self, name: str, session: Session) -> None:
        """Find out whether a server that did not answer a call in time answers at all. One that
        does not is started again for the next call.
        """
        held = self._here().get(name)
        if held is None or not held.is_of(session) or held in self._probed:
            return
        self._probed[held] = asyncio.ensure_future(self._probe(name, held, session))

    async def _probe(self, name: str, held: _Held, session: Session) -> None:
        try:
            async with asyncio.timeout(_PROBE):
                await session.refresh()
        except Exception:
            if self._here().get(name) is held:
                del self._here()[name]
                self._replaced.add(held)
            held.replace()
        finally:
            self._probed.pop(held, None)

    def _here(self) -> dict[str, _Held]:
        with self._lock:
            return self._held.setdefault(asyncio.get_running_loop(), {})

    async def close(self) -> None:
        """End the sessions of this loop."""
        held = self._here()
        for probe in list(self._probed.values()):
            probe.cancel()
        await asyncio.gather(*self._probed.values(), return_exceptions=True)
        ending = [*held.values(), *self._replaced]
        held.clear()
        self._replaced.clear()
        await asyncio.gather(*(one.close() for one in ending))
