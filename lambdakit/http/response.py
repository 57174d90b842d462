"""Responses: what a handler may return beside plain values, and what a front door sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal

from typing_extensions import TypeVar

from lambdakit.http.values import Headers

if TYPE_CHECKING:
    from lambdakit.http.request import HttpRequest

Content = TypeVar("Content", default=Any)


class Response(Generic[Content]):
    """What a handler returns to say more than its content: a status, headers, cookies, a media type.

    Args:
        content: What is sent, in the form that it has when it is returned alone: models and other values as JSON, text
            and bytes as they are, None as an empty body.
        status: The status code; by default the decorator's, or 200, or 204 for an empty body.
        headers: The headers, each with its value or values.
        media_type: The Content-Type; by default it follows from the content.

    A handler that is annotated with ``Response[Order]`` sends its content as an ``Order``.

    >>> page = Response("<h1>Orders</h1>", media_type="text/html; charset=utf-8")
    >>> page.set_cookie("theme", "dark", max_age=3600, path="/shop")
    >>> page.cookies
    ['theme=dark; Max-Age=3600; Path=/shop']
    """

    __slots__ = ("content", "cookies", "headers", "media_type", "status")

    def __init__(
        self,
        content: Content | None = None,
        status: int | None = None,
        *,
        headers: Mapping[str, str | Sequence[str]] | None = None,
        media_type: str | None = None,
    ) -> None:
        self.content = content
        self.status = status
        self.headers = Headers(headers)
        self.media_type = media_type
        self.cookies: list[str] = []

    def set_cookie(
        self,
        name: str,
        value: str = "",
        *,
        max_age: int | None = None,
        expires: datetime | None = None,
        path: str | None = None,
        domain: str | None = None,
        secure: bool = False,
        http_only: bool = False,
        same_site: Literal["Strict", "Lax", "None"] | None = None,
        partitioned: bool = False,
    ) -> None:
        """Let the client keep a cookie, with its attributes by their own names.

        Args:
            name: Its name, a token.
            value: Its value in ASCII; what a cookie can't hold as it is, such as a comma, is quoted.
            max_age: How long it is kept, in seconds; 0 removes it.
            expires: Until when it is kept.
            path: Below which path it is sent.
            domain: To which domain, and those below it, it is sent.
            secure: Whether it is sent by HTTPS only.
            http_only: Whether scripts do not see it.
            same_site: From where it is sent.
            partitioned: Whether each site that embeds this one has its own.

        Raises:
            ValueError: a cookie can't have that name, value or attribute.
        """
        from lambdakit.http.cookies import written

        attributes = {
            "Expires": expires,
            "Max-Age": max_age,
            "Domain": domain,
            "Path": path,
            "Secure": secure,
            "HttpOnly": http_only,
            "SameSite": same_site,
            "Partitioned": partitioned,
        }
        self.cookies.append(written(name, value, attributes))

    def delete_cookie(self, name: str, *, path: str | None = None, domain: str | None = None) -> None:
        """Let the client forget a cookie that was set with that path and domain."""
        self.set_cookie(name, max_age=0, path=path, domain=domain)


class Reply:
    """A response as it is sent, before a front door gives it its form.

    Attributes:
        status: The status code.
        headers: The headers, without cookies.
        cookies: The values of Set-Cookie.
        body: The body; bytes that are no text go out in base64.
    """

    __slots__ = ("body", "cookies", "headers", "status")

    is_final: ClassVar[bool] = False
    """Whether nothing is to be added to it, such as CORS headers."""

    def __init__(
        self,
        status: int,
        media_type: str = "",
        body: str | bytes = "",
        *,
        headers: Mapping[str, str] | None = None,
        cookies: Sequence[str] = (),
    ) -> None:
        self.status = status
        self.body = body
        self.cookies = cookies
        if headers is None:
            self.headers = Headers.of("content-type", media_type) if media_type else Headers()
            return
        self.headers = Headers(headers)
        if media_type and "content-type" not in self.headers:
            self.headers["content-type"] = media_type
        if "set-cookie" in self.headers:  # which some front doors take apart from the others
            self.cookies = [*self.headers.all("set-cookie"), *cookies]
            del self.headers["set-cookie"]

    def document(self, request: HttpRequest) -> dict[str, Any]:
        """What Lambda hands back to the front door that the request came through."""
        return request.document(self)

    def several(self) -> dict[str, list[str]]:
        """The headers that have several values, and the cookies."""
        found = {name: values for name in self.headers if len(values := self.headers.all(name)) > 1}
        return {**found, "set-cookie": [*self.cookies]} if self.cookies else found

    def encoded_body(self) -> tuple[str, bool]:
        """The body as JSON can hold it, and whether that is base64."""
        body = self.body
        if isinstance(body, str):
            return body, False
        if "content-encoding" not in self.headers and is_text(self.headers.get("content-type", "")):
            try:
                return body.decode(), False
            except UnicodeDecodeError:
                pass
        from base64 import b64encode

        return b64encode(body).decode(), True


def is_text(media_type: str) -> bool:
    """Whether a media type is one of text: what compresses well, and what needs no base64."""
    kind = media_type.partition(";")[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXTS or kind.endswith(("+json", "+xml"))


_TEXTS = {
    "application/json",
    "application/javascript",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/x-ndjson",
    "application/yaml",
}
