"""Secrets by reference: `env:NAME` and `file:PATH`. Their values never reach a message.

Who writes a message (a tool's exception, a provider's error page) may quote a secret in another
notation: inside JSON, inside a repr, in a header's base64, in a URL. All of these are taken out:
the plain ones here, also where a message was cut in their middle, others in `encoded_secrets`.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from pipelang.runtime.engine.encoded_secrets import encodings, without_encoded

REDACTED = "[key]"

SHORTEST = 4
"""Characters: a shorter value stands in every other text, so it is left alone there."""

_SHORTEST_BASE64 = 8


class SecretMissing(LookupError):
    """There is nothing behind a reference."""


def resolve_secret(reference: str) -> str:
    """The secret behind a reference. Raises `SecretMissing`, which names the reference only."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        value = os.environ.get(name, "").strip()
    elif kind == "file":
        path = Path(name)
        value = path.read_text(encoding="utf-8").strip() if path.is_file() else ""
    else:
        raise SecretMissing(f"`{reference}` is no reference: write `env:NAME` or `file:PATH`")
    if not value:
        raise SecretMissing(f"there is nothing behind `{reference}`")
    return value


def secrets_behind(references: Iterable[str]) -> list[str]:
    """The values behind references, of those that have one."""
    values = []
    for reference in references:
        try:
            values.append(resolve_secret(reference))
        except (SecretMissing, OSError, UnicodeDecodeError):
            continue
    return values


def redact(text: str, references: Iterable[str], values: Iterable[str] = ()) -> str:
    """The text without the values behind references, and without these values."""
    return redacted(text, notations([*secrets_behind(references), *values]))


def redacted(text: str, notations: Iterable[str]) -> str:
    """The text without what stands in it in one of these notations.

    A message may have been cut in the middle of a secret: what it begins with is taken out too.
    """
    for written in notations:
        text = text.replace(written, REDACTED)
        cut = _begins_at_the_end(text, written)
        if cut:
            text = text[: -len(cut)] + REDACTED + ("…" if cut.endswith("…") else "")
    if isinstance(notations, Notations):
        text = without_encoded(text, notations.encoded, REDACTED)
    return text


def redacted_json(value: Any, notations: Iterable[str]) -> Any:
    """A JSON value without what stands in its texts and keys in one of these notations."""
    written = notations if isinstance(notations, list) else list(notations)
    if not written:
        return value

    def clean(part: Any) -> Any:
        if isinstance(part, str):
            return redacted(part, written)
        if isinstance(part, dict):
            return {clean(key): clean(item) for key, item in part.items()}
        if isinstance(part, (list, tuple)):
            return [clean(item) for item in part]
        if isinstance(part, (int, float)) and not isinstance(part, bool) and str(part) in written:
            return REDACTED
        return part

    return clean(value)


class Notations(list[str]):
    """The ways to write secrets, the longest first; `encoded` are those that are looked for however
    a text is escaped, wrapped or spelled.
    """

    encoded: list[str]


def notations(values: Iterable[str]) -> Notations:
    """The ways to write secrets that are looked for, the longest first, none twice."""
    values = list(values)
    found = {form for value in values for form in _forms(value) if len(form) >= SHORTEST}
    made = Notations(sorted(found, key=lambda form: (-len(form), form)))
    made.encoded = encodings(values)
    return made


def _forms(value: str) -> Iterator[str]:
    if len(value) < SHORTEST:
        return
    once = [
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        repr(value)[1:-1],
        ascii(value)[1:-1],
    ]
    yield from once
    # What is quoted and then written as JSON, as every line of a trace is.
    yield from (json.dumps(form)[1:-1] for form in once[1:])
    data = value.encode("utf-8", errors="surrogatepass")
    yield repr(data)[2:-1]
    yield data.hex()
    yield quote(data, safe="")
    yield quote_plus(data)
    for before in range(3):
        yield from _base64(data, before)


def _base64(data: bytes, before: int) -> Iterator[str]:
    """The part of a base64 text that is the same whatever stands around the data, of which so many
    bytes, modulo 3, come before it.
    """
    coded = base64.b64encode(b"\0" * before + data).decode().rstrip("=")
    start = (0, 2, 3)[before]
    end = len(coded) - (1 if (before + len(data)) % 3 else 0)
    inner = coded[start:end]
    if len(inner) >= _SHORTEST_BASE64:
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def _begins_at_the_end(text: str, written: str) -> str:
    """The end of a text that is the beginning of a secret, with the ellipsis that may follow."""
    for tail in ("…", "...", ""):
        if not text.endswith(tail):
            continue
        body = text[: len(text) - len(tail)]
        for size in range(min(len(written) - 1, len(body)), SHORTEST - 1, -1):
            if body.endswith(written[:size]):
                return text[len(body) - size :]
        if tail:
            return ""
    return ""
