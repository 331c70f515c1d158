"""Inputs of a formula: which chances are one parameter."""

from __future__ import annotations

from decimal import Decimal

from pipelang.analysis.arithmetic.terms import Term, Trace
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.inputs import FormulaInputs
from pipelang.analysis.model.parameters import Parameters
from pipelang.semantics.chance import Declared


def test_a_share_and_what_it_leaves_are_two_inputs_of_one_site() -> None:
    inputs = FormulaInputs(Trace())
    parameters = Parameters(EvidenceTable({}), lambda site: 0.5, inputs=inputs)
    share, rest = Declared(Decimal("0.3"), "a.b"), Declared(Decimal("0.7"), "a.b")
    first, other = parameters.value(share), parameters.value(rest)
    again = parameters.value(Declared(Decimal("0.3"), "a.b"))
    assert isinstance(first, Term)
    assert isinstance(other, Term)
    assert again.at == first.at != other.at
    assert dict(inputs.given) == {first.at: 0.3, other.at: 0.7}
    numbers = Parameters(EvidenceTable({}), lambda site: 0.5)
    given = [pair for source in inputs.sources for pair in source.given(numbers) or ()]
    assert given == inputs.given
