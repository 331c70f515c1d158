"""Tiers that stand in for others: one program, unchanged, at each maker."""

from __future__ import annotations

import json
import shutil
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

from ..warm import command_text

SUPPORT = Path(__file__).resolve().parents[2] / "examples" / "support"

TICKET = ("--input", "@support/data/tickets.jsonl", "--line", "1")

KIND = {
    "topic": "login",
    "complexity": "medium",
    "sentiment": "neutral",
    "needs_account": False,
    "dispute": False,
    "confidence": 0.97,
}
REPLY = {"body": "Use the button.", "confidence": 0.95}

SPARE = """
provider spare { kind MAKER key "env:SPARE_KEY" base_url "URL" available 99% }
tier spare_small {
  provider spare model "small-1" price $1 in, $2 out latency 1s median, 5s p95
  transient 1% context 100k tokens as_of "2026-11-29"
}
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the example, and no key but that of the local server."""
    shutil.copytree(SUPPORT, tmp_path / "support")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("SPARE_KEY", KEY)
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command."""
    code = main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.mark.parametrize(
    ("maker", "dialect"),
    [
        ("anthropic", MessagesDialect()),
        ("openai", ResponsesDialect()),
        ("openai_compatible", ChatDialect()),
        ("google", GoogleDialect()),
    ],
)
def test_the_example_runs_at_every_maker(
    maker: str, dialect: Dialect, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = place / "support" / "support.pipe"
    before = file.read_text(encoding="utf-8")
    with FaultServer(dialect, Reply.answer(KIND), Reply.answer(REPLY)) as server:
        spare = SPARE.replace("MAKER", maker).replace("URL", server.url)
        file.write_text(before + spare, encoding="utf-8")
        code, out, err = call(
            capsys,
            *(
                "run",
                "support/support.pipe",
                "handle_ticket",
                *TICKET,
                "--provider",
                "real",
                "--people",
                "nobody",
                "--format",
                "json",
            ),
            *("--tier", "haiku=spare_small", "--tier", "sonnet=spare_small"),
            *("--tier", "opus=spare_small"),
        )
        asked = [dialect.texts(seen.body) for seen in server.requests]
        models = [(seen.body.get("model"), seen.path) for seen in server.requests]
    assert code == 0, err
    result = json.loads(out)
    assert result["outcome"] == "answered", result
    assert result["value"]["body"] == "Use the button."
    assert len(asked) == 2
    assert "Forgot password" in " ".join(asked[0])
    assert all("small-1" in f"{model} {path}" for model, path in models)
    # By the prices of the tier that stands in: 12 tokens in and 34 out, twice.
    assert float(result["cost"]) == pytest.approx(2 * (12 * 1 + 34 * 2) / 1e6)


def test_without_a_key_it_is_replayed_and_says_whose_answers_these_are(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = place / "support" / "recordings" / "support.jsonl"
    records = [{"recording": 1, "source": "recorded"}]
    records += [{"prompt": "classify_ticket", "tier": "haiku", "answer": KIND}]
    records += [{"prompt": "answer_ticket", "tier": "sonnet", "answer": REPLY}]
    for record in records[1:]:
        record["model"] = "claude-haiku-5-5-20260901"
    recording.write_text("\n".join(map(json.dumps, records)) + "\n", encoding="utf-8")
    line = ("run", "support/support.pipe", "handle_ticket", *TICKET)
    code, _, err = call(capsys, *line, "--tier", "haiku=luna")
    assert code == 0, err
    assert "tier `haiku` is `luna` (gpt-6-luna at openai)" in err
    assert "`haiku` was claude-haiku-5-5-20260901 then and is gpt-6-luna now" in err
    assert "`sonnet` was claude-haiku-5-5-20260901 then and is claude-sonnet-5-5 now" in err
    code, _, err = call(capsys, *line)
    assert "`haiku` was" not in err


def test_a_kept_program_is_that_of_its_tiers(
    place: Path,
) -> None:
    def run(*more: str) -> str:
        line = ["run", "support/support.pipe", "handle_ticket", *TICKET, "--provider", "real"]
        return command_text(*line, *more).stderr

    assert "ANTHROPIC_API_KEY" in run()
    all_ = ["--tier", "haiku=luna", "--tier", "sonnet=luna", "--tier", "opus=luna"]
    assert "nothing is behind env:OPENAI_API_KEY" in run(*all_)
    assert "ANTHROPIC_API_KEY" in run()
    assert "nothing is behind env:OPENAI_API_KEY" in run(*all_)


def test_check_counts_with_the_prices_of_the_tier_that_stands_in(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, out, _ = call(capsys, "check", "support/support.pipe", "--format", "json")
    dear = json.loads(out)["pipelines"]["handle_ticket"]["cost"]["mean"]["value"]
    every = [
        word for name in ("haiku", "sonnet", "opus") for word in ("--tier", f"{name}=local_small")
    ]
    _, out, _ = call(capsys, "check", "support/support.pipe", "--format", "json", *every)
    free = json.loads(out)["pipelines"]["handle_ticket"]["cost"]["mean"]["value"]
    assert dear > 0
    assert free == 0
    _, out, _ = call(capsys, "check", "support/support.pipe", *every)
    assert "tier `opus` is `local_small` (qwen3:4b at local)" in out


def test_two_tiers_change_places(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = ("check", "support/support.pipe", "--tier", "haiku=opus", "--tier", "opus=haiku")
    _, out, _ = call(capsys, *line)
    assert "tier `haiku` is `opus` (claude-opus-5-5 at anthropic)" in out
    assert "tier `opus` is `haiku` (claude-haiku-5-5 at anthropic)" in out


@pytest.mark.parametrize("command", ["check", "test", "simulate", "run"])
@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("haiku=nowhere", "unknown tier `nowhere`"),
        ("haiku=local_smal", "did you mean `local_small`?"),
        ("tiny=luna", "there are: haiku, sonnet, opus"),
        ("haiku=support", "unknown tier `support`"),
        ("haiku", "expected TIER=TIER, as in haiku=local_small, found `haiku`"),
        ("haiku=", "found `haiku=`"),
    ],
)
def test_names_that_are_none_are_told_with_what_there_is(
    command: str, given: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, command, "support/support.pipe", "--tier", given)
    assert code in (1, 2)
    assert told in out + err
    assert "Traceback" not in err


@pytest.mark.parametrize("command", ["test", "simulate"])
def test_tests_and_simulations_take_it_too(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    more = ("--runs", "300") if command == "simulate" else ()
    code, out, err = call(
        capsys, command, "support/support.pipe", "--tier", "haiku=local_small", *more
    )
    assert code == 0, out + err
    if command == "simulate":
        assert "tier `haiku` is `local_small`" in err
