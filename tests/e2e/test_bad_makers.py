"""Makers that cannot be asked: each is told with what to look at, by the command."""

from __future__ import annotations

import asyncio
import importlib
import sys

import pytest

import pipelang
from pipelang.runtime.providers.kinds import SDK_KINDS
from pipelang.testing import ChatDialect, Dialect, FaultServer, Reply

from .test_recorded_runs import MAKERS, place, run, written

__all__ = ["place"]

REAL = ("--provider", "real")


@pytest.mark.parametrize(("maker", "dialect"), MAKERS)
def test_a_wrong_key_and_a_model_that_is_not_there(
    maker: str, dialect: Dialect, capsys: pytest.CaptureFixture[str]
) -> None:
    with FaultServer(dialect, key="another") as server:
        written(maker, server.url, "model-1")
        _, _, said = run(capsys, *REAL)
        assert len(server.requests) == 1, "asking again does not help"
    assert "401" in said
    assert "is the provider's `key` that of this API?" in said
    with FaultServer(dialect, fallback=Reply.status(404, "no model `model-1`")) as server:
        written(maker, server.url, "model-1")
        _, _, said = run(capsys, *REAL)
        assert len(server.requests) == 1, "asking again does not help"
    assert "no model `model-1`" in said
    assert "are the tier's `model` and the provider's `base_url` right?" in said


@pytest.mark.parametrize("maker", [maker for maker, _ in MAKERS])
def test_an_address_where_nobody_is(maker: str, capsys: pytest.CaptureFixture[str]) -> None:
    written(maker, "http://127.0.0.1:9/v1", "model-1")
    _, _, said = run(capsys, *REAL)
    assert "at `127.0.0.1:9`" in said
    assert "$0.000000, 0 tokens" in said, "nothing was asked, so nothing is billed"
    written(maker, "http://user:hunter2@127.0.0.1:9/v1", "model-1")
    assert "hunter2" not in run(capsys, *REAL)[2]


def test_an_address_of_something_else(capsys: pytest.CaptureFixture[str]) -> None:
    page = Reply.raw(b"<html>Hi</html>", "text/html")
    with FaultServer(ChatDialect(), fallback=page) as server:
        written("openai_compatible", server.url, "model-1")
        _, _, said = run(capsys, *REAL)
        assert "the server's answer isn't a completion" in said
        written("openai_compatible", server.url + "/nowhere", "model-1")
        _, _, said = run(capsys, *REAL)
        assert "404" in said
        assert "`base_url` right?" in said


@pytest.mark.parametrize("kind", list(SDK_KINDS))
def test_an_sdk_that_is_not_installed_is_told_before_anything_runs(
    kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk, extra = SDK_KINDS[kind].sdk, SDK_KINDS[kind].extra
    monkeypatch.setitem(sys.modules, sdk, None)
    written(kind, "http://127.0.0.1:9", "model-1")
    told = f"the `{sdk}` SDK isn't installed: pip install 'pipelang-dsl[{extra}]'"
    for more in (REAL, ()):
        code, _, said = run(capsys, *more)
        assert code == 2
        assert told in said
    with pytest.raises(pipelang.NotRunnable, match="SDK isn't installed"):
        asyncio.run(pipelang.load("main.pipe").pipeline("main").run(ticket="help"))
    # Drawn answers need none.
    assert run(capsys, "--provider", "simulated")[0] in (0, 1)


@pytest.mark.parametrize("kind", [kind for kind in SDK_KINDS if kind != "other"])
def test_the_table_of_kinds_names_the_sdk_of_its_class(kind: str) -> None:
    row = SDK_KINDS[kind]
    module = importlib.import_module(f"pipelang.runtime.providers.{row.module}")
    assert getattr(module, row.provider).sdk == row.sdk


def test_no_key_is_told_with_its_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LAB_KEY")
    written("openai", "http://127.0.0.1:9", "model-1")
    code, _, said = run(capsys, *REAL)
    assert code == 2
    assert "nothing is behind env:LAB_KEY" in said
