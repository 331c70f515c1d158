"""`run --record` at any maker, `run --replay` at none: what was answered, and by whom, is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelang.interfaces.cli.main import main
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

PROGRAM = """
enum Topic { billing login }
provider lab { kind MAKER key "env:LAB_KEY" base_url "URL" available 99% }
tier small {
  provider lab model "MODEL" price $1 in, $2 out latency 1s median, 5s p95
  transient 1% context 100k tokens as_of "2026-11-29"
}
prompt sort(ticket: text) \"\"\"Sort {{ ticket }}.\"\"\"
pipeline main(ticket: text max 20 tokens) -> Topic {
  step kind: decision Topic = ask sort(ticket) by small {
    accuracy 90% retry 1 backoff 1s..1s timeout 9s output 100 tokens max
  } else reject
  gate sure: kind.confidence >= 70% else reject
  return kind.value
}
"""
MAKERS = [
    ("anthropic", MessagesDialect()),
    ("openai", ResponsesDialect()),
    ("openai_compatible", ChatDialect()),
    ("google", GoogleDialect()),
]
GOOD = {"value": "login", "confidence": 0.9}


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("LAB_KEY", KEY)
    return tmp_path


def written(maker: str, url: str, model: str) -> None:
    text = PROGRAM.replace("MAKER", maker).replace("URL", url).replace("MODEL", model)
    Path("main.pipe").write_text(text, encoding="utf-8")


def run(capsys: pytest.CaptureFixture[str], *more: str) -> tuple[int, dict[str, object], str]:
    code = main(["run", "main.pipe", "--input", '{"ticket": "help"}', *more])
    said = capsys.readouterr()
    try:
        told = json.loads(said.out)
    except ValueError:
        told = {}
    return code, told, said.err + ("" if told else said.out)


@pytest.mark.parametrize(("maker", "dialect"), MAKERS)
def test_what_one_maker_answered_is_played_at_any_other(
    maker: str, dialect: Dialect, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultServer(dialect, Reply.status(503), Reply.answer(GOOD)) as server:
        written(maker, server.url, "model-1")
        code, live, said = run(capsys, "--record", "kept/one.jsonl", "--format", "json")
        assert code == 0, said
        assert len(server.requests) == 2
    header, fault, answer = map(json.loads, Path("kept/one.jsonl").read_text().splitlines())
    assert header["source"] == "recorded"
    assert fault["fault"] in ("overloaded", "server")
    assert (answer["answer"], answer["model"]) == (GOOD, "model-1")
    assert KEY not in Path("kept/one.jsonl").read_text()
    # Nobody is asked: the address is nobody's, and the key is gone.
    other = MAKERS[(MAKERS.index((maker, dialect)) + 1) % len(MAKERS)][0]
    written(other, "http://127.0.0.1:9", "model-2")
    code, played, said = run(capsys, "--replay", "kept/one.jsonl", "--format", "json")
    assert code == 0, said
    for key in ("outcome", "value", "cost"):
        assert played.get(key) == live.get(key)
    assert played["provider"] == "replay"
    code, _, said = run(capsys, "--replay", "kept/one.jsonl")
    assert "`small` was model-1 then and is model-2 now" in said


def test_a_probability_is_played_as_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Where its confidence is from belongs to an answer."""
    lines = [
        {"recording": 1},
        {"prompt": "sort", "answer": {"value": "login", "confidence": 0.9}, "probabilities": True},
    ]
    Path("r.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    written("openai", "http://127.0.0.1:9", "gpt-6-luna")
    code, _, said = run(capsys, "--replay", "r.jsonl")
    assert code == 0, said
    (trace,) = Path(".pipelang/traces").rglob("*.jsonl")
    events = [json.loads(line) for line in trace.read_text().splitlines()]
    answers = [event["data"] for event in events if event.get("kind") == "answer"]
    assert [data["confidence_from"] for data in answers] == ["probabilities"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--record", "a.jsonl", "--replay", "b.jsonl"), "exclude each other"),
        (("--record", "a.jsonl", "--provider", "simulated"), "needs `--provider real`"),
        (("--replay", "a.jsonl", "--provider", "real"), "needs `--provider replay`"),
        (("--replay", "a.jsonl"), "there is no recording: a.jsonl"),
        (("--record", "main.pipe"), "is no recording"),
        (("--record", "main.pipe/x.jsonl"), "cannot be written"),
    ],
)
def test_bad_recordings_are_told_before_anything_runs(
    words: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    written("anthropic", "http://127.0.0.1:9", "model-1")
    code, _, said = run(capsys, *words)
    assert code == 2
    assert told in said


def test_without_a_key_there_is_nothing_to_record(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_KEY")
    written("anthropic", "http://127.0.0.1:9", "model-1")
    code, _, said = run(capsys, "--record", "a.jsonl")
    assert code == 2
    assert "no key is set" in said
    assert not Path("a.jsonl").exists()
