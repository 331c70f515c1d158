"""Check, analysis, graph, PRISM export and interpreter say the same of the same pipelines.

What an action means is written once, in `semantics.kernels`, and each of the five asks there. A
copy of a rule that says something else is not found by looking for copies, but here: two parts
then tell of different links, steps, endings or escalations.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from pathlib import Path

import pytest

from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.export.prism import lists
from pipelang.runtime.engine import barriers
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.elaborate.actions import links
from pipelang.semantics.kernels import chain

from .meaning import tellers
from .meaning.generate import generate

SEEDS = 40
BATCH = 10
RUNS = 150
OFTEN = 0.12
"""A way of this probability is missed by all runs once in 100 million tries."""


def disagreements(seed: int, folder: Path, runs: int = RUNS) -> Iterator[str]:
    """Where two parts tell of different things; all are held against the analysis."""
    path = folder / "p.pipe"
    path.write_text(generate(seed), encoding="utf-8")
    built = build(str(path), DiskLoader())
    assert built.program is not None, [str(found) for found in built.diagnostics]
    program, pipeline = built.program, built.program.pipelines["p"]
    analysed, shares = tellers.by_analysis(path)
    checked, drawn = tellers.by_check(built, pipeline), tellers.by_graph(program, pipeline)
    exported = tellers.by_prism(program, pipeline)
    seen, hits = tellers.by_interpreter(path, runs, seed)
    ways, reached = analysed.ways, analysed.reached
    own = tellers.ways_in_its_graph(pipeline, ways)
    named = {way.replace(".", "_") for way in ways}
    yield from _different("unused links", "check", checked.unused, "graph", drawn.unused)
    yield from _different("ways", "analysis", own, "graph", drawn.ways)
    yield from _different("ways", "analysis", named, "prism", exported.ways)
    yield from _different("steps", "analysis", reached, "graph", drawn.reached)
    yield from _different("steps", "analysis", reached, "prism", exported.reached)
    if not seen.ways <= ways:
        yield f"ways that only runs take: {sorted(seen.ways - ways)}"
    missed = {way for way, share in shares.items() if share >= OFTEN and not hits[way]}
    if missed:
        yield f"ways that no run takes: {sorted(missed)}"
    if not seen.reached <= reached:
        yield f"steps that only runs reach: {sorted(seen.reached - reached)}"


def _different(what: str, one: str, ones: Set[str], other: str, others: Set[str]) -> Iterator[str]:
    if ones != others:
        only, rest = sorted(ones - others), sorted(others - ones)
        yield f"{what}: only {one} tells of {only}, only {other} of {rest}"


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_all_parts_tell_the_same(first: int, tmp_path: Path) -> None:
    failures = [
        f"seed {seed}: {told}\n{generate(seed)}"
        for seed in range(first, first + BATCH)
        for told in disagreements(seed, tmp_path)
    ]
    assert not failures, "\n".join(failures)


def _by_kind_alone(link: p.Link, pure: object) -> bool:
    """The rule that the graph once had: pure tools and matches counted as able to fail."""
    return not isinstance(link.action, (p.Value, p.Recall))


PLANTED = {
    "the graph's old rule": (chain, "can_fail", _by_kind_alone),
    "the same in check": (links, "can_fail", _by_kind_alone),
    "an export that needs no element": (lists, "least", lambda need, length: 0),
    "a runtime that lets everything pass": (barriers, "passes", lambda *answer: True),
}


@pytest.mark.parametrize("fault", PLANTED)
def test_a_planted_copy_of_a_rule_is_found(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name, rule = PLANTED[fault]
    monkeypatch.setattr(module, name, rule)
    assert any(told for seed in range(SEEDS) for told in disagreements(seed, tmp_path))
