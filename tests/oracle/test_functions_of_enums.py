"""Hold a function that answers an enum to figures by hand: one draw for branch and route."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from .subject import analyse

TEXT = """
use std.tiers
enum Need { simple matching outfit }
patterns for_outfit { "outfit" }
fn need_of(query: untrusted text) -> Need = if query matches for_outfit then outfit else simple
prompt rank(query: untrusted text max 60 tokens) \"\"\" Rank: {{ query }} \"\"\"

pipeline p(query: untrusted text max 60 tokens) -> text max 50 tokens {
  traffic { TRAFFIC }
  let need = need_of(query)
  when odd: need == outfit { reject "no outfits" }
  step best: text max 50 tokens = ask rank(query) by match ROUTE {
    simple => haiku  matching => sonnet  outfit => opus
  } { accuracy haiku 50%, sonnet 100%, opus 100% timeout 1m }
    else "nothing" { accuracy 0% }
  return best
}
"""
FAILS = 1 - 0.999 * 0.995
SHARES = "need: simple 40%, matching 40%, outfit 20%"


@pytest.mark.parametrize("route", ["need", "need_of(query)"])
def test_shares_of_a_call_decide_the_branch_and_the_route(route: str, tmp_path: Path) -> None:
    path = tmp_path / "p.pipe"
    path.write_text(TEXT.replace("TRAFFIC", SHARES).replace("ROUTE", route), "utf-8")
    outcomes = analyse(path)["p"]["outcomes"]
    assert outcomes["rejection"]["value"] == pytest.approx(0.2, abs=1e-12)
    right = (1 - FAILS) * (0.4 * 0.5 + 0.4)
    assert outcomes["success"]["value"] == pytest.approx(right, abs=1e-12)


def test_without_shares_it_is_any_of_its_members(tmp_path: Path) -> None:
    """Before, it was drawn as if it were a bool, and no arm of the route took that."""
    path = tmp_path / "p.pipe"
    path.write_text(TEXT.replace("TRAFFIC", "").replace("ROUTE", "need"), "utf-8")
    outcomes = analyse(path)["p"]["outcomes"]
    assert outcomes["rejection"]["value"] is None
    assert outcomes["rejection"]["high"] == pytest.approx(1.0, abs=1e-9)
    assert outcomes["success"]["high"] == pytest.approx(1 - FAILS, abs=1e-9)


def test_simulated_runs_agree(tmp_path: Path) -> None:
    path = tmp_path / "p.pipe"
    path.write_text(TEXT.replace("TRAFFIC", SHARES).replace("ROUTE", "need"), "utf-8")
    line = [sys.executable, "-m", "pipelang", "simulate", "--runs", "2000", "--format", "json"]
    done = subprocess.run([*line, str(path), "p"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for number in json.loads(done.stdout)["pipelines"]["p"]["outcomes"].values():
        assert number["low"] <= number["expected"] <= number["high"]
