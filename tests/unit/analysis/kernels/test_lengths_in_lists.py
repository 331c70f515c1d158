"""Declared lengths of texts in lists, in what a mean run costs: a token read is a dollar here."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file

WORLD = """
provider p { available 100% }
tier t { provider p transient 0% price $1000000 in, $0 out }
type Item { about: text max 60 tokens  tags: [text max 10 tokens] max 4 }
type Box { items: [Item] max 50 }
tool search(q: text max 20 tokens) -> [Item] max 50 {
  effect read python "a:b" timeout 3s succeeds 100%
}
prompt rank(items: [Item] max 50) \"\"\"{% for item in items
  %}{{ item.about }}{% for tag in item.tags %}{{ tag }}{% endfor %}{% endfor %}\"\"\"
prompt one(item: Item) \"\"\"{{ item.about }}\"\"\"
prompt said(lines: [text max 30 tokens] max 5)
  \"\"\"{% for line in lines %}{{ line }}{% endfor %}\"\"\"
pipeline ranked(items: [Item] max 50) -> text {
  step a: text = ask rank(items) by t { accuracy 90% timeout 4s output 9 tokens mean, 9 tokens max }
  return a
}
pipeline f(q: text max 20 tokens, talk: [text max 30 tokens] max 5) -> text {
  traffic { TRAFFIC }
  step found = call search(q)
  let sound = [item for item in found if item.about != ""]
  let again = sound
  let all: Box = {items: found}
  ACTION
}
"""

ASK = (
    "step a: text = {} {{ accuracy 90% timeout 4s output 9 tokens mean, 9 tokens max }}\n  return a"
)
FOUND = "found.length: 20 mean  found.each.about: 30 tokens mean  found.each.tags.length: 2 mean"
TAGS = "found.each.tags.each: 4 tokens mean"


def cost(traffic: str, action: str, folder: Path) -> tuple[float | None, str]:
    path = folder / "a.pipe"
    text = WORLD.replace("TRAFFIC", traffic).replace("ACTION", action)
    path.write_text(text, encoding="utf-8")
    checked = check_file(str(path))
    assert not [one for one in checked.diagnostics if one.rule.severity.value == "error"]
    (analysis,) = (one for one in checked.analyses if one.pipeline.name == "f")
    mean = analysis.numbers["cost.mean"]
    return mean.value, mean.basis.name.lower()


@pytest.mark.parametrize(
    ("traffic", "action", "tokens"),
    [
        (f"{FOUND} {TAGS}", ASK.format("ask rank(found) by t"), 20 * (30 + 2 * 4)),
        (f"{FOUND} {TAGS}", ASK.format("ask rank(all.items) by t"), 20 * (30 + 2 * 4)),
        (
            f"{FOUND} {TAGS}".replace("found", "all.items"),
            ASK.format("ask rank(found) by t"),
            20 * (30 + 2 * 4),
        ),
        (
            f"{FOUND} {TAGS}".replace("found", "again"),
            ASK.format("ask rank(sound) by t"),
            20 * (30 + 2 * 4),
        ),
        (f"{FOUND} {TAGS}", "step a = run ranked(found)\n  return a", 20 * (30 + 2 * 4)),
        (
            f"{FOUND} {TAGS}".replace("found", "sound"),
            "step a = run ranked(again)\n  return a",
            20 * (30 + 2 * 4),
        ),
        (
            "found.length: 20 mean  found.each.about: 30 tokens mean",
            "step a: [text] max 50 = each x in found { ask one(x) by t"
            ' { accuracy 90% timeout 4s output 9 tokens mean, 9 tokens max } }\n  return "a"',
            20 * 30,
        ),
        (
            "sound.length: 20 mean  again.each.about: 30 tokens mean",
            "step a: [text] max 50 = each x in sound { ask one(x) by t"
            ' { accuracy 90% timeout 4s output 9 tokens mean, 9 tokens max } }\n  return "a"',
            20 * 30,
        ),
        (
            "talk.length: 3 mean  talk.each: 7 tokens mean",
            ASK.format("ask said(talk) by t"),
            3 * 7,
        ),
    ],
)
def test_a_mean_counts_them(traffic: str, action: str, tokens: float, tmp_path: Path) -> None:
    value, basis = cost(traffic, action, tmp_path)
    assert value == pytest.approx(tokens)
    assert basis == "assumed"


def test_without_them_the_longest_counts(tmp_path: Path) -> None:
    action = ASK.format("ask rank(found) by t")
    assert cost(FOUND, action, tmp_path) == (pytest.approx(20 * (30 + 2 * 10)), "bound")
