"""HTTP APIs in payload format 2.0, and function URLs, which have it too.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from lambdakit.http.request import FrontDoor, HttpRequest, text

if TYPE_CHECKING:
    from lambdakit.http.response import Reply


class ApiGatewayV2Request(HttpRequest):
    """A request of format 2.0: commas join the values of a header, cookies have a field of their own."""

    front_door: ClassVar[FrontDoor] = "apigw_v2"
    path_is_encoded: ClassVar[bool] = False

    def _start_line(self, event: Any) -> tuple[str, str]:
        return event["requestContext"]["http"]["method"].upper(), text(event["rawPath"])

    def _base_path(self) -> str:
        """The stage, but for ``$default``; at a custom domain the key of its mapping."""
        context = self.request_context
        if context.get("stage") == "$default" and str(context.get("domainName")).endswith(".amazonaws.com"):
            return ""
        from lambdakit.http.paths import mapped_prefix, stage_prefix

        return mapped_prefix(self, str(self.event.get("routeKey")).partition(" ")[2]) or stage_prefix(self)

    def below(self, prefix: str) -> dict[str, Any]:
        """With the stage before the path, as it always is."""
        context = self.request_context
        stage = context.get("stage", "$default")
        path = ("" if stage == "$default" else f"/{stage}") + self._rest(prefix)
        return {**self.event, "rawPath": path, "requestContext": {**context, "http": {**context["http"], "path": path}}}

    @property
    def source_ip(self) -> str:
        """The address the request came from."""
        http = self.request_context.get("http")
        return str(http.get("sourceIp") or "") if isinstance(http, dict) else ""

    def _query(self) -> dict[str, list[str]]:
        """By the raw query: the parsed one joins values with commas."""
        from lambdakit.http.paths import parsed_query

        raw = self.event.get("rawQueryString")
        return parsed_query(raw) if isinstance(raw, str) else super()._query()

    def _cookies(self) -> list[str]:
        cookies = self.event.get("cookies")
        return [str(cookie) for cookie in cookies] if isinstance(cookies, list) else super()._cookies()

    def document(self, reply: Reply) -> dict[str, Any]:
        """With a status code always, so that nothing is left to inference."""
        body, is_base64 = reply.encoded_body()
        document: dict[str, Any] = {
            "statusCode": reply.status,
            "headers": reply.headers.joined(),
            "body": body,
            "isBase64Encoded": is_base64,
        }
        if reply.cookies:
            document["cookies"] = [*reply.cookies]
        return document


class FunctionUrlRequest(ApiGatewayV2Request):
    """A request to a function URL, which leaves the path as it came and has neither stages nor mappings."""

    front_door: ClassVar[FrontDoor] = "function_url"
    path_is_encoded: ClassVar[bool] = True

    def _base_path(self) -> str:
        return ""
