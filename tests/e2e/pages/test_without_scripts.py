"""The pages without a script: everything but live updates, and what nobody may do."""

from __future__ import annotations

import asyncio
import io
import json
import re
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from html import escape, unescape
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from PIL import Image

from tests.unit.runtime.stage import Models

from .markup import sound
from .serving import OFFER, REFUND, Page, Site, Visitor, serving

BROKEN = {"f.0": "The vase arrived broken.", "f.1": "A-1007"}
HUMS = {"f.0": "It hums", "f.1": "other"}
PATHS = ("/", "/cases", "/start", "/start/refund", "/pipelines", "/pipelines/refund")
FOR_OPERATORS = ("/health", "/switches")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(REFUND, tmp_path_factory.mktemp("tokens"), tokens=True) as site:
        yield site


def until(look: Callable[[], Page], *words: str) -> Page:
    """The page as soon as it says something."""
    for _ in range(200):
        page = look()
        if all(word in page.text for word in words):
            return page
        time.sleep(0.03)
    raise AssertionError(f"{words} never came: {page.text}")


def started(visitor: Visitor, pipeline: str = "refund", **form: str) -> str:
    """The path of the page of a run that was started by the form."""
    page = visitor.fill(f"/start/{pipeline}", {**(BROKEN if pipeline == "refund" else {}), **form})
    assert page.status == 303, page.text
    assert page.headers["location"].startswith("/runs/")
    return page.headers["location"]


def case_of(visitor: Visitor, run: str) -> str:
    """The path of the page of the case that a run waits for."""
    page = until(lambda: visitor.get(run), "/cases/")
    return re.findall(r'"(/cases/[0-9a-f]+)"', page.text)[0]


# ------------------------------------------------------------------------------------ what it does


def test_a_run_from_its_start_to_its_end(site: Site) -> None:
    caller = site.visitor(site.token("caller", tenant="acme"))
    approver = site.visitor(site.token("approver", name="Åsa <b>", tenant="acme"))
    run = started(caller)
    case = case_of(caller, run)
    page = approver.get(case)
    sound(page)
    for said in ("Does that look right?", "129.5", "We are sorry", "damaged", "signer"):
        assert said in page.text
    listed = approver.get("/cases")
    assert case in listed.text
    done = approver.fill(case, {"verdict": "yes", "reason": "seen <i>photos</i>"})
    assert (done.status, done.headers["location"]) == (303, "/cases?done=decided")
    assert "Decided." in approver.get("/cases?done=decided").text
    page = until(lambda: caller.get(run), "badge good answered")
    sound(page)
    for said in ("The answer", "We are sorry", "said yes", escape("Åsa <b>"), "A-1007", "91%"):
        assert said in page.text
    closed = approver.get(case)
    assert f"<strong>{escape('Åsa <b>')}</strong> said yes" in closed.text
    assert escape("seen <i>photos</i>") in closed.text
    assert 'name="verdict"' not in closed.text
    assert case in approver.get("/cases?state=closed").text
    assert run in caller.get("/?status=answered&pipeline=refund&since=1h").text
    assert run not in caller.get("/?status=failed").text


def test_a_question_is_answered_with_its_form(site: Site) -> None:
    token = site.token("caller", "approver", tenant="answers")
    visitor = site.visitor(token)
    run = started(visitor, "desk", **HUMS)
    case = case_of(visitor, run)
    page = visitor.fill(case, {"verdict": "answer", "f.0": "late", "f.1": "many", "f.2": "x"})
    assert page.status == 422
    sound(page)
    assert page.text.count('class="problem"') == 2  # the amount and the confidence
    assert '<input type="radio" name="f.0" value="late" checked>' in page.text
    assert 'value="many"' in page.text
    form = {"verdict": "answer", "f.0": "late", "f.1": "3000", "f.2": "Sorry", "f.3": "0.9"}
    page = visitor.fill(case, form)
    assert page.status == 422
    assert "3000 is out of range" in page.text
    page = visitor.fill(case, {**form, "f.1": "30"})
    assert page.headers["location"] == "/cases?done=answered"
    page = until(lambda: visitor.get(run), "badge good answered")
    assert "Sorry" in page.text


def test_who_will_not_answer_says_so(site: Site) -> None:
    visitor = site.visitor(site.token("caller", "approver", tenant="declines"))
    run = started(visitor, "desk", **HUMS)
    page = visitor.fill(case_of(visitor, run), {"verdict": "no", "reason": "no idea"})
    assert page.headers["location"] == "/cases?done=declined"
    page = until(lambda: visitor.get(run), "badge people escalated")
    assert "nobody answered" in page.text


def test_a_second_decision_hears_of_the_first(site: Site) -> None:
    one = site.visitor(site.token("caller", "approver", name="ada", tenant="twice"))
    two = site.visitor(site.token("approver", name="bob", tenant="twice"))
    case = case_of(one, started(one))
    stale = two.get(case)
    one.fill(case, {"verdict": "no", "reason": "too much"})
    form = {"csrf": stale.csrf, "shown_hash": stale.field("shown_hash"), "verdict": "yes"}
    page = two.send(case, form)
    assert page.status == 409
    sound(page)
    assert "is already decided: `ada` said no" in unescape(page.text)
    assert 'name="verdict"' not in page.text


def test_a_decision_is_about_what_was_shown(site: Site) -> None:
    visitor = site.visitor(site.token("caller", "approver", tenant="shown"))
    case = case_of(visitor, started(visitor))
    page = visitor.fill(case, {"verdict": "yes", "shown_hash": "0" * 64})
    assert page.status == 409
    assert "shows something else" in page.text
    assert 'name="verdict"' in page.text  # it is shown anew, to be decided


def test_a_run_is_cancelled(site: Site) -> None:
    visitor = site.visitor(site.token("caller", tenant="cancels"))
    run = started(visitor)
    case_of(visitor, run)
    page = visitor.fill(run, {}, to=f"{run}/cancel")
    assert page.headers["location"] == f"{run}?done=cancelled"
    page = until(lambda: visitor.get(run), "badge bad failed")
    assert "cancelled" in page.text
    assert "/cancel" not in page.text
    assert visitor.fill("/start/refund", {}, to=f"{run}/cancel").status == 409


def test_a_run_is_run_again_edited(site: Site) -> None:
    visitor = site.visitor(site.token("caller", tenant="again"))
    text = 'Line one\nline <two> &amp; "three"\n'
    run = started(visitor, **{"f.0": text})
    id = run.rpartition("/")[2]
    page = visitor.get(f"/start/refund?from={id}")
    sound(page)
    shown = re.findall(r'<textarea[^>]*name="f.0"[^>]*>\n(.*?)</textarea>', page.text, re.DOTALL)
    assert unescape(shown[0]) == text
    again = visitor.fill(f"/start/refund?from={id}", {"f.0": "Another text", "f.1": "A-1007"})
    other = again.headers["location"]
    assert other != run
    assert "Another text" in visitor.get(other).text


def test_a_form_that_is_sent_twice_starts_one_run(site: Site) -> None:
    visitor = site.visitor(site.token("caller", tenant="double"))
    page = visitor.get("/start/refund")
    form = {"csrf": page.csrf, "key": page.field("key"), **BROKEN}
    first, second = (visitor.send("/start/refund", form).headers["location"] for _ in range(2))
    edited = visitor.send("/start/refund", {**form, "f.0": "Late!"}).headers["location"]
    assert first == second != edited


def test_what_does_not_fit_stays_in_the_form(site: Site) -> None:
    visitor = site.visitor(site.token("caller", tenant="misfits"))
    page = visitor.fill("/start/refund", {"f.0": "a" * 1000, "f.1": "A-1", "thread": "t-1"})
    assert page.status == 422
    sound(page)
    assert "a" * 1000 in page.text
    assert 'class="problem"' in page.text
    assert 'value="t-1"' in page.text
    page = visitor.fill("/start/refund", {**BROKEN, "priority": "first"})
    assert page.status == 422
    assert "`priority` is a whole number" in page.text
    assert visitor.get("/").text.count("data-key") == 0


@pytest.mark.parametrize(
    ("name", "said", "told"),
    [
        ("priority", "0", "`priority` is a whole number from 1"),
        ("priority", "-3", "`priority` is a whole number from 1"),
        ("thread", "a\x00b", "without control characters"),
        ("delay", "-1", "`delay` is a whole number from 0"),
    ],
)
def test_what_the_api_refuses_the_form_refuses(site: Site, name: str, said: str, told: str) -> None:
    page = site.visitor(site.token("caller")).fill("/start/refund", {**BROKEN, name: said})
    assert (page.status, told in unescape(page.text)) == (422, True), page.text


def test_a_thread_is_one_story(site: Site) -> None:
    visitor = site.visitor(site.token("caller", tenant="threads"))
    mine = [started(visitor, thread="order 7/1", **{"f.0": str(n)}) for n in range(2)]
    other = started(visitor)
    page = visitor.get(f"/?thread={quote('order 7/1')}")
    assert all(run in page.text for run in mine)
    assert other not in page.text
    assert re.search(r"2 runs, the first one (now|\d+ s ago), \$\d", page.text)
    assert f"/?thread={quote('order 7/1', safe='/')}" in visitor.get(mine[0]).text


def test_events_of_no_interest_are_hidden(site: Site) -> None:
    visitor = site.visitor(site.token("caller", tenant="hidden"))
    run = started(visitor)
    case_of(visitor, run)
    page = visitor.get(run)
    assert "called find_order" in page.text
    fewer = visitor.get(f"{run}?chosen=1&show=models&show=people")
    assert "called find_order" not in fewer.text
    assert "asked signer" in fewer.text
    assert 'value="tools"> Tools' in fewer.text
    assert 'value="models" checked> Models' in fewer.text
    nothing = visitor.get(f"{run}?chosen=1")
    assert "asked signer" not in nothing.text.partition("What happened")[2]


def test_older_runs_are_on_the_next_page(site: Site) -> None:
    visitor = site.visitor(site.token("caller", tenant="many"))
    made = [started(visitor, **{"f.0": str(n)}) for n in range(30)]
    seen: list[str] = []
    path = "/?pipeline=refund"
    while path:
        page = visitor.get(path)
        sound(page)
        seen += re.findall(r'class="whole" href="(/runs/[^"]+)"', page.text)
        older = re.search(r'href="([^"]+)" rel="next"', page.text)
        path = unescape(older[1]) if older else ""
        assert ("data-stream" in page.text) == (len(seen) <= 25)
    assert seen == made[::-1]
    page = visitor.get("/?cursor=bm9uZQ==")
    assert page.status == 404
    sound(page)


HELD = """
role desk { people 1 handles 1m responds 1h median, 4h p95 }
pipeline send(text: text max 20 tokens) -> text max 20 tokens {
  ## It goes out in an hour.
  hold quiet for 1h by desk else reject "stopped"
  return text
}
pipeline over(text: text max 20 tokens) -> text max 20 tokens {
  gate short: text != "a mail" { catches 10%  false_alarms 1% } else escalate to desk "take this"
  return text
}
"""


def test_a_hold_is_stopped_or_let_go(tmp_path: Path) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(HELD, encoding="utf-8")
    with serving(file, tmp_path) as site:
        visitor = site.visitor()
        for verdict, word in (("no", "rejected"), ("yes", "answered")):
            run = started(visitor, "send", **{"f.0": verdict})
            case = case_of(visitor, run)
            page = visitor.get(case)
            sound(page)
            for said in ("It goes out in an hour.", "Stop it", "Let it go on now", "Veto in"):
                assert said in page.text
            done = visitor.fill(case, {"verdict": verdict, "reason": "as told"})
            assert done.headers["location"] == "/cases?done=decided"
            until(lambda run=run, word=word: visitor.get(run), f"{word}</span>")


def test_a_handover_is_closed_with_a_note(tmp_path: Path) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(HELD, encoding="utf-8")
    with serving(file, tmp_path) as site:
        visitor = site.visitor()
        started(visitor, "over", **{"f.0": "a mail"})
        page = until(lambda: visitor.get("/cases"), "Take over: take this")
        assert "Text: a mail" in page.text  # people know it by what it was given
        case = re.findall(r'class="whole" href="(/cases/[^"]+)"', page.text)[0]
        page = visitor.get(case)
        sound(page)
        assert "What was done" in page.text
        assert visitor.fill(case, {"verdict": "no"}).status == 409
        done = visitor.fill(case, {"verdict": "yes", "reason": "called them"})
        assert done.headers["location"] == "/cases?done=closed"
        assert "called them" in visitor.get(case).text
        assert "Nothing waits" in visitor.get("/cases").text


PICTURE = """
pipeline look(picture: image, others: [image] max 3, note: text max 20 tokens = "none") -> text {
  return note
}
"""


def test_a_picture_is_chosen(tmp_path: Path) -> None:
    file, bytes = tmp_path / "main.pipe", io.BytesIO()
    file.write_text(PICTURE, encoding="utf-8")
    Image.new("RGB", (3, 2), "red").save(bytes, "PNG")
    with serving(file, tmp_path) as site:
        visitor = site.visitor()
        page = visitor.get("/start/look")
        sound(page)
        assert '<input type="file"' in page.text
        form = {"csrf": page.csrf, "key": page.field("key"), "f.1.#": "0", "f.2": "red", "f.0": ""}
        more = visitor.upload("/start/look", {**form, "_add": "f.1"}, {"f.0": b"no picture"})
        assert "A file is chosen already" in more.text
        wrong = visitor.upload("/start/look", form, {"f.0": b"no picture"})
        assert wrong.status == 422
        sound(wrong)
        run = visitor.upload("/start/look", form, {"f.0": bytes.getvalue()}).headers["location"]
        page = until(lambda: visitor.get(run), "badge good answered")
        sound(page)
        assert "image/png" in page.text
        assert b64encode(bytes.getvalue()).decode() not in page.text
        again = visitor.get(f"/start/look?from={run.rpartition('/')[2]}")
        assert "A file is chosen already" in again.text
        assert visitor.upload("/start/look", form, {}).status == 422


def test_switches_are_turned(site: Site) -> None:
    visitor = site.visitor(site.token("operator", "caller"))
    form = {"what": "pipeline", "name": "desk", "reason": "too <slow>", "to": "kill"}
    assert visitor.fill("/switches", form).headers["location"] == "/switches?done=killed"
    page = visitor.get("/switches")
    sound(page)
    assert escape("too <slow>") in page.text
    assert "switched off" in visitor.get("/start/desk").text
    assert "switched off" in visitor.get("/pipelines/desk").text
    assert "switched off" in visitor.get("/health").text
    visitor.fill("/switches", {**form, "to": "restore"})
    assert escape("too <slow>") not in visitor.get("/switches").text
    visitor.fill("/switches", {**form, "to": "pause"})
    assert "paused" in visitor.get("/pipelines").text
    visitor.fill("/switches", {**form, "to": "restore"})
    for wrong in ({"to": "burn"}, {"what": "world"}, {"name": "nobody"}, {"name": ""}):
        assert visitor.fill("/switches", {**form, **wrong}).status in (404, 422)


def test_every_page_is_sound(site: Site) -> None:
    visitor = site.visitor(site.token("operator", "approver", "caller"))
    for path in (*PATHS, *FOR_OPERATORS, "/cases?state=closed", "/nowhere", "/runs/none"):
        sound(visitor.get(path))
    sound(Visitor(site.url).get("/login?next=/cases"))
    report = visitor.get("/pipelines/refund").text
    for said in ("87.8%", "Promises (slo)", "Review load", "fallback runs at provider"):
        assert said in report
    assert str(REFUND.parent) not in report


def test_files_are_kept_under_the_name_of_their_content(site: Site) -> None:
    visitor = Visitor(site.url)
    page = visitor.get("/login")
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        found = visitor.get(path)
        assert found.status == 200
        assert "immutable" in found.headers["cache-control"]
        assert "immutable" not in visitor.get(path.partition("?")[0]).headers["cache-control"]
    assert visitor.get("/static/../page.css").status == 404
    assert visitor.get("/static/page.css").status == 404
    css = visitor.get("/static/pipelang.css").text
    assert not re.search(r"url\(|@import|https?:", css)
    script = visitor.get("/static/page.js").text
    assert not re.search(r"eval|innerHTML\s*=[^=]|document\.write|https?:", script)


# ------------------------------------------------------------------------------- who may do what


def test_nobody_sees_anything_without_a_login(site: Site) -> None:
    stranger = Visitor(site.url)
    for path in (*PATHS, *FOR_OPERATORS, "/runs/x", "/cases/x"):
        page = stranger.get(path)
        assert page.status == 303
        assert page.headers["location"].startswith("/login")
    assert stranger.get("/live").status == 401
    assert stranger.get("/session").status == 401
    for path in ("/start/refund", "/runs/x/cancel", "/cases/x", "/switches"):
        assert stranger.send(path, {"csrf": ""}).headers["location"] == "/login"


def test_logging_in_leads_back_and_nowhere_else(site: Site) -> None:
    token = site.token("caller")
    for path in ("/runs/7?show=a b", "/cases"):
        page = Visitor(site.url).send("/login", {"token": token, "next": path})
        assert page.headers["location"].replace("%20", " ") == path
    for path in ("//evil.org", "https://evil.org", "/\\evil.org", "javascript:alert(1)", "/\n/e"):
        page = Visitor(site.url).send("/login", {"token": token, "next": path})
        assert page.headers["location"] == "/"
        shown = Visitor(site.url).get(f"/login?next={quote(path)}")
        sound(shown)
        assert 'name="next" value="/"' in shown.text
    visitor = site.visitor(token)
    assert visitor.get("/session").status == 204
    cookie = visitor.send("/login", {"token": token}).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    page = visitor.fill("/", {}, to="/logout")
    assert page.headers["location"] == "/login"
    assert visitor.get("/").status == 303


def test_a_wrong_token_is_told_and_slowed_down(tmp_path: Path) -> None:
    with serving(REFUND, tmp_path, tokens=True) as site:
        wrong = "plt_0000000000000000_" + "x" * 43
        stranger = Visitor(site.url)
        statuses = [stranger.send("/login", {"token": wrong}).status for _ in range(12)]
        assert statuses == [401] * 10 + [429] * 2
        page = stranger.send("/login", {"token": wrong})
        sound(page)
        assert wrong not in page.text
        assert int(page.headers["retry-after"]) > 0


def test_a_revoked_token_ends_its_logins(site: Site) -> None:
    token = site.token("caller")
    visitor = site.visitor(token)
    assert visitor.get("/").status == 200
    assert site.tokens is not None
    site.tokens.revoke(token.split("_")[1])
    assert visitor.get("/").status == 303


def test_rights_are_kept(site: Site) -> None:
    caller = site.visitor(site.token("caller", tenant="rights"))
    approver = site.visitor(site.token("approver", tenant="rights"))
    for path in FOR_OPERATORS:
        for visitor in (caller, approver):
            page = visitor.get(path)
            assert page.status == 403
            sound(page)
    assert "/switches" not in caller.get("/").text
    assert approver.get("/start/refund").status == 403
    run = started(caller)
    case = case_of(caller, run)
    assert 'name="verdict"' not in caller.get(case).text
    csrf = caller.get("/start/refund").csrf
    assert caller.send(case, {"csrf": csrf, "verdict": "yes"}).status == 403
    assert (
        caller.send("/switches", {"csrf": csrf, "what": "everything", "to": "kill"}).status == 403
    )
    csrf = approver.get(case).csrf
    assert approver.send(f"{run}/cancel", {"csrf": csrf}).status == 403
    assert approver.send("/start/refund", {"csrf": csrf, **BROKEN}).status == 403


def test_tenants_do_not_see_each_other(site: Site) -> None:
    mine = site.visitor(site.token("caller", "approver", tenant="mine"))
    foreign = site.visitor(site.token("caller", "approver", tenant="foreign"))
    nobody = site.visitor(site.token("caller", "approver"))
    operator = site.visitor(site.token("operator"))
    run = started(mine)
    case = case_of(mine, run)
    id = run.rpartition("/")[2]
    for other in (foreign, nobody):
        missing = other.get("/runs/none").text
        assert other.get(run).status == 404
        assert other.get(run).text.replace(id, "none") == missing
        assert other.get(case).status == 404
        assert id not in other.get("/").text
        assert case not in other.get("/cases").text
        assert other.get(f"/start/refund?from={id}").status == 404
        assert other.get(f"/live?of=run&id={id}").status == 404
        csrf = other.get("/start/refund").csrf
        assert other.send(f"{run}/cancel", {"csrf": csrf}).status == 404
        assert other.send(case, {"csrf": csrf, "verdict": "yes"}).status == 404
        assert 'class="count"' not in other.get("/").text
    assert operator.get(run).status == 200
    assert mine.get(run).status == 200


def test_changes_come_from_our_own_forms(site: Site) -> None:
    visitor = site.visitor(site.token("caller", "approver", "operator", tenant="csrf"))
    other = site.visitor(site.token("caller", "approver", "operator", tenant="csrf"))
    run = started(visitor)
    case = case_of(visitor, run)
    mine, foreign = visitor.get("/start/refund").csrf, other.get("/start/refund").csrf
    forms = {
        "/start/refund": BROKEN,
        f"{run}/cancel": {},
        case: {"verdict": "yes"},
        "/switches": {"what": "everything", "to": "kill"},
        "/logout": {},
    }
    before = visitor.get("/").text.count("data-key")
    for path, form in forms.items():
        for csrf in ("", "x", foreign, mine[:-1], "é"):
            assert visitor.send(path, {**form, "csrf": csrf}).status == 403
        evil = {"Origin": "https://evil.org"}
        assert visitor.send(path, {**form, "csrf": mine}, **evil).status == 403
        assert visitor.send(path, {**form, "csrf": mine}, Origin="null").status == 403
        cross = {"Sec-Fetch-Site": "cross-site"}
        assert visitor.send(path, {**form, "csrf": mine}, **cross).status == 403
    assert visitor.get(run).text.count("Waits for signer") == 1
    assert visitor.get("/").text.count("data-key") == before
    assert "switched off" not in visitor.get("/pipelines").text
    login = {"token": site.token("caller")}
    evil = {"Origin": "https://evil.org"}
    assert Visitor(site.url).send("/login", login, **evil).status == 403


def test_bad_requests_are_told_as_pages(site: Site) -> None:
    visitor = site.visitor(site.token("caller", "approver", "operator", tenant="bad"))
    csrf = visitor.get("/start/refund").csrf
    assert visitor.get("/pipelines/none").status == 404
    assert visitor.get("/start/none").status == 404
    assert visitor.send("/start/none", {"csrf": csrf}).status == 404
    assert visitor.send("/", {"csrf": csrf}).status == 405
    assert visitor.get("/cases/%00").status == 404
    assert visitor.get("/?status=%00&since=x&pipeline=%00&reason=" + "x" * 5000).status == 200
    multipart = {"Content-Type": "multipart/form-data; boundary=x"}
    for headers in (multipart, {"Content-Type": "application/json"}):
        page = visitor.send("/start/refund", {"csrf": csrf}, **headers)
        assert page.status in (400, 403)
        sound(page)
    many = {f"f.{n}": "x" for n in range(6000)}
    assert visitor.send("/start/refund", {"csrf": csrf, **many}).status == 400
    assert visitor.send("/start/refund", {}, **{"Content-Length": str(11 << 20)}).status == 413


def test_without_tokens_a_machine_serves_its_user(tmp_path: Path) -> None:
    with serving(REFUND, tmp_path) as site:
        visitor = Visitor(site.url)
        assert "ada" in visitor.get("/").text
        assert visitor.get("/login").headers["location"] == "/"
        assert "Log out" not in visitor.get("/").text
        assert visitor.get("/", Host="evil.org").status == 421
        run = started(visitor)
        evil = {"Origin": "https://evil.org"}
        csrf = visitor.get("/switches").csrf
        assert visitor.send(f"{run}/cancel", {"csrf": csrf}, **evil).status == 403
        assert visitor.send(f"{run}/cancel", {"csrf": csrf}).status == 303


def test_a_run_at_work_is_shown(tmp_path: Path) -> None:
    go = asyncio.Event()
    models = Models(offer=lambda request: _held(go))
    with serving(REFUND, tmp_path, models) as site:
        visitor = Visitor(site.url)
        run = started(visitor)
        page = until(lambda: visitor.get(run), "is-working")
        sound(page)
        assert 'class="badge plain working">working' in page.text
        assert "data-stream" in page.text
        assert "/cancel" in page.text


def test_a_run_that_has_not_begun_has_reached_nothing(tmp_path: Path) -> None:
    """Its graph was drawn as that of a run which has been everywhere, green ends and red ones."""
    body = json.dumps({"inputs": {"complaint": "c", "order_id": "o"}, "delay": "1h"}).encode()
    with serving(REFUND, tmp_path, Models()) as site:
        address = f"{site.url}/v1/pipelines/refund/runs"
        with urlopen(Request(address, body, {"Content-Type": "application/json"})) as answer:
            run = json.load(answer)["id"]
        page = Visitor(site.url).get(f"/runs/{run}")
        sound(page)
        assert "picture graph lit" in page.text
        assert 'class="is-done' not in page.text
        assert "Begins</strong>" in page.text
        assert "begins in" in Visitor(site.url).get("/").text


async def _held(go: asyncio.Event) -> object:
    await go.wait()
    return OFFER
