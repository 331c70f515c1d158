"""Recordings: their format, which record answers which call, and how calls are recorded."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.providers.protocol import (
    ModelAnswer,
    ModelFault,
    ModelProvider,
    ModelRequest,
    ToolSchema,
    Usage,
)
from pipelang.runtime.providers.replay import (
    Header,
    RecordingError,
    RecordingProvider,
    ReplayProvider,
)
from tests.work import grows_no_faster_than


class Topic(Enum):
    billing = "billing"
    access = "access"


class Kind(BaseModel):
    topic: Topic


BILLING, ACCESS = {"topic": "billing"}, {"topic": "access"}
T01 = {"ticket": {"id": "T01", "body": "My bill is wrong.", "urgent": True, "age": 3}}


def ask(arguments: dict[str, Any] = T01, **changes: Any) -> ModelRequest:
    fields: dict[str, Any] = {
        "prompt": "classify",
        "step": "kind",
        "tier": "haiku",
        "model": "claude-haiku-5-5",
        "system": "abcd",
        "user": "abcd",
        "answer": Kind,
        "arguments": arguments,
        "max_output_tokens": 200,
        "effort": None,
        "timeout": 5.0,
        "misfit": None,
        "call": 0,
    }
    return ModelRequest(**(fields | changes))


Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a recording of some lines; texts stay as they are."""

    def write(*lines: dict[str, Any] | str) -> Path:
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path = tmp_path / "answers.jsonl"
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")
        return path

    return write


def record(answer: Any = BILLING, **more: Any) -> dict[str, Any]:
    return {"prompt": "classify", "answer": answer} | more


def play(provider: ModelProvider, request: ModelRequest | None = None) -> ModelAnswer:
    return asyncio.run(provider.answer(request or ask()))


def topic(provider: ModelProvider, arguments: dict[str, Any] = T01, **changes: Any) -> Any:
    return play(provider, ask(arguments, **changes)).value["topic"]


# --- what is played -------------------------------------------------------------------------


def test_answer_with_usage_and_note(write: Write) -> None:
    path = write(
        {"recording": 1, "source": "hand-written", "note": "made up"},
        record(args={"ticket": {"id": "T01"}}, correct=False, usage={"input": 312, "output": 41}),
    )
    given = play(ReplayProvider(path))
    assert given == ModelAnswer(
        BILLING,
        Usage(312, 41),
        "claude-haiku-5-5",
        "replayed from answers.jsonl:2, hand-written, marked wrong",
    )


def test_plain_text(write: Write) -> None:
    provider = ReplayProvider(write(record("Dear Ann")))
    assert play(provider, ask(answer=None)).value == "Dear Ann"


def test_usage_that_is_not_given_is_a_quarter_of_the_bytes(write: Write) -> None:
    provider = ReplayProvider(write(record("äöü")))
    assert play(provider, ask(answer=None)).usage == Usage(2, 2)


def test_fault(write: Write) -> None:
    path = write({"prompt": "classify", "fault": "rate_limited", "retry_after": 2})
    with pytest.raises(ModelFault) as caught:
        play(ReplayProvider(path))
    found = caught.value
    assert (found.kind, found.usage, found.retry_after) == ("rate_limited", None, 2)


def test_fault_that_was_billed(write: Write) -> None:
    usage = {"input": 1, "output": 2, "cache_read": 3}
    path = write({"prompt": "classify", "fault": "output_limit", "usage": usage, "message": "cut"})
    with pytest.raises(ModelFault) as caught:
        play(ReplayProvider(path))
    assert (caught.value.message, caught.value.usage) == ("cut", Usage(1, 2, cache_read=3))


@pytest.mark.parametrize(
    ("answer", "wanted"), [({"topic": "weather"}, Kind), ("billing", Kind), (BILLING, None)]
)
def test_answer_of_another_type_is_a_misfit(
    answer: Any, wanted: type[BaseModel] | None, write: Write
) -> None:
    provider = ReplayProvider(write(record(answer, usage={"input": 1, "output": 2})))
    with pytest.raises(ModelFault) as caught:
        play(provider, ask(answer=wanted))
    assert (caught.value.kind, caught.value.usage) == ("misfit", Usage(1, 2))


def test_records_of_one_call_are_played_in_order(write: Write) -> None:
    path = write(
        {"prompt": "classify", "fault": "overloaded"},
        record(BILLING, args={"ticket": {"id": "other"}}),
        record(BILLING),
        record(ACCESS),
    )
    provider = ReplayProvider(path)
    with pytest.raises(ModelFault, match="overloaded"):
        play(provider, ask(call=0))
    assert [topic(provider, call=call) for call in (1, 2, 3, 99)] == [
        "billing",
        "access",
        "access",
        "access",
    ]
    # What was played is no state of the provider: another run begins anew.
    with pytest.raises(ModelFault, match="overloaded"):
        play(provider, ask(call=0))


# --- which record answers -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "call", "matches"),
    [
        ({}, T01, True),
        ({"ticket": {"id": "T01"}}, T01, True),
        ({"ticket": {"id": "T01", "age": 3.0}}, T01, True),
        ({"ticket": {"id": "T02"}}, T01, False),
        ({"ticket": {"id": "T01", "more": None}}, T01, False),
        ({"ticket": "T01"}, T01, False),
        ({"ticket": {"id": {"x": 1}}}, T01, False),
        # To JSON these are different, though not to Python.
        ({"ticket": {"urgent": 1}}, T01, False),
        ({"ticket": {"urgent": True}}, T01, True),
        ({"x": 0}, {"x": False}, False),
        ({"x": None}, {"x": None}, True),
        ({"x": None}, {}, False),
        ({"x": ""}, {"x": None}, False),
        ({"x": 0.1}, {"x": Decimal("0.1")}, True),
        # Lists: as a whole, but each element partially.
        ({"docs": []}, {"docs": []}, True),
        ({"docs": []}, {"docs": [1]}, False),
        ({"docs": [1]}, {"docs": [1, 2]}, False),
        ({"docs": [1, 2]}, {"docs": [2, 1]}, False),
        ({"docs": [{"id": 1}]}, {"docs": [{"id": 1, "text": "a"}]}, True),
        ({"docs": [[1], []]}, {"docs": ([1], [])}, True),
        ({"docs": {"0": 1}}, {"docs": [1]}, False),
        ({"map": {}}, {"map": {}}, True),
        ({"map": {}}, {"map": {"a": 1}}, False),
    ],
)
def test_partial_match(
    given: dict[str, Any], call: dict[str, Any], matches: bool, write: Write
) -> None:
    # The others are there for the index to have something to leave out.
    others = [record(ACCESS, args={"ticket": {"id": f"X{i}"}, "y": i}) for i in range(3)]
    provider = ReplayProvider(write(record(args=given), *others))
    if matches:
        assert topic(provider, call) == "billing"
    else:
        with pytest.raises(ModelFault, match="no_recording"):
            play(provider, ask(call))


def test_arguments_that_are_no_json_match_nothing(write: Write) -> None:
    provider = ReplayProvider(write(record(args={"x": None}), record(ACCESS)))
    assert topic(provider, {"x": object()}) == "access"


def test_what_says_more_wins_then_the_first(write: Write) -> None:
    path = write(
        record(ACCESS),
        record(ACCESS, args={"ticket": {"id": "T01"}}),
        record(BILLING, args={"ticket": {"id": "T01", "age": 3}}),
        record(ACCESS, args={"ticket": {"urgent": True, "age": 3}}),
    )
    assert topic(ReplayProvider(path)) == "billing"


def test_tier(write: Write) -> None:
    path = write(
        record(ACCESS, tier="haiku"),
        record(BILLING, tier="opus"),
        record(ACCESS, prompt="other"),
    )
    provider = ReplayProvider(path)
    assert topic(provider, tier="haiku") == "access"
    assert topic(provider, tier="opus", call=1) == "billing"
    with pytest.raises(ModelFault) as caught:
        play(provider, ask(tier="sonnet"))
    assert "only by haiku, opus, not `sonnet`" in caught.value.message


def test_tier_of_a_record_beats_none(write: Write) -> None:
    provider = ReplayProvider(write(record(ACCESS), record(BILLING, tier="haiku")))
    assert topic(provider) == "billing"
    assert topic(provider, tier="opus") == "access"


def test_no_record_says_which_prompt_and_file(write: Write) -> None:
    path = write(record(args={"ticket": {"id": "T02"}}))
    provider = ReplayProvider(path)
    for prompt, told in (("classify", "has 1 recorded calls"), ("reply", "records no answer")):
        with pytest.raises(ModelFault) as caught:
            play(provider, ask(prompt=prompt))
        found = caught.value
        assert (found.kind, found.retryable) == ("no_recording", False)
        assert f"prompt `{prompt}`" in found.message
        assert str(path) in found.message
        assert told in found.message
        assert "T01" not in found.message, "arguments are somebody's data"


class Inner:
    """A provider that answers `access`, or first gives or raises what it is given."""

    name = "inner"

    def __init__(self, *first: ModelFault | ModelAnswer) -> None:
        self.first = list(first)
        self.closed = 0

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        await asyncio.sleep(0)
        if self.first:
            given = self.first.pop(0)
            if isinstance(given, ModelFault):
                raise given
            return given
        return ModelAnswer(ACCESS, Usage(5, 6, 7, 8), "model-x")

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return 55

    async def close(self) -> None:
        self.closed += 1


def test_fallback_answers_what_is_not_recorded(write: Write) -> None:
    inner = Inner()
    provider = ReplayProvider(write(record(args={"ticket": {"id": "T01"}})), inner)

    async def main() -> list[int | None]:
        counts = [await provider.count_tokens(ask()), await provider.count_tokens(ask({}))]
        await provider.close()
        return counts

    assert topic(provider) == "billing"
    assert topic(provider, {}) == "access"
    assert asyncio.run(main()) == [None, 55]
    assert inner.closed == 1


def test_records_are_not_looked_through_for_each_answer(write: Write) -> None:
    grows_no_faster_than(1, lambda count: answers_from(write, count), 200, 4)


def answers_from(write: Write, count: int) -> None:
    path = write(
        *(
            record(
                ACCESS if number % 2 else BILLING,
                args={
                    "ticket": {"id": f"T{number}", "channel": "mail", "urgent": number % 3 == 0},
                    "docs": [{"id": "D1"}, {"id": f"D{number % 7}"}],
                },
            )
            for number in range(count)
        )
    )
    provider = ReplayProvider(path)

    async def main() -> None:
        for number in range(count):
            ticket = {"id": f"T{number}", "channel": "mail", "urgent": number % 3 == 0, "body": "x"}
            docs = [{"id": "D1"}, {"id": f"D{number % 7}"}]
            given = await provider.answer(ask({"ticket": ticket, "docs": docs}))
            assert given.value == (ACCESS if number % 2 else BILLING)

    asyncio.run(main())


# --- the file -------------------------------------------------------------------------------


def test_header_records_and_wrong_share(write: Write) -> None:
    path = write(
        "\ufeff" + json.dumps({"recording": 1, "source": "hand-written", "note": "made up"}),
        "",
        record(correct=True),
        record(correct=True, note="why \u2028 not"),
        record(correct=False),
        record(correct=True),
        record(),
        {"prompt": "classify", "fault": "timeout"},
    )
    provider = ReplayProvider(path)
    assert provider.header == Header("hand-written", "made up")
    assert [found.line for found in provider.records] == [3, 4, 5, 6, 7, 8]
    assert provider.wrong_share == 0.25


def test_file_without_a_header_or_with_nothing(write: Write) -> None:
    assert ReplayProvider(write(record())).header == Header()
    empty = ReplayProvider(write())
    assert (empty.records, empty.wrong_share) == ((), 0.0)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"prompt": "a"', "not JSON"),
        ("[1]", "expected an object"),
        ('{"answer": {}}', "`prompt` is missing"),
        ('{"prompt": 3, "answer": {}}', "expected `prompt` to be a text"),
        ('{"prompt": "a"}', "either `answer` or `fault`"),
        ('{"prompt": "a", "answer": "x", "fault": "timeout"}', "either `answer` or `fault`"),
        ('{"prompt": "a", "anwser": "x"}', "unknown key `anwser`"),
        ('{"prompt": "a", "fault": "tired"}', "unknown `fault`"),
        ('{"prompt": "a", "fault": ["timeout"]}', "unknown `fault`"),
        ('{"prompt": "a", "answer": "x", "args": []}', "expected `args` to be an object"),
        ('{"prompt": "a", "answer": "x", "correct": "yes"}', "expected `correct` to be true or"),
        ('{"prompt": "a", "answer": "x", "correct": 1}', "expected `correct` to be true or false"),
        ('{"prompt": "a", "answer": "x", "usage": {"input": 1}}', "needs `input` and `output`"),
        ('{"prompt": "a", "answer": "x", "usage": {"input": -1, "output": 1}}', "`usage.input`"),
        ('{"prompt": "a", "answer": "x", "usage": {"out": 1}}', "unknown key `out` in `usage`"),
        ('{"prompt": "a", "fault": "timeout", "retry_after": true}', "to be a number"),
        ('{"prompt": "a", "fault": "timeout", "retry_after": -1}', "0 or more"),
        ('{"prompt": "a", "answer": "x", "answer": "y"}', "a key comes twice"),
        ('{"prompt": "a", "answer": {"x": NaN}}', "`NaN` isn't JSON"),
        ('{"prompt": "a", "answer": "x", "calls": []}', "expected either"),
        ('{"prompt": "a", "calls": []}', "expected `calls` to hold a call"),
        ('{"prompt": "a", "calls": {}}', "expected `calls` to be a list"),
        ('{"prompt": "a", "calls": ["look"]}', "each of `calls` to be an object"),
        ('{"prompt": "a", "calls": [{"args": {}}]}', "has no `name`"),
        ('{"prompt": "a", "calls": [{"name": "b", "input": 1}]}', "unknown key `input`"),
        ('{"recording": 1}', "a header belongs on the first line"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_malformed_line(line: str, problem: str, write: Write) -> None:
    path = write(record(), "", line)
    with pytest.raises(RecordingError) as caught:
        ReplayProvider(path)
    assert isinstance(caught.value, ValueError)
    assert (caught.value.file, caught.value.line) == (str(path), 3)
    assert str(caught.value).startswith(f"{path}:3: ")
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"recording": 2}', 'expected `"recording": 1`'),
        ('{"recording": true}', 'expected `"recording": 1`'),
        ('{"recording": 1, "author": "x"}', "unknown key `author` in a header"),
    ],
)
def test_malformed_header(line: str, problem: str, write: Write) -> None:
    with pytest.raises(RecordingError, match="1: ") as caught:
        ReplayProvider(write(line, record()))
    assert problem in str(caught.value)


def test_file_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with pytest.raises(FileNotFoundError):
        ReplayProvider(path)
    path.write_bytes(b'{"prompt": "\xff"}\n')
    with pytest.raises(RecordingError, match="not UTF-8"):
        ReplayProvider(path)


# --- recording ------------------------------------------------------------------------------


def test_recorded_calls_are_played_back(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    billed = ModelFault("misfit", "`topic` said: secret-key", Usage(1, 2))
    inner = Inner(ModelFault("rate_limited", "slow down", retry_after=3.5), billed)
    recorder = RecordingProvider(inner, path)
    assert recorder.name == "inner"
    odd = {"ticket": {"id": "\ud800ä\u2028\n", "amount": Decimal("1.5")}}
    for request in (ask(odd), ask(odd, call=1)):
        with pytest.raises(ModelFault):
            play(recorder, request)
    assert play(recorder, ask(odd, call=2)).model == "model-x"

    provider = ReplayProvider(path)
    assert provider.header == Header("recorded")
    assert len(provider.records) == 3
    with pytest.raises(ModelFault) as caught:
        play(provider, ask(odd))
    assert (caught.value.kind, caught.value.retry_after) == ("rate_limited", 3.5)
    with pytest.raises(ModelFault) as caught:
        play(provider, ask(odd, call=1))
    assert (caught.value.kind, caught.value.usage) == ("misfit", Usage(1, 2))
    given = play(provider, ask(odd, call=2))
    assert (given.value, given.usage, given.model) == (ACCESS, Usage(5, 6, 7, 8), "model-x")

    text = path.read_text()
    assert "secret-key" not in text, "messages may quote anything"
    assert "abcd" not in text, "nor are the prompts' texts needed"


LOOK = ToolSchema("look", None, {"type": "object"})


def test_an_agents_turns_are_played_in_order(write: Write) -> None:
    path = write(
        {
            "prompt": "classify",
            "calls": [{"name": "look", "args": {"q": 1}}, {"id": "x", "name": "look"}],
        },
        {"prompt": "classify", "fault": "overloaded"},
        record(ACCESS),
    )
    provider = ReplayProvider(path)
    first = play(provider, ask(tools=(LOOK,)))
    assert first.value is None
    assert [(call.name, dict(call.arguments)) for call in first.calls] == [
        ("look", {"q": 1}),
        ("look", {}),
    ]
    assert len({call.id for call in first.calls}) == 2
    assert first.usage.input > 0 < first.usage.output
    with pytest.raises(ModelFault, match="overloaded"):
        play(provider, ask(tools=(LOOK,), call=1))
    last = play(provider, ask(tools=(LOOK,), call=2))
    assert (last.value, last.calls) == (ACCESS, ())
    with pytest.raises(ModelFault) as caught:
        play(provider, ask())
    assert caught.value.kind == "misfit", "who has no tools cannot have asked for any"


def test_recorded_turns_are_played_back(tmp_path: Path) -> None:
    calls = (ToolCall("t1", "look", {"q": [1, {"a": None}]}), ToolCall("t2", "look", {}))
    said = [{"type": "tool_use", "signature": "long"}]
    turn = ModelAnswer(None, Usage(7, 8), "model-x", calls=calls, said=said)
    path = tmp_path / "new.jsonl"
    recorder = RecordingProvider(Inner(turn), path)
    assert play(recorder, ask(tools=(LOOK,))) == turn
    play(recorder, ask(tools=(LOOK,), call=1))
    provider = ReplayProvider(path)
    again = play(provider, ask(tools=(LOOK,)))
    assert (again.calls, again.usage, again.model) == (calls, Usage(7, 8), "model-x")
    assert play(provider, ask(tools=(LOOK,), call=1)).value == ACCESS
    assert "signature" not in path.read_text()


def test_recording_is_appended_to_what_is_there(write: Write) -> None:
    path = write(record())
    play(RecordingProvider(Inner(), path), ask({}))
    provider = ReplayProvider(path)
    assert (provider.header, len(provider.records)) == (Header(), 2)


@pytest.mark.skipif(os.name == "nt", reason="no such permissions")
def test_recording_is_for_its_owner(tmp_path: Path) -> None:
    play(RecordingProvider(Inner(), tmp_path / "new.jsonl"))
    assert (tmp_path / "new.jsonl").stat().st_mode & 0o077 == 0


def test_recorders_at_once_leave_whole_lines(tmp_path: Path) -> None:
    path = tmp_path / "new.jsonl"
    recorders = [RecordingProvider(Inner(), path) for _ in range(3)]

    async def main() -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(150):
                request = ask({"ticket": {"id": number, "body": "x" * 3000}})
                group.create_task(recorders[number % 3].answer(request))

    asyncio.run(main())
    assert len(ReplayProvider(path).records) == 150


def test_recorder_passes_the_rest_on(tmp_path: Path) -> None:
    inner = Inner()
    recorder: ModelProvider = RecordingProvider(inner, tmp_path / "new.jsonl")

    async def main() -> int | None:
        count = await recorder.count_tokens(ask())
        await recorder.close()
        return count

    assert asyncio.run(main()) == 55
    assert inner.closed == 1
    assert not (tmp_path / "new.jsonl").exists()
