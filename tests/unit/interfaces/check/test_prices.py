"""The snapshot of prices: what a tier without one costs, what is told of it, and its renewal."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.check.prices import is_to_come, price_findings
from pipelang.interfaces.check.tier_notes import tier_notes
from pipelang.interfaces.check.today import today
from pipelang.interfaces.cli.main import main
from pipelang.semantics import price_snapshot
from pipelang.semantics import program as p
from pipelang.semantics.build import build

REST = """
prompt say(x: text) \"\"\"{{ x }}\"\"\"
pipeline main(x: text max 20 tokens) -> text {
  step s: text max 20 tokens = ask say(x) by small {
    accuracy 90% output 10 tokens mean, 20 tokens max timeout 5s
  } else fail "no"
  return s
}
"""


def program(folder: Path, tier: str, kind: str = "openai") -> p.Program:
    file = folder / "main.pipe"
    text = f'provider lab {{ kind {kind} key "env:K" available 99% }}\n'
    text += f"tier small {{ provider lab latency 1s median, 3s p95 transient 1% {tier} }}\n{REST}"
    file.write_text(text, encoding="utf-8")
    built = build(str(file), DiskLoader())
    assert built.program is not None, built.diagnostics
    return built.program


def prices(**given: str) -> dict[str, Decimal]:
    return {kind: Decimal(price) for kind, price in given.items()}


def test_a_tier_without_a_price_takes_the_snapshots_and_says_so(tmp_path: Path) -> None:
    made = program(tmp_path, 'model "gpt-6-luna"')
    tier = made.tiers["small"]
    assert tier.prices == prices(
        **{"in": "0.1", "out": "0.5"}, cache_write="0.125", cache_read="0.01"
    )
    assert tier.context == 272_000  # beyond it costs more
    assert tier.as_of == price_snapshot.as_of()
    assert list(tier_notes(made)) == [
        "tier `small` has no price: $0.1 in, $0.5 out a million tokens, "
        f"from {price_snapshot.source()} of {price_snapshot.as_of()}"
    ]


def test_a_context_beyond_the_first_price_pays_the_dearer_one(tmp_path: Path) -> None:
    tier = program(tmp_path, 'model "gpt-6-luna" context 400k tokens').tiers["small"]
    assert tier.prices["in"] == Decimal("0.2")
    assert tier.prices["out"] == Decimal("0.75")
    assert tier.context == 400_000
    tier = program(tmp_path, 'model "gpt-6-luna" context 100k tokens').tiers["small"]
    assert tier.prices["in"] == Decimal("0.1")
    assert tier.context == 100_000


def test_a_declared_price_is_left_alone(tmp_path: Path) -> None:
    made = program(tmp_path, 'model "gpt-6-luna" price $9 in, $9 out')
    assert made.tiers["small"].prices == prices(**{"in": "9", "out": "9"})
    assert made.tiers["small"].priced_by is None
    assert list(tier_notes(made)) == []


def test_a_part_of_the_snapshot_that_is_read_alone_is_as_in_the_whole() -> None:
    whole = json.loads(Path(price_snapshot.snapshot_path()).read_text(encoding="utf-8"))
    assert len(whole["makers"]) > 20
    for maker, models in whole["makers"].items():
        assert price_snapshot._models(maker) == models
        assert price_snapshot.models()[maker] == len(models)
    assert price_snapshot._models("nobody") == price_snapshot._models(None) == {}
    assert price_snapshot.as_of() == whole["as_of"]
    assert price_snapshot.source() == whole["source"]


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-6-luna-mini"),  # a longer name is another model
        ("openai", "gpt-6"),
        ("openai", "GPT-6-LUNA"),
        ("google", "gpt-6-luna"),
        ("openai_compatible", "gpt-6-luna"),  # whoever serves it has a price of its own
        ("other", "gpt-6-luna"),
        ("anthropic_bedrock", "us.anthropic.claude-haiku-5-6"),
        ("anthropic_bedrock", "global.anthropic.claude-3-5-haiku-20241022-v1:0"),  # in regions only
    ],
)
def test_what_the_snapshot_does_not_have_stays_unknown(
    kind: str, model: str, tmp_path: Path
) -> None:
    tier = program(tmp_path, f'model "{model}"', kind).tiers["small"]
    assert tier.prices == {}
    assert tier.priced_by is None


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-6-luna-2026-10-01"),
        ("anthropic", "claude-haiku-5-5-20261001"),
        ("anthropic_vertex", "claude-haiku-5-5@20261001"),
        ("other", "openai:gpt-6-luna"),
        ("anthropic_bedrock", "global.anthropic.claude-haiku-5-5"),
    ],
)
def test_versions_of_a_day_cost_what_the_model_costs(kind: str, model: str, tmp_path: Path) -> None:
    assert program(tmp_path, f'model "{model}"', kind).tiers["small"].prices["in"] == Decimal("0.1")


@pytest.mark.parametrize(
    ("kind", "model", "dollars"),
    [
        ("anthropic", "claude-3-5-haiku-20241022", "0.8"),
        ("anthropic", "claude-sonnet-4-20250514", "3"),
        ("anthropic_bedrock", "anthropic.claude-haiku-4-5-20251001-v1:0", "1.1"),
        ("anthropic_bedrock", "eu.anthropic.claude-haiku-4-5-20251001-v1:0", "1.1"),
        ("anthropic_bedrock", "ca.anthropic.claude-haiku-4-5-20251001-v1:0", "1.1"),
        ("anthropic_bedrock", "global.anthropic.claude-haiku-4-5-20251001-v1:0", "1"),
        ("anthropic_bedrock", "us.anthropic.claude-3-5-haiku-20241022-v1:0", "0.8"),
        (
            "anthropic_bedrock",
            "arn:aws:bedrock:us-east-1:1:inference-profile/us.anthropic.claude-haiku-4-5-20251001",
            "1.1",
        ),
        ("anthropic_vertex", "claude-3-5-sonnet-v2@20241022", "3"),
        ("openai", "gpt-4o-2024-05-13", "5"),  # a version that costs more than the model does
        ("openai", "gpt-4o-2024-08-06", "2.5"),
        ("google", "gemini-2.0-flash-001", "0.1"),
    ],
)
def test_makers_own_spellings_are_known(kind: str, model: str, dollars: str) -> None:
    found = price_snapshot.priced(kind, model)
    assert found is not None
    assert found.prices["in"] == Decimal(dollars)


def test_every_name_means_what_the_package_means_by_it() -> None:
    """Held against the package's own finding, each name with what a maker puts around it."""
    pytest.importorskip("genai_prices", reason="an extra: pipelang-dsl[models]")
    from importlib.metadata import version

    from genai_prices.data import providers

    if not price_snapshot.source().endswith(version("genai-prices")):
        pytest.skip("another genai-prices is installed than the snapshot is of")
    kept = json.loads(Path(price_snapshot.snapshot_path()).read_text(encoding="utf-8"))["makers"]
    asked = 0
    for maker in providers:
        for model, row in kept.get(maker.id, {}).items():
            for name in row.get("also", ()):
                asked += 1
                found = maker.find_model(name)
                assert found is not None, (maker.id, name)
                assert found.id == model, (maker.id, name)
                price = price_snapshot.priced("other", f"{maker.id}:{name}")
                assert price is not None, (maker.id, name)
                assert format(price.prices["in"], "f") == row["in"], (maker.id, name)
    assert asked > 500


@pytest.mark.parametrize(("days", "told"), [(90, False), (91, True)])
def test_old_prices_are_told_from_a_day_on(days: int, told: bool, tmp_path: Path) -> None:
    made = program(tmp_path, 'model "m" price $1 in, $1 out as_of "2026-01-01"')
    found = list(price_findings(made, date.fromordinal(date(2026, 1, 1).toordinal() + days)))
    assert [one.rule.code for one in found] == ["P607"] * told


def test_the_day_is_that_of_the_clock_unless_one_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIPELANG_TODAY", "2027-02-03")
    assert today() == "2027-02-03"
    monkeypatch.setenv("PIPELANG_TODAY", "2027-2-3")
    assert today() == "2027-02-03"
    for wrong in ("", "yesterday", "2027-02-31"):
        monkeypatch.setenv("PIPELANG_TODAY", wrong)
        assert today() == date.today().isoformat()


def test_the_last_day_of_all_has_a_day_before_it() -> None:
    assert not is_to_come("9999-12-31", date.max)
    assert is_to_come("9999-12-31", date(2026, 1, 1))


def test_a_library_is_old_some_day(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "main.pipe"
    file.write_text("use std.tiers\n" + REST.replace("by small", "by haiku"), encoding="utf-8")
    assert "P607" not in {one.rule.code for one in check_file(str(file)).diagnostics}
    monkeypatch.setenv("PIPELANG_TODAY", "2027-12-01")
    (found,) = [one for one in check_file(str(file)).diagnostics if one.rule.code == "P607"]
    assert "a newer pipelang" in str(found.help)


# ---------------------------------------------------------------------------- the snapshot itself


def test_the_libraries_agree_with_the_snapshot(capsys: pytest.CaptureFixture[str]) -> None:
    stdlib = Path(price_snapshot.snapshot_path()).parent
    assert main(["prices", "--check", str(stdlib)]) == 0, capsys.readouterr().out


def test_differences_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program(tmp_path, 'model "gpt-6-luna" price $0.20 in, $0.50 out as_of "2026-01-01"')
    assert main(["prices", "--check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "`in` is $0.20 here, and $0.1 in the snapshot" in out
    assert "`out`" not in out
    assert "days old" in out
    assert main(["prices", "--check", str(tmp_path / "nothing")]) == 2


def test_the_snapshot_is_that_of_the_package(tmp_path: Path) -> None:
    pytest.importorskip("genai_prices", reason="an extra: pipelang-dsl[models]")
    out = tmp_path / "prices.json"
    assert main(["prices", "--update", "--out", str(out)]) == 0
    kept = Path(price_snapshot.snapshot_path()).read_text(encoding="utf-8")
    new = json.loads(out.read_text(encoding="utf-8"))
    if new["source"] == json.loads(kept)["source"]:
        assert out.read_text(encoding="utf-8") == kept
    assert main(["prices", "--update", "--out", str(tmp_path / "no" / "prices.json")]) == 2


def test_a_list_that_did_not_change_is_no_younger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("genai_prices", reason="an extra: pipelang-dsl[models]")
    out = tmp_path / "prices.json"
    monkeypatch.setattr(price_snapshot, "snapshot_path", lambda: str(tmp_path / "nothing"))

    def updated(day: str) -> str:
        monkeypatch.setenv("PIPELANG_TODAY", day)
        assert main(["prices", "--update", "--out", str(out)]) == 0
        assert json.loads(out.read_text())["as_of"] in capsys.readouterr().out
        return str(json.loads(out.read_text())["as_of"])

    assert updated("2026-12-01") == "2026-12-01"
    assert updated("2026-12-02") == "2026-12-01"
    made = json.loads(out.read_text())
    next(iter(made["makers"]["openai"].values()))["in"] = "77"  # what is known now differs
    out.write_text(json.dumps(made))
    assert updated("2026-12-03") == "2026-12-03"
    out.write_text("[" * 100_000)
    assert updated("2026-12-04") == "2026-12-04"


def test_an_announced_price_counts_as_the_dearer(tmp_path: Path) -> None:
    pytest.importorskip("genai_prices", reason="an extra: pipelang-dsl[models]")
    from genai_prices.types import ConditionalPrice, ModelPrice, StartDateConstraint

    from pipelang.interfaces.importing.genai_prices import _model

    class Model:
        id, context_window, deprecated = "m", None, None

        def __init__(self, *starts: tuple[date | None, str]) -> None:
            self.prices = [
                ConditionalPrice(
                    constraint=None if start is None else StartDateConstraint(start_date=start),
                    prices=ModelPrice(input_mtok=Decimal(price), output_mtok=Decimal(price)),
                )
                for start, price in starts
            ]

    day = date(2026, 11, 29)
    cheaper = Model((None, "4"), (date(2026, 12, 1), "2"))
    dearer = Model((None, "2"), (date(2026, 12, 1), "4"))
    past = Model((None, "4"), (date(2026, 3, 1), "2"))
    far = Model((None, "2"), (date(2027, 6, 1), "4"))
    for model, price in ((cheaper, "4"), (dearer, "4"), (past, "2"), (far, "2")):
        assert _model(model, day) == {"in": price, "out": price}
