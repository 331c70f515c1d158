"""Answers as they are written: `handle.stream` against servers that stream, or do not."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Runtime, Update, load
from pipelang.runtime.providers.openai import OpenAICompatibleProvider
from pipelang.testing import ChatDialect, FaultServer, Reply

PIPE = """
type Sorted { topic: text max 40 tokens  note: text max 40 tokens }
prompt sort(mail: text) \"\"\"Sort {{ mail }}\"\"\"
prompt reply(mail: text) \"\"\"Answer {{ mail }}\"\"\"
provider lab { kind openai_compatible }
tier model { provider lab model "any" price $1 in, $5 out }
pipeline both(mail: text max 50 tokens) -> text max 40 tokens {
  step kind: Sorted = ask sort(mail) by model { retry 1 }
  gate known: kind.topic != "" else reject
  step answer: text max 40 tokens = ask reply(mail) by model
  return answer
}
"""
SORTED = {"topic": "billing", "note": "the invoice of May"}


def updates(tmp_path: Path, server: FaultServer, text: str = PIPE) -> list[Update]:
    (tmp_path / "both.pipe").write_text(text, encoding="utf-8")
    provider = OpenAICompatibleProvider("sk-test-0123456789abcdef", server.url)
    handle = load(tmp_path / "both.pipe").pipeline("both", runtime=Runtime({"lab": provider}))

    async def main() -> list[Update]:
        try:
            return [update async for update in handle.stream(mail="My bill is wrong.")]
        finally:
            await provider.close()

    return asyncio.run(main())


def partials(found: list[Update], step: str) -> list[Any]:
    return [one.partial for one in found if one.step == step and one.partial is not None]


def test_answers_grow_and_the_last_part_is_the_answer(tmp_path: Path) -> None:
    with FaultServer(ChatDialect(), Reply.answer(SORTED), Reply.answer("It will be mended.")) as at:
        found = updates(tmp_path, at)
    kinds, texts = partials(found, "kind"), partials(found, "answer")
    assert len(kinds) > 3
    assert kinds[-1] == SORTED
    assert all(SORTED["topic"].startswith(one.get("topic", "")) for one in kinds)
    assert texts[-1] == "It will be mended."
    assert all(later.startswith(former) for former, later in pairwise(texts))
    assert {one.phase for one in found if one.partial is not None} == {"writing"}
    assert isinstance(found[-1].result, Answered)
    assert found[-1].result.value == "It will be mended."
    assert found[-1].partial is None


def test_a_long_answer_is_not_looked_at_with_each_of_its_pieces(tmp_path: Path) -> None:
    long = "word " * 4_000
    text = PIPE.replace("text max 40 tokens", "text max 40k tokens")
    with FaultServer(ChatDialect(), Reply.answer(SORTED), Reply.answer(long)) as at:
        found = updates(tmp_path, at, text)
    told = partials(found, "answer")
    assert 100 < len(told) < 1_000  # of 4,000 pieces: its length is looked at some 600 times
    assert told[-1] == long
    assert all(later.startswith(former) for former, later in pairwise(told))


def test_the_next_attempt_begins_anew(tmp_path: Path) -> None:
    wrong = {"topic": "x" * 500, "note": ""}
    script = (Reply.answer(wrong), Reply.answer(SORTED), Reply.answer("Yes."))
    with FaultServer(ChatDialect(), *script) as at:
        kinds = partials(updates(tmp_path, at), "kind")
    begun = [at for at, one in enumerate(kinds) if one.get("topic", "").startswith("b")]
    assert all("topic" not in one or one["topic"].startswith("x") for one in kinds[: begun[0]])
    assert kinds[-1] == SORTED


def test_a_secret_answer_is_not_told(tmp_path: Path) -> None:
    text = PIPE.replace("note: text", "note: secret text")
    with FaultServer(ChatDialect(), Reply.answer(SORTED), Reply.answer("Yes.")) as at:
        assert not partials(updates(tmp_path, at, text), "kind")


def test_the_key_is_left_out_of_what_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "sk-test-0123456789abcdef"
    monkeypatch.setenv("LAB_KEY", key)
    text = PIPE.replace("kind openai_compatible }", 'kind openai_compatible key "env:LAB_KEY" }')
    said = f"Your key is {key}."
    with FaultServer(ChatDialect(), Reply.answer(SORTED), Reply.answer(said)) as at:
        texts = partials(updates(tmp_path, at, text), "answer")
    assert texts
    assert not any(key[:8] in one for one in texts)


class SilentDialect(ChatDialect):
    """A server that takes `stream` and answers at once."""

    def stream(self, sent: dict[str, Any], body: dict[str, Any]) -> None:
        return None


class OldDialect(ChatDialect):
    """A server that refuses `stream_options`."""

    def problem(self, body: dict[str, Any]) -> str | None:
        return "stream_options: unknown field" if "stream_options" in body else None


@pytest.mark.parametrize("dialect", [SilentDialect(), OldDialect()], ids=["silent", "old"])
def test_a_server_that_does_not_stream_is_no_fault(tmp_path: Path, dialect: ChatDialect) -> None:
    with FaultServer(dialect, Reply.answer(SORTED), Reply.answer("Yes.")) as at:
        found = updates(tmp_path, at)
    assert not partials(found, "kind")
    assert isinstance(found[-1].result, Answered)
