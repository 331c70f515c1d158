"""Fetching of what a host allows by the beginning of its address: no redirect, so much and no more.

An address must have the scheme, the host and the port of one that is allowed, and a path below
its. What the host allows is asked, whatever it may resolve to: name only hosts that are yours.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from http.client import HTTPException, HTTPResponse
from urllib.parse import SplitResult, unquote, urlsplit

from pipelang.runtime.media.looking import NotMedia
from pipelang.runtime.media.redirects import NoRedirects
from pipelang.semantics.kernels.media import MOST_BYTES

SECONDS = 20.0
"""Seconds for each step of fetching."""
WHOLE = 60.0
"""Seconds for all bytes together: a server that sends one now and then holds up no run."""
_PIECE = 1 << 16


def is_allowed(url: str, allowed: Iterable[str]) -> bool:
    """Whether an address begins with one of those that are allowed."""
    try:
        asked = urlsplit(url)
        port = asked.port
    except ValueError:
        return False
    if asked.scheme not in ("http", "https") or asked.username or asked.password:
        return False
    path = unquote(asked.path)
    if ".." in path.split("/") or "\\" in path or "%" in path:
        return False
    for one in allowed:
        known = address_to_allow(one)
        if known is None:
            continue
        same = (known.scheme, known.hostname, known.port) == (asked.scheme, asked.hostname, port)
        below = known.path if known.path.endswith("/") else known.path + "/"
        if same and (path + "/").startswith(below):
            return True
    return False


def address_to_allow(address: str) -> SplitResult | None:
    """The parts of an address that a host allows; None if nothing can lie below it."""
    try:
        parts = urlsplit(address)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return None
    return parts if fits else None


def fetched(url: str, allowed: Iterable[str]) -> bytes:
    """The bytes at an address. Raises `NotMedia`."""
    if not is_allowed(url, allowed):
        raise NotMedia("the `url` is none that the host allows")
    # No proxy of the environment, no cookies, no redirect.
    opener = urllib.request.build_opener(NoRedirects, urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=SECONDS) as response:
            return _body(response)
    except urllib.error.HTTPError as error:
        error.close()  # it holds the connection
        raise NotMedia(f"the `url` cannot be fetched: status {error.code}") from None
    except HTTPException as error:  # no OSError: an answer, or an address, that is no HTTP
        raise NotMedia(f"the `url` cannot be fetched: {type(error).__name__}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise NotMedia(f"the `url` cannot be fetched: {why}") from None


def _body(response: HTTPResponse) -> bytes:
    """The bytes of an answer, one more than are taken at most. Raises `NotMedia`."""
    end = time.monotonic() + WHOLE
    pieces: list[bytes] = []
    missing = MOST_BYTES + 1
    while missing > 0:
        piece = response.read1(min(missing, _PIECE))
        if not piece:
            # A connection that breaks off looks like an end to whoever reads piece by piece.
            if response.length:
                raise NotMedia("the `url` cannot be fetched: it broke off")
            break
        pieces.append(piece)
        missing -= len(piece)
        if time.monotonic() > end:
            raise NotMedia(f"the `url` cannot be fetched: it takes more than {WHOLE:.0f} s")
    return b"".join(pieces)
