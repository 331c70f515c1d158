"""Tests over lists that are written down are worked out, not drawn: the figures are by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from .subject import analyse

HEAD = """
type Line { amount: money  ours: bool }
type T { a: bool  b: bool  c: bool  lines: [Line] max 3 }
"""
# Shares: a 20%, b 30%, c 50%, each independent of the others.
CASES = [
    ("any(x for x in [t.a, t.b])", 1 - 0.8 * 0.7),
    ("all(x for x in [t.a, t.b])", 0.2 * 0.3),
    ("any([t.a] + [t.b] + [t.c])", 1 - 0.8 * 0.7 * 0.5),
    ("all(not x for x in [t.a, t.b] if x)", 0.8 * 0.7),
    ("any(x and t.c for x in [t.a, t.b])", 0.5 * (1 - 0.8 * 0.7)),
    ("all(x for x in [y for y in [t.a, t.b, t.c] if t.c])", 0.5 + 0.5 * 0.2 * 0.3),
    ("any(x for x in [t.a, t.a])", 0.2),
    ("all(any(x and y for y in [t.b, t.c]) for x in [t.a])", 0.2 * (1 - 0.7 * 0.5)),
    ("sum(x.amount for x in items) == $6", 1.0),
    ("sum(x.amount for x in items if x.ours) == $6", 0.0),
    ("max(x.amount for x in items) == $3 and len(items + items) == 6", 1.0),
    ("len([x for x in items if x.ours]) == 2 and t.a", 0.2),
    ("any(x.ours and t.b for x in items)", 0.3),
]


@pytest.mark.parametrize("named", [False, True], ids=["at once", "by a let"])
@pytest.mark.parametrize(("test", "holds"), CASES)
def test_a_gate_is_computed(test: str, holds: float, named: bool, tmp_path: Path) -> None:
    lines = "{amount: $1, ours: true}, {amount: $2, ours: true}, {amount: $3, ours: false}"
    first = f"let held: bool = {test}" if named else ""
    text = f"""{HEAD}
    pipeline p(t: T) -> int {{
      traffic {{ t.a: 20%  t.b: 30%  t.c: 50% }}
      let items: [Line] max 3 = [{lines}]
      {first}
      gate g: {"held" if named else test} else reject
      return 1
    }}
    """
    path = tmp_path / "p.pipe"
    path.write_text(text, encoding="utf-8")
    outcomes = analyse(path)["p"]["outcomes"]
    assert outcomes["success"]["value"] == pytest.approx(holds, abs=1e-12)
    assert outcomes["rejection"]["value"] == pytest.approx(1 - holds, abs=1e-12)
