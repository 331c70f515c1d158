"""Our analysis of a file's `main`, after everything before it: `analysis.py FILE open|forward`.

`open` is what `check` works out, which leaves importances open here; `forward` only outcomes, mean
cost and how often steps are reached.
"""

from __future__ import annotations

import sys

from serve import once, serve

from pipelang.analysis.analyse import analyse
from pipelang.analysis.model import make_model
from pipelang.analysis.parameters import Parameters
from pipelang.analysis.sweep import sweep
from pipelang.interfaces.disk import DiskLoader
from pipelang.semantics.build import build


def main() -> None:
    file, what = sys.argv[1:]
    built = build(file, DiskLoader())
    program = built.program
    assert program is not None, built.diagnostics
    pipeline = program.pipelines["main"]

    def forward() -> None:
        point = Parameters(program.evidence, lambda site: 0.5)
        totals = sweep(make_model(program, pipeline, point))
        print(f"success {totals.success:.12f}, cost {totals.cost:.12f}", file=sys.stderr)

    def everything() -> None:
        found = analyse(program, pipeline)
        missing = all(row.importance_success.value is None for row in found.steps)
        assert missing, "importances are there now: say so in benchmarks/analysing.py"

    serve(lambda: once(everything if what == "open" else forward))


main()
