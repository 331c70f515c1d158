"""Every form of a check's output is made with the settings of the line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from pipelang.interfaces.check.check import Checked
from pipelang.interfaces.check.profiles.config import CheckSettings
from pipelang.interfaces.cli.check import against, explain_number, html, report
from pipelang.interfaces.cli.check.command_line import CheckLine
from pipelang.interfaces.cli.main import main

EVERYTHING = [
    *("--profile", "production", "--select", "P5", "--ignore", "P501", "--time-limit", "3"),
    *("--assume", "accuracy=95%", "--tier", "small=large"),
]
WANTED = CheckSettings(
    "production",
    ("P5",),
    ("P501",),
    False,
    (("accuracy", Decimal("0.95")),),
    3.0,
    (("small", "large"),),
)


@pytest.mark.parametrize(
    ("module", "more"),
    [
        (report, []),
        (report, ["--format", "sarif"]),
        (html, ["--format", "html"]),
        (explain_number, ["--explain-number", "success"]),
        (against, ["--against", "main.pipe"]),
    ],
)
def test_no_form_drops_an_option(
    module: object, more: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "main.pipe").write_text("pipeline main(x: bool) -> bool { return x }\n")
    seen: list[CheckSettings | None] = []

    def checked(
        paths: object, first: object = None, asked: CheckSettings | None = None
    ) -> tuple[list[Checked], list[object]]:
        seen.append(asked)
        return [], []

    monkeypatch.setattr(module, "check_all", checked)
    main(["check", "main.pipe", *EVERYTHING, *more])
    assert seen
    assert {*seen} == {WANTED}


def test_every_option_of_a_line_that_is_a_setting_is_one() -> None:
    settings = {*CheckSettings.__match_args__} - {"assumed"} | {"assume"}
    assert settings <= {*CheckLine.__match_args__}
