"""Asks the patterns of an example as its rules do."""

from __future__ import annotations

import re
from pathlib import Path

import re2


def matches(pipe: Path, name: str, text: str) -> bool:
    """Whether one of the patterns `name` of a file is found in a text."""
    source = pipe.read_text("utf-8")
    block = re.search(rf"^patterns {name} \{{(.*?)^\}}", source, re.DOTALL | re.MULTILINE)
    assert block is not None
    found = re.findall(r'^  "(.*)"$', block[1], re.MULTILINE)
    assert found
    return any(re2.search(pattern.replace('\\"', '"'), text) for pattern in found)
