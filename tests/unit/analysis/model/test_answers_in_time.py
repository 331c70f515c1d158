"""People of whom nobody said how soon they answer: fewer do within a minute than within an hour, so
what is known of one limit is not known of another.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelang.interfaces.check.check import check_file, report_json
from pipelang.interfaces.cli.check import command as check

TEXT = """
provider lab {{ kind simulated available 100% }}
tier small {{ provider lab price $1 in, $5 out transient 0% context 9k tokens }}
role desk {{ {responds} accuracy 80% }}
prompt say(q: int) \"\"\"{{{{ q }}}}\"\"\"
pipeline main(q: int) -> int {{
  step s: int = ask say(q) by small {{ accuracy 60% timeout 9s }}
  hold soon for 1m by desk showing s else escalate to desk
  hold late for 1h by desk showing s else reject
  return s
}}
"""


def outcomes(folder: Path, responds: str) -> dict[str, Any]:
    path = folder / "m.pipe"
    path.write_text(TEXT.format(responds=responds), encoding="utf-8")
    found: dict[str, Any] = report_json([check_file(str(path))])["pipelines"]["main"]
    return found["outcomes"] | found["escalations"]


@pytest.mark.parametrize(
    "responds",
    ["15m median, 2h p95", "1s median, 2s p95", "10h median, 99h p95", "1m median, 5m p95"],
)
def test_what_anybody_may_declare_lies_within(tmp_path: Path, responds: str) -> None:
    open_ = outcomes(tmp_path, "")
    for name, number in outcomes(tmp_path, f"responds {responds}").items():
        assert open_[name]["low"] - 1e-9 <= number["low"], name
        assert number["high"] <= open_[name]["high"] + 1e-9, name


def test_it_is_asked_for_once_for_all_limits(tmp_path: Path) -> None:
    path = tmp_path / "m.pipe"
    path.write_text(TEXT.format(responds=""), encoding="utf-8")
    said = CliRunner().invoke(check.command, [str(path)]).output
    assert said.count("responds 15m median, 2h p95") == 1
    assert "role desk" in said
    assert "within 60s" not in said
