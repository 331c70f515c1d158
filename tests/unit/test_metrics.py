"""The table of metrics is complete in every layer, and nothing else spells their names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from pipelang.analysis.frontier.totals import Totals
from pipelang.analysis.latency.figures import PAIRS, READ
from pipelang.analysis.metrics.analyse import analyse
from pipelang.analysis.metrics.derivation import derivable
from pipelang.analysis.metrics.readings import READINGS, SWEPT, MetricSource, reader_of
from pipelang.interfaces.report.metric_words import WORDS, words_of
from pipelang.interfaces.text.number_format import of_metric
from pipelang.runtime.shared.circuit_breakers import EndedRun, measure
from pipelang.semantics import metrics as m
from pipelang.semantics.build import build
from pipelang.semantics.elaborate.promises.metrics import unit_of

from ..memory import MemoryLoader
from .imports import PACKAGE, REPO, sources

VOCABULARY = PACKAGE / "semantics" / "metrics.py"
# They are metrics, but in other places words of another trade: an option of an `ask` or of a tool,
# what an event or a dollar column is called, a kind of case in an inbox, a part of the evidence.
OTHER_TRADES = {m.ACCURACY, m.CALIBRATION, m.COST, m.ESCALATION, m.LATENCY}
# The syntax stands below the vocabulary: what people write by habit for `answered` is no metric.
BELOW = PACKAGE / "syntax"

PIPELINE = """\
provider acme { kind simulated }
tier small {
  provider acme model "s" price $1 in, $5 out context 8k tokens latency 1s median, 3s p95
  transient 1%
}
role desk { people 2 handles 5m }
prompt answer(q: text) \"\"\"{{ q }}\"\"\"

pipeline reply(q: text max 200 tokens, vip: bool) -> text {
  traffic 100/day { vip: 10% }
  gate plain: not vip else escalate to desk
  step draft: text max 100 tokens = ask answer(q) by small {
    timeout 10s  accuracy 90%  output 20 tokens mean, 40 tokens max
  } else escalate to desk
  return draft
}
"""


def strings(path: Path) -> set[str]:
    """The string constants of a module; a part of an f-string is one as well."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_every_metric_has_its_row_in_every_layer() -> None:
    assert set(READINGS) == set(m.METRICS)
    assert set(WORDS) == set(m.METRICS)


@pytest.mark.parametrize("name", [*m.METRICS, *(f"{m.ESCALATION}.plain", f"{m.COST}.draft")])
def test_every_metric_has_a_unit_that_is_written_and_shown(name: str) -> None:
    words, types = unit_of(name)
    assert words
    assert types
    assert of_metric(name)(0.5)
    assert words_of(name) is WORDS[m.metric_of(name).name]


def test_every_metric_that_a_breaker_counts_is_measured() -> None:
    runs = [EndedRun("answered", "", 1.0, 2, 3.0, 4.0)]
    for name in m.COUNTED:
        assert measure(name, runs) >= 0


def test_what_is_read_off_a_sweep_or_a_walk_can_be_read_there() -> None:
    totals = Totals(success=0.5, silent_error=0.25, failure=0.25, cost=2.0, tokens=3.0)
    for name, reading in READINGS.items():
        assert (reading.read is not None) == (reading.source is MetricSource.SWEEP)
        if reading.read is not None:
            assert reading.read(totals) >= 0
        if reading.source is MetricSource.WALK:
            family, _, read = name.partition(".")
            assert family in PAIRS
            assert read in READ
        if reading.all_but is not None:
            assert reading.read is not None
            assert reading.read(totals) == 1 - getattr(totals, reading.all_but)
        if reading.ratio is not None:
            first, rest = (getattr(totals, part) for part in reading.ratio)
            assert reading.read is not None
            assert reading.read(totals) == first / (first + rest)
    assert all(reader_of(name) is not None for name in SWEPT)


def test_an_analysis_has_every_metric_that_is_no_argument_s() -> None:
    built = build("e.pipe", MemoryLoader({"e.pipe": PIPELINE}))
    assert built.program is not None, built.diagnostics
    analysis = analyse(built.program, built.program.pipelines["reply"])
    asked = (MetricSource.LATER, MetricSource.TIERS)
    expected = {name for name, reading in READINGS.items() if reading.source not in asked}
    assert set(analysis.numbers) == expected
    # What is derived says in words how it adds up.
    assert all(words_of(name).derived for name in derivable(analysis))


def test_outcomes_have_words_and_the_vocabulary_their_order() -> None:
    assert m.SHARES[: len(m.OUTCOMES)] == m.OUTCOMES
    for name in m.OUTCOMES:
        assert WORDS[name].label
        assert all(WORDS[name].verbs)


def test_nothing_else_spells_the_name_of_a_metric() -> None:
    own = set(m.METRICS) - OTHER_TRADES
    wrong = [
        f"{path.relative_to(REPO).as_posix()}: {sorted(found)}"
        for path in sources()
        if path != VOCABULARY and BELOW not in path.parents and (found := strings(path) & own)
    ]
    assert not wrong, "take the constant of semantics/metrics.py:\n" + "\n".join(wrong)


def test_an_unknown_name_is_no_metric() -> None:
    for name in ("nothing", "tokens.draft", "successes"):
        with pytest.raises(KeyError):
            m.metric_of(name)
