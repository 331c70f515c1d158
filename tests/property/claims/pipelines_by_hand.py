"""Pipelines written by hand with claims, each of a kind that a decider once got wrong or left open,
with the verdicts on their claims.
"""

from __future__ import annotations

from pathlib import Path

from .by_hand import HEAD as CONDITIONS_HEAD

HEAD = f"""
use std.tiers
{CONDITIONS_HEAD}
role staff {{ people 5 handles 4m responds 10m median, 1h p95 accuracy 98% }}
type Ans {{ ok: bool  k "the kind": Kind  n: int?  data: json  cost: money
  tags "t-a-g-s": [text max 5 tokens] max 3 }}
prompt q(a: int) \"\"\"{{{{ a }}}}\"\"\"
prompt qq() \"\"\"hi\"\"\"
memory m1(k: int) -> int {{ keeps 24h }}
"""
ACT = 'step s = call act() else fail "x"'


def program(text: str) -> str:
    return HEAD + text.replace("ACT", ACT)


def pipelines() -> list[tuple[list[str], str]]:
    """Return each pipeline after the verdicts on its claims."""
    text = (Path(__file__).parent / "pipelines_by_hand.txt").read_text("utf-8")
    parts = (part.partition("\n") for part in text.split("\n=== ")[1:])
    return [(verdicts.split(), rest) for verdicts, _, rest in parts]
