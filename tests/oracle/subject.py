"""The one place where the oracle touches the product: `pipelang check`, in process."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any


def analyse(path: Path) -> dict[str, Any]:
    """`report["pipelines"]` of `pipelang check --format json PATH`."""
    # Imported late, so that the oracle and its own tests run without any product.
    check = importlib.import_module("pipelang.interfaces.cli.check_report")
    report = check.check_report([str(path)])
    pipelines: dict[str, Any] = report.get("pipelines") or {}
    if not pipelines:
        found = [f"{d['code']} line {d['line']}: {d['message']}" for d in report["diagnostics"]]
        raise AssertionError("no pipeline was analysed:\n  " + "\n  ".join(found))
    return pipelines
