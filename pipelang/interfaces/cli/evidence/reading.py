"""Reads the evidence file that a command line names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import stop

if TYPE_CHECKING:
    from pipelang.semantics.chance import EvidenceFile


def read_evidence_file(file: str) -> EvidenceFile:
    """The rows of a file; ends the process where there are none to be had."""
    from pipelang.interfaces.check.pipe_paths import nearest
    from pipelang.semantics.evidence_file import FORM, Flaw, read_evidence

    if file.endswith(".pipe"):
        help = "name the file behind `from` in it, a .jsonl; `pipelang check` reports on pipelines"
        stop(f"`{file}` is a pipeline, not evidence", USAGE, help)
    text = evidence_text(file)
    if text is None:
        close = nearest(file, ".jsonl")
        stop(f"there is no file `{file}`", USAGE, f"did you mean `{close}`?" if close else FORM)
    found = read_evidence(file, text)
    if isinstance(found, Flaw):
        stop(f"`{file}`, line {found.line}: {found.why}", FINDINGS, found.help)
    return found


def evidence_text(file: str) -> str | None:
    """The text of a file as it is, None if it is not there; ends the process where nobody can read
    it.
    """
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.semantics.evidence_file import unreadable_help
    from pipelang.semantics.loader import Unreadable

    try:
        return DiskLoader().read(file)
    except Unreadable as problem:
        stop(f"`{file}` cannot be read: {problem}", FINDINGS, unreadable_help(str(problem)))


def must_stay_readable(file: str, data: bytes) -> None:
    """End the process where a file would be too large to be read again with these bytes in it."""
    from pipelang.interfaces.check import disk_loader
    from pipelang.semantics.evidence_file import unreadable_help
    from pipelang.semantics.loader import Unreadable

    try:
        # A file of just the most bytes is not read either.
        disk_loader.text_of(data + b"\n", disk_loader.MAX_BYTES)
    except Unreadable as problem:
        why = f"`{file}` could not be read any more with what is new: {problem}"
        stop(why, FINDINGS, f"{unreadable_help(str(problem))}; begin another file for what is new")
