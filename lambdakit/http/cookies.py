"""Cookies: read as clients send them, written with their attributes.

Source: https://www.rfc-editor.org/rfc/rfc6265
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_TEXT = re.compile(r"[ -:<-~]*")  # visible ASCII and spaces, without the semicolon that would end it


def parsed(headers: Iterable[str]) -> dict[str, str]:
    r"""The cookies of Cookie headers. Of two with one name the first counts: clients send that of the closest path.

    >>> parsed(["theme=dark; lang=en", 'note="a\\054 b"'])
    {'theme': 'dark', 'lang': 'en', 'note': 'a, b'}
    """
    cookies: dict[str, str] = {}
    for pair in ";".join(headers).split(";"):
        name, equals, value = pair.partition("=")
        if equals and name.strip():
            cookies.setdefault(name.strip(), _read(value.strip()))
    return cookies


def _read(value: str) -> str:
    if len(value) < 2 or not value[0] == value[-1] == '"':
        return value
    from http.cookies import SimpleCookie

    read: str = SimpleCookie().value_decode(value)[0]
    return read


def written(name: str, value: str, attributes: Mapping[str, Any]) -> str:
    """A cookie as Set-Cookie has it.

    Raises:
        ValueError: it can't have that name, value or attribute.
    """
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"a cookie's name has letters, digits and no separators, not {name!r}")
    if not value.isascii():
        raise ValueError(f"the value of cookie {name!r} is ASCII: encode it, as urllib.parse.quote does")
    given = [(attribute, value) for attribute, value in attributes.items() if value is not None and value is not False]
    return "; ".join([f"{name}={_quoted(value)}", *(_attribute(*pair) for pair in given)])


def _quoted(value: str) -> str:
    if not value:
        return value
    from http.cookies import SimpleCookie

    quoted: str = SimpleCookie().value_encode(value)[1]
    return quoted


def _attribute(name: str, value: Any) -> str:
    if value is True:
        return name
    if isinstance(value, datetime):
        value = value.astimezone(UTC).strftime("%a, %d %b %Y %H:%M:%S GMT")
    if not _TEXT.fullmatch(str(value)):
        raise ValueError(f"a cookie's {name} can't be {value!r}")
    return f"{name}={value}"
