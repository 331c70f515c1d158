"""Faults of MCP servers stay with the calls that meet them."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Failed, McpServer, Runtime, ToolDrift
from pipelang.runtime.mcp import sessions
from pipelang.runtime.mcp.stderr import StderrLines

from ..stage import events, left_over, load

pytest.importorskip("mcp", reason="an extra: pipelang-dsl[mcp]")

ODD = Path(__file__).with_name("mcp_odd_server.py")

PROGRAM = """
type Saved { answer: text }
tool use(q: text) -> Saved { mcp "odd" "save" effect read latency 1ms median succeeds 99% LIMIT }
pipeline main(q: text) -> Saved { step got = call use(q) return got }
"""


def play(
    folder: Path, script: Callable[[Any], Awaitable[Any]], limit: str = "", mended: bool = True
) -> Any:
    """What the script gives, which gets a handle; fails if a task or a server is left over."""
    if mended:
        (folder / "mended").touch()
    loaded = load(folder, PROGRAM.replace("LIMIT", limit))

    async def main() -> Any:
        server = McpServer(command=[sys.executable, str(ODD), str(folder)])
        runtime = Runtime(mcp={"odd": server})
        try:
            return await script(loaded.pipeline("main", runtime=runtime))
        finally:
            await runtime.close()
            await asyncio.sleep(0)
            assert left_over() == []

    return asyncio.run(main())


def starts(folder: Path) -> int:
    return len((folder / "starts").read_text().splitlines())


def test_a_result_that_does_not_fit_fails_its_own_call_alone(tmp_path: Path) -> None:
    async def script(handle: Any) -> Any:
        return await asyncio.gather(*(handle.run(q=q) for q in ("slow", "bad", "slow", "large")))

    slow, bad, other, large = play(tmp_path, script)
    assert isinstance(slow, Answered), slow
    assert isinstance(other, Answered), other
    assert isinstance(bad, Failed)
    (failed,) = events(bad, "failed")
    assert failed.data["why"] == "misfit"
    assert failed.data["message"].endswith("the server's own output schema at `$.answer`")
    assert isinstance(large, Failed)
    assert "larger than 10 MB" in events(large, "failed")[0].data["message"]
    assert starts(tmp_path) == 1


def test_a_server_that_hangs_is_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "_PROBE", 0.3)

    async def script(handle: Any) -> Any:
        hung = await handle.run(q="hang")
        await asyncio.sleep(1)
        return hung, await handle.run(q="fine")

    hung, fine = play(tmp_path, script, limit="timeout 2s")
    assert isinstance(hung, Failed)
    assert isinstance(fine, Answered), fine
    assert starts(tmp_path) == 2


def test_a_call_out_of_time_does_not_cut_off_a_server_that_answers(tmp_path: Path) -> None:
    async def script(handle: Any) -> Any:
        await handle.run(q="warm")
        one, *others = await asyncio.gather(*(handle.run(q=q) for q in ("slow", "a", "b")))
        return one, others, await handle.run(q="c")

    slow, others, last = play(tmp_path, script, limit="timeout 0.3s")
    assert isinstance(slow, Failed)
    assert all(isinstance(one, Answered) for one in (*others, last))
    assert starts(tmp_path) == 1


def test_a_mended_server_is_used_without_a_new_start(tmp_path: Path) -> None:
    async def script(handle: Any) -> Any:
        with pytest.raises(ToolDrift):
            await handle.run(q="a")
        (tmp_path / "mended").touch()
        return await handle.run(q="a")

    assert isinstance(play(tmp_path, script, mended=False), Answered)
    assert starts(tmp_path) == 1


def test_stderr_goes_to_the_trace_and_not_to_ours(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    result = play(tmp_path, lambda handle: handle.run(q="loud"))
    (said,) = events(result, "stderr")
    assert said.content == ["the disk is nearly full"]
    assert said.data["server"] == "odd"
    assert "disk" not in capfd.readouterr().err


def test_stderr_that_nobody_reads_blocks_nobody() -> None:
    with StderrLines() as lines:
        for number in range(20_000):
            lines.file.write(f"line {number}\n" if number % 2 else "x" * 5000)
    lines._thread.join(60)
    taken = lines.take()
    assert len(taken) <= 100
    assert max(map(len, taken)) <= 500
    assert lines.take() == []


@pytest.mark.skipif(os.name != "posix", reason="there only a thread can read a pipe")
def test_stderr_is_taken_also_where_the_thread_that_reads_has_no_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(StderrLines, "_read", lambda self: None)
    with StderrLines() as lines:
        lines.file.write("one\ntwo\nhal")
        lines.file.flush()
        assert lines.take() == ["one", "two"]
        lines.file.write("f\n" + "é" * 3000 + "\nlast")
    assert lines.take() == ["half", "é" * 500, "last"]
    assert lines.take() == []
    os.close(lines._reading)


def test_a_server_that_says_without_end_is_not_listened_to_for_ever() -> None:
    with StderrLines() as lines:
        going = threading.Event()

        def say() -> None:
            while not going.is_set():
                lines.file.write("again\n" * 1000)

        saying = threading.Thread(target=say)
        saying.start()
        try:
            assert all(len(lines.take()) <= 100 for _ in range(20))
        finally:
            going.set()
            saying.join()
    lines._thread.join(60)
    assert not lines._thread.is_alive()
