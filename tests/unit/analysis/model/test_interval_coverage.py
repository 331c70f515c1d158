"""95% intervals cover 93-97% of truths that are drawn from the prior.

Two thousand worlds: each parameter of a pipeline is drawn from Jeffreys' prior, evidence files and
counts are drawn from what it is, and the pipeline's `success` under the truth is looked for in the
interval that its posterior gives. The pieces are the analysis's own (`posterior`, the sweep,
`interval`); all worlds of a batch go through one sweep, as arrays.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.metrics.metrics import reader_of
from pipelang.analysis.model.coupled_posterior import Side, coupled
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.model.posterior import DRAWS, MOST_WORK, interval, posterior
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.interfaces.check.check import check_file, report_json
from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_rows import EvidenceRow

from ....memory import MemoryLoader

WORLDS, BATCH, EACH = 2_000, 100, 2_000
WORLD = """
provider here { kind simulated available 100% }
tier small { provider here model "x" price $1 in, $5 out transient 0% context 100k tokens }
role desk { }
type Answer { body: text max 20 tokens confidence: probability }
prompt say(q: text max 20 tokens) \"\"\"{{ q }}\"\"\"
"""


def pipeline(*items: str) -> str:
    head = "pipeline p(q: text max 20 tokens) -> text max 20 tokens {"
    return "\n".join([WORLD, head, *items, "}"])


def step(name: str, reads: str, accuracy: str) -> str:
    options = f"{{ accuracy {accuracy} recovers 1 of 4 timeout 1s }}"
    return f"  step {name}: Answer = ask say({reads}) by small {options}"


FILE = 'from "one.jsonl"'
CASES = {
    "counts": pipeline(
        step("a", "q", "40 of 50"), step("b", "a.body", "28 of 30"), "  return b.body"
    ),
    "a file used twice": pipeline(
        step("a", "q", FILE), step("b", "a.body", FILE), "  return b.body"
    ),
    "a file, its thresholds, and counted rates": pipeline(
        step("a", "q", FILE),
        "  gate sure: a.confidence >= 80% else escalate to desk",
        step("b", "a.body", FILE),
        "  gate fair: b.confidence > 50% else escalate to desk",
        "  gate good: b.body != a.body { catches 15 of 20 false_alarms 2 of 40 } else reject",
        "  return b.body",
    ),
}
CASES["hard cases"] = pipeline(
    "  traffic { hard: 30 of 150 }",
    step("a", "q", "108 of 120, 18 of 30 if hard"),
    "  gate good: len(a.body) > 1 { catches 9 of 12, 4 of 12 if hard false_alarms 2 of 40 }",
    "    else reject",
    step("b", "a.body", "100 of 120, 12 of 30 if hard"),
    "  return b.body",
)
METRICS = ("success", "silent_error", "selective_risk")
EVIDENCE = "".join(
    json.dumps({"confidence": confidence, "correct": right}) + "\n"
    for confidence, right, count in [
        (0.4, True, 3), (0.7, True, 10), (0.9, True, 47),
        (0.4, False, 9), (0.7, False, 7), (0.9, False, 4),
    ]
    for _ in range(count)
)  # fmt: skip


def built(text: str) -> tuple[p.Program, p.Pipeline, Parameters]:
    """The pipeline, and the parameters that it uses with what was counted of them."""
    checked = check_file("e.pipe", MemoryLoader({"e.pipe": text, "one.jsonl": EVIDENCE}))
    assert checked.program is not None, [d.message for d in checked.diagnostics]
    program = checked.program
    point = point_parameters(program)
    sweep(make_model(program, program.pipelines["p"], point))
    assert not point.unknown_sites
    return program, program.pipelines["p"], point


def swept(program: p.Program, pipeline: p.Pipeline, values: Parameters) -> Totals:
    return sweep(make_model(program, pipeline, values))


def truths(point: Parameters, generator: np.random.Generator) -> Parameters:
    """So many worlds, drawn from the prior of every parameter."""
    measured = {site: generator.beta(0.5, 0.5, WORLDS) for site in point.counted}
    bins = {}
    for key, counts in point.counted_bins.items():
        table = generator.dirichlet([0.5] * len(counts), WORLDS)
        bins[key] = tuple(table[:, index] for index in range(len(counts)))
    return Parameters(point.evidence, point.unknown, measured, bins)


def observed(point: Parameters, truth: Parameters, world: int, generator: Any) -> Parameters:
    """What is counted in one world, in as many cases as the program's own evidence has. How many
    rows of a file are right is part of what is counted: its bins have as many.
    """
    counted = {}
    for site, (_, total) in point.counted.items():
        counted[site] = (int(generator.binomial(total, truth.measured[site][world])), total)
    bins = {}
    for (file, right), counts in point.counted_bins.items():
        good, total = counted.get(file, (sum(counts), 0))
        rows = (good if right else total - good) if file in counted else good
        shares = np.array([share[world] for share in truth.bins[file, right]])
        bins[file, right] = tuple(map(int, generator.multinomial(rows, shares / shares.sum())))
    return replace(point, counted=counted, counted_bins=bins)


@pytest.mark.parametrize("case", CASES)
def test_intervals_cover(case: str) -> None:
    program, pipeline, point = built(CASES[case])
    generator = np.random.Generator(np.random.PCG64(6))
    truth = truths(point, generator)
    whole = swept(program, pipeline, truth)
    covered = dict.fromkeys(METRICS, 0)
    for first in range(0, WORLDS, BATCH):
        worlds = range(first, first + BATCH)
        drawn = [
            posterior(observed(point, truth, world, generator), MOST_WORK // EACH)
            for world in worlds
        ]
        together = Parameters(
            point.evidence,
            point.unknown,
            {site: np.concatenate([d.measured[site] for d in drawn]) for site in point.counted},
            {
                key: tuple(map(np.concatenate, zip(*(d.bins[key] for d in drawn), strict=True)))
                for key in point.counted_bins
            },
        )
        totals = swept(program, pipeline, together)
        for metric in METRICS:
            read = reader_of(metric)
            assert read is not None
            true, values = read(whole), read(totals).reshape(BATCH, -1)
            assert values.shape[1] == EACH
            for world, row in zip(worlds, values, strict=True):
                found = interval(row)
                covered[metric] += bool(found.low <= true[world] <= found.high)
    shares = {metric: count / WORLDS for metric, count in covered.items()}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares


@pytest.mark.parametrize("case", CASES)
def test_a_report_has_the_interval_of_these_pieces(case: str) -> None:
    program, pipeline, point = built(CASES[case])
    draws = swept(program, pipeline, posterior(point))
    report = report_json(
        [check_file("e.pipe", MemoryLoader({"e.pipe": CASES[case], "one.jsonl": EVIDENCE}))]
    )
    found = report["pipelines"]["p"]["outcomes"]["success"]
    assert np.size(draws.success) == DRAWS
    expected = interval(draws.success)
    assert (found["low"], found["high"]) == (expected.low, expected.high)
    assert found["basis"] == "measured"


MOVED = ("70%", "90%")
CONFIDENCES = (Decimal("0.5"), Decimal("0.8"), Decimal("0.95"))


def test_intervals_of_a_difference_cover() -> None:
    """One file, a threshold that moves: what the move does to `success` and `silent_error`."""
    texts = [
        pipeline(
            step("a", "q", FILE),
            f"  gate sure: a.confidence >= {cut} else escalate to desk",
            "  return a.body",
        )
        for cut in MOVED
    ]
    before, after = map(built, texts)
    generator = np.random.Generator(np.random.PCG64(7))
    worlds, batch, each = 1_500, 100, 1_500
    accuracy = generator.beta(0.5, 0.5, worlds)
    # The thresholds cut [0, 1] into two bins on either side; the truth has the three between all.
    spread = {right: generator.dirichlet([0.5, 0.5, 0.5], worlds) for right in (True, False)}
    covered = dict.fromkeys(("success", "silent_error"), 0)
    for first in range(0, worlds, batch):
        drawn = []
        for world in range(first, first + batch):
            counts = generator.multinomial(
                80,
                [
                    *(accuracy[world] * spread[True][world]),
                    *((1 - accuracy[world]) * spread[False][world]),
                ],
            )
            rows = [
                EvidenceRow(CONFIDENCES[kind % 3], kind < 3, 1)
                for kind, count in enumerate(counts)
                for _ in range(count)
            ]
            evidence = EvidenceTable({"one.jsonl": EvidenceFile("one.jsonl", tuple(rows))})
            sides = []
            for cut, (_, _, point) in zip(MOVED, (before, after), strict=True):
                threshold = (Decimal(cut[:-1]) / 100, False)
                mine = Parameters(evidence, point.unknown)
                good = sum(row.correct for row in rows)
                mine.counted = {**point.counted, "one.jsonl": (good, 80)}
                mine.counted_bins = {
                    ("one.jsonl", right): mine.evidence["one.jsonl"].binned(right, (threshold,))
                    for right in (True, False)
                }
                sides.append(Side("p", mine, {"one.jsonl": {threshold}}))
            drawn.append(coupled(sides[0], sides[1], each)[:2])
        found = []
        for number, (program, one, point) in enumerate((before, after)):
            mine = [pair[number] for pair in drawn]
            together = Parameters(
                point.evidence,
                point.unknown,
                {site: np.concatenate([d.measured[site] for d in mine]) for site in point.counted},
                {
                    key: tuple(map(np.concatenate, zip(*(d.bins[key] for d in mine), strict=True)))
                    for key in point.counted_bins
                },
            )
            found.append(swept(program, one, together))
        for metric in covered:
            right = metric == "success"
            read = reader_of(metric)
            assert read is not None
            values = (read(found[1]) - read(found[0])).reshape(batch, each)
            for world, row in zip(range(first, first + batch), values, strict=True):
                share = accuracy[world] if right else 1 - accuracy[world]
                true = -share * spread[right][world][1]
                inside = interval(row)
                covered[metric] += bool(inside.low <= true <= inside.high)
    shares = {metric: count / worlds for metric, count in covered.items()}
    assert all(0.93 <= share <= 0.97 for share in shares.values()), shares
