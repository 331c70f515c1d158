"""Digests by which what is kept is known again; of no use to anybody but the process that kept it.

`hashlib` loads OpenSSL when it is imported, which takes as long as half of a check of which nothing
has changed. BLAKE2 is Python's own, in a module that `hashlib` takes it from too.
"""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:  # a Python that keeps it elsewhere
    from hashlib import blake2b

SIZE = 32
"""Bytes of a digest."""


def digest(data: bytes) -> bytes:
    """The digest of some bytes."""
    return blake2b(data, digest_size=SIZE).digest()
