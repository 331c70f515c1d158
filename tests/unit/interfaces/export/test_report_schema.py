"""`check --format json` says what `docs/schemas/report.schema.json` promises.

The reports of all examples are held against it in `tests/e2e/test_contract.py`, which has them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipelang.diagnostics.render import dumps
from pipelang.interfaces.check.advice import with_advice
from pipelang.interfaces.check.check import check_file, report_json
from pipelang.interfaces.cli.check.report import check_report

from ....memory import MemoryLoader
from .stage import NASTY, REPO, WIDE

SCHEMA = json.loads((REPO / "docs" / "schemas" / "report.schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

UNKNOWN = """\
provider acme { kind simulated }
tier small { provider acme model "s" price $1 in, $5 out context 8k tokens }
role desk { people 2 }
type Answer { body: text max 100 tokens  confidence: probability }
prompt answer(q: text) \"\"\"{{ q }}\"\"\"

pipeline reply(q: text max 200 tokens, vip: bool) -> Answer {
  slo { success >= 90%  failure <= 5% }
  gate plain: not vip else escalate to desk
  step draft: Answer = ask answer(q) by small { timeout 10s retry 1 } else escalate to desk
  gate good: draft.confidence >= 70% else escalate to desk "not sure"
  return draft
}
"""
BROKEN = "pipeline broken() -> text { retrun 1 }\nenum E { a a }\n"


def report(text: str) -> dict[str, Any]:
    loader = MemoryLoader({"e.pipe": text, "rows.jsonl": '{"confidence": 0.9, "correct": true}\n'})
    # As it is printed: what JSON cannot hold would not come so far.
    made: dict[str, Any] = json.loads(dumps(report_json([check_file("e.pipe", loader)])))
    return made


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_the_report_of_unknown_numbers():
    found = report(UNKNOWN)
    VALIDATOR.validate(found)
    success = found["pipelines"]["reply"]["outcomes"]["success"]
    assert success["value"] is None
    assert success["basis"] == "unknown"


@pytest.mark.parametrize("text", [BROKEN, "", "\x00", WIDE, NASTY])
def test_the_report_of_any_file(text: str):
    VALIDATOR.validate(report(text))


def test_the_report_of_a_broken_file():
    found = report(BROKEN)
    VALIDATOR.validate(found)
    assert found["pipelines"] == {}
    assert found["diagnostics"]


def test_the_report_of_what_is_not_there():
    found = check_report(["nowhere.pipe"])
    VALIDATOR.validate(found)
    assert found["diagnostics"][0]["line"] is None


def test_the_example_of_the_design_fits():
    """The JSON that the design shows, with its blanks filled in."""
    number = {"value": 0.71, "low": 0.69, "high": 0.73, "mean": 0.708, "basis": "measured"}
    outcomes = ("success", "silent_error", "escalation", "rejection", "failure")
    quantiles = dict.fromkeys(("mean", "p50", "p95", "p99", "worst"), number)
    pipeline = {
        "outcomes": dict.fromkeys(outcomes, number),
        **dict.fromkeys(("coverage", "selective_risk", "availability", "wrong_effect"), number),
        "escalations": {"sure": number},
        "cost": {**quantiles, "month": number, "baseline": {"opus": number}},
        "latency": quantiles,
        "turnaround": quantiles,
        "tokens": {"mean": number, "worst": number},
        "slo": [
            {
                "metric": "success",
                "op": ">=",
                "target": 0.6,
                "when": None,
                "holds": True,
                "probability": 0.99,
            }
        ],
        "steps": [
            {
                "name": "kind",
                "reached": number,
                "importance": {"success": number, "silent_error": number},
                "cost_mean": number,
            }
        ],
        "claims": [
            {
                "claim": "send_reply only after good",
                "verdict": "proved",
                "by": ["good"],
                "path": [],
            }
        ],
        "advice": [
            {"change": "x", "metric": "success", "from": 0.71, "to": 0.76, "cost_delta": 0.0003}
        ],
        "what_if": [],
    }
    diagnostic = {
        "code": "P201",
        "name": "unknown-name",
        "severity": "error",
        "message": "...",
        "help": "...",
        "file": "x.pipe",
        "line": 3,
        "column": 8,
        "end_line": 3,
        "end_column": 12,
    }
    VALIDATOR.validate(
        {
            "version": 1,
            "diagnostics": [diagnostic],
            "pipelines": {"handle_ticket": pipeline},
            "review": {"support": {"utilisation": number, "wait_p95": number}},
        }
    )
    broken = {**pipeline, "coverage": 0.5}
    assert not VALIDATOR.is_valid(
        {"version": 1, "diagnostics": [], "pipelines": {"p": broken}, "review": {}}
    )


@pytest.mark.parametrize("everything", [False, True])
def test_advice_and_what_if_are_as_promised(everything: bool) -> None:
    loader = MemoryLoader({"a.pipe": UNKNOWN})
    unknown = report_json(with_advice([check_file("a.pipe", loader)], everything))
    known = check_file(str(REPO / "examples" / "gallery" / "02_fallback.pipe"))
    told = report_json(with_advice([known], everything))
    for found in (unknown, told):
        VALIDATOR.validate(json.loads(dumps(found)))
    assert unknown["pipelines"]["reply"]["what_if"]
    assert unknown["pipelines"]["reply"]["widening"]
    assert all(one["advice"] for one in told["pipelines"].values())


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """The object of `pairs`. JSON readers take the last of two equal keys without a word."""
    names = [name for name, _ in pairs]
    assert len(set(names)) == len(names), [name for name in names if names.count(name) > 1]
    return dict(pairs)


@pytest.mark.parametrize(
    "path", sorted((REPO / "docs/schemas").glob("*.json")), ids=lambda p: p.stem
)
def test_a_schema_says_everything_once(path: Path) -> None:
    json.loads(path.read_text("utf-8"), object_pairs_hook=_once)
