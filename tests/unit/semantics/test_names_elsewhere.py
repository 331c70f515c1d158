"""An unknown name that stands in a file which an import imports: the help says where, and how it is
imported. And names that a help line lists are few.
"""

from __future__ import annotations

import pytest

from pipelang.semantics.build import build
from pipelang.semantics.symbols import MOST_LISTED
from tests.memory import MemoryLoader

FAR = """
enum Level { low high }
type Far { a: int }
fn twice(a: int) -> int = a * 2
setting depth: int in 1..9 = 2
role desk { accuracy 98% }
tool look(a: int) -> int { python "t:look" effect read timeout 2s }
"""


def helps(main: str, near: str = 'use "deep/far.pipe"\ntype Near { a: int }\n') -> list[str]:
    files = {"main.pipe": main, "near.pipe": near, "deep/far.pipe": FAR}
    found = build("main.pipe", MemoryLoader(files)).diagnostics
    return [str(one.help) for one in found if one.rule.code == "P201"]


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Far", "pipeline p(a: Far) -> int { return 1 }"),
        ("Level", "pipeline p(a: Level) -> int { return 1 }"),
        ("twice", "pipeline p(a: int) -> int { return twice(a) }"),
        ("depth", "pipeline p(a: int) -> int { return depth }"),
        ("look", 'pipeline p(a: int) -> int { step b = call look(a) else fail "x" return b }'),
        ("desk", "pipeline p(a: int) -> int { escalate to desk }"),
    ],
)
def test_a_name_of_an_import_of_an_import(name: str, line: str) -> None:
    told = f'it is declared in deep/far.pipe: `use "deep/far.pipe" {{ {name} }}`'
    assert helps(f'use "near.pipe"\n{line}\n') == [told]


def test_a_name_that_an_import_only_passes_through() -> None:
    told = 'it is declared in deep/far.pipe: `use "deep/far.pipe" { Far }`'
    assert told in helps('use "near.pipe" { Far }\npipeline p(a: int) -> int { return a }\n')


def test_a_name_near_in_spelling_is_not_believed_before_the_very_name() -> None:
    told = 'it is declared in deep/far.pipe: `use "deep/far.pipe" { Far }`'
    main = 'use "near.pipe"\ntype Fare { a: int }\npipeline p(a: Far) -> int { return 1 }\n'
    assert helps(main) == [told]


def test_of_many_fields_some_are_listed() -> None:
    fields = " ".join(f"field_{at}: int" for at in range(40))
    main = f"type Many {{ {fields} }}\nfn f(x: Many) -> int = x.zzz\n"
    found = build("main.pipe", MemoryLoader({"main.pipe": main})).diagnostics
    (told,) = [str(one.help) for one in found if one.rule.code == "P302"]
    assert told.endswith(f"field_{MOST_LISTED - 1} and {40 - MOST_LISTED} more")
