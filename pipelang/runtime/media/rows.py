"""Pictures and documents in rows of JSON, which tell of them; their bytes are elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from pipelang.runtime.media.medium import DIGEST, Media
from pipelang.semantics.kernels.media import DOCUMENT, IMAGE, PDF


def as_text(value: Any, other: Callable[[Any], Any] | None = None) -> tuple[str, dict[str, Media]]:
    """A value as JSON in which pictures and documents are told of, and these by their hashes.
    `other` makes JSON of what is neither.
    """
    found: dict[str, Media] = {}

    def told(one: Any) -> Any:
        if not isinstance(one, Media):
            if other is not None:
                return other(one)
            raise TypeError(f"a `{type(one).__name__}` in a row")
        found[one.sha256] = one
        return one.as_json()

    return json.dumps(value, allow_nan=other is not None, default=told), found


def told_of(value: Mapping[str, Any], load: Callable[[str], bytes]) -> Media:
    """The picture or document that a row tells of; its bytes are loaded when they are needed."""
    digest, sides = str(value[DIGEST]), value.get("sides")
    media_type = str(value["media_type"])
    return Media(
        DOCUMENT if media_type == PDF else IMAGE,
        media_type,
        None,
        sides=None if sides is None else (int(sides[0]), int(sides[1])),
        pages=value.get("pages"),
        sha256=digest,
        size=int(value["size"]),
        load=lambda: load(digest),
    )
