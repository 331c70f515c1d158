"""Prepared tools: what is the same in every call of a tool, worked out once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.engine.interruption import interrupts, mark, stop_if_cancelled
from pipelang.runtime.engine.redaction import may_hide
from pipelang.runtime.engine.values import Misfit, Types
from pipelang.runtime.mcp.tools import RemoteTool
from pipelang.runtime.tools.idempotency import KEY
from pipelang.runtime.tools.received import has_duration, received
from pipelang.runtime.tools.registry import error_of_tool, in_thread, is_async, wants_key
from pipelang.runtime.tools.threads import Ready, Threads
from pipelang.semantics import program as p
from pipelang.semantics.types import NothingType, Type

Check = Callable[[Any], Any]
"""A value as its type wants it. Raises `Misfit`."""

Signature = tuple[tuple[str, str, Check, Type | None], ...]
"""Of each parameter: its name, its outer name, its check, and its type if a duration is in it."""


def signature_of(types: Types, tool: p.Tool) -> Signature:
    """The signature of a tool."""
    return tuple(
        (q.name, q.key, types.checker(q.type), q.type if has_duration(q.type) else None)
        for q in tool.parameters
    )


def fitted_arguments(signature: Signature, given: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of a call as the tool's parameters want them, by their outer names. Raises
    `Misfit`.

    Checking copies, so a tool that changes what it is given changes nothing of the run.
    """
    arguments = {}
    for name, key, check, timed in signature:
        try:
            checked = check(given[name])
            arguments[key] = checked if timed is None else received(timed, checked)
        except Misfit as misfit:
            raise Misfit(f"argument `{key}`: {misfit}") from None
    return arguments


def checked_arguments(types: Types, tool: p.Tool, given: Mapping[str, Any]) -> dict[str, Any]:
    """As `fitted_arguments`, for a single call."""
    return fitted_arguments(signature_of(types, tool), given)


@dataclass(slots=True, eq=False)
class PreparedTool:
    """A tool with its function, or where a server offers it. `begins` says that the function begins
    as soon as it is called, in this thread; `keyed` that it gets the key of its call. `secret` are
    the parameters whose arguments may be labelled so. `fitted` makes its result fit its type;
    `cost` is that of a call in dollars, as events have it.
    """

    tool: p.Tool
    function: Callable[..., Any] | RemoteTool
    signature: Signature
    fitted: Check
    begins: bool
    keyed: bool
    secret: tuple[str, ...]
    cost: float

    def start(
        self,
        arguments: dict[str, Any],
        threads: Threads,
        key: str | None,
        ready: Ready | None,
    ) -> Coroutine[Any, Any, Any]:
        """A call to be awaited: of the function itself if it is async, in a thread if not. `key` is
        that of the call. `ready` is called when a thread or a server was waited for, right before
        the call. It may raise anything: see `error_of_tool`.
        """
        function = self.function
        if isinstance(function, RemoteTool):
            return function.call(arguments, key, ready)
        if self.keyed and key is not None:
            arguments[KEY] = key
        if self.begins:
            made: Coroutine[Any, Any, Any] = function(**arguments)
            return made
        return in_thread(function, arguments, threads, self.tool.name, ready)


def _nothing(result: Any) -> None:
    """Nothing, whatever a tool gives that is to return nothing."""


def prepared(types: Types, tool: p.Tool, function: Callable[..., Any] | RemoteTool) -> PreparedTool:
    """A tool with this function."""
    signature = signature_of(types, tool)
    remote = isinstance(function, RemoteTool)
    keyed = remote or (all(key != KEY for _, key, _, _ in signature) and wants_key(function))
    nothing = isinstance(tool.returns, NothingType)
    fitted = _nothing if nothing else types.checker(tool.returns)
    begins = not remote and is_async(function)
    secret = tuple(q.name for q in tool.parameters if may_hide(q.type))
    cost = float(tool.cost)
    return PreparedTool(tool, function, signature, fitted, begins, keyed, secret, cost)


async def call_tool(
    tool: PreparedTool,
    arguments: dict[str, Any],
    threads: Threads,
    key: str | None = None,
) -> Any:
    """Call a tool. Raises `ToolRaised`, whatever it was; a cancellation of the run alone comes
    through, whatever the function made of it.
    """
    before = mark()
    try:
        result = await tool.start(arguments, threads, key, None)
    except BaseException as error:
        if interrupts(error, before):
            if not isinstance(error, GeneratorExit):
                stop_if_cancelled(before)
            raise
        problem = error_of_tool(error)
        if problem is error:
            raise
        raise problem from error
    stop_if_cancelled(before)
    return result
