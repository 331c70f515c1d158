"""Writes a post as a reader reads it, so that a pattern need not know every disguise.

Wide letters, letters of another script that look like ours, digits for letters, invisible marks and
s p a c e d words are undone. The post itself is kept in front, so nothing that was plain gets lost.
"""

from __future__ import annotations

import html
import re
import unicodedata

# Cyrillic and Greek letters that look like a Latin one.
_ALIKE = str.maketrans("аеорсхуікмтнвјѕԁԛοανικρτυε", "aeopcxyikmthbjsdqoavikptue")
_DIGITS = str.maketrans("013457@$", "oieastas")
_SPACED = re.compile(r"\b\w(?:([ ._*-])\w)(?:\1\w)+\b")


def readable(body: str) -> str:
    """The post in small plain letters, and once more with its disguises undone."""
    text = unicodedata.normalize("NFKC", html.unescape(body)).lower()
    text = "".join(char for char in text if unicodedata.category(char) != "Cf")
    text = text.replace("’", "'")
    # Words that are spaced themselves have more between them.
    parts = re.split(r"[ \t]{2,}", text)
    undone = "\n".join(
        part.replace(" ", "") if re.fullmatch(r"\w( \w)+", part) else part for part in parts
    )
    undone = _SPACED.sub(lambda found: re.sub(r"[ ._*-]", "", found[0]), undone)
    undone = re.sub(r"[_\n-]+", " ", undone)
    undone = " ".join(_word(word) for word in undone.split())
    plain = " ".join(text.split())
    return plain if undone == plain else f"{plain}\n{undone}"


def _word(word: str) -> str:
    latin = re.search(r"[a-z]", word) is not None
    if latin and not word.isascii():
        word = word.translate(_ALIKE)
    if latin and re.search(r"[a-z][013457@$]|[013457@$][a-z]", word):
        word = word.translate(_DIGITS)
    return word
