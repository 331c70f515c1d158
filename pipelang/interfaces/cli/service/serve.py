"""`pipelang serve`: the API and the page of pipelines."""

from __future__ import annotations

import contextlib
import ipaddress
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.durable.opening import opened
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.options.cache import needless_cache_option
from pipelang.interfaces.cli.options.places import refuse_without_store
from pipelang.interfaces.cli.options.quantities import Duration
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import warn, write
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder
from pipelang.records import dataclass

if TYPE_CHECKING:
    from socket import socket as Socket

    from pipelang.interfaces.check.check import Checked
    from pipelang.interfaces.service.backend import Backend
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.tokens import TokenFile
    from pipelang.interfaces.service.watching import ServiceWatch
    from pipelang.runtime.host.handle import LoadedProgram


@click.command(name="serve", short_help="Serve pipelines: an API and a page for people.")
@click.argument("files", nargs=-1, required=True)
@click.option("--store", metavar="URL", help="Keep runs there: sqlite:///FILE or postgresql://...")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8700, show_default=True)
@click.option("--tokens", metavar="FILE", help="Who may: see `pipelang token`.")
@click.option(
    "--grace",
    type=Duration(),
    default="30s",
    show_default=True,
    help="After SIGTERM: how long to finish what is begun.",
)
@click.option(
    "--worker/--no-worker",
    default=True,
    show_default=True,
    help="With --store: do runs here too, or leave them to `pipelang worker`.",
)
@click.option(
    "--concurrency",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="With --store: runs of a pipeline at once, here.",
)
@click.option(
    "--per-tenant",
    type=click.IntRange(1),
    metavar="N",
    help="With --store: runs of a tenant at once, with all workers that say so.",
)
@click.option("--allow", multiple=True, metavar="CODE", help="Serve in spite of this finding.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of the audit log.")
@click.option("--watch", "every", type=Duration(1), help="With --store: look at `watch` lines.")
@click.option(
    "--alert",
    "alerts",
    multiple=True,
    metavar="[ROLE=]TARGET",
    help="Where alerts go, as of watch.",
)
@click.option("--alert-secret", metavar="env:NAME", help="The secret that signs what is posted.")
@needless_cache_option
def command(
    files: tuple[str, ...],
    store: str | None,
    host: str,
    port: int,
    tokens: str | None,
    grace: float,
    worker: bool,
    concurrency: int,
    per_tenant: int | None,
    allow: tuple[str, ...],
    state: str,
    every: float | None,
    alerts: tuple[str, ...],
    alert_secret: str | None,
) -> None:
    """Serve the pipelines of FILES over HTTP, until SIGTERM.

    Without --store runs are kept in memory. Without tokens only a loopback address is served, and
    everybody who reaches it may do everything.

    Exit code 0 when stopped, 1 if a file has findings, 2 on wrong usage, 3 if the store cannot be
    reached.
    """
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as missing:
        stop(
            f"serving needs `{missing.name}`, which is not installed",
            USAGE,
            "pip install 'pipelang-dsl[serve]'",
        )
    refuse_without_store(store, "concurrency", "per_tenant")
    if store is None and not worker:
        stop("--no-worker needs runs that are kept: --store", USAGE)
    folder = StateFolder(Path(state))
    file = _token_file(tokens, folder)
    if file is not None:
        warn(f"note: tokens are asked for: `{file.path}`")
    if file is None and not is_loopback(host):
        stop(
            f"without tokens only this machine is served, not `{host}`",
            USAGE,
            "`pipelang token new --role caller --name NAME` makes one",
        )
    from pipelang.interfaces.cli.service.deploying import checked_programs

    programs = checked_programs(files, allow)
    try:
        folder.prepare()
    except OSError as error:
        stop(f"`{state}` cannot keep the audit log: {error.strerror or error}")
    gate_facts = file, None if file is not None else _me()
    if every is not None and store is None:
        stop("a watch needs runs that are kept: --store", USAGE)
    if every is None and (alerts or alert_secret is not None):
        stop("alerts come of a watch: say how often, such as --watch 1h", USAGE)
    roles = {name for _, loaded in programs for name in loaded.program.roles}
    watch = None if every is None else _watch(every, alerts, alert_secret, roles)
    socket = _listening(host, port)  # what is refused makes no store
    line = ServeLine(programs, folder, socket, gate_facts, grace, concurrency, per_tenant, watch)
    if store is None:
        _serve_from_memory(line)
    else:
        _serve_from_store(line, store, worker)


@dataclass(frozen=True, slots=True)
class ServeLine:
    """A line of `pipelang serve`, read: what is served, where, to whom."""

    programs: Sequence[tuple[Checked, LoadedProgram]]
    state: StateFolder
    socket: Socket
    who: tuple[TokenFile | None, Principal | None]
    grace: float
    concurrency: int
    per_tenant: int | None
    watch: ServiceWatch | None


def _watch(
    every: float, alerts: Sequence[str], secret: str | None, roles: Collection[str]
) -> ServiceWatch:
    from pipelang.interfaces.service.watching import ServiceWatch
    from pipelang.interfaces.watching.alerts import NoTarget, targets_from

    try:
        return ServiceWatch(every, targets_from(alerts, secret, roles))
    except NoTarget as wrong:
        why, help = wrong.args
        stop(why, USAGE, help)


def _serve_from_memory(line: ServeLine) -> None:
    from pipelang.interfaces.cli.service.deploying import deployed_in_memory
    from pipelang.interfaces.service.backends.memory import MemoryBackend
    from pipelang.runtime.inbox.inbox import Inbox
    from pipelang.runtime.shared.kill_switches import FolderSwitches

    inbox, switches = Inbox(), FolderSwitches(line.state.kills)
    deployed = deployed_in_memory(line.programs, line.state, inbox, switches)
    warn("note: runs are kept in memory, and end with this server; --store keeps them")
    _serve(line, MemoryBackend(inbox, switches), deployed)


def _serve_from_store(line: ServeLine, url: str, works: bool) -> None:
    with opened(url, make=True) as store:
        from pipelang.interfaces.cli.durable.working import EarlierVersions
        from pipelang.interfaces.cli.service.deploying import deployed_in_store
        from pipelang.interfaces.service.backends.stored import StoreBackend
        from pipelang.interfaces.service.backends.telling_worker import Tell, worker_that_tells
        from pipelang.runtime.durable.switches import StoredSwitches
        from pipelang.runtime.durable.worker import Worker

        switches = StoredSwitches(store)
        switches.look()
        deployed = deployed_in_store(line.programs, store, switches, works)
        handles = {
            (one.program, name): one.handle
            for name, one in deployed.items()
            if one.handle is not None
        }
        loaded = {checked.path: one for checked, one in line.programs}
        earlier = EarlierVersions(loaded, store, switches)

        def worker_of(tell: Tell) -> Worker:
            return worker_that_tells(
                store,
                handles,
                line.concurrency,
                switches,
                tell,
                earlier.handles,
                line.per_tenant,
            )

        backend = StoreBackend(store, switches, worker_of if handles else None)
        warn(f"note: runs are kept in {backend.where}")
        if not handles:
            warn("note: this server starts runs and does none: `pipelang worker` does")
        _serve(line, backend, deployed)
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)  # with whatever threads of libraries still hang


def _serve(line: ServeLine, backend: Backend, deployed: dict[str, Deployed]) -> None:
    """Serve until it is asked to stop. Raises `StoreProblem`."""
    from pipelang.interfaces.service.app import make_app
    from pipelang.interfaces.service.serving import ServiceServer
    from pipelang.interfaces.service.sessions import Authenticator

    app = make_app(backend, deployed, Authenticator(*line.who), grace=line.grace, watch=line.watch)
    at = line.socket.getsockname()
    shown = f"[{at[0]}]" if ":" in at[0] else at[0]
    server = ServiceServer(
        app, ready=lambda: _say(f"serving {', '.join(deployed)} at http://{shown}:{at[1]}")
    )
    with contextlib.suppress(KeyboardInterrupt):  # uvicorn passes on what ended it
        server.run([line.socket])
    if server.refused is not None:
        raise server.refused
    if not server.started:
        sys.exit(FINDINGS)


def _listening(host: str, port: int) -> Socket:
    from pipelang.interfaces.service.serving import listening

    try:
        return listening(host, port)
    except OSError as error:
        stop(f"`{host}:{port}` cannot be listened at: {error.strerror or error}", FINDINGS)


def _say(line: str) -> None:
    write(f"{line}\n")
    sys.stdout.flush()


def _token_file(path: str | None, state: StateFolder) -> TokenFile | None:
    from pipelang.interfaces.service.tokens import TokenFile, TokensBroken

    if path is None:
        if not state.tokens.exists():
            return None
        path = str(state.tokens)
    found = TokenFile(path)
    if not found.path.exists():
        stop(f"there is no `{path}`", USAGE, f"`pipelang token new --tokens {path}` makes it")
    try:
        found.all()
    except TokensBroken as broken:
        stop(str(broken), USAGE)
    return found


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _me() -> Principal:
    """The user of this machine."""
    import getpass

    from pipelang.interfaces.service.principals import local_principal

    try:
        return local_principal(getpass.getuser())
    except (OSError, KeyError, ImportError):
        return local_principal("local")
