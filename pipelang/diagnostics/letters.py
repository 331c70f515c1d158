"""Letters that a word has in common with each of many names, counted for all names at once.

A longest common subsequence is found with a bit a letter (Crochemore, Iliopoulos, Pinzon and Reid,
A fast and practical bit-vector algorithm for the longest common subsequence problem, 2001). The
bits of many names stand side by side in one whole number, so that a word costs a few operations a
letter, however many names there are. What two texts have in common bounds from above how alike
difflib finds them, and from below how many slips lie between them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

WIDTHS = (16, 32, 64, 128, 256)
"""Bits for a name: more than it has letters. Longer names are looked at one by one."""
_SMALLEST, _LARGEST = 16, 1024
_NEVER = 1 << 14
"""More letters than a field of the narrowest width can count, and no more than it can hold."""


class PackedNames:
    """Names of up to `width - 1` letters, a field of bits each."""

    def __init__(self, width: int, places: list[int], names: Sequence[str]) -> None:
        self.width = width
        self.places = places
        fields: dict[str, list[int]] = {}
        lengths: dict[int, list[int]] = {}
        for at, place in enumerate(places):
            start, name = at * width, names[place]
            lengths.setdefault(len(name), []).append(start)
            for letter, character in enumerate(name):
                fields.setdefault(character, []).append(start + letter)
        bits = len(places) * width
        self._marks = {character: _ones(at, bits) for character, at in fields.items()}
        self._lengths = {length: _ones(at, bits) for length, at in lengths.items()}
        first = _repeated(1, width, bits)
        self._top = first << (width - 1)
        self._letters = sum(((1 << n) - 1) * at for n, at in self._lengths.items())
        self._folds = [
            (step, _repeated((1 << step) - 1, 2 * step, bits))
            for step in (1, 2, 4, 8, 16, 32, 64, 128)
            if step < width
        ]
        self._last = ("", 0)

    def common(self, word: str) -> int:
        """The letters in common with each name, in its field."""
        last, known = self._last
        if last == word:
            return known
        letters = left = self._letters
        for character in word:
            marks = self._marks.get(character)
            if marks is not None:
                met = left & marks
                left = ((left + met) | (left ^ met)) & letters
        count = letters ^ left
        for step, kept in self._folds:
            count = (count & kept) + (count >> step & kept)
        self._last = (word, count)
        return count

    def having(self, word: str, needed: Callable[[int], int | None]) -> Iterator[tuple[int, int]]:
        """The places of the names that have at least so many letters in common with a word as is
        needed at their length, each with that number. None is needed of lengths that don't count.
        """
        least = 0
        for length, at in self._lengths.items():
            many = needed(length)
            least += (_NEVER if many is None else max(0, many)) * at
        if self._lengths and least == _NEVER * (self._top >> (self.width - 1)):
            return
        common = self.common(word)
        hits = ((common | self._top) - least) & self._top
        while hits:
            lowest = hits & -hits
            hits ^= lowest
            at = lowest.bit_length() // self.width - 1
            yield self.places[at], common >> (at * self.width) & (self.width - 1)


class NameBlock:
    """Some names in their order, kept for the words that are still to come."""

    def __init__(self, names: tuple[str, ...], plain: Callable[[str], str]) -> None:
        self.names = names
        self.plain: dict[str, list[int]] = {}
        self.folded: dict[str, list[int]] = {}
        self.long: list[int] = []
        by_width: dict[int, list[int]] = {}
        for place, name in enumerate(names):
            self.plain.setdefault(plain(name), []).append(place)
            self.folded.setdefault(name.casefold(), []).append(place)
            width = next((width for width in WIDTHS if len(name) < width), None)
            (self.long if width is None else by_width.setdefault(width, [])).append(place)
        self.packed = [PackedNames(width, places, names) for width, places in by_width.items()]

    def having(self, word: str, needed: Callable[[int], int | None]) -> Iterator[tuple[str, int]]:
        """The names with enough letters in common, and how many at most; long ones are given
        where their length counts.
        """
        for packed in self.packed:
            for place, common in packed.having(word, needed):
                yield self.names[place], common
        for place in self.long:
            name = self.names[place]
            if needed(len(name)) is not None:
                yield name, min(len(name), len(word))


def blocks(names: Sequence[str], plain: Callable[[str], str]) -> list[NameBlock]:
    """Names in blocks that are found again as long as names are only added at the end: each is of a
    length that is a power of two, so that what is added is packed anew a few times only.
    """
    made, start = [], 0
    while start < len(names):
        size = min(_LARGEST, 1 << (len(names) - start).bit_length() - 1)
        if size < _SMALLEST:
            size = len(names) - start
        made.append(_kept(tuple(names[start : start + size]), plain))
        start += size
    return made


@lru_cache(maxsize=128)
def _kept(names: tuple[str, ...], plain: Callable[[str], str]) -> NameBlock:
    return NameBlock(names, plain)


def _ones(places: list[int], bits: int) -> int:
    """The number that has these bits."""
    row = bytearray(bits // 8 + 1)
    for place in places:
        row[place >> 3] |= 1 << (place & 7)
    return int.from_bytes(row, "little")


def _repeated(pattern: int, width: int, bits: int) -> int:
    """A pattern of bits again and again, `bits` of them in all."""
    return pattern * (((1 << bits) - 1) // ((1 << width) - 1))
