"""`deploy`: the topology without docker, and what its files say of commands and of the image."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.cli.commands import group

from ..durable.postgres import programs
from .desk import write_desk
from .serving import REPO, Caller

DOCKERFILE = (REPO / "deploy" / "Dockerfile").read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that the user of the database may enter."""
    made = Path(tempfile.mkdtemp(prefix="pipelang-up-", dir="/tmp"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.mark.skipif(importlib.util.find_spec("dbos") is None, reason="the extra durable is missing")
@pytest.mark.skipif(programs() is None, reason="no PostgreSQL can be started on this machine")
def test_the_topology_starts_works_and_ends(place: Path) -> None:
    file = write_desk(place)
    port = free_port()
    log = (place / "log").open("wb")
    arguments = [str(file), "--port", str(port), "--data", str(place / "data")]
    arguments += ["--database-port", str(free_port())]
    up = subprocess.Popen(
        [sys.executable, str(REPO / "deploy" / "up.py"), *arguments],
        cwd=place,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        stdout=log,
        stderr=log,
    )
    caller = Caller(port)
    try:

        def ready() -> bool:
            assert up.poll() is None, (place / "log").read_text()
            try:
                return caller.get("/readyz").status == 200
            except OSError:
                return False

        caller.until(ready, bool, 120)
        runs = [caller.start("say", {"what": str(n)})["id"] for n in range(10)]
        for run in runs:
            assert caller.ended(run)["status"] == "answered"
        waits = caller.start("refund", {"amount": 60})["id"]
        case = caller.case_of(waits)["id"]
        assert caller.post(f"/v1/cases/{case}/decision", {"verdict": "yes"}).status == 200
        assert caller.ended(waits)["result"] == {"value": "paid $60"}
    finally:
        up.send_signal(signal.SIGTERM)
        code = up.wait(90)
        log.close()
    assert code == 0, (place / "log").read_text()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), 2)
    time.sleep(0.1)
    assert not (place / "data" / "postgresql" / "postmaster.pid").exists()


class Cut(Exception):
    """The script is killed here."""


@pytest.mark.skipif(programs() is None, reason="no PostgreSQL can be started on this machine")
@pytest.mark.parametrize("cut", ["initdb", "pg_ctl", "psql", "createdb"])
@pytest.mark.parametrize("done", [False, True])
def test_a_database_whose_making_was_cut_off_is_made(
    cut: str, done: bool, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that was killed between two programs, or in one of them, left a cluster without its
    database, for ever.
    """
    spec = importlib.util.spec_from_file_location("up", REPO / "deploy" / "up.py")
    assert spec is not None
    assert spec.loader is not None
    up = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(up)
    run = subprocess.run

    def killed(command: list[str], **options: Any) -> Any:
        is_there = Path(command[0]).name == cut
        if is_there and not done:
            if cut == "initdb":  # it writes this first
                (Path(command[2]) / "PG_VERSION").write_text("15")
            raise Cut
        result = run(command, **options)
        if is_there:
            raise Cut
        return result

    database = up.Database(place / "postgresql", free_port())
    monkeypatch.setattr(subprocess, "run", killed)
    with pytest.raises(Cut):
        database.start()
    monkeypatch.setattr(subprocess, "run", run)
    try:
        database.start()
        there = ["-h", "127.0.0.1", "-p", database.url("").rpartition(":")[2].strip("/")]
        known = "select count(*) from pg_database where datname = 'runs'"
        asked = [*there, "-U", "pipelang", "-d", "runs", "-Atc", known]
        assert database._do("psql", *asked, output=subprocess.PIPE) == "1"
    finally:
        database.stop()


def _service(name: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    text = (REPO / "deploy" / "compose.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)["services"][name]
    return found


@pytest.mark.parametrize("name", ["server", "worker"])
def test_what_is_composed_is_a_command_of_ours(name: str) -> None:
    command, *arguments = _service(name)["command"]
    found = group.get_command(None, command)  # type: ignore[arg-type]
    assert found is not None
    parsed = found.make_context(command, [one.replace("${FILE:-", "") for one in arguments])
    assert parsed.params["store"] == "postgresql://pipelang@database/runs"


def test_what_is_composed_has_few_rights() -> None:
    for name in ("server", "worker"):
        one = _service(name)
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["security_opt"] == ["no-new-privileges:true"]
        assert one["volumes"][0].endswith(":ro")
    assert _service("worker")["deploy"]["replicas"] == 2
    assert _service("server")["ports"] == ["127.0.0.1:8700:8700"]
    assert "--tokens" in _service("server")["command"]


def test_the_image_has_a_user_a_health_check_and_what_it_copies() -> None:
    users = re.findall(r"^USER (\S+)", DOCKERFILE, re.M)
    assert users
    assert users[-1] not in ("0", "root")
    assert "HEALTHCHECK" in DOCKERFILE
    assert "/healthz" in DOCKERFILE
    copied = re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.M)
    assert copied
    ignored = (REPO / ".dockerignore").read_text().split()
    for name in " ".join(copied).split():
        assert (REPO / name).exists()
        assert f"!{name}" in ignored
    extras = re.search(r"^ARG EXTRAS=(\S+)", DOCKERFILE, re.M)
    assert extras is not None
    offered = (REPO / "pyproject.toml").read_text()
    for extra in extras[1].split(","):
        assert re.search(rf"^{extra} = \[", offered, re.M), extra


def _docker() -> str | None:
    """The program of docker, where one that answers is at hand."""
    found = shutil.which("docker")
    if found is None:
        return None
    done = subprocess.run([found, "info"], capture_output=True, timeout=60)
    return found if done.returncode == 0 else None


def test_the_image_is_built_and_serves(place: Path) -> None:
    docker = _docker()
    if docker is None:
        pytest.skip("no docker answers on this machine")
    write_desk(place)
    build = ["build", "-q", "-t", "pipelang-test", "-f", "deploy/Dockerfile", "."]
    subprocess.run([docker, *build], cwd=REPO, check=True, timeout=900)
    port = free_port()
    run = ["run", "-d", "--rm", "--read-only", "--tmpfs", "/tmp", "-v", f"{place}:/pipelines:ro"]
    run += ["-p", f"127.0.0.1:{port}:8700", "--entrypoint", "sh", "pipelang-test", "-c"]
    script = (
        "pipelang token new --role caller --name ada --tokens tokens.json > token && "
        "exec pipelang serve /pipelines/desk.pipe --host 0.0.0.0 --tokens tokens.json"
    )
    done = subprocess.run([docker, *run, script], check=True, capture_output=True, text=True)
    id = done.stdout.strip()
    try:
        caller = Caller(port)
        caller.until(lambda: _answers(caller), bool, 120)
        token = subprocess.run(
            [docker, "exec", id, "cat", "token"], check=True, capture_output=True, text=True
        ).stdout.strip()
        named = Caller(port, token)
        assert named.start("say", {"what": "x"}, "?wait=60")["status"] == "answered"
        who = subprocess.run([docker, "exec", id, "id", "-u"], capture_output=True, text=True)
        assert who.stdout.strip() != "0"
    finally:
        subprocess.run([docker, "stop", "-t", "40", id], check=False, capture_output=True)


def _answers(caller: Caller) -> bool:
    try:
        return caller.get("/healthz").status == 200
    except OSError:
        return False
