"""The lists of the reference pages are complete: public names, events, state folder, options."""

from __future__ import annotations

import ast
import inspect
import re
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

import click
import pytest

import pipelang
from pipelang.interfaces.cli.main import main
from pipelang.interfaces.cli.run.command import command as run_command
from pipelang.interfaces.runs.state_folder import StateFolder
from pipelang.semantics.elaborate.actions.outcomes import CODES

REPO = Path(__file__).resolve().parents[2]
DOCS = REPO / "docs"
RUNTIME = REPO / "pipelang" / "runtime"


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(pipelang.__all__) - {"__version__"}))
def test_a_public_name_is_documented_and_has_a_docstring(name: str):
    pages = "\n".join(page(p) for p in ("embedding.md", "people.md", "observing.md", "language.md"))
    assert re.search(rf"\b{name}\b", pages)
    doc = getattr(pipelang, name).__doc__
    assert doc
    assert not doc.startswith(f"{name}("), "the dataclass's own signature is no docstring"


@pytest.mark.parametrize("name", ["Switches", "Runtime", "McpServer", "TraceFiles", "AuditLog"])
def test_what_a_host_makes_states_its_errors(name: str):
    made = getattr(pipelang, name)
    docs = [made.__doc__, *(v.__doc__ for v in vars(made).values() if inspect.isfunction(v))]
    assert any("aises" in doc for doc in docs if doc)


@pytest.mark.parametrize(
    ("name", "unit"), [("cost", "dollars"), ("tokens", "tokens"), ("duration", "seconds")]
)
def test_a_figure_of_a_result_has_its_unit(name: str, unit: str):
    doc = getattr(pipelang.Answered, name).__doc__
    assert doc is not None
    assert unit in doc.lower()


UNITS = re.compile(
    r"dollar|second|token|share|probab|number of|how many|how often|times|byte|row|a minute|month|"
    r"count|attempt|character|turn|step|port|page|run",
    re.IGNORECASE,
)
NUMBERS = re.compile(r"\b(int|float|Decimal)\b")
PUBLIC = sorted(set(pipelang.__all__) - {"__version__"})


def functions_of(made: Any) -> dict[str, tuple[Any, str]]:
    """What can be called of a public name, by its name, each with the text that explains it: the
    docstring, of what makes an object that of its class.
    """
    if not inspect.isclass(made):
        return {made.__name__: (made, inspect.getdoc(made) or "")} if callable(made) else {}
    found = {}
    for name, member in vars(made).items():
        plain = getattr(member, "fget", None) or getattr(member, "__func__", member)
        if inspect.isfunction(plain) and plain.__module__.startswith("pipelang"):
            if name in ("__init__", "__post_init__"):
                found[name] = (plain, inspect.getdoc(made) or "")
            elif not name.startswith("_"):
                found[name] = (plain, inspect.getdoc(plain) or "")
    return found


@pytest.mark.parametrize("name", PUBLIC)
def test_what_is_public_states_the_errors_that_it_raises(name: str):
    for called, (function, said) in functions_of(getattr(pipelang, name)).items():
        assert said, f"{name}.{called} has no docstring"
        try:
            source = inspect.getsource(function)
        except (OSError, TypeError):
            continue  # made by `dataclass`
        raised = set(re.findall(r"^\s+raise (\w+)", source, re.MULTILINE))
        assert not raised or re.search(r"\braise", said, re.IGNORECASE), (
            f"{name}.{called} raises {raised}, and does not say so"
        )


@pytest.mark.parametrize("name", PUBLIC)
def test_a_number_of_what_is_public_has_its_unit(name: str):
    made = getattr(pipelang, name)
    classes = [one for one in getattr(made, "__mro__", ()) if one is not object]
    paragraphs = [p for one in classes for p in (one.__doc__ or "").split("\n\n")]
    for one in classes:
        for field, kind in vars(one).get("__annotations__", {}).items():
            if NUMBERS.search(str(kind)) and not field.startswith("_"):
                told = [p for p in paragraphs if re.search(rf"\b{field}\b", p)]
                assert any(UNITS.search(p) for p in told), f"{name}.{field}: {kind}"
    for called, (function, said) in functions_of(made).items():
        signature = inspect.signature(function)
        kinds = [str(one.annotation) for one in signature.parameters.values()]
        if any(map(NUMBERS.search, [*kinds, str(signature.return_annotation)])):
            assert UNITS.search(said + (made.__doc__ or "")), f"{name}.{called}{signature}"


def told_events() -> dict[str, set[str]]:
    """The kinds of events that the runtime tells, each with the keys that a call spells out."""
    found: dict[str, set[str]] = defaultdict(set)
    for file in RUNTIME.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "emit":
                first = node.args[0]
                kinds = [c.value for c in ast.walk(first) if isinstance(c, ast.Constant)]
                if isinstance(first, ast.Attribute) and first.attr == "kind":
                    kinds = ["approve", "hold"]
                keys = {word.arg for word in node.keywords if word.arg not in (None, "content")}
                for kind in kinds:
                    found[str(kind)] |= {str(key) for key in keys}
    return found


def test_the_table_of_events_has_every_kind_and_its_keys():
    text = page("observing.md")
    section = text[text.index("## Events") : text.index("## OpenTelemetry")]
    rows: dict[str, set[str]] = defaultdict(set)
    for first, _, keys in re.findall(r"^\| (`.*?) \| (.*?) \| (.*?) ?\|$", section, re.MULTILINE):
        for kind in re.findall(r"`(\w+)`", first):
            rows[kind] |= {key for part in re.findall(r"`([\w ]+)`", keys) for key in part.split()}
    told = told_events()
    assert set(rows) == set(told)
    for kind in set(told) - {"turn"}:  # `turn` has those of `answer`
        assert told[kind] <= rows[kind], kind


def test_the_state_folder_is_listed_whole():
    text = page("running.md")
    folder = StateFolder(Path("DIR"))
    for name in (n for n, value in vars(StateFolder).items() if isinstance(value, property)):
        assert f"`{getattr(folder, name).name}" in text, name


def test_every_option_of_run_is_explained():
    options = {o for p in run_command.params if isinstance(p, click.Option) for o in p.opts}
    text = page("running.md")
    left = {o for o in options - {"--format"} if o.startswith("--") and f"`{o}" not in text}
    assert left == set()


def test_every_variable_of_the_environment_is_listed():
    read = {
        name
        for file in (REPO / "pipelang").rglob("*.py")
        for name in re.findall(r'environ(?:\.get\(|\[)"([A-Z_]+)"', file.read_text("utf-8"))
    }
    system = {"LOCALAPPDATA", "XDG_CACHE_HOME", "TERM", "COLUMNS", "APPDATA", "PYTHONPATH"}
    text = page("running.md")
    assert {name for name in read - system if f"`{name}" not in text} == set()


@pytest.mark.parametrize(
    ("code", "exported"), [("P501", True), ("P406", True), ("P704", True), ("P201", False)]
)
def test_only_a_file_that_is_no_program_is_not_exported(
    code: str, exported: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    """What docs/export.md says of exit codes, with the wrong example of the code's own page."""
    explained = REPO / "pipelang" / "diagnostics" / "pages" / f"{code}.md"
    (wrong,) = re.findall(
        r"^```pipe wrong\n(.*?)^```$", explained.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    file = tmp_path / "wrong.pipe"
    file.write_text(wrong, encoding="utf-8")
    assert main(["check", str(file)]) == 1
    assert code in "".join(capsys.readouterr())
    for command in (["graph"], ["compile", "--to", "ir"]):
        assert main([command[0], str(file), *command[1:]]) == (0 if exported else 1)
    assert (code in page("export.md")) is exported


@pytest.mark.parametrize("name", pipelang.__all__)
def test_a_public_name_has_a_section_with_an_example_of_its_use(name: str):
    """The examples run in test_docs.py; this only says that each name has one."""
    found = re.search(
        rf"^### `{name}`$(.*?)(?=^##)", page("api.md") + "\n## ", re.DOTALL | re.MULTILINE
    )
    assert found is not None
    told, _, example = found[1].partition("```python\n")
    assert len(told.split()) >= 8
    assert re.search(rf"\bpipelang\.{name}\b", example) or name == "LoadedProgram", example


def test_the_sections_of_the_reference_are_the_public_names():
    assert sorted(re.findall(r"^### `(\w+)`$", page("api.md"), re.MULTILINE)) == sorted(
        pipelang.__all__
    )


def codes_of_ended_runs() -> set[str]:
    """The codes with which the interpreter, a store or a service ends a run by itself."""
    found: set[str] = set()
    for file in (REPO / "pipelang").rglob("*.py"):
        text = file.read_text("utf-8")
        found |= set(re.findall(r'(?:Halted\(|"code": )"([a-z_]+)"', text))
        if "runtime" in file.parts:
            found |= set(
                re.findall(r'^[A-Z_]+ = "([a-z]+_(?:exceeded|exhausted|unknown))"$', text, re.M)
            )
    return found


def test_a_code_of_pipelang_is_listed_and_nobody_else_can_take_it():
    row = re.search(r"^\| `fail \"code\"` \| (.*) \|$", page("language.md"), re.MULTILINE)
    assert row is not None
    listed = {word for code in re.findall(r"`([a-z_ ]+)`", row[1]) for word in code.split()}
    assert listed == CODES
    assert {"unrecorded", "killed", "effect_unknown", "crashed"} <= codes_of_ended_runs() <= CODES


def test_every_extra_is_explained():
    with (REPO / "pyproject.toml").open("rb") as file:
        declared = set(tomllib.load(file)["project"]["optional-dependencies"])
    text = page("questions.md")
    section = text[text.index("## Which extras") :].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    assert {extra for row in rows for extra in re.findall(r"`(\w+)`", row)} == declared
