"""Templates lose the margin that `textwrap.dedent` finds."""

from __future__ import annotations

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from pipelang.syntax.lower.declarations import dedent


@given(st.text(st.sampled_from(" \t\nab\r\f\u00a0"), max_size=40))
def test_margins(text: str) -> None:
    written = text.replace("\r\n", "\n")
    assert dedent(f"\n{text}") == textwrap.dedent(written).rstrip()
