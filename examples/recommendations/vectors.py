"""Makes vectors of words from the texts that they stand in: no model, no network.

Random indexing over positive pointwise mutual information: every word has a sparse random vector of
its own, and what a word means is the sum of those it stands beside more often than by chance. So
`rot` and `scarlet` lie near `red`, and `bridal` near `wedding`.
"""

from __future__ import annotations

import math
import random
import re
from collections import Counter
from collections.abc import Iterable
from itertools import combinations

SIZE = 96
STOP = frozenset(
    "a an the of for and or in on with to is it me my i we you show find need want looking some any"
    " please do have can what that this are ein eine für und un une des les de la le el los para"
    " ich suche brauche zeig mir je cherche busco".split()
)


def words(text: str) -> list[str]:
    """The words that count, in lower case and without the s of a plural."""
    return [singular(word) for word in re.findall(r"\w+", text.lower()) if word not in STOP]


def singular(word: str) -> str:
    """`bags` is `bag`, `dresses` and `dress` are one."""
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and word[-2] != "s" else word


def index_vector(word: str) -> dict[int, int]:
    """Eight places of a word, drawn by its letters, with +1 or -1 at each."""
    source = random.Random(f"lapel-{word}")
    return {place: source.choice((-1, 1)) for place in source.sample(range(SIZE), 8)}


def unit(vector: list[float]) -> list[float]:
    """A vector of length 1 in the same direction."""
    length = math.sqrt(sum(part * part for part in vector)) or 1.0
    return [part / length for part in vector]


def word_vectors(texts: Iterable[str]) -> dict[str, list[int]]:
    """Every word's vector in hundredths, times how much the word tells (a rare one tells more)."""
    bags = [sorted(set(words(text))) for text in texts]
    alone = Counter(word for bag in bags for word in bag)
    pairs = Counter(pair for bag in bags for pair in combinations(bag, 2))
    indices = {word: index_vector(word) for word in alone}
    sums = {word: [0.0] * SIZE for word in alone}
    for word in alone:
        for place, sign in indices[word].items():
            sums[word][place] += 3.0 * sign
    for (one, two), times in sorted(pairs.items()):
        weight = math.log(times * len(bags) / (alone[one] * alone[two]))
        if weight > 0.4 and times > 1:
            for word, beside in ((one, two), (two, one)):
                for place, sign in indices[beside].items():
                    sums[word][place] += weight * sign
    return {
        word: [round(100 * math.log(1 + len(bags) / alone[word]) * part) for part in unit(vector)]
        for word, vector in sorted(sums.items())
    }
