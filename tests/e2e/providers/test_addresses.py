"""A password in an address is shown nowhere: not by commands, and not by a provider's faults."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics.excerpt import without_secrets
from pipelang.runtime.providers.anthropic import AnthropicProvider
from pipelang.runtime.providers.google import GoogleProvider
from pipelang.runtime.providers.openai import OpenAICompatibleProvider, OpenAIProvider
from pipelang.runtime.providers.protocol import ModelFault
from pipelang.semantics.kernels.addresses import address_problem, holds_user, secrets_in
from pipelang.testing import ChatDialect, FaultServer, Reply
from pipelang.testing.provider_suite import request
from tests.warm import command

PROGRAM = """
provider lab {
  kind openai_compatible base_url "http://joe1:t0ps3cret@127.0.0.1:9/v1" available 100%
}
tier small {
  provider lab model "ours" price $1 in, $2 out latency 1s median transient 0% context 50k tokens
}
prompt say(x: text) \"\"\"Say {{ x }}\"\"\"
pipeline main(x: text max 20 tokens) -> text max 20 tokens {
  step a: text max 20 tokens = ask say(x) by small { accuracy 90% timeout 5s output 20 tokens max }
  return a
}
"""
SECRETS = ("joe1", "t0ps3cret")


@pytest.mark.parametrize("form", ["text", "json", "sarif", "github", "html"])
def test_check_says_that_it_is_there_and_not_what_it_is(tmp_path: Path, form: str) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    found = command("check", str(file), "--format", form)
    assert found.returncode == 1
    assert "P561" in str(found.stdout)
    assert not [one for one in SECRETS if one in str(found)]


def test_it_is_not_run(tmp_path: Path) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    found = command("run", str(file), "--input", json.dumps({"x": "a"}))
    assert found.returncode in (1, 2)
    assert "P561" in str(found)
    assert not [one for one in SECRETS if one in str(found)]
    with pytest.raises(pipelang.CheckFailed) as caught:
        pipelang.load(str(file))
    assert not [one for one in SECRETS if one in str(caught.value)]


@pytest.mark.parametrize(
    "provider",
    [AnthropicProvider, OpenAIProvider, OpenAICompatibleProvider, GoogleProvider],
)
def test_faults_of_a_provider_that_python_made_are_without_it(provider: type) -> None:
    """A gateway that repeats what it was sent, and one that nobody runs."""

    async def fault(url: str) -> str:
        made = provider("sk-0123456789", url)
        assert not [one for one in SECRETS if one in repr(made)]
        try:
            await made.answer(request(timeout=5.0))
        except ModelFault as found:
            return str(found)
        finally:
            await made.close()
        raise AssertionError("an answer")

    told = Reply.status(403, "joe1 with t0ps3cret may not")
    with FaultServer(ChatDialect(), fallback=told, key=None) as server:
        url = server.url.replace("//", "//joe1:t0ps3cret@")
    for address in (url, "http://joe1:t0ps3cret@127.0.0.1:1/v1"):
        assert not [one for one in SECRETS if one in asyncio.run(fault(address))]
    with FaultServer(ChatDialect(), fallback=told, key=None) as server:
        url = server.url.replace("//", "//joe1:t0ps3cret@")
        said = asyncio.run(fault(url))
    assert not [one for one in SECRETS if one in said], said


@pytest.mark.parametrize(
    ("url", "right", "user"),
    [
        ("https://gateway.lab/v1", True, False),
        ("http://[::1]:8000/v1", True, False),
        ("http://joe@host/v1", True, True),
        ("http://joe:@host/v1", True, True),
        ("http://host/a@b", True, False),
        ("HTTPS://host", True, False),
        ("http://", False, False),
        ("http://:80", False, False),
        ("http://[::1", False, False),
        ("http://joe@[::1", False, True),
        ("http://host:port", False, False),
        ("host:8000", False, False),
        ("//host", False, False),
        ("http://host/ v1", False, False),
        ("http://host/v1?key=a", False, False),
        ("http://host/v1#a", False, False),
        ("", False, False),
    ],
)
def test_addresses(url: str, right: bool, user: bool) -> None:
    assert (address_problem(url) is None) is right
    assert holds_user(url) is user


def test_short_names_are_not_looked_for_in_texts() -> None:
    assert secrets_in("http://a:b@host") == ()
    assert secrets_in("http://joe1:t0ps3cret@host") == ("t0ps3cret", "joe1")
    assert secrets_in("http://[::1") == ()


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('base_url "http://joe:pw@host/v1"', 'base_url "http://******@host/v1"'),
        ('key   "sk-abc"', 'key   "******"'),
        ('key "env:LAB_KEY"', 'key "env:LAB_KEY"'),
        ('base_url "http://host/v1"  # joe@example.com', None),
        ('base_url "http://host/a@b"', None),
    ],
)
def test_lines_are_shown_without_secrets(line: str, shown: str | None) -> None:
    assert without_secrets(line) == (shown or line)
    assert len(without_secrets(line)) == len(line)
