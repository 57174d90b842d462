"""What API Gateway puts before a path, and queries as they stand in a URL.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mappings.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lambdakit.http.request import HttpRequest


def stage_prefix(request: HttpRequest) -> str:
    """``/stage`` where the path begins with it; the stage ``$default`` is never in a path."""
    prefix = f"/{request.request_context.get('stage')}"
    return prefix if f"{request.raw_path}/".startswith(f"{prefix}/") else ""


def mapped_prefix(request: HttpRequest, template: Any) -> str:
    """What stands before the path of the API's own route, as the base path of a custom domain's mapping does.

    The event does not name it, but it names the route (``/orders/{id}``) and the values of its parameters. Nothing
    stands there at the domain that API Gateway gave the API.
    """
    domain = request.request_context.get("domainName")
    if not isinstance(domain, str) or domain.endswith(".amazonaws.com") or not isinstance(template, str):
        return ""
    path, tail = request.raw_path, _filled(template, request.event.get("pathParameters") or {})
    if tail is None:
        return ""
    if request.path_is_encoded:  # and so are the parameters of REST APIs, though not those of all test events
        from urllib.parse import unquote

        path, tail = unquote(path), unquote(tail)
    path = path.rstrip("/")
    if not path.endswith(tail):
        return ""
    prefix = path.removesuffix(tail)
    return prefix if request.raw_path.startswith(prefix) else ""


def _filled(template: str, parameters: Mapping[str, Any]) -> str | None:
    """A route's path with the values of its parameters; None for a route without a path, or without values."""
    if not template.startswith("/"):
        return None
    import re

    try:
        return re.sub(r"\{([^}+]+)\+?\}", lambda found: str(parameters[found[1]]).strip("/"), template).rstrip("/")
    except (KeyError, TypeError):
        return None


def parsed_query(text: str) -> dict[str, list[str]]:
    """Each name of a query, or of a url-encoded form, with its values.

    >>> parsed_query("tag=a&tag=b+c&empty")
    {'tag': ['a', 'b c'], 'empty': ['']}
    """
    if not text:
        return {}
    from urllib.parse import parse_qsl

    values: dict[str, list[str]] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        values.setdefault(name, []).append(value)
    return values
