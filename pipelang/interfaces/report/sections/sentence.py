"""The first sentence: what becomes of a hundred runs, in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor

from pipelang.analysis.metrics.analyse import figures_of
from pipelang.analysis.model.intervals import Number
from pipelang.interfaces.report.metric_words import WORDS
from pipelang.interfaces.report.view import View, says_something
from pipelang.interfaces.text.number_format import DUST, a_day, listed, one_in, plural, rate
from pipelang.semantics.metrics import ESCALATION, OUTCOMES, SILENT_ERROR, SUCCESS


def sentence(view: View) -> str:
    """The opening sentence of the report."""
    analysis, name = view.analysis, view.pipeline.name
    numbers = {outcome: view.number(outcome) for outcome in OUTCOMES}
    if all(number.value is not None for number in numbers.values()):
        shares = {outcome: number.value or 0.0 for outcome, number in numbers.items()}
        return " ".join([_of_runs(name, shares), *_daily(view, shares)])
    if not analysis.unknown and analysis.cut is not None:
        why = "what a run spends decides whether its budget cuts it"
        return f"{_in_ranges(name, numbers)} It is a range because {why}."
    if not analysis.unknown:
        why = "too much happens side by side to follow every case, so the rarest were left out"
        return f"{_in_ranges(name, numbers)} It is a range because {why}."
    number = figures_of(view.unknown)
    open_figures = f"{plural(number, 'figure')} that it hangs on {'is' if number == 1 else 'are'}"
    if says_something(numbers[SUCCESS]):
        return f"{_in_ranges(name, numbers)} It is a range because {open_figures} not declared."
    said = (
        f"How often `{name}` is right cannot be said: {open_figures} not declared (listed below)."
    )
    return f"{said} What needs no figures comes first." if view.verbose else said


def apportion(shares: Sequence[float]) -> tuple[int, list[int]]:
    """Whole numbers that stand for some shares and add up: of 100, or of 1,000.

    Largest remainders. A hundred does if that gives no number that plain rounding would not give.
    """
    total, counts = 100, _largest_remainders(shares, 100)
    if any(abs(found - share * 100) > 0.5 for found, share in zip(counts, shares, strict=True)):
        total, counts = 1000, _largest_remainders(shares, 1000)
    return total, counts


def _largest_remainders(shares: Sequence[float], total: int) -> list[int]:
    counts = [int(share * total + DUST) for share in shares]
    by_rest = sorted(range(len(shares)), key=lambda i: counts[i] - shares[i] * total)
    for index in by_rest[: max(0, total - sum(counts))]:
        counts[index] += 1
    return counts


def _of_runs(name: str, shares: dict[str, float]) -> str:
    there = {outcome: share for outcome, share in shares.items() if share > DUST}
    if len(there) == 1:
        return f"Every run of `{name}` {WORDS[next(iter(there))].verbs[0]}."
    total, counts = apportion(list(there.values()))
    common, rare = [], []
    for (outcome, share), number in zip(there.items(), counts, strict=True):
        one, many = WORDS[outcome].verbs
        if share * total < 0.5:
            rare.append(f"{one_in(share)} {one}")
        else:
            common.append(f"{number:,} {one if number == 1 else many}")
    text = f"Of {total:,} runs of `{name}`, {listed(common)}."
    return f"{text} {_capital(listed(rare))}." if rare else text


def _in_ranges(name: str, numbers: dict[str, Number]) -> str:
    common, rare = [], []
    for outcome, number in numbers.items():
        if number.low is None or number.high is None or number.high <= DUST:
            continue
        one, many = WORDS[outcome].verbs
        # Outwards: a bound that holds must hold as it is printed.
        low, high = f"{floor(number.low * 100 + DUST)}", f"{ceil(number.high * 100 - DUST)}"
        if number.high < 0.005:
            rare.append(f"at most {one_in(number.high)} {one}")
        elif low == high:
            common.append(f"{low} {one if low == '1' else many}")
        else:
            common.append(f"{low} to {high} {many}")
    text = f"Of 100 runs of `{name}`, {listed(common)}."
    return f"{text} {_capital(listed(rare))}." if rare else text


def _daily(view: View, shares: dict[str, float]) -> list[str]:
    """The numbers of runs a day, where the traffic is declared."""
    per_day = view.pipeline.traffic.per_day
    if per_day is None:
        return []
    runs = float(per_day)
    parts = []
    if shares[ESCALATION] > DUST:
        parts.append(f"{a_day(runs * shares[ESCALATION], 'case', 'cases')} for people")
    if shares[SILENT_ERROR] > DUST:
        wrong = a_day(runs * shares[SILENT_ERROR], "wrong answer", "wrong answers")
        parts.append(f"{wrong} that nobody notices")
    return [f"At {rate(runs)} runs a day that is {listed(parts)}."] if parts else []


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
