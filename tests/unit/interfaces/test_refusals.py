"""What `load` and `run` refuse, and what they only tell."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.diagnostics.explanation import page_of
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.refusals import REFUSED, Analyses, missed_promises
from pipelang.interfaces.cli.main import main
from pipelang.interfaces.runs.provider_choice import NoProvider, set_up
from pipelang.runtime.providers.kinds import BUILT_IN, installed_kinds

RETRIED = """
tool pay(x: text max 9 tokens) -> text max 9 tokens { effect write }
pipeline main(x: text max 9 tokens) -> text max 9 tokens {
  IGNORE
  step s = call pay(x) { retry 2 }
  return s
}
"""
MISSED = """
provider lab { kind simulated available 100% }
tier small {
  provider lab model "s" price $1 in, $5 out latency 1s median transient 0% context 100k tokens
}
prompt say(x: text max 9 tokens) \"\"\"{{ x }}\"\"\"
pipeline main(x: text max 9 tokens) -> text {
  slo { cost.mean <= $0.0000001 }
  step s: text = ask say(x) by small { output 9 tokens mean, 10 tokens max }
  return s
}
"""


def write(folder: Path, text: str) -> str:
    file = folder / "main.pipe"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_retried_effect_is_refused_unless_allowed(tmp_path: Path) -> None:
    file = write(tmp_path, RETRIED.replace("IGNORE", ""))
    with pytest.raises(pipelang.CheckFailed, match="P507") as caught:
        pipelang.load(file)
    assert "P507" in {found.rule.code for found in caught.value.diagnostics}
    assert pipelang.load(file, allow=["P507"]).pipelines == ("main",)
    assert main(["run", file, "--input", '{"x": "a"}', "--state", str(tmp_path / "s")]) == 1


def test_a_comment_in_the_file_counts_as_allowed(tmp_path: Path) -> None:
    file = write(tmp_path, RETRIED.replace("retry 2 }", "retry 2 }  # pipelang: ignore[P507]"))
    file = write(tmp_path, Path(file).read_text(encoding="utf-8").replace("IGNORE", ""))
    assert pipelang.load(file).pipelines == ("main",)


@pytest.mark.parametrize("wrong", ["P507", ["P000"], ["retried-effect"]])
def test_allow_takes_codes(wrong: object, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="list of codes"):
        pipelang.load(write(tmp_path, RETRIED.replace("IGNORE", "")), allow=wrong)  # type: ignore[arg-type]


def test_promises_are_told_and_do_not_keep_from_running(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write(tmp_path, MISSED)
    loaded = pipelang.load(file)
    codes = [found.rule.code for found in missed_promises(Analyses(loaded.program))]
    assert codes
    assert not REFUSED & {*codes}
    assert main(["run", file, "--input", '{"x": "a"}', "--state", str(tmp_path / "s")]) == 0
    out, err = capsys.readouterr()
    assert f"note: a promise is missed ({codes[0]})" in err
    assert all(line.startswith("[simulated] ") for line in out.splitlines())


@pytest.mark.parametrize("label", ["wrong", "right"])
def test_load_refuses_what_check_finds(label: str, tmp_path: Path) -> None:
    """Over all pages: `load` refuses what `check` has a refused error in."""
    refused = set()
    for code in sorted(RULES):
        page = page_of(code)
        text = None if page is None else page.example(label)
        if page is None or text is None or code.startswith("P8"):
            continue
        folder = tmp_path / code
        folder.mkdir()
        for fence in page.fences:
            if fence.label not in ("wrong", "right"):
                (folder / fence.label).parent.mkdir(parents=True, exist_ok=True)
                (folder / fence.label).write_text(fence.text, encoding="utf-8")
        file = write(folder, text)
        errors = {one.rule.code for one in check_file(file).diagnostics if one.is_error}
        if errors & REFUSED:
            with pytest.raises(pipelang.CheckFailed):
                pipelang.load(file)
            refused |= errors
        elif not errors:
            pipelang.load(file)
    assert refused or label == "right"


def asks(kind: str, model: str = 'model "m"', key: str = "") -> str:
    return (
        MISSED.replace("kind simulated", f"kind {kind} {key}")
        .replace('model "s"', model)
        .replace("slo { cost.mean <= $0.0000001 }", "")
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (asks("nowhere"), "kind `nowhere`; installed are: anthropic, "),
        (asks("anthropic", key='key "env:NO_SUCH_KEY"'), "nothing is behind `env:NO_SUCH_KEY`"),
        (asks("anthropic", model=""), "tier `small` names no `model`"),
        (asks("replay"), "plays"),
    ],
)
def test_embedded_a_model_that_cannot_be_asked_raises_before_anything_runs(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-x")
    seen: list[object] = []
    runtime = pipelang.Runtime(sinks=(lambda run, event: seen.append(event),))
    handle = pipelang.load(write(tmp_path, text)).pipeline("main", runtime=runtime)
    with pytest.raises(pipelang.NotRunnable, match=told.replace("`", ".")):
        asyncio.run(handle.run(x="a"))
    assert seen == []


@pytest.mark.parametrize("choice", ["auto", "simulated", "replay", "real", "anthropic"])
def test_a_kind_that_is_not_installed_is_an_error_whatever_is_chosen(
    choice: str, tmp_path: Path
) -> None:
    file = write(tmp_path, asks("nowhere"))
    with pytest.raises(NoProvider, match="nothing is installed"):
        set_up(file, pipelang.load(file), choice, 0)


@pytest.mark.parametrize(
    ("kind", "key", "recorded", "chosen"),
    [
        ("anthropic", "sk-x", True, "real"),
        ("anthropic", None, True, "replay"),
        ("anthropic", None, False, "simulated"),
        ("simulated", "sk-x", False, "simulated"),
        ("simulated", "sk-x", True, "replay"),
    ],
)
def test_what_run_takes_without_a_key(
    kind: str,
    key: str | None,
    recorded: bool,
    chosen: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    if key is not None:
        monkeypatch.setenv("ANTHROPIC_API_KEY", key)
    file = write(tmp_path, asks(kind))
    if recorded:
        (tmp_path / "recordings").mkdir()
        (tmp_path / "recordings" / "main.jsonl").write_text('{"recording": 1}\n')
    setup = set_up(file, pipelang.load(file), "auto", 0)
    assert setup.kind == chosen
    assert bool(setup.tag) == (chosen != "real")


def test_installed_kinds_has_the_built_in_ones_first() -> None:
    assert installed_kinds()[: len(BUILT_IN)] == BUILT_IN
    assert {"anthropic", "openai", "google", "simulated", "replay"} <= {*BUILT_IN}
    assert installed_kinds()[0] == "anthropic"
