"""A tool behind an MCP server: compared with its declaration, called, its result as JSON."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics.spelling import closest
from pipelang.runtime.engine.values import Misfit, to_json
from pipelang.runtime.files import strict_json
from pipelang.runtime.mcp.drift import differences, left_out, properties_of, required_names
from pipelang.runtime.mcp.faults import Lost, Unreachable
from pipelang.runtime.mcp.large_results import is_large, is_refusal
from pipelang.runtime.mcp.servers import PATIENCE
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    ListType,
    MapType,
    NothingType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    quoted,
)

if TYPE_CHECKING:
    from pipelang.runtime.mcp.sessions import Session, Sessions

KEY = "pipelang/idempotency_key"
"""The key of a call's `_meta` that holds its idempotency key."""


_CLOSED = "Connection closed"
"""The SDK's message to every call of a session that is over."""


class RemoteTool:
    """A tool of a program that a server offers."""

    def __init__(self, tool: p.Tool, sessions: Sessions) -> None:
        assert tool.binding is not None
        self.tool = tool
        _, self.server, self.name = tool.binding
        self._sessions = sessions
        self._compared: tuple[Session, Mapping[str, Any]] | None = None

    async def drift(self) -> str | None:
        """The difference between the server's tool and its declaration, None if there is none.
        Raises `Unreachable`.
        """
        return await self._drift_now(await self._sessions.session(self.server))

    async def _drift_now(self, session: Session) -> str | None:
        """The difference by the tools that the server has now: they are listed again if it said
        that they changed, and before anybody is told of a difference.
        """
        if session.stale:
            await self._refresh(session)
        drift = self._drift(session)
        if drift is None:
            return None
        await self._refresh(session)
        return self._drift(session)

    async def _refresh(self, session: Session) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                await session.refresh()
        except Exception as error:
            self._sessions.lose(self.server, session)
            raise Unreachable(f"MCP server `{self.server}` does not list its tools") from error

    def _drift(self, session: Session) -> str | None:
        tools = session.tools
        if self._compared is not None and self._compared[1] is tools:
            return None
        theirs = tools.get(self.name)
        if theirs is None:
            close = closest(self.name, session.tools)
            hint = f"; did you mean `{close}`?" if close else ""
            return f"MCP server `{self.server}` has no tool `{self.name}`{hint}"
        lines = differences(self.tool, theirs.input_schema, theirs.output_schema)
        if lines:
            shown = "".join(f"\n  {line}" for line in lines)
            return (
                f"tool `{self.tool.name}` is not what MCP server `{self.server}` offers as "
                f"`{self.name}`:{shown}"
            )
        self._compared = (session, tools)
        return None

    def stderr(self) -> list[str]:
        """The lines that the server wrote to its standard error since they were last read."""
        session = self._sessions.open_session(self.server)
        return [] if session is None or session.stderr is None else session.stderr.take()

    async def call(
        self,
        arguments: Mapping[str, Any],
        key: str | None,
        ready: Callable[[], None] | None = None,
    ) -> Any:
        """The result as JSON. `ready` is called once the server is reached, before the call.

        Raises `Unreachable`, `Lost`, `RemoteFailure`, and `Misfit` for a result that is not of the
        declared kind.
        """
        from mcp.shared.exceptions import MCPError
        from mcp.types import CONNECTION_CLOSED, REQUEST_TIMEOUT

        session = await self._sessions.session(self.server)
        drift = await self._drift_now(session)
        if drift is not None:
            raise RemoteFailure(drift)
        takes = session.tools[self.name].input_schema
        required = required_names(takes)
        passed = {
            name: to_json(value)
            for name, value in arguments.items()
            if value is not None or name in required or not self._may_be_left_out(name)
        }
        passed = left_out(passed, takes, takes)
        meta: Any = None if key is None else {KEY: key}
        if ready is not None:
            ready()
        try:
            with self._sessions.calling(self.server, session):
                result = await session.client.call_tool(self.name, passed, meta=meta)
        except asyncio.CancelledError:
            # Out of time, perhaps because the server hangs: then the next call needs another.
            self._sessions.probe(self.server, session)
            raise
        except MCPError as error:
            if is_refusal(error):
                raise Misfit(error.message) from error
            if error.code == CONNECTION_CLOSED:
                if error.message == _CLOSED:
                    self._sessions.lose(self.server, session)
                else:  # over HTTP a single answer may break off: the others go on
                    self._sessions.probe(self.server, session)
                raise Lost(f"MCP server `{self.server}`: {error.message}") from error
            if error.code == REQUEST_TIMEOUT:
                self._sessions.probe(self.server, session)
                raise Lost(f"MCP server `{self.server}`: {error.message}") from error
            raise RemoteFailure(error.message) from error
        except (RuntimeError, ValueError) as error:
            # A result that the SDK does not take: this call's failure, and no other's. Its message
            # is not repeated, because it quotes the result.
            raise Misfit(_unfit(error)) from error
        except Exception as error:
            self._sessions.lose(self.server, session)
            raise Lost(f"MCP server `{self.server}`: {type(error).__name__}: {error}") from error
        if result.is_error:
            raise RemoteFailure(_texts(result.content) or "the tool failed")
        output = session.tools[self.name].output_schema
        given = (self.tool.returns, result.structured_content, result.content, output)
        if is_large(result):
            return await asyncio.to_thread(_value, *given)
        return _value(*given)

    def _may_be_left_out(self, name: str) -> bool:
        types = {parameter.key: parameter.type for parameter in self.tool.parameters}
        return isinstance(types.get(name), OptionalType)


def _unfit(error: Exception) -> str:
    """The message for a result that does not fit what its server says of it."""
    path = getattr(error.__cause__, "json_path", None)
    where = f" at `{path}`" if path else ""
    return f"the result does not fit the server's own output schema{where}"


class RemoteFailure(Exception):
    """A call that failed, with the server's message."""


def _texts(content: Any) -> str:
    return "\n".join(block.text for block in content if block.type == "text")


def _value(type: Type, structured: Any, content: Any, output: Mapping[str, Any] | None) -> Any:
    """A result as JSON of the declared type: its structured content, or else its text."""
    if isinstance(type, NothingType):
        return None
    if structured is not None:
        return structured["result"] if _is_wrapped(type, structured, output) else structured
    strange = sorted({block.type for block in content} - {"text"})
    if strange:
        raise Misfit(f"expected {quoted(type)}, found {' and '.join(strange)} content")
    if _is_text(type):
        return _texts(content)
    texts = [block.text for block in content]
    if isinstance(type, ListType) and len(texts) != 1:
        return [text if _is_text(type.element) else _json(type, text) for text in texts]
    return _json(type, _texts(content))


def _json(type: Type, text: str) -> Any:
    try:
        return strict_json.loads(text, parse_float=Decimal)
    except strict_json.DuplicateKey as error:
        raise Misfit(str(error)) from None
    except (ValueError, RecursionError):
        raise Misfit(f"expected {quoted(type)}, found a text that is no JSON") from None


def _is_text(type: Type) -> bool:
    inner = type.inner if isinstance(type, OptionalType) else type
    return isinstance(inner, Scalar) and inner.kind is ScalarKind.TEXT


def _is_wrapped(type: Type, structured: Any, output: Mapping[str, Any] | None) -> bool:
    """Whether a server put a value into `{"result": ...}` because it had to be an object."""
    if not isinstance(structured, dict) or set(structured) != {"result"}:
        return False
    inner = type.inner if isinstance(type, OptionalType) else type
    match inner:
        case RecordType():
            return all(field.key != "result" for field in inner.fields)
        case MapType():
            return set(properties_of(output)) == {"result"}
        case Scalar(kind=ScalarKind.JSON):
            return set(properties_of(output)) == {"result"}
        case _:
            return True


__all__ = ["KEY", "Lost", "RemoteFailure", "RemoteTool", "Unreachable"]
