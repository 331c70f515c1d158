"""Recognising who sends a request, and whether a form is of our own page.

The cookie holds the token itself and a number of this login, and nothing is kept on the server: any
server with the same file of tokens takes it, and a token that was revoked ends its logins. The
CSRF token of a login is an HMAC under the token's secret, which only the holder of the cookie and
nobody on another page can compute.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from pipelang.interfaces.service.principals import Principal
from pipelang.interfaces.service.problems import Problem
from pipelang.interfaces.service.service import retry_after
from pipelang.interfaces.service.tokens import TokensBroken

if TYPE_CHECKING:
    from pipelang.interfaces.service.tokens import TokenFile

COOKIE = "pipelang_session"
CSRF_FIELD = "csrf"
CSRF_HEADER = "X-CSRF-Token"
SESSION_SECONDS = 12 * 3600
MOST_FAILURES = 10
"""Failed logins of an address in a minute, beyond which it has to wait."""
WINDOW = 60.0
_MOST_ADDRESSES = 10_000
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Authenticator:
    """Recognises who sends a request. Without `tokens` everybody who reaches the server is `local`,
    the user of this machine.
    """

    def __init__(self, tokens: TokenFile | None, local: Principal | None) -> None:
        self.tokens = tokens
        self.local = local
        self._failures: OrderedDict[str, list[float]] = OrderedDict()
        self._key = secrets.token_bytes(32)

    # ------------------------------------------------------------------------------ recognising

    def of_api(self, request: Request) -> Principal:
        """The principal of a request to the API: by `Authorization: Bearer`, or by the cookie of
        the page with the CSRF token in a header. Raises `Problem` (401, 403, 429).
        """
        if self.tokens is None:
            if request.method not in SAFE:
                require_own_origin(request)
            return self._local_of(request)
        header = request.headers.get("authorization")
        if header is None:
            found = self.of_page(request)
            if found is not None:
                if request.method not in SAFE:
                    self.require_csrf(request, request.headers.get(CSRF_HEADER))
                return found
            raise _challenge("no_token", "send `Authorization: Bearer TOKEN`")
        kind, _, token = header.partition(" ")
        if kind.lower() != "bearer":
            raise _challenge("no_token", "send `Authorization: Bearer TOKEN`")
        return self.login(request, token.strip())

    def of_page(self, request: Request) -> Principal | None:
        """The principal who looks at a page; None for somebody who has to log in."""
        if self.tokens is None:
            return self._local_of(request)
        token, _, number = request.cookies.get(COOKIE, "").partition("~")
        if not token or not number:
            return None
        return self._known(token)

    def holds(self, request: Request, who: Principal) -> Callable[[], bool] | None:
        """A look whether a request is still of somebody: what goes on for long ends with its token.
        None where there are no tokens.
        """
        if self.tokens is None:
            return None
        header = request.headers.get("authorization")

        def look() -> bool:
            try:
                if header is None:
                    return self.of_page(request) == who
                return self._known(header.partition(" ")[2].strip()) == who
            except Problem:
                return False

        return look

    def login(self, request: Request, token: str) -> Principal:
        """Whose token this is. Raises `Problem`: 401, and 429 after too many failures. A right one
        is taken at any time: who guesses must not lock out the others behind the same address.
        """
        found = self._known(token)
        if found is not None:
            return found
        address = request.client.host if request.client else ""
        now = time.monotonic()
        failed = [at for at in self._failures.get(address, ()) if now - at < WINDOW]
        if len(failed) >= MOST_FAILURES:
            wait = retry_after(WINDOW - (now - failed[0]))
            raise Problem(429, "too_many", "too many wrong tokens came from here", headers=wait)
        self._failures[address] = [*failed, now]
        self._failures.move_to_end(address)
        while len(self._failures) > _MOST_ADDRESSES:
            self._failures.popitem(last=False)
        raise _challenge("bad_token", "the token is wrong, expired or revoked")

    def _known(self, token: str) -> Principal | None:
        assert self.tokens is not None
        try:
            return self.tokens.principal(token)
        except TokensBroken as error:
            raise Problem(503, "store", "tokens cannot be looked up now") from error

    def _local_of(self, request: Request) -> Principal:
        if self.local is None:
            raise _challenge("no_token", "send `Authorization: Bearer TOKEN`")
        return self.local

    # -------------------------------------------------------------------------------- the page

    def remember(self, request: Request, response: Response, token: str) -> None:
        """Set the cookie of a login, after `login` recognised its token."""
        response.set_cookie(
            COOKIE,
            f"{token}~{secrets.token_hex(8)}",
            max_age=SESSION_SECONDS,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
            path="/",
        )

    def forget(self, response: Response) -> None:
        """Log out."""
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")

    def csrf_of(self, request: Request) -> str:
        """The CSRF token that a form of this login carries, in the field `csrf`."""
        token, _, number = request.cookies.get(COOKIE, "").partition("~")
        key = token.encode() if self.tokens is not None else self._key
        said = number if self.tokens is not None else "local"
        return hmac.new(key, b"csrf " + said.encode(), hashlib.sha256).hexdigest()

    def require_csrf(self, request: Request, given: str | None) -> None:
        """Raise `Problem` (403) unless a change comes from our own page: the CSRF token is this
        login's, and the browser names no other origin.
        """
        require_own_origin(request)
        if not hmac.compare_digest((given or "").encode(), self.csrf_of(request).encode()):
            raise Problem(403, "foreign_page", "the form is not of this login: load the page again")


def require_own_origin(request: Request) -> None:
    """Raise `Problem` (403) if a browser says that a change comes from somebody else's page."""
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""):
        raise Problem(403, "foreign_page", "the request comes from another page")
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        raise Problem(403, "foreign_page", "the request comes from another page")


def _challenge(code: str, detail: str) -> Problem:
    return Problem(401, code, detail, headers={"WWW-Authenticate": 'Bearer realm="pipelang"'})
