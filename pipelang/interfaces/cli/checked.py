"""`pipelang check`, behind the reading of its line: say again what was said, or check and say it."""

from __future__ import annotations

import sys

from pipelang.interfaces.cli.check_cache import Said, entry, recall, remember
from pipelang.interfaces.cli.terminal import text_width, wants_colour, warn, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pipelang.interfaces.cli.check_line import CheckLine


def check(line: CheckLine, may_remember: bool = False) -> int:
    """Print what a check says; the exit code."""
    width, colour = text_width(sys.stdout), wants_colour(sys.stdout)
    place = entry(line, width, colour) if may_remember else None
    said = None if place is None else recall(place)
    if said is not None:
        return _print(said)
    from pipelang.interfaces.cli.check_report import outcome
    from pipelang.interfaces.seen import Seen

    seen = Seen()
    said = outcome(line, seen, width, colour)
    code = _print(said)
    if place is not None:
        remember(place, said, seen)
    return code


def _print(said: Said) -> int:
    if said.errors:
        warn(said.errors)
    write(said.output)
    return said.code
