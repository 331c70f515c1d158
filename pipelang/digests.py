"""Digests without OpenSSL: those by which what is kept is known again, and SHA-256 of short texts.

`hashlib` loads OpenSSL when it is imported, a good part of the time of a check of which nothing has
changed. BLAKE2 and SHA-256 are Python's own, in modules that `hashlib` takes them from too where it
has no OpenSSL. OpenSSL is some five times as fast, so it is worth its loading where there is much
to go through.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # a Python that keeps it elsewhere
    from hashlib import blake2b
try:
    from _sha256 import sha256 as short_sha256  # type: ignore[import-not-found]
except ImportError:
    try:
        from _sha2 import sha256 as short_sha256  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import sha256 as short_sha256

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
    if len(data) < LARGE:
        digits: str = short_sha256(data).hexdigest()
        return digits
    from hashlib import sha256

    return sha256(data).hexdigest()
