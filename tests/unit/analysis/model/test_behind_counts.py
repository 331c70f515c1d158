"""What lies behind something that never happened among the cases is still met: 9 of 9 leave no
wrong answer at the point, but the posterior knows of some, and of what nobody declared behind them.
"""

from __future__ import annotations

import pytest

from pipelang.interfaces.check.check import check_file

from ....memory import MemoryLoader

PROGRAM = """
provider north {{ available 99% }}
tier fast {{ provider north price $1 in, $2 out transient 1% context 9k tokens }}
enum Level {{ low high }}
type Answer {{ fine: bool  level: Level }}
prompt q(x: text max 9 tokens) \"\"\"{{{{ x }}}}\"\"\"
pipeline p(x: text max 9 tokens) -> bool {{
  {traffic}
  step s: Answer = ask q(x) by fast {{ accuracy {accuracy} }}
  match s.level {{ low {{ reject }} high {{ }} }}
  return s.fine
}}
"""


@pytest.mark.parametrize("accuracy", ["9 of 9", "0 of 9", "8 of 9"])
def test_unknowns_behind_what_never_happened_are_named(accuracy: str) -> None:
    text = PROGRAM.format(accuracy=accuracy, traffic="")
    checked = check_file("p.pipe", MemoryLoader({"p.pipe": text}))
    (analysis,) = checked.analyses
    assert {"p:s.level if right[0]", "p:s.level if wrong[0]"} <= set(analysis.unknown)


def test_a_wrong_answer_that_was_never_seen_is_possible() -> None:
    shares = "traffic { s.level: low 40%, high 60% }"
    text = PROGRAM.format(accuracy="9 of 9", traffic=shares)
    checked = check_file("p.pipe", MemoryLoader({"p.pipe": text}))
    (analysis,) = checked.analyses
    wrong = analysis.numbers["silent_error"]
    assert not analysis.unknown
    assert wrong.low is not None
    assert wrong.high is not None
    assert wrong.low < 0.01 < wrong.high


def test_a_step_that_is_never_reached_leaves_nothing_unknown() -> None:
    text = """
provider north { available 99% }
tier fast { provider north price $1 in, $2 out transient 1% context 9k tokens }
prompt q(x: text max 9 tokens) \"\"\"{{ x }}\"\"\"
pipeline p(x: text max 9 tokens, a: bool) -> bool {
  traffic { a: 0% }
  gate b: a else return false
  step s: bool = ask q(x) by fast
  return s
}
"""
    checked = check_file("p.pipe", MemoryLoader({"p.pipe": text}))
    (analysis,) = checked.analyses
    assert not analysis.unknown
    assert analysis.steps[0].own is None
    assert analysis.numbers["success"].value == 1


@pytest.mark.parametrize("declared", ["accuracy 90%", "accuracy 90% cost $1"])
def test_no_step_that_is_never_reached_is_known_where_a_like_one_is_not(declared: str) -> None:
    """Steps of one form are worked out once: the second stood there with a half for the unknown."""
    text = f"""
tool open(x: int) -> int {{ python "m:f" effect read {declared} }}
pipeline p(x: int) -> int {{
  traffic {{ x > 3: 0% }}
  gate over: x <= 3 else return x
  gate under: x > 3 else return x
  step a = call open(x)
  step b = call open(a)
  step c = call open(b)
  return c
}}
"""
    checked = check_file("p.pipe", MemoryLoader({"p.pipe": text}))
    (analysis,) = checked.analyses
    assert not analysis.unknown
    assert [row.own for row in analysis.steps] == [None, None, None]
