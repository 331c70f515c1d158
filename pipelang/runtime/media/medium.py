"""Pictures and documents as values: the bytes, and what may be told of them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

from pipelang.semantics.kernels.media import DOCUMENT, STAND_IN

DIGEST = "sha256"
"""The key of the hash in the JSON that stands for a picture or document."""


class Media:
    """A picture (`kind` is `image`) or a document, immutable and checked.

    `data` are its bytes, `media_type`, `size` (bytes), `sha256` and either `sides` (pixels) or
    `pages` what may be told of it. Its JSON and its repr never carry the bytes.
    """

    __slots__ = ("_data", "_load", "kind", "media_type", "pages", "sha256", "sides", "size")

    kind: str
    media_type: str
    sha256: str
    size: int
    sides: tuple[int, int] | None
    pages: int | None
    _data: bytes | None
    _load: Callable[[], bytes] | None

    def __init__(
        self,
        kind: str,
        media_type: str,
        data: bytes | None,
        *,
        sides: tuple[int, int] | None = None,
        pages: int | None = None,
        sha256: str = "",
        size: int = 0,
        load: Callable[[], bytes] | None = None,
    ) -> None:
        """Take bytes that were checked; or their hash and size, with the function that `load`s
        them when they are needed.
        """
        digest = sha256 if data is None else hashlib.sha256(data).hexdigest()
        values = (kind, media_type, digest, size if data is None else len(data), sides, pages)
        names = ("kind", "media_type", "sha256", "size", "sides", "pages")
        for name, value in zip(names, values, strict=True):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "_data", data)
        object.__setattr__(self, "_load", load)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("pictures and documents do not change")

    @property
    def data(self) -> bytes:
        """The bytes."""
        if self._data is None:
            assert self._load is not None
            object.__setattr__(self, "_data", self._load())
        assert self._data is not None
        return self._data

    def as_json(self) -> dict[str, Any]:
        """The JSON that stands for it: all but the bytes."""
        told: dict[str, Any] = {
            "media_type": self.media_type,
            "size": self.size,
            DIGEST: self.sha256,
        }
        if self.kind == DOCUMENT:
            return {**told, "pages": self.pages}
        return told if self.sides is None else {**told, "sides": list(self.sides)}

    def __str__(self) -> str:
        """The words that a person reads in its place."""
        pages = "1 page" if self.pages == 1 else f"{self.pages} pages"
        about = pages if self.kind == DOCUMENT else ""
        if self.kind != DOCUMENT and self.sides is not None:
            about = f"{self.sides[0]} x {self.sides[1]} pixels"
        told = (self.media_type, about, f"{self.size:,} bytes", f"sha256 {self.sha256[:12]}")
        return f"[{self.kind}: {', '.join(filter(None, told))}]"

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Media):
            return NotImplemented
        return (self.kind, self.sha256) == (other.kind, other.sha256)

    def __hash__(self) -> int:
        return hash((self.kind, self.sha256))

    def __copy__(self) -> Media:
        return self

    def __deepcopy__(self, memo: Any) -> Media:
        return self

    def __reduce__(self) -> Any:
        return _made, (self.kind, self.media_type, self.data, self.sides, self.pages)


def _made(kind: str, media_type: str, data: bytes, sides: Any, pages: Any) -> Media:
    return Media(kind, media_type, data, sides=sides, pages=pages)


def stand_ins() -> dict[str, Media]:
    """A picture of one pixel and a document of one page, by their kinds."""
    found = {}
    for kind, one in STAND_IN.items():
        pages, sides = (1, None) if kind == DOCUMENT else (None, (1, 1))
        data = base64.b64decode(one["data"])
        found[kind] = Media(kind, one["media_type"], data, sides=sides, pages=pages)
    return found
