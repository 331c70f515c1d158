"""Tests of bounds of quantiles over unknowns: they hold at each value, and are hardly wider."""

from __future__ import annotations

from pathlib import Path

import pytest

from ....oracle.subject import analyse

TEXT = """
provider a {{ available 100% }}
tier t {{ provider a transient 10% price $0 in, $5000 out latency {latency} }}
prompt q(x: text max 9 tokens) \"\"\"{{{{ x }}}}\"\"\"
tool look(x: text max 9 tokens) -> text max 9 tokens {{
  python "m:look" effect read timeout 10s latency 1s median, 1s p95 succeeds 100% accuracy 100%
}}
pipeline main(x: text max 9 tokens) -> text {{
  step s: text = agent q(x) by t with look {{
    accuracy 90% recovers 0% correlation 0% retry 2 timeout 10s
    output 9 tokens mean, 20 tokens max steps 3 {turns}
  }} else fail "broken"
  return s
}}
"""
READ = [(family, share) for family in ("cost", "latency") for share in ("p50", "p95", "p99")]


def figures(folder: Path, latency: str, turns: str) -> dict[str, dict[str, dict[str, float]]]:
    folder.mkdir()
    path = folder / "a.pipe"
    path.write_text(TEXT.format(latency=latency, turns=turns), encoding="utf-8")
    found: dict[str, dict[str, dict[str, float]]] = analyse(path)["main"]
    return found


@pytest.mark.parametrize("latency", ["1s median, 1s p95", "1s median, 3s p95"])
def test_quantiles_lie_within_their_bounds_at_each_value(latency: str, tmp_path: Path) -> None:
    """With three turns 95% of runs take $0.225; that was above the bound."""
    unknown = figures(tmp_path / "unknown", latency, "")
    known = [figures(tmp_path / f"{n}", latency, f"turns {n}") for n in (1, 2, 3)]
    for family, share in READ:
        bounds = unknown[family][share]
        values = [one[family][share]["value"] for one in known]
        assert bounds["low"] <= min(values), (family, share)
        assert max(values) <= bounds["high"] <= 1.04 * max(values), (family, share)
