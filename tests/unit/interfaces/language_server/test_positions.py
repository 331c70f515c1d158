"""Places in the units of the protocol, against Python's own codecs and slices."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from pipelang.interfaces.language_server.positions import (
    UTF8,
    UTF16,
    UTF32,
    TextLines,
    change_between,
)

TEXTS = st.text(alphabet="ab\n\r\té€😀\x0b\x0c\x1c\u2028", max_size=40)
ENCODINGS = st.sampled_from([UTF8, UTF16, UTF32])
WIDTH = {UTF8: ("utf-8", 1), UTF16: ("utf-16-le", 2), UTF32: ("utf-32-le", 4)}


@given(TEXTS, ENCODINGS, st.data())
def test_a_place_there_and_back(text, encoding, data):
    lines = TextLines(text, encoding)
    offset = data.draw(st.integers(0, len(text)))
    place = lines.position(offset)
    before = re.split(r"\r\n|\n|\r", text[:offset])
    if text[max(0, offset - 1) : offset + 1] == "\r\n":
        before = before[:-1]  # between the two letters of one line end nothing begins
        assert lines.offset(place) == offset - 1
        return
    codec, width = WIDTH[encoding]
    assert place.line == len(before) - 1
    assert place.character == len(before[-1].encode(codec)) // width
    assert lines.offset(place) == offset


@given(TEXTS, ENCODINGS, st.data())
def test_a_change_is_a_slice(text, encoding, data):
    lines = TextLines(text, encoding)
    starts = [at for at in range(len(text) + 1) if text[max(0, at - 1) : at + 1] != "\r\n"]
    start = data.draw(st.sampled_from(starts))
    end = data.draw(st.sampled_from([at for at in starts if at >= start]))
    new = data.draw(TEXTS)
    change = lsp.TextDocumentContentChangePartial(lines.range(start, end), new)
    assert lines.changed(change).text == text[:start] + new + text[end:]
    assert lines.changed(lsp.TextDocumentContentChangeWholeDocument(new)).text == new


@given(TEXTS, ENCODINGS, st.data())
def test_a_mark_counts_where_the_client_has_it(text, encoding, data):
    """Places and changes are those of the text as it was sent, mark and all."""
    sent = "\ufeff" + text
    lines, plain = TextLines.of(sent, encoding), TextLines(sent, encoding)
    assert lines.text == text
    offset = data.draw(st.integers(0, len(text)))
    assert lines.position(offset) == plain.position(offset + 1)
    assert lines.offset(lines.position(offset)) == plain.offset(plain.position(offset + 1)) - 1
    starts = [at for at in range(len(sent) + 1) if sent[max(0, at - 1) : at + 1] != "\r\n"]
    start = data.draw(st.sampled_from(starts))
    end = data.draw(st.sampled_from([at for at in starts if at >= start]))
    new = data.draw(TEXTS)
    change = lsp.TextDocumentContentChangePartial(plain.range(start, end), new)
    after = sent[:start] + new + sent[end:]
    made = lines.changed(change)
    assert made.text == after.removeprefix("\ufeff")
    assert made.marked == after.startswith("\ufeff")


@given(st.integers(-5, 99), st.integers(0, 99))
def test_a_place_that_is_not_there_is_the_nearest(line, character):
    lines = TextLines("one\ntwo😀\n")
    at = lines.offset(lsp.Position(max(0, line), character))
    assert 0 <= at <= len(lines.text)


@given(TEXTS, TEXTS, TEXTS, TEXTS, st.data())
def test_a_span_outside_of_a_change_keeps_its_text(head, old, new, tail, data):
    before, after = head + old + tail, head + new + tail
    start = data.draw(st.integers(0, len(before)))
    end = data.draw(st.integers(start, len(before)))
    now = change_between(before, after).moved(start, end)
    if now is not None:
        assert after[now[0] : now[1]] == before[start:end]
    if end <= len(head) and start < end:
        assert now == (start, end) or before == after
