"""Equality of values with JSON in them, in the kernel and in a run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang.runtime.engine.outcomes import Answered
from pipelang.semantics.kernels.arithmetic import equal

from ...runtime.stage import load, play

PAIRS = [
    (True, 1, False),
    (False, 0, False),
    (False, None, False),
    ([1], [True], False),
    ({"a": 1}, {"a": True}, False),
    ({"a": [{"b": 0}]}, {"a": [{"b": False}]}, False),
    ([1], [1.0], True),
    ([0.1], [Decimal("0.1")], True),
    ([1, 2], [1], False),
    ({"a": 1}, {"a": 1, "b": None}, False),
    ([True, "x", None], [True, "x", None], True),
    ("1", 1, False),
    ([[]], [[]], True),
]


@pytest.mark.parametrize(("left", "right", "same"), PAIRS)
def test_true_is_no_one_at_any_depth(left: Any, right: Any, same: bool) -> None:
    assert equal(left, right) is same
    assert equal(right, left) is same


IN_A_RUN = [
    ("j == [true]", [1], False),
    ("j == [1]", [1], True),
    ("j == [true]", [True], True),
    ("{data: j} == wrapped(true)", 1, False),
    ("{data: j} == wrapped(1)", 1, True),
    ("j in flags", 1, False),
    ("j in flags", True, True),
    ("[j] == flags", 1, False),
    ("any(one == true for one in [j])", 1, False),
    ('by_key(j) == {"k": true}', 1, False),
    ('by_key(j) == {"k": 1}', 1, True),
    ("j.x == [0, 0]", {"x": [False, 0]}, False),
    ("j.x == [0, 0]", {"x": [0, 0.0]}, True),
]


@pytest.mark.parametrize(("condition", "given", "holds"), IN_A_RUN)
def test_a_run_compares_json_deeply(
    tmp_path: Path, condition: str, given: Any, holds: bool
) -> None:
    program = load(
        tmp_path,
        f"""
        type Wrapped {{ data: json }}
        fn wrapped(value: json) -> Wrapped = {{data: value}}
        fn by_key(value: json) -> {{text: json}} = {{"k": value}}
        pipeline main(j: json) -> bool {{
          let flags: [json] max 3 = [true]
          return {condition}
        }}
        """,
    )
    result = play(program, j=given)
    assert isinstance(result, Answered)
    assert result.value is holds
