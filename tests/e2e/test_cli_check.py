"""`pipelang check`, `fmt` and `explain` as people and CI call them: the real command line."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from pipelang.version import __version__

from ..warm import command

REPO = Path(__file__).resolve().parents[2]
POSIX = pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")

SOUND = """\
use std.tiers

type Greeting { body: text max 60 tokens }

prompt greet(name: text max 20 tokens) \"\"\"Greet {{ name }}.\"\"\"

pipeline welcome(name: text max 20 tokens) -> Greeting {
  step greeting: Greeting = ask greet(name) by haiku {
    accuracy 95%
    timeout  10s
    output   20 tokens mean, 60 tokens max
  } else fail "no greeting"

  return greeting
}
"""
WARNED = SOUND + "\nenum Unused { a b }\n"
MISSED = SOUND.replace("  step", "  slo { success >= 99% }\n\n  step", 1)
BROKEN = SOUND.replace("return greeting", "retrun greeting")


def run(
    *arguments: str | Path, cwd: Path, stdin: bytes = b"", **environment: str
) -> subprocess.CompletedProcess[bytes]:
    plain = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    return command(*arguments, cwd=cwd, env={**plain, **environment}, input=stdin)


def out(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stdout.decode("utf-8")


def err(done: subprocess.CompletedProcess[bytes]) -> str:
    return done.stderr.decode("utf-8").replace("\r\n", "\n")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in {
        "sound.pipe": SOUND,
        "warned.pipe": WARNED,
        "missed.pipe": MISSED,
        "broken.pipe": BROKEN,
        "empty.pipe": "",
    }.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "latin.pipe").write_bytes("enum É { a }".encode("latin-1"))
    (tmp_path / "nothing").mkdir()
    return tmp_path


# -------------------------------------------------------------------------------- check


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["sound.pipe"], 0),
        (["sound.pipe", "--strict"], 0),
        (["warned.pipe"], 0),
        (["warned.pipe", "--strict"], 1),
        (["missed.pipe"], 1),
        (["broken.pipe"], 1),
        (["latin.pipe"], 1),
        (["empty.pipe"], 0),
        (["."], 1),
        ([], 1),
        (["absent.pipe"], 2),
        (["sound.pipe", "absent.pipe"], 2),
        (["nothing"], 2),
        (["sound.pipe", "--format", "yaml"], 2),
        (["sound.pipe", "--no-such-option"], 2),
    ],
)
def test_exit_codes(folder: Path, arguments: list[str], code: int) -> None:
    done = run("check", *arguments, cwd=folder)
    assert done.returncode == code, out(done) + err(done)
    assert "Traceback" not in err(done)


def test_a_report_leads_with_a_sentence(folder: Path) -> None:
    lines = out(run("check", "sound.pipe", cwd=folder)).splitlines()
    assert lines[0].startswith("welcome ")
    assert lines[0].endswith(" sound.pipe:7")
    assert lines[2].startswith("Of 100 runs of `welcome`, 94 are answered right, 5 are answered")
    assert lines[-1] == "no errors, no warnings"


def test_errors_are_shown_with_their_line(folder: Path) -> None:
    text = out(run("check", "broken.pipe", cwd=folder))
    assert text.startswith("error[P101]: ")
    assert "--> broken.pipe:14:3" in text
    assert "14 |   retrun greeting" in text
    assert text.endswith("1 error\n")


def test_a_folder_is_checked_with_all_inside(folder: Path) -> None:
    text = out(run("check", cwd=folder))
    assert text.count("\nOf 100 runs of `welcome`") == 3
    assert "latin.pipe` cannot be read: line 1 has the byte 0xc9" in text
    assert "empty.pipe: no pipeline in it" in text
    assert text.endswith("3 errors and 1 warning in 6 files\n")


def test_a_missing_file_gets_the_nearest_name(folder: Path) -> None:
    text = out(run("check", "sond.pipe", cwd=folder))
    assert "there is no file `sond.pipe`" in text
    assert "help: did you mean `sound.pipe`?" in text


def test_json_and_nothing_else(folder: Path) -> None:
    done = run("check", ".", "--format", "json", "--profile", "production", cwd=folder)
    report = json.loads(out(done))
    assert done.returncode == 1
    assert report["version"] == 1
    found = {found["code"] for found in report["diagnostics"]}
    assert found >= {"P101", "P108", "P204", "P501", "P803", "P805"}
    welcome = report["pipelines"]["welcome"]
    assert abs(sum(number["value"] for number in welcome["outcomes"].values()) - 1) < 1e-12
    assert err(done) == ""


def test_json_of_nothing_is_json(folder: Path) -> None:
    done = run("check", "absent.pipe", "--format", "json", cwd=folder)
    report = json.loads(out(done))
    assert done.returncode == 2
    assert [found["code"] for found in report["diagnostics"]] == ["P205"]
    assert report["pipelines"] == {}


def test_github_annotations(folder: Path) -> None:
    done = run("check", "broken.pipe", "warned.pipe", "--format", "github", cwd=folder)
    first, second = out(done).splitlines()
    assert first.startswith("::error file=broken.pipe,line=14,col=3,endLine=14,endColumn=9,")
    assert second.startswith("::warning file=warned.pipe,line=17,col=6,")
    assert done.returncode == 1


def test_sarif(folder: Path) -> None:
    log = json.loads(out(run("check", "broken.pipe", "warned.pipe", "--format=sarif", cwd=folder)))
    assert log["version"] == "2.1.0"
    (one,) = log["runs"]
    assert one["tool"]["driver"]["version"] == __version__
    assert {rule["id"] for rule in one["tool"]["driver"]["rules"]} == {"P101", "P204"}
    assert [result["level"] for result in one["results"]] == ["error", "warning"]
    place = one["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "broken.pipe"
    assert place["region"]["startLine"] == 14


def test_the_configuration_counts_although_all_else_is_remembered(folder: Path) -> None:
    config = folder / "pyproject.toml"
    cache = {"XDG_CACHE_HOME": str(folder / "cache"), "PIPELANG_NO_CACHE": ""}
    call = ("check", "warned.pipe", "--strict", "--format", "github")
    codes = []
    for text in (None, '[tool.pipelang]\nignore = ["P2"]\n', None, "[tool.pipelang]\nignre = []\n"):
        if text is None:
            config.unlink(missing_ok=True)
        else:
            config.write_text(text, encoding="utf-8")
        codes += [run(*call, cwd=folder, **cache).returncode for _ in range(2)]
    assert codes == [1, 1, 0, 0, 1, 1, 2, 2]


def test_a_configuration_that_is_wrong_is_told_with_its_place(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.pipelang]\nprofile = "prod"\n', "utf-8")
    done = run("check", "sound.pipe", "warned.pipe", cwd=folder)
    assert done.returncode == 2
    assert "error[P890]: in the configuration: there is no profile `prod`" in out(done)
    assert "--> pyproject.toml:2:12" in out(done)
    assert out(done).count("error[") == 1


def test_codes_on_the_command_line(folder: Path) -> None:
    assert run("check", "warned.pipe", "--strict", "--ignore", "P204", cwd=folder).returncode == 0
    assert run("check", "missed.pipe", "--select", "P2,P6", cwd=folder).returncode == 0
    wrong = run("check", "missed.pipe", "--select", "P5O1", cwd=folder)
    assert wrong.returncode == 2
    assert "--select: there is no code `P5O1`; did you mean `P501`?" in err(wrong)


def test_colour_only_where_it_is_wanted(folder: Path) -> None:
    assert b"\x1b[" not in run("check", "sound.pipe", cwd=folder).stdout
    assert b"\x1b[" in run("check", "sound.pipe", cwd=folder, FORCE_COLOR="1").stdout
    both = run("check", "sound.pipe", cwd=folder, FORCE_COLOR="1", NO_COLOR="1")
    assert b"\x1b[" not in both.stdout


def test_utf8_whatever_the_locale(folder: Path) -> None:
    done = run("check", "missed.pipe", cwd=folder, LC_ALL="C", PYTHONIOENCODING="ascii")
    assert "✗" in out(done)


@POSIX
@pytest.mark.parametrize("arguments", ["check .", "check . --format json", "explain"])
def test_a_reader_that_goes_away_is_no_error(folder: Path, arguments: str) -> None:
    command = f'set -o pipefail; "{sys.executable}" -m pipelang {arguments} | true'
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stderr == ""
    assert done.returncode in (0, 1, 141)


# -------------------------------------------------------------------- the command itself


def test_alone_it_says_what_there_is(tmp_path: Path) -> None:
    alone, asked = run(cwd=tmp_path), run("--help", cwd=tmp_path)
    assert alone.returncode == asked.returncode == 0
    assert alone.stdout == asked.stdout
    for name in ("check", "test", "run", "fmt", "explain"):
        assert f"\n  {name} " in out(asked)


def test_version(tmp_path: Path) -> None:
    assert out(run("--version", cwd=tmp_path)).strip() == f"pipelang {__version__}"


def test_an_unknown_command_gets_the_nearest(tmp_path: Path) -> None:
    done = run("chekc", cwd=tmp_path)
    assert done.returncode == 2
    assert "there is no command `chekc`; did you mean `check`?" in err(done)


def test_help_loads_nothing_but_click(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pipelang.interfaces.cli.main import main\nmain(['--help'])\n"
        "print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    heavy = {"anthropic", "jinja2", "lark", "networkx", "numpy", "pydantic", "rich"}
    assert not heavy & set(done.stderr.split())


@pytest.mark.parametrize(
    ("arguments", "text", "never"),
    [
        (["check"], BROKEN, {"click", "networkx", "numpy", "pydantic", "rich"}),
        (["check"], SOUND, {"click", "networkx", "pydantic", "rich"}),
        (["check", "--format", "html", "-o", "page.html"], SOUND, {"networkx"}),
    ],
)
def test_checks_load_only_what_they_need(
    tmp_path: Path, arguments: list[str], text: str, never: set[str]
) -> None:
    (tmp_path / "a.pipe").write_text(text, encoding="utf-8")
    code = (
        "import os, sys\n"
        "def told(*_): print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)\n"
        "leave = os._exit\n"
        "def leaving(code): told(); sys.stderr.flush(); leave(code)\n"
        "os._exit = leaving\n"
        "from pipelang.interfaces.cli.main import main\n"
        f"main([*{arguments!r}, 'a.pipe'])\n"
        "told()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(REPO), "XDG_CACHE_HOME": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    loaded = set(done.stderr.splitlines()[-1].split())
    assert "pipelang" in loaded, done.stderr
    assert not never & loaded


def test_our_own_defects_are_one_line(tmp_path: Path) -> None:
    code = (
        "import sys\nimport pipelang.interfaces.cli.explain as e\n"
        "from pipelang.interfaces.cli.main import main\n"
        "def broken(code): raise LookupError('a\\nb')\n"
        "e.find = broken\nsys.exit(main(['explain', 'P101']))"
    )

    def call(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(REPO), **environment},
            capture_output=True,
            text=True,
            timeout=60,
        )

    done = call()
    assert done.returncode == 3
    assert done.stderr == (
        "pipelang: internal error: LookupError: a b (set PIPELANG_DEBUG=1 for the traceback)\n"
    )
    assert "Traceback" in call(PIPELANG_DEBUG="1").stderr


# -------------------------------------------------------------------------------- explain


@pytest.mark.parametrize("code", ["P201", "p201", "unknown-name"])
def test_explain(tmp_path: Path, code: str) -> None:
    text = out(run("explain", code, cwd=tmp_path))
    assert text.startswith("P201  unknown-name\n")
    assert "unknown WHAT `NAME`" in text


def test_explain_lists_every_code(tmp_path: Path) -> None:
    from pipelang.diagnostics import RULES

    text = out(run("explain", cwd=tmp_path))
    assert [code for code in RULES if f"\n  {code}  " not in text] == []


@pytest.mark.parametrize(("code", "nearest"), [("P2O1", "P201"), ("unknown-nam", "unknown-name")])
def test_explain_an_unknown_code(tmp_path: Path, code: str, nearest: str) -> None:
    done = run("explain", code, cwd=tmp_path)
    assert done.returncode == 2
    assert f"did you mean `{nearest}`?" in err(done)


# ------------------------------------------------------------------------------------ fmt

UGLY = "enum   A{x y}\n\n\n\n# kept\nenum B { z }\n"


def test_fmt_writes_in_place_and_keeps_the_mode(tmp_path: Path) -> None:
    path = tmp_path / "a.pipe"
    path.write_bytes(UGLY.encode())
    path.chmod(0o640)
    done = run("fmt", cwd=tmp_path)
    assert (done.returncode, out(done)) == (0, "formatted a.pipe\n1 file changed\n")
    neat = path.read_bytes()
    assert neat != UGLY.encode()
    assert b"# kept" in neat
    if os.name != "nt":
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    again = run("fmt", "a.pipe", cwd=tmp_path)
    assert (again.returncode, out(again)) == (0, "1 file already in layout\n")
    assert path.read_bytes() == neat
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.pipe"]


def test_fmt_check_and_diff_change_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.pipe"
    path.write_bytes(UGLY.encode())
    checked = run("fmt", "--check", "a.pipe", cwd=tmp_path)
    assert checked.returncode == 1
    assert "would format a.pipe" in out(checked)
    differing = run("fmt", "--diff", "a.pipe", cwd=tmp_path)
    assert differing.returncode == 0
    assert out(differing).startswith("--- a.pipe\n+++ a.pipe\n@@ ")
    assert "-enum   A{x y}\n" in out(differing)
    assert "1 file would change" in err(differing)
    assert run("fmt", "--check", "--diff", "a.pipe", cwd=tmp_path).returncode == 1
    assert path.read_bytes() == UGLY.encode()


def test_fmt_keeps_the_line_ends(tmp_path: Path) -> None:
    """git may check files out with CRLF; that is no matter of layout."""
    lines = SOUND.replace("\n", "\r\n").encode()
    (tmp_path / "crlf.pipe").write_bytes(lines)
    assert run("fmt", "--check", "crlf.pipe", cwd=tmp_path).returncode == 0
    (tmp_path / "crlf.pipe").write_bytes(lines.replace(b"  ", b"    "))
    assert run("fmt", "crlf.pipe", cwd=tmp_path).returncode == 0
    assert (tmp_path / "crlf.pipe").read_bytes() == lines
    piped = run("fmt", "-", cwd=tmp_path, stdin=lines.replace(b"  ", b"    "))
    assert piped.stdout == lines


def test_columns_count_in_a_pipe_too(folder: Path) -> None:
    for columns, width in (
        ("80", 80),
        ("120", 120),
        ("", 100),
        ("none", 100),
        ("50", 50),
        ("9", 40),
    ):
        text = out(run("check", "warned.pipe", cwd=folder, COLUMNS=columns))
        assert f"\n{'─' * width}\n" in text
        assert max(map(len, text.splitlines())) == width
    as_json = [
        run("check", "warned.pipe", "--format=json", cwd=folder, COLUMNS=columns).stdout
        for columns in ("80", "120")
    ]
    assert as_json[0] == as_json[1]


EVIL = "\x1b]0;title\x07\x1b[31m\u202e\x9b31m"


def test_nothing_that_is_checked_or_tested_acts_on_a_terminal(tmp_path: Path) -> None:
    name = f"a{EVIL}\n::error::x.pipe"
    (tmp_path / name).write_text(
        f'''pipeline p(w: text max 99 tokens) -> text {{
  gate g: w != "{EVIL}" else fail "{EVIL}\\n::error::y"
  gate h: len(w) > 3 else reject "{EVIL}\\n##[error]z"
  return w
}}
test "{EVIL}\\n::error::t" {{
  given  p("abcdef{EVIL}")
  expect rejected
}}
''',
        encoding="utf-8",
    )
    acting = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
    for words in (
        ["check", "."],
        ["check", "--verbose", "."],
        ["check", "--format=json", "."],
        ["check", "--format=sarif", "."],
        ["check", "--format=github", "--profile=production", "."],
        ["test", "."],
        ["test", "--format=json", "."],
        ["fmt", "--check", "."],
        ["graph", name],
        ["compile", "--to=prism", name],
        [f"chekc{EVIL}"],
        ["check", f"--{EVIL}"],
    ):
        done = run(*words, cwd=tmp_path)
        text = (done.stdout + done.stderr).decode()
        assert text
        assert not acting.search(text), words
        lines = [line for line in text.splitlines() if re.match(r"\s*::|.*##\[", line)]
        ours = "--format=github" in words
        assert (
            all(re.match("::(error|warning) file=a", line) for line in lines) if ours else not lines
        )


def test_a_model_in_prism_stays_in_its_comment(tmp_path: Path) -> None:
    (tmp_path / "a\nmodule evil.pipe").write_text(SOUND, encoding="utf-8")
    done = run("compile", "--to=prism", "a\nmodule evil.pipe", cwd=tmp_path)
    assert done.returncode == 0
    assert re.search("^// pipeline .* of a module evil.pipe,", out(done), re.MULTILINE)
    assert not re.search("^module evil", out(done), re.MULTILINE)


def test_fmt_reads_what_check_reads(tmp_path: Path) -> None:
    for name, text, code in (
        ("marks.pipe", b"\xef\xbb\xbf\xef\xbb\xbf" + SOUND.encode(), 0),
        ("old_mac.pipe", b"# a\r" + SOUND.replace("\n", "\r").encode(), 1),
    ):
        (tmp_path / name).write_bytes(text)
        assert run("check", name, cwd=tmp_path).returncode == code
        assert run("fmt", name, cwd=tmp_path).returncode == code
        # A comment would have swallowed all that stands behind it.
        assert code == 0 or (tmp_path / name).read_bytes() == text


def test_fmt_from_standard_input(tmp_path: Path) -> None:
    done = run("fmt", "-", cwd=tmp_path, stdin=UGLY.encode())
    assert done.returncode == 0
    again = run("fmt", "-", cwd=tmp_path, stdin=done.stdout)
    assert again.stdout == done.stdout
    assert run("fmt", "--check", "-", cwd=tmp_path, stdin=UGLY.encode()).returncode == 1
    assert run("fmt", "-", "a.pipe", cwd=tmp_path).returncode == 2
    latin = run("fmt", "-", cwd=tmp_path, stdin=b"enum A { \xff }")
    assert (latin.returncode, latin.stdout) == (1, b"")


def test_fmt_leaves_a_broken_file_alone(folder: Path) -> None:
    (folder / "ugly.pipe").write_bytes(UGLY.encode())
    before = (folder / "broken.pipe").read_bytes()
    done = run("fmt", "broken.pipe", "ugly.pipe", "latin.pipe", cwd=folder)
    assert done.returncode == 1
    assert (folder / "broken.pipe").read_bytes() == before
    assert (folder / "ugly.pipe").read_bytes() != UGLY.encode()
    assert "error[P101]" in err(done)
    assert "latin.pipe` cannot be read" in err(done)
    assert "1 file changed and 2 files left alone" in out(done)


def test_fmt_of_a_path_that_is_not_there(folder: Path) -> None:
    done = run("fmt", "sond.pipe", cwd=folder)
    assert done.returncode == 2
    assert "did you mean `sound.pipe`?" in err(done)


@POSIX
def test_fmt_keeps_links_and_respects_protection(tmp_path: Path) -> None:
    real, link = tmp_path / "real.pipe", tmp_path / "link.pipe"
    real.write_bytes(UGLY.encode())
    link.symlink_to(real)
    assert run("fmt", "link.pipe", cwd=tmp_path).returncode == 0
    assert link.is_symlink()
    assert real.read_bytes() != UGLY.encode()
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    real.write_bytes(UGLY.encode())
    real.chmod(0o444)
    done = run("fmt", "real.pipe", cwd=tmp_path)
    assert done.returncode == 1
    assert "real.pipe cannot be written: it is write-protected" in err(done)
    assert real.read_bytes() == UGLY.encode()
