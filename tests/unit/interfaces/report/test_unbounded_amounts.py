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


COUNTED = """
provider p { kind simulated available UP }
tier t { provider p model "m" price $1 in, $5 out latency 1s median, 2s p95 transient TRANSIENT }
prompt q(x: text) \"\"\"{{ x }}\"\"\"
pipeline main(x: text) -> bool {
  step s: bool = ask q(x) by t {
    accuracy ACCURACY timeout 10s output 20 tokens mean, 40 tokens max }
  return s
}
"""


def counted(path: Path, up: str, transient: str, accuracy: str) -> str:
    text = COUNTED.replace("UP", up).replace("TRANSIENT", transient).replace("ACCURACY", accuracy)
    path.write_text(text, encoding="utf-8")
    return str(path)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("99%", "1%", "18 of 20"), ("19 of 20", "1%", "90%")),
        (("19 of 20", "1%", "90%"), ("99%", "1%", "18 of 20")),
        (("99%", "1 of 20", "90%"), ("19 of 20", "1%", "90%")),
    ],
)
def test_counted_figures_beside_a_prompt_without_bound(
    before: tuple[str, str, str],
    after: tuple[str, str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The draws of the cost are infinite, some in one file and all in the other: numpy had a
    warning to print about their quantiles, and about their differences.
    """
    old = counted(tmp_path / "old.pipe", *before)
    new = counted(tmp_path / "new.pipe", *after)
    for words in ([new], ["--against", old, new]):
        main(["check", "--no-cache", "--format", "json", *words])
        said = capsys.readouterr()
        assert said.err == ""
        json.loads(said.out, parse_constant=lambda word: pytest.fail(f"{word} is no JSON"))
