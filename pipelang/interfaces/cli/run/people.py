"""The people of `pipelang run`: an inbox in the state folder, or nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pipelang.interfaces.cli.terminal import warn
from pipelang.semantics.kernels.run import waits_for_people

if TYPE_CHECKING:
    from pipelang.interfaces.runs.provider_choice import ProviderChoice
    from pipelang.interfaces.runs.state_folder import StateFolder
    from pipelang.runtime.host.handle import LoadedProgram
    from pipelang.runtime.inbox.cases import Case

INBOX, NOBODY = "inbox", "nobody"


class Speaker:
    """Says on standard error that a run waits; while something is drawn there, `say` is its own."""

    def __init__(self) -> None:
        self.say: Callable[[str], None] = warn

    def tell(self, line: str) -> None:
        """Say a line."""
        self.say(line)


def plug_people(
    setup: ProviderChoice,
    loaded: LoadedProgram,
    pipeline: str,
    choice: str | None,
    folder: StateFolder,
    tell: Callable[[str], None],
) -> str | None:
    """Plug the people of a command's runs in; what a reader should know of it.

    Where real models answer people are asked too; a run that only shows what would happen asks
    nobody unless it is told to. `tell` gets a line whenever a run begins to wait.
    """
    from pipelang.runtime.inbox.people import Nobody

    rehearsal = setup.kind in ("simulated", "replay")
    if choice is None:
        choice = NOBODY if rehearsal else INBOX
    if choice == NOBODY:
        setup.runtime.people = Nobody(skip_waits=rehearsal)
        if not waits_for_people(loaded.program, loaded.program.pipelines[pipeline]):
            return None
        holds = "holds pass at once" if rehearsal else "holds wait their time and pass"
        return (
            f"nobody is asked: {holds}, approvals are not given, asks to people stay unanswered "
            "(`--people inbox` asks)"
        )
    from pipelang.interfaces.cli.inbox import state_option
    from pipelang.runtime.inbox.inbox import Inbox

    option = state_option(str(folder.root))

    def opened(case: Case) -> None:
        from pipelang.interfaces.report.runs.cases import waiting_lines

        for line in waiting_lines(case, option):
            tell(line)

    setup.runtime.people = Inbox(folder.inbox, listeners=[opened])
    return None
