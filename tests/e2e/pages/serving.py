"""A server in this process, with models and tools that say what they are told to."""

from __future__ import annotations

import asyncio
import http.client
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pipelang
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.service.app import make_app
from pipelang.interfaces.service.backend import Backend
from pipelang.interfaces.service.backends.memory import MemoryBackend
from pipelang.interfaces.service.deployment import Deployed, deployed
from pipelang.interfaces.service.principals import Right, local_principal
from pipelang.interfaces.service.serving import ServiceServer, listening
from pipelang.interfaces.service.sessions import Authenticator
from pipelang.interfaces.service.tokens import TokenFile
from pipelang.runtime.host.runtime import Runtime
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.shared.kill_switches import Switches
from tests.unit.runtime.stage import Models

REFUND = Path(__file__).with_name("refund.pipe")
OFFER = {
    "reason": "damaged",
    "amount": 129.5,
    "letter": "We are sorry that the vase arrived broken, and pay the whole price back.",
    "confidence": 0.91,
}


def find_order(id: str) -> dict[str, Any]:
    """An order of a customer."""
    return {"id": id, "customer": "Grace Okafor", "total": 149, "delivered": "2026-11-24"}


def pay_back(id: str, amount: float) -> str:
    """A receipt."""
    return f"R-{id}"


@dataclass
class Site:
    """A server: its address, its tokens, its models."""

    url: str
    tokens: TokenFile | None
    inbox: Inbox
    backend: Backend
    pipelines: Mapping[str, Deployed]
    models: Models

    def token(self, *rights: Right, name: str = "ada", tenant: str | None = None) -> str:
        """A new token."""
        assert self.tokens is not None
        return self.tokens.new(name, rights, tenant)[0]

    def visitor(self, token: str | None = None) -> Visitor:
        """Somebody with a browser that has no scripts; logged in with a token."""
        visitor = Visitor(self.url)
        if token is not None:
            page = visitor.send("/login", {"token": token, "next": "/"})
            assert page.status == 303, page.text
        return visitor


@dataclass
class Page:
    """An answer."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def csrf(self) -> str:
        """The CSRF token of its forms."""
        return self.field("csrf")

    def field(self, name: str) -> str:
        """The value of a hidden field."""
        found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', self.text)
        assert found is not None, f"no field {name}"
        return unescape(found[1])


@dataclass
class Visitor:
    """A browser without scripts: cookies, forms, redirections that are looked at."""

    url: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **headers: str) -> Page:
        return self._ask("GET", path, None, headers)

    def send(self, path: str, form: Mapping[str, str], **headers: str) -> Page:
        """Send a form as it stands."""
        body = urlencode(form, errors="surrogatepass").encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded", "Origin": self.url}
        return self._ask("POST", path, body, {**kind, **headers})

    def upload(self, path: str, form: Mapping[str, str], files: Mapping[str, bytes]) -> Page:
        """Send a form with files, as a browser does."""
        parts = [
            f'Content-Disposition: form-data; name="{name}"\r\n\r\n{text}'.encode()
            for name, text in form.items()
        ]
        for name, data in files.items():
            head = f'Content-Disposition: form-data; name="{name}"; filename="a.png"\r\n'
            parts.append(f"{head}Content-Type: image/png\r\n\r\n".encode() + data)
        body = b"".join(b"--x\r\n" + part + b"\r\n" for part in parts) + b"--x--\r\n"
        kind = {"Content-Type": "multipart/form-data; boundary=x", "Origin": self.url}
        return self._ask("POST", path, body, kind)

    def fill(self, path: str, form: Mapping[str, str], to: str | None = None) -> Page:
        """Load a page, and send its form with its CSRF token."""
        page = self.get(path)
        assert page.status == 200, (page.status, page.text)
        hidden = dict(
            re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page.text)
        )
        sent = {name: unescape(value) for name, value in hidden.items()}
        return self.send(to or path, {**sent, **form})

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Page:
        at = urlsplit(self.url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)
        sent = dict(headers)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection.request(method, path, body, sent)
        answer = connection.getresponse()
        text = answer.read().decode()
        found = {name.lower(): value for name, value in answer.getheaders()}
        cookie = re.match(r"([^=]+)=([^;]*)", found.get("set-cookie", ""))
        if cookie is not None:
            self.cookies[cookie[1]] = cookie[2]
        connection.close()
        return Page(answer.status, found, text)


@contextmanager
def serving(
    file: Path,
    folder: Path,
    models: Models | None = None,
    *,
    tokens: bool = False,
    make_backend: Callable[[Inbox, Switches], Backend] | None = None,
    tools: Mapping[str, Callable[..., Any]] | None = None,
) -> Iterator[Site]:
    """Serve a file while the block lasts."""
    models = models or Models(offer=OFFER)
    inbox, switches = Inbox(), Switches()
    loaded = pipelang.load(str(file))
    runtime = Runtime(
        providers={"lab": models}, people=inbox, switches=switches, trace=False, tools=tools or {}
    )
    handles = {name: loaded.pipeline(name, runtime=runtime) for name in loaded.pipelines}
    backend: Backend = MemoryBackend(inbox, switches)
    if make_backend is not None:
        backend = make_backend(inbox, switches)
    found = TokenFile(folder / "tokens.json") if tokens else None
    pipelines = deployed([(check_file(str(file)), loaded, handles)])
    gate = Authenticator(found, None if tokens else local_principal("ada"))
    server = ServiceServer(make_app(backend, pipelines, gate, grace=1.0))
    socket = listening("127.0.0.1", 0)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([socket])), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        yield Site(url, found, inbox, backend, pipelines, models)
    finally:
        server.should_exit = True
        thread.join(20)
        assert not thread.is_alive()
