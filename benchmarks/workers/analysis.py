"""Our analysis of a file's `main`, after everything before it: `analysis.py FILE WHAT`.

`whole` is what `check` works out, importances too; `forward` only outcomes, mean cost and how often
steps are reached; `back` all importances, once the formula is written down.
"""

from __future__ import annotations

import sys

from serve import once, serve

from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.model.parameters import point_parameters
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build


def main() -> None:
    file, what = sys.argv[1:]
    built = build(file, DiskLoader())
    program = built.program
    assert program is not None, built.diagnostics
    pipeline = program.pipelines["main"]

    def forward() -> None:
        totals = Compiled(program, pipeline).totals(point_parameters(program))
        print(f"success {totals.success:.12f}, cost {totals.cost:.12f}", file=sys.stderr)

    def everything() -> None:
        found = analyse(program, pipeline)
        missing = [row.name for row in found.steps if row.importance_success.value is None]
        assert not missing, f"no importances of {missing[:3]}"

    if what == "back":
        compiled = Compiled(program, pipeline)
        compiled.totals(point_parameters(program))
        serve(lambda: once(lambda: compiled.importances(point_parameters(program))))
    else:
        serve(lambda: once(everything if what == "whole" else forward))


main()
