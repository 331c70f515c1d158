"""Large messages of MCP servers hurt nobody else, and servers are heard when their tools change."""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelang import Answered, Failed, McpServer, Runtime, ToolDrift
from pipelang.runtime.mcp.lines import Lines, OverlongLine

from ..stage import events, left_over, load

pytest.importorskip("mcp", reason="an extra: pipelang-dsl[mcp]")

RAW = Path(__file__).with_name("mcp_raw_server.py")
CHANGING = Path(__file__).with_name("mcp_changing_server.py")
LONGEST_STALL = 1.5
"""Seconds; on a machine that works on other things too. It was 14 once."""

PROGRAM = """
tool text_(q: text) -> text { mcp "raw" "text" effect read latency 1ms median succeeds 99% }
tool list_(q: text) -> [text] max 2000000 {
  mcp "raw" "list" effect read latency 1ms median succeeds 99%
}
tool blocks(q: text) -> [text] max 2000000 {
  mcp "raw" "blocks" effect read latency 1ms median succeeds 99%
}
pipeline text_p(q: text) -> text { step got = call text_(q) return got }
pipeline list_p(q: text) -> int { step got = call list_(q) return len(got) }
pipeline blocks_p(q: text) -> int { step got = call blocks(q) return len(got) }
"""


def play(folder: Path, script: Callable[[Any], Awaitable[Any]], server: Path = RAW) -> Any:
    """What the script gives, which gets a handle by a pipeline's name."""
    if not (folder / "tools").exists():
        (folder / "tools").write_text("text list blocks", encoding="utf-8")
    loaded = load(folder, PROGRAM)

    async def main() -> Any:
        command = [sys.executable, str(server), str(folder)]
        runtime = Runtime(mcp={"raw": McpServer(command=command)})
        try:
            return await script(lambda name: loaded.pipeline(name, runtime=runtime))
        finally:
            await runtime.close()
            await asyncio.sleep(0)
            assert left_over() == []

    return asyncio.run(main())


class Stall:
    """The longest time for which the loop did nothing else, as a context manager."""

    async def __aenter__(self) -> Stall:
        self.longest, self._last = 0.0, time.perf_counter()
        self._task = asyncio.ensure_future(self._tick())
        return self

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            self.longest, self._last = max(self.longest, now - self._last), now

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])


@pytest.mark.parametrize("kind", ["text", "list", "blocks"])
def test_a_result_of_20_mb_fails_alone_and_stops_nobody(tmp_path: Path, kind: str) -> None:
    async def script(handle: Any) -> Any:
        await handle("text_p").run(q="warm")
        async with Stall() as stall:
            large, small = await asyncio.gather(
                handle(f"{kind}_p").run(q="large 20"), handle("text_p").run(q="small")
            )
        return large, small, await handle("text_p").run(q="after"), stall.longest

    large, small, after, longest = play(tmp_path, script)
    assert isinstance(large, Failed)
    (failed,) = events(large, "failed")
    assert failed.data["why"] == "misfit"
    assert isinstance(small, Answered), small
    assert isinstance(after, Answered), after
    assert longest < LONGEST_STALL


@pytest.mark.parametrize("order", ["".join(order) for order in itertools.permutations("jir")])
def test_a_message_that_is_too_large_fails_its_own_call(tmp_path: Path, order: str) -> None:
    async def script(handle: Any) -> Any:
        return await asyncio.gather(
            handle("text_p").run(q=f"large 22 {order}"), handle("text_p").run(q="small")
        )

    large, small = play(tmp_path, script)
    (failed,) = events(large, "failed")
    assert failed.data["message"] == "its message is larger than 21 MB"
    assert isinstance(small, Answered)


def test_a_large_result_comes_whole(tmp_path: Path) -> None:
    result = play(tmp_path, lambda handle: handle("list_p").run(q="large 3"))
    assert isinstance(result, Answered), result
    assert result.value == 3 * 2**20 // 24


@given(st.lists(st.binary(max_size=40), max_size=30), st.integers(1, 64))
def test_lines_are_those_of_the_whole(chunks: list[bytes], most: int) -> None:
    lines = Lines(most)
    found = [line for chunk in chunks for line in lines.feed(chunk)]
    wanted = b"".join(chunks).split(b"\n")[:-1]
    assert len(found) == len(wanted)
    for line, whole in zip(found, wanted, strict=True):
        if len(whole) <= most:
            assert line == whole
        else:
            assert isinstance(line, OverlongLine)
            assert whole.startswith(line.head)
            assert whole.endswith(line.tail)


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ({"id": 7, "result": {"id": 8}}, 7),
        ({"result": {"x": [{"id": 8}]}, "jsonrpc": "2.0", "id": 7}, 7),
        ({"result": {"id": 8}, "id": "listen-1", "jsonrpc": "2.0"}, "listen-1"),
        ({"result": {"id": 8}}, None),
        ({"method": "note", "params": {"id": 8}}, None),
    ],
)
def test_whose_answer_it_is(message: Any, found: Any) -> None:
    line = json.dumps(message).encode()
    assert OverlongLine(line[:512], line[-512:]).request_id == found


def test_what_is_too_long_is_not_kept() -> None:
    lines = Lines(1000)
    for _ in range(1000):
        assert list(lines.feed(b"x" * 1000)) == []
    assert sum(map(len, lines._parts)) < 2000
    (line,) = lines.feed(b"\n")
    assert isinstance(line, OverlongLine)


@pytest.mark.parametrize("server", [RAW, CHANGING], ids=["announced", "listened to"])
def test_tools_that_come_go_and_change_are_noticed(tmp_path: Path, server: Path) -> None:
    """In the older protocol a server announces it to everybody, in the newer one to who listens."""
    tools = tmp_path / "tools"
    tools.write_text("text", encoding="utf-8")

    async def script(handle: Any) -> Any:
        assert isinstance(await handle("text_p").run(q="a"), Answered)
        with pytest.raises(ToolDrift, match="no tool `list`"):
            await handle("list_p").run(q="a")
        tools.write_text("text list", encoding="utf-8")
        assert isinstance(await handle("list_p").run(q="large 0.001"), Answered)
        tools.write_text("list", encoding="utf-8")
        # Nothing differs from what was heard last, until the server says so.
        assert isinstance(await handle("list_p").run(q="tell"), Failed | Answered)
        await asyncio.sleep(0.5)
        with pytest.raises(ToolDrift, match="no tool `text`"):
            await handle("text_p").run(q="a")
        tools.write_text("text other", encoding="utf-8")
        return await handle("text_p").run(q="a")

    assert isinstance(play(tmp_path, script, server), Answered)


def test_tools_are_not_listed_for_every_call(tmp_path: Path) -> None:
    async def script(handle: Any) -> Any:
        for _ in range(5):
            await handle("text_p").run(q="a")

    play(tmp_path, script)
    assert len((tmp_path / "listed").read_text(encoding="utf-8").splitlines()) <= 2
