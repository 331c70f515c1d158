"""The endpoint of MCP over HTTP: every request is of a token's, and stands for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from pipelang.interfaces.service.guards import MOST_BODY
from pipelang.interfaces.service.problems import Problem

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service
    from pipelang.interfaces.service.sessions import Authenticator


class McpEndpoint:
    """Answers `/mcp`. Without the extra `mcp` it says that it is missing."""

    def __init__(self, service: Service, gate: Authenticator) -> None:
        self._gate = gate
        self._manager: Any = None
        try:
            from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
        except ImportError:
            return
        from pipelang.interfaces.service.mcp_tools import tools_server

        # Nothing is kept between requests: any server on the same store answers any of them.
        self._manager = StreamableHTTPSessionManager(
            tools_server(service, self._caller), stateless=True, max_request_body_size=MOST_BODY
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Answer while this lasts."""
        if self._manager is None:
            yield
            return
        async with self._manager.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        self._gate.of_api(request)
        if self._manager is None:
            raise Problem(501, "not_installed", "the extra `mcp` is not installed on the server")
        await self._manager.handle_request(scope, receive, send)

    def _caller(self, context: Any) -> Principal:
        """The principal of a call, who may be one no more when it ends."""
        return self._gate.of_api(context.request)
