"""The pages in a real browser: live, by keyboard alone, on a phone, in the dark, unscripted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipelang.interfaces.service.problems import Problem
from tests.browser import chromium, needs_chromium
from tests.unit.runtime.stage import Models

from .serving import OFFER, REFUND, Site, serving
from .test_hostile import FORM, HOSTILE, TEXTS, hostile_model, hostile_reply, settled

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = needs_chromium

DESKTOP, PHONE = (1440, 900), (390, 844)
PATHS = (
    "/ /cases /cases?state=closed /start /start/refund /pipelines /pipelines/refund /health "
    "/switches /nowhere"
).split()
COMPLAINT = "The vase arrived broken, in many pieces."


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(REFUND, tmp_path_factory.mktemp("t"), Models(offer=OFFER)) as site:
        yield site


@contextmanager
def window(
    browser: Browser, size: tuple[int, int] = DESKTOP, scheme: str = "light", **options: Any
) -> Iterator[BrowserContext]:
    """A window of its own, in which nothing goes wrong: no error, no dialog, no other address."""
    wrong: list[str] = []
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=scheme, **options
    )
    context.set_default_timeout(15_000)

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on(
            "console",
            lambda said: wrong.append(said.text) if "Content Security" in said.text else None,
        )

    context.on("page", watch)
    context.on("request", lambda asked: _ours(asked.url) or wrong.append(asked.url))
    try:
        yield context
        assert wrong == []
    finally:
        context.close()


def _ours(url: str) -> bool:
    return re.match(r"http://(127\.0\.0\.1|localhost):", url) is not None


def opened(context: BrowserContext, url: str) -> Page:
    """A page that is marked: the mark goes when it is loaded anew."""
    page = context.new_page()
    page.goto(url)
    page.evaluate("window.marked = true")
    return page


def is_marked(page: Page) -> bool:
    return bool(page.evaluate("window.marked === true"))


# ------------------------------------------------------------------------------------- live updates


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_what_happens_in_one_window_is_seen_in_another(
    browser: Browser, site: Site, size: tuple[int, int]
) -> None:
    with window(browser, size) as one, window(browser, PHONE, "dark") as two:
        board, inbox = opened(one, site.url), opened(one, f"{site.url}/cases")
        waiting = inbox.locator("#case-list tbody tr").count()
        page = two.new_page()
        page.goto(f"{site.url}/start/refund")
        page.get_by_label("Complaint").fill(COMPLAINT)
        page.get_by_label("Order id").fill("A-1007")
        page.get_by_role("button", name="Start refund").click()
        page.wait_for_url("**/runs/*")
        page.evaluate("window.marked = true")
        # Somebody else's windows change by themselves.
        row = board.locator(f"tr[data-key='{page.url.rpartition('/')[2]}']")
        row.get_by_text("waiting", exact=True).wait_for()
        inbox.locator("#case-list tbody tr").nth(waiting).wait_for()
        board.locator("#open-cases .count", has_text=re.compile(f"^{waiting + 1}\\b")).wait_for()
        # The run's own page says for whom it waits, and where it stands.
        page.get_by_text("Waits for signer").wait_for()
        assert page.locator("svg .is-waiting").count() == 1
        decide = two.new_page()
        decide.goto(page.get_by_role("link", name="Decide").evaluate("link => link.href"))
        decide.get_by_label("Why").fill("seen the photos")
        decide.get_by_role("button", name="Yes").click()
        decide.wait_for_url("**/cases?done=decided")
        row.get_by_text("answered", exact=True).wait_for()
        page.get_by_text("The answer").wait_for()
        page.get_by_text("said yes").first.wait_for()
        assert page.locator("svg .answered.is-done").count() == 1
        assert all(map(is_marked, (board, inbox, page)))


def test_a_change_disturbs_nobody(browser: Browser, site: Site) -> None:
    """What somebody types, has opened or is at stays as it is."""
    visitor = site.visitor()
    run = visitor.fill("/start/refund", {"f.0": COMPLAINT, "f.1": "A-1"}).headers["location"]
    with window(browser) as context:
        page = opened(context, site.url + run)
        page.get_by_text("Waits for signer").wait_for()
        page.locator("#run-trace summary").first.click()
        link = page.get_by_role("link", name="Decide")
        case = link.evaluate("link => link.href")
        board = opened(context, site.url)
        board.locator("#run-list a").first.focus()
        first = board.evaluate("document.activeElement.getAttribute('href')")
        other = opened(context, case)
        other.get_by_label("Why").fill("half a sente")
        for n in range(2):
            visitor.fill("/start/desk", {"f.0": f"Another one {n}", "f.1": "other"})
        board.locator("#run-list").get_by_text("desk").first.wait_for()
        assert board.evaluate("document.activeElement.getAttribute('href')") == first
        assert other.get_by_label("Why").input_value() == "half a sente"
        shown = visitor.get(case.removeprefix(site.url))
        form = {"csrf": shown.csrf, "shown_hash": shown.field("shown_hash"), "verdict": "no"}
        visitor.send(case.removeprefix(site.url), form)
        page.get_by_text("Handed over to clerk").wait_for()
        assert not page.locator("#run-trace details").first.evaluate("one => one.open")
        assert is_marked(page)
        assert other.get_by_label("Why").input_value() == "half a sente"
        other.get_by_role("button", name="Yes").click()
        other.get_by_text("already decided").wait_for()


def test_filters_are_applied_as_they_are_chosen(browser: Browser, site: Site) -> None:
    visitor = site.visitor()
    visitor.fill("/start/refund", {"f.0": COMPLAINT, "f.1": "A-1"})
    visitor.fill("/start/desk", {"f.0": "Hums", "f.1": "other"})
    with window(browser) as context:
        page = opened(context, site.url)
        assert not page.get_by_role("button", name="Filter").is_visible()
        page.get_by_label("Pipeline").select_option("desk")
        page.wait_for_url("**pipeline=desk**")
        assert page.locator("#run-list tbody th a").all_inner_texts() == ["desk"] * len(
            page.locator("#run-list tbody tr").all()
        )


def test_a_page_goes_on_after_its_stream_was_refused(
    browser: Browser, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser gives a stream up for good that is answered with an error: a store that was away,
    or a proxy before a server that starts again.
    """
    visitor = site.visitor()
    run = visitor.fill("/start/refund", {"f.0": COMPLAINT, "f.1": "A-1"}).headers["location"]
    settled(visitor, run, "Waits for signer")
    refused: list[str] = []

    def away(*args: object) -> None:
        refused.append("")
        raise Problem(503, "store", "the store cannot be reached now")

    with window(browser) as context, monkeypatch.context() as patch:
        patch.setattr(site.backend, "follow", away)
        page = opened(context, site.url + run)
        page.get_by_text("Waits for signer").wait_for()
        page.wait_for_function("document.body.dataset.stream !== undefined")
        for _ in range(100):
            if refused:
                break
            page.wait_for_timeout(50)
        assert refused
        patch.undo()
        page.get_by_role("link", name="Decide").wait_for()
        case = page.get_by_role("link", name="Decide").evaluate("link => link.href")
        shown = visitor.get(case.removeprefix(site.url))
        form = {"csrf": shown.csrf, "shown_hash": shown.field("shown_hash"), "verdict": "no"}
        page.wait_for_timeout(500)
        visitor.send(case.removeprefix(site.url), form)
        page.get_by_text("Handed over to clerk").wait_for()
        assert is_marked(page)


# ------------------------------------------------------------------------------------- by keyboard


def press_to(page: Page, name: str, key: str = "Tab") -> None:
    """Go to what has this name by the keyboard alone; wherever one comes is seen."""
    for _ in range(80):
        page.keyboard.press(key)
        found = page.evaluate(
            """() => {
              const one = document.activeElement, style = getComputedStyle(one);
              const row = one.closest("tr"), around = row && getComputedStyle(row);
              const label = one.labels && one.labels.length ? one.labels[0].innerText : "";
              return {
                name: one.getAttribute("aria-label") || label || one.innerText || "",
                seen: style.outlineStyle !== "none" || (around && around.outlineStyle !== "none"),
              };
            }"""
        )
        assert found["seen"], found
        if found["name"].split("\n")[0].strip().startswith(name):
            return
    raise AssertionError(f"`{name}` cannot be reached by {key}")


@pytest.mark.parametrize(("size", "scheme"), [(DESKTOP, "light"), (PHONE, "dark")])
def test_everything_is_done_by_keyboard(
    browser: Browser, site: Site, size: tuple[int, int], scheme: str
) -> None:
    with window(browser, size, scheme) as context:
        page = context.new_page()
        page.goto(site.url)
        press_to(page, "Skip to the content")
        page.keyboard.press("Enter")
        press_to(page, "Start a run")
        page.keyboard.press("Enter")
        page.wait_for_url("**/start")
        press_to(page, "Start refund")
        page.keyboard.press("Enter")
        page.wait_for_url("**/start/refund")
        press_to(page, "Complaint")
        page.keyboard.type(COMPLAINT)
        press_to(page, "Order id")
        page.keyboard.type("A-1007")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs/*")
        page.get_by_text("Waits for signer").wait_for()
        press_to(page, "Decide")
        page.keyboard.press("Enter")
        page.wait_for_url("**/cases/*")
        press_to(page, "Why")
        page.keyboard.type("as agreed")
        press_to(page, "Yes")
        page.keyboard.press("Enter")
        page.wait_for_url("**/cases?done=decided")
        press_to(page, "Runs")
        page.keyboard.press("Enter")
        page.locator("#run-list").get_by_text("answered").first.wait_for()
        press_to(page, "refund")
        page.keyboard.press("Enter")
        page.get_by_text("The answer").wait_for()


# ---------------------------------------------------------------------------------- what is shown

LOOK = """() => {
  const number = /[\\d.]+/g;
  const parse = (colour) => {
    const [r, g, b, a = 1] = colour.match(number).map(Number);
    return colour.startsWith("color(") ? [r * 255, g * 255, b * 255, a] : [r, g, b, a];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255)
      .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const over = (top, below) => [0, 1, 2].map((i) => top[i] * top[3] + below[i] * (1 - top[3]));
  const ground = (one) => {
    const layers = [];
    for (let at = one; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      if (colour[3] > 0) layers.push(colour);
      if (colour[3] === 1) break;
    }
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  const pale = [], small = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const one = walk.currentNode.parentElement;
    const text = walk.currentNode.textContent.trim();
    if (!text || one.closest("svg, script, noscript, .skip")) continue;
    if (!one.getClientRects().length) continue;
    const style = getComputedStyle(one), below = ground(one);
    const pair = [light(over(parse(style.color), below)), light(below)].sort((a, b) => b - a);
    const ratio = (pair[0] + 0.05) / (pair[1] + 0.05);
    if (ratio < 4.5) pale.push([text.slice(0, 30), ratio]);
  }
  const targets = "main a, main button, main input, main select, summary";
  for (const one of document.querySelectorAll(targets)) {
    const box = one.getBoundingClientRect();
    const inline = one.matches("a, .check input, .choices input") || one.type === "hidden";
    if (box.width && !inline && box.height < 24) small.push([one.outerHTML, box.height]);
  }
  return { width: document.documentElement.scrollWidth, pale, small };
}"""


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_and_can_be_read(
    browser: Browser, site: Site, size: tuple[int, int], scheme: str
) -> None:
    visitor = site.visitor()
    waiting = visitor.fill("/start/refund", {"f.0": COMPLAINT, "f.1": "A-1"}).headers["location"]
    visitor.fill("/start/desk", {"f.0": "Hums", "f.1": "other"})
    with window(browser, size, scheme) as context:
        page = context.new_page()
        page.goto(site.url + waiting)
        page.get_by_text("Waits for signer").wait_for()
        cases = re.findall(r'"(/cases/[0-9a-f]+)"', visitor.get("/cases").text)
        for path in (*PATHS, waiting, *cases[-2:]):
            page.goto(site.url + path)
            seen = page.evaluate(LOOK)
            assert seen["width"] <= size[0], path
            assert seen["pale"] == [], path
            assert seen["small"] == [], path


def test_hostile_texts_do_nothing(browser: Browser, tmp_path: Path) -> None:
    models, tools = Models(reply=hostile_model), {"look": hostile_reply}
    with (
        serving(HOSTILE, tmp_path, models, tools=tools) as site,
        window(browser, PHONE) as context,
    ):
        visitor = site.visitor()
        run = visitor.fill("/start/answer", {**FORM, "thread": TEXTS[1]}).headers["location"]
        page = opened(context, site.url + run)
        page.get_by_text("Waits for desk").wait_for()
        case = page.get_by_role("link", name="Decide").evaluate("link => link.href")
        for path in ("/", "/cases", "/pipelines/answer", "/start/answer", "/switches"):
            other = opened(context, site.url + path)
            assert other.evaluate("document.documentElement.scrollWidth") <= PHONE[0], path
        decide = opened(context, case)
        decide.get_by_label("Why").fill(TEXTS[1])
        decide.get_by_role("button", name="Yes").click()
        page.get_by_text("The answer").wait_for()  # replaced by the script, not loaded anew
        assert is_marked(page)
        assert (
            page.evaluate("document.querySelectorAll('main script, main img, main style').length")
            == 0
        )
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


def test_long_names_and_texts_leave_a_page_its_width_and_an_end(
    browser: Browser, tmp_path: Path
) -> None:
    models, tools = Models(reply=hostile_model), {"look": hostile_reply}
    marks = "Z" + "\u0335\u0321\u0322\u0327" * 45
    with serving(HOSTILE, tmp_path, models, tools=tools, tokens=True) as site:
        names = {"name": "W" * 90 + "\u202e\u05d0", "tenant": marks + "/../%2e%2e/" + "V" * 90}
        visitor = site.visitor(site.token("caller", "approver", **names))
        cookies: Any = [
            {"name": name, "value": value, "url": site.url}
            for name, value in visitor.cookies.items()
        ]
        form = {**FORM, "f.0": "\n" * 20_000 + "x", "f.1": f'{{"{"k" * 50_000}": 1}}'}
        runs = []
        for thread in ("W" * 200, marks):
            started = visitor.fill("/start/answer", {**form, "thread": thread})
            assert started.status == 303, started.text[-2000:]
            runs.append(started.headers["location"])
            settled(visitor, runs[-1], "/cases/")
        case = re.findall(r'"(/cases/[0-9a-f]+)"', visitor.get("/cases").text)[0]
        for size in (PHONE, DESKTOP):
            with window(browser, size) as context:
                context.add_cookies(cookies)
                for path in ("/", "/cases", "/pipelines", "/start/answer", *runs, case):
                    page = opened(context, site.url + path)
                    seen = page.evaluate(
                        "[document.documentElement.scrollWidth, "
                        "document.documentElement.scrollHeight]"
                    )
                    assert seen[0] <= size[0], path
                    assert seen[1] <= 100_000, path
                    box = page.get_by_role("button", name="Log out").bounding_box()
                    assert box is not None, path
                    assert box["width"] > 40, path


# --------------------------------------------------------------------------------- without scripts


def test_it_works_without_scripts(browser: Browser, site: Site) -> None:
    with window(browser, PHONE, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}/start/refund")
        page.get_by_label("Complaint").fill(COMPLAINT)
        page.get_by_label("Order id").fill("A-1007")
        page.get_by_role("button", name="Start refund").click()
        for _ in range(50):
            if page.get_by_role("link", name="Decide").count():
                break
            page.reload()
        page.get_by_role("link", name="Decide").click()
        page.get_by_label("Why").fill("by hand")
        page.get_by_role("button", name="No").click()
        page.get_by_label("State").select_option("closed")
        page.get_by_role("button", name="Filter").click()
        page.get_by_role("link", name="The customer gets more than $50 back").first.click()
        page.get_by_text("said no").wait_for()
        page.goto(f"{site.url}/?status=escalated")
        page.locator("#run-list a").first.click()
        page.get_by_text("Handed over to clerk").wait_for()
        page.get_by_label("Models").uncheck()
        page.get_by_role("button", name="Apply").click()
        assert not page.get_by_label("Models").is_checked()


def test_a_link_from_elsewhere_is_followed(browser: Browser, tmp_path: Path) -> None:
    """The cookie is strict, and so does not come along with a link of another site."""
    with (
        serving(REFUND, tmp_path, tokens=True) as site,
        window(browser) as context,
    ):
        page = context.new_page()
        page.goto(f"{site.url}/login?next=/pipelines")
        page.get_by_label("Your token").fill(site.token("caller"))
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url("**/pipelines")
        elsewhere = site.url.replace("127.0.0.1", "localhost") + "/login"
        page.goto(elsewhere)
        page.evaluate("url => { location.href = url; }", f"{site.url}/pipelines/refund")
        page.wait_for_url("**/pipelines/refund")
        page.get_by_role("button", name="Log out").click()
        page.wait_for_url("**/login")
        page.goto(site.url)
        page.wait_for_url("**/login")
