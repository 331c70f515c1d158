"""Where lengths and shares are left open, the figures of whoever declares both lie in the range.

What nobody says of a length counts as the most that it may be, and what nobody says of a share lies
anywhere; a lower bound that took the lengths at their most was above what runs take. So each file
here is written with nothing declared, and again with everything, short and long, seldom and often.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .subject import analyse

WORLD = """
provider p { available 100% }
tier t { provider p TRANSIENT price $1 in, $5 out latency 1s median, 1s p95 }
tier gift { provider p TRANSIENT price $0 in, $0 out latency 1s median, 1s p95 }
enum Kind { a longer_one }
type A { long: bool  kind: Kind  body: text max 40 tokens  parts: [text max 30 tokens] max 5 }
tool look(x: int) -> text max 50 tokens { effect read succeeds 90% cost $0.00001 }
"""
LOOSE, SHORT, LONG = "loose", "short", "long"
LENGTHS = {
    LOOSE: "",
    SHORT: "a.body: 0 tokens mean a.parts.length: 0 mean a.long: 0%",
    LONG: "a.body: 40 tokens mean a.parts.length: 5 mean a.parts.each: 30 tokens mean a.long: 100%",
}
OUTPUTS = {
    LOOSE: "",
    SHORT: "output 1 tokens mean, 20 tokens max",
    LONG: "output 20 tokens mean, 20 tokens max",
}
HEAD = "pipeline main(a: A) -> text max 20 tokens { traffic 10/day { LENGTHS }"
PIPELINES = {
    "a branch and a text": 'prompt q(a: A) """{% if a.long %}A story{% endif %}{{ a.body }}"""'
    + HEAD
    + """
      step b: text max 20 tokens = ask q(a) by t { accuracy 70% timeout 5s retry 2 OUTPUT }
        else "none" { accuracy 50% }
      return b
    }""",
    "a loop": 'prompt q(a: A) """Say {% for one in a.parts %}- {{ one }} {% endfor %}"""'
    + HEAD
    + """
      step b: text max 20 tokens = ask q(a) by t { accuracy 70% timeout 5s retry 2 OUTPUT }
        else ask q(a) by gift { accuracy 70% timeout 5s OUTPUT } else "none" { accuracy 50% }
      return b
    }""",
    "a list": 'prompt q(x: text max 30 tokens) """Say {{ x }}"""'
    + HEAD
    + """
      step b: [text max 20 tokens] max 5 = each x in a.parts {
        ask q(x) by t { accuracy 70% timeout 5s retry 1 OUTPUT } else "none" { accuracy 50% }
      }
      return "done"
    }""",
    "an agent": 'prompt q(x: text max 40 tokens) """Find {{ x }}"""'
    + HEAD
    + """
      step b: text max 20 tokens = agent q(a.body) by t with look {
        accuracy 70% timeout 5s steps 3 TURNS OUTPUT
      } else "none" { accuracy 50% }
      return b
    }""",
}
SHARES = {
    LOOSE: ("", ""),
    "seldom": ("transient 0%", "turns 1"),
    "often": ("transient 90%", "turns 3"),
}


def report(folder: Path, body: str, lengths: str, shares: str) -> dict[str, Any]:
    transient, turns = SHARES[shares]
    text = WORLD.replace("TRANSIENT", transient) + body.replace("TURNS", turns)
    text = text.replace("LENGTHS", LENGTHS[lengths]).replace("OUTPUT", OUTPUTS[lengths])
    path = folder / "main.pipe"
    path.write_text(text, encoding="utf-8")
    found: dict[str, Any] = analyse(path)["main"]
    return found


def figures(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    named = {f"cost.{name}": found["cost"][name] for name in ("mean", "p50", "p95", "p99", "month")}
    named |= {f"baseline {tier}": one for tier, one in found["cost"]["baseline"].items()}
    named["tokens.mean"] = found["tokens"]["mean"]
    return named | {f"step {step['name']}": step["cost_mean"] for step in found["steps"]}


@pytest.mark.parametrize("kind", PIPELINES)
def test_what_is_declared_lies_in_the_range_of_what_is_left_open(kind: str, tmp_path: Path) -> None:
    body = PIPELINES[kind]
    open_ones = figures(report(tmp_path, body, LOOSE, LOOSE))
    for lengths in (SHORT, LONG):
        for shares in ("seldom", "often"):
            for name, known in figures(report(tmp_path, body, lengths, shares)).items():
                value, left = known["value"], open_ones[name]
                assert value is not None, name
                assert (left["low"] or 0.0) <= value * (1 + 1e-9), (name, lengths, shares, left)
                if left["high"] is not None:
                    assert value <= left["high"] * (1 + 1e-9), (name, lengths, shares, left)


FEEDBACK = (
    'prompt q(x: text max 40 tokens) """Say {{ x }}{% if feedback %}{{ feedback }}{% endif %}"""'
    """
    pipeline main(x: text max 40 tokens) -> text max 20 tokens {
      traffic 10/day { x: 9 tokens mean }
      step b: text max 20 tokens = ask q(x) by t {
        accuracy 70% timeout 5s retry 1 output 1 tokens mean, 20 tokens max
      } else "none" { accuracy 50% }
      gate good: len(b) > 3 { catches 100% false_alarms 100% } else redo b up to 1 else reject
      return b
    }"""
)


def test_feedback_may_be_short(tmp_path: Path) -> None:
    """Nothing passes the gate, so there are two to four attempts; the later ones show the name of
    the gate, which counts as 200 tokens.
    """
    found = figures(report(tmp_path, FEEDBACK, LOOSE, LOOSE))
    plain = len("Say ") / 4 + 9
    told = plain + len("good") / 4
    assert found["tokens.mean"]["low"] <= plain + told + 2 * 1
    assert found["cost.mean"]["low"] <= (plain + told + 2 * 5) / 1e6 < found["cost.mean"]["high"]
    assert found["cost.p50"]["low"] <= (plain + told + 2 * 5) / 1e6


def test_what_costs_nothing_makes_no_dollars_a_bound(tmp_path: Path) -> None:
    """A tier at $0 beside one whose lengths are declared: the tokens alone are a bound."""
    body = (
        'prompt q(x: text max 40 tokens) """Say {{ x }}"""'
        + HEAD.replace("LENGTHS", "")
        + """
      step free: text max 20 tokens = ask q(a.body) by gift { accuracy 70% timeout 5s }
        else "none" { accuracy 50% }
      step paid = call look(3)
      return paid
    }"""
    )
    body = body.replace("-> text max 20 tokens", "-> text max 50 tokens")
    found = report(tmp_path, body, LOOSE, "seldom")
    assert found["tokens"]["mean"]["basis"] == "bound"
    for name in ("mean", "p50", "p95", "month"):
        assert found["cost"][name]["basis"] == "assumed", name
    assert found["cost"]["baseline"]["t"]["basis"] == "bound"
