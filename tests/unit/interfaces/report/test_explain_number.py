"""`check --explain-number` as it is read: sums to check by hand, names that are close."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pipelang.interfaces.cli.check.command import command

REPO = Path(__file__).resolve().parents[4]
SUPPORT = str(REPO / "examples/support/support.pipe")
CHAIN = str(REPO / "examples/gallery/01_chain.pipe")
UNKNOWN = str(REPO / "examples/gallery/10_unknown.pipe")
ROW = re.compile(r"^  (\S.*?)\s{2,}.*?([+−]?)(\d+\.\d{4})%\s+(\d+\.\d{4})%$", re.MULTILINE)


def explain(file: str, name: str) -> Result:
    return CliRunner().invoke(command, [file, "--explain-number", name])


@pytest.mark.parametrize("file", [SUPPORT, CHAIN])
@pytest.mark.parametrize("name", ["success", "silent_error", "escalation", "failure", "coverage"])
def test_what_is_printed_adds_up(file: str, name: str) -> None:
    done = explain(file, name)
    assert done.exit_code == 0, done.output
    for block in done.output.split("\n\nWhere each number")[0::2]:
        total = 1_000_000 if "all runs  " in block else 0
        for _, sign, change, makes in ROW.findall(block):
            total += int(change.replace(".", "")) * (-1 if sign == "−" else 1)
            assert total == int(makes.replace(".", "")), block
        said = re.search(rf"{name} of \w+ = ([\d.]+)%", block)
        if said:
            assert total == int(said[1].replace(".", ""))


def test_factors_make_the_product() -> None:
    done = explain(CHAIN, "success")
    product = 1.0
    for factor in re.findall(r"× (\d\.\d+)", done.output):
        product *= float(factor)
    assert abs(product - 0.81450625) < 1e-5, done.output


def test_dollars_are_calls_times_prices() -> None:
    done = explain(SUPPORT, "handle_ticket.cost.mean")
    rows = re.findall(r"([\d.]+) ×\s+\$([\d.]+)\s+=\s+\$([\d.]+)", done.output)
    assert len(rows) == 9
    for calls, each, amount in rows:
        assert abs(float(calls) * float(each) - float(amount)) < 2e-8
    formulas = re.findall(
        r"\(([\d,.]+) tokens read(?: at most)? × \$([\d.]+)"
        r" \+ ([\d,.]+) written(?: at most)? × \$([\d.]+)\) / 1,000,000 = "
        r"\$([\d.]+)",
        re.sub(r"\s+", " ", done.output),
    )
    assert len(formulas) == 7
    for read, price_in, written, price_out, each in formulas:
        reading = float(read.replace(",", "")) * float(price_in)
        dollars = (reading + float(written.replace(",", "")) * float(price_out)) / 1e6
        assert abs(dollars - float(each)) < 1e-8


@pytest.mark.parametrize(
    "name",
    ["outcomes.success", "escalations.sure", "review.support.utilisation", "latency.p95", "reach"],
)
def test_every_number_has_a_name(name: str) -> None:
    done = explain(SUPPORT, name)
    assert done.exit_code == (2 if name == "reach" else 0), done.output
    assert len(done.output) > 60


@pytest.mark.parametrize(
    "name", ["review.support", "review.support.wait_p95", "review.load.support"]
)
def test_a_queue_is_known_by_its_metric_and_by_its_place_in_the_report(name: str) -> None:
    done = explain(SUPPORT, name)
    assert done.exit_code == 0, done.output
    assert done.output.startswith("review.load.support\n")


def test_where_numbers_stand_is_told() -> None:
    done = explain(SUPPORT, "success")
    text = Path(SUPPORT).read_text().splitlines()
    line = re.search(r"clean catches .*\n? .*support\.pipe:(\d+)", done.output)
    assert line is not None
    assert "catches 15%" in text[int(line[1]) - 1]
    both = r"kind accuracy +96\.9%, 71\.4% if hard +counted: 467 of 482; counted: 35 of 49"
    assert re.search(both, done.output)
    assert re.search(r"kind recovers +0% +by default", done.output)
    measured = explain(str(REPO / "examples/devops/devops.pipe"), "success").output
    assert re.search(r"finding\.jsonl +92\.0% +measured: 552 of 600 rows", measured)


def test_unknown_names_are_answered_with_near_ones() -> None:
    done = explain(SUPPORT, "sucess")
    assert done.exit_code == 2
    assert "did you mean `success`" in done.stderr


def test_what_is_undeclared_is_said() -> None:
    done = explain(UNKNOWN, "success")
    assert done.exit_code == 0
    assert "not declared" in done.output
    assert "transient 0.5%" in done.output


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("cost.month", "Nobody declared how many runs there are"),
        ("cost.mean", "Nobody declared a price for `bare`."),
        ("cost.worst", "Nobody declared a price for `bare`."),
        ("tokens.worst", "Every prompt and answer at its longest"),
        ("latency.worst", "The longest way through: every attempt to its limit"),
    ],
)
def test_the_reason_is_that_of_the_number(tmp_path: Path, name: str, said: str) -> None:
    """A month without `traffic`, dollars without a price, tokens that are no time."""
    file = tmp_path / "bare.pipe"
    file.write_text(
        "provider lab { kind simulated available 99% }\n"
        'tier bare { provider lab model "m" latency 1s median, 2s p95 transient 1% }\n'
        'prompt sort(q: text max 9 tokens) """{{ q }}"""\n'
        "pipeline main(q: text max 9 tokens) -> text max 9 tokens {\n"
        "  step s: text max 9 tokens = ask sort(q) by bare "
        "{ accuracy 90% timeout 9s output 9 tokens max }\n"
        "  return s\n}\n"
    )
    done = explain(str(file), name)
    assert done.exit_code == 0, done.output
    assert said in " ".join(done.output.split())
