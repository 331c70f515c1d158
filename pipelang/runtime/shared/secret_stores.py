"""Places for secrets: the memory of the process, whatever stores a host plugs in.

A value that a type labels `secret` is used as it is, shown as `[secret]`, and stored only here: a
cached answer or a memory that may hold one goes to these stores, which end with the process. A key
that may hold one is a digest, in every store.
"""

from __future__ import annotations

import hashlib

from pipelang.runtime.shared.cache import InMemoryCache
from pipelang.runtime.shared.memory_store import InMemory


class SecretStores:
    """The caches and memories of a `Runtime` for what may hold secrets."""

    def __init__(self) -> None:
        self.cache = InMemoryCache()
        self.memories = InMemory()


def digest_of(key: str) -> str:
    """A digest that stands for a key with a secret, the same in every process."""
    return "secret:" + hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()
