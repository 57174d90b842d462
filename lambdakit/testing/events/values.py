"""Values that the builders share: a fixed time, ids that follow from content, ARNs, text."""

from __future__ import annotations

from base64 import b32encode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import shake_256
from itertools import cycle, islice
from typing import Any, TypeVar
from uuid import UUID

from pydantic_core import from_json, to_json

Event = dict[str, Any]
"""A raw event, or a part of one: what ``json.loads`` makes of a JSON object."""

Value = TypeVar("Value")

TIME = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGION = "us-east-1"
ACCOUNT = "123456789012"
ADDRESS = "203.0.113.10"
"""An IP address that is nobody's: https://datatracker.ietf.org/doc/html/rfc5737."""


# Ids that look random and are not: the same parts give the same id.


def _digest(length: int, parts: tuple[object, ...]) -> bytes:
    return shake_256(to_json(parts, bytes_mode="base64", fallback=repr)).digest(length)


def uuid(*parts: object) -> str:
    """A UUID, as AWS's message and request ids are."""
    return str(UUID(bytes=_digest(16, parts), version=4))


def hexadecimal(length: int, *parts: object) -> str:
    """So many hexadecimal digits, in lower case."""
    return _digest(length, parts).hex()[:length]


def letters(length: int, *parts: object) -> str:
    """So many capital letters and digits, as in the ids of IAM."""
    return b32encode(_digest(length, parts)).decode()[:length]


def token(length: int, *parts: object) -> str:
    """So many characters of base64, as in receipt handles and signatures."""
    return b64encode(_digest(length, parts)).decode()[:length]


def digits(length: int, *parts: object) -> str:
    """So many decimal digits."""
    return str(int.from_bytes(_digest(length, parts)) % 10**length).zfill(length)


# Times, aware or (then in UTC) not.


def utc(time: datetime) -> datetime:
    """The time in UTC; one without a zone is in UTC already."""
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def milliseconds(time: datetime) -> int:
    """Milliseconds of Unix time."""
    return round(utc(time).timestamp() * 1000)


def iso(time: datetime) -> str:
    """``2026-01-01T12:00:00Z``."""
    return f"{utc(time):%Y-%m-%dT%H:%M:%SZ}"


def iso_milliseconds(time: datetime) -> str:
    """``2026-01-01T12:00:00.000Z``."""
    return utc(time).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def rfc2822(time: datetime) -> str:
    """``Thu, 01 Jan 2026 12:00:00 +0000``, as mails have it."""
    return format_datetime(utc(time))


def clf(time: datetime) -> str:
    """``01/Jan/2026:12:00:00 +0000``, as API Gateway writes it."""
    return f"{utc(time):%d}/{_MONTHS[utc(time).month - 1]}/{utc(time):%Y:%H:%M:%S} +0000"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")  # whatever the locale


# Names and payloads.


def arn(service: str, name: str, region: str, account: str, kind: str = "") -> str:
    """The ARN of a resource, which may have been given by its ARN."""
    return name if name.startswith("arn:") else f"arn:aws:{service}:{region}:{account}:{kind}{name}"


def stream_arn_of(table: str, region: str, account: str) -> str:
    """The ARN of a table's stream: of the table's name or ARN, or of the stream's ARN itself."""
    table_arn = arn("dynamodb", table, region, account, "table/")
    return table_arn if "/stream/" in table_arn else f"{table_arn}/stream/2025-01-01T00:00:00.000"


def table_shard_of(stream_arn: str) -> str:
    """A shard of a table's stream: the names of such shards begin with a time."""
    return f"shardId-00000001735689600000-{hexadecimal(8, 'shard', stream_arn)}"


def region_of(resource_arn: str) -> str:
    """The region in an ARN."""
    return resource_arn.split(":")[3]


def account_of(resource_arn: str) -> str:
    """The account in an ARN."""
    return resource_arn.split(":")[4]


def text_of(payload: Any) -> str:
    """Text as it is; anything else as JSON: a model, a dataclass, a dict, a list, a number."""
    return payload if isinstance(payload, str) else to_json(payload).decode()


def bytes_of(payload: Any) -> bytes:
    """Bytes as they are, text in UTF-8, anything else as JSON."""
    return payload if isinstance(payload, bytes) else text_of(payload).encode()


def base64_of(payload: Any) -> str:
    """The base64 of a payload's bytes."""
    return b64encode(bytes_of(payload)).decode()


def plain(value: Any) -> Any:
    """A value as it arrives: after its way through JSON."""
    return from_json(to_json(value))


def repeated(values: Sequence[Value], records: int | None) -> list[Value]:
    """The values, or so many of them, again and again.

    Raises:
        ValueError: so many is less than one.
    """
    if records is not None and records < 1:
        raise ValueError(f"records is 1 or more, not {records}")
    return list(islice(cycle(values), records or len(values)))


def names(given: str | Sequence[str]) -> Sequence[str]:
    """One name or several."""
    return (given,) if isinstance(given, str) else given


def present(**members: Any) -> Event:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}
