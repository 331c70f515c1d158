"""What nothing bounds has no figure: no NaN, no infinity, and no crash in any form of report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelang.diagnostics.explanation import page_of
from pipelang.interfaces.cli.main import main


@pytest.mark.parametrize("code", ["P603", "P604"])
def test_a_prompt_without_bound_can_be_reported(
    code: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = page_of(code)
    assert page is not None
    path = tmp_path / "a.pipe"
    path.write_text(page.example("wrong") or "", encoding="utf-8")
    main(["check", "--no-cache", str(path)])
    assert code in capsys.readouterr().out
    main(["check", "--no-cache", "--format", "json", str(path)])
    (pipeline,) = json.loads(capsys.readouterr().out)["pipelines"].values()
    assert pipeline["cost"]["mean"]["high"] is None
