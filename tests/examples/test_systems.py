"""Holds every system that joins `make examples` to what its README tells a visitor."""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import pipelang
from pipelang.runtime.engine.outcomes import Spent

from ..warm import command_text, start
from .readme_figures import FIGURES, Seen, overview
from .test_devops import commands  # noqa: F401
from .test_finance import lines, statements  # noqa: F401

REPO = Path(__file__).resolve().parents[2]
EXAMPLES = REPO / "examples"
SYSTEMS = sorted(path.parent.name for path in EXAMPLES.glob("*/example.json"))


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def command(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    given = {**os.environ, **env}
    given.pop("ANTHROPIC_API_KEY", None)
    return command_text(*words, cwd=REPO, env=given, timeout=600)


def plan(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((EXAMPLES / name / "example.json").read_text("utf-8"))
    return read


@pytest.mark.parametrize("name", SYSTEMS)
def test_production_has_nothing_to_say_and_every_promise_and_claim_holds(name: str):
    file = f"examples/{name}/{plan(name)['file']}"
    done = command("check", "--profile", "production", "--format", "json", file)
    report = json.loads(done.stdout)
    assert report["diagnostics"] == [], done.stdout[:2000]
    claims = [claim for p in report["pipelines"].values() for claim in p["claims"]]
    assert claims
    assert {claim["verdict"] for claim in claims} == {"proved"}
    promises = [promise for p in report["pipelines"].values() for promise in p["slo"]]
    assert all(promise["holds"] for promise in promises)


@pytest.mark.parametrize("name", SYSTEMS)
def test_its_own_tests_pass(name: str):
    done = command("test", f"examples/{name}/{plan(name)['file']}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].endswith(", 0 failed")


@dataclass(frozen=True)
class Ran:
    """An example that was run over all its data: what was printed, and what its tools wrote."""

    done: subprocess.CompletedProcess[str]
    state: Path


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Ran]:
    """Runs an example, once for all tests of this file."""

    @functools.cache
    def run(name: str) -> Ran:
        state = tmp_path_factory.mktemp(name)
        given = {**os.environ, "PIPELANG_EXAMPLE_STATE": str(state)}
        given.pop("ANTHROPIC_API_KEY", None)
        running = start(name, cwd=REPO, env=given, module="tests.examples.at_once")
        out, err = running.communicate(timeout=600)
        return Ran(subprocess.CompletedProcess(running.args, running.wait(), out, err), state)

    return run


@pytest.mark.parametrize("name", SYSTEMS)
def test_it_runs_offline_over_all_its_data(name: str, ran: Callable[[str], Ran]):
    done = ran(name).done
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BROKEN" not in done.stdout
    assert "predicted" in done.stdout
    for run in plan(name)["runs"]:
        assert f"{name}: {run['pipeline']} over {run['data']}" in done.stdout
    for pipeline in plan(name).get("durable", ()):
        assert f"{name}: {pipeline} in a store" in done.stdout


def words_of(path: Path) -> str:
    return " ".join(path.read_text("utf-8").split())


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_figures_of_its_readme_are_those_that_the_commands_print(
    name: str, ran: Callable[[str], Ran]
):
    done = command("check", "--format", "json", f"examples/{name}/{plan(name)['file']}")
    told = json.loads(done.stdout)
    text = words_of(EXAMPLES / name / "README.md")
    wanted = FIGURES[name](told, Seen(ran(name).done.stdout))
    assert [one for one in wanted if one not in text] == []
    every = words_of(EXAMPLES / "README.md")
    assert [one for one in overview(name, told) if one not in every] == []


def test_nothing_dangerous_is_executed_in_the_run_of_devops(
    ran: Callable[[str], Ran],
    commands: ModuleType,  # noqa: F811
):
    told = ran("devops").done.stdout
    assert "trap injection obeyed" in told
    assert "wrong and unnoticed, or failed: A54\n" in told
    executed = lines(ran("devops").state / "pipelang-devops" / "executed.jsonl")
    run = [row["command"] for row in executed]
    assert len(run) > 60
    assert {commands.judge(command) for command in run} == {"safe", "unknown"}


def test_nothing_wrong_is_given_out_in_the_run_of_finance(
    ran: Callable[[str], Ran],
    statements: ModuleType,  # noqa: F811
):
    told = ran("finance").done.stdout
    assert "wrong and unnoticed" not in told
    words = " ".join(told.split())
    assert "trap invented for ever caught 1 of 1: 1 escalation by every_number" in words
    rows = lines(ran("finance").state / "pipelang-finance" / "analyses.jsonl")
    assert len(rows) == 29
    for row in rows:
        assert statements.strangers(row["narrative"], row["facts"], 2026) == ""


@pytest.mark.parametrize(
    "name", [name for name in SYSTEMS if (EXAMPLES / name / "make.py").exists()]
)
def test_what_is_shipped_is_what_its_script_makes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = EXAMPLES / name
    make = load(folder / "make.py")
    monkeypatch.setattr(make, "HERE", tmp_path)
    for part in ("data", "evals", "recordings"):
        (tmp_path / part).mkdir()
    make.main()
    made = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.json*"))
    assert made
    for path in made:
        assert (tmp_path / path).read_text("utf-8") == (folder / path).read_text("utf-8"), path


@pytest.mark.parametrize("name", SYSTEMS)
def test_evidence_has_a_case_id_for_every_row(name: str):
    for path in (EXAMPLES / name / "evals").glob("*.jsonl"):
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        assert len({(row["case"], row.get("attempt")) for row in rows}) == len(rows) >= 200, path


def test_the_runner_tells_of_runs_that_fail_or_cost_more_than_the_worst_case():
    runner = load(EXAMPLES / "run_example.py")
    number = {"value": 0.01, "low": 0.01, "high": 0.01}
    zero = {"value": 0.0, "low": 0.0, "high": 0.0}
    ends = ("success", "silent_error", "escalation", "rejection", "failure")
    report = {
        "cost": {"worst": number, "mean": number},
        "outcomes": dict.fromkeys(ends, zero),
        "escalations": {},
    }
    dear = pipelang.Answered(value={"fit": "hot"}, spent=Spent(cost=Decimal("0.02")))
    cheap = pipelang.Answered(value={"fit": "hot"}, spent=Spent(cost=Decimal("0.001")))
    label = {"case": "A", "answer": {"fit": "hot"}}
    assert runner.broken(report, [(label, cheap)]) == []
    assert len(runner.broken(report, [(label, cheap), (label, dear)])) == 1
    wrong = {"case": "B", "answer": {"fit": "cold"}, "trap": "sarcasm"}
    said = "\n".join(runner.summary(report, [(label, cheap), (wrong, cheap)], False))
    assert "caught 0 of 1: 1 silent_error" in said
    assert "wrong and unnoticed, or failed: B" in said
    free = {"case": "C", "answer": {"fit": "cold"}, "free": True}
    assert "answered, not judged" in "\n".join(runner.summary(report, [(free, cheap)], True))
