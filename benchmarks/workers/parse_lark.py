"""Plain lark on our grammar: `parse_lark.py GRAMMAR HOW [FILE]`; without a file its construction.

HOW is some of `positions`, `cython` and `cached`, joined by `+`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from lark import Lark
from serve import once, serve


def main() -> None:
    grammar, how = Path(sys.argv[1]).read_text(encoding="utf-8"), sys.argv[2].split("+")
    options: dict[str, Any] = {"parser": "lalr", "propagate_positions": "positions" in how}
    if "cython" in how:
        import lark_cython

        options["_plugins"] = lark_cython.plugins
    if "cached" in how:
        options["cache"] = True
    if len(sys.argv) == 3:
        serve(lambda: once(lambda: Lark(grammar, **options)))
        return
    text = Path(sys.argv[3]).read_text(encoding="utf-8")
    lark = Lark(grammar, **options)
    serve(lambda: once(lambda: lark.parse(text)))


main()
