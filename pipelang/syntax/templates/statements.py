"""Statements of templates: text, values, `if`, `for` and `set`.

What Jinja2 has besides is read as far as its end, so that a message can say that it is not for
prompts.
"""

from __future__ import annotations

from pipelang.syntax.templates.expressions import ExpressionReader
from pipelang.syntax.templates.nodes import (
    TemplateBody,
    TemplateData,
    TemplateExpr,
    TemplateFor,
    TemplateIf,
    TemplateNode,
    TemplateOperation,
    TemplateOther,
    TemplateOutput,
    TemplateSet,
    TemplateVariable,
)
from pipelang.syntax.templates.tokens import (
    BLOCK,
    BLOCK_END,
    DATA,
    END,
    PRINT_END,
    TemplateMistake,
)

_WITH_BODY = frozenset(("block", "macro", "with", "autoescape", "call", "filter"))
_WITHOUT_BODY = frozenset(("extends", "include", "import", "from"))


def parse_template(text: str) -> TemplateBody:
    """The tree of a template. Raises `TemplateMistake` where Jinja2 could not read it."""
    return _StatementReader(text).body(())


class _StatementReader(ExpressionReader):
    def __init__(self, text: str) -> None:
        super().__init__(text)
        self._awaited: list[tuple[str, ...]] = []
        """The tags that would end what stands around, from the outside in."""

    def body(self, ends: tuple[str, ...]) -> TemplateBody:
        """All up to one of some tags, whose word is then the current token; without any, all."""
        if ends:
            self._awaited.append(ends)
        found: list[TemplateNode] = []
        while self.token.kind != END:
            opening = self.next()
            if opening.kind == DATA:
                found.append(TemplateData(str(opening.value)))
            elif opening.kind == BLOCK:
                if self.is_word(*ends):
                    self._awaited.pop()
                    return tuple(found)
                found += self._statement()
                self.expect(BLOCK_END)
            else:
                found.append(TemplateOutput(self.values()))
                self.expect(PRINT_END)
        if ends:
            self._unfinished()
        return tuple(found)

    def _unfinished(self, word: str | None = None) -> None:
        """Report a tag that is none here, or the end of the text, with the tags that would do."""
        why = "unexpected end of template" if word is None else f"unknown tag {word!r}"
        tags = self._awaited[-1] if self._awaited else ()
        if word is not None and any(word in ends for ends in self._awaited):
            tags = ()  # one of these is meant, further out
        raise TemplateMistake(why, self.token.line, tags)

    def _block(self, *ends: str) -> TemplateBody:
        """All between the end of a tag and one of some others, whose word is the next token."""
        self.skip(":")
        self.expect(BLOCK_END)
        return self.body(ends)

    def _statement(self) -> list[TemplateNode]:
        if self.token.kind != "name":
            self.fail("tag name expected")
        word, line = str(self.token.value), self.token.line
        if word == "if":
            return [self._if()]
        if word == "for":
            return [self._for()]
        if word == "set":
            return [self._set()]
        if word == "print":
            return self._print()
        if word not in _WITH_BODY and word not in _WITHOUT_BODY:
            self._unfinished(word)
        self._pass_head()
        if word in _WITH_BODY:
            self._block(f"end{word}")
            self._pass_head()
        return [TemplateOther("from ... import" if word == "from" else word, line)]

    def _pass_head(self) -> None:
        """Go on to the end of a tag, whatever it says."""
        while self.token.kind not in (BLOCK_END, END):
            self.next()

    def _print(self) -> list[TemplateNode]:
        self.next()
        found: list[TemplateNode] = []
        while self.token.kind != BLOCK_END:
            if found:
                self.expect(",")
            found.append(TemplateOutput(self.expression()))
        return found

    def _if(self) -> TemplateNode:
        line = self.token.line
        arms: list[tuple[TemplateExpr, TemplateBody]] = []
        otherwise: TemplateBody = ()
        while self.skip_word("elif" if arms else "if"):
            test = self.values(conditional=False)
            arms.append((test, self._block("elif", "else", "endif")))
        if self.skip_word("else"):
            otherwise = self._block("endif")
        self.expect_word("endif")
        return TemplateIf(tuple(arms), otherwise, line)

    def _for(self) -> TemplateNode:
        line = self.next().line
        target = self._target()
        self.expect_word("in")
        over = self.values(conditional=False)
        test = self.expression() if self.skip_word("if") else None
        self.skip_word("recursive")
        body = self._block("endfor", "else")
        otherwise: TemplateBody = ()
        if self.skip_word("else"):
            otherwise = self._block("endfor")
        self.expect_word("endfor")
        unpacks = isinstance(target, TemplateOperation)
        parts = target.parts if isinstance(target, TemplateOperation) else (target,)
        names = tuple(part.name if isinstance(part, TemplateVariable) else None for part in parts)
        return TemplateFor(names, unpacks, over, test, body, otherwise, line)

    def _set(self) -> TemplateNode:
        line = self.next().line
        target = self._target()
        if self.token.kind == "." and isinstance(target, TemplateVariable):
            self._pass_head()  # a part of a namespace, which no prompt has
            return TemplateOther("set", line)
        if self.skip("="):
            value = self.values()
            if isinstance(target, TemplateVariable):
                return TemplateSet(target.name, value, line)
            return TemplateOther("set", line)
        while self.skip("|"):
            self.filter(target)
        self._block("endset")
        self.next()
        return TemplateOther("set", line)

    def _target(self) -> TemplateExpr:
        """The names that a loop or a `set` gives something to."""
        target = self.values(simple=True)
        if not _takes(target):
            what = target.word if isinstance(target, TemplateOperation) else "const"
            self.fail(f"can't assign to {what!r}", target.line)
        return target


def _takes(target: TemplateExpr) -> bool:
    """Whether something can be given to an expression."""
    if isinstance(target, TemplateOperation) and target.word == "tuple":
        return all(map(_takes, target.parts))
    return isinstance(target, TemplateVariable)
