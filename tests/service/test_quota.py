"""Quotas at the door: 429 with when to come back, in memory and on a store, a tenant at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelang.interfaces.service.tokens import TokenFile

from .desk import write_desk
from .serving import ProcessServer, ThreadServer

AnyServer = ThreadServer | ProcessServer
PROGRAM = """\
role desk {
  people 3
}

tool echo(what: text) -> text max 400 tokens {
  python   "desk_tools:echo"
  effect   read
  timeout  2s
  succeeds 99.9%
}

pipeline say(what: text max 400 tokens) -> text max 400 tokens {
  quota 3 runs/day per tenant else escalate to desk "the quota is spent"

  step said = call echo(what) else fail "nothing said"

  return said
}
"""


@pytest.fixture(params=["memory", "store"])
def server(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[ThreadServer | ProcessServer]:
    write_desk(tmp_path)
    file = tmp_path / "quota.pipe"
    file.write_text(PROGRAM, encoding="utf-8")
    tokens = TokenFile(tmp_path / "tokens.json")
    made: AnyServer
    if request.param == "memory":
        made = ThreadServer(file, tokens)
    else:
        pytest.importorskip("dbos")
        tokens.new("nobody", ["caller"])
        store = f"sqlite:///{tmp_path}/runs.db"
        made = ProcessServer(tmp_path, file.name, "--store", store, "--tokens", "tokens.json")
    yield made
    made.close()


def test_a_spent_quota_says_when_to_come_back(server: AnyServer, tmp_path: Path) -> None:
    tokens = TokenFile(tmp_path / "tokens.json")
    acme = server.caller(tokens.new("ada", ["caller"], "acme")[0])
    other = server.caller(tokens.new("eve", ["caller"], "other")[0])
    for n in range(3):
        headers = {"Idempotency-Key": str(n)}
        run = acme.start("say", {"what": "x"}, "?wait=60", headers=headers)
        assert run["status"] == "answered"
    refused = acme.post("/v1/pipelines/say/runs", {"inputs": {"what": "x"}})
    assert (refused.status, refused.code) == (429, "quota")
    assert 0 < int(refused.headers["retry-after"]) <= 86_400
    assert "3 runs/day" in refused.json["detail"]
    # The same key is the same run: nothing is taken by asking again.
    again = acme.post(
        "/v1/pipelines/say/runs", {"inputs": {"what": "x"}}, headers={"Idempotency-Key": "1"}
    )
    assert (again.status, again.json["status"]) == (200, "answered")
    wrong = acme.post("/v1/pipelines/say/runs", {"inputs": {"what": 5}})
    assert (wrong.status, wrong.code) == (422, "input")  # coming back later would not help
    assert other.start("say", {"what": "x"}, "?wait=60")["status"] == "answered"
    # What was refused, and the key that came again, started no run.
    text = server.caller(tokens.new("olga", ["operator"])[0]).get("/metrics").body.decode()
    assert 'pipelang_runs_started_total{pipeline="say"} 4\n' in text
    # A key that stands for another run is told as that, whatever the quota has room for; an input
    # that fits no run is told as that, whatever the key stands for.
    for what, told in (("y", (409, "key_conflict")), (5, (422, "input"))):
        found = acme.post(
            "/v1/pipelines/say/runs", {"inputs": {"what": what}}, headers={"Idempotency-Key": "1"}
        )
        assert (found.status, found.code) == told
