"""Verification of an audit log: every entry's own hash, and its link to the entry before.

Each entry must be byte for byte what its hash was made from, so that one changed byte, also of
white space, is found. What a chain of hashes alone cannot show is that whole entries are missing at
its end, or that all of it was written anew: for both, compare with a last hash that was remembered
elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pipelang.records import dataclass
from pipelang.runtime.files.plain_files import read_plain
from pipelang.runtime.sinks.audit import GENESIS, TORN, canonical, digest


@dataclass(frozen=True, slots=True)
class BrokenLine:
    """The first line, counted from 1, that is not as it was written, and what is wrong with it."""

    line: int
    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Whole:
    """A log without a broken link. `torn` are lines that a crash cut short and that the log
    reports.
    """

    entries: int
    last: str
    torn: tuple[int, ...] = ()


def verify(path: Path, expect: str | None = None) -> Whole | BrokenLine:
    """Go through a log. `expect` is a hash that must be of one of its entries. Raises OSError."""
    data = read_plain(path)
    lines = data.split(b"\n")
    rest = lines.pop()
    found = _walk(lines, expect)
    if isinstance(found, BrokenLine):
        return found
    if rest:
        return BrokenLine(len(lines) + 1, "torn", "the last line has no end: it was cut short")
    return found


def _walk(lines: list[bytes], expect: str | None) -> Whole | BrokenLine:
    entries: list[dict[str, Any] | None] = [_parse(line) for line in lines]
    hashes = {entry["hash"] for entry in entries if entry is not None}
    previous, number = GENESIS, 0
    torn: list[int] = []
    met = expect is None or expect == GENESIS
    index = 0
    while index < len(lines):
        entry, place = entries[index], index + 1
        if entry is None:
            following = entries[index + 1] if index + 1 < len(lines) else None
            if following is not None and _tells_of(following, lines[index]):
                torn.append(place)
                index += 1
                continue
            return BrokenLine(place, "changed", "this is no entry: it was changed or cut short")
        own = {key: value for key, value in entry.items() if key != "hash"}
        if digest(own) != entry["hash"] or canonical(entry) != lines[index]:
            return BrokenLine(place, "changed", "the entry is not what its hash was made from")
        if entry["kind"] == TORN and torn[-1:] != [place - 1]:
            return BrokenLine(place, "removed", "the torn line that this entry tells of is missing")
        if entry["previous"] != previous or entry["n"] != number + 1:
            return _unlinked(entry, place, number, previous, hashes)
        previous, number = entry["hash"], number + 1
        met = met or previous == expect
        index += 1
    if not met:
        message = f"no entry has the expected hash {expect}: entries are missing at the end"
        return BrokenLine(len(lines) + 1, "removed", message)
    return Whole(number, previous, tuple(torn))


def _unlinked(
    entry: dict[str, Any], place: int, number: int, previous: str, hashes: Iterable[str]
) -> BrokenLine:
    """An entry that is right by itself and does not follow the one before it."""
    found = entry["n"]
    if isinstance(found, int) and found > number + 1:
        gone = found - number - 1
        many = "1 entry is" if gone == 1 else f"{gone} entries are"
        return BrokenLine(place, "removed", f"{many} missing before this line, entry {found}")
    if isinstance(found, int) and found <= number:
        message = f"entry {found} stands after entry {number}: it was put in or moved"
        return BrokenLine(place, "inserted", message)
    known = entry["previous"] in hashes
    why = "another entry that is here" if known else "an entry that is not here"
    return BrokenLine(place, "inserted", f"the entry follows {why}: one of the two was put in")


def _tells_of(entry: dict[str, Any], line: bytes) -> bool:
    if entry["kind"] != TORN or not isinstance(entry["data"], dict):
        return False
    return bool(entry["data"].get("line_hash") == hashlib.sha256(line).hexdigest())


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    wanted = {"n", "time", "kind", "name", "run", "tenant", "data", "previous", "hash"}
    if not isinstance(found, dict) or set(found) != wanted:
        return None
    return found if isinstance(found["hash"], str) else None
