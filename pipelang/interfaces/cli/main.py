"""`pipelang`: the commands, each in a module of its own that is imported when it is called.

So `--help` and `--version` load nothing but click, and a plain `pipelang check` not even that. Exit
codes: 0 all is well, 1 something was found, 2 the command was called wrongly, 3 pipelang itself is
broken, 130 interrupted, 141 the reader of the output went away.
"""

from __future__ import annotations

import os
import sys

from pipelang.interfaces.cli.terminal import speak_utf8, stop_writing, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "new": "Write a starter: a pipeline to change.",
    "check": "Say how pipelines will behave, before anything runs.",
    "test": "Run the `test` blocks, without any model.",
    "run": "Run a pipeline, with live progress.",
    "trace": "Show a run as a tree, or follow one.",
    "inbox": "List what waits for people, or show one case.",
    "approve": "Answer what waits: yes, no, or an answer.",
    "kill": "Switch off a tool, a pipeline or everything.",
    "audit": "Verify or show the audit log.",
    "graph": "Draw pipelines: as text, mermaid, dot or SVG.",
    "compile": "Write a program as JSON, JSON Schema, stubs or a model.",
    "tune": "Find the cheapest settings, tiers and retries that keep every promise.",
    "sketch": "Say what steps of some reliability come to; needs no file.",
    "simulate": "Run many simulated runs against the prediction.",
    "evidence": "Look into a file of labelled answers.",
    "fmt": "Bring files into the one layout.",
    "explain": "Say what a code such as P201 means.",
}
"""Every command with its line in `--help`; `pipelang.interfaces.cli.NAME` holds it as `command`."""

INTERNAL_ERROR, INTERRUPTED, NO_READER = 3, 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; the exit code. Never shows a traceback unless PIPELANG_DEBUG is set."""
    speak_utf8()
    try:
        code = _call(arguments)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        stop_writing()
        return NO_READER
    except KeyboardInterrupt:
        warn("interrupted")
        return INTERRUPTED
    except Exception as error:
        if os.environ.get("PIPELANG_DEBUG"):
            raise
        said = " ".join(f"{type(error).__name__}: {error}".split())
        warn(f"pipelang: internal error: {said} (set PIPELANG_DEBUG=1 for the traceback)")
        return INTERNAL_ERROR


def _call(arguments: Sequence[str] | None) -> int:
    """Call the command that a line names; None is the line that this process was started with."""
    words = sys.argv[1:] if arguments is None else arguments
    if words and words[0] == "check":
        from pipelang.interfaces.cli.check.command_line import read_line

        line = read_line(words[1:])
        if line is not None:
            from pipelang.interfaces.cli.check.entry import check, check_and_leave

            # A process that lives on may be older than the code on the disk: it gets no cache.
            if arguments is None:
                check_and_leave(line)
            return check(line)
    from pipelang.interfaces.cli.commands import call

    return call(arguments)
