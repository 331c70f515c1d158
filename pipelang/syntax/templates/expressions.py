"""Expressions of templates: recursive descent, with the precedences of Jinja2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from pipelang.syntax.templates.nodes import (
    TemplateAttribute,
    TemplateCall,
    TemplateChoice,
    TemplateConst,
    TemplateExpr,
    TemplateFilter,
    TemplateItem,
    TemplateOperation,
    TemplateTest,
    TemplateVariable,
)
from pipelang.syntax.templates.tokens import (
    BLOCK_END,
    END,
    PRINT_END,
    TemplateMistake,
    TemplateToken,
    template_tokens,
)

_CONSTANTS = {"true": True, "True": True, "false": False, "False": False} | dict.fromkeys(
    ("none", "None")
)
_COMPARISONS = frozenset(("==", "!=", "<", "<=", ">", ">="))
_STARTS = frozenset(("name", "string", "integer", "float", "(", "[", "{"))


class ExpressionReader:
    """The rest of a template: its tokens to come, and one token to look at."""

    def __init__(self, text: str) -> None:
        self._tokens = template_tokens(text)
        self._ahead: list[TemplateToken] = []
        self.token = TemplateToken(END, "", 1)
        self.next()

    # ----------------------------------------------------------------------------------- tokens

    def next(self) -> TemplateToken:
        """The current token, which is passed."""
        passed = self.token
        if self._ahead:
            self.token = self._ahead.pop()
        else:
            self.token = next(self._tokens, TemplateToken(END, "", passed.line))
        return passed

    def look(self) -> TemplateToken:
        """The token behind the current one."""
        current = self.next()
        behind, self.token = self.token, current
        self._ahead.append(behind)
        return behind

    def is_word(self, *words: str) -> bool:
        return self.token.kind == "name" and self.token.value in words

    def skip_word(self, word: str) -> bool:
        if self.is_word(word):
            self.next()
            return True
        return False

    def skip(self, kind: str) -> bool:
        if self.token.kind == kind:
            self.next()
            return True
        return False

    def expect(self, kind: str) -> TemplateToken:
        """The current token, if it is one of a kind."""
        if self.token.kind != kind:
            self._expected(kind)
        return self.next()

    def expect_word(self, word: str) -> TemplateToken:
        if not self.is_word(word):
            self._expected(word)
        return self.next()

    def _expected(self, what: str) -> NoReturn:
        if self.token.kind == END:
            self.fail(f"unexpected end of template, expected {what!r}")
        self.fail(f"expected token {what!r}, got {self.token.said()!r}")

    def fail(self, why: str, line: int | None = None) -> NoReturn:
        raise TemplateMistake(why, self.token.line if line is None else line)

    # ------------------------------------------------------------------------------ expressions

    def expression(self) -> TemplateExpr:
        """Any expression but a tuple without parentheses."""
        line = self.token.line
        left = self._or()
        while self.skip_word("if"):
            test = self._or()
            otherwise = self.expression() if self.skip_word("else") else None
            left = TemplateChoice(test, left, otherwise, line)
            line = self.token.line
        return left

    def values(
        self,
        *,
        conditional: bool = True,
        in_parentheses: bool = False,
        simple: bool = False,
    ) -> TemplateExpr:
        """An expression, or several as a tuple; `simple` wants names and literals only."""
        read: Callable[[], TemplateExpr] = self.expression if conditional else self._or
        read = self._primary if simple else read
        line = self.token.line
        parts: list[TemplateExpr] = []
        is_tuple = False
        while True:
            if parts:
                self.expect(",")
            if self.token.kind in (PRINT_END, BLOCK_END, ")"):
                break
            parts.append(read())
            if self.token.kind != ",":
                break
            is_tuple = True
            line = self.token.line
        if not is_tuple:
            if parts:
                return parts[0]
            if not in_parentheses:
                self.fail(f"expected an expression, got {self.token.said()!r}")
        return TemplateOperation("tuple", tuple(parts), line)

    def _or(self) -> TemplateExpr:
        return self._row(self._and, "or")

    def _and(self) -> TemplateExpr:
        return self._row(self._not, "and")

    def _row(self, operand: Callable[[], TemplateExpr], word: str) -> TemplateExpr:
        line = self.token.line
        left = operand()
        while self.skip_word(word):
            left = TemplateOperation(word, (left, operand()), line)
            line = self.token.line
        return left

    def _not(self) -> TemplateExpr:
        if self.is_word("not"):
            line = self.next().line
            return TemplateOperation("not", (self._not(),), line)
        return self._comparison()

    def _comparison(self) -> TemplateExpr:
        line = self.token.line
        parts = [self._sum()]
        while True:
            if self.token.kind in _COMPARISONS or self.is_word("in"):
                self.next()
            elif self.is_word("not") and self.look()[:2] == ("name", "in"):
                self.next()
                self.next()
            else:
                break
            parts.append(self._sum())
            line = self.token.line
        return parts[0] if len(parts) == 1 else TemplateOperation("compare", tuple(parts), line)

    def _sum(self) -> TemplateExpr:
        return self._calculation(self._joined, ("+", "-"))

    def _joined(self) -> TemplateExpr:
        line = self.token.line
        parts = [self._product()]
        while self.skip("~"):
            parts.append(self._product())
        return parts[0] if len(parts) == 1 else TemplateOperation("~", tuple(parts), line)

    def _product(self) -> TemplateExpr:
        return self._calculation(self._power, ("*", "/", "//", "%"))

    def _power(self) -> TemplateExpr:
        return self._calculation(self._unary, ("**",))

    def _calculation(
        self, operand: Callable[[], TemplateExpr], signs: tuple[str, ...]
    ) -> TemplateExpr:
        line = self.token.line
        left = operand()
        while self.token.kind in signs:
            sign = self.next().kind
            left = TemplateOperation(sign, (left, operand()), line)
            line = self.token.line
        return left

    def _unary(self, filtered: bool = True) -> TemplateExpr:
        line = self.token.line
        made: TemplateExpr
        if self.token.kind in ("-", "+"):
            sign = self.next().kind
            made = TemplateOperation(sign, (self._unary(False),), line)
        else:
            made = self._primary()
        made = self._postfix(made)
        return self._filtered(made) if filtered else made

    def _primary(self) -> TemplateExpr:
        token = self.token
        kind, line = token.kind, token.line
        match kind:
            case "name":
                name = str(self.next().value)
                if name in _CONSTANTS:
                    return TemplateConst(_CONSTANTS[name], line)
                return TemplateVariable(name, line)
            case "string":
                words = []
                while self.token.kind == "string":
                    words.append(str(self.next().value))
                return TemplateConst("".join(words), line)
            case "integer" | "float":
                return TemplateConst(self.next().value, line)
            case "(":
                self.next()
                made = self.values(in_parentheses=True)
                self.expect(")")
                return made
            case "[":
                return TemplateOperation("list", self._elements("]", pairs=False), line)
            case "{":
                return TemplateOperation("dict", self._elements("}", pairs=True), line)
            case _:
                self.fail(f"unexpected {token.said()!r}")

    def _elements(self, closing: str, *, pairs: bool) -> tuple[TemplateExpr, ...]:
        self.next()
        found: list[TemplateExpr] = []
        while self.token.kind != closing:
            if found:
                self.expect(",")
            if self.token.kind == closing:
                break
            found.append(self.expression())
            if pairs:
                self.expect(":")
                found.append(self.expression())
        self.expect(closing)
        return tuple(found)

    # ------------------------------------------------------------------------- behind a primary

    def _postfix(self, made: TemplateExpr) -> TemplateExpr:
        while True:
            match self.token.kind:
                case "." | "[":
                    made = self._subscript(made)
                case "(":
                    made = self._call()
                case _:
                    return made

    def _filtered(self, made: TemplateExpr) -> TemplateExpr:
        while True:
            if self.token.kind == "|":
                self.next()
                made = self.filter(made)
            elif self.is_word("is"):
                made = self._test(made)
            elif self.token.kind == "(":
                made = self._call()
            else:
                return made

    def _call(self) -> TemplateExpr:
        line = self.token.line
        self._arguments()
        return TemplateCall(line)

    def filter(self, target: TemplateExpr) -> TemplateExpr:
        """A filter by its name, and what it is given."""
        line = self.token.line
        name = self._dotted()
        plain, named = self._arguments() if self.token.kind == "(" else ((), ())
        return TemplateFilter(target, name, plain, named, line)

    def _dotted(self) -> str:
        name = str(self.expect("name").value)
        while self.skip("."):
            name += f".{self.expect('name').value}"
        return name

    def _test(self, target: TemplateExpr) -> TemplateExpr:
        line = self.next().line
        negated = self.skip_word("not")
        name = self._dotted()
        given: tuple[TemplateExpr, ...] = ()
        if self.token.kind == "(":
            plain, named = self._arguments()
            given = (*plain, *(one for _, one in named))
        elif self.token.kind in _STARTS and not self.is_word("else", "or", "and"):
            if self.is_word("is"):
                self.fail("you cannot chain multiple tests with is")
            given = (self._postfix(self._primary()),)
        made: TemplateExpr = TemplateTest(target, name, given, line)
        return TemplateOperation("not", (made,), line) if negated else made

    def _subscript(self, target: TemplateExpr) -> TemplateExpr:
        opening = self.next()
        if opening.kind == ".":
            part = self.next()
            if part.kind == "name":
                return TemplateAttribute(target, str(part.value), opening.line)
            if part.kind != "integer":
                self.fail("expected name or number", part.line)
            return TemplateItem(target, TemplateConst(part.value, part.line), opening.line)
        keys: list[TemplateExpr] = []
        while self.token.kind != "]":
            if keys:
                self.expect(",")
            keys.append(self._key())
        self.expect("]")
        key = keys[0] if len(keys) == 1 else TemplateOperation("tuple", tuple(keys), opening.line)
        return TemplateItem(target, key, opening.line)

    def _key(self) -> TemplateExpr:
        """A subscript between its brackets: an expression, or the bounds of a slice."""
        line = self.token.line
        bounds: list[TemplateExpr] = []
        if self.token.kind != ":":
            bounds.append(self.expression())
            if self.token.kind != ":":
                return bounds[0]
        self.next()
        if self.token.kind not in (":", "]", ","):
            bounds.append(self.expression())
        if self.skip(":") and self.token.kind not in ("]", ","):
            bounds.append(self.expression())
        return TemplateOperation("slice", tuple(bounds), line)

    def _arguments(
        self,
    ) -> tuple[tuple[TemplateExpr, ...], tuple[tuple[str | None, TemplateExpr], ...]]:
        """Arguments by position, and those by name or, without one, behind stars."""
        line = self.expect("(").line
        plain: list[TemplateExpr] = []
        named: list[tuple[str | None, TemplateExpr]] = []
        seen: set[Any] = set()

        def orderly(*before: str) -> None:
            if seen.intersection(before):
                self.fail("invalid syntax for function call expression", line)

        while self.token.kind != ")":
            if seen:
                self.expect(",")
                if self.token.kind == ")":
                    break
            if self.token.kind == "*":
                orderly("*", "**")
                seen.add(self.next().kind)
                named.append((None, self.expression()))
            elif self.token.kind == "**":
                orderly("**")
                seen.add(self.next().kind)
                named.append((None, self.expression()))
            elif self.token.kind == "name" and self.look().kind == "=":
                orderly("**")
                seen.add("named")
                name = str(self.next().value)
                self.next()
                named.append((name, self.expression()))
            else:
                orderly("*", "**", "named")
                seen.add("plain")
                plain.append(self.expression())
        self.expect(")")
        return tuple(plain), tuple(named)
