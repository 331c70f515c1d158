"""`pipelang serve`: the API and the page of pipelines."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelang.interfaces.cli.durable.opening import Duration
from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.options.cache import cache_option
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import warn, write
from pipelang.interfaces.runs.state_folder import DEFAULT, StateFolder

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.tokens import TokenFile


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
@click.option("--allow", multiple=True, metavar="CODE", help="Serve in spite of this finding.")
@click.option("--state", default=DEFAULT, show_default=True, help="The folder of the audit log.")
@cache_option
def command(
    files: tuple[str, ...],
    store: str | None,
    host: str,
    port: int,
    tokens: str | None,
    grace: float,
    allow: tuple[str, ...],
    state: str,
    cache: bool,
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
    folder = StateFolder(Path(state))
    file = _token_file(tokens, folder)
    if file is None and not is_loopback(host):
        stop(
            f"without tokens only this machine is served, not `{host}`",
            USAGE,
            "`pipelang token new --role caller --name NAME` makes one",
        )
    from pipelang.interfaces.cli.service.deploying import checked_programs

    programs = checked_programs(files, allow, cache)
    try:
        folder.prepare()
    except OSError as error:
        stop(f"`{state}` cannot keep the audit log: {error.strerror or error}")
    from pipelang.interfaces.cli.service.deploying import deployed_in_memory
    from pipelang.interfaces.service.app import make_app
    from pipelang.interfaces.service.backends.memory import MemoryBackend
    from pipelang.interfaces.service.serving import ServiceServer, listening
    from pipelang.interfaces.service.sessions import Gate
    from pipelang.runtime.inbox.inbox import Inbox
    from pipelang.runtime.shared.kill_switches import FolderSwitches

    try:
        socket = listening(host, port)
    except OSError as error:
        stop(f"`{host}:{port}` cannot be listened at: {error.strerror or error}", FINDINGS)
    inbox, switches = Inbox(), FolderSwitches(folder.kills)
    backend = MemoryBackend(inbox, switches)
    deployed = deployed_in_memory(programs, folder, inbox, switches)
    gate = Gate(file, None if file is not None else _me())
    app = make_app(backend, deployed, gate, grace=grace)
    at = socket.getsockname()
    shown = f"[{at[0]}]" if ":" in at[0] else at[0]
    warn("note: runs are kept in memory, and end with this server; --store keeps them")
    write(f"serving {', '.join(deployed)} at http://{shown}:{at[1]}\n")
    sys.stdout.flush()
    ServiceServer(app).run([socket])


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
