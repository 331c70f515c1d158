"""Steps side by side, each of which may end the run: all is followed, up to eleven of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.check import check_file, report_json

WORLD = """
tool look(x: text max 9 tokens) -> text max 9 tokens {
  python "m:f"  effect read  succeeds 80%  accuracy 90%  cost $1  timeout 1s
}
tool after(x: text max 9 tokens) -> text max 9 tokens {
  python "m:f"  effect read  succeeds 50%  cost $1  timeout 1s
}
"""


def report(tmp_path: Path, items: str) -> dict[str, Any]:
    head = "pipeline p(x: text max 9 tokens) -> [text max 9 tokens] max 20 {\n"
    path = tmp_path / "p.pipe"
    path.write_text(f"{WORLD}{head}{items}}}\n", encoding="utf-8")
    checked = check_file(str(path))
    assert not [found for found in checked.diagnostics if found.is_error]
    return report_json([checked])["pipelines"]["p"]


@pytest.mark.parametrize("count", [3, 8, 11])
def test_all_that_may_end_side_by_side_is_followed(count: int, tmp_path: Path) -> None:
    steps = "".join(f"  step s{n} = call look(x) else reject\n" for n in range(count))
    returned = ", ".join(f"s{n}" for n in range(count))
    found = report(tmp_path, f"{steps}  return [{returned}]\n")
    outcomes = {name: number["value"] for name, number in found["outcomes"].items()}
    on = 0.8**count
    assert outcomes["success"] == pytest.approx(on * 0.9**count, abs=1e-12)
    assert outcomes["silent_error"] == pytest.approx(on * (1 - 0.9**count), abs=1e-12)
    assert outcomes["rejection"] == pytest.approx(1 - on, abs=1e-12)
    # All run whatever becomes of the others.
    assert found["cost"]["mean"]["value"] == pytest.approx(count, abs=1e-9)


def test_what_is_read_later_is_known_also_of_a_run_that_is_to_end(tmp_path: Path) -> None:
    """A step behind one that did not answer does not run, one behind another does."""
    count = 6
    steps = "".join(f"  step s{n} = call look(x) else reject\n" for n in range(count))
    later = "".join(f"  step t{n} = call after(s{n}) else reject\n" for n in range(count))
    returned = ", ".join(f"t{n}" for n in range(count))
    found = report(tmp_path, f"{steps}{later}  return [{returned}]\n")
    reached = {step["name"]: step["reached"]["value"] for step in found["steps"]}
    for n in range(count):
        assert reached[f"s{n}"] == pytest.approx(1, abs=1e-12)
        assert reached[f"t{n}"] == pytest.approx(0.8, abs=1e-12)
    assert found["cost"]["mean"]["value"] == pytest.approx(count * 1.8, abs=1e-9)
    on = 0.4**count
    assert found["outcomes"]["success"]["value"] == pytest.approx(on * 0.9**count, abs=1e-12)
