"""Lambda's Runtime API: what a runtime client such as AWS's own ``awslambdaric`` asks of an execution environment.

``RuntimeProtocol`` is the protocol of one environment and does no I/O. ``RuntimeApi`` serves it over HTTP to the
processes of this machine.

Source: https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import re
import signal
import socket
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from lambdakit.local.outcome import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Cause, Failure, Outcome, Reply
from lambdakit.local.process.http import Answer, Call, Connection, error

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdakit.local.process.clock import RealClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One event on its way to the runtime.

    Args:
        request_id: Letters, digits, ``_`` and ``-``; a UUID in Lambda.
        payload: The event as JSON.
        deadline_ms: When the function's time is over, in milliseconds since 1970.
        invoked_function_arn: The ARN the caller used, with its qualifier if it gave one.
        trace_id: X-Ray's tracing header, or ``""``.
        client_context: The caller's client context as JSON, not base64, or ``""``.
        cognito_identity: ``{"cognitoIdentityId": ..., "cognitoIdentityPoolId": ...}`` as JSON, or ``""``.
        tenant_id: The tenant of a function with tenant isolation, or ``""``.
        invocation_id: What tells apart two deliveries of one request, or ``""``.

    Raises:
        ValueError: the request ID can't be part of a URL, or the payload is above ``MAX_REQUEST_BYTES``.
    """

    request_id: str
    payload: bytes
    deadline_ms: int
    invoked_function_arn: str
    trace_id: str = ""
    client_context: str = ""
    cognito_identity: str = ""
    tenant_id: str = ""
    invocation_id: str = ""

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[\w-]+", self.request_id, re.ASCII):
            raise ValueError(f"{self.request_id!r} is no request ID: use letters, digits, '_' and '-'.")
        if len(self.payload) > MAX_REQUEST_BYTES:
            raise ValueError(f"An event of {len(self.payload)} bytes is too large: Lambda takes {MAX_REQUEST_BYTES}.")

    def headers(self) -> dict[str, str]:
        """The headers that go with the event; empty ones are left out."""
        headers = {
            "Lambda-Runtime-Aws-Request-Id": self.request_id,
            "Lambda-Runtime-Deadline-Ms": str(self.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.invoked_function_arn,
            "Lambda-Runtime-Trace-Id": self.trace_id,
            "Lambda-Runtime-Client-Context": self.client_context,
            "Lambda-Runtime-Cognito-Identity": self.cognito_identity,
            "Lambda-Runtime-Aws-Tenant-Id": self.tenant_id,
            "Lambda-Runtime-Invocation-Id": self.invocation_id,
        }
        # A header is one line, and in JSON a line break is no more than a blank.
        return {name: value.replace("\r", " ").replace("\n", " ") for name, value in headers.items() if value}


class State(Enum):
    """Where an execution environment is, named after what its runtime does."""

    INIT = "initialising"
    READY = "waiting for an event"
    RUNNING = "running the handler"
    RESPONDED = "done, but not yet waiting for the next event"
    INIT_FAILED = "over, as its init failed"
    EXITED = "over, as its process ended"


class RuntimeProtocol:
    """The state machine of one execution environment: what its runtime may call, and what it is answered.

    It does no I/O, reads no clock and does not lock. The environment's owner tells it what happens: ``submit`` an
    invocation, ``call`` for each request of the runtime, ``timed_out`` and ``exited`` for its process.

    ================================  ==========  ===========  ==========  ===========  ====================
    the runtime calls                 INIT        READY        RUNNING     RESPONDED    INIT_FAILED, EXITED
    ================================  ==========  ===========  ==========  ===========  ====================
    ``invocation/next``               held        held         200, again  held         403
    ``invocation/{id}/response``      400         400          202 or 413  403          400
    ``invocation/{id}/error``         400         400          202         403          400
    ``invocation/{another id}/...``   400         400          400         400          400
    ``init/error``                    202         403          403         403          403
    ``restore/next, restore/error``   404         404          404         404          404
    ================================  ==========  ===========  ==========  ===========  ====================

    A held call is answered when there is an invocation.
    """

    def __init__(self) -> None:
        self.state = State.INIT
        self.init_failure: Failure | None = None
        self.outcome: Outcome | None = None
        self.ended = False
        self._invocation: Invocation | None = None
        self._exit_status = 0

    @property
    def settled(self) -> bool:
        """The last invocation is over for the runtime too: it waits for the next one, or its process has ended."""
        return self.outcome is not None and (self.state is State.READY or self.ended)

    def submit(self, invocation: Invocation) -> None:
        """Hand the environment an invocation, whose ``outcome`` is None until it is known.

        An environment that has ended fails it at once: with its init error, or for the exit of its process.

        Raises:
            ValueError: it still has one; an execution environment runs one at a time.
        """
        if self._invocation is not None and not self.settled:
            raise ValueError(f"Invocation {self._invocation.request_id} is not over yet: wait, or use another process.")
        self._invocation = invocation
        self.outcome = self._lost(invocation)

    def _lost(self, invocation: Invocation) -> Failure | None:
        if self.state is State.INIT_FAILED:
            return self.init_failure
        if self.state is State.EXITED:
            return Failure.of_exit(self._exit_status, invocation.request_id)
        return None

    def exited(self, status: int) -> None:
        """The runtime's process ended, with this exit status or minus the signal that killed it."""
        self.ended = True
        self._end(Failure.of_exit(status, self._request_id()), status)

    def timed_out(self, seconds: float) -> None:
        """The runtime is killed as its time, in seconds, is over: that of the invocation, or else of the init."""
        self._end(Failure.of_time(seconds, self._request_id()), -signal.SIGKILL)

    def _end(self, failure: Failure, status: int) -> None:
        if self.state is State.INIT:
            self.init_failure = failure
        if self._invocation is not None and self.outcome is None:
            self.outcome = failure
        self._exit_status = status
        if self.state is not State.INIT_FAILED:
            self.state = State.EXITED

    def _request_id(self) -> str:
        return self._invocation.request_id if self._invocation else ""

    def call(self, call: Call) -> Answer | None:
        """The answer to a request of the runtime; None while it has to wait: ask again when something happened."""
        match (call.method, *call.path.split("/")[1:]):
            case ("GET", "2018-06-01", "runtime", "invocation", "next"):
                return self._next()
            case ("POST", "2018-06-01", "runtime", "invocation", request_id, "response" | "error" as result):
                return self._refusal(request_id, call) or self._finish(call, failed=result == "error")
            case ("POST", "2018-06-01", "runtime", "init", "error"):
                return self._initerror(call)
            case ("GET", "2018-06-01", "ping"):
                return Answer(200, b"pong", content_type="text/plain")
            case _:
                return error(404, "NotFound", f"There is no {call.method} {call.path}")

    def _next(self) -> Answer | None:
        if self.state in (State.INIT_FAILED, State.EXITED):
            return self._forbidden("next")
        if self.state in (State.INIT, State.RESPONDED):
            self.state = State.READY
        if self._invocation is None or self.outcome is not None:
            return None
        self.state = State.RUNNING
        return Answer(200, self._invocation.payload, self._invocation.headers())

    def _refusal(self, request_id: str, call: Call) -> Answer | None:
        # The IDs are looked at before the state, so a late result is told that its invocation is over.
        current = self._invocation if self.state in (State.RUNNING, State.RESPONDED) else None
        if current is None or request_id != current.request_id:
            return error(400, "InvalidRequestID", "Invalid request ID")
        if call.headers.get("lambda-runtime-invocation-id", current.invocation_id) != current.invocation_id:
            return error(400, "InvalidInvocationId", "Invalid invocation ID")
        return self._forbidden("result") if self.state is State.RESPONDED else None

    def _finish(self, call: Call, *, failed: bool) -> Answer:
        self.state = State.RESPONDED
        if failed:
            self.outcome = _posted("handler", call)
        elif len(call.body) > MAX_RESPONSE_BYTES:
            self.outcome = Failure.of_size()
            limit = f"Exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            return error(413, "RequestEntityTooLarge", limit)
        else:
            self.outcome = Reply(call.body, call.headers.get("content-type", "application/json"))
        return _accepted()

    def _initerror(self, call: Call) -> Answer:
        if self.state is not State.INIT:
            return self._forbidden("init error")
        self.state = State.INIT_FAILED
        self.init_failure = _posted("init", call)
        if self._invocation is not None:
            self.outcome = self.init_failure
        return _accepted()

    def _forbidden(self, what: str) -> Answer:
        return error(403, "InvalidStateTransition", f"No {what} is accepted: the runtime is {self.state.value}.")


class RuntimeApi:
    """A ``RuntimeProtocol`` behind HTTP, on a free port of the loopback interface, until ``close``.

    One environment has one server, as the runtime is told a host and a port and nothing that would tell environments
    apart. All servers of a clock share its thread, which is the only one to use them.

    Attributes:
        address: What ``AWS_LAMBDA_RUNTIME_API`` wants: host and port.
        protocol: The protocol; whoever changes it calls ``changed``.
    """

    def __init__(self, clock: RealClock) -> None:
        self.protocol = RuntimeProtocol()
        self._clock = clock
        self._held: tuple[Connection, Call] | None = None
        self._awaited: list[tuple[Callable[[RuntimeProtocol], bool], Callable[[], None]]] = []
        self._connections: list[Connection] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        clock.watch(self._listener, self._accept)

    def changed(self) -> None:
        """Answer the call that is held, if it can be now, and tell who waits for what."""
        if self._held is not None:
            (connection, call), self._held = self._held, None
            self._take(connection, call)
        else:
            self._tell()

    def when(self, until: Callable[[RuntimeProtocol], bool], then: Callable[[], None]) -> None:
        """Do something as soon as something is true of the protocol, which may be at once."""
        self._awaited.append((until, then))
        self._tell()

    def close(self) -> None:
        """Close the port and every connection."""
        self._clock.unwatch(self._listener)
        self._listener.close()
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        with suppress(BlockingIOError, ConnectionError):  # who called has hung up
            connection, _ = self._listener.accept()
            self._connections.append(Connection(self._clock, connection, self._take))

    def _take(self, connection: Connection, call: Call) -> None:
        answer = self.protocol.call(call)
        if answer is None:
            self._held = connection, call
        else:
            connection.send(answer)
        self._tell()

    def _tell(self) -> None:
        for until, then in [awaited for awaited in self._awaited if awaited[0](self.protocol)]:
            self._awaited.remove((until, then))
            then()


def _accepted() -> Answer:
    return Answer(202, b'{"status":"OK"}')


def _posted(cause: Cause, call: Call) -> Failure:
    return Failure.posted(cause, call.body, call.headers.get("lambda-runtime-function-error-type", ""))
