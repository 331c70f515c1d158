"""A TextMate grammar made from the table of rules, as editors and code hosts read it.

`python -m pipelang.interfaces.highlighting.textmate`, or `make editors`, writes it into the
extension; a test compares what is there.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pipelang.interfaces.highlighting.rules import Colour, ColourRegion, ColourRule, rules

SCOPE = "source.pipelang"
PLACE = "editors/vscode/syntaxes/pipelang.tmLanguage.json"


def grammar() -> dict[str, Any]:
    """The grammar, as JSON holds it."""
    return {
        "$schema": "https://raw.githubusercontent.com/martinring/tmlanguage/master/tmlanguage.json",
        "name": "pipelang",
        "scopeName": SCOPE,
        "fileTypes": ["pipe"],
        "patterns": [_pattern(one) for one in rules()],
    }


def grammar_text() -> str:
    """The grammar as the text of its file."""
    return json.dumps(grammar(), indent=1, ensure_ascii=False) + "\n"


def _pattern(one: ColourRule | ColourRegion) -> dict[str, Any]:
    if isinstance(one, ColourRule):
        if len(one.colours) == 1:
            return {"match": one.pattern, "name": _scope(one.colours[0])}
        return {"match": one.pattern, "captures": _captures(one.colours)}
    begin: dict[str, Any] = {"begin": one.begin, "end": one.end}
    if len(one.begin_colours) == 1:
        begin["beginCaptures"] = {"0": {"name": _scope(one.begin_colours[0])}}
    else:
        begin["beginCaptures"] = _captures(one.begin_colours)
    begin["endCaptures"] = {"0": {"name": _scope(one.end_colour)}}
    if one.rest is not None:
        begin["name"] = _scope(one.rest)
    begin["patterns"] = [_pattern(inner) for inner in one.inside]
    return begin


def _captures(colours: tuple[Colour, ...]) -> dict[str, Any]:
    # Blanks between words have no colour; signs have one.
    return {str(number): {"name": _scope(one)} for number, one in enumerate(colours, 1)}


def _scope(colour: Colour) -> str:
    return f"{colour.value}.pipelang"


def main(arguments: list[str]) -> int:
    """Write the grammar to its place in this checkout, or to the file that is named."""
    place = Path(arguments[0]) if arguments else Path(__file__).parents[3] / PLACE
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(grammar_text(), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
