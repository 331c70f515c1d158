"""Tools: Python functions found by their binding, called with checked arguments.

A binding `module:function` is looked for in the folder of the `.pipe` file first (`tools.py` or
`support/tools.py`), then on the Python path. A module beside the `.pipe` is imported below a
package of that folder's own, so that two examples may both have a `tools.py`.
"""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelang.runtime.engine.values import Misfit
from pipelang.runtime.mcp.faults import Lost, Unreachable
from pipelang.runtime.mcp.tools import RemoteFailure, RemoteTool
from pipelang.runtime.providers.fitting import shorten
from pipelang.runtime.tools.binding import LONGEST_MESSAGE, ToolMissing, bind, describe
from pipelang.runtime.tools.idempotency import KEY
from pipelang.runtime.tools.threads import Ready, Threads, TooManyHang
from pipelang.semantics import program as p

if TYPE_CHECKING:
    from pipelang.runtime.mcp.sessions import Sessions


class ToolDrift(ToolMissing):
    """A tool that an MCP server offers otherwise than the program declares it."""


class Toolbox:
    """The functions of a program's tools and Python `fn`s; handed-in ones go first."""

    def __init__(
        self,
        program: p.Program,
        given: Mapping[str, Callable[..., Any]],
        threads: Threads | None = None,
        sessions: Sessions | None = None,
    ) -> None:
        self._program = program
        self._given = dict(given)
        self._found: dict[str, Any] = {}
        self._sessions = sessions
        self.threads = threads or Threads()

    def function(self, tool: p.Tool) -> Callable[..., Any] | RemoteTool:
        """The function behind a tool, or where a server offers it. Raises `ToolMissing`."""
        if tool.name in self._given:
            return self._given[tool.name]
        if tool.name not in self._found:
            if tool.binding is None:
                help = f'add `python "module:{tool.name}"`, or hand one in: tools={{...}}'
                raise ToolMissing(f"tool `{tool.name}` is bound to nothing", tool.span, help)
            if tool.binding[0] == "mcp":
                remote = self._found[tool.name] = self._remote(tool)
                return remote
            try:
                found = bind(tool.name, tool.binding[1], tool.binding_span)
            except ToolMissing as missing:
                span = missing.span or tool.binding_span
                raise ToolMissing(str(missing), span, missing.help) from missing
            self._found[tool.name] = found
        function: Callable[..., Any] | RemoteTool = self._found[tool.name]
        return function

    def _remote(self, tool: p.Tool) -> RemoteTool:
        """A tool behind an MCP server that the host declared. Raises `ToolMissing`."""
        from importlib.util import find_spec

        assert tool.binding is not None
        name = tool.binding[1]
        known = {} if self._sessions is None else self._sessions.servers
        if self._sessions is None or name not in known:
            there = f"; there are: {', '.join(known)}" if known else ""
            help = (
                f"declare it: `[tool.pipelang.mcp.{name}]` in pyproject.toml, or "
                f'Runtime(mcp={{"{name}": McpServer(...)}}){there}'
            )
            message = f"tool `{tool.name}`: there is no MCP server `{name}`"
            raise ToolMissing(message, tool.binding_span, help)
        if find_spec("mcp") is None:
            message = f"tool `{tool.name}` is behind an MCP server, and `mcp` is not installed"
            help = "pip install 'pipelang-dsl[mcp]'"
            raise ToolMissing(message, tool.binding_span, help)
        return RemoteTool(tool, self._sessions)

    def pure(self, function: p.Function) -> Callable[..., Any]:
        """The Python function behind a `fn`. Raises `ToolMissing`."""
        if function.name in self._given:
            return self._given[function.name]
        if function.name not in self._found:
            assert function.binding is not None
            self._found[function.name] = bind(function.name, function.binding, function.span)
        found: Callable[..., Any] = self._found[function.name]
        return found


class ToolRaised(Exception):
    """A tool raised; the message says what."""


async def in_thread(
    function: Callable[..., Any],
    arguments: Mapping[str, Any],
    threads: Threads,
    name: str,
    ready: Ready | None,
) -> Any:
    """Call a function in a thread; see `PreparedTool.start`."""
    result = await threads.run(partial(_quietly, function, arguments), name, ready)
    return await result if inspect.isawaitable(result) else result


def _quietly(function: Callable[..., Any], arguments: Mapping[str, Any]) -> Any:
    """Call a function in a thread: no exception there, even KeyboardInterrupt, is the run's."""
    try:
        return function(**arguments)
    except BaseException as error:
        raise ToolRaised(describe(error)) from error


def error_of_tool(error: BaseException) -> ToolRaised | Misfit:
    """The exception of a call, which does not interrupt the run, as an error of the tool or as a
    misfit of a server's result.
    """
    match error:
        case ToolRaised() | Misfit():
            return error
        case RemoteFailure() | Unreachable() | Lost():
            return ToolRaised(shorten(str(error), LONGEST_MESSAGE))
        case TooManyHang():
            return ToolRaised(str(error))
        case _:
            return ToolRaised(describe(error))


def is_foreign(error: BaseException) -> bool:
    """Whether the text of a call's exception is that of the tool: it may quote anything."""
    return not isinstance(error, (Misfit, Unreachable, Lost, TooManyHang))


def is_async(function: Callable[..., Any] | RemoteTool) -> bool:
    """Whether a function begins as soon as it is called, in this thread."""
    # The plain case first: `inspect` unwraps partials and methods, which takes longer than a call.
    code = getattr(function, "__code__", None)
    plainly = code is not None and bool(code.co_flags & inspect.CO_COROUTINE)
    return plainly or inspect.iscoroutinefunction(function)


def wants_key(function: Callable[..., Any] | RemoteTool) -> bool:
    """Whether a function has a parameter for the key of its call."""
    try:
        return _takes_key(function)
    except TypeError:  # it has no hash
        return _takes_key.__wrapped__(function)


@lru_cache(maxsize=1024)
def _takes_key(function: Callable[..., Any]) -> bool:
    code = getattr(function, "__code__", None)
    if code is not None and not hasattr(function, "__wrapped__"):  # as below, 50 times as fast
        named = code.co_varnames[
            code.co_posonlyargcount : code.co_argcount + code.co_kwonlyargcount
        ]
        return KEY in named
    try:
        parameter = inspect.signature(function).parameters.get(KEY)
    except (TypeError, ValueError):  # a function that does not say what it takes
        return False
    return parameter is not None and parameter.kind in (
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    )


def class_of(error: BaseException) -> str:
    """The name of the class that foreign code raised, in a thread or not."""
    cause = error.__cause__ if isinstance(error, ToolRaised) else None
    return type(cause or error).__name__


def place_of_raise(error: BaseException) -> str:
    """Place where foreign code raised, as ` at tools.py:12, in look`; nothing if it is not known.

    That is the last line of the call that stands in a file, not in a library of Python's own.
    """
    cause = error
    while isinstance(cause, ToolRaised) and cause.__cause__ is not None:
        cause = cause.__cause__
    frames = traceback.extract_tb(cause.__traceback__)
    own = [one for one in frames if not _is_ours(one.filename)]
    if not own:
        return ""
    written = [one for one in own if "site-packages" not in one.filename and not _is_std(one)]
    last = (written or own)[-1]
    return f" (at {Path(last.filename).name}:{last.lineno}, in `{last.name}`)"


_HERE = str(Path(__file__).resolve().parents[2])
_STD = str(Path(traceback.__file__).resolve().parent)


def _is_ours(file: str) -> bool:
    return file.startswith((_HERE, "<"))


def _is_std(frame: traceback.FrameSummary) -> bool:
    return frame.filename.startswith(_STD)
