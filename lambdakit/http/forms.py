"""Forms: url-encoded by Python itself, multipart by python-multipart, which is loaded with the first of them.

Source: https://www.rfc-editor.org/rfc/rfc7578
"""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any

from lambdakit.http.errors import HTTPError
from lambdakit.http.media import parameter, unsupported
from lambdakit.http.values import Headers, Values

if TYPE_CHECKING:
    from lambdakit.http.request import HttpRequest

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class UploadFile:
    """A file that a form brought. It is in memory, as all of a request is in Lambda.

    Attributes:
        filename: Its name, as the client says.
        content: Its bytes.
        headers: What the client says of it besides.
    """

    __slots__ = ("content", "filename", "headers")

    def __init__(self, filename: str, content: bytes, headers: Headers | None = None) -> None:
        self.filename = filename
        self.content = content
        self.headers = headers if headers is not None else Headers()

    def __repr__(self) -> str:
        return f"<UploadFile {self.filename!r}: {self.size} bytes>"

    @property
    def content_type(self) -> str:
        """Its media type, as the client says; ``""`` if it says none."""
        return self.headers.get("content-type", "")

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return len(self.content)

    @property
    def file(self) -> BytesIO:
        """Its bytes as a file, at the beginning."""
        return BytesIO(self.content)


FormValue = str | UploadFile


def parsed_form(request: HttpRequest) -> Values[FormValue]:
    """The fields of a request's form.

    Raises:
        HTTPError: 415, the body is no form; 400, it is a broken one.
    """
    if not request.content:
        return Values()
    media_type = request.media_type
    if media_type == URLENCODED:
        from lambdakit.http.paths import parsed_query

        fields: dict[str, list[Any]] = dict(parsed_query(request.text()))
    elif media_type == MULTIPART:
        fields = _multipart(request.body, parameter(request.content_type, "boundary"))
    else:
        raise unsupported(media_type, URLENCODED, MULTIPART)
    return Values(fields)


def _multipart(body: bytes, boundary: str) -> dict[str, list[Any]]:
    try:
        from python_multipart.exceptions import FormParserError
        from python_multipart.multipart import MultipartParser
    except ImportError:
        raise unsupported(MULTIPART, URLENCODED) from None
    if not boundary:
        raise HTTPError(400, "the form can't be read: its Content-Type has no boundary")
    fields = _Fields()
    callbacks: Any = {f"on_{name}": getattr(fields, name) for name in _CALLBACKS}
    try:
        parser = MultipartParser(boundary, callbacks)
        parser.write(body)
        parser.finalize()
    except (FormParserError, UnicodeEncodeError) as error:
        raise HTTPError(400, f"the form can't be read: {error}") from None
    if not fields.ended:
        raise HTTPError(400, "the form can't be read: it ends in the middle")
    return fields.values


class _Fields:
    """Takes what the parser finds, piece by piece."""

    def __init__(self) -> None:
        self.values: dict[str, list[Any]] = {}
        self.ended = False
        self._headers = Headers()
        self._name = self._value = b""
        self._data = bytearray()

    def part_begin(self) -> None:
        self._headers, self._data = Headers(), bytearray()

    def header_begin(self) -> None:
        self._name = self._value = b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        self._headers.add(self._name.decode("latin-1"), self._value.decode(errors="replace"))

    def part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]

    def part_end(self) -> None:
        disposition = self._headers.get("content-disposition", "")
        name, filename = parameter(disposition, "name"), parameter(disposition, "filename")
        if filename:
            value: FormValue = UploadFile(filename, bytes(self._data), self._headers)
        else:
            value = self._data.decode(errors="replace")
        self.values.setdefault(name, []).append(value)

    def end(self) -> None:
        self.ended = True


_CALLBACKS = (
    "part_begin",
    "part_data",
    "part_end",
    "header_begin",
    "header_field",
    "header_value",
    "header_end",
    "end",
)
