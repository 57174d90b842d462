"""The routes of an API: which of them takes a request, and what its parameters hold.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

DEFAULT = "$default"


@dataclass(frozen=True, slots=True)
class Route:
    """A route: ``GET /orders/{id}``, ``ANY /files/{name+}``, ``$default``."""

    key: str
    method: str
    path: str
    pattern: re.Pattern[str]
    rank: tuple[object, ...]

    @classmethod
    def of(cls, key: str) -> Route:
        """A route by its key.

        Raises:
            ValueError: API Gateway has no such keys.
        """
        method, _, path = (f"ANY {DEFAULT}" if key == DEFAULT else key).partition(" ")
        if path != DEFAULT and not re.fullmatch(r"/([\w.:,$~*-]+|\{[\w.-]+\+?\}|/)*", path):
            raise ValueError(
                f"{key!r} is no route of API Gateway; one is 'GET /orders/{{id}}', 'ANY /{{proxy+}}' or '$default'"
            )
        segments = path.removeprefix("/").split("/")
        pattern = ".*" if path == DEFAULT else "/" + "/".join(map(_pattern, segments))
        return cls(key, method, path, re.compile(pattern, re.DOTALL), (*map(_rank, segments), method == "ANY"))

    def parameters(self, method: str, path: str) -> dict[str, str] | None:
        """The values of its parameters; None if it does not take the request."""
        match = self.pattern.fullmatch(path) if self.method in ("ANY", method) else None
        names = re.findall(r"\{([\w.-]+)\+?\}", self.path)
        return dict(zip(names, match.groups(), strict=True)) if match else None


class RouteTable:
    """The routes of an API, of which the most specific takes a request."""

    def __init__(self, keys: Iterable[str]) -> None:
        self.routes = sorted(map(Route.of, keys), key=lambda route: route.rank)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route of a request, with the values of its parameters."""
        for route in self.routes:
            parameters = route.parameters(method, path)
            if parameters is not None:
                return route, parameters
        return None


def _pattern(segment: str) -> str:
    if not segment.startswith("{"):
        return re.escape(segment)
    return "(.+)" if segment.endswith("+}") else "([^/]+)"


def _rank(segment: str) -> int:
    """A segment that is written out comes before a parameter, and that before one for all that follows."""
    if segment == DEFAULT:
        return 3
    if not segment.startswith("{"):
        return 0
    return 2 if segment.endswith("+}") else 1
