"""Digests by which what is kept is known again; of no use to anybody but the process that kept it.

`hashlib` loads OpenSSL when it is imported, a good part of the time of a check of which nothing has
changed. BLAKE2 is Python's own, in a module that `hashlib` takes it from too. OpenSSL is some five
times as fast, so it is worth its loading where there is much to go through.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # a Python that keeps it elsewhere
    from hashlib import blake2b

SIZE = 32
"""Bytes of a digest."""

LARGE = 1024 * 1024
"""Bytes from which on OpenSSL is loaded and still done sooner."""


def digest(data: bytes) -> bytes:
    """The digest of some bytes; which function makes it hangs on their number alone."""
    if len(data) < LARGE:
        return blake2b(data, digest_size=SIZE).digest()
    from hashlib import sha256

    return sha256(data).digest()
