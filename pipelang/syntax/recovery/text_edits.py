"""An edit of tokens as an edit of the file's text, for `check --fix`."""

from __future__ import annotations

from itertools import pairwise

from pipelang import diagnostics
from pipelang.diagnostics import Source
from pipelang.syntax.recovery.hints.error_site import TokenEdit
from pipelang.syntax.recovery.spacing import replacing
from pipelang.syntax.tokens import Token


def in_text(
    source: Source, tokens: list[Token], index: int, edit: TokenEdit
) -> tuple[diagnostics.Edit, ...]:
    """The edit at token `index` in letters; none if it would take a comment or a line break along,
    or if it builds on tokens that are not in the file.
    """
    text = source.text
    taken = tokens[index - edit.drop : index + edit.skip]
    if taken:
        start, end = taken[0].start, taken[-1].end
    else:
        start = end = tokens[index - 1].end if index else 0
    between = pairwise(taken)
    if any(text[token.start : token.end] != token.text for token in taken) or any(
        text[first.end : second.start].strip(" \t") for first, second in between
    ):
        return ()
    return (replacing(source, start, end, " ".join(letters for _, letters in edit.insert)),)
