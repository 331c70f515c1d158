"""Files of results, a JSON object a line, of which nothing is taken for granted."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from pipelang.runtime.providers.protocol import ModelRequest


def results_in(
    content: bytes, requests: Sequence[ModelRequest]
) -> Iterator[tuple[str, ModelRequest, dict[str, Any]]]:
    """The lines that are of a request, with its number. What is torn or nobody's is left out: only
    its own request was lost.
    """
    known = {str(place): request for place, request in enumerate(requests)}
    # At other separators, such as U+2028, no line of JSON ends.
    for line in content.split(b"\n"):
        try:
            found = json.loads(line.decode(errors="replace"))
        except (ValueError, RecursionError):
            continue
        number = found.get("custom_id") if isinstance(found, dict) else None
        if isinstance(number, str) and number in known:
            yield number, known[number], found
