"""Templates lose the margin that `textwrap.dedent` finds."""

from __future__ import annotations

import sys
import textwrap

from hypothesis import given
from hypothesis import strategies as st

from pipelang.syntax.lower.declarations import dedent

# From Python 3.14 on, what is a space anywhere makes no line: ours are spaces and tabs, as before.
SIGNS = " \t\nab" if sys.version_info >= (3, 14) else " \t\nab\r\f\u00a0"


@given(st.text(st.sampled_from(SIGNS), max_size=40))
def test_margins(text: str) -> None:
    written = text.replace("\r\n", "\n")
    assert dedent(f"\n{text}") == textwrap.dedent(written).rstrip()
