"""Secrets in texts that escape, encode, wrap or spell them in ways that nobody can list.

There is no end of notations: `%2f` or `%2F`, `\\u00e4`, `&#x27;`, a JSON text in a JSON text,
base64 broken into lines, upper-case hex with colons. So a text is read as its reader would: escapes
are decoded, several levels of them, and of each level only the letters and digits are compared, in
one case. What is found is cut out of the text as it was written.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache

_FEWEST = 8
"""Letters and digits of a notation: with fewer, it would stand in many other texts."""

_LEVELS = 3
"""Escapes inside escapes that are decoded."""

_NO_WORD = re.compile(r"[\W_]+")

_ESCAPE = re.compile(
    r"(?P<unicode>(?:\\+u[0-9a-fA-F]{4})+)"
    r"|(?P<long>\\+U[0-9a-fA-F]{8})"
    r"|(?P<bytes>(?:(?:%|\\+x|=)[0-9a-fA-F]{2})+)"
    r"|(?P<octal>(?:\\+[0-3][0-7]{2})+)"
    r"|(?P<entity>&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});)"
    r"|(?P<space>\\+[abfnrtv])"
    r"|(?P<soft>=\r?\n)"
)

_Char = tuple[str, int, int]
"""A character, and where it stands in the text as it was written."""


def encodings(values: Iterable[str]) -> list[str]:
    """The letters and digits of every notation of secrets, the longest first."""
    found = {letters for value in values for letters in _encodings_of(value)}
    return sorted(found, key=lambda letters: (-len(letters), letters))


@lru_cache(maxsize=32)
def _encodings_of(value: str) -> frozenset[str]:
    letters = map(_letters, _notations(value))
    return frozenset(each for each in letters if len(each) >= _FEWEST)


def without_encoded(text: str, encoded: list[str], instead: str) -> str:
    """The text with `instead` in place of whatever reads as one of `encodings`."""
    if not encoded:
        return text
    read = text
    for level in range(_LEVELS + 1):
        letters = _letters(read)
        if any(one in letters for one in encoded):
            cut = _cut(text, level, encoded, instead)
            return text if cut == text else without_encoded(cut, encoded, instead)
        decoded = _ESCAPE.sub(_meaning, read)
        if decoded == read:
            break
        read = decoded
    return text


def _cut(text: str, level: int, encoded: list[str], instead: str) -> str:
    """Cut out of a text what shows when that many levels of escapes are decoded."""
    chars: list[_Char] = [(char, at, at + 1) for at, char in enumerate(text)]
    for _ in range(level):
        chars = _decoded(chars)
    letters = [
        (letter, start, end)
        for char, start, end in chars
        for letter in char.casefold()
        if letter.isalnum()
    ]
    joined = "".join(letter for letter, _, _ in letters)
    spans: list[tuple[int, int]] = []
    for one in encoded:
        at = joined.find(one)
        while at >= 0:
            spans.append((letters[at][1], letters[at + len(one) - 1][2]))
            at = joined.find(one, at + 1)
    made, done = [], 0
    for start, end in sorted(spans):
        if end <= done:
            continue
        if start >= done:
            made += [text[done:start], instead]
        done = end
    return "".join([*made, text[done:]])


def _decoded(chars: list[_Char]) -> list[_Char]:
    """The characters with one level of escapes decoded, each with the place of its escape."""
    text = "".join(char for char, _, _ in chars)
    made: list[_Char] = []
    done = 0
    for found in _ESCAPE.finditer(text):
        made += chars[done : found.start()]
        start, end = chars[found.start()][1], chars[found.end() - 1][2]
        made += [(char, start, end) for char in _meaning(found)]
        done = found.end()
    return made + chars[done:]


def _meaning(found: re.Match[str]) -> str:
    """The text that an escape, or a row of them, stands for."""
    written = found.group()
    match found.lastgroup:
        case "unicode":
            units = re.findall(r"u([0-9a-fA-F]{4})", written)
            data = b"".join(int(unit, 16).to_bytes(2, "big") for unit in units)
            return data.decode("utf-16-be", errors="replace")
        case "long":
            number = int(written[-8:], 16)
            return chr(number) if number <= 0x10FFFF else " "
        case "bytes":
            return _text(bytes(int(two, 16) for two in re.findall(r"[0-9a-fA-F]{2}", written)))
        case "octal":
            return _text(bytes(int(three, 8) for three in re.findall(r"[0-7]{3}", written)))
        case "entity":
            from html import unescape  # its table of entities is large, and few texts have one

            return unescape(written)
        case _:
            return " "


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _letters(text: str) -> str:
    """The letters and digits of a text, in one case."""
    return _NO_WORD.sub("", text.casefold())


def _notations(value: str) -> Iterator[str]:
    yield value
    yield value[::-1]
    for coding in ("utf-8", "utf-16-le", "utf-16-be"):
        data = value.encode(coding, errors="surrogatepass")
        yield data.hex()
        yield from _inner(data, 3, 4, base64.b64encode)
        yield from _inner(data, 5, 8, base64.b32encode)
    data = value.encode(errors="surrogatepass")
    yield from _inner(data, 4, 5, base64.b85encode)
    yield from _inner(data, 4, 5, base64.a85encode)


def _inner(data: bytes, group: int, digits: int, encode: Callable[[bytes], bytes]) -> Iterator[str]:
    """The part of an encoded text that is the same whatever stands around the data: its whole
    groups, for every number of bytes that may come before it.
    """
    for before in range(group):
        coded = encode(b"\0" * before + data).decode()
        whole = (before + len(data)) // group
        yield coded[-(-before // group) * digits : whole * digits]
