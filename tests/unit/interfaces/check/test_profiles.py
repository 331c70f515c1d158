"""Profiles: the complete file is quiet, and what lacks one thing is told that one thing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelang.diagnostics import RULES
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.profiles.config import CheckSettings, Config, combined, is_at
from pipelang.interfaces.check.profiles.judging import OF_IMPORTS, OF_PRODUCTION
from pipelang.interfaces.check.profiles.nearest import Configs, above, may_configure
from pipelang.interfaces.check.profiles.reading import read_config
from pipelang.interfaces.check.profiles.table import NotToml, table_of
from pipelang.syntax.format import format_source

from ....memory import MemoryLoader

CONFIG = """\
[tool.pipelang]
profile = "production"

[tool.pipelang.production]
trace = "otel"
audit = "audit.jsonl"
state = "sqlite:///state.db"
"""

COMPLETE = '''\
type Message {
  body: untrusted text max 500 tokens
  tags: [text max 5 tokens] max 3
}

type Kind {
  urgent:     bool
  confidence: probability
}

provider north { available 99.9% }
provider south { available 99.9% }

tier small { provider north price $1 in, $5 out transient 1% context 50k tokens }
tier large { provider south price $2 in, $9 out transient 1% context 50k tokens }

role staff {
  people   2
  handles  5m
  responds 10m median, 1h p95
  accuracy 95%
}

tool file_it(urgent: bool) {
  python   "desk:file_it"
  effect   write
  timeout  5s
  succeeds 99%
}

prompt sort(message: Message) """Sort this: {{ message.body }}"""

pipeline sort_it(message: Message) -> Kind {
  budget $0.10, 2m else escalate to staff "the budget is spent"

  slo { failure <= 20% }

  step kind: Kind = ask sort(message) by small { accuracy 92% timeout 10s output 60 tokens max }
    else ask sort(message) by large { accuracy 92% timeout 10s output 60 tokens max }
    else escalate to staff "no model answers"

  gate sure: kind.confidence >= 80% { catches 90% false_alarms 5% }
    else escalate to staff "not sure"

  approve urgent by staff when kind.urgent within 4h else reject "not urgent"

  step filed = call file_it(kind.urgent) else fail "not filed"

  return kind
}
'''


def told(text: str, config: str = CONFIG, asked: CheckSettings | None = None) -> list[str]:
    loader = MemoryLoader({"a.pipe": text, "pyproject.toml": config})
    checked = check_file("a.pipe", loader, Configs(loader, asked or CheckSettings()))
    return [f"{one.rule.code} {one.severity.value}" for one in checked.diagnostics]


def without(part: str, by: str = "") -> str:
    assert COMPLETE.count(part) == 1, part
    return COMPLETE.replace(part, by)


def test_the_complete_file_has_no_findings() -> None:
    assert told(COMPLETE) == []
    assert told(COMPLETE, "") == []


@pytest.mark.parametrize(
    ("code", "part", "by"),
    [
        ("P801", ' else fail "not filed"', ""),
        ("P513", 'else escalate to staff "no model answers"', 'else fail "no answer"'),
        ("P802", "body: untrusted text max 500 tokens", "body: untrusted text"),
        ("P802", "tags: [text max 5 tokens] max 3", "tags: [text max 5 tokens]"),
        ("P802", "tags: [text max 5 tokens] max 3", "tags: json"),
        ("P803", '  budget $0.10, 2m else escalate to staff "the budget is spent"\n', ""),
        ("P803", "$0.10, 2m", "$0.10"),
        ("P803", "$0.10, 2m", "2m"),
        ("P804", "  timeout  5s\n", ""),
        ("P804", " within 4h", ""),
        ("P807", '"the budget is spent"', ""),
        ("P808", "{ catches 90% false_alarms 5% }", ""),
        ("P502", "failure <= 20%", "success >= 85%"),
    ],
)
def test_what_lacks_one_thing_is_told_that_one(code: str, part: str, by: str) -> None:
    text = without(part, by)
    if part.startswith("body"):  # an unbounded prompt is another family's finding
        text = text.replace("{{ message.body }}", "{% for t in message.tags %}{{ t }}{% endfor %}")
    # What a threshold without evidence lets happen is a finding of another family; so is a promise
    # that nothing decides, because the time of the budget may cut what has no limit of its own.
    others = ("P705", "P502") if "timeout" in part else ("P705",)
    assert [one for one in told(text) if not one.startswith(others)] == [f"{code} error"]


@pytest.mark.parametrize(("code", "key"), [("P805", "trace"), ("P805", "audit"), ("P806", "state")])
def test_what_a_project_lacks(code: str, key: str) -> None:
    config = re.sub(rf"^{key} = .*\n", "", CONFIG, flags=re.MULTILINE)
    assert told(COMPLETE, config) == [f"{code} error"]


def test_without_any_declaration_both_are_told() -> None:
    assert told(COMPLETE, "", CheckSettings("production")) == ["P805 error", "P806 error"]


def test_a_demand_of_production_is_none_of_the_demo() -> None:
    bare = "pipeline p(word: text) -> text { return word }\n"
    assert told(bare, "") == []
    assert told(bare, CONFIG, CheckSettings("demo")) == []
    assert told(bare) == ["P803 error", "P802 error"]


def test_the_threshold_is_told_once() -> None:
    text = without("{ catches 90% false_alarms 5% }")
    assert told(text, "") == ["P504 warning", "P705 error"]
    assert told(text) == ["P808 error", "P705 error"]


def test_an_undecided_promise_is_a_warning_first() -> None:
    assert told(without("failure <= 20%", "success >= 85%"), "") == ["P502 warning"]


def test_the_sets_name_codes_that_there_are() -> None:
    assert RULES.keys() >= OF_PRODUCTION | OF_IMPORTS
    assert {f"P80{n}" for n in range(1, 9)} <= OF_PRODUCTION


# --------------------------------------------------------------------------- which codes


def test_the_command_line_counts_more() -> None:
    config = Config(profile="production", select=("P5",), ignore=("P501",))
    assert combined(config, CheckSettings()) == config
    assert combined(config, CheckSettings("demo")).profile == "demo"
    chosen = combined(config, CheckSettings(select=("P501",)))
    assert chosen.tells("P501")
    assert not chosen.tells("P502")
    more = combined(config, CheckSettings(ignore=("P502",)))
    assert [code for code in ("P501", "P502", "P503", "P601") if more.tells(code)] == ["P503"]


@pytest.mark.parametrize(
    ("glob", "hit"),
    [
        ("b.pipe", True),
        ("*.pipe", True),
        ("a/*.pipe", True),
        ("a/**/b.pipe", True),
        ("**/b.pipe", True),
        ("**/a/*", True),
        ("a/c/*.pipe", False),
        ("c.pipe", False),
        ("a", False),
    ],
)
def test_globs_are_as_in_ruff(glob: str, hit: bool) -> None:
    assert is_at("x/a/b.pipe", glob, "x") is hit
    assert is_at("/x/a/b.pipe", glob, "/x") is hit


def test_the_nearest_that_speaks_of_pipelang_counts() -> None:
    text = "pipeline p(word: text) -> text { return word }\nfn f() -> int = 1\n"
    files = {
        "pyproject.toml": '[tool.pipelang]\nignore = ["P204"]\n',
        "a/pyproject.toml": '[tool.pipelang]\nprofile = "production"\nignore = ["P8"]\n',
        "a/b/pyproject.toml": '[project]\nname = "x"\ndependencies = ["pipelang-dsl"]\n',
        **dict.fromkeys(("x.pipe", "a/x.pipe", "a/b/x.pipe", "c/x.pipe"), text),
    }
    loader = MemoryLoader(files)
    configs = Configs(loader)
    assert [configs.of(f"{place}x.pipe").config.profile for place in ("", "a/", "a/b/", "c/")] == [
        "demo",
        "production",
        "production",
        "demo",
    ]
    assert [one.rule.code for one in check_file("a/b/x.pipe", loader, configs).diagnostics] == [
        "P204"
    ]
    assert not check_file("c/x.pipe", loader, configs).diagnostics


def test_it_is_looked_for_up_to_the_root(tmp_path: Path) -> None:
    places = list(above(str(tmp_path / "a" / "x.pipe")))
    assert places[0] == str(tmp_path / "a" / "pyproject.toml")
    assert places[-1] == str(Path(tmp_path.anchor) / "pyproject.toml")
    assert list(above("x.pipe"))[:2] == ["pyproject.toml", str(Path("..") / "pyproject.toml")]
    assert len(list(above("x.pipe"))) == len(Path.cwd().parts)


# ------------------------------------------------------------------------------ mistakes


@pytest.mark.parametrize(
    "text",
    [
        "[tool.pipelang]\nprofile =",
        "[tool.pipelang]\nprofile = 3",
        "[tool.pipelang]\nprofile = []",
        "[tool.pipelang]\nselect = {}",
        "[tool.pipelang]\nselect = [['P5']]",
        "[tool.pipelang.mcp.desk]\ncomand = ['x']",
        "[tool.pipelang.mcp.desk]\ncommand = 'x'",
        "[tool.pipelang.mcp.desk]\ncommand = ['x']\nurl = 'http://x'",
        "[tool.pipelang.mcp.desk]",
        "[tool.pipelang.mcp.desk]\nurl = 3",
        "[tool.pipelang.mcp.desk]\nurl = 'http://x'\nheaders = {A = 1}",
        "[tool.pipelang.mcp]\ndesk = 1",
        "[tool.pipelang]\nmcp = 1",
        "[tool.pipelang]\nignore = ['']",
        "[tool.pipelang]\nignore = ['p501']",
        "[tool.pipelang]\nproduction = 'yes'",
        "[tool.pipelang]\nper-file-ignores = []",
        "[tool.pipelang]\n'' = 1",
        "[tool]\npipelang = 2024-01-01",
        "[tool.pipelang.production]\nstate = 2024-01-01",
        "[tool.pipelang.production]\nstate = true",
        "[tool.pipelang]\nprofile = 'demo'\nprofile = 'demo'",
        '[tool.pipelang]\nprofile = "\x00"',
        '[tool.pipelang]\nprofile = """',
        "[tool.pipelang]\nprofile = " + "[" * 20_000,
        "[tool.pipelang]\nprofile = " + "9" * 5_000,
    ],
)
def test_a_bad_configuration_is_told_with_a_place_and_nothing_else(text: str) -> None:
    read = read_config("pyproject.toml", text)
    assert read is not None
    _, found = read
    assert found
    for one in found:
        assert one.rule.code == "P890"
        assert one.span is not None
        assert 0 <= one.span.start <= one.span.end <= len(text)
        assert "None" not in one.message + (one.help or "")
    assert set(told("pipeline p(", text)) == {"P890 error"}


@pytest.mark.parametrize(
    "text",
    [
        "[tool.pipelang]\n",
        "[ tool . pipelang ]\n",
        "['tool'.\"pipelang\"]\n",
        "[tool.pipelang.mcp.desk]\ncommand = ['x']\n",
        "[[tool.pipelang]]\n",
        "tool.pipelang.profile = 'demo'\n",
        "tool . 'pipelang' = 1\n",
        "[tool]\npipelang = {}\n",
        '[ "tool" ]\n[x]\n',
        "[tool] # of pipelang\n'pipelang'.profile = 'demo'\n",
        "tool = { a = [\n1], pipelang.profile = 'demo' }\n",
        "'tool'={pipelang={}}\n",
        '["t\\u006fol".pipelang]\n',
        "\"\\U00000074ool\".pipelang.profile = 'demo'\n",
    ],
)
def test_who_may_have_a_table_is_read(text: str) -> None:
    """However TOML lets somebody write it: what is not read at all must have none."""
    whole = f"{text}# pipelang\n"
    assert may_configure(whole)
    assert not may_configure(whole.replace("tool", "tools").replace("\\", ""))
    installed = "[project]\ndependencies = ['pipelang-dsl']\n[tool.uv.sources]\npipelang-dsl = {}\n"
    assert not may_configure(installed)
    assert may_configure(installed + text)


PARTS = ("tool", "pipelang", "[", "]", ".", "'", '"', "=", "{", "}", " ", "\n", "1", "x", "\\u006c")


@given(st.lists(st.sampled_from(PARTS), max_size=12).map("".join))
def test_what_has_a_table_may_have_one(text: str) -> None:
    try:
        found = table_of(text)
    except NotToml:
        return
    assert found is None or "pipelang" not in text or may_configure(text)


def test_a_file_that_only_installs_pipelang_is_no_business_of_ours() -> None:
    """Even if it is broken: it is passed over like one that never heard of pipelang."""
    text = "pipeline p(word: text max 9 tokens) -> text { return word }\n"
    said = []
    for config in ("dependencies = ['pipelang-dsl'\n", "[tool.pipelang\n", "[tool pipelang]\n"):
        loader = MemoryLoader({"a.pipe": text, "pyproject.toml": config})
        found = check_file("a.pipe", loader, Configs(loader)).diagnostics
        said.append([one.rule.code for one in found])
    assert said == [[], ["P890"], ["P890"]]


def test_check_and_run_take_the_same_servers(tmp_path: Path) -> None:
    """One reader: what `run` connects to is nothing that `check` does not know."""
    from pipelang.interfaces.runs.mcp_servers import BadConfig, servers_of

    project, file = tmp_path / "pyproject.toml", tmp_path / "a" / "x.pipe"
    file.parent.mkdir()
    file.write_text("pipeline p(w: text max 9 tokens) -> text { return w }\n", encoding="utf-8")
    project.write_text(
        "[tool.pipelang.mcp.desk]\ncommand = ['python', 'desk.py']\nenv = {A = 'env:B'}\n"
        "[tool.pipelang.mcp.far]\nurl = 'http://far'\nheaders = {C = 'Bearer env:D'}\n",
        encoding="utf-8",
    )
    assert check_file(str(file)).diagnostics == ()
    servers = servers_of(str(file))
    assert list(servers) == ["desk", "far"]
    assert servers["desk"].command == ("python", "desk.py")
    assert servers["desk"].folder == tmp_path
    assert servers["desk"].secrets() == ("env:B",)
    assert (servers["far"].url, servers["far"].folder) == ("http://far", None)
    assert servers["far"].secrets() == ("env:D",)
    project.write_text("[tool.pipelang.mcp.desk]\ncomand = ['x']\n", encoding="utf-8")
    assert [one.rule.code for one in check_file(str(file)).diagnostics] == ["P890"]
    with pytest.raises(BadConfig, match="did you mean `command`"):
        servers_of(str(file))


@given(st.text(alphabet='[]"=,.# \n\\pPl5ignore-tool', max_size=60))
def test_no_configuration_makes_it_fall_over(text: str) -> None:
    for whole in (text, f"[tool.pipelang]\n{text}", f"[tool.pipelang]\nignore = [{text}]\n"):
        read = read_config("pyproject.toml", whole)
        for one in read[1] if read is not None else ():
            assert one.span is not None
            assert 0 <= one.span.start <= one.span.end <= len(whole)


# ------------------------------------------------------------------------------ comments


@given(st.text(alphabet="ignore[]P5,# \n\t(){}:", max_size=60))
def test_no_comment_makes_it_fall_over(text: str) -> None:
    from pipelang.diagnostics import Source
    from pipelang.interfaces.check.profiles.comments import ignores

    for whole in (f"# pipelang: {text}", f"pipeline p(a: int) -> int {{ # pipelang:{text}\n"):
        ignored, wrong = ignores(Source("a.pipe", whole))
        for span in (*(one.span for one in ignored), *(one.span for one in wrong)):
            assert span is not None
            assert 0 <= span.start < span.end <= len(whole)
        for one in ignored:
            assert whole[one.span.start : one.span.end] == one.code


IGNORED = """\
enum Unused{red green}      # pipelang: ignore[P204]

pipeline p(word: text max 9 tokens,
   other: text max 9 tokens) -> text {   # pipelang: ignore[P803]
  gate a: word == "a" else reject "a"     # pipelang: ignore[P2, P5] until it is used
  step b = run q(word,
      "a long text that makes a line of its own for every argument of it, as long as it is")
      else "nothing"   # pipelang: ignore[P6]
  return b
}
pipeline q(word: text max 9 tokens, other: text max 99 tokens) -> text { # pipelang: ignore[P4]
  return word }
"""


def test_the_formatter_keeps_such_comments_on_their_lines() -> None:
    from pipelang.diagnostics import Source
    from pipelang.interfaces.check.profiles.comments import ignores

    once, _ = format_source(Source("a.pipe", IGNORED))
    before, _ = ignores(Source("a.pipe", IGNORED))
    after, wrong = ignores(Source("a.pipe", once))
    assert not wrong
    assert [one.code for one in after] == [one.code for one in before]
    lines = once.splitlines()
    said = {one.code: lines[one.line - 1] for one in after}
    assert said["P204"].startswith("enum Unused")
    assert said["P5"].lstrip().startswith("gate a")
    assert said["P4"].startswith("pipeline q")


LONG = """\
role staff { people 2 handles 5m responds 10m median, 1h p95 }
tier small { price $1 in, $5 out context 50k tokens }
tool find(word: text) -> text max 100 tokens { effect read }
type A { body: text max 20 tokens confidence: probability }
prompt tell(word: text) \"\"\"{{ word }}\"\"\"
pipeline p(word: text, a_rather_long_name_for_a_word: text max 4 tokens, a_third_one: text max 4 tokens) -> A {  # pipelang: ignore[P802, P805, P806]
  budget $1  # pipelang: ignore[P803]
  step a: A = ask tell(a_rather_long_name_for_a_word) by small { output 50 tokens max accuracy 92% correlation 30% } # pipelang: ignore[P804, P801, P603]
  step b = call find(a_rather_long_name_for_a_word) else call find(a_third_one) else escalate to staff  # pipelang: ignore[P804, P807]
  gate sure: a.confidence >= 80% and b == "some very long text that does not fit" and word == "" else reject "no" # pipelang: ignore[P808]
  approve it by staff when a_rather_long_name_for_a_word == "some very long text of some kind" else reject "no" # pipelang: ignore[P804]
  return a
}
"""  # noqa: E501


def test_what_is_ignored_stays_so_when_the_formatter_breaks_lines() -> None:
    from pipelang.diagnostics import Source

    neat, _ = format_source(Source("a.pipe", LONG))
    assert neat.count("\n") > LONG.count("\n") + 10
    asked = CheckSettings("production", select=("P8",))
    assert told(LONG, "", asked) == told(neat, "", asked) == []
    spoken = re.sub(r" *# pipelang.*", "", neat)
    found = {line.split()[0] for line in told(spoken, "", asked)}
    assert found == {f"P80{number}" for number in range(1, 9)}


def test_a_comment_behind_a_block_does_not_speak_for_what_is_in_it() -> None:
    text = """\
tool find(word: text) -> text max 100 tokens { effect read }
pipeline p(word: text max 9 tokens) -> text {
  when word == "" {
    step a = call find(word) else reject "no"
    return a
  }  # pipelang: ignore[P804]
  match word == "a" {
    true {
      step b = call find(
        word  # pipelang: ignore[P804]
      ) else reject "no"
      return b
    }
    false { return word }
  }  # pipelang: ignore[P804]
}  # pipelang: ignore[P804]
"""
    asked = CheckSettings("production", select=("P804", "P892"))
    assert told(text, "", asked) == [
        *("P804 error", "P892 warning"),
        *("P804 error", "P892 warning", "P892 warning", "P892 warning"),
    ]


def test_what_is_unused_is_mended() -> None:
    text = "fn f() -> int = 1  # pipelang: ignore[P501]\n"
    loader = MemoryLoader({"a.pipe": "pipeline p() -> int { return f() }\n" + text})
    (one,) = check_file("a.pipe", loader).diagnostics
    (edit,) = one.edits
    whole = loader.files["a.pipe"]
    assert (whole[: edit.span.start] + whole[edit.span.end :]).endswith("fn f() -> int = 1\n")


@pytest.mark.parametrize("path", ["a.pipe", "./a.pipe", "b/../a.pipe"])
def test_comments_are_judged_by_whatever_name_a_file_is_called(path: str) -> None:
    text = "pipeline p() -> int { return 1 }\nfn f() -> int = 1  # pipelang: ignore[P204, P501]\n"
    found = check_file(path, MemoryLoader({"a.pipe": text})).diagnostics
    assert [one.rule.code for one in found] == ["P892"]


def test_half_of_a_comment_is_not_mended() -> None:
    text = "pipeline p() -> int { return 1 }\nfn f() -> int = 1  # pipelang: ignore[P204, P501]\n"
    (one,) = check_file("a.pipe", MemoryLoader({"a.pipe": text})).diagnostics
    assert one.rule.code == "P892"
    assert not one.edits


def test_the_configuration_that_the_page_shows_is_one() -> None:
    page = (Path(__file__).parents[4] / "docs" / "ci.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    read = read_config("pyproject.toml", shown)
    assert read is not None
    config, found = read
    assert not found
    assert config.profile == "production"
    assert not config.tells("P505")
    assert not config.tells_of("P801", "examples/a/b.pipe")
    assert None not in (config.setup.trace, config.setup.audit, config.setup.state)
