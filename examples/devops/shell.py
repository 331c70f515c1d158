"""Reads a line of shell as a shell would, so far as that can be said without running it.

Quotes, backslashes, `$'...'`, comments, heredocs, pipes and substitutions are taken apart. What
only a running shell knows (a variable, a glob, a brace list, the output of a command) makes a word
*open*: its text is not what will be run, and whoever judges it must not believe it.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field


class CannotBeRead(Exception):
    """The text is no shell that this module understands."""


@dataclass(slots=True)
class Word:
    """A word with its quotes taken off."""

    text: str = ""
    open: bool = False
    quoted: bool = False
    glob: bool = False


@dataclass(slots=True)
class Command:
    """A simple command: words, where it writes, what is fed to it."""

    words: list[Word] = field(default_factory=list)
    writes: list[Word] = field(default_factory=list)
    reads: list[Word] = field(default_factory=list)
    fed: str | None = None  # the text of a heredoc or a here-string
    fed_open: bool = False
    piped: bool = False  # reads the output of the command before it


OPERATORS = ("&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")")
REDIRECTS = ("<<<", "<<-", "<<", "&>>", "&>", ">>", ">|", ">&", "<>", "<&", ">", "<")
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


class Reader:
    """Takes one script apart: `commands` in order, and `inner` scripts of substitutions."""

    def __init__(self, script: str) -> None:
        self.script = script.replace("\\\n", "").replace("\r", "\n")
        self.at = 0
        self.inner: list[str] = []
        self.waiting: list[tuple[Command, str, bool, bool]] = []  # heredocs whose text comes below

    def commands(self) -> list[Command]:
        """All simple commands of the script."""
        return [one for one in self._commands() if one.words or one.writes or one.fed is not None]

    def _commands(self) -> Iterator[Command]:
        now = Command()
        text = self.script
        while self.at < len(text):
            rest = text[self.at :]
            if rest[0] in " \t":
                self.at += 1
            elif rest[0] == "#":
                self.at = text.find("\n", self.at) if "\n" in rest else len(text)
            elif rest.startswith(("<(", ">(")):
                self.at += 1
                self.inner.append(self._bracketed())
                now.words.append(Word("/dev/fd", open=True))
            elif (mark := next((m for m in REDIRECTS if rest.startswith(m)), None)) is not None:
                self.at += len(mark)
                self._redirect(now, mark)
            elif (mark := next((m for m in OPERATORS if rest.startswith(m)), None)) is not None:
                if mark == "(" and now.words:
                    raise CannotBeRead("a function, or brackets in the middle of a command")
                self.at += len(mark)
                yield now
                now = Command(piped=mark in ("|", "|&"))
                if mark == "\n":
                    self._heredocs()
            else:
                word = self._word()
                fd = word.text.isdigit() and not word.quoted and text[self.at : self.at + 1] in "<>"
                if not (fd and self.at < len(text)):
                    now.words.append(word)
        if self.waiting:
            raise CannotBeRead("a heredoc that does not end")
        yield now

    def _redirect(self, now: Command, mark: str) -> None:
        while self.script[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        if self.at >= len(self.script) or self.script[self.at] in "\n;|":
            raise CannotBeRead("a redirection to nowhere")
        word = self._word()
        if mark in ("<<", "<<-"):
            self.waiting.append((now, word.text, mark == "<<-", not word.quoted))
        elif mark == "<<<":
            now.fed, now.fed_open = word.text, word.open
        elif mark in ("<", "<&"):
            now.reads.append(word)
        elif not (mark == ">&" and (word.text.isdigit() or word.text == "-")):
            now.writes.append(word)

    def _heredocs(self) -> None:
        for command, end, indented, expands in self.waiting:
            body: list[str] = []
            while True:
                if self.at >= len(self.script):
                    raise CannotBeRead("a heredoc that does not end")
                line, _, _ = self.script[self.at :].partition("\n")
                self.at += len(line) + 1
                if (line.lstrip("\t") if indented else line) == end:
                    break
                body.append(line)
            command.fed = "\n".join(body)
            command.fed_open = expands and ("$" in command.fed or "`" in command.fed)
            if command.fed_open:
                inside = Reader('"' + command.fed.replace('"', '\\"') + '"')
                inside._word()
                self.inner += inside.inner
        self.waiting = []

    def _word(self) -> Word:
        word, text = Word(), self.script
        braces = False
        while self.at < len(text):
            char = text[self.at]
            if char in " \t\n;|&()<>":
                break
            if char == "\\":
                word.text += text[self.at + 1 : self.at + 2]
                word.quoted = True
                self.at += 2
            elif char == "'":
                word.text += self._until("'")
                word.quoted = True
            elif text.startswith("$'", self.at):
                self.at += 1
                word.text += _ansi(self._until("'", escapes=True))
                word.quoted = True
            elif char == '"' or text.startswith('$"', self.at):
                self.at += char == "$"
                self._double(word)
            elif char in "$`":
                self._expansion(word)
            else:
                word.glob |= char in "*?["
                braces |= (
                    char == "{" and "}" in text[self.at :] and text[self.at : self.at + 2] != "{}"
                )
                word.text += char
                self.at += 1
        if braces and len(word.text) > 1 and ("," in word.text or ".." in word.text):
            word.open = True
        return word

    def _double(self, word: Word) -> None:
        self.at += 1
        word.quoted = True
        while True:
            char = self.script[self.at : self.at + 1]
            if not char:
                raise CannotBeRead("a quote that does not end")
            if char == '"':
                self.at += 1
                return
            if char == "\\":
                follows = self.script[self.at + 1 : self.at + 2]
                word.text += follows if follows in '"\\$`' else "\\" + follows
                self.at += 2
            elif char in "$`":
                self._expansion(word)
            else:
                word.text += char
                self.at += 1

    def _expansion(self, word: Word) -> None:
        text = self.script
        if text[self.at] == "`":
            self.inner.append(self._until("`", escapes=True))
        elif text.startswith("$(", self.at):
            self.at += 1
            self.inner.append(self._bracketed())
        elif text.startswith("${", self.at):
            end = text.find("}", self.at)
            # `${x@P}`, `${x[i]}` and `${x:i}` run what is in a variable, as the others do.
            runs = r"\$\(|`|@[A-Z]$|\[(?![@*\d]+\])|:\s*[A-Za-z_(]"
            if end < 0 or re.search(runs, text[self.at : end]):
                raise CannotBeRead("a variable that does not end, or runs something")
            self.at = end + 1
        else:
            start = self.at
            self.at += 1
            if text[self.at : self.at + 1] in tuple("?!#@*$-"):
                self.at += 1
            else:
                while self.at < len(text) and text[self.at] in NAME:
                    self.at += 1
            if self.at == start + 1:  # a dollar and nothing that could be a name
                word.text += "$"
                return
        word.open = True
        word.text += "\0"

    def _until(self, end: str, *, escapes: bool = False) -> str:
        self.at += 1
        start = self.at
        while self.at < len(self.script):
            char = self.script[self.at]
            if char == "\\" and escapes:
                self.at += 2
            elif char == end:
                self.at += 1
                return self.script[start : self.at - 1]
            else:
                self.at += 1
        raise CannotBeRead("a quote that does not end")

    def _bracketed(self) -> str:
        depth, start = 0, self.at + 1
        while self.at < len(self.script):
            char = self.script[self.at]
            if char == "\\":
                self.at += 2
                continue
            if char == "'":
                self._until("'")
                continue
            depth += (char == "(") - (char == ")")
            self.at += 1
            if depth == 0:
                return self.script[start : self.at - 1]
        raise CannotBeRead("a bracket that does not end")


def _ansi(text: str) -> str:
    try:
        return codecs.decode(text.encode("latin-1", "backslashreplace"), "unicode_escape")
    except ValueError as error:
        raise CannotBeRead("an escape that is none") from error
