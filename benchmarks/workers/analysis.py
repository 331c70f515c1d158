"""Our analysis of a file's `main`, after everything before it: `analysis.py FILE WHAT`.

`whole` is what `check` works out, importances too; `forward` only outcomes, mean cost and how often
steps are reached; `back` all importances, once that was noted on a tape.
"""

from __future__ import annotations

import sys

from serve import once, serve

from pipelang.analysis.frontier.tape import Tape
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.analysis.sweep.sweep import sweep
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics.build import build


def main() -> None:
    file, what = sys.argv[1:]
    built = build(file, DiskLoader())
    program = built.program
    assert program is not None, built.diagnostics
    pipeline = program.pipelines["main"]

    def point() -> PipelineModel:
        return make_model(program, pipeline, point_parameters(program))

    def forward() -> None:
        totals = sweep(point(), Tape())
        print(f"success {totals.success:.12f}, cost {totals.cost:.12f}", file=sys.stderr)

    def everything() -> None:
        found = analyse(program, pipeline)
        missing = [row.name for row in found.steps if row.importance_success.value is None]
        assert not missing, f"no importances of {missing[:3]}"

    if what == "back":
        tape = Tape(slopes=True)
        sweep(point(), tape)
        noted = list(tape.entries)

        def back() -> None:
            for source, target, _, _ in noted:
                source.adjoint = None
                if target is not None:
                    target.adjoint = None
            tape.entries = list(noted)
            tape.importances()

        serve(lambda: once(back))
    else:
        serve(lambda: once(everything if what == "whole" else forward))


main()
