"""Access to the pages: who looks, forms with their CSRF token, logging in and out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from pipelang.interfaces.service.guards import MOST_BODY
from pipelang.interfaces.service.pages.forms import Flat, media_text
from pipelang.interfaces.service.pages.rendering import refused, render, see_other
from pipelang.interfaces.service.problems import Problem
from pipelang.interfaces.service.sessions import require_own_origin

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal, Right
    from pipelang.interfaces.service.service import Service

PageView = Callable[[Request, "Service", "Principal"], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]

MOST_FIELDS = 5000


def for_known(view: PageView, *rights: Right) -> Endpoint:
    """A view for people who are logged in and have one of these rights; others log in first."""

    async def endpoint(request: Request) -> Response:
        who = request.app.state.gate.of_page(request)
        if who is None:
            return _to_login(request)
        if rights and not who.has(*rights):
            listed = " or ".join(rights)
            problem = Problem(403, "forbidden", f"this page needs a token with the role {listed}")
            return refused(request, problem, who)
        try:
            return await view(request, request.app.state.service, who)
        except Problem as problem:
            return refused(request, problem, who)

    return endpoint


def _to_login(request: Request) -> Response:
    """The page where one logs in, which leads back."""
    if request.method not in ("GET", "HEAD"):
        return see_other("/login")
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return see_other("/login" if path == "/" else f"/login?next={quote(path, safe='')}")


async def form_of(request: Request) -> Flat:
    """The form of a change, of our own page. Raises `Problem` (403, 400)."""
    flat = await _read(request)
    request.app.state.gate.require_csrf(request, flat.get("csrf"))
    return flat


async def _read(request: Request) -> Flat:
    flat: Flat = {}
    try:
        async with request.form(
            max_files=50, max_fields=MOST_FIELDS, max_part_size=MOST_BODY
        ) as form:
            for name, value in form.multi_items():
                if not isinstance(value, UploadFile):
                    flat.setdefault(name, value)
                elif value.filename:
                    flat[name] = media_text(await value.read(), value.content_type or "")
    except ClientDisconnect:
        raise Problem(400, "bad_body", "the form ended early") from None
    except HTTPException:
        raise Problem(
            400, "bad_body", "the form cannot be read: it is broken or too long"
        ) from None
    return flat


# ----------------------------------------------------------------------------- logging in and out


def local_path(text: str) -> str:
    """A path on this server out of an address, `/` for anything else."""
    plain = text.isprintable() and "\\" not in text
    return text if plain and text.startswith("/") and not text.startswith("//") else "/"


async def login_page(request: Request) -> Response:
    """The page where one logs in."""
    if request.app.state.gate.tokens is None:
        return see_other("/")
    path = local_path(request.query_params.get("next", "/"))
    return render(request, "login.html", None, next=path, problem="")


async def log_in(request: Request) -> Response:
    """Log in with a token."""
    gate = request.app.state.gate
    if gate.tokens is None:
        return see_other("/")
    flat: Flat = {}
    try:
        require_own_origin(request)
        flat = await _read(request)
        token = flat.get("token", "").strip()
        gate.login(request, token)
    except Problem as problem:
        if problem.status not in (401, 403, 429):
            return refused(request, problem, None)
        path = local_path(flat.get("next", "/"))
        said = f"{problem.detail[:1].upper()}{problem.detail[1:]}."
        page = render(request, "login.html", None, status=problem.status, next=path, problem=said)
        page.headers.update({k: v for k, v in problem.headers.items() if k == "Retry-After"})
        return page
    answer = see_other(local_path(flat.get("next", "/")))
    gate.remember(request, answer, token)
    return answer


async def log_out(request: Request) -> Response:
    """Log out: the cookie goes."""
    gate = request.app.state.gate
    if gate.of_page(request) is not None:
        try:
            await form_of(request)
        except Problem as problem:
            return refused(request, problem, None)
    answer = see_other("/login")
    gate.forget(answer)
    return answer


async def session(request: Request) -> Response:
    """Whether the cookie that came with a request is a login.

    A strict cookie does not come with a link from elsewhere: the page where one logs in asks here,
    and goes on to where the link leads.
    """
    known = request.app.state.gate.of_page(request) is not None
    return Response(status_code=204 if known else 401)
