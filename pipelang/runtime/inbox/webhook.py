"""Webhooks: every case that opens is posted to a URL.

A body is signed with HMAC-SHA256 of a shared secret, in hex after `sha256=`.
"""

from __future__ import annotations

import atexit
import hashlib
import hmac
import json
import logging
import queue
import threading
import time
import urllib.error
import urllib.request
import weakref
from http.client import HTTPException
from urllib.parse import urlsplit

from pipelang.runtime.engine.secrets import resolve_secret
from pipelang.runtime.inbox.case_records import case_json
from pipelang.runtime.inbox.cases import Case
from pipelang.runtime.media.redirects import NoRedirects

SIGNATURE = "X-Pipelang-Signature"
"""The header that holds a body's signature."""

SENDERS = 4
"""Threads that post at once; they end when there is nothing to post."""

_IDLE = 5.0
"""Seconds."""

LOG = logging.getLogger("pipelang.inbox")


def signature_of(body: bytes, secret: str) -> str:
    """A body's signature, as the header holds it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_web_address(url: str) -> bool:
    """Whether something can be posted there: http or https, with a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


class Webhook:
    """A webhook that posts every case that opens to a URL, as JSON.

    It has threads of its own: no run waits for it and none fails by it. A process that ends does
    wait, at most for `timeout`: what a run that escalates opens last would never be posted
    otherwise. `secret` is a reference such as `env:NAME`; `timeout` and `longest_wait`, that
    between two of the `attempts`, are seconds. Raises ValueError if `url` is no http or https
    address.
    """

    def __init__(
        self,
        url: str,
        *,
        secret: str | None = None,
        timeout: float = 10.0,
        attempts: int = 5,
        longest_wait: float = 30.0,
    ) -> None:
        if not is_web_address(url):
            raise ValueError(f"`{url}` is no address of a web server: it begins with https://")
        self.url = url
        self.secret = secret
        self.timeout = timeout
        self._attempts = attempts
        self._longest_wait = longest_wait
        self._lock = threading.Lock()
        self._sent = threading.Condition(self._lock)
        self._bodies: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._senders = 0
        self._unsent = 0
        _HOOKS.add(self)

    def send(self, case: Case) -> None:
        """Post a case, soon."""
        body = json.dumps(case_json(case), ensure_ascii=False).encode()
        with self._lock:
            self._bodies.put((case.id, body))
            self._unsent += 1
            if self._senders < min(SENDERS, self._unsent):
                self._senders += 1
                threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                case_id, body = self._bodies.get(timeout=_IDLE)
            except queue.Empty:
                with self._lock:
                    if self._bodies.empty():
                        self._senders -= 1
                        return
                continue
            try:
                self._deliver(body)
            except Exception as error:
                # Not the error's text: others wrote it, and what it holds nobody knows.
                why = getattr(error, "code", type(error).__name__)
                LOG.warning("the webhook was not told of case %s: %s", case_id, why)
            with self._sent:
                self._unsent -= 1
                self._sent.notify_all()

    def finish(self, seconds: float) -> int:
        """Wait until everything is posted or given up, at most so many seconds; how many cases are
        neither.
        """
        with self._sent:
            self._sent.wait_for(lambda: self._unsent == 0, seconds)
            return self._unsent

    def _deliver(self, body: bytes) -> None:
        from tenacity import Retrying, retry_if_exception, stop_after_attempt
        from tenacity.wait import wait_random_exponential

        Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=wait_random_exponential(multiplier=0.5, max=self._longest_wait),
            retry=retry_if_exception(_may_pass),
            reraise=True,
        )(self._post, body)

    def _post(self, body: bytes) -> None:
        headers = {"Content-Type": "application/json; charset=utf-8"}
        if self.secret is not None:
            headers[SIGNATURE] = signature_of(body, resolve_secret(self.secret))
        request = urllib.request.Request(self.url, body, headers, method="POST")
        opener = urllib.request.build_opener(NoRedirects())
        try:
            with opener.open(request, timeout=self.timeout) as response:
                response.read(0)
        except urllib.error.HTTPError as error:
            error.close()  # it holds the connection
            raise


_HOOKS: weakref.WeakSet[Webhook] = weakref.WeakSet()
"""Webhooks of this process. One that has something to post is held by its threads."""


@atexit.register
def _finish_all() -> None:
    """Post what is not posted yet before the process ends: its threads end with it."""
    began = time.monotonic()
    for hook in list(_HOOKS):
        left = hook.finish(max(0.0, began + hook.timeout - time.monotonic()))
        if left:
            LOG.warning("cases that the webhook was not told of when the process ended: %d", left)


def _may_pass(error: BaseException) -> bool:
    """Whether trying again makes sense: not for a request that the other side will never take."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= 500 or error.code in (408, 425, 429)
    return isinstance(error, (OSError, HTTPException))
