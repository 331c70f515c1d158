"""The two readers of a command line of `check`, the quick one and click's, read it alike."""

from __future__ import annotations

import pytest
from click import UsageError
from click.testing import CliRunner

from pipelang.interfaces.cli.check import command as check
from pipelang.interfaces.cli.check.command_line import CheckLine, read_line

LINES = [
    "",
    "a.pipe b",
    "--strict a.pipe --verbose",
    "--format json",
    "--format=sarif . --no-cache",
    "--profile production x.pipe",
    "--profile=demo",
    "--select P5 --ignore=P501,P2 a.pipe",
    "--select P5,P6 --select P7",
    "--assume accuracy=95%",
    "--assume accuracy=95%,transient=1% --assume=hits=.3 a",
    "--select=P5, --ignore , a",
    "--tier a=b,c=d x --tier=e=f",
    "-- --strict",
]


@pytest.mark.parametrize("line", LINES)
def test_both_read_the_same(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[CheckLine] = []

    def took(one: CheckLine) -> int:
        seen.append(one)
        return 0

    monkeypatch.setattr(check, "check", took)
    done = CliRunner().invoke(check.command, line.split())
    assert done.exit_code == 0, done.output
    assert seen == [read_line(line.split())]


@pytest.mark.parametrize(
    "line",
    [
        "--help",
        "-h",
        "--format yaml",
        "--format",
        "--profile prod",
        "--select",
        "--select --strict",
        "--select= a",
        "--no-such-option",
        "--fix",
        "--import-tools",
    ],
)
def test_what_is_not_plain_is_left_to_click(line: str) -> None:
    assert read_line(line.split()) is None


def test_click_takes_no_option_without_its_value() -> None:
    with pytest.raises(UsageError):
        check.command.make_context("check", ["--select"])
