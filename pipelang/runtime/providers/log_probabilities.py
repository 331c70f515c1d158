"""Confidences off the log-probabilities of the tokens in which a model wrote its choice."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Any

from pipelang.records import replace
from pipelang.runtime.files.strict_json import is_number
from pipelang.runtime.providers.protocol import ModelAnswer
from pipelang.runtime.providers.records import field_of

Token = tuple[bytes, float | None]
"""The bytes of a token, and its log-probability; None where that was not told."""

_CHOICE = re.compile(rb'"value"\s*:\s*("(?:[^"\\]|\\.)*"|true|false)')

_LEAST = -1_000.0
"""A log-probability below this is none: servers that know only their most likely tokens tell -9999
of the others.
"""


def tokens_in(told: Iterable[Any]) -> list[Token]:
    """The tokens of a text as servers tell them: `bytes` where they do, since a token need be no
    whole character.
    """
    found: list[Token] = []
    for one in told:
        raw, log, text = (field_of(one, name) for name in ("bytes", "logprob", "token"))
        known = float(log) if is_number(log) and _LEAST < log <= 0 else None
        try:
            written = bytes(raw) if isinstance(raw, list) else str(text or "").encode()
        except (TypeError, ValueError):  # no bytes, or half a character
            written = b"\xff"
        found.append((written, known))
    return found


def weighed(answer: ModelAnswer, tokens: list[Token], text: str) -> ModelAnswer:
    """A decision with the probability of its choice for a confidence: the product of those of the
    tokens that it is written in, up to its closing quote, which tells it from longer ones.

    `text` is what was read as the answer, without thinking; it ends what the tokens are of. As it
    is, with the model's own word, where they are of another text or do not tell it all.
    """
    if answer.calls or not isinstance(answer.value, dict):
        return answer
    whole, said = b"".join(written for written, _ in tokens), text.encode(errors="replace")
    if not said or not whole.endswith(said):
        return answer
    found = _CHOICE.search(whole, len(whole) - len(said))
    if found is None or not _is(found[1], answer.value.get("value")):
        return answer
    start, end = found.span(1)
    if found[1].startswith(b'"') and end - start > 2:
        start += 1
    total, place = 0.0, 0
    for written, log in tokens:
        if place < end and place + len(written) > start:
            if log is None:
                return answer
            total += log
        place += len(written)
    value = answer.value | {"confidence": min(1.0, math.exp(total))}
    return replace(answer, value=value, probabilities=True)


def _is(written: bytes, value: object) -> bool:
    try:
        return bool(json.loads(written) == value)
    except ValueError:
        return False
