"""Tokens in a file: made once, kept as hashes, looked up by a public id.

A token is `plt_ID_SECRET`. The secret has 256 random bits; the file holds its SHA-256 alone, and is
read again whenever it changed, so that a token that was revoked is refused at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipelang.interfaces.service.principals import RIGHTS, Principal, Right
from pipelang.records import dataclass, replace
from pipelang.runtime.files.plain_files import read_plain
from pipelang.runtime.files.private_files import make_private
from pipelang.runtime.files.whole_files import put

PREFIX = "plt"
VERSION = 1
_FORM = re.compile(r"plt_([0-9a-f]{16})_([A-Za-z0-9_-]{43})")
_NOBODY = hashlib.sha256(b"nobody").hexdigest()
"""Compared with where an id is unknown: that takes as long as a wrong secret."""


class TokensBroken(Exception):
    """A file of tokens that cannot be read or written. The message names it."""


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token as the file has it. Times are UTC."""

    id: str
    name: str
    rights: frozenset[Right]
    tenant: str | None
    sha256: str
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def state(self, now: datetime) -> str:
        """`valid`, `expired` or `revoked`."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else "valid"


class TokenFile:
    """The tokens in a file, which other processes may change. May be used from several threads."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._lock = threading.Lock()
        self._seen: tuple[int, int, int] | None = None
        self._tokens: dict[str, AccessToken] = {}

    # ----------------------------------------------------------------------------- looking up

    def principal(self, token: str) -> Principal | None:
        """Whose token this is; None if it is wrong, expired or revoked. Raises `TokensBroken`."""
        parts = _FORM.fullmatch(token)
        id, secret = parts.groups() if parts else ("", "")
        known = self._read().get(id)
        given = hashlib.sha256(secret.encode()).hexdigest()
        fits = hmac.compare_digest(given, _NOBODY if known is None else known.sha256)
        if known is None or not fits or known.state(datetime.now(UTC)) != "valid":
            return None
        return Principal(known.name, known.rights, known.tenant, known.id)

    def all(self) -> tuple[AccessToken, ...]:
        """All tokens, in the order in which they were made. Raises `TokensBroken`."""
        return tuple(self._read().values())

    def _read(self) -> dict[str, AccessToken]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            with self._lock:
                self._seen, self._tokens = None, {}
                return self._tokens
        except OSError as error:
            raise TokensBroken(f"`{self.path}` cannot be read: {error.strerror}") from error
        seen = (found.st_mtime_ns, found.st_size, found.st_ino)
        with self._lock:
            if seen != self._seen:
                self._tokens = self._parsed()
                self._seen = seen
            return self._tokens

    def _parsed(self) -> dict[str, AccessToken]:
        try:
            record = json.loads(read_plain(self.path))
            if record["version"] != VERSION:
                raise TokensBroken(f"`{self.path}` is of another version: {record['version']!r}")
            tokens = [_token_from(one) for one in record["tokens"]]
        except OSError as error:
            raise TokensBroken(
                f"`{self.path}` cannot be read: {error.strerror or error}"
            ) from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise TokensBroken(f"`{self.path}` is no file of tokens") from error
        return {one.id: one for one in tokens}

    # ------------------------------------------------------------------------------- changing

    def new(
        self,
        name: str,
        rights: Iterable[Right],
        tenant: str | None = None,
        expires: datetime | None = None,
    ) -> tuple[str, AccessToken]:
        """Make a token: itself, which is nowhere else, and what is kept. Raises `TokensBroken`."""
        id, secret = secrets.token_hex(8), secrets.token_urlsafe(32)
        hashed = hashlib.sha256(secret.encode()).hexdigest()
        made = AccessToken(
            id, name, frozenset(rights), tenant, hashed, datetime.now(UTC), expires, None
        )
        with self._changing() as tokens:
            tokens[id] = made
        return f"{PREFIX}_{id}_{secret}", made

    def revoke(self, id: str) -> AccessToken | None:
        """Revoke a token for good; None if there is none of this id. Raises `TokensBroken`."""
        with self._changing() as tokens:
            known = tokens.get(id)
            if known is not None and known.revoked is None:
                known = tokens[id] = replace(known, revoked=datetime.now(UTC))
            return known

    def _changing(self) -> _Change:
        return _Change(self)

    def _write(self, tokens: dict[str, AccessToken]) -> None:
        record = {"version": VERSION, "tokens": [_token_json(one) for one in tokens.values()]}
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        put(self.path, text.encode(), created=0o600, flushed=True)


class _Change:
    """A change of a file of tokens, alone among processes."""

    def __init__(self, file: TokenFile) -> None:
        self._file = file
        self._between = FileLock(f"{file.path}.lock", mode=0o600)
        self._tokens: dict[str, AccessToken] = {}

    def __enter__(self) -> dict[str, AccessToken]:
        try:
            make_private(self._file.path.absolute().parent)
            self._between.acquire(timeout=10)
        except OSError as error:
            raise TokensBroken(f"`{self._file.path}` cannot be written: {error}") from error
        try:
            self._tokens = dict(self._file._read())
        except BaseException:
            self._between.release()
            raise
        return self._tokens

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        try:
            if error is None:
                self._file._write(self._tokens)
        except OSError as problem:
            raise TokensBroken(
                f"`{self._file.path}` cannot be written: {problem.strerror or problem}"
            ) from problem
        finally:
            self._between.release()


def _token_json(token: AccessToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "roles": sorted(token.rights),
        "tenant": token.tenant,
        "sha256": token.sha256,
        "created": token.created.isoformat(),
        "expires": None if token.expires is None else token.expires.isoformat(),
        "revoked": None if token.revoked is None else token.revoked.isoformat(),
    }


def _token_from(record: dict[str, Any]) -> AccessToken:
    rights = frozenset(right for right in RIGHTS if right in record["roles"])
    tenant = record["tenant"]
    texts = (record["id"], record["name"], record["sha256"])
    if not all(isinstance(one, str) for one in texts) or not isinstance(tenant, (str, type(None))):
        raise ValueError("a token that is no token")
    return AccessToken(
        *texts[:2],
        rights,
        tenant,
        record["sha256"],
        _moment(record["created"]),
        None if record["expires"] is None else _moment(record["expires"]),
        None if record["revoked"] is None else _moment(record["revoked"]),
    )


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.utcoffset() is None:
        raise ValueError("a time without its offset")
    return at
