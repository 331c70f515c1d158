"""Sizes that nothing bounds, beside prices and chances of nothing; and unknowns behind what never
happens. No chance of an endless amount is none of it.
"""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.interfaces.check.check import check_file, report_json
from pipelang.interfaces.runs.compare_simulation import simulated

HEAD = """
provider px { kind simulated available 100% }
tier in_free { provider px price $0 in, $5 out transient 20% latency 1s median, 2s p95 }
tier out_free { provider px price $1 in, $0 out transient 20% latency 1s median, 2s p95 }
tier never {
  provider px price $1 in, $5 out transient 0% latency 1s median, 2s p95 context 9k tokens
}
tier dead {
  provider px price $1 in, $5 out transient 100% latency 1s median, 2s p95 context 9k tokens
}
tool look(q: text) -> text { python "m:f" effect read }
prompt say(q: text) \"\"\"{{ q }}\"\"\"
prompt perhaps(q: text, v: bool) \"\"\"ABCD{% if v %}{{ q }}{% endif %}\"\"\"
"""


def written(folder: Path, body: str, inputs: str = "q: text", traffic: str = "") -> str:
    path = folder / "m.pipe"
    text = f"pipeline main({inputs}) -> text {{\n  traffic {{ {traffic} }}\n{body}\n}}\n"
    path.write_text(HEAD + text, encoding="utf-8")
    return str(path)


def report(folder: Path, body: str, inputs: str = "q: text", traffic: str = "") -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = report_json([check_file(written(folder, body, inputs, traffic))])
    json.dumps(found, allow_nan=False)
    main: dict[str, Any] = found["pipelines"]["main"]
    return main


def test_a_free_prompt_without_end_costs_nothing(tmp_path: Path) -> None:
    asks = "step s: text max 40 tokens = ask say(q) by in_free { accuracy 90% retry 1"
    main = report(tmp_path, f"  {asks} output 20 tokens mean, 40 tokens max }}\n  return s")
    assert main["cost"]["mean"]["value"] == pytest.approx(1.2 * 20 * 5e-6)
    assert main["cost"]["worst"]["value"] == pytest.approx(2 * 40 * 5e-6)
    assert main["cost"]["p50"]["value"] == pytest.approx(20 * 5e-6, rel=0.02)


def test_a_free_answer_without_end_costs_nothing(tmp_path: Path) -> None:
    asks = "  step s: text = ask say(q) by out_free { accuracy 90% retry 1 }\n  return s"
    main = report(tmp_path, asks, "q: text max 60 tokens", "q: 40 tokens mean")
    assert main["cost"]["mean"]["value"] == pytest.approx(1.2 * 40 * 1e-6)
    assert main["tokens"]["mean"]["value"] is None


def test_a_part_that_no_prompt_has_may_be_without_end(tmp_path: Path) -> None:
    asks = "step s: text max 40 tokens = ask perhaps(q, v) by out_free { accuracy 90% }"
    main = report(tmp_path, f"  {asks}\n  return s", "q: text, v: bool", "v: 0%")
    assert main["cost"]["mean"]["value"] == pytest.approx(1e-6)


@pytest.mark.parametrize(
    "action",
    [
        "ask say(q) by TIER { accuracy 90% vote 3 }",
        "ask say(q) by TIER { accuracy 90% vote lead 2 of 3 retry 1 }",
        "ask say(q) by cascade(TIER, dead) until len(it) > 3 { accuracy TIER 90%, dead 95% }",
        "agent say(q) by TIER with look { accuracy 90% steps 3 }",
        'ask say(q) by TIER { retry 1 } else "x"',
    ],
)
@pytest.mark.parametrize("tier", ["in_free", "out_free"])
def test_amounts_without_end_make_no_noise(tmp_path: Path, tier: str, action: str) -> None:
    text = f"  step s: text = {action.replace('TIER', tier)}\n  return s"
    main = report(tmp_path, text)
    assert main["tokens"]["mean"]["value"] is None


@pytest.mark.parametrize(
    "step",
    [
        "ask say(q) by never { accuracy 90% cache 1h by q hits 100% }",
        "ask say(q) by never { accuracy 90% }",
        "ask say(q) by cascade(never, dead) until len(it) > 3 "
        "{ accuracy never 90%, dead 90% catches 100% false_alarms 100% }",
    ],
)
def test_unknowns_behind_what_never_happens(tmp_path: Path, step: str) -> None:
    asks = f'step s: text max 40 tokens = {step} else ask say(q) by never {{ vote 3 }} else "x"'
    body = f"  {asks}\n  step t: text max 40 tokens = ask say(s) by never {{ }}\n  return t"
    main = report(tmp_path, body, "q: text max 60 tokens")
    assert main["outcomes"]["success"]["value"] is None
    assert main["latency"]["p95"]["high"] > 0


@pytest.mark.parametrize("budget", ["", "budget 9k tokens", "budget 9s"])
@pytest.mark.parametrize("tier", ["in_free", "out_free"])
def test_what_nothing_bounds_can_be_simulated(tmp_path: Path, tier: str, budget: str) -> None:
    body = f"  {budget}\n  step s: text = ask say(q) by {tier} {{ accuracy 90% }}\n  return s"
    loaded = pipelang.load(written(tmp_path, body))
    found = simulated(loaded, loaded.program.pipelines["main"], 50, 1, None)
    told = json.loads(json.dumps(found.as_json(), allow_nan=False))
    assert told["cost"]["mean"]["expected"] is None
