"""Copies of examples whose tools may take their time: these tests are not about a slow machine."""

from __future__ import annotations

import re
import shutil
from pathlib import Path


def patient(example: Path, into: Path) -> Path:
    """The folder of an example, copied into another folder; each of its tools has a minute. On a
    busy machine a first search, which builds an index, takes longer than a shopper would wait.
    """
    folder = into / example.name
    shutil.copytree(example, folder)
    for file in folder.glob("*.pipe"):
        text = file.read_text("utf-8")
        text, tools = re.subn(r"^  timeout +[\d.]+m?s$", "  timeout 1m", text, flags=re.MULTILINE)
        assert tools or "\ntool" not in text, file
        file.write_text(text, "utf-8")
    return folder
