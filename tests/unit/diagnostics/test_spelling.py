"""Suggestions: the same as by comparing with each name in turn, and not by comparing with each."""

from __future__ import annotations

from difflib import get_close_matches
from itertools import count
from random import Random

import pytest

from pipelang.diagnostics.letters import PackedNames
from pipelang.diagnostics.spelling import closest, distance, only_slip
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import grows_no_faster_than

ALPHABETS = ("ab", "abc_", "aAbB_-", "abcdefghijklmnop_0123456789", "äßSsſ_aé")


def plain(word: str) -> str:
    return word.casefold().replace("_", "").replace("-", "")


def nearest_of_all(word: str, names: list[str], cutoff: float) -> str | None:
    same = [name for name in names if plain(word) and plain(name) == plain(word)]
    close = get_close_matches(word, same or names, n=1, cutoff=0.0 if same else cutoff)
    return close[0] if close else None


def slip_of_all(word: str, names: list[str]) -> str | None:
    most = min(2, len(word) // 3)
    near = [
        name
        for name in names
        if name != word
        and (name.casefold() == word.casefold() or distance(word, name, most) <= most)
    ]
    return near[0] if len(near) == 1 else None


def random_name(pick: Random, letters: str, low: int, high: int) -> str:
    return "".join(pick.choice(letters) for _ in range(pick.randint(low, high)))


def slipped(pick: Random, letters: str, word: str) -> str:
    for _ in range(pick.randrange(4)):
        at = pick.randrange(len(word) + 1)
        before, here, after = word[:at], word[at : at + 1], word[at + 1 :]
        word = pick.choice(
            (
                before + pick.choice(letters) + here + after,
                before + after,
                before + pick.choice(letters) + after,
                before + after[:1] + here + after[1:],
                before + here.swapcase() + after,
            )
        )
    return word


@pytest.mark.parametrize("seed", range(30))
def test_suggestions_are_those_of_comparing_with_each_name(seed: int) -> None:
    pick = Random(seed)
    letters = pick.choice(ALPHABETS)
    low, high = pick.choice(((0, 3), (1, 8), (5, 16), (12, 33), (60, 66), (250, 260)))
    size = pick.choice((0, 1, 15, 17, 80)) if high < 100 else 6
    names = [random_name(pick, letters, low, high) for _ in range(size)]
    if pick.random() < 0.4:
        names = [f"{name}{number}" for name in names[:1] for number in range(size)]
    names += [slipped(pick, letters, pick.choice(names)) for _ in range(6) if names]
    for grown in range(0, len(names) + 1, max(1, len(names) // 10)):
        known = names[:grown]
        word = random_name(pick, letters, low, high)
        if known and pick.random() < 0.7:
            word = slipped(pick, letters, pick.choice(known))
        for cutoff in (0.3, 0.6, 0.97):
            assert closest(word, known, cutoff) == nearest_of_all(word, known, cutoff)
        assert only_slip(word, known) == slip_of_all(word, known)


def longest_common(first: str, second: str) -> int:
    row = [0] * (len(second) + 1)
    for letter in first:
        before, row = row, [0]
        for at, other in enumerate(second):
            row.append(before[at] + 1 if letter == other else max(before[at + 1], row[at]))
    return row[-1]


@pytest.mark.parametrize("width", [16, 32, 64, 128, 256])
def test_letters_in_common_are_the_longest_common_subsequence(width: int) -> None:
    """Also of names that fill their field but for a bit, beside others that do."""
    pick = Random(width)
    lengths = [0, 1, width // 2, width - 2, width - 1, width - 1, width - 1]
    names = [random_name(pick, "ab", length, length) for length in lengths] + ["a" * (width - 1)]
    packed = PackedNames(width, list(range(len(names))), names)
    for word in [*names, "a" * 400, "ba" * 40, "c", ""]:
        found = dict(packed.having(word, lambda length: 0))
        assert found == {at: longest_common(word, name) for at, name in enumerate(names)}


_times = count()


def renamed(size: int) -> str:
    """Settings and values that all go by another name where they are read."""
    return "\n".join(
        [
            *(f"setting knob_number_{number}: int in 1..9 = 5" for number in range(size)),
            "pipeline main(xs: [int] max 5) -> int {",
            *(f"  let first_{number} = knob_nubmer_{number}" for number in range(size)),
            *(f"  let second_{number} = frist_{number}" for number in range(size)),
            f"  return 1 # {next(_times)}",
            "}\n",
        ]
    )


def test_unknown_names_grow_with_the_file() -> None:
    def found(size: int) -> None:
        built = build("m.pipe", MemoryLoader({"m.pipe": renamed(size)}))
        unknown = [one for one in built.diagnostics if one.rule.code == "P201"]
        assert len(unknown) == 2 * size
        assert all("did you mean" in str(one.help) for one in unknown)

    grows_no_faster_than(1.25, found, 60, 6)
