"""How an invocation ends: with a reply, or with a failure in the words of Lambda and of its Python runtime."""

from __future__ import annotations

import json
import re
import signal
from dataclasses import dataclass
from typing import Literal

MAX_REQUEST_BYTES = 6_291_456
"""The largest event of a synchronous invocation: 6 MiB."""

MAX_RESPONSE_BYTES = 6_291_556
"""The largest buffered response: 6 MiB and 100 bytes."""

Cause = Literal["init", "handler", "size", "exit", "timeout"]
"""Why an invocation failed: init error, error of the handler, response too large, process ended, time over."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the handler returned, as the runtime wrote it."""

    payload: bytes
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no reply.

    Args:
        cause: Who failed, and when.
        payload: What the caller of Invoke gets, byte for byte.
        error_type, error_message, stack_trace, request_id: The fields of the payload, empty where it has none. The
            request ID of an error in the INIT phase is ``""``.
        reported_type: The type as Lambda's own log lines know it: ``Runtime.Unknown`` for a type of the user's.
    """

    cause: Cause
    payload: bytes
    error_type: str
    error_message: str
    stack_trace: tuple[str, ...] = ()
    request_id: str = ""
    reported_type: str

    @classmethod
    def posted(cls, cause: Cause, body: bytes, error_type: str = "") -> Failure:
        """An error the runtime itself reported, with the type it gave in a header beside the body."""
        reported_type = _reported_type(error_type)
        fields = _json_object(body)
        trace = fields.get("stackTrace")
        return cls(
            cause=cause,
            payload=body,
            error_type=str(fields.get("errorType", reported_type)),
            error_message=str(fields.get("errorMessage", "")),
            stack_trace=tuple(map(str, trace)) if isinstance(trace, list) else (),
            request_id=str(fields.get("requestId", "")),
            reported_type=reported_type,
        )

    @classmethod
    def of_size(cls) -> Failure:
        """The response is larger than Lambda passes on."""
        limit = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
        return cls._written("size", "Function.ResponseSizeTooLarge", limit)

    @classmethod
    def of_exit(cls, status: int, request_id: str = "") -> Failure:
        """The runtime's process ended; ``status`` is its exit status, or minus the signal that killed it."""
        return cls._written("exit", "Runtime.ExitError", _about(request_id) + _exit_reason(status))

    @classmethod
    def of_time(cls, seconds: float, request_id: str = "") -> Failure:
        """The time the function has, in seconds, was over first."""
        return cls._written(
            "timeout", "Sandbox.Timedout", f"{_about(request_id)}Task timed out after {seconds:.2f} seconds"
        )

    @classmethod
    def _written(cls, cause: Cause, error_type: str, message: str) -> Failure:
        payload = compact_json({"errorType": error_type, "errorMessage": message})
        return cls(cause=cause, payload=payload, error_type=error_type, error_message=message, reported_type=error_type)


Outcome = Reply | Failure


def compact_json(fields: dict[str, str]) -> bytes:
    """A small JSON object, as the service writes it."""
    return json.dumps(fields, separators=(",", ":")).encode()


def _json_object(body: bytes) -> dict[str, object]:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def _about(request_id: str) -> str:
    return f"RequestId: {request_id} Error: " if request_id else ""


def _exit_reason(status: int) -> str:
    if status == 0:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    return f"Runtime exited with error: signal: {(signal.strsignal(-status) or str(-status)).lower()}"


def _reported_type(error_type: str) -> str:
    if re.search(r"(Runtime|Function)\.[A-Z][a-zA-Z]+", error_type):
        return error_type
    return "Function.Unknown" if error_type.startswith("Function.") else "Runtime.Unknown"
