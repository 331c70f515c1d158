"""Servers that the tests of a file share, stores, and people with tokens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from pipelang.interfaces.service.principals import Right
from pipelang.interfaces.service.tokens import TokenFile

from ..durable.stores import postgresql as postgresql
from ..durable.stores import url as url
from .desk import write_desk
from .serving import Caller, ThreadServer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("desk")


@pytest.fixture(scope="module")
def file(folder: Path) -> Path:
    return write_desk(folder)


@pytest.fixture(scope="module")
def open_server(file: Path) -> Iterator[ThreadServer]:
    """A server that asks for no tokens."""
    made = ThreadServer(file)
    yield made
    made.close()


@pytest.fixture
def anyone(open_server: ThreadServer) -> Caller:
    return open_server.caller()


@dataclass
class People:
    """Callers of a server with tokens: two tenants, and the operator of both."""

    caller: Caller
    approver: Caller
    other_approver: Caller
    operator: Caller
    stranger: Caller
    """A caller and approver of another tenant."""
    nobody: Caller


@pytest.fixture(scope="module")
def tokens(folder: Path) -> TokenFile:
    return TokenFile(folder / "tokens.json")


@pytest.fixture(scope="module")
def guarded_server(file: Path, tokens: TokenFile) -> Iterator[ThreadServer]:
    """A server that asks for tokens."""
    made = ThreadServer(file, tokens)
    yield made
    made.close()


@pytest.fixture(scope="module")
def people(guarded_server: ThreadServer, tokens: TokenFile) -> People:
    def caller(name: str, tenant: str | None, *rights: Right) -> Caller:
        return guarded_server.caller(tokens.new(name, rights, tenant)[0])

    return People(
        caller("ada", "acme", "caller"),
        caller("bob", "acme", "approver"),
        caller("cyd", "acme", "approver"),
        caller("olga", None, "operator"),
        caller("eve", "evil", "caller", "approver"),
        guarded_server.caller(),
    )
