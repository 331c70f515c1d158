"""Inputs at the command line: JSON, `@file.json`, `@file.jsonl`, or `-` for standard input."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pipelang.interfaces.check.disk_loader import input_text
from pipelang.records import dataclass
from pipelang.runtime.files import strict_json
from pipelang.semantics.loader import Unreadable


class BadInput(ValueError):
    """An input that cannot be read. The message says where and why."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """The inputs to run, one object a run, with a name for each; `many` for JSON Lines."""

    rows: tuple[tuple[str, dict[str, Any]], ...]
    many: bool


def read_inputs(given: str | None, line: int | None = None) -> Inputs:
    """Reads the inputs that `--input` names. Raises `BadInput`."""
    if given is None:
        return Inputs((("input", {}),), False)
    if given == "-":
        try:
            text = sys.stdin.read()
        except UnicodeDecodeError as error:
            raise BadInput(f"standard input cannot be read: {error}") from None
        return _parse("standard input", text, False, line)
    if given.startswith("@"):
        path = Path(given[1:])
        try:
            text = input_text(given[1:])
        except FileNotFoundError:
            raise BadInput(f"there is no file `{path}`") from None
        except (OSError, Unreadable) as error:
            raise BadInput(f"`{path}` cannot be read: {error}") from None
        return _parse(str(path), text, path.suffix in (".jsonl", ".ndjson"), line)
    return _parse("--input", given, False, line)


def _parse(name: str, text: str, lines: bool, line: int | None) -> Inputs:
    if not lines:
        if line is not None:
            raise BadInput("--line picks a line of a .jsonl file")
        return Inputs(((name, _object(name, text)),), False)
    rows = []
    # Not by `splitlines`: a text in a line of JSON may have a U+2028 as it is.
    for number, content in enumerate(text.split("\n"), 1):
        if content.strip() and line in (None, number):
            rows.append((f"{name}:{number}", _object(f"{name}, line {number}", content)))
    if not rows:
        raise BadInput(f"`{name}` has no line {line}" if line else f"`{name}` has no inputs")
    return Inputs(tuple(rows), line is None)


def _object(where: str, text: str) -> dict[str, Any]:
    try:
        value = strict_json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise BadInput(f"{where} is no JSON: {error.msg} at {place}") from None
    except RecursionError:
        raise BadInput(f"{where} is nested too deep") from None
    except strict_json.DuplicateKey as error:
        raise BadInput(f"{where}: {error}") from None
    except ValueError as error:  # an integer of thousands of digits
        raise BadInput(f"{where} cannot be read: {str(error).partition(';')[0]}") from None
    if not isinstance(value, dict):
        raise BadInput(f'{where} must be an object with the pipeline\'s inputs: {{"name": ...}}')
    return value
