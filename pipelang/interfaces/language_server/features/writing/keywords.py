"""Completions that the grammar offers: keywords, options with their units, metrics."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.features.words import (
    KEYWORD_WORDS,
    METRIC_WORDS,
    OPTION_WORDS,
    plain,
)
from pipelang.interfaces.language_server.features.writing.place import CompletionPlace
from pipelang.interfaces.language_server.features.writing.surroundings import (
    block_around,
    fitting_options,
    takes_option,
)
from pipelang.syntax.lexicon import ITEMS

K = lsp.CompletionItemKind


def keywords(place: CompletionPlace, words: Iterable[str]) -> Iterator[lsp.CompletionItem]:
    """Words that may stand at a place, options that fit it first."""
    around = block_around(place)
    fitting = fitting_options(place) if around == "options" else None
    if fitting is not None:
        words = [word for word in words if word in fitting or word not in OPTION_WORDS]
    ranked = sorted(words, key=lambda word: (word not in OPTION_WORDS, word))
    for word in ranked:
        is_option = word in OPTION_WORDS and around not in (
            "slo",
            "watch",
            "traffic",
            "breaker",
        )
        if is_option and word not in ITEMS and takes_option(place, word):
            snippet, said = OPTION_WORDS[word]
            yield lsp.CompletionItem(
                label=word,
                kind=K.Property,
                detail=plain(snippet),
                documentation=said,
                insert_text=snippet,
                insert_text_format=lsp.InsertTextFormat.Snippet,
            )
        else:
            said = KEYWORD_WORDS.get(word, "")
            yield lsp.CompletionItem(label=word, kind=K.Keyword, documentation=said or None)


def metrics() -> Iterator[lsp.CompletionItem]:
    """All metrics."""
    for name, said in METRIC_WORDS.items():
        yield lsp.CompletionItem(label=name, kind=K.Property, detail="metric", documentation=said)
