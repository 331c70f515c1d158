"""Tokens with the comments and line breaks around them, and where no space may stand.

Every token of a file becomes one leaf, and every comment belongs to one leaf: a comment that ends
a line to the token before it, one on a line of its own to the token after it. Layout moves leaves
about only by spaces and line breaks, so a program stays the same program.
"""

from __future__ import annotations

import re

from pipelang.records import NamedTuple, dataclass
from pipelang.syntax.tokens import Comment, Token, TokenList


class Remark(NamedTuple):
    """A comment on a line of its own; `gap` if the author left a blank line after it."""

    text: str
    gap: bool


@dataclass(slots=True, eq=False)
class Leaf:
    """A token in its place.

    `breaks`, `gap`: whether the author had a line break, a blank line before it (before its first
    remark, if it has remarks). `opens_line`: it must be the first thing on its line. `tight_before`
    and `tight_after`: no space stands there; the rule that the token stands in decides that.
    """

    text: str
    remarks: tuple[Remark, ...]
    trailing: str | None
    breaks: bool
    gap: bool
    opens_line: bool
    tight_before: bool = False
    tight_after: bool = False


_CRLF = re.compile(r"(?<!\r)\r\n")


def _on_one_line(comment: str) -> str:
    """A comment without carriage returns of its own: a terminal would write over its beginning."""
    return comment.rstrip("\r").replace("\r", " ")


def leaves(text: str, found: TokenList) -> list[Leaf]:
    """The tokens of a file as leaves, and one without text for its end."""
    made: list[Leaf] = []
    comments, upcoming = found.comments, 0
    tokens = [*found.tokens, Token("$END", "", len(text), len(text))]
    last = 0  # where the former token, or the comment behind it, ends
    for index, token in enumerate(tokens):
        breaks = "\n" in text[last : token.start]
        own: list[Comment] = []
        while upcoming < len(comments) and comments[upcoming].start < token.start:
            comment = comments[upcoming]
            upcoming += 1
            if made and not comment.own_line:
                made[-1].trailing = _on_one_line(comment.text)
                last = comment.start
            else:
                own.append(comment)
        first = own[0].start if own else token.start
        follows = [*(comment.start for comment in own[1:]), token.start]
        remarks = tuple(
            Remark(_on_one_line(comment.text), text.count("\n", comment.start, end) > 1)
            for comment, end in zip(own, follows, strict=False)
        )
        made.append(
            Leaf(
                text=_written(token),
                remarks=remarks,
                trailing=None,
                breaks=breaks,
                gap=text.count("\n", last, first) > 1,
                opens_line=bool(remarks) or _would_be_an_amount(tokens, index),
            )
        )
        last = token.end
    return made


def _written(token: Token) -> str:
    """A token's letters. Line ends of a template and spaces of an amount (`4k tokens`) are none."""
    if token.type in ("TOKENS", "PAGES"):
        return " ".join(token.text.split())
    return _CRLF.sub("\n", token.text) if "\r" in token.text else token.text


def _would_be_an_amount(tokens: list[Token], index: int) -> bool:
    """Whether a name `tokens` or `pages` on the line of the number before it would be read as its
    unit.
    """
    return (
        tokens[index].text in ("tokens", "pages")
        and index > 0
        and tokens[index - 1].type in ("INT", "NUMBER")
        and tokens[index + 1].text != ":"
    )
