"""Where cuts are not worked out, a report names every way to a person that a budget may take."""

from __future__ import annotations

from pathlib import Path

from pipelang.analysis.budgets.enclosures import BudgetedRuns
from pipelang.analysis.metrics.cut_numbers import escalations_with_cuts
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build

TEXT = """
role desk { accuracy 90% }
pipeline deep(x: int) -> int { budget $1 else escalate to desk return x }
pipeline kid(x: int) -> int { budget 5 steps else reject step d = run deep(x) return d }
pipeline main(x: int) -> int { budget 9 steps else escalate to desk step k = run kid(x) return k }
"""


def test_ways_of_budgets_at_every_level(tmp_path: Path) -> None:
    path = tmp_path / "main.pipe"
    path.write_text(TEXT, encoding="utf-8")
    program = build(str(path), DiskLoader()).program
    assert program is not None
    open_runs = BudgetedRuns(None, (), None, lambda share: (0.0, 1.0))
    found = escalations_with_cuts(program, program.pipelines["main"], {}, open_runs)
    assert set(found) == {"budget", "deep.budget"}
    assert all((one.low, one.high) == (0.0, 1.0) for one in found.values())
