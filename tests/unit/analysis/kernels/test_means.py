"""Means are means: feedback, branches, loops and retries count as often as they come."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

HEAD = """
role desk { accuracy 98% }
provider px { kind simulated available 100% }
tier fa {
  provider px price $1 in, $5 out latency 500ms median, 2s p95 transient 0% context 200k tokens
}
tier kept {
  provider px price $1 in, $5 out, $1.25 cache_write, $0.1 cache_read
  latency 500ms median, 2s p95 transient 0% context 200k tokens
}
prompt told(q: text max 60 tokens)
\"\"\"ABCDEFGH{{ q }}{% if feedback %}XXXX{{ feedback }}{% endif %}\"\"\"
prompt either(q: text max 60 tokens, v: bool)
\"\"\"ABCDEFGH{% if v %}{{ q }}{% else %}ABCDEFGHABCDEFGH{% endif %}\"\"\"
prompt many(xs: [text max 20 tokens] max 9) \"\"\"{% for x in xs %}ABCD{{ x }}{% endfor %}\"\"\"
tool look(q: text max 20 tokens) -> text max 20 tokens {
  effect read succeeds 75% cost $0.01 timeout 3s latency 1s median, 2s p95 retry 2
}
type Box { steps: [text max 20 tokens] max 9 }
tool box(q: text max 20 tokens) -> Box? { effect read succeeds 100% timeout 3s }
"""
OUT = "accuracy 80% timeout 10s output 10 tokens mean, 50 tokens max"


def mean(folder: Path, text: str, metric: str = "cost") -> dict[str, Any]:
    path = folder / "m.pipe"
    path.write_text(HEAD + text.replace("OUT", OUT), encoding="utf-8")
    report = report_json([check_file(str(path))])
    errors = [d["message"] for d in report["diagnostics"] if d["severity"] == "error"]
    assert not errors, errors
    found: dict[str, Any] = report["pipelines"]["m"][metric]["mean"]
    return found


def test_feedback_counts_in_the_attempts_that_have_some(tmp_path: Path) -> None:
    """2 + 20 tokens in and 10 out; a second attempt in 2% of the runs has 201 more."""
    found = mean(
        tmp_path,
        "pipeline m(q: text max 60 tokens) -> text max 60 tokens {\n"
        "  traffic 1/day { q: 20 tokens mean }\n"
        "  step s: text max 60 tokens = ask told(q) by fa { OUT correlation 0% }\n"
        "  gate g: len(s) >= 3 { catches 10% false_alarms 0% } else redo s up to 1 else reject\n"
        "  return s\n}\n",
    )
    first = 22e-6 + 50e-6
    assert found["value"] == pytest.approx(first + 0.02 * (first + 201e-6), rel=1e-12)


def test_a_branch_counts_by_its_share(tmp_path: Path) -> None:
    text = (
        "pipeline m(q: text max 60 tokens, v: bool) -> text max 60 tokens {\n"
        "  traffic 1/day { q: 20 tokens mean SHARE }\n"
        "  step s: text max 60 tokens = ask either(q, v) by fa { OUT }\n"
        "  return s\n}\n"
    )
    known = mean(tmp_path, text.replace("SHARE", "v: 25%"))
    assert known["value"] == pytest.approx((2 + 0.25 * 20 + 0.75 * 4) * 1e-6 + 50e-6, rel=1e-12)
    assert known["basis"] == "assumed"
    longest = mean(tmp_path, text.replace("SHARE", ""))
    assert longest["value"] == pytest.approx(22e-6 + 50e-6, rel=1e-12)
    assert longest["basis"] == "bound"


def test_a_loop_counts_by_the_declared_length(tmp_path: Path) -> None:
    found = mean(
        tmp_path,
        "pipeline m(xs: [text max 20 tokens] max 9) -> text max 60 tokens {\n"
        "  traffic 1/day { xs.length: 3 mean }\n"
        "  step s: text max 60 tokens = ask many(xs) by fa { OUT }\n"
        "  return s\n}\n",
    )
    assert found["value"] == pytest.approx(3 * (1 + 20) * 1e-6 + 50e-6, rel=1e-12)


@pytest.mark.parametrize(("size", "price"), [(900, 1.0), (1100, 1.25)])
def test_a_prompt_that_a_provider_may_keep_counts_as_written(
    size: int, price: float, tmp_path: Path
) -> None:
    found = mean(
        tmp_path,
        f"prompt long(q: text max {size} tokens) "
        '{ system """S""" user """{{ q }}""" }\n'
        f"pipeline m(q: text max {size} tokens) -> text max 60 tokens {{\n"
        "  traffic 1/day { q: 20 tokens mean }\n"
        "  step s: text max 60 tokens = ask long(q) by kept { OUT }\n"
        "  return s\n}\n",
    )
    assert found["value"] == pytest.approx(20.25e-6 * price + 50e-6, rel=1e-12)
    assert found["basis"] == ("assumed" if price == 1 else "bound")


def test_an_agents_tools_count_with_their_retries(tmp_path: Path) -> None:
    """Two turns, and one call between them that is made again after a failure, twice at most."""
    found = mean(
        tmp_path,
        "pipeline m(q: text max 20 tokens) -> text max 60 tokens {\n"
        "  step s: text max 60 tokens = agent told(q) by fa with look { steps 2 turns 2 OUT }\n"
        "  return s\n}\n",
    )
    tools = 0.01 * (1 + 0.25 + 0.0625)
    assert tools < found["value"] < tools + 0.002


def test_a_line_on_the_length_of_a_let_is_about_its_value(tmp_path: Path) -> None:
    """One attempt in four fails, and all three must answer: (3/4)^3, with the retries of `look`."""
    path = tmp_path / "m.pipe"
    path.write_text(
        HEAD + "pipeline m(q: text max 20 tokens) -> int {\n"
        "  traffic 100/day { known: 100%  inside.steps.length: 3 mean }\n"
        '  step found = call box(q)\n  gate known: found? else escalate to desk "x"\n'
        "  let inside = found\n"
        "  step r: [text max 20 tokens] max 9 = each s in inside.steps { call look(s) }\n"
        "  return len(r)\n}\n",
        encoding="utf-8",
    )
    report = report_json([check_file(str(path))])
    success = report["pipelines"]["m"]["outcomes"]["success"]
    assert success["value"] == pytest.approx((1 - 0.25**3) ** 3, rel=1e-12)


def test_a_loop_of_unknown_length_over_what_has_no_bound(tmp_path: Path) -> None:
    """Nothing bounds the prompt; it was no number at all, and the check fell over it."""
    text = (
        'prompt loose(q: text) """{% for x in [1, 2] %}{{ x }}{{ q }}{% endfor %}"""\n'
        "pipeline m(q: text) -> text max 60 tokens {\n"
        "  step s: text max 60 tokens = ask loose(q) by open { OUT }\n"
        "  return s\n}\n"
        "tier open { provider px price $1 in, $5 out latency 500ms median, 2s p95 transient 0% }\n"
    )
    found = mean(tmp_path, text)
    assert (found["value"], found["low"], found["high"]) == (None, 0.0, None)
