"""What bytes are is read from the bytes: type, size, pages; what is none is told why."""

from __future__ import annotations

import base64
import copy
import hashlib
import pickle

import pytest

from pipelang.runtime.media import looking
from pipelang.runtime.media.looking import NotMedia, looked_at
from pipelang.runtime.media.medium import Media
from pipelang.semantics.kernels.media import BOTH, DOCUMENT, IMAGE, STAND_IN

from . import samples


@pytest.mark.parametrize(
    ("form", "media_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
def test_a_picture_is_known_by_its_bytes(form: str, media_type: str) -> None:
    data = samples.picture(40, 30, form)
    found = looked_at(IMAGE, data)
    assert (found.media_type, found.sides, found.size) == (media_type, (40, 30), len(data))
    assert found.sha256 == hashlib.sha256(data).hexdigest()
    assert found.data == data


def test_a_photo_with_a_preview_behind_it_is_a_jpeg() -> None:
    """Phones and cameras write such; makers see the first picture, as in any JPEG."""
    data = samples.photo_with_a_preview()
    found = looked_at(IMAGE, data, "image/jpeg")
    assert (found.media_type, found.sides, found.data) == ("image/jpeg", (40, 30), data)


def test_pages_of_a_document_are_counted() -> None:
    found = looked_at(DOCUMENT, samples.document(7), "application/pdf")
    assert (found.media_type, found.pages, found.sides) == ("application/pdf", 7, None)


@pytest.mark.parametrize("kind", BOTH)
def test_what_stands_in_is_one(kind: str) -> None:
    data = base64.b64decode(STAND_IN[kind]["data"])
    assert looked_at(kind, data, STAND_IN[kind]["media_type"]).kind == kind


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        (IMAGE, b"", "found nothing"),
        (IMAGE, b"hello, I am a picture", "found bytes of another kind"),
        (IMAGE, b"<svg xmlns='http://www.w3.org/2000/svg'/>", "XML, HTML or SVG"),
        (IMAGE, samples.document(), "found a PDF"),
        (IMAGE, samples.picture(form="BMP"), "found `image/bmp`"),
        (IMAGE, samples.picture(form="TIFF"), "found `image/tiff`"),
        (IMAGE, samples.noise(60, 60)[:3000], "broken"),
        (IMAGE, samples.noise(60, 60, "JPEG")[:1500], "broken"),
        (IMAGE, samples.picture(8001, 1), "too large"),
        (IMAGE, samples.animation(), "an animation"),
        (DOCUMENT, samples.picture(), "found a PNG"),
        (DOCUMENT, b"PK\x03\x04 an office file", "ZIP archive or an office file"),
        (DOCUMENT, b"%PDF-1.7\nnothing behind it", "broken"),
        (DOCUMENT, samples.document(3)[:200], "broken"),
        (DOCUMENT, samples.document(0), "no pages"),
        (DOCUMENT, samples.document(2, "secret"), "encrypted"),
        (DOCUMENT, samples.document(2, ""), "encrypted"),
    ],
    ids=lambda value: value if isinstance(value, str) else "data",
)
def test_what_is_none_is_told_why(kind: str, data: bytes, why: str) -> None:
    with pytest.raises(NotMedia, match=why) as told:
        looked_at(kind, data)
    assert told.value.__cause__ is None


def test_a_claim_is_not_believed() -> None:
    with pytest.raises(NotMedia, match="it says that it is `image/png`, and is `image/jpeg`"):
        looked_at(IMAGE, samples.picture(form="JPEG"), "image/png")
    assert looked_at(IMAGE, samples.picture(form="JPEG"), "image/jpg").media_type == "image/jpeg"
    assert looked_at(IMAGE, samples.picture(), "image/PNG; x=y").media_type == "image/png"


def test_a_bomb_does_not_go_off() -> None:
    """Its size is read before it is decoded, and nothing is warned of."""
    with pytest.raises(NotMedia, match="too large"):
        looked_at(IMAGE, samples.picture(20_000, 3))


def test_more_bytes_than_anybody_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "MOST_BYTES", 50)
    with pytest.raises(NotMedia, match="larger than 50"):
        looked_at(IMAGE, samples.picture())


def test_it_is_told_of_without_its_bytes() -> None:
    data = samples.document(3)
    found = looked_at(DOCUMENT, data)
    told = {
        "media_type": "application/pdf",
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "pages": 3,
    }
    assert found.as_json() == told
    assert repr(found) == str(found)
    assert str(found).startswith(f"[document: application/pdf, 3 pages, {len(data):,} bytes, sha")
    assert ", 1 page, " in str(looked_at(DOCUMENT, samples.document(1)))
    assert looked_at(IMAGE, samples.picture()).as_json()["sides"] == [4, 3]


def test_a_value_is_what_its_bytes_are_and_does_not_change() -> None:
    found, same = (looked_at(IMAGE, samples.picture()) for _ in range(2))
    other = looked_at(IMAGE, samples.picture(9, 9))
    assert found == same
    assert hash(found) == hash(same)
    assert found != other
    assert found != "a picture"
    assert copy.deepcopy(found) is found
    assert copy.copy(found) is found
    kept = pickle.loads(pickle.dumps(found))
    assert (kept, kept.data, kept.sides) == (found, found.data, found.sides)
    with pytest.raises(AttributeError):
        found.size = 3


def test_bytes_are_loaded_once_and_when_they_are_needed() -> None:
    loads = []

    def load() -> bytes:
        loads.append(1)
        return b"bytes"

    medium = Media(IMAGE, "image/png", None, sha256="ab", size=5, sides=(1, 1), load=load)
    assert medium.as_json()["sha256"] == "ab"
    assert not loads
    assert (medium.data, medium.data) == (b"bytes", b"bytes")
    assert loads == [1]
