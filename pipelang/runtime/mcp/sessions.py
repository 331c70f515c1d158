"""Sessions with MCP servers: begun when first needed, one for each event loop, begun again after
a crash, ended by the runtime.

The SDK's contexts must be left in the task that entered them, so each session has a task of its
own that holds it open.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from pipelang.runtime.mcp.servers import McpServer, opened

PATIENCE = 30.0
"""Seconds that a server has to be reached and to list its tools."""

_LEAVING = 5.0
"""Seconds that a session has to end in peace."""

_MOST_PAGES = 100


class Unreachable(Exception):
    """A server that does not answer. The message says which, and why."""


class Lost(Exception):
    """A session that ended under a call: nobody knows whether the tool was called."""


@dataclass(frozen=True, slots=True)
class Session:
    """An open session: the SDK's client, and the tools of the server by their names."""

    client: Any
    tools: Mapping[str, Any]


class _Held:
    """A session and the task that holds it open."""

    def __init__(self, name: str, server: McpServer) -> None:
        self._name = name
        self._server = server
        self._leave = asyncio.Event()
        self._ready: asyncio.Future[Session] = asyncio.get_running_loop().create_future()
        self._task = asyncio.ensure_future(self._hold())

    @property
    def ended(self) -> bool:
        failed = self._ready.done() and self._ready.exception() is not None
        return failed or self._task.done() or self._leave.is_set()

    def is_of(self, session: Session) -> bool:
        """Whether this holds that session."""
        return self._ready.done() and not self.ended and self._ready.result() is session

    def leave(self) -> None:
        """Let the session end; nobody waits for it."""
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
                client = await stack.enter_async_context(await self._client(stack))
                session = Session(client, await _listed(client))
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

    async def _client(self, stack: AsyncExitStack) -> Any:
        from mcp.client import Client
        from mcp.client.stdio import StdioServerParameters

        server = self._server
        target: Any = server.server
        if server.command:
            program, *arguments = server.command
            env = {name: opened(value) for name, value in server.env.items()}
            target = StdioServerParameters(
                command=program, args=arguments, env=env or None, cwd=server.folder
            )
        elif server.url is not None:
            target = server.url
            if server.headers:
                from mcp.client.streamable_http import streamable_http_client
                from mcp.shared._httpx_utils import create_mcp_http_client

                headers = {name: opened(value) for name, value in server.headers.items()}
                http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
                target = streamable_http_client(server.url, http_client=http)
        return Client(target)

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
        page = await client.list_tools(cursor=cursor)
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

    async def session(self, name: str) -> Session:
        """The session with a server in this loop. Raises `Unreachable`."""
        held = self._here().get(name)
        if held is None or held.ended:
            held = self._here()[name] = _Held(name, self.servers[name])
        return await held.session()

    def lose(self, name: str, session: Session) -> None:
        """A session that does not answer any more: the next call begins another."""
        held = self._here().get(name)
        if held is not None and held.is_of(session):
            del self._here()[name]
            held.leave()

    def _here(self) -> dict[str, _Held]:
        with self._lock:
            return self._held.setdefault(asyncio.get_running_loop(), {})

    async def close(self) -> None:
        """End the sessions of this loop."""
        held = self._here()
        ending = list(held.values())
        held.clear()
        await asyncio.gather(*(one.close() for one in ending))
