"""Bounds that tests set: each part of a test is looked at once, however often it is mentioned."""

from __future__ import annotations

from pipelang.analysis.flow.bounding import NumberBounds
from pipelang.semantics import expressions as expr
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import grows_no_faster_than


def test_a_sum_that_many_comparisons_mention() -> None:
    """A sum of 24 in 24 comparisons took a minute: each looked at all of its parts again."""

    def tested(size: int) -> expr.Expr:
        names = ", ".join(f"k{number}: int" for number in range(size))
        total = " + ".join(f"k{number}" for number in range(size))
        test = " or ".join(f"z > {number}" for number in range(size))
        text = (
            f"pipeline main({names}) -> int {{\n  let z = {total}\n"
            f"  gate g: {test} else reject\n  return z\n}}\n"
        )
        built = build("m.pipe", MemoryLoader({"m.pipe": text}))
        assert built.program is not None, built.diagnostics
        pipeline = built.program.pipelines["main"]
        (value,) = (item.value for item in pipeline.block.items if hasattr(item, "value"))
        found: expr.Expr | None = None
        for number in range(size):
            one = expr.Compare("<", expr.Const(number, value.type), value, value.type)
            found = one if found is None else expr.Logic("or", found, one, value.type)
        assert found is not None
        return found

    tests = {size: tested(size) for size in (11, 10, 20)}

    def judged(size: int) -> None:
        NumberBounds(lambda node, up: True).judged(tests[size])

    grows_no_faster_than(1.6, judged, 10, 2)
