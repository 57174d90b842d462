"""Routes: how they are written, and which of them takes a path.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

DEFAULT = "$default"
"""The route that takes what no other takes."""
ANY = "ANY"

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", ANY)

# What a value of each type looks like.
_CONVERTERS = {
    "int": r"-?[0-9]+",
    "float": r"-?[0-9]+(\.[0-9]+)?",
    "uuid": r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}",
}

_UNWANTED = frozenset("{}?#")

Taker = TypeVar("Taker")


class Segment:
    """A part of a route's path: its text, or a parameter.

    Attributes:
        text: The text, ``""`` of a parameter.
        name: The parameter's name, ``""`` of a text.
        converter: What a value of the parameter looks like, ``""`` for anything.
        is_greedy: Whether it takes the rest of the path.
    """

    __slots__ = ("converter", "is_greedy", "name", "text")

    def __init__(self, written: str) -> None:
        inner = written[1:-1] if written[:1] == "{" and written[-1:] == "}" else ""
        name, _, converter = inner.removesuffix("+").partition(":")
        is_parameter = name.replace("-", "_").replace(".", "_").isidentifier()
        self.text = "" if is_parameter else written
        self.name, self.converter = (name, converter) if is_parameter else ("", "")
        self.is_greedy = is_parameter and inner.endswith("+")

    @property
    def key(self) -> str:
        """Equal for those that take the same values."""
        return self.text or f"{{{self.converter}{'+' * self.is_greedy}}}"


class Pattern:
    """A route's methods and path: ``GET|HEAD /orders/{order_id}``.

    Args:
        route: The route as it is written.

    Raises:
        ValueError: it is none.
    """

    def __init__(self, route: str) -> None:
        self.route = route
        methods, _, path = (f"{ANY} {DEFAULT}" if route == DEFAULT else route).partition(" ")
        self.methods = tuple(dict.fromkeys(methods.upper().split("|")))
        self.path = path.strip()
        if route == DEFAULT:
            return
        if not {*self.methods} <= {*METHODS}:
            raise ValueError(
                f"a route is a method and a path, as 'GET /orders/{{order_id}}', or '$default'; {route!r} begins with "
                f"{methods!r}, which is none of {', '.join(METHODS)}, nor several with '|' between them"
            )
        self._check()

    @cached_property
    def segments(self) -> list[Segment]:
        """The parts of the path. A closing slash means nothing."""
        path = self.path[1:].removesuffix("/")
        return [Segment(written) for written in path.split("/")] if path else []

    @property
    def names(self) -> list[str]:
        """The names of the parameters."""
        return [segment.name for segment in self.segments if segment.name]

    @property
    def key(self) -> str:
        """Equal for routes that take the same paths."""
        return self.path if self.path == DEFAULT else "/" + "/".join(segment.key for segment in self.segments)

    def _check(self) -> None:
        if not self.path.startswith("/"):
            raise ValueError(f"the path of a route begins with '/': {self.route!r} does not")
        for segment in self.segments:
            self._check_segment(segment)
        if any(segment.is_greedy for segment in self.segments[:-1]):
            raise ValueError(f"a parameter that takes the rest of the path comes last, not so in {self.route!r}")
        names = self.names
        if repeated := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{self.route!r} has two parameters called {repeated[0]!r}")

    def _check_segment(self, segment: Segment) -> None:
        if segment.converter and segment.converter not in _CONVERTERS:
            known = ", ".join(f"{{{segment.name}:{name}}}" for name in _CONVERTERS)
            raise ValueError(
                f"{self.route!r} has a parameter of type {segment.converter!r}; there are {known}, "
                f"{{{segment.name}}} for anything and {{{segment.name}+}} for the rest of a path"
            )
        if not segment.name and (not segment.text or not _UNWANTED.isdisjoint(segment.text)):
            raise ValueError(
                "a part of a route's path is text or one parameter, as 'orders' or '{order_id}'; "
                f"{segment.text!r} in {self.route!r} is neither"
            )


class _Node(Generic[Taker]):
    """A place in the tree of all paths: what may come next, and who takes a path that ends here."""

    __slots__ = ("greedy", "parameters", "takers", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, _Node[Taker]] = {}
        self.parameters: dict[str, tuple[Callable[[str], object] | None, _Node[Taker]]] = {}
        self.greedy: _Node[Taker] | None = None
        self.takers: dict[str, tuple[Taker, list[str]]] = {}

    def next(self, segment: Segment) -> _Node[Taker]:
        """The node after a segment, made if it is not there."""
        if segment.text:
            return self.texts.setdefault(segment.text, _Node())
        if segment.is_greedy:
            self.greedy = self.greedy or _Node()
            return self.greedy
        converter = segment.converter
        if converter not in self.parameters:
            self.parameters[converter] = _fits(converter), _Node()
            self.parameters = {key: self.parameters[key] for key in sorted(self.parameters, reverse=True)}  # "" last
        return self.parameters[converter][1]

    def taker(self, method: str) -> tuple[Taker, list[str]] | None:
        """Who takes a method: who names it before who takes any."""
        takers = self.takers
        return takers.get(method) or (takers.get("GET") if method == "HEAD" else None) or takers.get(ANY)


def _fits(converter: str) -> Callable[[str], object] | None:
    """Whether a value is of a type; None for any value."""
    if not converter:
        return None
    import re

    return re.compile(_CONVERTERS[converter]).fullmatch


class RouteTable(Generic[Taker]):
    """Finds who takes a method and a path: texts before parameters, those before the rest of a path, from the left."""

    def __init__(self) -> None:
        self.default: Taker | None = None
        self._root: _Node[Taker] = _Node()

    def add(self, pattern: Pattern, taker: Taker, *, is_weak: bool = False) -> None:
        """Let a taker have the requests of a pattern; a weak one makes way for another of the same pattern."""
        if pattern.path == DEFAULT:
            self.default = taker
            return
        node, names = self._root, pattern.names
        for segment in pattern.segments:
            node = node.next(segment)
        for method in pattern.methods:
            if not (is_weak and method in node.takers):
                node.takers[method] = taker, names

    def find(self, method: str, segments: Sequence[str]) -> tuple[Taker, Mapping[str, str]] | None:
        """Who takes a request, and the values of its path's parameters; None if no route does."""
        path, rest = _closed(segments)
        found = _found(self._root, method, path, 0, rest)
        if found is None:
            return (self.default, {}) if self.default is not None else None
        (taker, names), values = found
        return taker, dict(zip(names, reversed(values), strict=True)) if names else {}

    def methods(self, segments: Sequence[str]) -> list[str]:
        """The methods that the routes of a path take, sorted, with those that follow; none where no route is."""
        path, _ = _closed(segments)
        found = set(_methods(self._root, path, 0))
        if not found:
            return []
        return sorted(found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set()))


def _closed(segments: Sequence[str]) -> tuple[Sequence[str], str]:
    """The segments without the empty one after a closing slash, and that slash."""
    return (segments, "") if segments[-1] else (segments[:-1], "/" if len(segments) > 1 else "")


# No node is visited twice, so that neither takes longer than there are routes.


def _found(
    node: _Node[Taker], method: str, path: Sequence[str], position: int, rest: str
) -> tuple[tuple[Taker, list[str]], list[str]] | None:
    """Who takes a path below a node, with the names of its parameters, and their values from the last to the first."""
    if position == len(path):
        taker = node.taker(method)
        return (taker, []) if taker else None
    segment = path[position]
    following = node.texts.get(segment)
    found = following and _found(following, method, path, position + 1, rest)
    if found:
        return found
    for fits, following in node.parameters.values() if segment else ():
        if fits is None or fits(segment):
            found = _found(following, method, path, position + 1, rest)
            if found is not None:
                found[1].append(segment)
                return found
    taker = node.greedy.taker(method) if node.greedy else None
    return (taker, ["/".join(path[position:]) + rest]) if taker else None


def _methods(node: _Node[Any], path: Sequence[str], position: int) -> Iterator[str]:
    """The methods that are taken of a path below a node."""
    if position == len(path):
        yield from node.takers
        return
    segment = path[position]
    if segment in node.texts:
        yield from _methods(node.texts[segment], path, position + 1)
    for fits, following in node.parameters.values() if segment else ():
        if fits is None or fits(segment):
            yield from _methods(following, path, position + 1)
    if node.greedy is not None:
        yield from node.greedy.takers
