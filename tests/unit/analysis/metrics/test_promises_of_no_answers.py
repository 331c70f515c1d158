"""A share of the answers is promised where no run is answered: told so, and not as unfinished."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file, report_json

TEXT = """
role desk { accuracy 98% }
pipeline p(x: int) -> int {
  traffic { g: SHARE }
  slo { selective_risk <= 1% }
  gate g: x > 3 else escalate to desk
  return x
}
"""


@pytest.mark.parametrize(
    ("share", "why"),
    [("0%", "no run is answered"), ("100%", ""), ("1%", "")],
)
def test_a_share_of_no_answers(tmp_path: Path, share: str, why: str) -> None:
    path = tmp_path / "p.pipe"
    path.write_text(TEXT.replace("SHARE", share), encoding="utf-8")
    report = report_json([check_file(str(path))])
    told = [d["message"] for d in report["diagnostics"] if d["code"] == "P502"]
    assert len(told) == bool(why)
    assert all(why in message for message in told)
    holds = report["pipelines"]["p"]["slo"][0]["holds"]
    assert holds is (None if why else True)
