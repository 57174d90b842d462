"""Which records of a source its mapping hands to the function: the ``FilterCriteria``. Decided without I/O.

Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from pydantic_core import from_json

from lambdakit.local.errors import InvokeError
from lambdakit.patterns import FilterPattern

FilterSource = Literal["sqs", "kinesis", "dynamodb", "kafka", "mq"]
Record = dict[str, Any]
Kind = Literal["json", "text"]
Patterns = Sequence[Mapping[str, object] | str]

MOST_PATTERNS = 10
"""How many filters a mapping takes: 5, and with a raised quota 10."""


class FilterCriteria:
    """The filters of a mapping: a record passes if one of them takes it, or if there are none.

    A pattern looks at a record as it stands in the event, but for its data, which it finds decoded and, if that is
    JSON, parsed: under ``body`` (SQS), ``data`` (Kinesis, MQ), ``key`` and ``value`` (Kafka); a change of DynamoDB lies
    under ``dynamodb``. What is said there of fields (``{"body": {"kind": ["a"]}}``) is for JSON, a list of values
    (``{"body": ["ping"]}``) for text. Data of the other kind does not pass in SQS, Kinesis and DynamoDB; in Kafka and
    MQ that part of the pattern is then left out. JSON is what parses to an object or a list: ``5`` is text.

    Args:
        patterns: Mappings, or their JSON; at most ten.
        source: What kind of records they look at.

    Raises:
        InvokeError: ``InvalidParameterValueException``: Lambda would not take a pattern; its ``__cause__`` says why.

    >>> FilterCriteria([{"body": {"kind": ["order"]}}], "sqs").passes({"body": '{"kind": "order"}'})
    True
    """

    def __init__(self, patterns: Patterns, source: FilterSource) -> None:
        if len(patterns) > MOST_PATTERNS:
            raise _refusal(f"There are {len(patterns)} filters; a mapping takes {MOST_PATTERNS}.")
        self._keys, self._read, lenient = _SOURCES[source]
        self._filters = [_Filter(pattern, self._keys, lenient=lenient) for pattern in patterns]
        if source in ("kinesis", "dynamodb") and any("text" in each.asked.values() for each in self._filters):
            raise _refusal(f"What a pattern says of {self._keys[0]!r} is an object: {{{self._keys[0]!r}: {{...}}}}.")

    def __len__(self) -> int:
        return len(self._filters)

    def passes(self, record: Record) -> bool:
        """Whether the function is to see this record, given as the event holds it."""
        if not self._filters:
            return True
        seen = self._read(record)
        kinds: dict[str, Kind] = {key: _kind(seen.get(key)) for key in self._keys}
        return any(each.passes(seen, kinds) for each in self._filters)


class _Filter:
    """One pattern, with what it says of the data apart.

    Attributes:
        asked: The kind of data that it is about, by the data's key.
    """

    def __init__(self, pattern: Mapping[str, object] | str, keys: Sequence[str], *, lenient: bool) -> None:
        try:
            self._whole = FilterPattern(pattern)
        except ValueError as error:
            raise _refusal(str(error)) from error
        plain: dict[str, Any] = self._whole.pattern
        self.asked: dict[str, Kind] = {key: kind for key in keys if (kind := _asked(plain, key)) is not None}
        self._lenient = lenient
        self._metadata: dict[frozenset[str], FilterPattern | None] = {}

    def passes(self, seen: Record, kinds: Mapping[str, Kind]) -> bool:
        """Whether it takes a record with data of these kinds."""
        misplaced = frozenset(key for key, kind in self.asked.items() if kinds[key] != kind)
        if not misplaced:
            return self._whole.matches(seen)
        if not self._lenient:
            return False
        if misplaced not in self._metadata:
            rest = _without(self._whole.pattern, misplaced)
            self._metadata[misplaced] = FilterPattern(rest) if rest else None
        metadata = self._metadata[misplaced]
        return metadata is None or metadata.matches(seen)


def _refusal(reason: str) -> InvokeError:
    error = InvokeError(400, "InvalidParameterValueException", "Invalid filter pattern definition.")
    error.add_note(reason)
    return error


def _asked(pattern: Mapping[str, Any], key: str) -> Kind | None:
    """What kind of data a pattern wants under a key; None where it says nothing of it, or only within ``$or``."""
    if key in pattern:
        return "json" if isinstance(pattern[key], dict) else "text"
    return "json" if any(name.startswith(f"{key}.") for name in pattern) else None


def _without(pattern: Mapping[str, Any], keys: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in pattern.items() if name.partition(".")[0] not in keys}


def _kind(data: object) -> Kind:
    return "json" if isinstance(data, dict | list) else "text"


# How a source's record is seen by its filters.


def _parsed(data: bytes | str) -> object:
    """The JSON that data holds, or its text; None for bytes that are no text."""
    try:
        parsed = from_json(data)
    except ValueError:
        parsed = None
    if isinstance(parsed, dict | list):
        return parsed
    try:
        return data.decode() if isinstance(data, bytes) else data
    except UnicodeDecodeError:
        return None


def _decoded(record: Mapping[str, Any], key: str) -> object:
    data = record.get(key)
    return None if data is None else _parsed(b64decode(data))


def _of_sqs(record: Record) -> Record:
    return {**record, "body": _parsed(record["body"])}


def _of_kinesis(record: Record) -> Record:
    """With the fields of ``kinesis`` beside it, where a filter finds ``data`` and ``partitionKey``."""
    kinesis = record["kinesis"]
    return {**record, **kinesis, "data": _decoded(kinesis, "data")}


def _of_kafka(record: Record) -> Record:
    return {**record, "key": _decoded(record, "key"), "value": _decoded(record, "value")}


def _of_mq(record: Record) -> Record:
    return {**record, "data": _decoded(record, "data")}


def _of_dynamodb(record: Record) -> Record:
    return record


_SOURCES: dict[FilterSource, tuple[tuple[str, ...], Callable[[Record], Record], bool]] = {
    "sqs": (("body",), _of_sqs, False),
    "kinesis": (("data",), _of_kinesis, False),
    "dynamodb": (("dynamodb",), _of_dynamodb, False),
    "kafka": (("key", "value"), _of_kafka, True),
    "mq": (("data",), _of_mq, True),
}
"""By source: the keys of its data, how its record is read, and whether data of the wrong kind is overlooked."""
