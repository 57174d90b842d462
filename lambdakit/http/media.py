"""Bodies, read by their media types."""

from __future__ import annotations

from typing import Any

from lambdakit.http.errors import HTTPError, RequestValidationError


def is_json(media_type: str) -> bool:
    """Whether a body of that type is JSON; one that says nothing is taken for it."""
    return media_type in ("", "application/json") or media_type.endswith("+json")


def unsupported(media_type: str, *accepted: str) -> HTTPError:
    """That a body is not of the media type which its route takes."""
    given = media_type or "a body without a Content-Type"
    return HTTPError(
        415, f"this route takes {' or '.join(accepted)}, not {given}", headers={"accept": ", ".join(accepted)}
    )


def decoded_text(content: bytes, content_type: str) -> str:
    """Text in the charset of its Content-Type, or in UTF-8.

    Raises:
        HTTPError: 400, it is no such text.
    """
    charset = parameter(content_type, "charset") or "utf-8"
    try:
        return content.decode(charset)
    except (UnicodeDecodeError, LookupError):
        raise HTTPError(400, f"the body is no text in {charset[:40]}") from None


def parsed_json(content: str | bytes) -> Any:
    """What JSON says.

    Raises:
        RequestValidationError: it is none.
    """
    from pydantic_core import from_json

    try:
        return from_json(content)
    except ValueError as error:
        problem = {"loc": ["body"], "msg": f"Invalid JSON: {error}", "type": "json_invalid"}
        raise RequestValidationError([problem]) from error


def parameter(header: str, name: str) -> str:
    """A parameter of a header's value; ``""`` if it has none of that name.

    >>> parameter('multipart/form-data; boundary="a;b"', "boundary")
    'a;b'
    """
    import re

    found = re.search(rf';\s*{name}\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;]+))', header, re.IGNORECASE)
    return (re.sub(r"\\(.)", r"\1", found[1]) if found[1] else found[2] or "") if found else ""
