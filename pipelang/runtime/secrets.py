"""Secrets by reference: `env:NAME` and `file:PATH`. Their values never reach a message."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

REDACTED = "[key]"


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


def redact(text: str, references: Iterable[str]) -> str:
    """The text without the values behind references, for messages that others wrote."""
    for reference in references:
        try:
            value = resolve_secret(reference)
        except (SecretMissing, OSError, UnicodeDecodeError):
            continue
        text = text.replace(value, REDACTED)
    return text
