"""How pictures and documents are given, and what only a host may give or allow."""

from __future__ import annotations

import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelang.runtime.media import fetching
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
        f"data:image/png; BASE64,{coded['data']}",
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
        ("data:;base64,AAAA", "a data URL is written"),
        ({"path": 5}, "`path` is a text like scan.pdf"),
        ({"url": None}, "`url` is a text like https://"),
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
    thread = threading.Thread(target=made.serve_forever, args=(0.02,))
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


@pytest.mark.parametrize(
    "address", ["http://[::1", "https://a.org:99999", "", "a.org/x", "ftp://a.org"]
)
def test_an_address_that_is_none_allows_nothing(address: str) -> None:
    assert is_allowed("https://a.org/x/y.png", [address]) is False
    assert is_allowed("https://a.org/x/y.png", [address, "https://a.org"]) is True


def _answering(said: bytes) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            made, _ = listening.accept()
            with made:
                made.recv(65536)
                made.sendall(said)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"no HTTP\r\n\r\n",
        b"HTTP/1.1 999999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"a" * 100_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(PNG) + 1) + PNG,
    ],
    ids=["nothing", "garbage", "status", "long", "many", "chunk", "moved", "cut"],
)
def test_an_answer_that_is_none_is_said(said: bytes) -> None:
    for server in _answering(said):
        sources = MediaSources(urls=(server,))
        with pytest.raises(NotMedia, match="the `url` cannot be fetched"):
            sources.medium(PICTURE, {"url": f"{server}/a.png"})


def test_an_answer_that_drips_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "WHOLE", -1.0)
    for server in _answering(b"HTTP/1.1 200 OK\r\n\r\n" + PNG):
        with pytest.raises(NotMedia, match="takes more than"):
            MediaSources(urls=(server,)).medium(PICTURE, {"url": f"{server}/a.png"})


@pytest.mark.parametrize("path", ["/a b", "/a\nb", "/?q=\x00", "/\u00e9", "/\ud800"])
def test_an_address_that_no_request_can_hold_is_said(path: str) -> None:
    sources = MediaSources(urls=("http://127.0.0.1:9",))
    with pytest.raises(NotMedia, match="the `url` cannot be fetched"):
        sources.medium(PICTURE, {"url": f"http://127.0.0.1:9{path}"})
