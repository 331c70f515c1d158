"""Digests without OpenSSL: those by which what is kept is known again, and SHA-256 of short texts.

`hashlib` loads OpenSSL when it is imported, a good part of the time of a check of which nothing has
changed. BLAKE2 and SHA-256 are Python's own, in modules that `hashlib` takes them from too where it
has no OpenSSL. OpenSSL is some five times as fast, so it is worth its loading where there is much
to go through.
"""

from __future__ import annotations

import sys

try:
    from _blake2 import blake2b
except ImportError:  # a Python that keeps it elsewhere
    from hashlib import blake2b

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SIZE = 32
"""Bytes of a digest."""

LARGE = 1024 * 1024
"""Bytes from which on OpenSSL is loaded and still done sooner."""


def digest(data: bytes) -> bytes:
    """The digest of some bytes, of use to nobody but the installation that kept it; which function
    makes it hangs on their number alone.
    """
    if len(data) < LARGE:
        return blake2b(data, digest_size=SIZE).digest()
    from hashlib import sha256

    return sha256(data).digest()


def sha256_hex(data: bytes) -> str:
    """The SHA-256 of some bytes, in hexadecimal."""
    digits: str = _sha256(len(data))(data).hexdigest()
    return digits


def _sha256(size: int) -> Callable[[bytes], Any]:
    """The function that is done sooner with so many bytes."""
    if size < LARGE:
        try:
            own = __import__("_sha256" if sys.version_info < (3, 12) else "_sha2")
            made: Callable[[bytes], Any] = own.sha256
            return made
        except ImportError:
            pass  # a Python that keeps it elsewhere
    from hashlib import sha256

    return sha256
