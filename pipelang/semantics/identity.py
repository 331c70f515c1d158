"""The hash of a program, which depends on meaning and not on layout or comments.

The hash of a program depends on what its files mean: on the letters of their tokens, on doc
comments (models and people get to see them) and on the texts of prompts, but not on layout, plain
comments, line endings or how a template is indented. Tiers that stand in for others are part of it,
and so are settings that a host turned.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from pipelang.digests import sha256_hex
from pipelang.semantics import program as p
from pipelang.semantics.loading import Loaded, LoadedModule


def program_hash(
    loaded: Loaded,
    prompts: Mapping[str, p.Prompt],
    stand_ins: Mapping[str, str],
    turned: Mapping[str, int | Decimal] | None = None,
) -> str:
    """The hash, as hexadecimal digits. `stand_ins` are tiers by those whose place they take,
    `turned` settings whose value is not the one of their file.
    """
    hashed: list[bytes] = []
    for path in sorted(loaded.modules, key=lambda path: (path != loaded.root, path)):
        # At one go: a call of the hash for each token takes longer than hashing does.
        letters = "\0".join((*_letters(loaded.modules[path]), "\1"))
        hashed.append(letters.encode("utf-8", "surrogatepass"))
    for name in sorted(prompts):
        prompt = prompts[name]
        texts = (name, prompt.system or "", prompt.user)
        hashed.append("\0".join(texts).encode("utf-8", "surrogatepass"))
        hashed.append(b"\2")
    for name, other in sorted(stand_ins.items()):
        hashed.append(f"{name}\0{other}\3".encode())
    for name, value in sorted((turned or {}).items()):
        hashed.append(f"{name}\0{Decimal(value).normalize()}\4".encode())
    return sha256_hex(b"".join(hashed))


def _letters(module: LoadedModule) -> list[str]:
    """The parts of a file that count for its identity, piece by piece."""
    tokens, docs = module.tokens.tokens, module.tokens.docs
    start = 2 if module.module.language is not None else 0
    optional = _optional_commas(module)
    return [
        _piece(kind, text, docs.get(at), at in optional) if kind in _TOLD or at in docs else text
        for kind, text, at, _ in tokens[start:]
        if at not in optional or docs.get(at)
    ]


_TOLD = frozenset({"TEMPLATE", "TOKENS", "PAGES"})
"""Kinds of tokens of which not all letters count."""


def _piece(kind: str, text: str, doc: str | None, optional: bool) -> str:
    """The part of a token that counts, and the doc comment before it; of one that may be left out,
    only the comment. Templates are among the prompts, so not here.
    """
    if kind == "TEMPLATE":
        text = '"""'
    elif kind in _TOLD:
        text = " ".join(text.split())
    if not doc:
        return text
    return f"##{doc}" if optional else f"##{doc}\0{text}"


def _optional_commas(module: LoadedModule) -> set[int]:
    """The offsets of the commas between imported names, which may be left out."""
    spans = [item.use.span for item in module.imports]
    if not spans:
        return set()
    return {
        token.start
        for token in module.tokens.tokens
        if token.text == "," and any(span.start <= token.start < span.end for span in spans)
    }
