"""REST APIs, and HTTP APIs in payload format 1.0.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

from lambdakit.http.paths import mapped_prefix, stage_prefix
from lambdakit.http.request import FrontDoor, HttpRequest
from lambdakit.http.values import Headers, texts

if TYPE_CHECKING:
    from lambdakit.http.response import Reply


class ApiGatewayV1Request(HttpRequest):
    """A request of format 1.0: names with all their values, a path that only HTTP APIs decode."""

    front_door: ClassVar[FrontDoor] = "apigw_v1"

    @property
    def path_is_encoded(self) -> bool:  # type: ignore[override]
        """A REST API leaves the path as it came, an HTTP API (whose events have a version) does not."""
        return "version" not in self.event

    def _base_path(self) -> str:
        """A REST API has the stage in the path of a custom domain only, an HTTP API always but for ``$default``."""
        mapped = mapped_prefix(self, self.event.get("resource"))
        return mapped or ("" if self.path_is_encoded else stage_prefix(self))

    @cached_property
    def headers(self) -> Headers:
        """The headers; a test event may have them with one value each only."""
        return Headers(texts(self.event.get("multiValueHeaders") or self.event.get("headers")))

    def document(self, reply: Reply) -> dict[str, Any]:
        """Headers with several values, such as cookies, beside those with one."""
        body, is_base64 = reply.encoded_body()
        document: dict[str, Any] = {
            "statusCode": reply.status,
            "headers": reply.headers.joined(),
            "body": body,
            "isBase64Encoded": is_base64,
        }
        if several := reply.several():
            document["headers"] = {n: value for n, value in document["headers"].items() if n not in several}
            document["multiValueHeaders"] = several
        return document
