"""Whether budgets cut any run: one sweep over numbers says what a whole analysis says."""

from __future__ import annotations

import itertools

import pytest

from pipelang.analysis.advice.trying import cuts_of
from pipelang.analysis.metrics.analyse import analyse
from pipelang.semantics.build import build
from tests.memory import MemoryLoader

TEXT = """
provider cloud {{ kind simulated available 99% }}
tier t {{ provider cloud model "m" price $1 in, $5 out latency 1s median, 3s p95 transient 2% }}
prompt say(x: int) \"\"\"
Say {{{{ x }}}}.
\"\"\"
tool look(x: int) -> int {{ python "m:f" effect read succeeds 95% accuracy {accuracy} cost $0.001 }}
role desk {{ }}
pipeline main(x: int) -> text max 50 tokens {{
  budget {budget} else escalate to desk
  step found = call look(x) {{ retry 1 }}
  gate good: found > 3 {{ catches {catches} false_alarms 10% }} else redo found up to 1
    else escalate to desk
  step answer: text max 50 tokens = ask say(found) by t
    {{ accuracy 90% timeout 9s retry {retry} output 20 tokens mean }}
  return answer
}}
"""

BUDGETS = ("$0.0012", "3 steps", "9 steps", "20s", "$0.002, 30s")
ACCURACIES = ("90%", "10 of 10", "18 of 20")
CATCHES = ("80%", "9 of 9")


@pytest.mark.parametrize(("accuracy", "catches"), [*itertools.product(ACCURACIES, CATCHES)])
def test_says_what_a_check_says(accuracy: str, catches: str) -> None:
    """Over limits that always, sometimes and never cut, with shares that are known, counted, and
    counted without a miss, and with a share that nobody declared.
    """
    said = set()
    for retry, hidden, budget in [
        (*one, budget) for budget in BUDGETS for one in ((0, False), (2, True))
    ]:
        text = TEXT.format(budget=budget, accuracy=accuracy, catches=catches, retry=retry)
        if hidden:
            text = text.replace("transient 2% ", "")
        built = build("m.pipe", MemoryLoader({"m.pipe": text}))
        program = built.program
        assert program is not None, built.diagnostics
        pipeline = program.pipelines["main"]
        found = cuts_of(program, pipeline)
        assert found == analyse(program, pipeline, promises=True).cuts, (budget, retry, hidden)
        said.add(bool(found))
    assert said == {False, True}
