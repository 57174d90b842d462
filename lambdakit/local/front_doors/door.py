"""What every front door does: turn a request into an event, and a function's reply into a response."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, ClassVar

from lambdakit.local.front_doors.messages import HOP_BY_HOP, Pairs, Request, Response

if TYPE_CHECKING:
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.outcome import Reply
    from lambdakit.local.sources.source import Place

Event = dict[str, Any]

MEGABYTE = 1_048_576

# https://www.rfc-editor.org/rfc/rfc9110#section-5
_TOKEN = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
_NOT_IN_VALUES = re.compile(r"[\0-\x08\x0a-\x1f\x7f\ud800-\udfff]")


class Trouble(Enum):
    """Why a front door answers by itself."""

    NOT_THERE = auto()
    """There is no such stage."""
    NO_ROUTE = auto()
    """None of the API's routes takes it."""
    REQUEST_TOO_LARGE = auto()
    """Its body is larger than the door takes."""
    EVENT_TOO_LARGE = auto()
    """The event of the request is larger than Lambda takes."""
    THROTTLED = auto()
    """Lambda refused it with status 429."""
    FUNCTION_ERROR = auto()
    """The function failed; its time limit counts too."""
    MALFORMED_REPLY = auto()
    """The function returned what is no response."""
    TIMED_OUT = auto()
    """The function takes longer than the door waits."""


class Refusal(Exception):
    """A front door answers by itself; for the exchange to catch."""

    def __init__(self, trouble: Trouble, problem: str = "") -> None:
        super().__init__(trouble, problem)
        self.trouble = trouble
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request at a front door.

    Attributes:
        request: The request.
        request_id: What the door calls it.
        time: When it came.
    """

    request: Request
    request_id: str
    time: datetime

    @property
    def extended_id(self) -> str:
        """A shorter one that API Gateway has too."""
        return b64encode(bytes.fromhex(self.request_id.replace("-", ""))[:11]).decode()

    @property
    def headers(self) -> Pairs:
        """The request's, and those that each door adds."""
        request, dropped = self.request, {"x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"}
        before = [value for name, value in request.headers if name.lower() == "x-forwarded-for"]
        traced = [] if request.header("x-amzn-trace-id") else [("X-Amzn-Trace-Id", self.trace_id)]
        return [
            *(pair for pair in request.headers if pair[0].lower() not in dropped),
            *traced,
            ("X-Forwarded-For", ", ".join([*before, request.source_ip])),
            ("X-Forwarded-Port", str(request.port)),
            ("X-Forwarded-Proto", request.scheme),
        ]

    @property
    def trace_id(self) -> str:
        """An ID of X-Ray's form."""
        return f"Root=1-{int(self.time.timestamp()):08x}-{self.request_id.replace('-', '')[:24]}"


class FrontDoor:
    """A front door of one function.

    Attributes:
        name: What it is called, as in ``front_door="http-api"``.
        host: The domain that AWS would give it.
        seconds: How long it waits for the function; None as long as that may run.
        max_body: The largest body of a request, in bytes.
        troubles: What it answers by itself.
    """

    name: ClassVar[str]
    seconds: ClassVar[float | None] = None
    max_body: ClassVar[int] = 10 * MEGABYTE
    troubles: ClassVar[Mapping[Trouble, Response]]
    host: str

    def __init__(self, place: Place, function: str) -> None:
        self.place = place
        self.function = function

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"https://{self.host}"

    def invocation_id(self, arrival: Arrival) -> str | None:
        """The id that Lambda knows the request by; None where Lambda gives it one."""
        return None

    def event(self, arrival: Arrival) -> Event:
        """What the function is given.

        Raises:
            Refusal: it is given nothing.
        """
        raise NotImplementedError

    def response(self, arrival: Arrival, reply: Reply) -> Response:
        """What becomes of the function's reply.

        Raises:
            Refusal: it is no response.
        """
        raise NotImplementedError

    def refused(self, trouble: Trouble, invocation: Invocation | None) -> Response:
        """What the client gets instead of a reply."""
        return self.troubles[trouble]

    def own_headers(self, arrival: Arrival) -> Pairs:
        """The headers that it adds to each response."""
        return [("Date", format_datetime(self.place.clock.today, usegmt=True))]


# The parts of events.


def without(pairs: Pairs, *names: str) -> list[tuple[str, str]]:
    """The headers but for those, and for what is about the connection only."""
    return [pair for pair in pairs if pair[0].lower() not in HOP_BY_HOP and pair[0].lower() not in names]


def text_or_base64(body: bytes, is_text: bool) -> tuple[str, bool]:
    """A body as JSON can hold it, and whether that is base64."""
    return (body.decode(errors="replace"), False) if is_text or not body else (b64encode(body).decode(), True)


# The parts of replies.


def parsed(reply: Reply) -> Any:
    """What a function returned.

    Raises:
        Refusal: it is no JSON.
    """
    try:
        return json.loads(reply.payload)
    except (ValueError, RecursionError) as error:
        raise malformed("the function returned bytes that are no JSON") from error


def malformed(problem: str) -> Refusal:
    """A reply is no response."""
    return Refusal(Trouble.MALFORMED_REPLY, problem)


def status_of(value: Any) -> int:
    """A status code, which may be text.

    Raises:
        Refusal: it is none.
    """
    try:
        status = int(value)
    except (TypeError, ValueError) as error:
        raise malformed(f"statusCode is {value!r}") from error
    if isinstance(value, bool | float) or not 200 <= status <= 599:  # below 200 a response only announces another
        raise malformed(f"statusCode is {value!r}")
    return status


def single_headers(reply: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers with one value each.

    Raises:
        Refusal: they are something else.
    """
    headers = reply.get("headers") or {}
    if not isinstance(headers, dict):
        raise malformed("headers is no object")
    return [header(name, value) for name, value in headers.items()]


def several_headers(reply: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The headers with several values.

    Raises:
        Refusal: they are something else.
    """
    headers = reply.get("multiValueHeaders") or {}
    if not isinstance(headers, dict) or not all(isinstance(values, list) for values in headers.values()):
        raise malformed("multiValueHeaders is no object of arrays")
    return [header(name, value) for name, values in headers.items() for value in values]


def merged_headers(reply: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Both, and of a name that is in both those with several values."""
    several = several_headers(reply)
    names = {name.lower() for name, _ in several}
    return [*(pair for pair in single_headers(reply) if pair[0].lower() not in names), *several]


def header(name: str, value: Any) -> tuple[str, str]:
    """A header; what is true or false is written so.

    Raises:
        Refusal: it is none.
    """
    if isinstance(value, bool):
        value = "true" if value else "false"
    if not isinstance(value, str):
        raise malformed(f"the value of the header {name!r} is {value!r}, and no string")
    if not _TOKEN.fullmatch(name) or _NOT_IN_VALUES.search(value):
        raise malformed(f"HTTP has no header {name!r} with the value {value!r}")
    return name, value


def body_bytes(reply: Mapping[str, Any], *, decodes: bool = True) -> bytes:
    """The body, decoded if it says that it is base64 and the door does that.

    Raises:
        Refusal: it is no text, or not what it says.
    """
    body = "" if reply.get("body") is None else reply["body"]
    if not isinstance(body, str):
        raise malformed(f"body is of type {type(body).__name__}, and no string: json.dumps() makes one of it")
    if not (decodes and reply.get("isBase64Encoded")):
        return body.encode(errors="surrogatepass")
    try:
        return b64decode(body, validate=True)
    except ValueError as error:
        raise malformed("body is not the base64 that isBase64Encoded says it is") from error


def with_content_type(headers: Pairs, default: str) -> Pairs:
    """The headers, with a Content-Type."""
    if any(name.lower() == "content-type" for name, _ in headers):
        return headers
    return [*headers, ("Content-Type", default)]


def json_answer(status: int, body: str, *headers: tuple[str, str]) -> Response:
    """An answer of a door's own."""
    return Response(status, [("Content-Type", "application/json"), *headers], body.encode())
