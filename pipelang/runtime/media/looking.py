"""Looks at bytes: a picture or a document that can be read, else a message that says what is wrong.

Nothing of what the sender claims is believed: type, size and pages are read from the bytes, by
Pillow and pypdf, which are imported when the first picture or document comes.
"""

from __future__ import annotations

import io
import logging
import warnings
from typing import Any

from pipelang.runtime.media.medium import Media
from pipelang.semantics.kernels.media import DOCUMENT, FORMATS, IMAGE, LARGEST_SIDE, MOST_BYTES, PDF

_MISSING = "{} are looked at by {}, which is not installed: pip install 'pipelang-dsl[media]'"

_ENOUGH = 1024
"""Pixels along a side at which a JPEG is read to see whether it is whole."""


class NotMedia(ValueError):
    """Bytes that are no picture or no document, or none that can be taken. The message says why."""


def looked_at(kind: str, data: bytes, claimed: str | None = None) -> Media:
    """The picture or document in some bytes, of which a media type may be claimed. Raises
    `NotMedia`.
    """
    if not data:
        raise NotMedia(f"expected {_NAMES[kind]}, found nothing: it has no bytes")
    if len(data) > MOST_BYTES:
        raise NotMedia(f"{_NAMES[kind]} of {len(data):,} bytes is larger than {MOST_BYTES:,}")
    found = _picture(data) if kind == IMAGE else _document(data)
    claimed = "image/jpeg" if claimed == "image/jpg" else claimed
    if claimed is not None and claimed.partition(";")[0].strip().lower() != found.media_type:
        raise NotMedia(f"it says that it is `{claimed[:60]}`, and is `{found.media_type}`")
    return found


_NAMES = {IMAGE: "a picture", DOCUMENT: "a document"}


def _picture(data: bytes) -> Media:
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError:
        raise NotMedia(_MISSING.format("pictures", "Pillow")) from None
    problem = "it is broken"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a bomb: sizes are looked at here
        try:
            with Image.open(io.BytesIO(data)) as picture:
                # A JPEG with a preview or a depth map behind it, as phones and cameras write them.
                several = picture.format == _SEVERAL
                media_type = Image.MIME.get("JPEG" if several else picture.format or "", "")
                if media_type not in FORMATS:
                    raise NotMedia(f"{_LISTED}, found `{media_type or picture.format}`")
                if max(picture.size) > LARGEST_SIDE:
                    wide, high = picture.size
                    most = f"at most {LARGEST_SIDE:,} along a side"
                    raise NotMedia(f"a picture of {wide:,} x {high:,} pixels is too large: {most}")
                if not several and getattr(picture, "n_frames", 1) > 1:
                    raise NotMedia("an animation, of which models see one picture: send that one")
                sides = picture.size
                picture.draft(None, (_ENOUGH, _ENOUGH))
                picture.load()
                return Media(IMAGE, media_type, data, sides=(sides[0], sides[1]))
        except NotMedia:
            raise
        except UnidentifiedImageError:
            problem = f"{_LISTED}, found {_words(data)}"
        except Image.DecompressionBombError:
            problem = "a picture of too many pixels"
        except Exception:  # whatever a decoder makes of bytes that are wrong
            problem = "the picture is broken: it cannot be read to its end"
    raise NotMedia(problem)


_SEVERAL = "MPO"
"""Pillow's name of a JPEG behind whose picture there are others, of which models see none."""

_LISTED = "expected a picture (PNG, JPEG, GIF or WebP)"


def _document(data: bytes) -> Media:
    try:
        import pypdf
        from pypdf.errors import PyPdfError
    except ImportError:
        raise NotMedia(_MISSING.format("documents", "pypdf")) from None
    if b"%PDF-" not in data[:1024]:
        raise NotMedia(f"expected a document (PDF), found {_words(data)}")
    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what it mends is not ours to tell
    problem = "the document is broken: its pages cannot be read"
    try:
        reader: Any = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted:
            raise NotMedia("the document is encrypted: send it without a password")
        pages = len(reader.pages)
        if pages:
            _ = reader.pages[0].mediabox, reader.pages[pages - 1].mediabox
            return Media(DOCUMENT, PDF, data, pages=pages)
        problem = "the document has no pages"
    except NotMedia:
        raise
    except (PyPdfError, RecursionError, Exception):  # whatever a reader makes of wrong bytes
        pass
    raise NotMedia(problem)


_STARTS = (
    (b"%PDF-", "a PDF"),
    (b"\x89PNG", "a PNG"),
    (b"\xff\xd8\xff", "a JPEG"),
    (b"GIF8", "a GIF"),
    (b"PK\x03\x04", "a ZIP archive or an office file"),
    (b"<", "a text in XML, HTML or SVG"),
    (b"{", "a JSON text"),
)


def _words(data: bytes) -> str:
    start = data[:64].lstrip()
    named = next((name for sign, name in _STARTS if start.startswith(sign)), None)
    return named or "bytes of another kind"
