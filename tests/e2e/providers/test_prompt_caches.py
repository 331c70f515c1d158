"""Tokens that were read from a maker's cache are billed at their own price, and told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang import Answered
from pipelang.interfaces.report.runs.trace import _answer
from pipelang.runtime.host.runtime import Runtime
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.anthropic_wire import call_of
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.runtime.providers.protocol import ModelProvider, Usage
from pipelang.testing import (
    ChatDialect,
    Dialect,
    FaultServer,
    GoogleDialect,
    MessagesDialect,
    Reply,
    ResponsesDialect,
)
from pipelang.testing.dialects import KEY
from pipelang.testing.provider_suite import request

PROGRAM = """
provider lab { kind simulated available 100% }
tier small {
  provider lab model "x" price $1 in, $5 out, $1.25 cache_write, $0.10 cache_read
  latency 1s median transient 0% context 100k tokens
}
prompt say(x: text) \"\"\"Say {{ x }}\"\"\"
pipeline main(x: text max 20 tokens) -> text max 20 tokens {
  step s: text max 20 tokens = ask say(x) by small { accuracy 90% timeout 20s output 20 tokens max }
    else fail "no"
  return s
}
"""

MAKERS: list[tuple[Dialect, Callable[[str], ModelProvider], Usage]] = [
    (MessagesDialect(), lambda url: AnthropicProvider(KEY, url), Usage(12, 3, 1000, 2000)),
    (ResponsesDialect(), lambda url: OpenAIProvider(KEY, url), Usage(12, 3, 1000, 2000)),
    (ChatDialect(), lambda url: OpenAICompatibleProvider(KEY, url), Usage(12, 3, 1000, 2000)),
    (GoogleDialect(), lambda url: GoogleProvider(KEY, url), Usage(12, 3, 0, 2000)),
]


@pytest.mark.parametrize(("dialect", "make", "usage"), MAKERS, ids=lambda one: type(one).__name__)
def test_what_was_read_has_its_own_price(
    tmp_path: Path, dialect: Dialect, make: Callable[[str], ModelProvider], usage: Usage
) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(PROGRAM, encoding="utf-8")

    async def main(url: str) -> Any:
        provider = make(url)
        runtime = Runtime(providers={"lab": provider})
        try:
            return await pipelang.load(str(file)).pipeline("main", runtime=runtime).run(x="a")
        finally:
            await provider.close()
            await runtime.close()

    with FaultServer(dialect, Reply.answer("fine", usage)) as server:
        result = asyncio.run(main(server.url))
    assert isinstance(result, Answered), result
    dollars = 12 + 3 * 5 + Decimal("1.25") * usage.cache_write + Decimal("0.10") * 2000
    assert result.cost == dollars / 1_000_000
    (event,) = [event for event in result.trace if event.kind == "answer"]
    assert event.data["cache_read"] == 2000
    assert event.data.get("cache_write", 0) == usage.cache_write
    assert event.data["tokens_in"] == 12 + usage.cache_write + 2000
    shown = _answer(dict(event.data), lambda text, tone: text)
    assert "2,000 read from a cache" in shown


def test_what_nobody_kept_is_not_told(tmp_path: Path) -> None:
    data = {"tier": "small", "tokens_in": 12, "tokens_out": 3, "cost": 0.1}
    assert "cache" not in _answer(data, lambda text, tone: text)


@pytest.mark.parametrize("more", [{}, {"answer": None}, {"content": ("Look: ", "again")}])
def test_a_single_ask_marks_its_system_text_alone(more: dict[str, Any]) -> None:
    call = call_of(request(**more))
    assert "cache_control" not in json.dumps(call.messages)
    assert "cache_control" in json.dumps(call.system)
