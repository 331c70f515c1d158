"""A server in a process of its own, spoken to over its standard input and output.

In place of the SDK's transport, whose work grows with the square of a message's length, on the
event loop that all runs share. Here a message that is too large fails the call that it answers and
no other, and a large one is parsed in a thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TextIO

from pipelang.runtime.mcp.large_results import LARGE, LARGEST_MESSAGE, lighten, refusal
from pipelang.runtime.mcp.lines import Lines, OverlongLine

_CHUNK = 2**18
_PATIENCE = 2.0
"""Seconds that a server has to end by itself once its input is closed, and once it is told to."""


@asynccontextmanager
async def stdio_transport(
    command: Sequence[str], env: Mapping[str, str], folder: Path | None, stderr: TextIO
) -> AsyncGenerator[Any, None]:
    """The streams of a server that is started here and ended with the context. Raises OSError if it
    cannot be started.
    """
    from mcp.client.stdio import StdioServerParameters, get_default_environment, stdio_client
    from mcp.shared.memory import create_client_server_memory_streams

    if sys.platform == "win32":  # where the SDK knows what to do with groups of processes
        program, *arguments = command
        parameters = StdioServerParameters(
            command=program, args=arguments, env={**env} or None, cwd=folder
        )
        async with stdio_client(parameters, errlog=stderr) as streams:
            yield streams
        return
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=stderr,
        env=get_default_environment() | {**env},
        cwd=folder,
        start_new_session=True,
    )
    tasks: list[asyncio.Task[None]] = []
    try:
        async with create_client_server_memory_streams() as (ours, theirs):
            outgoing, incoming = theirs
            tasks.append(asyncio.ensure_future(_read(process, incoming)))
            tasks.append(asyncio.ensure_future(_write(process, outgoing, incoming)))
            yield ours
    finally:
        try:
            await _end(process, tasks[1:])
        finally:
            if process.returncode is None:  # also where its end was not waited for
                _kill(process, signal.SIGKILL)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            _close(process)


async def _read(process: asyncio.subprocess.Process, incoming: Any) -> None:
    """Hand on what the server writes until it writes no more; then what is left is thrown away, so
    that a server never waits to be read before it ends.
    """
    assert process.stdout is not None
    lines = Lines(LARGEST_MESSAGE)
    try:
        while chunk := await process.stdout.read(_CHUNK):
            for line in lines.feed(chunk):
                await incoming.send(await _message(line))
    except Exception:  # the session is gone: the SDK's streams raise errors of another library
        while await process.stdout.read(_CHUNK):
            pass
    finally:
        await incoming.aclose()


async def _message(line: bytes | OverlongLine) -> Any:
    """A line as a message; an exception if it is none."""
    if isinstance(line, OverlongLine):
        problem = f"its message is larger than {LARGEST_MESSAGE // 2**20} MB"
        request = line.request_id
        return ValueError(problem) if request is None else refusal(request, problem)
    return _parsed(line) if len(line) < LARGE else await asyncio.to_thread(_parsed, line)


def _parsed(line: bytes) -> Any:
    from mcp.shared.message import SessionMessage
    from mcp.types import JSONRPCResponse, jsonrpc_message_adapter

    try:
        if len(line) < LARGE:
            return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
        # Not in one piece: for each object the parser lets other threads have their turn.
        given = json.loads(line, object_hook=lambda made: made)
        message = jsonrpc_message_adapter.validate_python(given, by_name=False)
    except (ValueError, RecursionError) as error:
        return error
    if isinstance(message, JSONRPCResponse):
        problem = lighten(message.result)
        if problem is not None:
            return refusal(message.id, problem)
    return SessionMessage(message)


async def _write(process: asyncio.subprocess.Process, outgoing: Any, incoming: Any) -> None:
    """Hand on what the session says until it says no more."""
    assert process.stdin is not None
    try:
        async for message in outgoing:
            text = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(text.encode() + b"\n")
            await process.stdin.drain()
    except OSError:
        await incoming.aclose()  # the session learns that nobody listens any more


async def _end(process: asyncio.subprocess.Process, writing: list[asyncio.Task[None]]) -> None:
    """End a server: in peace by closing its input, else by a signal to it and all its children."""
    assert process.stdin is not None
    if writing:
        await asyncio.wait(writing, timeout=0.5)  # what was said is still to be written
    process.stdin.close()
    # `wait` would also wait for children that hold its output.
    if await _comes_true(lambda: process.returncode is not None):
        return
    if _kill(process, signal.SIGTERM) and not await _comes_true(lambda: not _kill(process, 0)):
        _kill(process, signal.SIGKILL)


async def _comes_true(test: Callable[[], bool]) -> bool:
    deadline = asyncio.get_running_loop().time() + _PATIENCE
    while not test():
        if asyncio.get_running_loop().time() >= deadline:
            return False
        await asyncio.sleep(0.01)
    return True


def _kill(process: asyncio.subprocess.Process, how: int) -> bool:
    """Send a signal to a server and all its children, which are a group of their own; whether there
    still was one of them.
    """
    try:
        os.killpg(process.pid, how)
    except ProcessLookupError:
        return False
    except PermissionError:  # of one that may not be signalled, or is dead and not yet buried
        pass
    return True


def _close(process: asyncio.subprocess.Process) -> None:
    """Let go of the pipes, which children that left the group may hold open."""
    transport = getattr(process, "_transport", None)
    if transport is not None:
        with contextlib.suppress(PermissionError):
            transport.close()
