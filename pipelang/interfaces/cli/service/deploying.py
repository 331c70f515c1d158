"""Programs that a server is started with: checked as `check` does, and ready to run."""

from __future__ import annotations

import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn

if TYPE_CHECKING:
    from pipelang.interfaces.check.check import Checked
    from pipelang.interfaces.runs.state_folder import StateFolder
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.durable.switches import StoredSwitches
    from pipelang.runtime.host.handle import Handle, LoadedProgram
    from pipelang.runtime.inbox.inbox import Inbox
    from pipelang.runtime.shared.kill_switches import Switches


def checked_programs(
    files: Sequence[str], allow: Collection[str]
) -> list[tuple[Checked, LoadedProgram]]:
    """The programs of files, each with its report. Ends the command with what `check` says if one
    has errors but those in `allow`.
    """
    from pipelang.diagnostics.render import as_text
    from pipelang.interfaces.check.check import check_file
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.interfaces.check.pipe_paths import pipe_files
    from pipelang.interfaces.check.refusals import check_allowed
    from pipelang.interfaces.loading import CachingLoader, CheckFailed, load_checked

    try:
        check_allowed(allow)
    except ValueError as error:
        stop(f"--allow: {error}")
    for file in files:
        if Path(file).is_dir():
            stop(f"`{file}` is a folder: name one .pipe file")
    _, missing = pipe_files(files)
    if missing:
        stop(missing[0].message, USAGE, missing[0].help)
    colour, width = wants_colour(sys.stderr), text_width(sys.stderr)
    found: list[tuple[Checked, LoadedProgram]] = []
    wrong = False
    for file in dict.fromkeys(files):
        loader = CachingLoader(DiskLoader())  # what is served is what was checked
        checked = check_file(file, loader)
        errors = [one for one in checked.diagnostics if one.is_error and one.rule.code not in allow]
        if errors:
            wrong = True
            warn("\n\n".join(as_text(one, checked.sources, colour, width) for one in errors))
            continue
        if not wrong:
            try:
                found.append((checked, load_checked(checked, loader, allow).loaded))
            except CheckFailed as failed:
                wrong = True
                warn(str(failed))
    if wrong:
        warn("\nno server: what `check` finds has to be mended first, or named by --allow CODE")
        sys.exit(FINDINGS)
    return found


def deployed_in_memory(
    programs: Sequence[tuple[Checked, LoadedProgram]],
    state: StateFolder,
    inbox: Inbox,
    switches: Switches,
) -> dict[str, Deployed]:
    """The pipelines of programs, whose runs will be in memory. Ends the command if one has no model
    to ask, or lacks a tool.
    """
    from pipelang.interfaces.cli.run.services import plug
    from pipelang.interfaces.runs.provider_choice import NoProvider, set_up
    from pipelang.runtime.sinks.audit import AuditLog
    from pipelang.runtime.tools.binding import ToolMissing

    served: list[tuple[Checked, LoadedProgram, dict[str, Handle]]] = []
    for checked, loaded in programs:
        try:
            setup = set_up(checked.path, loaded, "auto", 0, state)
        except NoProvider as error:
            stop(str(error), USAGE)
        if setup.note:
            warn(f"note: {setup.note}")
        plug(setup, checked.path, state)
        runtime = setup.runtime
        runtime.people, runtime.switches = inbox, switches
        runtime.trace = False
        # Whoever starts a run must not read files or addresses with our rights.
        runtime.media_paths, runtime.media_urls = False, ()
        try:
            handles = {name: loaded.pipeline(name, runtime=runtime) for name in loaded.pipelines}
        except ToolMissing as missing:
            stop(f"`{checked.path}`: {missing}", FINDINGS, missing.help)
        references = tuple(
            dict.fromkeys(one for each in handles.values() for one in each.references)
        )
        runtime.sinks = (*runtime.sinks, AuditLog(state.audit, references))
        served.append((checked, loaded, handles))
    return _named(served)


def deployed_in_store(
    programs: Sequence[tuple[Checked, LoadedProgram]],
    store: Store,
    switches: StoredSwitches,
    works: bool,
) -> dict[str, Deployed]:
    """The pipelines of programs, whose runs will be in a store; with handles of those that this
    machine can run, if it `works`.
    """
    from pipelang.interfaces.cli.durable.working import handles_of_program

    served: list[tuple[Checked, LoadedProgram, dict[str, Handle]]] = []
    for checked, loaded in programs:
        handles: dict[str, Handle] = {}
        if works:
            found = handles_of_program(checked.path, loaded, store, switches)
            handles = {name: handle for (_, name), handle in found.items()}
        served.append((checked, loaded, handles))
    return _named(served)


def _named(
    served: Sequence[tuple[Checked, LoadedProgram, dict[str, Handle]]],
) -> dict[str, Deployed]:
    from pipelang.interfaces.service.deployment import deployed

    try:
        return deployed(served)
    except ValueError as error:
        stop(str(error))
