"""How pictures and documents are given, and what only a host may give or allow."""

from __future__ import annotations

import http.server
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelang.runtime.media.fetching import is_allowed
from pipelang.runtime.media.given import MediaSources, media_of, medium_from, with_media
from pipelang.runtime.media.looking import NotMedia
from pipelang.semantics.kernels.media import DOCUMENT
from pipelang.semantics.kernels.media import IMAGE as PICTURE
from pipelang.semantics.types import (
    DOCUMENT as DOCUMENT_TYPE,
)
from pipelang.semantics.types import (
    IMAGE,
    TEXT,
    ListType,
    MapType,
    OptionalType,
    RecordField,
    RecordType,
)

from . import samples

PNG = samples.picture()
CASE = RecordType(
    "Case",
    (
        RecordField("photo", IMAGE),
        RecordField("more", ListType(OptionalType(IMAGE))),
        RecordField("pages", MapType(DOCUMENT_TYPE), outer="the-pages"),
        RecordField("note", TEXT),
    ),
)


def test_everybody_may_give_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    coded = samples.coded(PNG, "image/png")
    given: list[Any] = [
        PNG,
        bytearray(PNG),
        memoryview(PNG),
        tmp_path / "a.png",
        coded,
        {"data": PNG, "media_type": "image/png"},
        f"data:image/png;base64,{coded['data']}",
        f"DATA:image/png;charset=x;base64,{coded['data'][:20]}\n{coded['data'][20:]}",
        medium_from(PICTURE, PNG),
    ]
    assert {medium_from(PICTURE, one).data for one in given} == {PNG}


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a.png", "found a text"),
        (3, "found a `int`"),
        (None, "found a `NoneType`"),
        ([PNG], "found a `list`"),
        ({}, "an object with nothing"),
        ({"data": "AAAA"}, "an object with data"),
        ({"data": "AAAA", "media_type": "image/png", "x": 1}, "an object with data, media_type, x"),
        ({"data": 3, "media_type": "image/png"}, "`data` is a text in base64"),
        ({"data": "no base64!", "media_type": "image/png"}, "`data` is no base64"),
        ({"data": "ä", "media_type": "image/png"}, "`data` is no base64"),
        ({"data": "aGVsbG8=", "media_type": "image/png"}, "expected a picture"),
        ("data:image/png,AAAA", "a data URL is written"),
        ("data:image/png;base64", "a data URL is written"),
        ({"path": "/etc/passwd"}, "only read where a host gives it"),
        ({"url": "http://localhost/"}, "only fetched where a host allows it"),
        ({"sha256": "ab", "size": 1, "media_type": "image/png"}, "its bytes are not here"),
    ],
)
def test_what_nobody_may_give(value: Any, why: str) -> None:
    with pytest.raises(NotMedia, match=why):
        medium_from(PICTURE, value)


def test_a_document_is_no_picture() -> None:
    page = medium_from(DOCUMENT, samples.document())
    with pytest.raises(NotMedia, match="expected `image`, found `document`"):
        medium_from(PICTURE, page)


def test_an_input_may_name_files_and_each_is_read_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.pdf").write_bytes(samples.document(3))
    here = {"path": str(tmp_path / "a.png")}
    given = {
        "photo": here,
        "more": [here, None, PNG],
        "the-pages": {"one": {"path": str(tmp_path / "b.pdf")}},
        "note": "n",
        "unknown": {"path": "x"},
    }
    found = with_media(CASE, given, MediaSources())
    assert found["photo"].data == found["more"][0].data == found["more"][2].data == PNG
    assert found["more"][1] is None
    assert found["the-pages"]["one"].pages == 3
    assert (found["note"], found["unknown"]) == ("n", {"path": "x"})
    assert len(media_of(found)) == 2
    assert given["photo"] is here  # what was given is as it was


def test_a_problem_is_told_with_its_place() -> None:
    given = {"photo": PNG, "more": [PNG, b"?"], "the-pages": {}, "note": ""}
    with pytest.raises(NotMedia, match=r"^more\.1: expected a picture"):
        with_media(CASE, given, MediaSources())


def test_other_types_are_left_alone() -> None:
    given = {"path": "x"}
    assert with_media(TEXT, given, MediaSources()) is given


@pytest.mark.parametrize("name", ["missing.png", ".", "fifo", "a\0b"])
def test_what_cannot_be_read_is_told(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(NotMedia, match="cannot be read"):
        MediaSources().medium(PICTURE, {"path": f"{tmp_path}/{name}"})


def test_a_host_may_allow_a_folder_or_nothing(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    for folder in (inside, tmp_path):
        (folder / "a.png").write_bytes(PNG)
    (inside / "link.png").symlink_to(tmp_path / "a.png")
    sources = MediaSources(paths=inside)
    assert sources.medium(PICTURE, {"path": "a.png"}).data == PNG
    assert sources.medium(PICTURE, {"path": str(inside / "a.png")}).data == PNG
    for outside in ("../a.png", "link.png", str(tmp_path / "a.png"), "/etc/hostname"):
        with pytest.raises(NotMedia, match="not in the folder that the host allows"):
            sources.medium(PICTURE, {"path": outside})
    with pytest.raises(NotMedia, match="the host does not allow it"):
        MediaSources(paths=False).medium(PICTURE, {"path": str(inside / "a.png")})
    assert MediaSources(paths=False).medium(PICTURE, samples.coded(PNG, "image/png")).data == PNG


# ------------------------------------------------------------------------------------- fetching


class Pictures(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/p/a.png":
            self.send_response(200)
            self.end_headers()
            self.wfile.write(PNG)
        elif self.path == "/p/moved.png":
            self.send_response(302)
            self.send_header("location", "/p/a.png")
            self.end_headers()
        else:
            self.send_response(404)
            self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    made = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pictures)
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}"
    made.shutdown()
    thread.join()
    made.server_close()


def test_an_address_is_fetched_if_the_host_allows_it(server: str) -> None:
    sources = MediaSources(urls=(f"{server}/p",))
    assert sources.medium(PICTURE, {"url": f"{server}/p/a.png"}).data == PNG
    with pytest.raises(NotMedia, match="status 302"):
        sources.medium(PICTURE, {"url": f"{server}/p/moved.png"})
    with pytest.raises(NotMedia, match="status 404"):
        sources.medium(PICTURE, {"url": f"{server}/p/none.png"})
    for outside in (f"{server}/a.png", f"{server}/pa.png", f"{server}/p/../a.png", "file:///etc/x"):
        with pytest.raises(NotMedia, match="none that the host allows"):
            sources.medium(PICTURE, {"url": outside})
    with pytest.raises(NotMedia, match="the host does not allow it"):
        MediaSources().medium(PICTURE, {"url": f"{server}/p/a.png"})


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://a.org/x/y.png", True),
        ("https://a.org/x", True),
        ("https://A.org/x/y.png", True),
        ("https://a.org/xy.png", False),
        ("http://a.org/x/y.png", False),
        ("https://a.org.evil.net/x/y.png", False),
        ("https://a.org@evil.net/x/y.png", False),
        ("https://user:pw@a.org/x/y.png", False),
        ("https://a.org:8443/x/y.png", False),
        ("https://a.org:99999999/x/y.png", False),
        ("https://a.org/x/../y.png", False),
        ("https://a.org/x/%2e%2e/y.png", False),
        ("https://a.org/x/%252e%252e/y.png", False),
        ("//a.org/x/y.png", False),
        ("", False),
    ],
)
def test_what_is_below_an_address(url: str, allowed: bool) -> None:
    assert is_allowed(url, ["https://a.org/x"]) is allowed
