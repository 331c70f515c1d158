"""Digests without OpenSSL are those of `hashlib`, whichever function makes them."""

from __future__ import annotations

import hashlib

import pytest

from pipelang.digests import LARGE, digest, sha256_hex


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 10_000, LARGE - 1, LARGE, LARGE + 1])
def test_hexadecimal_sha256_is_that_of_the_library(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert sha256_hex(data) == hashlib.sha256(data).hexdigest()


def test_digests_of_what_is_kept_tell_contents_apart() -> None:
    assert len({digest(data) for data in (b"", b"a", b"b", b"a" * LARGE, b"b" * LARGE)}) == 5
