"""What a tier without a price costs is unknown: null in JSON and in words on screen, never $0."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from pipelang.runtime.worlds.recorded.strands import amount_from, amount_json, plus
from tests.warm import command_text

PROGRAM = """
provider lab { kind simulated }
tier free { provider lab model "m" latency 1s median transient 0% context 9k tokens }
tier dear {
  provider lab model "m" price $1 in, $5 out latency 1s median transient 0% context 9k tokens
}
prompt say(x: text max 9 tokens) \"\"\"Say {{ x }}\"\"\"
pipeline main(x: text max 9 tokens) -> text {
  step a: text max 9 tokens = ask say(x) by dear { accuracy 90% }
  step s: text max 9 tokens = ask say(x) by TIER { accuracy 90% }
  return s
}
"""


def told(folder: Path, tier: str, *more: str) -> str:
    path = folder / "p.pipe"
    path.write_text(PROGRAM.replace("TIER", tier))
    state = str(folder / "state")
    return said("run", str(path), "--input", '{"x": "hi"}', "--state", state, *more)


def said(*arguments: str) -> str:
    done = command_text(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_says_that_its_cost_is_unknown(tmp_path: Path) -> None:
    found = json.loads(told(tmp_path, "free", "--format", "json"))
    assert found["cost"] is None
    assert found["tokens"] > 0
    assert "cost unknown" in told(tmp_path, "free")
    known = json.loads(told(tmp_path, "dear", "--format", "json"))
    assert known["cost"] > 0


def test_its_trace_and_its_list_say_so_too(tmp_path: Path) -> None:
    told(tmp_path, "free")
    state = str(tmp_path / "state")
    found = json.loads(said("trace", "last", "--state", state, "--format", "json"))
    steps = {one["name"]: one["cost"] for one in found["tree"]["children"] if "name" in one}
    assert found["outcome"]["data"]["cost"] is None
    assert (steps["s"], steps["a"] > 0) == (None, True)
    assert "cost unknown" in said("trace", "last", "--state", state)
    assert "cost unknown" in said("trace", "--state", state)


def test_a_ledger_keeps_an_unknown_amount_unknown() -> None:
    total = plus((Decimal(1), 2, 1), (None, 3, 1))
    assert total == (None, 5, 2)
    assert amount_from(json.loads(json.dumps(amount_json(total)))) == total
