"""Birnbaum importance: how much an outcome changes with the accuracy of one step.

Outcomes are polynomials in every accuracy, so a derivative is had exactly by the complex step
(Squire and Trapp 1998): with accuracy a + ih, the imaginary part of the outcome divided by h is the
derivative up to h squared, which at h = 1e-30 is nothing. One sweep a step.
"""

from __future__ import annotations

from typing import Any

from pipelang.analysis.model import Model, make_model
from pipelang.analysis.parameters import Parameters
from pipelang.analysis.sweep import sweep
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance
from pipelang.semantics.walk import inner_links

H = 1e-30
MOST_STEPS = 200
"""Beyond this many steps a sweep a step takes too long; importances are then left open."""


class _Nudged(Parameters):
    """Parameters in which some sites have an infinitesimal added."""

    sites: frozenset[str] = frozenset()

    def value(self, chance: Chance) -> Any:
        plain = Parameters.value(self, chance)
        return plain + 1j * H if chance.site in self.sites else plain


def importances(model: Model) -> dict[str, tuple[float, float]]:
    """d(success)/d(accuracy) and d(silent_error)/d(accuracy) of every step, by its name."""
    if len(model.steps) > MOST_STEPS:
        return {}
    result = {}
    for name, step in model.steps.items():
        parameters = _Nudged(model.parameters.evidence, model.parameters.unknown)
        parameters.sites = frozenset(accuracy_sites(step))
        totals = sweep(make_model(model.program, model.pipeline, parameters))
        result[name] = (_part(totals.success), _part(totals.silent_error))
    return result


def _part(value: Any) -> float:
    return float(complex(value).imag / H)


def accuracy_sites(step: p.Step) -> set[str]:
    """The parameters that are accuracies of a step's links."""
    sites: set[str] = set()
    for link in inner_links(step.chain):
        sites.add(link.accuracy.site)
        sites.update(chance.site for chance in link.accuracy_by_tier.values())
    return sites
