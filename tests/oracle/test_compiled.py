"""Formulas against plain sweeps, on random pipelines: every figure, to 1e-12.

A sweep over numbers is the judge: of the point, of arrays of other parameters, and (over complex
numbers, whose imaginary part is a derivative: Squire and Trapp 1998) of the importances.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipelang.analysis.frontier.totals import PLAIN
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters, point_parameters
from pipelang.analysis.sweep.compiled import GROUPS, Compiled
from pipelang.analysis.sweep.state import accuracy_sites
from pipelang.analysis.sweep.sweep import Totals, sweep
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.walk import inner_links

from .generate import generate
from .generate_wide import generate_wide
from .hard import SHARES, hard_twin, text_of_both
from .write_pipe import write_pipe

SEEDS = int(os.environ.get("COMPILED_SEEDS", "40"))
BATCH = 10
FIRST = 90_000
H = 1e-30
COLUMNS = 5


def built(path: Path) -> p.Program:
    found = build(str(path), DiskLoader())
    assert found.program is not None, found.diagnostics
    return found.program


def plain(program: p.Program, name: str, parameters: Any) -> tuple[PipelineModel, Totals]:
    model = make_model(program, program.pipelines[name], parameters)
    return model, sweep(model)


def apart(one: Totals, other: Totals) -> float:
    """The largest difference of two figures, relative to what is larger than 1."""
    pairs = list(
        zip(map(one.__getattribute__, PLAIN), map(other.__getattribute__, PLAIN), strict=True)
    )
    for group in GROUPS:
        mine, theirs = getattr(one, group), getattr(other, group)
        pairs += [(mine.get(key, 0.0), theirs.get(key, 0.0)) for key in mine.keys() | theirs.keys()]
    return max(float(np.max(np.abs(a - b) / np.maximum(1, np.abs(b)))) for a, b in pairs)


class Moved:
    """Parameters with a derivative at some sites."""

    def __init__(self, inner: Parameters, sites: frozenset[str]) -> None:
        self.inner, self.sites = inner, sites

    def value(self, chance: Any) -> Any:
        return self.inner.value(chance) + (1j * H if chance.site in self.sites else 0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("inner", "sites"):
            object.__setattr__(self, name, value)
        else:
            setattr(self.inner, name, value)


def groups(model: PipelineModel) -> Iterator[tuple[frozenset[str], list[tuple[str, str]]]]:
    """Accuracies that only some steps have, and these steps."""
    models = {one.pipeline.name: one for one in model.children.values() if hasattr(one, "steps")}
    found: list[tuple[frozenset[str], list[tuple[str, str]]]] = []
    for one in (model, *models.values()):
        for step in one.steps.values():
            sites, owners = accuracy_sites(step), [(one.pipeline.name, step.name)]
            if any(isinstance(link.action, p.RunPipeline) for link in inner_links(step.chain)):
                continue
            for others in [group for group in found if group[0] & sites]:
                found.remove(others)
                sites, owners = sites | others[0], owners + others[1]
            found.append((sites, owners))
    # A role's accuracy is also that of its verdicts, which are no step's.
    roles = {role.accuracy.site for role in model.program.roles.values()}
    yield from (group for group in found if not group[0] & roles)


def faults(program: p.Program, name: str, work: int) -> Iterator[str]:
    """What is different; `work` is the size that the pipeline is taken for."""
    compiled = Compiled(program, program.pipelines[name], work=work)
    point = point_parameters(program)
    model, exact = plain(program, name, point)
    for again in range(2):
        mine = point_parameters(program)
        found = compiled.totals(mine)
        if apart(found, exact) > 1e-12:
            yield f"the point, {again}"
        # A move asks for all rates of an item, used or not.
        used = point.bases.items() <= mine.bases.items() if work > 1 else mine.bases == point.bases
        if not used or [*mine.unknown_sites] != [*point.unknown_sites]:
            yield f"what was used, {again}"
        if [*mine.counted.items()] != [*point.counted.items()] or mine.bounded != point.bounded:
            yield f"what was counted, {again}"
    if compiled.too_large:
        return
    moving = {
        site: np.linspace(0, 1, COLUMNS)[::-1] * (good / total)
        for site, (good, total) in point.counted.items()
    }
    shares = np.linspace(0, 1, COLUMNS)
    arrays = [
        Parameters(EvidenceTable(program.evidence), lambda site: shares, moving) for _ in range(2)
    ]
    if apart(compiled.totals(arrays[0], COLUMNS), plain(program, name, arrays[1])[1]) > 1e-12:
        yield "arrays"
    mine = point_parameters(program)
    importances = compiled.importances(mine)
    assert importances is not None
    for sites, owners in groups(model):
        inner = Moved(point_parameters(program), sites)
        slopes = plain(program, name, inner)[1]
        both = sum(importances.get(owner, 0j) for owner in owners)
        for total, figure in ((both.real, slopes.success), (both.imag, slopes.silent_error)):
            if abs(total - complex(figure).imag / H) > 1e-9:
                yield f"importance of {owners}: {total}, {complex(figure).imag / H}"


@pytest.mark.parametrize("work", [1, 10**9], ids=["small", "large"])
@pytest.mark.parametrize("maker", ["plain", "wide", "hard"])
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_a_formula_is_the_sweep(first: int, maker: str, work: int, tmp_path: Path) -> None:
    found: list[str] = []
    for seed in range(FIRST + first, FIRST + first + BATCH):
        model = generate(seed) if maker == "plain" else generate_wide(seed)
        file = write_pipe(model, tmp_path / f"seed_{seed}")
        if maker == "hard":
            text = text_of_both(model, hard_twin(model, seed), SHARES[seed % len(SHARES)])
            file.write_text(text, encoding="utf-8")
        program = built(file)
        found += [f"seed {seed}: {fault}" for fault in faults(program, model.pipeline.name, work)]
    assert not found, "\n".join(found)
