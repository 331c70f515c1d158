"""`pipelang check`: findings and the reliability report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelang.interfaces.checking import check_file, pipe_files, report_json


def check_report(paths: Sequence[str]) -> dict[str, Any]:
    """The JSON report of some files or folders."""
    files, missing = pipe_files(paths)
    return report_json([check_file(path) for path in files], missing)
