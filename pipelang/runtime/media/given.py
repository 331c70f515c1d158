"""Pictures and documents as they are given: bytes, `{"data", "media_type"}`, a data URL; and what
only a host may give or allow: a path, and an address to fetch.
"""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from pipelang.records import dataclass
from pipelang.runtime.files.plain_files import open_plain
from pipelang.runtime.media.looking import NotMedia, looked_at
from pipelang.runtime.media.medium import DIGEST, Media
from pipelang.semantics.kernels.media import MOST_BYTES
from pipelang.semantics.types import (
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    Type,
    is_medium,
    media_in,
)

FORMS = 'bytes, {"path"}, {"data", "media_type"} or {"url"}'


def medium_from(kind: str, value: Any) -> Media:
    """A picture or document that anybody may give. Raises `NotMedia`."""
    if isinstance(value, Media):
        if value.kind != kind:
            raise NotMedia(f"expected `{kind}`, found `{value.kind}`")
        return value
    if isinstance(value, (bytes, bytearray, memoryview)):
        return looked_at(kind, bytes(value))
    if isinstance(value, os.PathLike):
        return looked_at(kind, _read(Path(value)))
    if isinstance(value, str) and value[:5].lower() == "data:":
        return _from_data_url(kind, value)
    if isinstance(value, Mapping):
        return _from_json(kind, value)
    found = "a text" if isinstance(value, str) else f"a `{type(value).__name__}`"
    raise NotMedia(f"expected `{kind}` ({FORMS}), found {found}")


def _from_json(kind: str, value: Mapping[Any, Any]) -> Media:
    for refused, why in _REFUSED.items():
        if refused in value:
            named = refused in _NAMED and not isinstance(value[refused], (str, os.PathLike))
            raise NotMedia(f"`{refused}` is a text like {_NAMED[refused]}" if named else why)
    data, media_type = value.get("data"), value.get("media_type")
    if set(value) != {"data", "media_type"}:
        found = ", ".join(sorted(str(key)[:40] for key in value)) or "nothing"
        raise NotMedia(f"expected `{kind}` ({FORMS}), found an object with {found}")
    if not isinstance(media_type, str) or not isinstance(data, (str, bytes)):
        raise NotMedia("`data` is a text in base64 and `media_type` a text like image/png")
    return looked_at(kind, data if isinstance(data, bytes) else _decoded(data), media_type)


_REFUSED = {
    "path": "a `path` is only read where a host gives it, as the input of a run",
    "url": "a `url` is only fetched where a host allows it, as the input of a run",
    DIGEST: "this tells of a picture or document and is none: its bytes are not here",
}


_NAMED = {"path": "scan.pdf", "url": "https://example.com/scan.pdf"}
"""The keys by which an input names where its bytes are, each with one it may have."""


def _from_data_url(kind: str, text: str) -> Media:
    head, comma, data = text[5:].partition(",")
    media_type, *more = head.split(";")
    if not comma or not media_type or "base64" not in (one.strip().lower() for one in more):
        raise NotMedia("a data URL is written data:image/png;base64,...")
    return looked_at(kind, _decoded(data), media_type)


def _decoded(text: str) -> bytes:
    if len(text) > MOST_BYTES * 3 // 2:
        raise NotMedia(f"more than {MOST_BYTES:,} bytes")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error):
        raise NotMedia("`data` is no base64") from None


def _read(path: Path) -> bytes:
    try:
        with open_plain(path) as file:
            data = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise NotMedia(f"`{path}` cannot be read: {why}") from None
    return data


@dataclass(frozen=True, slots=True)
class MediaSources:
    """The places that a host lets inputs name: files (all, those below a folder, or none) and
    addresses below one of `urls`. `stored` finds what a run was given before, by what tells of it.
    """

    paths: bool | str | os.PathLike[str] = True
    urls: tuple[str, ...] = ()
    stored: Callable[[Mapping[str, Any]], Media | None] | None = None

    def medium(self, kind: str, value: Any) -> Media:
        """The picture or document that an input gives. Raises `NotMedia`."""
        if isinstance(value, Mapping):
            found = self.stored(value) if self.stored is not None and DIGEST in value else None
            if found is not None:
                return found
            if set(value) == {"path"} and isinstance(value["path"], (str, os.PathLike)):
                return looked_at(kind, _read(self._allowed(Path(value["path"]))))
            if set(value) == {"url"} and isinstance(value["url"], str):
                return looked_at(kind, self._fetched(value["url"]))
        return medium_from(kind, value)

    def _allowed(self, path: Path) -> Path:
        if self.paths is True:
            return path
        if self.paths is False:
            raise NotMedia("a `path` is not read here: the host does not allow it")
        folder = Path(self.paths).resolve()
        inside = (folder / path).resolve()
        if not inside.is_relative_to(folder):
            raise NotMedia(f"`{path}` is not in the folder that the host allows")
        return inside

    def _fetched(self, url: str) -> bytes:
        if url[:5].lower() == "data:":
            raise NotMedia("a data URL stands by itself, as a text, and not as a `url`")
        if not self.urls:
            raise NotMedia("a `url` is not fetched here: the host does not allow it")
        from pipelang.runtime.media.fetching import fetched

        return fetched(url, self.urls)


def with_media(type: Type, value: Any, sources: MediaSources) -> Any:
    """JSON of a type with its pictures and documents read, also those that a host lets it name.
    Raises `NotMedia`, with the path to what is wrong.
    """
    return _inside(type, value, sources, ()) if media_in(type) else value


def _inside(type: Type, value: Any, sources: MediaSources, path: tuple[str, ...]) -> Any:
    match type:
        case Scalar() if is_medium(type) and value is not None:
            try:
                return sources.medium(type.kind.value, value)
            except NotMedia as problem:
                raise NotMedia(": ".join(filter(None, (".".join(path), str(problem))))) from None
        case OptionalType() if value is not None:
            return _inside(type.inner, value, sources, path)
        case RecordType() if isinstance(value, Mapping):
            types = {field.key: field.type for field in type.fields}
            return {
                key: _inside(types[key], item, sources, (*path, key)) if key in types else item
                for key, item in value.items()
            }
        case ListType() if isinstance(value, (list, tuple)):
            numbered: Iterable[tuple[int, Any]] = enumerate(value)
            return [_inside(type.element, one, sources, (*path, str(at))) for at, one in numbered]
        case MapType() if isinstance(value, Mapping):
            return {
                key: _inside(type.value, item, sources, (*path, str(key)))
                for key, item in value.items()
            }
        case _:
            return value


def media_of(value: Any) -> dict[str, Media]:
    """The pictures and documents in a value, by their hashes."""
    found: dict[str, Media] = {}
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, Media):
            found[one.sha256] = one
        elif isinstance(one, BaseModel):
            left.extend(getattr(one, name) for name in type(one).__pydantic_fields__)
        elif isinstance(one, Mapping):
            left.extend(one.values())
        elif isinstance(one, (list, tuple)):
            left.extend(one)
    return found
