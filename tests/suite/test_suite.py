"""The conformance suite: every case says all that must be told about it, nothing else may be."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from pipelang.diagnostics import RULES
from pipelang.diagnostics.render import as_json
from pipelang.interfaces.check.check import check_file

from ..memory import MemoryLoader
from .chunks import MAIN, SUITE, Chunk, Expected, all_chunks

CHUNKS = all_chunks()
BESIDE = {name: (SUITE / name).read_text("utf-8") for name in ("desk.pipe", "world.pipe")}

EXEMPT = {
    "P108": "it is about bytes, which a loader in memory does not have: tests/unit/test_disk.py",
    "P110": "it takes more mistakes than fit a case: recovery/test_syntax_errors.py",
    "P216": "the value comes from outside: tests/unit/semantics/test_settings.py",
    "P314": "bindings are looked up by the command line: check/test_binding_check.py",
    "P315": "the same",
    "P316": "the same",
    "P317": "the same",
}


def checked_codes() -> set[str]:
    return {one.code for chunk in CHUNKS for one in chunk.expected() if one.code}


@pytest.mark.parametrize("chunk", [c for c in CHUNKS if c.kind == "check"], ids=lambda c: c.id)
def test_check(chunk: Chunk) -> None:
    checked = check_file(MAIN, MemoryLoader({**BESIDE, **chunk.files}))
    told = [as_json(found, checked.sources) for found in checked.diagnostics]
    left = list(told)
    missing = []
    for one in chunk.expected():
        hit = next((found for found in left if answers(found, one)), None)
        if hit is None:
            missing.append(one)
        else:
            left.remove(hit)
    unexpected = [
        found for found in left if found["severity"] == "error" or found["code"] not in chunk.ignore
    ]
    shown = "\n".join(
        f"{found['file']}:{found['line']}: {found['severity']}[{found['code']}] {found['message']}"
        f" ({found['help']})"
        for found in told
    )
    assert not missing, f"not told: {missing}\n\ntold was:\n{shown}"
    assert not unexpected, f"told as well:\n{shown}"
    for found in told:
        well_said(found)


def answers(found: dict, expected: Expected) -> bool:
    place = found["file"] or MAIN, found["line"] or 1
    words = f"{found['message']} | {found['help']}"
    return (
        found["severity"] == expected.what
        and found["code"] == expected.code
        and place == (expected.file, expected.line)
        and expected.text in words
    )


def well_said(found: dict) -> None:
    """The habits of messages: lower case at the start, no full stop, no Python showing through."""
    for words in (found["message"], found["help"]):
        if words is None:
            continue
        first = words.split()[0]
        assert first[0] == first[0].lower() or first.isupper(), words
        assert not words.endswith("."), words
        assert words.count("`") % 2 == 0, words
        for leak in ("None", "Decimal(", "Scalar", "frozenset", "<pipelang", "ERROR"):
            assert leak not in words, words


@pytest.mark.parametrize("chunk", [c for c in CHUNKS if c.kind == "run"], ids=lambda c: c.id)
def test_run(chunk: Chunk) -> None:
    from pipelang.diagnostics import RULES
    from pipelang.interfaces.loading import load
    from pipelang.runtime.host.pipeline_tests import run_test

    loaded = load(MAIN, loader=MemoryLoader({**BESIDE, **chunk.files}), allow=RULES)
    text = chunk.files[MAIN]
    missed = []
    for test in loaded.program.tests:
        for miss in asyncio.run(run_test(loaded, test)).misses:
            line = text[: miss.span.start].count("\n") + 1
            missed.append((line, miss.message))
    for one in chunk.expected():
        hit = next((m for m in missed if m[0] == one.line and one.text in m[1]), None)
        assert hit is not None, f"not missed: {one}\nmissed was: {missed}"
        missed.remove(hit)
    assert not missed


def test_every_code_has_a_case() -> None:
    without = set(RULES) - checked_codes() - EXEMPT.keys()
    assert not without, sorted(without)
    assert not EXEMPT.keys() - set(RULES), "exempt codes that are not there any more"


def test_no_case_stands_twice_under_a_name() -> None:
    twice = [name for name, count in Counter(chunk.id for chunk in CHUNKS).items() if count > 1]
    assert not twice
