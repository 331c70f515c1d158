"""Operations of the API: each with its path, what it takes and gives, and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from pipelang.records import dataclass

Answerer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class ApiParameter:
    """A parameter of an operation: `where` is `query`, `header` or `path`."""

    name: str
    where: str
    schema: dict[str, Any]
    about: str


@dataclass(frozen=True, slots=True)
class ApiOperation:
    """An operation. `answers` are by status: a model for JSON, the name of a media type for all
    else. A `body` is of a model, or of one of several. `public` needs no token.
    """

    id: str
    method: str
    path: str
    about: str
    answer: Answerer
    answers: dict[int, type[BaseModel] | str]
    parameters: tuple[ApiParameter, ...] = ()
    body: type[BaseModel] | tuple[type[BaseModel], ...] | None = None
    problems: tuple[int, ...] = ()
    public: bool = False

    @property
    def bodies(self) -> tuple[type[BaseModel], ...]:
        """The models of the body."""
        if self.body is None:
            return ()
        return self.body if isinstance(self.body, tuple) else (self.body,)


class JsonAnswer(Response):
    """JSON of plain values; what no JSON has is a text."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        from pipelang.interfaces.service.api.requests import as_json

        return as_json(content)
