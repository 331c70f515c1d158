"""Kernels of lists and of votes against every sequence of what elements and calls can come to."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import product
from math import ceil, prod
from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.kernels.each import ListWalk, Ranks
from pipelang.analysis.kernels.outcome_distribution import Closed
from pipelang.analysis.kernels.votes import CallKernel, Latent, voted
from pipelang.interfaces.check.check import check_file
from pipelang.semantics import program as p
from tests.work import grows_no_faster_than

ANY: Any = None
"""What a kernel never looks at."""
STOP, LATER = p.Reject("no", None, ANY), p.Reject("later", None, ANY)
NEEDS = [("all", None), ("any", None), ("share", "0.5"), ("share", "0.9"), ("share", "0.3")]


def shares(rng: random.Random, count: int) -> list[Fraction]:
    parts = [rng.randrange(1, 9) for _ in range(count)]
    return [Fraction(part, sum(parts)) for part in parts]


# ---------------------------------------------------------------------------------- lists


def make_element(rng: random.Random) -> Closed:
    """An element that can be right, wrong, missed, or end the run, with effects or without."""
    one = Closed(cost=Fraction(3))
    kinds = [("answers", (True, None, False)), ("answers", (False, None, False)),
             ("answers", (False, None, True)), ("fails", False), ("fails", True),
             ("ends", (STOP, True, False)), ("ends", (LATER, False, True))]  # fmt: skip
    chosen = [kinds[0], kinds[3], *rng.sample(kinds, rng.randrange(1, 5))]
    for (group, key), share in zip(chosen, shares(rng, len(chosen)), strict=True):
        found = getattr(one, group)
        found[key] = found.get(key, Fraction(0)) + share
    return one


def ways(one: Closed) -> list[tuple[str, Any, Fraction]]:
    return [
        (group, key, chance)
        for group in ("answers", "fails", "ends")
        for key, chance in getattr(one, group).items()
    ]


def needed(kind: str, share: str | None, length: int) -> int:
    match kind:
        case "all":
            return length
        case "any":
            return min(1, length)
        case _:
            return ceil(Fraction(share or "") * length)


def by_enumeration(
    one: Closed, length: int, need: tuple[str, str | None], ordered: bool
) -> tuple[Counter[Any], Fraction]:
    """What a list comes to, and what it costs: from the words of the design alone."""
    found: Counter[Any] = Counter()
    cost = Fraction(0)
    for run in product(ways(one), repeat=length):
        chance = prod((share for _, _, share in run), start=Fraction(1))
        done = []
        for group, key, _ in run:
            done.append((group, key))
            if ordered and group != "answers":
                break
        cost += chance * len(done) * one.cost
        # What comes after the end of the stretch that is done was never drawn: its shares sum to 1.
        wrong = any(key if group == "fails" else key[2] for group, key in done)
        ended = next((key for group, key in done if group == "ends"), None)
        answers = [key for group, key in done if group == "answers"]
        if ended is not None:
            found["ends", ended[0], ended[1], wrong] += chance
        elif len(answers) >= needed(*need, length):
            found["answers", all(key[0] for key in answers), wrong] += chance
        else:
            found["fails", wrong] += chance
    return found, cost


def told(closed: Closed) -> dict[Any, float]:
    found: Counter[Any] = Counter()
    for (right, _, wrong), chance in closed.answers.items():
        found["answers", right, wrong] += chance
    for wrong, chance in closed.fails.items():
        found["fails", wrong] += chance
    for (outcome, right, wrong), chance in closed.ends.items():
        found["ends", outcome, right, wrong] += chance
    return {key: float(chance) for key, chance in found.items() if chance}


def make_each(need: tuple[str, str | None], ordered: bool, most: int) -> p.Each:
    kind, share = need
    wanted = p.Need(kind, None if share is None else Decimal(share))
    return p.Each("x", ANY, ANY, most, ordered, wanted, None, ANY)


@pytest.mark.parametrize("ordered", [False, True])
@pytest.mark.parametrize("need", NEEDS, ids=str)
def test_a_list_of_any_length_is_all_its_runs(need: Any, ordered: bool) -> None:
    rng = random.Random(f"{need} {ordered}")
    for _ in range(4):
        one = make_element(rng)
        longest = 4
        walk = ListWalk(make_each(need, ordered, longest), one, longest)
        lengths = [*range(longest + 1), *(rng.randrange(longest + 1) for _ in range(3))]
        for length in lengths:
            closed = walk.closed(length)
            found, cost = by_enumeration(one, length, need, ordered)
            assert told(closed) == pytest.approx({key: float(found[key]) for key in +found})
            assert float(closed.cost) == pytest.approx(float(cost))


def test_the_lowest_ranks_of_a_list_are_those_of_its_elements() -> None:
    one = Closed(
        answers={(True, None, False): Fraction(3, 4), (False, None, False): Fraction(1, 4)}
    )
    spread = {
        True: [(Ranks((0,)), Fraction(1, 5)), (Ranks((1,)), Fraction(4, 5))],
        False: [(Ranks((0,)), Fraction(2, 3)), (Ranks((1,)), Fraction(1, 3))],
    }
    walk = ListWalk(make_each(("all", None), False, 3), one, 3, None, spread.__getitem__)
    for length in (1, 2, 3):
        found = walk.closed(length).answers
        both = Fraction(3, 4) * Fraction(4, 5)
        assert float(found[True, Ranks((1,)), False]) == pytest.approx(float(both**length))
        lower = Fraction(3, 4) ** length - both**length
        assert float(found[True, Ranks((0,)), False]) == pytest.approx(float(lower))


LIST = """
provider a {{ available 100% }}
tier t {{ provider a  transient 10%  price $1 in, $5 out  latency 500ms median, 2s p95 }}
prompt q(x: text max 100 tokens) \"\"\"hi {{{{ x }}}}\"\"\"
type R {{ ok: bool }}
role people {{ accuracy 90% }}
pipeline p(xs: [text max 100 tokens] max {most}) -> int {{
  step found: [R?] = each x in xs {{
    ask q(x) by t {{ accuracy 90% output 10 tokens max timeout 5s }}
  }} {{ parallel 5 need any }}
  gate some: len(found) > 2 else escalate to people
  return len(found)
}}
"""


def test_a_list_twice_as_long_takes_about_twice_the_work(tmp_path: Path) -> None:
    """Of all lengths together: it grew with the third power, a walk of its own for each."""

    def check(most: int) -> None:
        path = tmp_path / f"list_{most}.pipe"
        path.write_text(LIST.format(most=most), encoding="utf-8")
        assert not [found for found in check_file(str(path)).diagnostics if found.is_error]

    grows_no_faster_than(1.2, check, 40, 3)


# ---------------------------------------------------------------------------------- votes


def make_draw(rng: random.Random) -> tuple[list[tuple[Latent, Fraction]], Fraction]:
    """Fresh answers by their latents, and how often an answer is a copy of the one before."""
    right, other = Fraction(rng.randrange(11), 10), Fraction(rng.randrange(11), 10)
    fresh = [
        ((first, second), (right if first else 1 - right) * (other if second else 1 - other))
        for first in (True, False)
        for second in (True, False)
    ]
    return fresh, Fraction(rng.randrange(11), 10)


def runs_of_calls(
    calls: int, fails: Fraction, fresh: Any, copies: Fraction, former: Latent | None
) -> Iterator[tuple[list[Latent | None], Fraction]]:
    """All that so many calls can answer, None for one that fails, each with its probability."""
    if calls == 0:
        yield [], Fraction(1)
        return
    for before, chance in runs_of_calls(calls - 1, fails, fresh, copies, former):
        last = next((one for one in reversed(before) if one is not None), former)
        yield [*before, None], chance * fails
        for latent, share in fresh:
            kept = copies * (latent == last) if last is not None else 0
            anew = (1 - copies) * share if last is not None else share
            yield [*before, latent], chance * (1 - fails) * (anew + kept)


def decided(vote: p.Vote, run: list[Latent | None], side: int) -> tuple[Latent | None, int]:
    """The answer that wins, and the calls that were made."""
    tally = {True: 0, False: 0}
    for number, latent in enumerate(run, start=1):
        if latent is not None:
            tally[latent[side]] += 1
        good = tally[True] > tally[False]
        if isinstance(vote, p.Lead):
            if abs(tally[True] - tally[False]) < vote.lead:
                continue
        elif number < vote.calls or 2 * tally[good] <= vote.calls:
            continue
        return next(one for one in run if one is not None and one[side] is good), number
    return None, len(run)


@pytest.mark.parametrize("vote", [p.Majority(1), p.Majority(3), p.Majority(4), p.Majority(5),
                                  p.Lead(1, 3), p.Lead(2, 4), p.Lead(2, 5), p.Lead(3, 4)],
                         ids=str)  # fmt: skip
def test_a_vote_is_all_its_runs(vote: p.Vote) -> None:
    rng = random.Random(str(vote))
    for _ in range(3):
        fresh, copies = make_draw(rng)
        fails = Fraction(rng.choice([0, 1, 3]), 10)
        former = rng.choice([None, (True, True), (True, False), (False, True)])
        arguments_right = rng.random() < 0.5

        def draw(last: Latent | None, fresh: Any = fresh, copies: Fraction = copies) -> Any:
            kept = Fraction(0) if last is None else copies
            return [(one, (1 - kept) * share + kept * (one == last)) for one, share in fresh]

        call = CallKernel(fails or 0.0, 1 - fails, Fraction(2), Fraction(5), draw)
        made = voted(vote, call, arguments_right, former, True)
        wanted: Counter[Any] = Counter()
        spent = Fraction(0)
        for run, chance in runs_of_calls(vote.calls, fails, fresh, copies, former):
            latent, number = decided(vote, run, 0 if arguments_right else 1)
            wanted[latent] += chance
            spent += chance * number
        assert float(made.fails) == pytest.approx(float(wanted.pop(None, 0)), abs=1e-15)
        side = 0 if arguments_right else 1
        for (right, latent), chance in made.answers.items():
            assert latent is not None
            assert right == latent[side]
            assert float(chance) == pytest.approx(float(wanted.pop(latent, 0)), abs=1e-15)
        assert not +wanted
        assert float(made.cost) == pytest.approx(2 * float(spent), abs=1e-14)


def test_a_vote_twice_as_long_takes_four_times_the_work() -> None:
    """Half of the calls squared are the tallies there are; it grew with the third power."""

    def vote(calls: int) -> None:
        def draw(last: Latent | None) -> list[tuple[Latent, float]]:
            fresh = [((True, True), 0.2), ((True, False), 0.7), ((False, False), 0.1)]
            kept = 0.0 if last is None else 0.3
            return [(one, (1 - kept) * share + kept * (one == last)) for one, share in fresh]

        voted(p.Majority(calls), CallKernel(0.1, 0.9, 1.0, 1.0, draw), True, (True, False), True)

    grows_no_faster_than(2, vote, 11, 4)
