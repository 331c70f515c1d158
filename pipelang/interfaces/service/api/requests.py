"""Requests: bodies, queries and cursors, read strictly."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect, Request

from pipelang.interfaces.service.problems import Problem, shortened
from pipelang.runtime.files import strict_json

if TYPE_CHECKING:
    from pipelang.interfaces.service.principals import Principal
    from pipelang.interfaces.service.service import Service

_EXACT = 2.0**53
"""Below it every whole number is one as a float."""

Model = TypeVar("Model", bound=BaseModel)


def service_of(request: Request) -> Service:
    """The service behind the application."""
    service: Service = request.app.state.service
    return service


def who_asks(request: Request) -> Principal:
    """The principal who sends a request to the API. Raises `Problem` (401, 403, 429)."""
    who: Principal = request.app.state.gate.of_api(request)
    return who


async def body_of(request: Request, model: type[Model] | Mapping[str, type[Model]]) -> Model:
    """The body, as JSON of a model, or of the one whose own field it has. Raises `Problem` (400,
    415, 422).
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Problem(415, "media_type", "send the body with `Content-Type: application/json`")
    try:
        data = await request.body()
    except ClientDisconnect:
        raise Problem(400, "bad_body", "the body ended early") from None
    try:
        value = strict_json.loads(data, parse_float=_number)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()  # NaN, half a character
    except strict_json.DuplicateKey as error:
        raise Problem(400, "bad_body", str(error)) from None
    except (ValueError, RecursionError):
        raise Problem(400, "bad_body", "the body is no JSON") from None
    if not isinstance(value, dict):
        raise Problem(422, "bad_shape", "the body must be an object")
    if isinstance(model, Mapping):
        named = [key for key in model if key in value]
        if len(named) != 1:
            listed = ", ".join(f"`{key}`" for key in model)
            raise Problem(422, "bad_shape", f"the body has one of {listed}")
        model = model[named[0]]
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Problem(422, "bad_shape", _in_words(error, model)) from None


def _number(text: str) -> float:
    """A number with a point or an exponent. 1.0 is a whole number, to JSON Schema and to clients
    whose language has one kind of numbers.
    """
    value = float(text)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _in_words(error: ValidationError, model: type[BaseModel]) -> str:
    """The first thing that is wrong, with its place and what was expected."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    parts = [str(part) for part in first["loc"] if not str(part).startswith("function-")]
    where = shortened(".".join(parts) or "body")
    match first["type"]:
        case "extra_forbidden":
            listed = ", ".join(f"`{name}`" for name in model.model_fields)
            return f"there is no field `{where}`; there are: {listed}"
        case "missing":
            return f"the field `{where}` is missing"
        case _:
            said = first["msg"].removeprefix("Value error, ")
            return f"`{where}`: {said[:1].lower()}{said[1:]}"


def query_of(request: Request, *names: str) -> dict[str, str]:
    """The parameters of a query. Raises `Problem` (400) for others, and for one given twice."""
    found: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names:
            listed = ", ".join(f"`{one}`" for one in names) or "none"
            raise Problem(
                400, "bad_query", f"there is no parameter `{shortened(name)}`; there are: {listed}"
            )
        if name in found:
            raise Problem(400, "bad_query", f"the parameter `{name}` is there twice")
        found[name] = value
    return found


def number_of(query: dict[str, str], name: str, low: int, high: int, default: int) -> int:
    """A whole number of a query. Raises `Problem` (400)."""
    text = query.get(name)
    if text is None:
        return default
    if text.isascii() and text.isdigit() and len(text) < 10 and low <= int(text) <= high:
        return int(text)
    raise Problem(400, "bad_query", f"`{name}` is a whole number from {low} to {high}")


def flag_of(query: dict[str, str], name: str) -> bool:
    """A yes or no of a query. Raises `Problem` (400)."""
    text = query.get(name, "false")
    if text not in ("true", "false"):
        raise Problem(400, "bad_query", f"`{name}` is `true` or `false`")
    return text == "true"


def cursor_of(query: dict[str, str], list: str) -> tuple[float, str] | None:
    """The place that the cursor of a query names, in a list with the same filters. Raises `Problem`
    (404): such a place there is not.
    """
    text = query.get("cursor")
    if text is None:
        return None
    try:
        mark, at, id = json.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
        if mark == _mark(query, list) and type(at) is float and type(id) is str:
            return at, id
    except (ValueError, TypeError, RecursionError):
        pass
    raise Problem(404, "bad_cursor", "the cursor is none of this list: take the `next` of a page")


def cursor_to(place: tuple[float, str] | None, query: dict[str, str], list: str) -> str | None:
    """The cursor that names a place in a list."""
    if place is None:
        return None
    text = json.dumps([_mark(query, list), *place])
    return base64.urlsafe_b64encode(text.encode()).decode()


def _mark(query: dict[str, str], list: str) -> str:
    """The mark of a list with its filters: the cursor of another one would leave things out."""
    filters = sorted((k, v) for k, v in query.items() if k not in ("cursor", "limit"))
    text = json.dumps([list, filters])
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]


def as_json(value: Any) -> bytes:
    """A value as JSON for an answer: what no JSON has is a text."""
    return json.dumps(value, ensure_ascii=False, default=str).encode(errors="replace")
