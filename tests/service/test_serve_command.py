"""`pipelang serve` and `mcp` at the command line: what they refuse, and how they say it."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from pipelang.analysis.metrics import analyse as analysing
from pipelang.interfaces.check import check
from pipelang.interfaces.cli.service import deploying

from ..warm import command_text
from .desk import write_desk
from .serving import ProcessServer

BROKEN = """\
pipeline p(x: int) -> text {
  return x
}
"""
UNKEPT = """\
tool echo(what: text) -> text max 20 tokens {
  python   "desk_tools:echo"
  effect   read
  timeout  2s
  succeeds 90%
}

pipeline p(what: text max 20 tokens) -> text max 20 tokens {
  slo {
    success >= 99%
  }

  step said = call echo(what) else fail "nothing"

  return said
}
"""

REFUTED = """\
role clerk {
  people 3
}

pipeline p(x: int) -> int {
  when x > 3 {
    escalate to clerk "much"
  }

  return x
}

prove p: escalates when x > 2
"""


@pytest.mark.parametrize("command", ["serve", "mcp"])
def test_a_file_with_findings_is_not_served(tmp_path: Path, command: str) -> None:
    write_desk(tmp_path)
    for name, text in (("broken.pipe", BROKEN), ("unkept.pipe", UNKEPT)):
        (tmp_path / name).write_text(text, encoding="utf-8")
        checked = command_text("check", name, cwd=tmp_path)
        assert checked.returncode == 1
        done = command_text(command, "desk.pipe", name, cwd=tmp_path)
        assert done.returncode == 1
        first = (checked.stderr + checked.stdout).split("error[", 1)[1].split("]", 1)[0]
        assert f"error[{first}]" in done.stderr
        assert f"{name}:" in done.stderr
        assert "no server" in done.stderr
        assert "serving" not in done.stdout


def test_a_missed_promise_may_be_allowed(tmp_path: Path) -> None:
    write_desk(tmp_path)
    (tmp_path / "unkept.pipe").write_text(UNKEPT, encoding="utf-8")
    checked = command_text("check", "unkept.pipe", cwd=tmp_path)
    code = (checked.stderr + checked.stdout).split("error[", 1)[1].split("]", 1)[0]
    server = ProcessServer(tmp_path, "unkept.pipe", "--allow", code)
    assert server.caller().start("p", {"what": "x"}, "?wait=60")["status"] == "answered"
    assert server.close() == 0


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["none.pipe"], 2, "none.pipe"),
        (["."], 2, "is a folder"),
        (["desk.pipe", "--host", "0.0.0.0"], 2, "without tokens only this machine"),
        (["desk.pipe", "--host", "example.org"], 2, "without tokens only this machine"),
        (["desk.pipe", "--tokens", "none.json"], 2, "there is no `none.json`"),
        (["desk.pipe", "--tokens", "broken.json"], 2, "no file of tokens"),
        (["desk.pipe", "--port", "70000"], 2, "--port"),
        (["desk.pipe", "--store", "mysql://x/y"], 2, "is the URL of no store"),
        (["desk.pipe", "--store", "sqlite:///none/runs.db"], 3, "there is no folder"),
        (["desk.pipe", "--allow", "P999999"], 2, "--allow"),
        (["desk.pipe", "copy.pipe"], 2, "both have a pipeline `say`"),
        (["desk.pipe", "--grace", "soon"], 2, "no duration"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    file = write_desk(tmp_path)
    (tmp_path / "copy.pipe").write_text(file.read_text())
    (tmp_path / "broken.json").write_text("{")
    done = command_text("serve", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    write_desk(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = command_text("serve", "desk.pipe", "--port", port, cwd=tmp_path)
    assert done.returncode == 1
    assert f"127.0.0.1:{port}" in done.stderr


def test_a_port_that_is_taken_makes_no_store(tmp_path: Path) -> None:
    write_desk(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        line = ("serve", "desk.pipe", "--port", port, "--store", "sqlite:///runs.db")
        done = command_text(*line, cwd=tmp_path)
    assert done.returncode == 1
    assert "cannot be listened at" in done.stderr
    assert not (tmp_path / "runs.db").exists()


def test_a_lost_tool_keeps_the_server_from_starting(tmp_path: Path) -> None:
    write_desk(tmp_path)
    (tmp_path / "desk_tools.py").unlink()
    done = command_text("serve", "desk.pipe", cwd=tmp_path)
    assert done.returncode == 1
    assert "desk_tools" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_says_what_it_serves_and_ends_in_order(tmp_path: Path) -> None:
    write_desk(tmp_path)
    server = ProcessServer(tmp_path, "desk.pipe", fresh=True)
    waits = server.caller().start("refund", {"amount": 60})["id"]
    assert server.caller().case_of(waits)
    assert server.close() == 0


def test_who_waits_hears_of_the_end(tmp_path: Path) -> None:
    write_desk(tmp_path)
    server = ProcessServer(tmp_path, "desk.pipe", "--grace", "1s")
    caller = server.caller()
    found: list[Any] = []
    body = {"inputs": {"seconds": 50}}
    waiting = threading.Thread(
        target=lambda: found.append(caller.post("/v1/pipelines/rest/runs?wait=60", body))
    )
    waiting.start()
    caller.until(lambda: caller.get("/v1/runs?status=running").json["items"], bool)
    assert server.close() == 0
    waiting.join(30)
    [answer] = found
    assert (answer.status, answer.json["status"]) == (202, "running")


def test_what_it_says_of_a_store_has_no_password(tmp_path: Path) -> None:
    write_desk(tmp_path)
    url = "postgresql://ada:secret@127.0.0.1:1/runs"
    done = command_text("serve", "desk.pipe", "--store", url, cwd=tmp_path)
    assert done.returncode == 3
    assert "secret" not in done.stderr + done.stdout


def test_what_is_served_is_what_was_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file was read, built and analysed twice, and may be edited in between."""
    file = write_desk(tmp_path)
    whole, analyse = check.check_file, analysing.analyse
    analysed: list[str] = []

    def counted(program: Any, pipeline: Any) -> Any:
        analysed.append(pipeline.name)
        return analyse(program, pipeline)

    def edited(*given: Any) -> Any:
        found = whole(*given)
        file.write_text("pipeline other() -> text { return missing }")
        return found

    monkeypatch.setattr(analysing, "analyse", counted)
    monkeypatch.setattr(check, "check_file", edited)
    ((checked, loaded),) = deploying.checked_programs([str(file)], ())
    assert checked.program is not None
    assert loaded.hash == checked.program.hash
    assert sorted(analysed) == sorted(loaded.pipelines)
    stricter = loaded.with_settings({"limit": 20})
    assert stricter.pipelines == loaded.pipelines, "made of what was read then"


def test_what_a_configuration_does_not_show_is_refused_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what a report shows; what is wrong or unsafe is not served by it."""
    (tmp_path / "pyproject.toml").write_text('[tool.pipelang]\nignore = ["P406"]\n')
    (tmp_path / "bad.pipe").write_text(REFUTED)
    with pytest.raises(SystemExit) as ended:
        deploying.checked_programs([str(tmp_path / "bad.pipe")], ())
    assert ended.value.code == 1
    assert "P406" in capsys.readouterr().err
