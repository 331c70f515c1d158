"""`docs/service.md`: its commands with curl, run one after the other as a new user would."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.service.api.routes import OPERATIONS
from pipelang.interfaces.service.problems import TITLES

from .serving import REPO, ProcessServer

PAGE = (REPO / "docs" / "service.md").read_text(encoding="utf-8")
FENCES = re.findall(r"^```(\w+) ?(\S*)\n(.*?)^```", PAGE, re.M | re.S)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_commands_of_the_page(tmp_path: Path) -> None:
    for kind, name, text in FENCES:
        if kind in ("pipe", "python") and name:
            (tmp_path / name).write_text(text, encoding="utf-8")
    server = ProcessServer(tmp_path, "desk.pipe")
    known: dict[str, str] = {}
    said: Any = None
    tried = 0
    try:
        for kind, _, text in FENCES:
            if kind == "json":
                assert _holds(json.loads(text), said), said
            if kind != "sh" or not text.startswith("curl"):
                continue
            if "$CASE" in text:
                [case] = said["items"]
                known |= {"CASE": case["id"], "SHOWN": case["shown_hash"], "RUN": case["run_id"]}
            command = text.replace("localhost:8700", f"127.0.0.1:{server.port}")
            if "/cases\n" in command:
                server.caller().until(lambda: server.caller().get("/v1/cases").json["items"], bool)
            done = subprocess.run(
                ["bash", "-c", command],
                env={"PATH": "/usr/bin:/bin", **known},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            tried += 1
            if "/events" in command:
                assert "event: end" in done.stdout
                assert '"status": "answered"' in done.stdout
            else:
                said = json.loads(done.stdout)
                assert "code" not in said, said
    finally:
        assert server.close() == 0
    assert tried == 5


def _holds(shown: Any, found: Any) -> bool:
    """Whether what is shown is a part of what was found."""
    if isinstance(shown, dict):
        return all(key in found and _holds(value, found[key]) for key, value in shown.items())
    if isinstance(shown, list):
        return len(shown) == len(found) and all(map(_holds, shown, found))
    return bool(shown == found)


def test_the_page_lists_every_path_and_every_code() -> None:
    for one in OPERATIONS:
        short = one.path.removeprefix("/v1/pipelines")
        assert one.path in PAGE or f"`{short}`" in PAGE or one.path == "/v1/pipelines", one.path
    for code in TITLES:
        assert f"`{code}`" in PAGE, code
