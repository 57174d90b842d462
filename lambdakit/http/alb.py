"""Application Load Balancers.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
"""

from __future__ import annotations

from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, Any, ClassVar

from lambdakit.http.request import FrontDoor, HttpRequest
from lambdakit.http.values import Headers, texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambdakit.http.response import Reply


class AlbRequest(HttpRequest):
    """A request by way of a load balancer: an undecoded query, and all values only if the target group says so."""

    front_door: ClassVar[FrontDoor] = "alb"

    @property
    def is_multi_value(self) -> bool:
        """Whether the target group has multi-value headers, for requests and responses alike."""
        return "multiValueHeaders" in self.event

    @cached_property
    def headers(self) -> Headers:
        """The headers."""
        return Headers(texts(self.event.get("multiValueHeaders" if self.is_multi_value else "headers")))

    @property
    def source_ip(self) -> str:
        """The address the load balancer saw, which it puts last."""
        return self.headers.get("x-forwarded-for", "").rpartition(",")[2].strip()

    @property
    def request_id(self) -> str:
        """The trace ID."""
        return self.headers.get("x-amzn-trace-id", "")

    def _query(self) -> dict[str, list[str]]:
        from urllib.parse import unquote_plus

        decoded: dict[str, list[str]] = {}
        for name, values in super()._query().items():
            decoded.setdefault(unquote_plus(name), []).extend(map(unquote_plus, values))
        return decoded

    def document(self, reply: Reply) -> dict[str, Any]:
        """Headers in the form of the target group; cookies that share one value are told apart by their case."""
        body, is_base64 = reply.encoded_body()
        document = {"statusCode": reply.status, "body": body, "isBase64Encoded": is_base64}
        if self.is_multi_value:
            cookies = {"set-cookie": [*reply.cookies]} if reply.cookies else {}
            headers = reply.headers
            return {**document, "multiValueHeaders": {**{name: headers.all(name) for name in headers}, **cookies}}
        return {**document, "headers": {**reply.headers.joined(), **_one_by_one("set-cookie", reply.cookies)}}


def _one_by_one(name: str, values: Sequence[str]) -> dict[str, str]:
    """Several values of a header where each name has one: HTTP does not mind the case of a name, JSON does.

    >>> _one_by_one("set-cookie", ["a=1", "b=2", "c=3"])
    {'set-cookie': 'a=1', 'set-cookiE': 'b=2', 'set-cookIe': 'c=3'}
    """
    spellings = product(*((letter, letter.upper()) if letter.isalpha() else (letter,) for letter in name))
    return {"".join(spelling): value for spelling, value in zip(spellings, values, strict=False)}
