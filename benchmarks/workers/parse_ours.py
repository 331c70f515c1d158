"""Our parser: `parse_ours.py FILE`, or without a file the reading of its tables."""

from __future__ import annotations

import sys
from pathlib import Path

from serve import once, serve

from pipelang.diagnostics import Source
from pipelang.syntax.parse import parse
from pipelang.syntax.tables import tables


def main() -> None:
    if len(sys.argv) == 1:
        serve(lambda: once(tables.__wrapped__))
        return
    source = Source("long.pipe", Path(sys.argv[1]).read_text(encoding="utf-8"))
    assert not parse(source).diagnostics
    serve(lambda: once(lambda: parse(source)))


main()
