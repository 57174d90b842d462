"""What goes wrong with a request, and how it is answered: as a problem, by RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copyreg import __newobj__  # type: ignore[attr-defined]
from typing import Any

from lambdakit.binding import message_of
from lambdakit.errors import LambdakitError
from lambdakit.http.response import Reply

Problem = dict[str, Any]
"""What is wrong with one part of a request: ``loc`` (where), ``msg``, ``type``."""

# As RFC 9110 has them; Python's own are older.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class HTTPError(LambdakitError):
    """An error that is the answer: raised anywhere below a route, it becomes a response of that status.

    Its body is a problem (``application/problem+json``). A subclass may give the status and the rest itself.

    Args:
        status: The status code.
        detail: What went wrong this time, in words.
        title: What kind of problem it is; by default the status's own phrase.
        type: A URI of the kind of problem.
        headers: Headers of the response.
        **extra: Further members of the problem.

    Source: https://www.rfc-editor.org/rfc/rfc9457

    >>> error = HTTPError(409, "order 7 is paid", order="7")
    >>> error.problem()
    {'type': 'about:blank', 'title': 'Conflict', 'status': 409, 'detail': 'order 7 is paid', 'order': '7'}
    """

    def __init__(
        self,
        status: int,
        detail: str = "",
        *,
        title: str = "",
        type: str = "about:blank",  # noqa: A002 - its name in the RFC
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        self.status = status
        self.detail = detail
        self.title = title or _title(status)
        self.type = type
        self.headers = {**(headers or {})}
        self.extra = extra

    def __reduce__(self) -> tuple[Any, ...]:
        """Copied and pickled as it is, whatever a subclass is made with."""
        return __newobj__, (type(self), *self.args), self.__dict__

    def __str__(self) -> str:
        return f"{self.status} {self.title}" + f": {self.detail}" * bool(self.detail)

    def problem(self) -> dict[str, Any]:
        """The body of the response."""
        detail = {"detail": self.detail} if self.detail else {}
        return {"type": self.type, "title": self.title, "status": self.status, **detail, **self.extra}

    def reply(self) -> Reply:
        """The response."""
        from pydantic_core import to_json

        body = to_json(self.problem(), inf_nan_mode="null").decode()
        return Reply(self.status, "application/problem+json", body, headers=self.headers)


class RequestValidationError(HTTPError):
    """A request whose parts are not what its handler asks for: 422, and what is wrong with each in ``errors``.

    What the client sent is not repeated: it may hold secrets.

    Args:
        errors: Each with ``loc`` (``["query", "limit"]``), ``msg`` and ``type``.
    """

    def __init__(self, errors: Sequence[Problem]) -> None:
        count = f"{len(errors)} parts" if len(errors) > 1 else "a part"
        super().__init__(422, f"{count} of the request can't be read", errors=[*errors])

    @property
    def errors(self) -> list[Problem]:
        """What is wrong with each part."""
        found: list[Problem] = self.extra["errors"]
        return found


class ResponseValidationError(LambdakitError):
    """What a handler returned is not what its annotation says: a mistake in the function, which Lambda reports.

    Args:
        handler: The handler, as ``module.function``.
        problems: ``path: message`` for each field.
    """

    def __init__(self, handler: str, problems: Sequence[str]) -> None:
        super().__init__(handler, tuple(problems))
        self.handler = handler
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return f"{self.handler} returned what its annotation does not allow:\n" + "\n".join(
            f"  {problem}" for problem in self.problems
        )


def problems_of(error: Any, *place: str) -> list[Problem]:
    """What a ValidationError says, as problems of the part of the request at a place."""
    return [
        {
            "loc": [*place, *problem["loc"]],
            "msg": message_of(problem["type"], problem["msg"], problem.get("ctx", {})),
            "type": problem["type"],
        }
        for problem in error.errors(include_url=False, include_input=False)
    ]


def missing(*place: str) -> Problem:
    """That a part of the request is not there."""
    return {"loc": [*place], "msg": "Field required", "type": "missing"}


def _title(status: int) -> str:
    from http import HTTPStatus

    try:
        return _TITLES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Error"
