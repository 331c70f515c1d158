"""The kernel of pictures and documents: what makers take of them, and what they count at most.

The makers' published rules stand in `stdlib/media.json`, with their sources and a day. The analysis
bounds what a picture may cost by them, and the runtime reserves and refuses by the same: what a
maker would turn down is turned down before anything is paid.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, Protocol

from pipelang.records import dataclass
from pipelang.resources import resource_folder
from pipelang.semantics import program as p
from pipelang.semantics.types import Scalar, ScalarKind, is_medium, present

IMAGE, DOCUMENT = ScalarKind.IMAGE.value, ScalarKind.DOCUMENT.value
BOTH = (IMAGE, DOCUMENT)

FORMATS = ("image/png", "image/jpeg", "image/gif", "image/webp")
"""The media types of pictures that a value may have; a maker may take fewer."""

PDF = "application/pdf"

MOST_BYTES = 50_000_000
"""Bytes that a value may have: more than any maker takes in a request."""

LARGEST_SIDE = 8_000
"""Pixels along a side of a picture: more than that no maker takes."""

NOTED_TOKENS = 60
"""Tokens of what stands for a picture or document where a text is shown: its type, size and hash.
"""

STAND_IN = {
    IMAGE: {
        "media_type": "image/png",
        "data": "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAA"
        "BJRU5ErkJggg==",
    },
    DOCUMENT: {
        "media_type": PDF,
        "data": "JVBERi0xLjQKMSAwIG9iago8PC9UeXBlL0NhdGFsb2cvUGFnZXMgMiAwIFI+PgplbmRvYmoKMiAwIG"
        "9iago8PC9UeXBlL1BhZ2VzL0tpZHNbMyAwIFJdL0NvdW50IDE+PgplbmRvYmoKMyAwIG9iago8PC9U"
        "eXBlL1BhZ2UvUGFyZW50IDIgMCBSL01lZGlhQm94WzAgMCA5IDldPj4KZW5kb2JqCnhyZWYKMCA0Cj"
        "AwMDAwMDAwMDAgNjU1MzUgZiAKMDAwMDAwMDAwOSAwMDAwMCBuIAowMDAwMDAwMDU0IDAwMDAwIG4g"
        "CjAwMDAwMDAxMDUgMDAwMDAgbiAKdHJhaWxlcgo8PC9Sb290IDEgMCBSL1NpemUgND4+CnN0YXJ0eH"
        "JlZgoxNjYKJSVFT0YK",
    },
}
"""A picture of one pixel and a document of one empty page, for who needs any."""

_MAKERS = {
    "anthropic": "anthropic",
    "anthropic_bedrock": "anthropic",
    "anthropic_vertex": "anthropic",
    "anthropic_foundry": "anthropic",
    "openai": "openai",
    "google": "google",
}
"""The maker behind each kind of provider."""

_ALIASES = {
    "google-gla": "google",
    "google-vertex": "google",
    "openai-chat": "openai",
    "openai-responses": "openai",
}
"""The makers as `kind other` names them, where they differ."""

_BY_NAME = (
    (re.compile(r"claude"), "anthropic"),
    (re.compile(r"gpt-|o\d"), "openai"),
    (re.compile(r"gemini-"), "google"),
)
"""The makers of models by how these are called, where the provider says nothing."""


@dataclass(frozen=True, slots=True)
class MediaRule:
    """The rules of a maker for a model. Tokens are None where nobody published them, limits where
    there is none that is known. Of more than `crowd` pictures none may have a side of more than
    `crowd_side` pixels.
    """

    maker: str | None
    takes: tuple[str, ...] = BOTH
    formats: tuple[str, ...] = FORMATS
    images: int | None = None
    image_bytes: int | None = None
    image_side: int | None = None
    crowd: int | None = None
    crowd_side: int | None = None
    pages: int | None = None
    document_bytes: int | None = None
    request_bytes: int | None = None
    image_tokens: int | None = None
    page_tokens: int | None = None
    source: str | None = None
    as_of: str | None = None


class Medium(Protocol):
    """A picture or document, as rules look at it."""

    @property
    def kind(self) -> str: ...
    @property
    def media_type(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def sides(self) -> tuple[int, int] | None: ...
    @property
    def pages(self) -> int | None: ...


def rule_of(kind: str, model: str | None) -> MediaRule:
    """The rule for a model of a kind of provider."""
    name = (model or "").lower()
    maker = _MAKERS.get(kind)
    if kind == "other":
        prefix, _, name = name.partition(":")
        maker = _ALIASES.get(prefix, prefix)
    elif maker is None and kind != "openai_compatible":
        maker = next((one for known, one in _BY_NAME if known.match(name)), None)
    return _rule(maker, name.rpartition("anthropic.")[2])


@cache
def _rule(maker: str | None, model: str) -> MediaRule:
    found = _rules()["makers"].get(maker)
    if found is None:
        return MediaRule(maker)
    said: dict[str, Any] = {key: value for key, value in found.items() if key != "models"}
    for one in found.get("models", ()):
        names = one.get("names")
        if names is None or model.startswith(tuple(names)):
            said |= {key: value for key, value in one.items() if key != "names"}
            break
    lists = {key: tuple(value) for key, value in said.items() if isinstance(value, list)}
    return MediaRule(maker, as_of=_rules()["as_of"], **{**said, **lists})


@cache
def _rules() -> Mapping[str, Any]:
    with open(os.path.join(resource_folder("stdlib"), "media.json"), encoding="utf-8") as file:
        rules: Mapping[str, Any] = json.load(file)
    return rules


def rule_at(program: p.Program, tier: str) -> MediaRule:
    """The rule of the maker behind a tier."""
    found = program.tiers[tier]
    return rule_of(program.providers[found.provider].kind, found.model)


def media_shown(prompt: p.Prompt) -> tuple[tuple[str, int | None], ...]:
    """The pictures and documents that a prompt shows, each by its kind and the pages that it may
    have at most, None where its type has no `max`.
    """
    return tuple(dict.fromkeys(_shown(prompt.shape)))


def _shown(shape: Sequence[p.TemplatePart]) -> Iterator[tuple[str, int | None]]:
    for part in shape:
        match part:
            case p.TemplateValue():
                type = present(part.type)
                if isinstance(type, Scalar) and is_medium(type):
                    yield type.kind.value, type.max_pages
            case p.TemplateLoop():
                yield from _shown(part.body)
            case p.TemplateBranch():
                for way in part.ways:
                    yield from _shown(way)
            case p.TemplateText():
                pass


def sees(program: p.Program, tier: str, prompt: p.Prompt) -> bool:
    """Whether the model behind a tier takes all kinds of pictures and documents of a prompt."""
    return {kind for kind, _ in media_shown(prompt)} <= {*rule_at(program, tier).takes}


def most_tokens(rule: MediaRule, type: Scalar) -> int | None:
    """The most tokens that a value of a type counts; None where nothing bounds it."""
    if type.kind is ScalarKind.IMAGE:
        return rule.image_tokens
    limits = [limit for limit in (type.max_pages, rule.pages) if limit is not None]
    return None if rule.page_tokens is None or not limits else min(limits) * rule.page_tokens


def tokens_of(rule: MediaRule, medium: Medium) -> int | None:
    """The most tokens that a picture or document counts; None where nobody published it."""
    if medium.kind == IMAGE:
        return rule.image_tokens
    return None if rule.page_tokens is None else rule.page_tokens * (medium.pages or 1)


def refusal(rule: MediaRule, media: Sequence[Medium]) -> str | None:
    """The reason for which a maker would not take these pictures and documents of one request."""
    for one in media:
        why = _refused(rule, one)
        if why is not None:
            return f"{why}, by the rules of {rule.maker} of {rule.as_of}"
    pictures = sum(one.kind == IMAGE for one in media)
    total = sum(one.size for one in media)
    if rule.images is not None and pictures > rule.images:
        return f"{pictures} pictures are more than the {rule.images} that {rule.maker} takes"
    if rule.crowd is not None and rule.crowd_side is not None and pictures > rule.crowd:
        longest = max((max(one.sides or (0,)) for one in media if one.kind == IMAGE), default=0)
        if longest > rule.crowd_side:
            most = f"{rule.crowd_side:,} that {rule.maker} takes of more than {rule.crowd} pictures"
            return f"a picture has a side of {longest:,} pixels, longer than the {most}"
    if rule.request_bytes is not None and total > rule.request_bytes:
        most = f"{rule.request_bytes:,} that {rule.maker} takes in a request"
        return f"pictures and documents of {total:,} bytes are more than the {most}"
    return None


def _refused(rule: MediaRule, one: Medium) -> str | None:
    if one.kind not in rule.takes:
        return f"the model takes no {one.kind}"
    if one.kind == DOCUMENT:
        if rule.pages is not None and (one.pages or 0) > rule.pages:
            return f"a document of {one.pages} pages is longer than the {rule.pages} at most"
        if rule.document_bytes is not None and one.size > rule.document_bytes:
            return f"a document of {one.size:,} bytes is larger than {rule.document_bytes:,}"
        return None
    if one.media_type not in rule.formats:
        return f"a picture of type {one.media_type} is none of {', '.join(rule.formats)}"
    if rule.image_bytes is not None and one.size > rule.image_bytes:
        return f"a picture of {one.size:,} bytes is larger than {rule.image_bytes:,}"
    if rule.image_side is not None and max(one.sides or (0,)) > rule.image_side:
        return f"a picture of {one.sides} pixels has a side longer than {rule.image_side:,}"
    return None
