"""Coverage of 95% intervals where cases are easy or hard: a simulation study for `docs/model.md`.

Worlds are drawn from the prior: how many cases are hard, and how often every answer is right in
each class. In each world cases are labelled, so many of them hard as chance has it, and counted by
class; the interval that a report would have is compared with what is true of the world. Then the
classes are hidden: files of one answer a case are split by `evidence fit`, and what it prints is
pasted.

    python -m benchmarks.coverage [--fitted [SETTING...]]   (such as "3 files")
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.assumptions import OneText
from pipelang.analysis.metrics.readings import reader_of
from pipelang.analysis.model.class_likelihood import NoFit
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.model.posterior import MOST_WORK, interval, posterior
from pipelang.analysis.model.two_classes import TwoClasses, fitted
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_rows import EvidenceRow

WORLDS, BATCH, EACH = 2_000, 100, 2_000
FITTED_WORLDS = 200
METRICS = ("success", "silent_error", "selective_risk")
HEAD = '''
provider here { kind simulated available 100% }
tier small { provider here model "x" price $1 in, $5 out transient 0% context 100k tokens }
role desk { }
prompt say(q: text max 20 tokens) """{{ q }}"""
pipeline p(q: text max 20 tokens) -> text max 20 tokens {
  traffic { hard: 3 of 10 }
'''


def step(name: str, reads: str, options: str = "") -> str:
    rates = "accuracy 8 of 10, 4 of 10 if hard recovers 0% timeout 1s"
    return (
        f"  step {name}: text max 20 tokens = ask say({reads}) by small {{ {rates} {options} }}\n"
    )


CASES = {
    "chain of 4": step("a", "q") + step("b", "a") + step("c", "b") + step("d", "c")
    + "  return d\n}\n",
    "vote 3": step("a", "q", "vote 3 correlation 0%") + "  return a\n}\n",
    "step and gate": step("a", "q")
    + "  gate good: len(a) > 1 { catches 7 of 10, 5 of 10 if hard false_alarms 1 of 10 }\n"
    + "    else escalate to desk\n  return a\n}\n",
}  # fmt: skip


def built(text: str) -> tuple[p.Program, Parameters]:
    """The program of a text, and the parameters that its pipeline uses."""
    program = build("c.pipe", OneText(text)).program
    assert program is not None
    point = point_parameters(program)
    sweep(make_model(program, program.pipelines["p"], point))
    return program, point


def swept(program: p.Program, values: Parameters) -> Totals:
    return sweep(make_model(program, program.pipelines["p"], values))


def of_class(site: str) -> bool | None:
    """Whether a share is of hard cases alone, of the others, or (None) of all."""
    if " if hard" in site:
        return True
    return None if site.startswith("hard@") else False


def observed(
    point: Parameters, truth: dict[str, Any], world: int, cases: int, rng: Any
) -> Parameters:
    """What is counted in one world: each share in as many cases as are of its class."""
    share = next(site for site in point.counted if of_class(site) is None)
    hard = int(rng.binomial(cases, truth[share][world]))
    counted = {}
    for site in point.counted:
        kind = of_class(site)
        total = cases if kind is None else hard if kind else cases - hard
        good = hard if kind is None else int(rng.binomial(total, truth[site][world]))
        counted[site] = (good, total)
    return replace(point, counted=counted)


def covered(text: str, cases: int, seed: int) -> dict[str, float]:
    """How often the intervals of each metric hold the truth."""
    program, point = built(text)
    rng = np.random.Generator(np.random.PCG64(seed))
    truth = {site: rng.beta(0.5, 0.5, WORLDS) for site in point.counted}
    whole = swept(program, Parameters(point.evidence, point.unknown, truth))
    found = dict.fromkeys(METRICS, 0)
    for first in range(0, WORLDS, BATCH):
        worlds = range(first, first + BATCH)
        drawn = [
            posterior(observed(point, truth, world, cases, rng), MOST_WORK // EACH)
            for world in worlds
        ]
        together = {site: np.concatenate([d.measured[site] for d in drawn]) for site in truth}
        totals = swept(program, Parameters(point.evidence, point.unknown, together))
        for metric in METRICS:
            read = reader_of(metric)
            assert read is not None
            true, values = read(whole), read(totals).reshape(BATCH, -1)
            for world, row in zip(worlds, values, strict=True):
                spread = interval(row)
                found[metric] += bool(spread.low <= true[world] <= spread.high)
    return {metric: count / WORLDS for metric, count in found.items()}


# ------------------------------------------------------------------------------------ fitted

Rates = tuple[tuple[float, float], ...]
SETTINGS: dict[str, tuple[float, Rates]] = {
    "4 files, 30% hard": (0.3, ((0.95, 0.5), (0.9, 0.35), (0.93, 0.45), (0.97, 0.6))),
    "3 files, 15% hard": (0.15, ((0.98, 0.7), (0.95, 0.5), (0.9, 0.6))),
    "3 files, 40% hard": (0.4, ((0.9, 0.4), (0.85, 0.3), (0.95, 0.5))),
    "5 files, 20% hard": (0.2, ((0.96, 0.7), (0.9, 0.5), (0.94, 0.4), (0.88, 0.55), (0.97, 0.65))),
    # Made after the counts were as they are.
    "3 files, 25% hard": (0.25, ((0.97, 0.6), (0.95, 0.7), (0.9, 0.5))),
    "4 files, 12% hard": (0.12, ((0.98, 0.6), (0.94, 0.5), (0.96, 0.55), (0.92, 0.4))),
    "6 files, 35% hard": (
        0.35,
        ((0.95, 0.6), (0.9, 0.55), (0.97, 0.7), (0.93, 0.5), (0.88, 0.4), (0.96, 0.65)),
    ),
}
NAMES = "abcdef"


def pipelines(files: int) -> dict[str, tuple[str, Callable[[Any], Any]]]:
    """Pipelines of steps by the files' rates, and how often they are right in a class."""
    chain = "".join(step(NAMES[at], NAMES[at - 1] if at else "q") for at in range(files))
    two = step("a", "q") + step("b", "a")
    voted = step("a", "q", "vote 3 correlation 0%")
    both = voted + step("b", "a")
    found = {
        "all in a chain": (chain, NAMES[files - 1], lambda rates: np.prod(rates)),
        "two of them": (two, "b", lambda rates: rates[0] * rates[1]),
        "one": (step("a", "q"), "a", lambda rates: rates[0]),
        "a vote of 3 by one": (voted, "a", lambda rates: _vote(rates[0])),
        "a vote and a step": (both, "b", lambda rates: _vote(rates[0]) * rates[1]),
    }
    return {
        name: (f"{HEAD}{body}  return {last}\n}}\n", right)
        for name, (body, last, right) in found.items()
    }


def _vote(right: Any) -> Any:
    return right * right * (3 - 2 * right)


def labelled(seed: int, cases: int, hard: float, rates: Rates) -> list[EvidenceFile]:
    """Files of one answer to each case, some of them hard, which no row says."""
    rng = np.random.default_rng(seed)
    is_hard = rng.random(cases) < hard
    return [
        EvidenceFile(
            f"{at}.jsonl",
            tuple(
                EvidenceRow(None, bool(rng.random() < pair[int(kind)]), case, f"c{case}")
                for case, kind in enumerate(is_hard, 1)
            ),
        )
        for at, pair in enumerate(rates)
    ]


def pasted(cases: int, hard: float, rates: Rates) -> tuple[int, dict[str, float]]:
    """How many worlds had a fit, and in how many of them the intervals that `check` gives each
    pipeline held the truth when the printed counts were pasted.
    """
    fits = []
    for seed in range(FITTED_WORLDS):
        try:
            fits.append(fitted(labelled(seed, cases, hard, rates)))
        except NoFit:
            continue
    held = {}
    for name, (text, right) in pipelines(len(rates)).items():
        program, point = built(text)
        easy, bad = (right([pair[kind] for pair in rates]) for kind in (0, 1))
        truth = (1 - hard) * easy + hard * bad
        drawn = [
            posterior(replace(point, counted=_counts(point, fit)), MOST_WORK // EACH).measured
            for fit in fits
        ]
        together = {site: np.concatenate([one[site] for one in drawn]) for site in drawn[0]}
        values = swept(program, Parameters(point.evidence, point.unknown, together)).success
        spreads = map(interval, np.asarray(values).reshape(len(fits), -1))
        inside = sum(bool(spread.low <= truth <= spread.high) for spread in spreads)
        held[name] = inside / len(fits)
    return len(fits), held


def _counts(point: Parameters, fit: TwoClasses) -> dict[str, tuple[int, int]]:
    """The counts of a fit for the parameters of a pipeline, whose steps are named by the files."""
    found = {}
    for site in point.counted:
        rate = fit.hard
        if of_class(site) is not None:
            file = fit.files[NAMES.index(site.removeprefix("p.")[0])]
            rate = file.hard if of_class(site) else file.easy
        found[site] = (rate.good, rate.total)
    return found


def main() -> None:
    if "--fitted" not in sys.argv:
        print(f"{WORLDS:,} worlds from the prior, 95% intervals")
        for cases in (60, 400):
            for name, body in CASES.items():
                shares = covered(HEAD + body, cases, 19)
                shown = ", ".join(
                    f"{metric} {100 * share:.1f}%" for metric, share in shares.items()
                )
                print(f"  {name}, {cases} labelled cases: {shown}", flush=True)
    print(f"{FITTED_WORLDS} worlds whose hard cases are hidden: counts that `evidence fit` prints")
    wanted = sys.argv[2:] or [""]
    for name, (hard, rates) in SETTINGS.items():
        if not any(name.startswith(one) for one in wanted):
            continue
        for cases in (300, 1_000):
            fits, held = pasted(cases, hard, rates)
            shown = ", ".join(f"{what} {100 * share:.1f}%" for what, share in held.items())
            print(f"  {name}, {cases} cases ({fits} fits): {shown}", flush=True)


if __name__ == "__main__":
    main()
