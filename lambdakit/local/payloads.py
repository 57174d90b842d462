"""What an invocation answers, byte for byte as Lambda's Python runtime and the service behind it write it.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-exceptions.html; the rest is what ``awslambdaric`` does.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable, Sequence
from decimal import Decimal
from json import JSONEncoder
from typing import Any

from lambdakit.local.outcome import MAX_RESPONSE_BYTES, Failure, Outcome, Reply
from lambdakit.local.tracebacks import user_frames

ENSURE_ASCII = sys.version_info < (3, 12)
"""Whether the runtime of this Python escapes what is not ASCII; it ceased to with Python 3.12."""

_ENCODE = {ascii_only: JSONEncoder(ensure_ascii=ascii_only).encode for ascii_only in (False, True)}


def outcome_of(result: Any, request_id: str) -> Outcome:
    """What becomes of a handler's result: the reply, or the failure to write it or to pass it on."""
    if isinstance(result, bytes):
        return _of_lawful_size(Reply(result, "application/unknown"))
    try:
        text = to_json(result)
    except Exception as error:  # noqa: BLE001 - whatever it is, the runtime calls it a MarshalError
        return _reported("Runtime.MarshalError", f"Unable to marshal response: {error}", (), request_id)
    try:
        return _of_lawful_size(Reply(text.encode()))
    except UnicodeEncodeError:  # half of a surrogate pair, which the runtime does not survive
        return Failure.of_exit(1, request_id)


def failure_of(error: BaseException, request_id: str) -> Failure:
    """What becomes of an exception that a handler raised. The stack trace holds the frames of the user's code.

    The runtime survives an ``Exception`` and reports it; anything else, such as ``sys.exit()``, ends its process.
    """
    if isinstance(error, SystemExit):
        return Failure.of_exit(exit_status(error), request_id)
    if not isinstance(error, Exception):
        return Failure.of_exit(1, request_id)
    # Without their columns, so that no line with ^^^^ is written.
    frames = [(frame.filename, frame.lineno or 0, frame.name, frame.line) for frame in user_frames(error.__traceback__)]
    return _reported(type(error).__name__, str(error), traceback.format_list(frames), request_id)


def exit_status(error: SystemExit) -> int:
    """The status a process ends with, as its parent sees it."""
    if error.code is None:
        return 0
    return error.code & 0xFF if isinstance(error.code, int) else 1


def log_text(failure: Failure) -> str:
    """What the log says of a failure: in the runtime's form where the runtime reported it, else in the service's."""
    if failure.cause not in ("init", "handler"):
        return f"{failure.error_message}\n{failure.error_type}"
    told = ": ".join(part for part in (failure.error_type, failure.error_message) if part)
    lines = [line for element in failure.stack_trace for line in element.splitlines() or [""]]
    return "\n".join([f"[ERROR] {told}", "Traceback (most recent call last):", *map(_indented, lines)])


def to_json(value: Any, *, ensure_ascii: bool = ENSURE_ASCII) -> str:
    """JSON as the runtime writes it: decimals as numbers, NaN as it is, bytes as text, a named tuple as an object.

    Raises:
        TypeError: something in it is not JSON.
        ValueError: it contains itself, or bytes that are not UTF-8.
    """
    return _written(value, _ENCODE[ensure_ascii], frozenset())


def _written(value: Any, text: Callable[[Any], str], inside: frozenset[int]) -> str:
    if value is None or isinstance(value, str | int | float):
        return text(value)
    if isinstance(value, Decimal):
        return "NaN" if value.is_nan() else str(value)
    if isinstance(value, bytes):
        return text(value.decode())
    if id(value) in inside:
        raise ValueError("Circular reference detected")
    inside |= {id(value)}
    members = value._asdict() if callable(getattr(value, "_asdict", None)) else value
    if isinstance(members, dict):
        pairs = (f"{text(_key(key, text))}: {_written(member, text, inside)}" for key, member in members.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(members, list | tuple):
        return f"[{', '.join(_written(member, text, inside) for member in members)}]"
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _key(key: Any, text: Callable[[Any], str]) -> str:
    if isinstance(key, str):
        return key
    if isinstance(key, bytes):
        return key.decode()
    if key is None or isinstance(key, int | float):
        return text(key)
    raise TypeError(f"keys must be str, int, float, bool or None, not {type(key).__name__}")


def _of_lawful_size(reply: Reply) -> Outcome:
    return Failure.of_size() if len(reply.payload) > MAX_RESPONSE_BYTES else reply


def _reported(error_type: str, message: str, trace: Sequence[str], request_id: str) -> Failure:
    """What the runtime posts, as the service reads it."""
    fields = {"errorMessage": message, "errorType": error_type, "requestId": request_id, "stackTrace": list(trace)}
    # Half of a surrogate pair is still JSON when it is escaped.
    return Failure.posted("handler", to_json(fields).encode(errors="backslashreplace"))


def _indented(line: str) -> str:
    """Its leading spaces as no-break spaces, which a log viewer keeps."""
    bare = line.lstrip(" ")
    return "\N{NO-BREAK SPACE}" * (len(line) - len(bare)) + bare
