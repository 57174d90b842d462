"""How an App answers requests: CORS, compression, limits."""

from __future__ import annotations

from collections.abc import Iterable

from lambdakit.triggers.settings import as_tuple, check_flag, check_range


class Cors:
    """What scripts of other sites may do, by the names of an HTTP API's own setting.

    Set it here or at the front door (an HTTP API and a function URL can answer for themselves), not at both.

    Args:
        allow_origins: Sites, as ``https://example.com``; ``"*"`` for any.
        allow_methods: Methods; by default those that the routes of a path have.
        allow_headers: Headers a script may send; ``"*"`` for any.
        expose_headers: Headers of responses a script may see.
        max_age: How many seconds a browser remembers the answer.
        allow_credentials: Whether a script may send cookies.

    Raises:
        ValueError: credentials for any site, which browsers refuse; or a value is not of its type.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    """

    __slots__ = ("allow_credentials", "allow_headers", "allow_methods", "allow_origins", "expose_headers", "max_age")

    def __init__(
        self,
        allow_origins: str | Iterable[str] = "*",
        *,
        allow_methods: str | Iterable[str] = (),
        allow_headers: str | Iterable[str] = ("content-type", "authorization"),
        expose_headers: str | Iterable[str] = (),
        max_age: int | None = None,
        allow_credentials: bool = False,
    ) -> None:
        check_range("max_age", max_age, 0, 86_400, "seconds", optional=True)
        check_flag("allow_credentials", allow_credentials)
        self.allow_origins = as_tuple(allow_origins, "allow_origins")
        self.allow_methods = as_tuple(allow_methods, "allow_methods")
        self.allow_headers = as_tuple(allow_headers, "allow_headers")
        self.expose_headers = as_tuple(expose_headers, "expose_headers")
        self.max_age = max_age
        self.allow_credentials = allow_credentials
        if allow_credentials and "*" in self.allow_origins:
            raise ValueError("allow_credentials needs allow_origins that name the sites, not '*'")


class HttpSettings:
    """How an App answers requests.

    Args:
        cors: What scripts of other sites may do; None sends no such headers.
        minimum_compression_size: From how many bytes on a body is compressed for clients that take gzip; None never.
        max_body_size: How many bytes a request's body may have, else it is answered with 413; None leaves it to AWS.
        base_path: What is taken off the front of paths, as ``/shop``, where AWS does not say so itself: behind a load
            balancer's rule for ``/shop/*``, or a mapping of a custom domain to an API with a ``$default`` route only.

    Raises:
        ValueError: a value is not of its type.
    """

    __slots__ = ("base_path", "cors", "max_body_size", "minimum_compression_size")

    def __init__(
        self,
        *,
        cors: Cors | None = None,
        minimum_compression_size: int | None = None,
        max_body_size: int | None = None,
        base_path: str = "",
    ) -> None:
        check_range("minimum_compression_size", minimum_compression_size, 0, 10_485_760, "bytes", optional=True)
        check_range("max_body_size", max_body_size, 0, 10_485_760, "bytes", optional=True)
        if base_path and (not base_path.startswith("/") or base_path.endswith("/")):
            raise ValueError(f"base_path begins with a slash and ends without one, not {base_path!r}")
        self.cors = cors
        self.minimum_compression_size = minimum_compression_size
        self.max_body_size = max_body_size
        self.base_path = base_path
