"""Decisions: probabilities by OpenAI's API of them, the model's own word anywhere else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

import pytest

import pipelang
from pipelang.runtime.engine.outcomes import Result
from pipelang.testing import ChatDialect, Dialect, FaultServer, Reply, ResponsesDialect
from pipelang.testing.dialects import KEY, Body, bearer

PROGRAM = """
enum Topic {
  ## Money that we want, or that is wanted back.
  billing
  other
}
provider lab { kind KIND key "env:LAB_KEY" base_url "URL" available 100% }
tier small {
  provider lab model "MODEL" price $1 in, $2 out latency 1s median transient 0%
  context 100k tokens
}
prompt sort(ticket: text) \"\"\"Sort: {{ ticket }}\"\"\"
pipeline main(ticket: text max 50 tokens) -> TYPE {
  step kind: decision TYPE = ask sort(ticket) by small { OPTIONS timeout 10s output 50 tokens max }
    else fail "no"
  gate sure: kind.confidence >= 70% { catches 50% false_alarms 10% } else fail "unsure"
  return kind.value
}
"""


class DecisionsDialect(Dialect):
    """OpenAI's `/v1/decisions`. A reply's value is the choice, with its probability."""

    path = "/v1/decisions"
    root = "/v1"
    known: ClassVar = {"model", "input", "questions"}

    def key(self, headers: Mapping[str, str]) -> str | None:
        return bearer(headers)

    def problem(self, body: Body) -> str | None:
        (question,) = body["questions"]
        if question["type"] != "choice" or not question["instructions"]:
            return "questions: no choice"
        if set(body) - self.known:
            return f"unknown: {set(body) - self.known}"
        return None

    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        if reply.kind == "refusal":
            answer: Body = {"type": "refusal", "name": "answer"}
        else:
            choice, share = json.loads(reply.text)
            choices = [one["value"] for one in sent["questions"][0]["choices"]]
            rest = [{"value": one, "probability": 0.01} for one in choices if one != choice]
            answer = {
                "type": "choice",
                "name": "answer",
                "choice": choice,
                "confidence": 0.5,
                "probabilities": [*rest, {"value": choice, "probability": share}],
            }
        usage = reply.usage
        return {
            "model": sent["model"],
            "answers": [answer],
            "usage": usage
            and {
                "input_tokens": usage.input,
                "output_tokens": usage.output,
                "total_tokens": usage.input + usage.output,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens_details": {"reasoning_tokens": 0},
            },
        }

    def error(self, code: int, message: str) -> Body:
        return {"error": {"message": message, "type": "error", "code": None, "param": None}}

    def texts(self, body: Body) -> list[str]:
        return [item["content"] for item in body["input"]]

    def schema(self, body: Body) -> Body | None:
        return None


def play(
    folder: Path,
    dialect: Dialect,
    *script: Reply,
    kind: str = "openai",
    model: str = "gpt-6-luna",
    type: str = "Topic",
    options: str = "",
) -> tuple[Result, list[Body]]:
    with FaultServer(dialect, *script) as server:
        text = PROGRAM.replace("KIND", kind).replace("URL", server.url).replace("MODEL", model)
        file = folder / "main.pipe"
        file.write_text(text.replace("TYPE", type).replace("OPTIONS", options), encoding="utf-8")
        runtime = pipelang.Runtime()
        handle = pipelang.load(str(file)).pipeline("main", runtime=runtime)

        async def main() -> Result:
            try:
                return await handle.run(ticket="My bill is wrong.")
            finally:
                await runtime.close()

        return asyncio.run(main()), [seen.body for seen in server.requests]


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_KEY", KEY)


def answered(result: Result) -> dict[str, Any]:
    return next(dict(event.data) for event in result.trace if event.kind == "answer")


def test_probabilities_where_the_model_tells_them(tmp_path: Path) -> None:
    result, (asked,) = play(tmp_path, DecisionsDialect(), Reply.answer(["billing", 0.93]))
    assert isinstance(result, pipelang.Answered), result
    assert result.value == "billing"
    data = answered(result)
    assert data["confidence"] == 0.93
    assert data["confidence_from"] == "probabilities"
    (question,) = asked["questions"]
    assert question["choices"] == [{"value": "billing"}, {"value": "other"}]
    assert "Money that we want" in question["instructions"]
    assert "My bill is wrong." in str(asked["input"])
    assert result.cost == Decimal(12 * 1 + 34 * 2) / 1_000_000


def test_a_bool_is_decided_by_its_own_values(tmp_path: Path) -> None:
    result, (asked,) = play(tmp_path, DecisionsDialect(), Reply.answer([False, 0.8]), type="bool")
    assert isinstance(result, pipelang.Answered), result
    assert result.value is False
    assert asked["questions"][0]["choices"] == [{"value": True}, {"value": False}]


def test_an_improbable_choice_stops_at_the_gate(tmp_path: Path) -> None:
    result, _ = play(tmp_path, DecisionsDialect(), Reply.answer(["other", 0.51]))
    assert isinstance(result, pipelang.Failed)
    assert result.code == "unsure"


@pytest.mark.parametrize(
    ("kind", "model", "dialect"),
    [
        ("openai", "gpt-6.1-sol", ResponsesDialect()),
        ("openai_compatible", "gpt-6-luna", ChatDialect()),
    ],
)
def test_the_models_own_word_elsewhere(
    kind: str, model: str, dialect: Dialect, tmp_path: Path
) -> None:
    reply = Reply.answer({"value": "billing", "confidence": 0.93})
    result, _ = play(tmp_path, dialect, reply, kind=kind, model=model)
    assert isinstance(result, pipelang.Answered), result
    assert answered(result)["confidence_from"] == "word"
    assert answered(result)["confidence"] == 0.93


@pytest.mark.parametrize(
    "reply",
    [
        Reply.refusal(),
        Reply.answer(["weather", 0.9]),
        Reply.answer([True, 0.9]),
        Reply.answer(["billing", 0.9], None),
        Reply.raw(b"{}"),
        Reply.raw(b'{"answers": [], "usage": {}}'),
        Reply.status(500),
        Reply.status(404, "no such model"),
        Reply.cut(),
    ],
    ids=lambda reply: f"{reply.kind}{reply.text}{reply.code}",
)
def test_what_is_no_decision_is_a_failed_attempt(reply: Reply, tmp_path: Path) -> None:
    result, asked = play(tmp_path, DecisionsDialect(), reply)
    assert isinstance(result, pipelang.Failed)
    assert result.code == "no", result
    assert len(asked) == 1


@pytest.mark.parametrize("share", [95, 1.01, -0.01, float("nan"), float("inf"), []])
def test_what_is_no_probability_is_not_taken_for_certain(share: Any, tmp_path: Path) -> None:
    """Percent and infinity were 100%, which every gate lets pass."""
    result, _ = play(tmp_path, DecisionsDialect(), Reply.answer(json.dumps(["billing", share])))
    assert isinstance(result, pipelang.Failed)
    assert result.code == "no", result


@pytest.mark.parametrize(("share", "sure"), [(1.0000001, 1.0), (1, 1.0), (0, 0.0), (-1e-9, 0.0)])
def test_a_probability_may_be_rounded(share: float, sure: float, tmp_path: Path) -> None:
    result, _ = play(tmp_path, DecisionsDialect(), Reply.answer(["billing", share]))
    assert answered(result)["confidence"] == sure


def test_votes_agree_whatever_their_confidences(tmp_path: Path) -> None:
    script = [
        Reply.answer({"value": value, "confidence": share})
        for value, share in (("billing", 0.91), ("billing", 0.94), ("other", 0.99))
    ]
    result, _ = play(tmp_path, ResponsesDialect(), *script, model="gpt-6.1-sol", options="vote 3")
    assert isinstance(result, pipelang.Answered), result
    assert result.value == "billing"


class WeighedDialect(ResponsesDialect):
    """Responses that tell the log-probabilities of their tokens, where they are asked for."""

    tells = True

    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        text, tokens = json.loads(reply.text)
        body = super().body(Reply.answer(text), sent, number)
        if sent.get("include") == ["message.output_text.logprobs"] and self.tells:
            body["output"][0]["content"][0]["logprobs"] = [
                {"token": token, "bytes": list(token.encode()), "logprob": log, "top_logprobs": []}
                for token, log in tokens
            ]
        return body


def written(*tokens: tuple[str, float]) -> Reply:
    """An answer in tokens, each with its log-probability."""
    return Reply.answer(json.dumps(["".join(token for token, _ in tokens), tokens]))


HALF = -0.6931471805599453
BILLING = (
    (('{"', HALF), ("value", HALF), ('":', HALF), (' "', HALF), ("bill", -0.1), ("ing", -0.05)),
    (('",', -0.05), (' "confidence": ', HALF), ("0.1", HALF), ("}", HALF)),
)


def confidence_of(result: Result) -> tuple[float, str]:
    (told,) = [event.data for event in result.trace or () if event.kind == "answer"]
    return told["confidence"], told["confidence_from"]


def test_log_probabilities_of_the_choice_are_its_confidence(tmp_path: Path) -> None:
    """Those of the tokens that hold the choice, and of nothing else: e to the -0.2."""
    reply = written(*BILLING[0], *BILLING[1])
    result, (sent,) = play(tmp_path, WeighedDialect(), reply, model="gpt-4.1-mini")
    assert sent["include"] == ["message.output_text.logprobs"]
    confidence, source = confidence_of(result)
    assert source == "probabilities"
    assert confidence == pytest.approx(0.8187307530779818)


def test_a_choice_of_a_bool_is_weighed_too(tmp_path: Path) -> None:
    reply = written(('{"value":', HALF), (" true", -0.1), (',"confidence":1}', HALF))
    result, _ = play(tmp_path, WeighedDialect(), reply, model="gpt-4o", type="bool")
    confidence, source = confidence_of(result)
    assert source == "probabilities"
    assert confidence == pytest.approx(0.9048374180359595)


class SilentDialect(WeighedDialect):
    """Responses without what was asked for."""

    tells = False


def test_a_response_without_log_probabilities_has_its_own_word(tmp_path: Path) -> None:
    reply = written(('{"value": "billing", "confidence": 0.9}', HALF))
    result, _ = play(tmp_path, SilentDialect(), reply, model="gpt-4o-mini")
    assert confidence_of(result) == (0.9, "word")


def test_log_probabilities_of_another_text_are_none(tmp_path: Path) -> None:
    text = '{"value": "billing", "confidence": 0.9}'
    reply = Reply.answer(json.dumps([text, [('{"value": "other"}', -0.1)]]))
    result, _ = play(tmp_path, WeighedDialect(), reply, model="gpt-4o")
    assert confidence_of(result) == (0.9, "word")


def test_models_that_think_first_are_not_asked_for_them(tmp_path: Path) -> None:
    reply = Reply.answer({"value": "billing", "confidence": 0.9})
    result, (sent,) = play(tmp_path, ResponsesDialect(), reply, model="gpt-6-sol")
    assert "include" not in sent
    assert confidence_of(result) == (0.9, "word")


class WeighedChat(ChatDialect):
    """Chat completions with the log-probabilities of their tokens, as servers tell them."""

    def body(self, reply: Reply, sent: Body, number: int) -> Body:
        assert sent["logprobs"] is True
        text, tokens = json.loads(reply.text)
        body = super().body(Reply.answer(text), sent, number)
        body["choices"][0]["logprobs"] = tokens
        return body


def of_tokens(*tokens: tuple[str, Any], **more: Any) -> list[Body]:
    return [
        {"token": token, "bytes": list(token.encode()), "logprob": log, "top_logprobs": []} | more
        for token, log in tokens
    ]


def chat(tmp_path: Path, text: str, told: Any, *, type: str = "Topic") -> tuple[float, str]:
    reply = Reply.answer(json.dumps([text, told]))
    result, _ = play(
        tmp_path, WeighedChat(), reply, kind="openai_compatible", model="ours", type=type
    )
    return confidence_of(result)


WORD = '{"value": "billing", "confidence": 0.9}'
TOKENS = of_tokens(*BILLING[0], *BILLING[1])
WEIGHED = "".join(token for token, _ in (*BILLING[0], *BILLING[1]))


@pytest.mark.parametrize("before", ["", '<think>{"value": "other"}?</think>\n', "```json\n"])
def test_a_compatible_server_that_tells_log_probabilities(tmp_path: Path, before: str) -> None:
    after = "\n```" if before.startswith("`") else ""
    around = [of_tokens((text, -5.0)) if text else [] for text in (before, after)]
    told = {"content": [*around[0], *TOKENS, *around[1]]}
    confidence, source = chat(tmp_path, f"{before}{WEIGHED}{after}", told)
    assert source == "probabilities"
    assert confidence == pytest.approx(0.8187307530779818)


def test_tokens_without_bytes_are_read_by_their_text(tmp_path: Path) -> None:
    told = {"content": [{"token": one["token"], "logprob": one["logprob"]} for one in TOKENS]}
    assert chat(tmp_path, WEIGHED, told)[1] == "probabilities"


def test_a_token_that_reaches_beyond_the_choice_counts_whole(tmp_path: Path) -> None:
    told = {"content": of_tokens(('{"value": "bil', -0.25), ('ling", "confidence": 0.9}', -0.25))}
    confidence, source = chat(tmp_path, WORD, told)
    assert source == "probabilities"
    assert confidence == pytest.approx(0.6065306597126334)


@pytest.mark.parametrize(
    "told",
    [
        None,
        {},
        {"content": None},
        {"content": []},
        {"content": "none"},
        {"content": [None]},
        {"content": of_tokens((WORD, None))},
        {"content": of_tokens((WORD, -9999.0))},
        {"content": of_tokens((WORD, float("-inf")))},
        {"content": of_tokens((WORD, float("nan")))},
        {"content": of_tokens((WORD, 0.5))},
        {"content": of_tokens((WORD, "likely"))},
        {"content": of_tokens((WORD, -0.1), bytes=[700])},
        {"content": of_tokens((WORD.replace("billing", "other"), -0.1))},
        {"content": of_tokens((WORD[:-1], -0.1))},
        {"tokens": [WORD], "token_logprobs": [-0.1]},
    ],
    ids=str,
)
def test_a_compatible_server_that_tells_them_not_or_not_all(tmp_path: Path, told: Any) -> None:
    assert chat(tmp_path, WORD, told) == (0.9, "word")


def test_what_is_unknown_beside_the_choice_is_no_matter(tmp_path: Path) -> None:
    around = (('{"value": "', None), ("billing", -0.1), ('", "confidence": 0.9}', -9999.0))
    # The closing quote tells a choice from a longer one, so its token has to be known.
    assert chat(tmp_path, WORD, {"content": of_tokens(*around)}) == (0.9, "word")
    known = (*around[:2], ('"', -0.1), (', "confidence": 0.9}', -9999.0))
    assert chat(tmp_path, WORD, {"content": of_tokens(*known)})[1] == "probabilities"


def test_a_bool_of_a_compatible_server(tmp_path: Path) -> None:
    text = '{"value": true,"confidence":1}'
    told = {"content": of_tokens(('{"value":', -3.0), (" true", -0.1), (',"confidence":1}', -3.0))}
    confidence, source = chat(tmp_path, text, told, type="bool")
    assert source == "probabilities"
    assert confidence == pytest.approx(0.9048374180359595)


def test_a_server_that_refuses_them_is_asked_without(tmp_path: Path) -> None:
    refused = Reply.status(400, "logprobs are not supported by this model")
    good = Reply.answer({"value": "billing", "confidence": 0.93})
    result, asked = play(
        tmp_path, ChatDialect(), refused, good, kind="openai_compatible", model="ours"
    )
    assert confidence_of(result) == (0.93, "word")
    assert ["logprobs" in body for body in asked] == [True, False]
    assert all("response_format" in body for body in asked)


def test_the_report_says_that_it_may_be_either(tmp_path: Path) -> None:
    from pipelang.interfaces.check.check import check_file, report_json

    text = PROGRAM.replace("KIND", "openai_compatible").replace("URL", "http://localhost:1")
    text = text.replace("MODEL", "ours").replace("TYPE", "Topic").replace("OPTIONS", "")
    file = tmp_path / "main.pipe"
    file.write_text(text, encoding="utf-8")
    found = report_json([check_file(str(file))])["pipelines"]["main"]
    assert found["confidence_from"] == {"kind": {"small": "either"}}
    assert any("where the server tells it" in note for note in found["notes"])
