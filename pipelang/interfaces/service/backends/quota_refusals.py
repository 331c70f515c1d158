"""Quotas at the door: a run for which there is no room is not taken, and told when to come back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from pipelang.interfaces.service.problems import Problem

if TYPE_CHECKING:
    from pipelang.interfaces.service.backend import RunOrder
    from pipelang.runtime.shared.quotas import Quotas
    from pipelang.semantics import program as p


def refuse_beyond_quota(quotas: Quotas, pipeline: p.Pipeline, order: RunOrder) -> None:
    """Raise `Problem` (429 `quota`) if a run that is to begin now finds its quota spent. What is
    free now may be gone when it begins: then the pipeline's own `else` decides.
    """
    if pipeline.quota is None or order.delay > 0:
        return
    refused = quotas.refusal(pipeline, order.tenant)
    if refused is None:
        return
    after = max(1, math.ceil(refused.after))
    raise Problem(
        429,
        "quota",
        f"the quota `{refused.limit}` of `{pipeline.name}` has no room now",
        headers={"Retry-After": str(after)},
    )
