"""The rules of `examples/support` that only a run shows: who answers, with what before them."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path

import pytest

import pipelang
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.providers.protocol import ModelAnswer, ModelRequest, Usage
from pipelang.runtime.providers.replay import ReplayProvider

from .test_systems import EXAMPLES, command

HERE = EXAMPLES / "support"


@functools.cache
def program() -> LoadedProgram:
    """Loads it once, and for none who only imports this file."""
    return pipelang.load(HERE / "support.pipe")


class Sorted:
    """Sorts every ticket as told, and answers it."""

    name = "sorted"
    takes = ReplayProvider.takes

    def __init__(self, complexity: str) -> None:
        self.complexity = complexity
        self.asked: list[ModelRequest] = []

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.asked.append(request)
        said = {
            "classify_ticket": {
                "topic": "how_to", "complexity": self.complexity, "sentiment": "neutral",
                "needs_account": False, "dispute": False, "confidence": 0.97,
            },
            "answer_ticket": {"body": "They are in the trash for 30 days.", "confidence": 0.8},
        }[request.prompt]  # fmt: skip
        assert request.answer is not None
        return ModelAnswer(request.answer.model_validate(said), Usage(10, 10), request.model)

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


@pytest.mark.parametrize(
    ("complexity", "tier"), [("simple", "haiku"), ("medium", "sonnet"), ("complex", "opus")]
)
def test_the_model_is_as_large_as_the_question_and_has_the_articles_and_the_history(
    complexity: str, tier: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", str(tmp_path))
    rows = (HERE / "data/tickets.jsonl").read_text("utf-8").splitlines()
    customer = next(
        row["ticket"]["customer"]
        for row in map(json.loads, rows)
        if not row["ticket"]["customer"]["enterprise"]
    )
    ticket = {"id": "x", "body": "How can I restore deleted tasks?", "customer": customer}
    model = Sorted(complexity)
    runtime = pipelang.Runtime(providers=dict.fromkeys(program().program.providers, model))
    result = program().pipeline("handle_ticket", runtime=runtime).run_sync(ticket=ticket)
    assert isinstance(result, pipelang.Escalated)
    assert result.reason == "ready"  # 80%: a draft that a person reads
    assert [one.tier for one in model.asked] == ["haiku", tier]
    asked = model.asked[1].user
    assert 1 <= asked.count("<article>") <= 5
    assert "trash" in asked
    assert " members, billed " in asked  # the customer's history


def test_the_rates_of_hard_tickets_are_those_that_the_fit_prints():
    files = [str(HERE / f"evals/{name}.jsonl") for name in ("kind", "reply")]
    done = command("evidence", "fit", *files, "--hard", "12%")
    assert "pairs of wrong answers at one case: 8 (p = 0.0065; 2.9 expected" in done.stdout
    text = (HERE / "support.pipe").read_text(encoding="utf-8")
    pasted = re.findall(r"^  (accuracy) (.* if hard)   # ", done.stdout, re.MULTILINE)
    assert len(pasted) == 2
    for _, rates in pasted:
        assert f" {rates}\n" in text
