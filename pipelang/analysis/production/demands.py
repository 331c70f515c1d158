"""The list of all demands of `production` on one pipeline."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.production.deployment import audited, state_is_outside
from pipelang.analysis.production.failing import errors_are_handled, works_without_models
from pipelang.analysis.production.handoffs import handoffs_are_complete
from pipelang.analysis.production.limits import budget_is_set, input_is_bounded, time_is_limited
from pipelang.analysis.production.setup import DeploymentSetup
from pipelang.analysis.production.thresholds import thresholds_have_evidence
from pipelang.analysis.production.unknown_effects import ends_as_unknown
from pipelang.diagnostics import Diagnostic
from pipelang.semantics import program as p


def demands(
    program: p.Program, pipeline: p.Pipeline, setup: DeploymentSetup
) -> Iterator[Diagnostic]:
    """Return a finding for every demand that a pipeline does not meet, and notes on what a store
    changes.
    """
    yield from errors_are_handled(program, pipeline)
    yield from works_without_models(program, pipeline)
    yield from input_is_bounded(pipeline)
    yield from budget_is_set(pipeline)
    yield from time_is_limited(program, pipeline)
    yield from audited(pipeline, setup)
    yield from state_is_outside(pipeline, setup)
    yield from handoffs_are_complete(program, pipeline)
    yield from thresholds_have_evidence(program, pipeline)
    yield from ends_as_unknown(program, pipeline, setup)
