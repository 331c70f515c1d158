"""Bounds on the tokens of pictures and pages hold what others measured, and rules refuse crowds.

Measured by others with the makers' own counters, as two public tables have it (Hugging Face
`JOHNISKING/image-token-cost` and `JOHNISKING/pdf-token-cost`, read on 2026-11-30; the words around
a picture are in the counts).
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pipelang.semantics.kernels.media import IMAGE, refusal, rule_of

PICTURES = {
    "256x256": (177, 165, 1090, 77),
    "512x512": (438, 426, 1090, 308),
    "768x768": (861, 849, 1090, 692),
    "1024x1024": (1446, 1434, 1090, 1229),
    "1280x720": (1273, 1261, 1101, 1104),
    "1920x1080": (2768, 1625, 1101, 2448),
    "2560x1440": (3069, 1657, 1101, 2931),
    "3840x2160": (3069, 1657, 1101, 2931),
    "4032x3024": (4005, 1661, 1065, 2942),
}
"""At Claude 5.5, Claude 4.5, Gemini 3 and GPT-6 at high detail."""

WORDS = (77, 65, 0, 0)
"""Tokens around the picture, by what remains where patches are counted: 100 of 165 at 256x256."""

PAGES = {
    "text": (2347, 2115, 561),
    "table": (2481, 2278, 561),
    "scan": (1600, 1592, 561),
}
MODELS = (
    ("anthropic", "claude-opus-5-5"),
    ("anthropic", "claude-haiku-4-5"),
    ("google", "gemini-3.8-flash"),
    ("openai", "gpt-6-astra"),
)


@pytest.mark.parametrize("size", PICTURES)
def test_no_picture_counts_more_than_its_bound(size: str) -> None:
    for (kind, model), counted, words in zip(MODELS, PICTURES[size], WORDS, strict=True):
        most = rule_of(kind, model).image_tokens
        assert most is not None
        assert counted - words <= most, model


@pytest.mark.parametrize("page", PAGES)
def test_no_page_counts_more_than_its_bound(page: str) -> None:
    for (kind, model), counted in zip(MODELS, PAGES[page], strict=False):
        most = rule_of(kind, model).page_tokens
        assert most is not None
        assert counted <= most, model


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4o", 85 + 8 * 170),
        ("gpt-4o-mini", 2833 + 8 * 5667),
        ("gpt-4.1-mini", -(-1536 * 162 // 100)),
        ("gpt-4.1-nano", -(-1536 * 246 // 100)),
        ("o4-mini", -(-1536 * 172 // 100)),
    ],
)
def test_openais_rules(model: str, tokens: int) -> None:
    """A picture of 768 by 2,048 is the largest of tiles: 2 by 4; of patches there are 1,536."""
    assert rule_of("openai", model).image_tokens == tokens


@dataclass(frozen=True)
class Picture:
    sides: tuple[int, int] | None
    kind: str = IMAGE
    media_type: str = "image/png"
    size: int = 1000
    pages: int | None = None


def test_many_large_pictures_are_turned_down_before_they_are_paid() -> None:
    claude, gemini = rule_of("anthropic", "claude-opus-5-5"), rule_of("google", "gemini-3.8-flash")
    large, small, unknown = Picture((2001, 10)), Picture((2000, 2000)), Picture(None)
    assert refusal(claude, [large] * 20) is None
    why = refusal(claude, [*[small] * 20, large])
    assert why is not None
    assert "2,001 pixels" in why
    assert refusal(claude, [*[small] * 20, unknown]) is None
    assert refusal(gemini, [large] * 21) is None
