"""Where cuts are not worked out, a report names every way to a person that a budget may take."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.analysis.budgets.enclosures import BudgetedRuns
from pipelang.analysis.metrics.cut_numbers import escalations_with_cuts
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.cli.check.report import check_report
from pipelang.semantics.build import build

TEXT = """
role desk { accuracy 90% }
pipeline deep(x: int) -> int { budget $1 else escalate to desk return x }
pipeline kid(x: int) -> int { budget 5 steps else reject step d = run deep(x) return d }
pipeline main(x: int) -> int { budget 9 steps else escalate to desk step k = run kid(x) return k }
"""


FAILS = """
role desk { accuracy 90% }
provider one { available 100% }
tier t { provider one price $0 in, $1000 out transient 0% }
prompt q(x: int) \"\"\"{{ x }}\"\"\"
pipeline kid(x: int) -> int {
  budget $0.03
  step a: int = ask q(x) by t { accuracy 90% output 20 tokens max }
  step b: int = ask q(a) by t { accuracy 90% output 20 tokens max }
  return b
}
pipeline mid(x: int) -> int { step c = run kid(x) else escalate to desk return c }
pipeline main(x: int) -> int {
  slo { escalation.d <= 10%  escalation.mid.c <= 10% }
  step d = run kid(x) else escalate to desk
  step e = run mid(x)
  return d + e
}
"""
"""Without its budget `kid` never fails, so that nothing takes what stands behind its `else`."""


@pytest.mark.parametrize(
    ("text", "ways"),
    [(TEXT, {"budget", "deep.budget"}), (FAILS, {"d", "mid.c"})],
    ids=["budgets at every level", "a caller of what was cut"],
)
def test_ways_that_runs_which_are_cut_may_take(text: str, ways: set[str], tmp_path: Path) -> None:
    path = tmp_path / "main.pipe"
    path.write_text(text, encoding="utf-8")
    program = build(str(path), DiskLoader()).program
    assert program is not None
    open_runs = BudgetedRuns(None, (), None, lambda share: (0.0, 1.0))
    found = escalations_with_cuts(program, program.pipelines["main"], {}, open_runs)
    assert set(found) == ways
    assert all((one.low, one.high) == (0.0, 1.0) for one in found.values())


def test_a_promise_about_a_way_that_only_cuts_take_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "main.pipe"
    path.write_text(FAILS, encoding="utf-8")
    report = check_report([str(path)])["pipelines"]["main"]
    kept = {line["metric"]: line["holds"] for line in report["slo"]}
    assert kept == {"escalation.d": None, "escalation.mid.c": None}
    assert report["escalations"]["d"]["high"] == 1.0
