"""Names that have one value or several: a query, headers, a form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any, TypeVar

Value = TypeVar("Value")


class Values(Mapping[str, Value]):
    """Names, each with its last value, as in ``query["page"]``; ``all`` has the others too.

    >>> Values({"tag": ["a", "b"]})["tag"], Values({"tag": ["a", "b"]}).all("tag")
    ('b', ['a', 'b'])
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, list[Value]] | None = None) -> None:
        self._values: dict[str, list[Value]] = {**(values or {})}

    def __getitem__(self, name: str) -> Value:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._values})"

    def all(self, name: str) -> list[Value]:
        """All values of a name, in order; none where there is no such name."""
        return [*self._values.get(name, ())]


class Headers(MutableMapping[str, str]):
    """Headers by their names, whose case does not matter. Several values of one are joined by commas.

    >>> headers = Headers({"Accept": "text/html"})
    >>> headers.add("accept", "*/*")
    >>> headers["ACCEPT"], headers.all("accept")
    ('text/html,*/*', ['text/html', '*/*'])
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str | Sequence[str]] | None = None) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in (values._values if isinstance(values, Headers) else values or {}).items():
            self._values.setdefault(name.lower(), []).extend([value] if isinstance(value, str) else value)

    @classmethod
    def of(cls, name: str, value: str) -> Headers:
        """One header with one value; the name is in small letters."""
        headers = cls.__new__(cls)
        headers._values = {name: [value]}
        return headers

    def __getitem__(self, name: str) -> str:
        return ",".join(self._values[name.lower()])

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def __setitem__(self, name: str, value: str) -> None:
        self._values[name.lower()] = [value]

    def __delitem__(self, name: str) -> None:
        del self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Headers({self._values})"

    def all(self, name: str) -> list[str]:
        """All values of a header, as they came."""
        return [*self._values.get(name.lower(), ())]

    def joined(self) -> dict[str, str]:
        """Each header with its values, which commas join."""
        return {name: ",".join(values) for name, values in self._values.items()}

    def add(self, name: str, value: str) -> None:
        """Put a value beside those that a header has already."""
        self._values.setdefault(name.lower(), []).append(value)


def texts(values: Any) -> dict[str, list[str]]:
    """A mapping of an event, each name with its values, whatever it holds: consoles send numbers and nulls."""
    if not isinstance(values, Mapping):
        return {}
    found = {str(name): _texts(value) for name, value in values.items()}
    return {name: several for name, several in found.items() if several}


def _texts(value: Any) -> list[str]:
    return [str(one) for one in (value if isinstance(value, list) else [value]) if one is not None]
