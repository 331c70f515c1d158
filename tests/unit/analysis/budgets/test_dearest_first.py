"""Runs that are cut are found among those that spend the most; where none is, nothing is said."""

from __future__ import annotations

import itertools

import pytest

from pipelang.analysis.advice.trying import cuts_of
from pipelang.analysis.budgets import reaching
from pipelang.analysis.budgets.cuts import possible_cuts
from pipelang.analysis.budgets.enclosures import surely_cut
from pipelang.analysis.budgets.limits import TIME
from pipelang.analysis.budgets.reaching import cut_by
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

TEXT = """
provider cloud {{ kind simulated available 99% }}
tier t {{ provider cloud model "m" price $1 in, $5 out latency 1s median, 3s p95 transient 2% }}
tool look(x: int) -> int {{ python "m:f" effect read succeeds {succeeds} accuracy 9 of 9
  cost $0.001 }}
role desk {{ }}
pipeline inner(x: int) -> int {{
  {inner}
  step found = call look(x) {{ retry 1 }}
  step more = call look(found) {{ retry 1 }}
  return more
}}
pipeline main(x: int) -> int {{
  {budget}
  step a = run inner(x)
  step b = call look(a) {{ retry 2 }}
  gate good: b > 3 {{ catches 80% false_alarms 10% }} else redo a up to {redos}
    else escalate to desk
  return b
}}
"""

OWN = ("", "budget 9 steps else escalate to desk", 'budget $0.02, 60 steps else fail "SPENT"')
OF_INNER = ("", 'budget 3 steps else fail "SPENT"', 'budget $0.0025, 9s else fail "SPENT"')


def model_of(own: str, of_inner: str, redos: int, succeeds: str = "95%") -> PipelineModel:
    text = TEXT.format(budget=own, inner=of_inner, redos=redos, succeeds=succeeds)
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    program = built.program
    return make_model(program, program.pipelines["main"], point_parameters(program))


@pytest.mark.parametrize("redos", [1, 3])
def test_what_it_finds_cut_is_cut(redos: int) -> None:
    said = set()
    for own, of_inner in itertools.product(OWN, OF_INNER):
        model = model_of(own, of_inner, redos)
        cuts = [one for one in possible_cuts(model) if one.dimension != TIME]
        if not cuts:
            continue
        found = surely_cut(model.of(point_parameters(model.program)), cuts)
        assert not found or cut_by(model, cuts) is not None, (own, of_inner)
        said.add((found, cut_by(model, cuts) is not None))
    assert (True, True) in said


def test_where_it_finds_one_nothing_else_is_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def told(model: PipelineModel, cuts: object) -> object:
        asked.append(cuts)
        return cut_by(model, cuts)  # type: ignore[arg-type]

    monkeypatch.setattr(reaching, "cut_by", told)
    cut, kept = model_of(OWN[1], "", 3), model_of("", "", 3)
    assert cuts_of(cut.program, cut.pipeline)
    assert not asked
    assert not cuts_of(kept.program, kept.pipeline)


def test_retries_of_what_never_fails_cut_nothing() -> None:
    """The worst run that a check bounds makes calls that no run makes."""
    said = []
    for succeeds in ("95%", "100%"):
        model = model_of("budget 11 steps else escalate to desk", "", 1, succeeds)
        cuts = possible_cuts(model)
        assert cuts, "retries are counted whether calls can fail or not"
        said.append(surely_cut(model.of(point_parameters(model.program)), cuts))
        assert said[-1] == (cut_by(model, cuts) is not None)
    assert said == [True, False]
