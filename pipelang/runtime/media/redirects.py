"""Requests that go where the host said, and nowhere else: no redirect is followed."""

from __future__ import annotations

import urllib.request
from typing import Any


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for the answer that it is, an `HTTPError`. Where it leads is not read: the
    library reads it before it asks, and leaves the connection open where it is no address.
    """

    def http_error_301(self, *answer: Any) -> None:
        return None

    def http_error_302(self, *answer: Any) -> None:
        return None

    def http_error_303(self, *answer: Any) -> None:
        return None

    def http_error_307(self, *answer: Any) -> None:
        return None

    def http_error_308(self, *answer: Any) -> None:
        return None
