"""Budgets of thinking through whole runs, by the makers' real SDKs."""

from __future__ import annotations

import asyncio
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang import Runtime
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.loading import CheckFailed
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.protocol import Usage
from pipelang.testing import FaultServer, GoogleDialect, MessagesDialect
from pipelang.testing.dialects import KEY
from pipelang.testing.replies import Reply

PROGRAM = """
provider lab {{ kind {kind} available 100% }}
tier model {{ provider lab model "{model}" price $0 in, $5 out transient 0% context 10k tokens }}
prompt say(x: text) \"\"\"Look at {{{{ x }}}}.\"\"\"
pipeline p(x: text max 20 tokens) -> text {{
  budget $0.02, 3m
  step a: text max 100 tokens = ask say(x) by model {{ accuracy 95% timeout 60s {options} }}
  return a
}}
"""


def _written(tmp_path: Path, kind: str, model: str, options: str) -> Path:
    path = tmp_path / "p.pipe"
    path.write_text(PROGRAM.format(kind=kind, model=model, options=options))
    return path


def _sent(path: Path, server: FaultServer, provider: Any) -> tuple[Any, dict[str, Any]]:
    async def main() -> Any:
        runtime = Runtime(providers={"lab": provider})
        result = await pipelang.load(path).pipeline("p", runtime=runtime).run(x="a")
        await provider.close()
        return result

    with server:
        provider = provider(server.url)
        result = asyncio.run(main())
        bodies = [seen.body for seen in server.requests if "count" not in seen.path]
        return result, bodies[-1]


@pytest.mark.parametrize(
    ("told", "output"),
    [
        ({"candidatesTokenCount": 5, "thoughtsTokenCount": 50, "totalTokenCount": 74}, 55),
        ({"candidatesTokenCount": 5, "thoughtsTokenCount": 50}, 55),
        ({"thoughtsTokenCount": 50, "totalTokenCount": 69}, 50),
        ({"candidatesTokenCount": 5, "totalTokenCount": 74}, 55),  # of the thoughts the total
        ({"totalTokenCount": 74}, 55),
        ({"candidatesTokenCount": 5, "totalTokenCount": 3}, 5),
    ],
)
def test_what_gemini_counts_in_the_total_alone_is_output(
    tmp_path: Path, told: dict[str, int], output: int
) -> None:
    """An answer without a count of its own cost nothing."""
    path = _written(tmp_path, "google", "gemini-3-flash-preview", "output 20 tokens mean")
    usage = {"promptTokenCount": 10, "toolUsePromptTokenCount": 9, "cachedContentTokenCount": 8}
    content = {"role": "model", "parts": [{"text": "Yes."}]}
    body = {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": usage | told,
    }
    server = FaultServer(GoogleDialect(), Reply.raw(json.dumps(body).encode()), key=KEY)
    result, _ = _sent(path, server, lambda url: GoogleProvider(KEY, url))
    assert isinstance(result, pipelang.Answered), result
    assert result.tokens == 10 + 9 + output
    assert result.cost == Decimal(5) * output / 1_000_000


def test_a_run_of_the_most_thought_costs_what_the_analysis_bounds(tmp_path: Path) -> None:
    path = _written(tmp_path, "anthropic", "claude-haiku-4-5", "thinking 2k tokens")
    usage = Usage(50, 2100)
    server = FaultServer(MessagesDialect(), Reply.answer("Yes.", usage), key=KEY)
    result, body = _sent(path, server, lambda url: AnthropicProvider(KEY, url))
    assert body["max_tokens"] == 2100
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    (analysis,) = check_file(str(path)).analyses
    assert result.cost == Decimal("0.0105")
    assert analysis.numbers["cost.worst"].value == pytest.approx(0.0105)


@pytest.mark.parametrize(
    ("model", "options", "config"),
    [
        ("gemini-2.5-pro", "thinking 2k tokens", {"thinking_budget": 2000}),
        ("gemini-3.8-flash", "thinking 2k tokens", None),
        ("gemini-3.8-flash", "thinking 2k tokens effort low", {"thinking_level": "LOW"}),
    ],
)
def test_what_gemini_is_told(
    tmp_path: Path, model: str, options: str, config: dict[str, Any] | None
) -> None:
    path = _written(tmp_path, "google", model, options)
    server = FaultServer(GoogleDialect(), Reply.answer("Yes."), key=KEY)
    _, body = _sent(path, server, lambda url: GoogleProvider(KEY, url))
    told = body["generationConfig"]
    assert told["maxOutputTokens"] == 2100
    assert told.get("thinkingConfig") == config


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("openai", "thinking 2k tokens"),
        ("other", "thinking 2k tokens"),
        ("openai_compatible", "batch within 1h"),
    ],
)
def test_what_a_maker_does_not_have_is_refused_before_anything_runs(
    tmp_path: Path, kind: str, options: str
) -> None:
    path = _written(tmp_path, kind, "ours", options)
    with pytest.raises(CheckFailed, match=f"providers of kind `{kind}` do not have"):
        pipelang.load(path)
    pipelang.load(path, allow=("P521",))
