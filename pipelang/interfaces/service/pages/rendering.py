"""Renders the pages: templates with every text escaped, and the files that go with them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from pipelang.interfaces.export.calibration_svg import calibration_stylesheet
from pipelang.interfaces.export.svg.days import days_stylesheet
from pipelang.interfaces.report.html.page import TEMPLATES as REPORT_TEMPLATES
from pipelang.interfaces.service.pages import words
from pipelang.interfaces.service.problems import Problem

if TYPE_CHECKING:
    from jinja2 import Environment

    from pipelang.interfaces.service.principals import Principal

HERE = Path(__file__).parent
HEADERS = {"Referrer-Policy": "same-origin"}
"""Without a referrer a browser would not name the origin of our forms either."""

FLASHES = {
    "decided": "Decided. The run goes on with it.",
    "answered": "Answered. The run goes on with it.",
    "declined": "Noted that this will not be answered.",
    "closed": "Closed, with your note.",
    "labelled": "Noted, as evidence of how good the answers are.",
    "cancelled": "The run was cancelled.",
    "killed": "Switched off.",
    "paused": "Paused: nothing new begins.",
    "restored": "Restored.",
}
"""Messages after a change; the address has only their keys."""

_PAGES = (
    ("runs", "/", "Runs", ()),
    ("cases", "/cases", "Cases", ()),
    ("start", "/start", "Start", ("caller", "operator")),
    ("pipelines", "/pipelines", "Pipelines", ()),
    ("health", "/health", "Health", ("operator",)),
    ("switches", "/switches", "Switches", ("operator",)),
)


@cache
def environment() -> Environment:
    """The templates. Every text is escaped; what they do not know is an error of ours."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader([HERE / "templates", REPORT_TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals["static"] = static_path
    made.globals["status_style"] = lambda status: words.STATUS_STYLES.get(status, "quiet")
    made.filters |= {
        "ago": words.ago,
        "clock": words.clock,
        "took": words.took,
        "dollars": words.dollars,
        "short_id": words.short_id,
    }
    return made


def render(
    request: Request,
    template: str,
    who: Principal | None,
    here: str = "",
    status: int = 200,
    **context: Any,
) -> HTMLResponse:
    """A page for somebody; None is nobody that we know."""
    gate = request.app.state.gate
    nav = [
        {"key": key, "href": href, "title": title}
        for key, href, title, rights in _PAGES
        if who is not None and (not rights or who.has(*rights))
    ]
    known = {
        "who": who,
        "here": here,
        "nav": nav,
        "csrf": gate.csrf_of(request) if who is not None else "",
        "now": datetime.now(UTC),
        "open_cases": 0,
        "flash": FLASHES.get(request.query_params.get("done", "")),
        **context,
    }
    text = environment().get_template(template).render(**known)
    return HTMLResponse(text.encode(errors="replace"), status, headers=HEADERS)


def see_other(path: str) -> RedirectResponse:
    """Another page, after a change."""
    return RedirectResponse(path, 303, headers=HEADERS)


def refused(request: Request, problem: Problem, who: Principal | None) -> Response:
    """A problem as a page."""
    title = problem.as_json()["title"]
    detail = problem.detail[:1].upper() + problem.detail[1:]
    template = "refused.html" if who is not None else "refused_stranger.html"
    page = render(request, template, who, status=problem.status, title=title, detail=detail)
    page.headers.update(problem.headers)
    return page


# ---------------------------------------------------------------------------------------- files

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@cache
def _files() -> Mapping[str, bytes]:
    """The files of the pages by name: read once, all of our own."""
    parts = [REPORT_TEMPLATES / "report.css", HERE / "static" / "page.css"]
    sheets = [calibration_stylesheet(), days_stylesheet()]
    css = "\n".join([*(one.read_text(encoding="utf-8") for one in parts), *sheets])
    found = {"pipelang.css": css.encode()}
    for name in ("page.js", "icon.svg"):
        found[name] = (HERE / "static" / name).read_bytes()
    return found


@cache
def static_path(name: str) -> str:
    """The address of a file, which changes with what is in it."""
    return f"/static/{name}?v={hashlib.sha256(_files()[name]).hexdigest()[:12]}"


async def static_file(request: Request) -> Response:
    """One of the files of the pages."""
    name = request.path_params["name"]
    data = _files().get(name)
    if data is None:
        raise Problem(404, "unknown", "there is no such file")
    kind = _TYPES[Path(name).suffix]
    # Kept for good only under the address that names this content.
    known = request.url.query == static_path(name).partition("?")[2]
    kept = "public, max-age=31536000, immutable" if known else "no-cache"
    return Response(data, media_type=kind, headers={"Cache-Control": kept})
