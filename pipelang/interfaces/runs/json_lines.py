"""Lines of JSON that a process may have left half written."""

from __future__ import annotations

import json
from typing import Any


def object_of(line: bytes) -> dict[str, Any] | None:
    """The object of a line, None for one that is torn or something else."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
