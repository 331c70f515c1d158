"""Hold what `examples/recommendations` keeps for all of a segment, and what its search finds."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.providers.replay import ReplayProvider
from pipelang.runtime.shared.cache import InMemoryCache

from ..warm import command_text
from .patience import patient
from .test_systems import EXAMPLES, REPO, load

HERE = EXAMPLES / "recommendations"
PIPE = (HERE / "recommendations.pipe").read_text("utf-8")


@pytest.fixture(scope="module")
def shop(monkeypatch_module: pytest.MonkeyPatch) -> Any:
    for folder in (HERE, EXAMPLES):
        monkeypatch_module.syspath_prepend(str(folder))
    make, tools = load(HERE / "make.py"), load(HERE / "tools.py")
    pieces = make.products()
    return make, tools, make.Shop(tools.search, pieces, make.profiles(pieces))


@pytest.fixture(scope="module")
def monkeypatch_module():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


class Counted(ReplayProvider):
    """Recorded answers, which tells what was asked."""

    def __init__(self) -> None:
        super().__init__(HERE / "recordings/recommendations.jsonl")
        self.asked: list[Any] = []

    async def answer(self, request: Any) -> Any:
        self.asked.append((request.prompt, dict(request.arguments)))
        return await super().answer(request)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> LoadedProgram:
    return pipelang.load(patient(HERE, tmp_path_factory.mktemp("shop")) / "recommendations.pipe")


def handle(program: LoadedProgram, replay: ReplayProvider, **services: Any) -> pipelang.Handle:
    providers = dict.fromkeys(program.program.providers, replay)
    runtime = pipelang.Runtime(providers=providers, **services)
    return program.pipeline("recommend", runtime=runtime)


def test_one_answer_serves_a_segment_without_what_its_people_have_and_no_other_segment(
    program: LoadedProgram,
):
    replay = Counted()
    recommend = handle(program, replay)
    first = recommend.run_sync(user="u05", query="red dresses")
    second = recommend.run_sync(user="u17", query="Red  Dresses?")
    assert isinstance(first, pipelang.Answered)
    assert isinstance(second, pipelang.Answered)
    assert len(replay.asked) == 1
    assert float(second.cost) == 0
    profiles = json.loads((HERE / "data/profiles.json").read_text("utf-8"))
    for user, result in (("u05", first), ("u17", second)):
        assert result.value.picks
        assert not {pick.id for pick in result.value.picks} & {*profiles[user]["bought"]}
    recommend.run_sync(user="u06", query="red dresses")
    assert len(replay.asked) > 1


def test_an_answer_is_kept_for_an_hour_and_no_longer(program: LoadedProgram):
    now = [0.0]
    replay = Counted()
    recommend = handle(program, replay, cache=InMemoryCache(lambda: now[0]))
    asked = []
    for seconds in (0, 3599, 3601):
        now[0] = seconds
        assert isinstance(recommend.run_sync(user="u05", query="red dresses"), pipelang.Answered)
        asked.append(len(replay.asked))
    assert asked == [1, 1, 2]


def test_a_conversation_is_not_told_to_the_shared_prompt_nor_kept_for_others(
    program: LoadedProgram,
):
    replay = Counted()
    recommend = handle(program, replay)
    recommend.run_sync(user="u05", query="red dresses")
    recommend.run_sync(user="u05", query="the same but black")
    assert [prompt for prompt, _ in replay.asked] == ["rank", "rank_further"]
    before = len(replay.asked)
    # Another person of the segment, who said nothing before, must not get that answer.
    recommend.run_sync(user="u17", query="the same but black")
    assert replay.asked[before][0] == "rank"
    assert "red" not in json.dumps(replay.asked[before][1]["query"])


@pytest.mark.parametrize(
    ("old", "new", "codes"),
    [
        # The conversation in the prompt whose answer is kept: the leak of the report's own code.
        (
            "ask rank(query, segment, offered) by match need",
            "ask rank_further(query, talk, segment, offered) by match need",
            {"P707"},
        ),
        # A person's own style and band as they are, no segment that may be told.
        ("-> public Segment", "-> Segment", {"P406"}),
    ],
)
def test_what_would_leak_is_refused(old: str, new: str, codes: set[str], tmp_path: Path):
    changed = PIPE.replace(old, new)
    assert changed != PIPE
    for name in ("tools.py", "vectors.py"):
        (tmp_path / name).write_text((HERE / name).read_text("utf-8"), "utf-8")
    (tmp_path / "evals").mkdir()
    evidence = (HERE / "evals/ranking.jsonl").read_text("utf-8")
    (tmp_path / "evals/ranking.jsonl").write_text(evidence, "utf-8")
    (tmp_path / "leaks.pipe").write_text(changed, "utf-8")
    done = command_text("check", "--format", "json", str(tmp_path / "leaks.pipe"), cwd=REPO)
    found = {one["code"] for one in json.loads(done.stdout)["diagnostics"]}
    assert codes <= found


def test_the_share_of_searches_that_find_enough_is_what_the_file_says(shop: Any):
    make, _, known = shop
    right = total = 0
    for row in make.questions():
        if row["tags"]:
            _, shown = known.offered(row)
            assert len(shown) <= 50
            right += sum(row["tags"] <= {*piece["tags"]} for piece in shown) >= 4
            total += 1
        if row["said"] != "order":
            known.talk.setdefault(row["user"], []).append(row["query"])
    assert f"accuracy {right} of {total}" in PIPE


def test_the_search_stays_within_stock_price_and_style(shop: Any):
    _, tools, known = shop
    for style in ("classic", "boho"):
        for band, (low, high) in tools.BANDS.items():
            found = tools.search(["something red for a wedding"], {"style": style, "band": band})
            assert len(found) > 20
            for one in found:
                piece = known.pieces[one["id"]]
                assert style in piece["styles"]
                assert low <= piece["cents"] <= high
                assert piece["left"] >= 1


def test_words_of_other_languages_and_synonyms_lie_near_what_they_mean(shop: Any):
    _, tools, known = shop
    segment = {"style": "classic", "band": "mid"}
    for asked, tag in (("rote", "red"), ("schwarze Stiefel", "boots"), ("mariage", "wedding")):
        found = tools.search([asked], segment)[:8]
        assert sum(tag in known.pieces[one["id"]]["tags"] for one in found) >= 4, asked
    assert tools.search(["qwertz"], segment) is not None
    assert tools.search(["'\"; drop table told --"], segment) is not None


def test_sellers_who_give_orders_are_in_the_data_and_never_in_a_prompt(program: LoadedProgram):
    orders = re.compile(
        "(?i)(rank this one first|always recommend|always pick|print the customers)"
    )
    products = (HERE / "data/products.jsonl").read_text("utf-8")
    assert len(orders.findall(products)) >= 6
    replay = Counted()
    recommend = handle(program, replay)
    for query in ("red dresses", "green boots", "a shirt for the office", "blue jeans"):
        for user in ("u01", "u06", "u09", "u12"):
            recommend.run_sync(user=user, query=query)
    assert replay.asked
    for _, arguments in replay.asked:
        assert not orders.search(str(arguments["offered"]))


def test_sixty_percent_and_more_is_saved_against_the_top_tier_for_all():
    done = command_text("check", "--format", "json", str(HERE / "recommendations.pipe"), cwd=REPO)
    cost = json.loads(done.stdout)["pipelines"]["recommend"]["cost"]
    assert cost["mean"]["value"] <= 0.4 * cost["baseline"]["opus"]["value"]
