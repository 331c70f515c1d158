"""A gate over all elements of an `each` vouches for them as one over a single answer does."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipelang

PROGRAM = """
provider lab {{ kind simulated available 100% }}
tier model {{ provider lab model "any" price $1 in, $5 out transient 0% context 9k tokens }}
role desk {{ responds 10m median, 1h p95 accuracy 99% }}
type Sorted {{ refund: bool confidence: probability }}
prompt sort(part: untrusted text max 90 tokens) \"\"\"Sort: {{{{ part }}}}\"\"\"
tool pay(id: text max 20 tokens) -> text max 20 tokens {{
  python "tools:pay" effect irreversible timeout 2s succeeds 99%
}}

pipeline p(
  id: text max 20 tokens, parts: [untrusted text max 90 tokens] max 3
) -> text max 20 tokens {{
  step sorted: [Sorted] max 3 = each part in parts {{
    ask sort(part) by model {{ {accuracy} timeout 9s }}
  }}
  gate sure: {gate} else escalate to desk
  step paid = call pay(id)
  return paid
}}
"""
ROWS = '{"confidence": 0.9, "correct": true}\n{"confidence": 0.8, "correct": false}\n'


def codes(folder: Path, gate: str, accuracy: str) -> set[str]:
    (folder / "sort.jsonl").write_text(ROWS, "utf-8")
    file = folder / "p.pipe"
    file.write_text(PROGRAM.format(gate=gate, accuracy=accuracy), "utf-8")
    try:
        pipelang.load(file)
    except pipelang.CheckFailed as error:
        return {code for code in ("P705", "P704") if code in str(error)} or {str(error)}
    return set()


MEASURED, ASSUMED = 'accuracy from "sort.jsonl"', "accuracy 90%"


@pytest.mark.parametrize(
    ("gate", "accuracy", "found"),
    [
        ("all(one.confidence >= 85% for one in sorted)", MEASURED, set()),
        ("not any(one.confidence < 85% for one in sorted)", MEASURED, set()),
        ("all(one.confidence >= 85% for one in sorted)", ASSUMED, {"P705"}),
        ("any(one.confidence >= 85% for one in sorted)", MEASURED, {"P705"}),
        ("all(one.refund for one in sorted)", MEASURED, {"P705"}),
        ("all(one.confidence <= 85% for one in sorted)", MEASURED, {"P705"}),
    ],
)
def test_a_test_of_every_confidence_vouches_where_it_was_measured(
    gate: str, accuracy: str, found: set[str], tmp_path: Path
):
    assert codes(tmp_path, gate, accuracy) == found
