"""Growth in counted work: doubling the input never quadruples it, and no shape needs an axis, a
state or a copy for each combination.
"""

from __future__ import annotations

import pytest

from benchmarks.growing import SHAPES
from pipelang.analysis.latency.exclusive import cases
from pipelang.analysis.metrics.analyse import Analysis, analyse
from pipelang.analysis.model import work_limit
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.analysis.model.work_limit import WorkPart, time_limit
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import calls, grows_no_faster_than


def analysed(shape: str, size: int) -> Analysis:
    built = build("m.pipe", MemoryLoader({"m.pipe": SHAPES[shape](size)}))
    assert built.program is not None, built.diagnostics
    return analyse(built.program, built.program.pipelines["main"])


@pytest.mark.parametrize(
    ("shape", "size"),
    [
        ("counted", 9),
        ("chain", 50),
        ("doubled", 5),
        ("gates", 20),
        ("templated", 60),
    ],
)
def test_doubling_does_not_quadruple(shape: str, size: int) -> None:
    analysed(shape, 2)  # what is imported and made once
    small = calls(lambda: analysed(shape, size))
    large = calls(lambda: analysed(shape, 2 * size))
    assert large < 3.7 * small, (small, large)


def test_cases_of_a_worst_run_are_found_in_one_pass_over_the_branches() -> None:
    """Once each operand walked all conditions again: 10,000 steps took ten seconds."""

    def found(size: int) -> int:
        built = build("m.pipe", MemoryLoader({"m.pipe": SHAPES["branched"](size)}))
        assert built.program is not None, built.diagnostics
        pipeline = built.program.pipelines["main"]
        model = make_model(built.program, pipeline, point_parameters(built.program))
        return calls(lambda: list(cases(model)))

    found(2)
    assert found(400) < 2.2 * found(200)


def test_wide_frontiers_stay_within_the_limit() -> None:
    with time_limit(0.5):
        small = calls(lambda: analysed("window", 60))
        large = calls(lambda: analysed("window", 120))
    assert large < 3.6 * small, (small, large)


def test_more_time_makes_bounds_tighter() -> None:
    widths = []
    for seconds in (0.1, 2.0):
        with time_limit(seconds):
            number = analysed("window", 40).numbers["success"]
        assert number.low is not None
        assert number.high is not None
        widths.append(number.high - number.low)
    assert widths[0] > widths[1]


def test_the_report_says_where_the_work_went() -> None:
    with time_limit(0.1):
        found = analysed("window", 40)
    assert not found.late
    places = [one for one in found.reached if one.part is WorkPart.STATES]
    steps = {f"main.{row.name}" for row in found.steps}
    assert places
    assert {one.where for one in places} <= steps
    assert all(one.wanted > one.limit for one in found.reached)
    assert {one.part for one in analysed("gates", 20).reached} >= {WorkPart.GRID}
    assert not analysed("chain", 20).reached


def test_the_clock_is_the_last_resort(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it ends is bounds too, and they hold."""
    exact = analysed("window", 12).numbers["success"].value
    assert exact is not None
    monkeypatch.setattr(work_limit, "PATIENCE", 0.0)
    found = analysed("window", 12)
    number = found.numbers["success"]
    assert found.late
    assert found.reached
    assert number.low is not None
    assert number.high is not None
    assert number.low <= exact <= number.high


PARTS = {
    "conditions": lambda size: "{% if " + " and ".join(["v"] * size) + " %}yes{% endif %}",
    "branches": lambda size: "{% if v %}{{ q }}{% else %}no{% endif %}\n" * size,
    "loops": lambda size: "{% for x in xs %}- {{ x }}{% endfor %}\n" * size,
    "loops in loops": lambda size: (
        "{% for x in xs %}{% for y in xs %}{{ y }}{% endfor %}{% endfor %}\n" * size
    ),
    "names": lambda size: "".join(
        f"{{% set v{n} = {'q' if n == 0 else f'v{n - 1} ~ v{n - 1}'} %}}" for n in range(size)
    ),
    "a list": lambda size: f"{{% for x in {list(range(size))} %}}{{{{ q }}}}{{% endfor %}}",
}
"""Templates of a size over a text `q`, a list `xs` and a bool `v`."""

ASKED = """
provider p { kind simulated available 99% }
tier t { provider p model "m" price $1 in, $5 out latency 1s median, 2s p95 transient 1% }
prompt ask_it(q: text max 9 tokens, xs: [text max 9 tokens] max 5000, v: bool) \"\"\"
TEMPLATE
\"\"\"
pipeline main(q: text max 9 tokens, xs: [text max 9 tokens] max 5000, v: bool) -> bool {
  step s: bool = ask ask_it(q, xs, v) by t { accuracy 90% timeout 9s output 9 tokens max }
  return s
}
"""


@pytest.mark.parametrize("part", PARTS)
def test_templates_of_any_kind(part: str) -> None:
    """Whatever a template has much of; conditions were read again for each one before them."""

    def checked(size: int) -> None:
        text = ASKED.replace("TEMPLATE", PARTS[part](size))
        built = build("m.pipe", MemoryLoader({"m.pipe": text}))
        assert built.program is not None, built.diagnostics
        analyse(built.program, built.program.pipelines["main"])

    grows_no_faster_than(1.2, checked, 100, 2)


def test_past_64_counted_shares() -> None:
    """Arrays have 32 axes (64 in numpy 2), and shares may be more than that."""
    found = analysed("counted", 66)
    assert found.numbers["success"].mean is not None
