"""Birnbaum importance: how much an outcome changes with the accuracy of one step.

Outcomes are polynomials in every accuracy, so a derivative is had exactly by the complex step
(Squire and Trapp 1998): with accuracy a + ih, the imaginary part of the outcome divided by h is the
derivative up to h squared, which at h = 1e-30 is nothing. That is one sweep a step, or one sweep
over arrays that hold a number for each step; for a few, loading numpy would take longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.analysis.model import Model, make_model
from pipelang.analysis.parameters import Parameters
from pipelang.analysis.sweep import Totals, sweep
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance
from pipelang.semantics.walk import inner_links

H = 1e-30
MOST_STEPS = 200
"""Beyond this many steps the arrays get too large; importances are then left open."""
FEW_STEPS = 8
"""Up to this many, numpy is used only if the posterior of what was counted needs it anyway."""


class _Nudged(Parameters):
    """Parameters to which something infinitesimal is added, by site."""

    nudges: Mapping[str, Any] = {}

    def value(self, chance: Chance) -> Any:
        plain = Parameters.value(self, chance)
        nudge = self.nudges.get(chance.site)
        return plain if nudge is None else plain + nudge


def importances(model: Model) -> dict[str, tuple[float, float]]:
    """d(success)/d(accuracy) and d(silent_error)/d(accuracy) of every step, by its name."""
    if not model.steps or len(model.steps) > MOST_STEPS:
        return {}
    counted = model.parameters.counted or model.parameters.counted_bins
    if len(model.steps) > FEW_STEPS or counted:
        return _at_once(model)
    result = {}
    for name, step in model.steps.items():
        totals = _nudged(model, dict.fromkeys(accuracy_sites(step), 1j * H))
        result[name] = (_part(totals.success), _part(totals.silent_error))
    return result


def _at_once(model: Model) -> dict[str, tuple[float, float]]:
    import numpy as np

    count = len(model.steps)
    nudges: dict[str, Any] = {}
    for index, step in enumerate(model.steps.values()):
        for site in accuracy_sites(step):
            nudges.setdefault(site, np.zeros(count, dtype=complex))[index] = 1j * H
    totals = _nudged(model, nudges)
    success = np.broadcast_to(totals.success, count)
    silent_error = np.broadcast_to(totals.silent_error, count)
    return {
        name: (_part(success[index]), _part(silent_error[index]))
        for index, name in enumerate(model.steps)
    }


def _nudged(model: Model, nudges: Mapping[str, Any]) -> Totals:
    parameters = _Nudged(model.parameters.evidence, model.parameters.unknown)
    parameters.nudges = nudges
    return sweep(make_model(model.program, model.pipeline, parameters))


def _part(value: Any) -> float:
    return float(complex(value).imag / H)


def accuracy_sites(step: p.Step) -> set[str]:
    """The parameters that are accuracies of a step's links."""
    sites: set[str] = set()
    for link in inner_links(step.chain):
        sites.add(link.accuracy.site)
        sites.update(chance.site for chance in link.accuracy_by_tier.values())
    return sites
