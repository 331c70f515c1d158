"""Parsing never gives up: every planted error is told, no other is, and the rest is in the tree."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from pipelang.diagnostics import Source
from pipelang.semantics.build import build
from pipelang.syntax import ast
from pipelang.syntax.parse import Parsed, parse

from ....memory import MemoryLoader

LINES = (Path(__file__).resolve().parents[3] / "data" / "planted.txt").read_text().splitlines()
"""A whole file. Behind `~` stands the same line with a slip."""

PLACES = [number for number, line in enumerate(LINES) if "~" in line]


def text(*broken: int) -> str:
    """The file, with slips on some of its lines."""
    made = (line.partition("~")[2 * (number in broken)] for number, line in enumerate(LINES))
    return "".join(line.strip() and line.rstrip() + "\n" for line in made)


def told(parsed: Parsed, source: str) -> list[int]:
    """The lines (from 0) that the findings point at."""
    return [source.count("\n", 0, found.span.start) for found in parsed.diagnostics if found.span]


def test_without_a_slip_nothing_is_told() -> None:
    assert not parse(Source("e.pipe", text())).diagnostics


@pytest.mark.parametrize("place", PLACES, ids=lambda place: LINES[place].partition("~")[2].strip())
def test_one_slip_is_one_error(place: int) -> None:
    source = text(place)
    lines = told(parse(Source("e.pipe", source)), source)
    assert len(lines) == 1
    assert lines[0] - place in (0, 1)  # what is missing at the end of a line is missed on the next


@pytest.mark.parametrize("seed", range(60))
def test_so_many_slips_so_many_errors(seed: int) -> None:
    pick = random.Random(seed)
    places = sorted(pick.sample(PLACES, pick.randrange(2, 14)))
    places = [a for a, b in zip(places, [*places[1:], 999], strict=True) if b - a > 1]
    source = text(*places)
    parsed = parse(Source("e.pipe", source))
    lines = told(parsed, source)
    assert len(lines) == len(places), [found.message for found in parsed.diagnostics]
    assert all(line - place in (0, 1) for line, place in zip(lines, places, strict=True))


def test_all_slips_at_once() -> None:
    source = text(*PLACES)
    lines = told(parse(Source("e.pipe", source)), source)
    for place in PLACES:
        assert place in lines or place + 1 in lines, LINES[place]
    assert len(lines) <= len(PLACES) + 3


@pytest.mark.parametrize("place", PLACES)
def test_what_is_around_stays_in_the_tree(place: int) -> None:
    kinds = [type(found) for found in parse(Source("e.pipe", text())).module.declarations]
    broken = parse(Source("e.pipe", text(place))).module.declarations
    assert len(broken) == len(kinds)
    differing = [a for a, b in zip(broken, kinds, strict=True) if type(a) is not b]
    assert all(isinstance(found, ast.Broken) for found in differing)
    assert len(differing) <= 1


@pytest.mark.parametrize("place", PLACES, ids=lambda place: LINES[place].partition("~")[2].strip())
def test_the_checker_has_nothing_to_add(place: int) -> None:
    """No name is unknown and nothing is missing because of an error that was told already."""
    source = text(place)
    found = build("e.pipe", MemoryLoader({"e.pipe": source})).diagnostics
    errors = [one for one in found if one.is_error]
    whole = build("e.pipe", MemoryLoader({"e.pipe": text()})).diagnostics
    usual = {one.message for one in whole if one.is_error}
    assert [
        one.message for one in errors if one.rule.code > "P199" and one.message not in usual
    ] == []


# --- nodes of what is broken ----------------------------------------------------------------


def declared(source: str) -> Any:
    return parse(Source("e.pipe", source)).module.declarations[0]


def test_an_expression_is_given_up_alone() -> None:
    pipeline = declared("pipeline p(a: int) -> int {\n  let x = )\n  return x\n}\n")
    let, end = pipeline.items
    assert let.name.text == "x"
    assert isinstance(let.value, ast.Broken)
    assert let.value.kind == "expression"
    assert isinstance(end, ast.Return)


def test_a_step_keeps_its_options_and_fallbacks() -> None:
    pipeline = declared(
        "pipeline p() -> int {\n"
        '  step s = call t(1) { timeout , retry 2 } else fail "x"\n  return s\n}\n'
    )
    step, _ = pipeline.items
    assert isinstance(step.chain.end, ast.Fail)
    assert [type(found) for found in step.chain.links[0].options][-1] is ast.Retry


def test_an_item_that_cannot_be_read_keeps_its_name() -> None:
    pipeline = declared("pipeline p() -> int {\n  gate g: 1 else frob nicate\n  return 1\n}\n")
    broken, end = pipeline.items
    assert broken == ast.Broken("item", ast.Name("g"))
    assert isinstance(end, ast.Return)


def test_a_declaration_that_cannot_be_read_keeps_its_name() -> None:
    assert declared("prompt p(a: int)\n  Sort this!\n\nenum E { a }\n") == ast.Broken(
        "declaration", ast.Name("p")
    )


def test_fields_and_parameters_keep_their_names() -> None:
    record = declared("type T {\n  a: 5\n  b: int\n}\n")
    assert [found.name.text for found in record.fields] == ["a", "b"]
    assert isinstance(record.fields[0].type.core, ast.Broken)
    tool = declared("tool t(a: 5, b: int) { effect read }\n")
    assert [found.name.text for found in tool.params] == ["a", "b"]


def test_a_block_is_closed_before_the_next_declaration() -> None:
    parsed = parse(
        Source("e.pipe", "pipeline p() -> int {\n  when a {\n  return 1\n\nenum E { a }")
    )
    pipeline, enum = parsed.module.declarations
    assert isinstance(pipeline, ast.PipelineDecl)
    assert isinstance(pipeline.items[0], ast.When)
    assert isinstance(enum, ast.EnumDecl)
