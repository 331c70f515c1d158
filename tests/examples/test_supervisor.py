"""The tools of `examples/supervisor`, and the loop that is stopped."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.runtime.providers.replay import ReplayProvider
from pipelang.runtime.shared.memory_store import Sqlite

from .test_systems import EXAMPLES, command, load

HERE = EXAMPLES / "supervisor"
TOOLS = load(HERE / "tools.py")


@pytest.mark.parametrize(
    ("body", "parcel"),
    [
        ("Where is NL-100001?", "NL-100001"),
        ("nl 100002 please", "NL-100002"),
        ("NL100003", "NL-100003"),
        ("NL-10000", ""),  # a digit short
        ("NL-1000001", ""),  # a digit too many
        ("XNL-100001", ""),
        ("", ""),
        ("NL-100016 (and NL-100017)", "NL-100016"),
    ],
)
def test_parcel_numbers_are_found_as_people_write_them(body: str, parcel: str):
    assert TOOLS.parcel_in(body) == parcel


@pytest.mark.parametrize(
    ("answer", "stands"),
    [
        ("It is $84.00.", True),
        ("It is $84.", True),  # the same sum
        ("84.00 USD", True),
        ("$1,204.50 in all", True),
        ("It is $840.00", False),
        ("$1.204", False),
        ("no sum at all", True),
    ],
)
def test_sums_are_compared_as_sums(answer: str, stands: bool):
    assert TOOLS.amounts_stand(answer, ["freight: $84.00", "all: $1,204.50"]) is stands


def test_a_parcel_of_somebody_else_is_as_unknown_as_none():
    assert TOOLS.find_parcel("a01", "NL-100001")["id"] == "NL-100001"
    for account, parcel in (("a02", "NL-100001"), ("a01", "NL-999999"), ("a01", "")):
        with pytest.raises(LookupError):
            TOOLS.find_parcel(account, parcel)


def test_the_same_key_books_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", str(tmp_path))
    for key in ("r1/booked/0", "r1/booked/0", "r2/booked/0"):
        TOOLS.book_return("NL-100040", key)
    rows = (tmp_path / "returns.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(row)["key"] for row in rows] == ["r1/booked/0", "r2/booked/0"]


def test_the_loop_of_the_report_costs_dollars_and_with_a_budget_cents():
    program = pipelang.load(HERE / "fragile.pipe")
    replay = ReplayProvider(HERE / "recordings/fragile.jsonl")
    runtime = pipelang.Runtime(providers=dict.fromkeys(program.program.providers, replay))

    async def cost(name: str) -> tuple[float, str]:
        result = await program.pipeline(name, runtime=runtime).run(parcel="NL-100026")
        assert isinstance(result, pipelang.Escalated)
        return float(result.cost), result.reason

    dear, loop = asyncio.run(cost("runaway"))
    cheap, stopped = asyncio.run(cost("stopped"))
    assert (loop, stopped) == ("found", "budget")
    assert dear > 4
    assert 0 < cheap <= 0.02


def test_the_next_request_of_a_conversation_may_come_to_another_process(tmp_path: Path):
    """Nothing of a conversation is in the supervisor: what it has to know lies in the store."""

    class Told(ReplayProvider):
        def __init__(self) -> None:
            super().__init__(HERE / "recordings/supervisor.jsonl")
            self.asked: list[Any] = []

        async def answer(self, request: Any) -> Any:
            if request.prompt == "route_request":
                self.asked.append(request.user)
            return await super().answer(request)

    def fresh(store: Path) -> list[str]:
        """Answer a request in a process of its own, as far as pipelang can tell."""
        program = pipelang.load(HERE / "supervisor.pipe")
        told = Told()
        runtime = pipelang.Runtime(
            providers=dict.fromkeys(program.program.providers, told), memories=Sqlite(store)
        )
        request = {"id": "R01", "account": "a01", "body": "Where is NL-100001?", "session": "s1"}
        result = program.pipeline("handle", runtime=runtime).run_sync(request=request)
        assert isinstance(result, pipelang.Answered)
        return told.asked

    (first,), (second,) = fresh(tmp_path / "a.db"), fresh(tmp_path / "a.db")
    (alone,) = fresh(tmp_path / "b.db")
    assert first == alone != second
    assert second.count("tracking") == first.count("tracking") + 1


def test_four_steps_at_95_percent_are_what_they_are_and_more_where_errors_fall_together():
    done = command("check", "examples/supervisor/fragile.pipe", "--format", "json")
    found = json.loads(done.stdout)["pipelines"]
    right = {name: one["outcomes"]["success"]["value"] for name, one in found.items()}
    assert right["four_steps"] == pytest.approx(0.95**4)
    assert right["five_steps"] == pytest.approx(0.95**5)
    assert right["four_steps_some_hard"] == pytest.approx(0.9 * 0.97**4 + 0.1 * 0.77**4)


def test_the_golden_set_passes_but_for_the_case_that_the_readme_names():
    file = "examples/supervisor/supervisor.pipe"
    golden = ("golden", file, "--set", "examples/supervisor/golden.jsonl", "--format", "json")
    done = command(*golden, "--least", "98%")
    assert done.returncode == 0, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert (said["cases"], said["passed"]) == (60, 59)
    assert [one["case"] for one in said["failed"]] == ["R57"]
    assert command(*golden).returncode == 1
