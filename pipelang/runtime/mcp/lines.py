"""Lines of a server's standard output, put together from chunks; of one that is too long only the
ends are kept, which tell whose answer it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelang.records import dataclass

_END = 512
"""Bytes that are kept of each end of a line that is too long."""

_ID = rb'"id"\s*:\s*(?P<id>\d+|"[^"\\]*")'
_VERSION = rb'"jsonrpc"\s*:\s*"2\.0"'
_AT_HEAD = re.compile(rb"\s*\{\s*(?:" + _VERSION + rb"\s*,\s*)?" + _ID + rb"\s*[,}]")
# A single brace at the end: what stands before it belongs to the message itself.
_AT_TAIL = re.compile(rb",\s*" + _ID + rb"\s*(?:,\s*" + _VERSION + rb"\s*)?\}\s*$")


@dataclass(frozen=True, slots=True)
class OverlongLine:
    """The two ends of a line that was longer than may be read."""

    head: bytes
    tail: bytes

    @property
    def request_id(self) -> int | str | None:
        """The id of the request that it answers, wherever a server puts it; None if it shows none.

        Of the members `jsonrpc`, `id` and `result` at least two are short, so that `id` stands near
        one of the ends, whatever their order.
        """
        found = _AT_HEAD.match(self.head) or _AT_TAIL.search(self.tail)
        if found is None:
            return None
        text = found["id"].decode("utf-8", "replace")
        return text[1:-1] if text.startswith('"') else int(text)


class Lines:
    """Puts lines together. Takes time in proportion to what it is fed, and never holds more than
    `most` bytes.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._parts: list[bytes] = []
        self._size = 0
        self._head: bytes | None = None

    def feed(self, chunk: bytes) -> Iterator[bytes | OverlongLine]:
        """Yield the lines that end in a chunk."""
        *whole, rest = chunk.split(b"\n")
        for part in whole:
            self._add(part)
            yield self._taken()
        self._add(rest)

    def _add(self, part: bytes) -> None:
        self._parts.append(part)
        self._size += len(part)
        if self._size <= self._most:
            return
        if self._head is None:
            self._head = b"".join(self._parts)[:_END]
        self._parts = [b"".join(self._parts[-2:])[-_END:]]

    def _taken(self) -> bytes | OverlongLine:
        line, head = b"".join(self._parts), self._head
        self._parts, self._size, self._head = [], 0, None
        return line if head is None else OverlongLine(head, line[-_END:])
