"""One file through everything: what must hold of any text at all."""

from __future__ import annotations

import time

from pipelang.diagnostics import Source, has_errors
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.check import check_file, report_json
from pipelang.syntax.format import format_source
from pipelang.syntax.parse import parse

from .seeds import loader

SECONDS = 1.0
"""Of the processor: what the search for slow files (`python -m tests.fuzz`) calls slow."""

HANGS = 60.0
"""What the test suite calls so: a hang is meant there, not a slow machine."""


class Slow(Exception):
    """A file took longer than it may."""


def read(text: str) -> None:
    """Parse and format: findings lie in the file, a broken file is left alone."""
    source = Source("fuzz.pipe", text)
    parsed = parse(source)
    for found in parsed.diagnostics:
        assert found.span is not None
        assert 0 <= found.span.start <= found.span.end <= len(text)
        assert as_text(found, {"fuzz.pipe": source})
    formatted, told = format_source(source)
    if has_errors(told):
        assert formatted == text
    else:
        assert parse(Source("fuzz.pipe", formatted)).module == parsed.module


def check(path: str, text: str) -> None:
    """Everything that `pipelang check` does, and both of its outputs."""
    checked = check_file(path, loader(path, text))
    report_json([checked])
    for found in checked.diagnostics:
        as_text(found, checked.sources)


def timed(path: str, text: str, deep: bool, limit: float = SECONDS) -> None:
    """All of it, within the limit. What is slow is done again: on a busy machine, now and then one
    file pays for the whole process.
    """
    if _seconds(path, text, deep) > limit and (took := _seconds(path, text, deep)) > limit:
        raise Slow(f"{took:.1f} s")


def _seconds(path: str, text: str, deep: bool) -> float:
    start = time.process_time()
    read(text)
    if deep:
        check(path, text)
    return time.process_time() - start
