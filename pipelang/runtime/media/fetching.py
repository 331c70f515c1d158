"""Fetching of what a host allows by the beginning of its address: no redirect, so much and no more.

An address must have the scheme, the host and the port of one that is allowed, and a path below
its. What the host allows is asked, whatever it may resolve to: name only hosts that are yours.
"""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote, urlsplit

from pipelang.runtime.media.looking import NotMedia
from pipelang.semantics.kernels.media import MOST_BYTES

SECONDS = 20.0
"""Seconds for each step of fetching."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


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
        known = urlsplit(one)
        same = (known.scheme, known.hostname, known.port) == (asked.scheme, asked.hostname, port)
        below = known.path if known.path.endswith("/") else known.path + "/"
        if same and (path + "/").startswith(below):
            return True
    return False


def fetched(url: str, allowed: Iterable[str]) -> bytes:
    """The bytes at an address. Raises `NotMedia`."""
    if not is_allowed(url, allowed):
        raise NotMedia("the `url` is none that the host allows")
    # No proxy of the environment, no cookies, no redirect.
    opener = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=SECONDS) as response:
            data: bytes = response.read(MOST_BYTES + 1)
    except urllib.error.HTTPError as error:
        raise NotMedia(f"the `url` cannot be fetched: status {error.code}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or error
        raise NotMedia(f"the `url` cannot be fetched: {why}") from None
    return data
