"""Tests that nobody declared come out in a simulation as values can have it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from pipelang.interfaces.cli.simulate import command
from pipelang.runtime.worlds.simulation.beside_drawn import ComparedValue, ValueTest, follows

World = dict[str, Any]


def holds(test: ValueTest, world: World) -> bool:
    """Tell how a test comes out of values."""

    def value(side: ComparedValue) -> Any:
        return side.what if side.constant else world[side.what]

    left = value(test.left)
    if test.op == "in":
        return left in [value(side) for side in test.right]
    right = value(test.right)
    return bool({"==": left == right, "<": left < right, "<=": left <= right}[test.op])


def one_of_numbers(chance: random.Random, names: Sequence[str], whole: bool) -> ValueTest:
    def side() -> ComparedValue:
        if chance.random() < 0.5:
            return ComparedValue(True, chance.randint(0, 3), whole)
        return ComparedValue(False, chance.choice(names), whole)

    op = chance.choice(["==", "<", "<=", "in"])
    left = ComparedValue(False, chance.choice(names), whole)
    if op == "in":
        return ValueTest(op, left, tuple(side() for _ in range(chance.randint(1, 3))))
    sides = [left, side()]
    chance.shuffle(sides)
    return ValueTest(op, *sides)


def one_of_words(chance: random.Random, names: Sequence[str], whole: bool) -> ValueTest:
    def side() -> ComparedValue:
        if chance.random() < 0.7:
            return ComparedValue(True, chance.choice("abc"), False)
        return ComparedValue(False, chance.choice(names), False)

    left = ComparedValue(False, chance.choice(names), False)
    if chance.random() < 0.5:
        return ValueTest("in", left, tuple(side() for _ in range(chance.randint(1, 3))))
    return ValueTest("==", left, side())


QUARTERS = [Fraction(part, 4) for part in range(-4, 17)]
"""Room for three values between any two constants, and beyond them."""

KINDS: dict[str, tuple[Callable[..., ValueTest], str, bool, Sequence[Any]]] = {
    "numbers": (one_of_numbers, "xyz", False, QUARTERS),
    "a whole number": (one_of_numbers, "n", True, range(-3, 8)),
    "words": (one_of_words, "xyz", False, "abcdef"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_follows_is_what_all_values_have_in_common(kind: str) -> None:
    make, names, whole, domain = KINDS[kind]
    chance = random.Random(kind)
    seen = {True: 0, False: 0, None: 0}
    for _ in range(60):
        worlds = [dict(zip(names, one, strict=True)) for one in product(domain, repeat=len(names))]
        tested: dict[ValueTest, bool] = {}
        for _ in range(6):
            asked = make(chance, names, whole)
            ways = {holds(asked, world) for world in worlds}
            expected = ways.pop() if len(ways) == 1 else None
            found = follows(tested, asked)
            seen[found] += 1
            assert found is expected, (tested, asked, expected)
            tested[asked] = chance.random() < 0.5 if expected is None else expected
            worlds = [world for world in worlds if holds(asked, world) is tested[asked]]
    assert min(seen.values()) > 20, seen


PIPELINES = """
pipeline apart(n: int) -> text max 9 tokens {
  when n <= 3 { when n > 9 { fail "low and high" } else { return "low" } }
  else { when n > 9 { return "high" } else { return "between" } }
}
pipeline gaps(n: int, m: number) -> text max 9 tokens {
  gate one: n < 5 or n > 4 else fail "between whole numbers"
  gate two: n != 3 or n <= 3 else fail "three and not"
  gate three: m < 5 or m > 4 else fail "below 4 and from 5 on"
  return "ok"
}
pipeline words(word: text max 9 tokens) -> text max 9 tokens {
  gate one: not (word == "a" and word == "b") else fail "both"
  gate two: not (word in ["a"] and word in ["b", "c"]) else fail "of two lists"
  gate three: not (word == "a" and word not in ["a", "b"]) else fail "not of its list"
  gate four: match word { "a" => true "b" => word not in ["c"] else => true } else fail "arms"
  return "ok"
}
pipeline chain(a: number, b: number, c: number) -> text max 9 tokens {
  gate one: not (a < b and b < c and c < a) else fail "a circle"
  gate two: not (a < 3 and b > 4 and b < a) else fail "by way of constants"
  gate three: not (a == b and a < b) else fail "less than itself"
  return "ok"
}
pipeline inner(n: int) -> text max 9 tokens {
  gate few: not (n <= 3 and n > 9) else fail "asked by a child"
  return "ok"
}
pipeline outer(m: int) -> text max 9 tokens {
  gate few: m <= 4 or m > 4 else fail "neither"
  step said = run inner(m) else fail "child"
  gate many: not (m <= 2 and m > 4) else fail "asked around a child"
  return said
}
"""


@pytest.mark.parametrize("unknown", ["low", "high"])
@pytest.mark.parametrize("name", ["apart", "gaps", "words", "chain", "inner", "outer"])
def test_no_run_meets_what_no_value_can_be(name: str, unknown: str, tmp_path: Path) -> None:
    path = tmp_path / "main.pipe"
    path.write_text(PIPELINES, encoding="utf-8")
    args = [str(path), name, "--runs", "5", "--unknown", unknown]
    found = CliRunner().invoke(command, args)
    assert found.exit_code == 0, found.output
    (line,) = [one for one in found.output.splitlines() if one.strip().startswith("failure")]
    assert line.split()[1] == "0.000%", found.output


def test_a_value_made_anew_is_another_one(tmp_path: Path) -> None:
    """The answer of a step before it was redone decides nothing about its new one."""
    path = tmp_path / "main.pipe"
    path.write_text(
        '''
provider p { available 100% }
tier t { provider p transient 0% price $1 in, $1 out latency 1s median, 1s p95 }
prompt q() """A number."""
pipeline main() -> text max 9 tokens {
  step n: int = ask q() by t { accuracy 100% timeout 5s } else fail "no answer"
  gate small: n <= 3 else redo n up to 1 else reject
  when n > 9 { fail "small and large" } else { return "small" }
}
''',
        encoding="utf-8",
    )
    for unknown, expected in (("high", "success"), ("low", "rejection")):
        args = [str(path), "--runs", "5", "--unknown", unknown]
        found = CliRunner().invoke(command, args)
        (line,) = [one for one in found.output.splitlines() if one.split()[:1] == [expected]]
        assert line.split()[1] == "100.000%", found.output
