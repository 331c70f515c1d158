"""`pipelang token`, its file, and cookies of the page."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from pipelang.interfaces.service.tokens import TokenFile, TokensBroken

from ..warm import command_text
from .conftest import People
from .serving import ThreadServer


def test_a_token_is_made_listed_and_revoked(tmp_path: Path) -> None:
    def call(*arguments: str) -> str:
        done = command_text("token", *arguments, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    token = call("new", "--role", "caller", "--tenant", "acme", "--name", "ada").strip()
    assert token.startswith("plt_")
    call("new", "--role", "approver", "--role", "operator", "--name", "bob", "--expires", "90d")
    listed = json.loads(call("list", "--format", "json"))["tokens"]
    assert [(one["name"], one["tenant"], one["roles"], one["state"]) for one in listed] == [
        ("ada", "acme", ["caller"], "valid"),
        ("bob", None, ["approver", "operator"], "valid"),
    ]
    assert token.split("_", 2)[2] not in call("list") + call("list", "--format", "json")
    file = TokenFile(tmp_path / ".pipelang" / "tokens.json")
    found = file.principal(token)
    assert found is not None
    assert (found.name, found.tenant, found.rights) == ("ada", "acme", {"caller"})
    call("revoke", listed[0]["id"])
    assert file.principal(token) is None
    assert "revoked" in call("list")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["new", "--name", "ada"], 2, "Missing option '--role'"),
        (["new", "--role", "king", "--name", "ada"], 2, "king"),
        (["new", "--role", "caller", "--name", " "], 2, "--name is a text"),
        (["new", "--role", "caller", "--name", "a\u200b\nb"], 2, "--name is a text"),
        (["new", "--role", "caller", "--name", "ada", "--tenant", ""], 2, "--tenant is a text"),
        (["new", "--role", "caller", "--name", "ada", "--expires", "soon"], 2, "no duration"),
        (["new", "--role", "caller", "--name", "ada", "--expires", "999999999999d"], 2, "too long"),
        (["new", "--role", "caller", "--name", "ada", "--expires", "0s"], 2, "too short"),
        (["revoke", "0000"], 1, "there is no token"),
        (["list", "--tokens", "broken.json"], 2, "no file of tokens"),
        (["new", "--role", "caller", "--name", "ada", "--tokens", "broken.json"], 2, "no file"),
        (["list", "--tokens", "newer.json"], 2, "another version"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    (tmp_path / "broken.json").write_text('{"version": 1, "tokens": [{"id": 5}]}')
    (tmp_path / "newer.json").write_text('{"version": 2, "tokens": []}')
    done = command_text("token", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_token_expires(tmp_path: Path) -> None:
    file = TokenFile(tmp_path / "tokens.json")
    soon = datetime.now(UTC) + timedelta(hours=1)
    valid, kept = file.new("ada", ["caller"], expires=soon)
    past, _ = file.new("bob", ["caller"], expires=datetime.now(UTC))
    assert file.principal(valid) is not None
    assert file.principal(past) is None
    assert kept.state(soon) == "expired"


def test_a_change_of_another_process_counts_at_once(tmp_path: Path) -> None:
    ours, theirs = TokenFile(tmp_path / "tokens.json"), TokenFile(tmp_path / "tokens.json")
    token, kept = theirs.new("ada", ["caller"])
    assert ours.principal(token) is not None
    theirs.revoke(kept.id)
    assert ours.principal(token) is None
    (tmp_path / "tokens.json").write_text("{")
    with pytest.raises(TokensBroken, match="no file of tokens"):
        ours.principal(token)
    (tmp_path / "tokens.json").unlink()
    assert ours.principal(token) is None


def test_tokens_that_are_made_at_once_are_all_there(tmp_path: Path) -> None:
    def make(n: int) -> None:
        TokenFile(tmp_path / "tokens.json").new(f"name{n}", ["caller"])

    threads = [threading.Thread(target=make, args=(n,)) for n in range(16)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    found = TokenFile(tmp_path / "tokens.json").all()
    assert sorted(one.name for one in found) == sorted(f"name{n}" for n in range(16))


def test_a_cookie_reads_and_changes_only_with_its_csrf_token(
    guarded_server: ThreadServer, tokens: TokenFile, people: People
) -> None:
    token, _ = tokens.new("kim", ["caller"], "acme")
    cookie = {"Cookie": f"pipelang_session={token}~0123456789abcdef"}
    nobody = people.nobody
    assert nobody.get("/v1/runs", headers=cookie).status == 200
    body = {"inputs": {"what": "x"}}
    path = "/v1/pipelines/say/runs"
    for headers in (
        cookie,
        cookie | {"X-CSRF-Token": "0" * 64},
        cookie | {"X-CSRF-Token": ""},
    ):
        answer = nobody.post(path, body, headers=headers)
        assert (answer.status, answer.code) == (403, "foreign_page")

    login = SimpleNamespace(cookies={"pipelang_session": f"{token}~0123456789abcdef"})
    right = guarded_server.app.state.gate.csrf_of(login)
    assert nobody.post(path, body, headers=cookie | {"X-CSRF-Token": right}).status == 202
    other = {"Cookie": f"pipelang_session={token}~fedcba9876543210"}
    assert nobody.post(path, body, headers=other | {"X-CSRF-Token": right}).status == 403
    elsewhere = {"X-CSRF-Token": right, "Origin": "https://evil.example"}
    assert nobody.post(path, body, headers=cookie | elsewhere).status == 403
