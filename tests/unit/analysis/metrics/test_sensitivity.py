"""The line of sensitivity: what hard cases that nobody declared could matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

HEAD = '''
provider host { kind simulated available 100% }
tier z { provider host model "m" price $1 in, $1 out transient 0% context 100k tokens }
prompt a(x: text) """{{ x }}"""
role desk { people 1 accuracy 100% responds 1m median, 2m p95 }
'''
EASY, HARD = (0.1 - 0.1 * 0.5) / 0.9, 0.5
"""How often an answer is wrong that is so in 10% of all cases, five times as often if hard."""


def of(tmp_path: Path, body: str) -> dict[str, Any]:
    path = tmp_path / "p.pipe"
    text = f"{HEAD}pipeline p(x: text max 9 tokens) -> text max 9 tokens {{\n{body}\n}}\n"
    path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = report_json([check_file(str(path))])["pipelines"]["p"]
    return found


def step(name: str, given: str, options: str = "accuracy 90%") -> str:
    return f"step {name}: text max 9 tokens = ask a({given}) by z {{ {options} }} else reject"


def mixed(right: Any) -> float:
    """The share of a function of how often an answer is wrong, over both classes."""
    return float(0.1 * right(HARD) + 0.9 * right(EASY))


TOGETHER = {
    "two": (
        f"{step('s', 'x')}\n{step('t', 's')}\nreturn t",
        mixed(lambda e: (1 - e) ** 2),
    ),
    "vote": (
        f"{step('s', 'x', 'accuracy 90% vote 3 correlation 0%')}\nreturn s",
        mixed(lambda e: (1 - e) ** 3 + 3 * e * (1 - e) ** 2),
    ),
    "redo": (
        f"{step('s', 'x', 'accuracy 90% correlation 0%')}\n"
        "gate g: len(s) > 3 { catches 100% false_alarms 0% } else redo s up to 1 else reject\n"
        "return s",
        mixed(lambda e: (1 - e) * (1 + e)),
    ),
    "verifier": (
        f"{step('s', 'x')}\n"
        "gate g: len(s) > 3 { catches 50% false_alarms 0% } else reject\nreturn s",
        0.9,
    ),
}


@pytest.mark.parametrize("name", TOGETHER)
def test_outcomes_if_one_case_in_ten_were_hard(name: str, tmp_path: Path) -> None:
    body, success = TOGETHER[name]
    found = of(tmp_path, body)["sensitivity"]
    assert (found["hard"], found["times"]) == (0.1, 5)
    assert found["outcomes"]["success"]["value"] == pytest.approx(success, abs=1e-12)
    assert sum(one["value"] for one in found["outcomes"].values()) == pytest.approx(1)


@pytest.mark.parametrize(
    "body",
    [
        f"{step('s', 'x')}\nreturn s",
        f"{step('s', 'x')}\n{step('t', 's', '')}\nreturn t",
        f"traffic {{ hard: 5% }}\n{step('s', 'x')}\n{step('t', 's')}\nreturn t",
        f"{step('s', 'x')}\n{step('t', 's', 'accuracy 90%, 60% if hard')}\nreturn t",
        "return x",
    ],
    ids=["one-answer", "unknown", "declared", "declared-by-a-rate", "no-answer"],
)
def test_none_where_nothing_hangs_together_or_it_is_declared(body: str, tmp_path: Path) -> None:
    assert of(tmp_path, body)["sensitivity"] is None


def test_wrong_more_often_than_always_is_always(tmp_path: Path) -> None:
    body = f"{step('s', 'x', 'accuracy 70%')}\n{step('t', 's', 'accuracy 70%')}\nreturn t"
    easy = (0.3 - 0.1) / 0.9
    found = of(tmp_path, body)["sensitivity"]["outcomes"]["success"]["value"]
    assert found == pytest.approx(0.9 * (1 - easy) ** 2, abs=1e-12)
