"""Reads the evidence file that a command line names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import stop

if TYPE_CHECKING:
    from pipelang.semantics.chance import EvidenceFile


def read_evidence_file(file: str) -> EvidenceFile:
    """The rows of a file; ends the process where there are none to be had."""
    from pipelang.interfaces.check.disk_loader import DiskLoader
    from pipelang.interfaces.check.pipe_paths import nearest
    from pipelang.semantics.evidence_file import FORM, Flaw, read_evidence, unreadable_help
    from pipelang.semantics.loader import Unreadable

    if file.endswith(".pipe"):
        help = "name the file behind `from` in it, a .jsonl; `pipelang check` reports on pipelines"
        stop(f"`{file}` is a pipeline, not evidence", USAGE, help)
    try:
        text = DiskLoader().read(file)
    except Unreadable as problem:
        stop(f"`{file}` cannot be read: {problem}", FINDINGS, unreadable_help(str(problem)))
    if text is None:
        close = nearest(file, ".jsonl")
        stop(f"there is no file `{file}`", USAGE, f"did you mean `{close}`?" if close else FORM)
    found = read_evidence(file, text)
    if isinstance(found, Flaw):
        stop(f"`{file}`, line {found.line}: {found.why}", FINDINGS, found.help)
    return found
