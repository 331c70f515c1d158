"""Amounts that nobody can know: what has no price, and what pipelines take that an agent calls."""

from __future__ import annotations

import pytest

from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.metrics.differences import differences
from pipelang.semantics import metrics as m
from pipelang.semantics.build import build
from pipelang.semantics.chance import Basis
from tests.memory import MemoryLoader

WORLD = '''
provider lab { available 99% }
tier free { provider lab transient 0% context 200k tokens latency 1s median, 2s p95 }
tier paid { provider lab price $1 in, $5 out transient 1% context 200k tokens }
role desk { people 3 handles 4m accuracy 98% }
prompt say(t: text max 20 tokens) """x {{ t }}"""
tool look(t: text max 20 tokens) -> text max 20 tokens {
  python "a:b" effect read timeout 1s succeeds 99% cost $0.01
}
pipeline inner(t: text max 20 tokens) -> text max 20 tokens {
  step s: text max 20 tokens = ask say(t) by TIER { accuracy RIGHT timeout 15s }
    else escalate to desk
  return s
}
pipeline middle(t: text max 20 tokens) -> text max 20 tokens {
  step m = run inner(t)
  return m
}
'''

ACTIONS = {
    "run": "step a = run inner(t)",
    "through": "step a = run middle(t)",
    "fallback": 'step a = call look(t) else run middle(t) else "x"',
    "each": "step a = each x in [t, t] { run inner(x) }",
    "match": 'step a = match t == "x" { true => run inner(t)  false => call look(t) }',
    "agent": "step a: text max 20 tokens = agent say(t) by paid with look, middle {\n"
    "    steps 4 turns 3 accuracy 90% timeout 15s output 20 tokens max }",
}


def analysed(action: str, tier: str, right: str = "90%") -> Analysis:
    text = WORLD.replace("TIER", tier).replace("RIGHT", right)
    text += f"""
pipeline main(t: text max 20 tokens) -> text max 20 tokens {{
  traffic 100/day {{ t == "x": 50% }}
  slo {{
    cost.mean <= $0.01
    cost.p95  <= $0.01
    cost.mean <= $0.01 when t == "x"
  }}
  {ACTIONS[action]}
  step b: text max 20 tokens = ask say(t) by paid {{ accuracy 90% timeout 15s output 9 tokens max }}
  return b
}}"""
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    return analyse(built.program, built.program.pipelines["main"])


@pytest.mark.parametrize("right", ["90%", "9 of 10"])
@pytest.mark.parametrize("action", ACTIONS)
def test_what_has_no_price_is_unknown_through_all_that_runs_it(action: str, right: str) -> None:
    found = analysed(action, "free", right)
    assert found.unpriced == ("free",)
    for name in (m.COST_MEAN, m.COST_MONTH, m.COST_WORST, "cost.p50", "cost.p95"):
        number = found.numbers[name]
        assert (number.value, number.high, number.basis) == (None, None, Basis.UNKNOWN), name
    assert [verdict.holds for verdict in found.slo] == [None, None, None]
    rows = {row.name: row.cost_mean for row in (*found.steps, *found.inner)}
    assert rows["a"].value is None
    assert rows["a"].high is None
    assert rows["inner.s"].value is None
    assert rows["inner.s"].high is None
    assert rows["b"].value is not None
    assert rows["b"].basis is Basis.BOUND


@pytest.mark.parametrize("action", [name for name in ACTIONS if name != "agent"])
def test_what_has_a_price_is_known(action: str) -> None:
    found = analysed(action, "paid")
    assert found.unpriced == ()
    mean = found.numbers[m.COST_MEAN]
    assert mean.value is not None
    assert sum(row.cost_mean.value or 0.0 for row in found.steps) == pytest.approx(mean.value)
    assert found.numbers[m.COST_MONTH].value == pytest.approx(mean.value * 3000)


def test_what_an_agents_pipelines_take_is_up_to_the_worst_run() -> None:
    found = analysed("agent", "paid")
    for unit in ("cost", "tokens"):
        mean, worst = found.numbers[f"{unit}.mean"], found.numbers[f"{unit}.worst"].high
        assert mean.value is None
        assert mean.low is not None
        assert worst is not None
        assert mean.low < worst == mean.high
    assert found.slo[0].holds is None  # two calls of the tool alone: at most $0.02
    rows = {row.name: row for row in (*found.steps, *found.inner)}
    assert rows["a"].cost_mean.value is None
    assert rows["inner.s"].reached.value is None
    assert rows["inner.s"].cost_mean.value is None
    assert rows["b"].cost_mean.value is not None
    assert all(number.value is None for number in found.baseline.values())


def test_a_month_of_what_is_not_known_has_bounds() -> None:
    text = WORLD.replace("TIER", "paid").replace("accuracy RIGHT", "")
    text += """
pipeline main(t: text max 20 tokens) -> text max 20 tokens {
  traffic 100/day { }
  step a: text max 20 tokens = ask say(t) by paid { timeout 15s output 9 tokens max }
  gate g: a == t { catches 50% false_alarms 5% } else reject
  step b: text max 20 tokens = ask say(a) by paid { accuracy 90% timeout 15s output 9 tokens max }
  return b
}"""
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    numbers = analyse(built.program, built.program.pipelines["main"]).numbers
    mean, month = numbers[m.COST_MEAN], numbers[m.COST_MONTH]
    assert mean.low is not None
    assert mean.high is not None
    assert mean.low < mean.high
    assert (month.low, month.high) == (mean.low * 3000, mean.high * 3000)


def test_what_nothing_bounds_is_unknown_and_what_nothing_moves_is_known() -> None:
    text = """
provider lab { available 99% }
tier paid { provider lab price $1 in, $5 out transient 1% }
role desk { people 3 handles 4m accuracy 98% }
prompt say(t: text) \"""x {{ t }}\"""
pipeline asks(t: text) -> text {
  step a: text = ask say(t) by paid { accuracy 90% timeout 5s }
  return a
}
pipeline waits(t: text) -> text {
  hold h for 5m by desk else reject
  return t
}"""
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    asks = analyse(built.program, built.program.pipelines["asks"]).numbers
    for name in (m.COST_WORST, m.TOKENS_WORST):
        assert (asks[name].value, asks[name].basis) == (None, Basis.UNKNOWN)
    waits = analyse(built.program, built.program.pipelines["waits"]).numbers
    for read in ("mean", "p50", "p95", "p99"):
        machine, people = waits[f"latency.{read}"], waits[f"turnaround.{read}"]
        assert (machine.value, machine.low, machine.high, machine.mean) == (0, 0, 0, 0)
        assert people.value is None  # how soon anybody answers nobody declared
        assert people.high == 300


@pytest.mark.parametrize("action", ["run", "agent"])
def test_a_change_of_what_is_open_is_not_known(action: str) -> None:
    text = (
        WORLD.replace("TIER", "free")
        + f"""
pipeline main(t: text max 20 tokens) -> text max 20 tokens {{
  traffic 100/day {{ }}
  {ACTIONS[action]}
  step b: text max 20 tokens = ask say(a) by paid {{
    accuracy 90% timeout 15s output NUMBER tokens }}
  return b
}}"""
    )
    sides = []
    for number in ("9 tokens mean, 90", "5 tokens mean, 90"):
        whole = text.replace("NUMBER", number).replace("RIGHT", "90%")
        whole = whole.replace("90 tokens }", "90 tokens max }")
        built = build("m.pipe", MemoryLoader({"m.pipe": whole}))
        assert built.program is not None, built.diagnostics
        sides.append((built.program, analyse(built.program, built.program.pipelines["main"])))
    (old, before), (new, after) = sides
    changes = differences(old, before, new, after).metrics
    for name in (m.COST_MEAN, m.COST_MONTH):
        assert changes[name].direction in ("unsure", "unknown"), changes[name]
        assert changes[name].change.high is None
