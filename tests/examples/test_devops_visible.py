"""What engineers see of the devops example: its audit trail, and its steps while they go on."""

from __future__ import annotations

import asyncio
import functools
import json
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.providers.replay import ReplayProvider

from .test_devops import DEVOPS, lines
from .test_systems import command


@functools.cache
def devops() -> LoadedProgram:
    """The example with its promises checked, which takes seconds."""
    return pipelang.load(DEVOPS / "devops.pipe")


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where `execute` writes what it carried out."""
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", str(tmp_path))
    return tmp_path / "pipelang-devops" / "executed.jsonl"


def commands(executed: Path) -> list[str]:
    if not executed.exists():
        return []
    return [json.loads(line)["command"] for line in executed.read_text("utf-8").splitlines()]


class Engineer:
    """Says yes or no, and keeps what was shown and what had been executed by then."""

    def __init__(self, yes: bool, executed: Path) -> None:
        self.yes = yes
        self.executed = executed
        self.seen: list[tuple[str, list[str]]] = []

    async def decide(self, run_id: str, question: pipelang.Question) -> pipelang.Decision | None:
        shown = question.shown
        assert isinstance(shown, dict)
        self.seen.append((shown["command"], commands(self.executed)))
        return pipelang.Decision(yes=self.yes, by="olga")

    async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
        return None


def on_call(engineer: Engineer, audit: Path) -> pipelang.Handle:
    played = ReplayProvider(DEVOPS / "recordings/devops.jsonl")
    runtime = pipelang.Runtime(
        providers=dict.fromkeys(devops().program.providers, played),
        people=engineer,
        sinks=(pipelang.AuditLog(str(audit)),),
    )
    return devops().pipeline("handle", runtime=runtime)


def alert(case: str) -> dict[str, Any]:
    (found,) = (row["alert"] for row in lines("data/alerts.jsonl") if row["alert"]["id"] == case)
    return dict(found)


def test_the_audit_trail_has_each_step_after_its_gates_and_who_allowed_it(
    executed: Path, tmp_path: Path
):
    audit = tmp_path / "audit.jsonl"
    engineer = Engineer(True, executed)
    result = on_call(engineer, audit).run_sync(alert=alert("A07"))
    assert isinstance(result, pipelang.Answered)
    entries = [json.loads(line) for line in audit.read_text("utf-8").splitlines()]
    effects = [at for at, entry in enumerate(entries) if entry["kind"] == "effect"]
    assert len(effects) == len(commands(executed)) == 3
    by = []
    for at in effects:
        step = entries[at]["name"].removesuffix("/output")
        before = {entry["name"]: entry for entry in entries[:at]}
        assert before[f"{step}/not_dangerous"]["data"]["passed"]
        by.append(before[f"{step}/allowed"]["data"].get("by"))
    ((asked, _),) = engineer.seen
    assert by == ["olga" if one == asked else None for one in commands(executed)]
    assert asked not in audit.read_text("utf-8")  # values are there as hashes
    assert entries[-1]["kind"] == "outcome"


def test_nobody_can_change_the_trail_unseen(executed: Path, tmp_path: Path):
    audit = tmp_path / "audit.jsonl"
    on_call(Engineer(True, executed), audit).run_sync(alert=alert("A07"))
    assert command("audit", "verify", str(audit)).returncode == 0
    text = audit.read_text("utf-8")
    at = 1 + next(n for n, line in enumerate(text.splitlines()) if '"olga"' in line)
    audit.write_text(text.replace('"olga"', '"otto"'), encoding="utf-8")
    done = command("audit", "verify", str(audit))
    assert done.returncode == 1
    assert f"{at}" in done.stdout + done.stderr


def test_each_step_is_seen_while_it_goes_on_and_a_refused_one_is_never_begun(
    executed: Path, tmp_path: Path
):
    engineer = Engineer(False, executed)
    handle = on_call(engineer, tmp_path / "audit.jsonl")
    seen: list[tuple[Any, list[str]]] = []

    async def watch() -> None:
        async for update in handle.stream(alert=alert("A34")):
            seen.append((update, commands(executed)))

    asyncio.run(watch())
    updates = [update for update, _ in seen]
    ((asked, before),) = engineer.seen
    waiting = [
        done
        for update, done in seen
        if update.phase == "waiting for a person" and "done[1]/done/allowed" in update.step
    ]
    assert waiting == [before]  # it stands there before anybody has said a word
    assert asked not in before
    acting = [update.step for update in updates if update.phase == "acting"]
    assert acting == ["done[0]/done/output"]
    assert [one.can_cancel for one in updates if one.phase == "acting"] == [False]
    assert commands(executed) == before
    result = updates[-1].result
    assert isinstance(result, pipelang.Escalated)
    assert result.reason == "act.allowed"
    progress = [update.progress for update in updates]
    assert progress == sorted(progress)
