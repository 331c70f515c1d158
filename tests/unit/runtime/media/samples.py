"""Pictures and documents of tests, made when they are needed."""

from __future__ import annotations

import base64
import io
from typing import Any

import pypdf
from PIL import Image


def picture(width: int = 4, height: int = 3, form: str = "PNG", **options: Any) -> bytes:
    """A picture of one colour."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 10, 30)).save(out, form, **options)
    return out.getvalue()


def noise(width: int, height: int, form: str = "PNG") -> bytes:
    """A picture that nothing can make smaller."""
    out = io.BytesIO()
    noise = Image.effect_noise((width, height), 90).convert("RGB")
    noise.save(out, form, compress_level=0)  # there is nothing to shrink, and it takes long
    return out.getvalue()


def photo_with_a_preview() -> bytes:
    """A JPEG of a phone: a smaller picture stands behind the one that is meant."""
    out = io.BytesIO()
    photo, preview = (Image.new("RGB", sides, (9, 90, 9)) for sides in ((40, 30), (20, 15)))
    photo.save(out, "MPO", save_all=True, append_images=[preview])
    return out.getvalue()


def animation() -> bytes:
    out = io.BytesIO()
    first, second = (Image.new("L", (2, 2), level) for level in (0, 255))
    first.save(out, "GIF", save_all=True, append_images=[second])
    return out.getvalue()


def document(pages: int = 2, password: str | None = None) -> bytes:
    """A document of empty pages."""
    writer = pypdf.PdfWriter()
    for _ in range(pages):
        writer.add_blank_page(200, 300)
    if password is not None:
        writer.encrypt(password)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def coded(data: bytes, media_type: str) -> dict[str, str]:
    """A picture or document as JSON gives it."""
    return {"data": base64.b64encode(data).decode(), "media_type": media_type}
