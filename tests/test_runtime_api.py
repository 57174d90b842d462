"""The Runtime API: its protocol without I/O, its server, and AWS's runtime client as its process."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import time
from contextlib import closing, suppress
from itertools import count, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.outcome import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Failure, Outcome, Reply
from lambdakit.local.process.clock import RealClock
from lambdakit.local.process.environment import RuntimeProcess
from lambdakit.local.process.http import Call, Requests
from lambdakit.local.process.runtime_api import Invocation, RuntimeApi, RuntimeProtocol, State
from lambdakit.local.variables import lambda_variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Value = TypeVar("Value")

RUNTIME = "/2018-06-01/runtime"
NEXT = Call("GET", f"{RUNTIME}/invocation/next")
INIT_ERROR = Call("POST", f"{RUNTIME}/init/error", body=b'{"errorType":"E","errorMessage":"no"}')
ARN = "arn:aws:lambda:us-east-1:123456789012:function:shop"


def response(request_id: str = "r1", body: bytes = b'"done"', headers: Mapping[str, str] | None = None) -> Call:
    return Call("POST", f"{RUNTIME}/invocation/{request_id}/response", headers or {}, body)


def error(request_id: str = "r1", body: bytes = b"{}", headers: Mapping[str, str] | None = None) -> Call:
    return Call("POST", f"{RUNTIME}/invocation/{request_id}/error", headers or {}, body)


def invocation(payload: bytes = b"{}", request_id: str = "r1", seconds: float = 30, **fields: str) -> Invocation:
    deadline = int((time.time() + seconds) * 1000)
    return Invocation(request_id=request_id, payload=payload, deadline_ms=deadline, invoked_function_arn=ARN, **fields)


def protocol_in(state: State) -> RuntimeProtocol:
    protocol = RuntimeProtocol()
    if state is State.INIT_FAILED:
        protocol.call(INIT_ERROR)
    elif state is State.EXITED:
        protocol.exited(1)
    elif state is not State.INIT:
        protocol.call(NEXT)
    if state in (State.RUNNING, State.RESPONDED):
        protocol.submit(invocation())
        protocol.call(NEXT)
    if state is State.RESPONDED:
        protocol.call(response())
    assert protocol.state is state
    return protocol


def status(protocol: RuntimeProtocol, call: Call) -> int | str:
    answer = protocol.call(call)
    return answer.status if answer else "held"


# The protocol


@pytest.mark.parametrize(
    ("call", "statuses"),
    [
        #                                       INIT    READY   RUN  DONE    FAILED EXITED
        pytest.param(NEXT, ["held", "held", 200, "held", 403, 403], id="next"),
        pytest.param(response(), [400, 400, 202, 403, 400, 400], id="response"),
        pytest.param(response(body=b"x" * (MAX_RESPONSE_BYTES + 1)), [400, 400, 413, 403, 400, 400], id="too large"),
        pytest.param(error(), [400, 400, 202, 403, 400, 400], id="error"),
        pytest.param(response("another"), [400] * 6, id="response to another request"),
        pytest.param(error("another"), [400] * 6, id="error of another request"),
        pytest.param(INIT_ERROR, [202, 403, 403, 403, 403, 403], id="init error"),
        pytest.param(Call("GET", f"{RUNTIME}/restore/next"), [404] * 6, id="restore next"),
        pytest.param(Call("POST", f"{RUNTIME}/restore/error"), [404] * 6, id="restore error"),
        pytest.param(Call("POST", f"{RUNTIME}/invocation/next"), [404] * 6, id="wrong method"),
        pytest.param(Call("GET", "/2018-06-01/ping"), [200] * 6, id="ping"),
    ],
)
def test_each_state_has_its_valid_calls(call: Call, statuses: list[int | str]) -> None:
    """A call is answered, held or refused for the state the environment is in."""
    assert [status(protocol_in(state), call) for state in State] == statuses


@pytest.mark.parametrize(
    ("call", "state"),
    [(NEXT, State.READY), (response(), State.RESPONDED), (error(), State.RESPONDED), (INIT_ERROR, State.RUNNING)],
)
def test_only_accepted_calls_lead_on(call: Call, state: State) -> None:
    """A result leads to RESPONDED, and the next 'next' back to READY; a refused call changes nothing."""
    protocol = protocol_in(State.RESPONDED if call is NEXT else State.RUNNING)
    protocol.call(call)
    assert protocol.state is state


def test_an_event_comes_with_the_headers_that_are_not_empty() -> None:
    """The deadline is in milliseconds since 1970; line breaks in JSON can't break the header."""
    protocol = RuntimeProtocol()
    protocol.submit(
        Invocation(
            request_id="r1",
            payload=b"[1]",
            deadline_ms=1_700_000_000_123,
            invoked_function_arn=ARN,
            client_context='{\n"custom": {}}',
            tenant_id="t",
        )
    )
    answer = protocol.call(NEXT)
    assert answer is not None
    assert (answer.body, answer.content_type, answer.headers) == (
        b"[1]",
        "application/json",
        {
            "Lambda-Runtime-Aws-Request-Id": "r1",
            "Lambda-Runtime-Deadline-Ms": "1700000000123",
            "Lambda-Runtime-Invoked-Function-Arn": ARN,
            "Lambda-Runtime-Client-Context": '{ "custom": {}}',
            "Lambda-Runtime-Aws-Tenant-Id": "t",
        },
    )


def test_asking_again_gives_the_same_event_again() -> None:
    """'next' while the handler runs delivers the event a second time."""
    protocol = RuntimeProtocol()
    protocol.submit(invocation(b"[1]"))
    assert protocol.call(NEXT) == protocol.call(NEXT)


def test_an_environment_takes_one_invocation_at_a_time() -> None:
    """Until the runtime asks for the next event, another invocation is a mistake of the caller."""
    with pytest.raises(ValueError, match="Invocation r1 is not over yet"):
        protocol_in(State.RESPONDED).submit(invocation(request_id="r2"))


@pytest.mark.parametrize(("echo", "expected"), [("i1", 202), ("i0", 400)])
def test_a_result_for_an_earlier_delivery_is_refused(echo: str, expected: int) -> None:
    """The invocation ID has to be the current one where the runtime sends it."""
    protocol = RuntimeProtocol()
    protocol.submit(invocation(invocation_id="i1"))
    protocol.call(NEXT)
    assert status(protocol, response(headers={"lambda-runtime-invocation-id": echo})) == expected


@pytest.mark.parametrize(
    ("call", "body"),
    [
        (response("another"), {"errorType": "InvalidRequestID", "errorMessage": "Invalid request ID"}),
        (
            INIT_ERROR,
            {
                "errorType": "InvalidStateTransition",
                "errorMessage": "No init error is accepted: the runtime is running the handler.",
            },
        ),
        (
            response(body=b"x" * (MAX_RESPONSE_BYTES + 1)),
            {
                "errorType": "RequestEntityTooLarge",
                "errorMessage": "Exceeded maximum allowed payload size (6291556 bytes).",
            },
        ),
        (response(), {"status": "OK"}),
    ],
)
def test_answers_have_json_bodies(call: Call, body: dict[str, str]) -> None:
    """A refusal names its type and says why."""
    answer = protocol_in(State.RUNNING).call(call)
    assert answer is not None
    assert json.loads(answer.body) == body


@pytest.mark.parametrize(
    ("sent", "reported"),
    [
        ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
        ("Function.Whatever", "Function.Whatever"),
        ("Function.", "Function.Unknown"),
        ("ValueError", "Runtime.Unknown"),
        ("Runtime.lower", "Runtime.Unknown"),
        ("", "Runtime.Unknown"),
    ],
)
def test_types_that_are_not_lambdas_are_reported_as_unknown(sent: str, reported: str) -> None:
    """Lambda's log lines know error types of the form Runtime.Name and Function.Name only."""
    protocol = protocol_in(State.RUNNING)
    protocol.call(error(headers={"lambda-runtime-function-error-type": sent}))
    assert isinstance(protocol.outcome, Failure)
    assert protocol.outcome.reported_type == reported


@pytest.mark.parametrize("body", [b"", b"no JSON", b"[1]", b"\xff", b"[" * 100_000, b'{"stackTrace": 1}'])
def test_an_error_that_is_no_error_object_is_passed_on_as_it_is(body: bytes) -> None:
    """The caller gets the bytes; the fields are empty."""
    protocol = protocol_in(State.RUNNING)
    protocol.call(error(body=body))
    assert protocol.outcome == Failure(
        cause="handler",
        payload=body,
        error_type="Runtime.Unknown",
        error_message="",
        reported_type="Runtime.Unknown",
    )


@pytest.mark.parametrize(
    ("exit_status", "message"),
    [
        (0, "RequestId: r1 Error: Runtime exited without providing a reason"),
        (127, "RequestId: r1 Error: Runtime exited with error: exit status 127"),
        (-signal.SIGKILL, "RequestId: r1 Error: Runtime exited with error: signal: killed"),
        (-signal.SIGSEGV, "RequestId: r1 Error: Runtime exited with error: signal: segmentation fault"),
    ],
)
def test_an_exit_fails_the_invocation_in_lambdas_words(exit_status: int, message: str) -> None:
    """The payload has a type and a message, nothing else."""
    protocol = protocol_in(State.RUNNING)
    protocol.exited(exit_status)
    assert isinstance(protocol.outcome, Failure)
    assert json.loads(protocol.outcome.payload) == {"errorType": "Runtime.ExitError", "errorMessage": message}


def test_a_timeout_fails_the_invocation_in_lambdas_words() -> None:
    """The seconds have two decimals, and the exit that follows the kill does not count."""
    protocol = protocol_in(State.RUNNING)
    protocol.timed_out(1)
    protocol.exited(-9)
    assert isinstance(protocol.outcome, Failure)
    assert json.loads(protocol.outcome.payload) == {
        "errorType": "Sandbox.Timedout",
        "errorMessage": "RequestId: r1 Error: Task timed out after 1.00 seconds",
    }


@pytest.mark.parametrize("end", ["exited", "timed_out"])
def test_what_the_runtime_sent_counts_when_it_ends_afterwards(end: str) -> None:
    """The caller has its reply as soon as it was sent."""
    protocol = protocol_in(State.RESPONDED)
    getattr(protocol, end)(1)
    assert (protocol.outcome, protocol.state) == (Reply(b'"done"'), State.EXITED)


def test_an_invocation_is_settled_when_the_runtime_asks_for_the_next() -> None:
    """With its response the caller is served, but the environment is not free yet."""
    protocol = protocol_in(State.RESPONDED)
    before = protocol.settled
    protocol.call(NEXT)
    assert (before, protocol.settled) == (False, True)


def test_every_invocation_of_a_failed_init_gets_its_error() -> None:
    """Whether it came before the init failed or after, and though the process has ended since."""
    protocol = RuntimeProtocol()
    protocol.submit(invocation())
    protocol.call(INIT_ERROR)
    first = protocol.outcome
    protocol.exited(1)
    protocol.submit(invocation(request_id="r2"))
    assert (first, protocol.outcome) == (protocol.init_failure, protocol.init_failure)


def test_an_environment_that_has_ended_fails_what_comes_later() -> None:
    """The exit is told again, with the ID of the request that came too late."""
    protocol = protocol_in(State.EXITED)
    protocol.submit(invocation(request_id="r2"))
    assert protocol.outcome == Failure.of_exit(1, "r2")


CALLS = st.sampled_from(
    [
        NEXT,
        INIT_ERROR,
        *(response(f"r{n}") for n in range(4)),
        *(error(f"r{n}") for n in range(4)),
        response("r0", b"x" * (MAX_RESPONSE_BYTES + 1)),
        Call("", "", {}, b""),
        Call("GET", f"{RUNTIME}/restore/next"),
    ]
)


@given(st.lists(CALLS | st.sampled_from(["submit", "exited", "timed_out"]), max_size=40))
def test_no_order_of_calls_upsets_the_protocol(steps: list[Call | str]) -> None:
    """Nothing raises, one result an invocation is accepted at most, and an outcome does not change."""
    protocol, ids = RuntimeProtocol(), count()
    accepted: list[str] = []
    for step in steps:
        before = protocol.outcome
        if isinstance(step, Call):
            answer = protocol.call(step)
            assert answer is not None or protocol.state is State.READY
            if answer and answer.status in (202, 413) and step is not INIT_ERROR:
                accepted.append(step.path.split("/")[4])
        elif step == "submit":
            with suppress(ValueError):
                protocol.submit(invocation(request_id=f"r{next(ids)}"))
                before = None
        else:
            getattr(protocol, step)(1)
        assert before is None or protocol.outcome is before
    assert len(accepted) == len(set(accepted))


@pytest.mark.parametrize("request_id", ["", "a/b", "a b", "a\r\nb"])
def test_a_request_id_has_to_fit_into_a_url(request_id: str) -> None:
    """The runtime writes it into the path of its response."""
    with pytest.raises(ValueError, match="is no request ID"):
        invocation(request_id=request_id)


def test_an_event_above_the_limit_is_refused_before_it_is_sent() -> None:
    """Lambda takes 6 MiB, and not a byte more."""
    invocation(b"x" * MAX_REQUEST_BYTES)
    with pytest.raises(ValueError, match="An event of 6291457 bytes is too large: Lambda takes 6291456"):
        invocation(b"x" * (MAX_REQUEST_BYTES + 1))


# The server


def requests_of(*chunks: bytes) -> list[Call]:
    requests = Requests()
    return [call for chunk in chunks for call in requests.feed(chunk)]


@given(st.lists(st.integers(0, 200), max_size=5))
def test_requests_may_come_in_pieces(cuts: list[int]) -> None:
    """A runtime may send head and body apart, two requests together, or a byte at a time."""
    sent = (
        b"POST /a/response HTTP/1.1\r\nContent-Type:  text/plain \r\ncontent-length: 5\r\n\r\n\r\n\r\n!"
        b"GET /next HTTP/1.1\r\nHost: localhost:80\r\n\r\n"
    )
    edges = [0, *sorted(cuts), len(sent)]

    calls = requests_of(*(sent[start:end] for start, end in pairwise(edges)))

    assert calls == [
        Call("POST", "/a/response", {"content-type": "text/plain", "content-length": "5"}, b"\r\n\r\n!"),
        Call("GET", "/next", {"host": "localhost:80"}),
    ]


def test_a_header_may_be_as_long_as_a_traceback() -> None:
    """The runtime client sends one of up to 1 MiB as a header."""
    value = "x" * 1_048_576

    [call] = requests_of(f"POST /error HTTP/1.1\r\nX: {value}\r\n\r\n".encode())

    assert call.headers["x"] == value


@pytest.fixture(scope="module")
def clock() -> Iterator[RealClock]:
    with closing(RealClock()) as clock:
        yield clock


def on_clock(clock: RealClock, action: Callable[[], Value]) -> Value:
    """Do something in the clock's thread."""
    done: list[Value] = []
    clock.at(clock.now, lambda: done.append(action()))
    clock.run_while(lambda: not done)
    return done[0]


@pytest.fixture
def api(clock: RealClock) -> Iterator[RuntimeApi]:
    api = on_clock(clock, lambda: RuntimeApi(clock))
    yield api
    on_clock(clock, api.close)


def connected(api: RuntimeApi) -> socket.socket:
    host, port = api.address.split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def send(api: RuntimeApi, request: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    with connected(api) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()


def submit(clock: RealClock, api: RuntimeApi, invocation: Invocation) -> None:
    def begin() -> None:
        api.protocol.submit(invocation)
        api.changed()

    on_clock(clock, begin)


def test_the_server_is_on_the_loopback_interface(api: RuntimeApi) -> None:
    """Nobody else on the network can reach a function's environment."""
    assert api.address.startswith("127.0.0.1:")


PING = b"GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n"
PONG = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\npong"


def test_a_connection_serves_many_requests(api: RuntimeApi) -> None:
    """HTTP/1.1 with announced lengths, as the runtime's client keeps its connection."""
    assert send(api, PING + PING) == PONG + PONG


def test_a_call_that_is_held_is_answered_with_the_event(clock: RealClock, api: RuntimeApi) -> None:
    """A runtime waits for its next invocation as long as it takes."""
    with connected(api) as connection:
        connection.sendall(f"GET {NEXT.path} HTTP/1.1\r\n\r\n".encode())
        while on_clock(clock, lambda: api.protocol.state) is not State.READY:
            os.sched_yield()
        submit(clock, api, invocation(b"[1]"))
        answer = connection.recv(1_000)

    assert (answer.startswith(b"HTTP/1.1 200 OK"), answer.endswith(b"\r\n\r\n[1]")) == (True, True)


def test_a_runtime_that_does_not_read_keeps_nobody_waiting(clock: RealClock, api: RuntimeApi) -> None:
    """The kernel takes part of a large event; the clock goes on, and sends the rest when there is room."""
    payload = b"x" * MAX_REQUEST_BYTES
    with connected(api) as connection:
        connection.sendall(f"GET {NEXT.path} HTTP/1.1\r\n\r\n".encode())
        submit(clock, api, invocation(payload))
        others = send(api, PING)
        received = connection.makefile("rb").read(MAX_REQUEST_BYTES)

    assert (others, len(received)) == (PONG, MAX_REQUEST_BYTES)


def test_a_response_that_breaks_off_is_none(clock: RealClock, api: RuntimeApi) -> None:
    """A runtime killed while it sends has not answered."""
    submit(clock, api, invocation())
    api.protocol.call(NEXT)

    send(api, f"POST {RUNTIME}/invocation/r1/response HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf".encode())

    assert on_clock(clock, lambda: api.protocol.outcome) is None


@pytest.mark.parametrize(
    ("request_head", "why"),
    [
        (b"nonsense\r\n\r\n", b""),
        (b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b""),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            b"Streamed responses are not supported: send the body with a Content-Length.",
        ),
        (b"GET / HTTP/1.1\r\n" + b"x" * 1_100_000, b"The head of the request is longer than 1056768 bytes."),
    ],
    ids=["no HTTP", "no number", "chunked", "head above 1 MiB"],
)
def test_what_the_server_cannot_read_is_a_bad_request(api: RuntimeApi, request_head: bytes, why: bytes) -> None:
    """It says so, and closes the connection."""
    answer = send(api, request_head)

    assert (answer.startswith(b"HTTP/1.1 400 Bad Request\r\n"), why in answer) == (True, True)


def test_closing_the_server_hangs_up(clock: RealClock) -> None:
    """Also on a runtime that waits for its next invocation."""
    api = on_clock(clock, lambda: RuntimeApi(clock))
    client = http.client.HTTPConnection(api.address, timeout=10)
    with closing(client):
        client.request("GET", NEXT.path)
        while on_clock(clock, lambda: api.protocol.state) is not State.READY:
            os.sched_yield()
        on_clock(clock, api.close)
        with pytest.raises(http.client.RemoteDisconnected):
            client.getresponse()


# AWS's runtime client: what an invocation through the service has no means to say

MODULE = """
import os

def fields(event, context):
    return {
        "aws_request_id": context.aws_request_id,
        "function_name": context.function_name,
        "function_version": context.function_version,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "invoked_function_arn": context.invoked_function_arn,
        "log_group_name": context.log_group_name,
        "tenant_id": context.tenant_id,
        "identity": context.identity.cognito_identity_id,
        "client": context.client_context and [context.client_context.custom, context.client_context.client.app_title],
        "trace_id": os.environ.get("_X_AMZN_TRACE_ID"),
    }
"""


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module above."""
    folder = tmp_path_factory.mktemp("task")
    (folder / "shop.py").write_text(MODULE)
    return folder


@pytest.fixture(scope="module")
def process(clock: RealClock, task: Path) -> Iterator[RuntimeProcess]:
    """A process that runs it."""
    variables = lambda_variables(
        handler="shop.fields", task_root=task, function_name="shop", memory_size=512, region="us-east-1"
    )
    process = RuntimeProcess(clock, "shop.fields", task, variables, task)
    on_clock(clock, process.start)
    yield process
    on_clock(clock, process.close)


def outcome_of(clock: RealClock, process: RuntimeProcess, invocation: Invocation) -> Outcome:
    settled: list[bool] = []

    def begin() -> None:
        process.submit(invocation)
        process.when_settled(lambda: settled.append(True))

    on_clock(clock, begin)
    while not settled:
        os.sched_yield()
    assert process.outcome is not None
    return process.outcome


def fields_of(clock: RealClock, process: RuntimeProcess, invocation: Invocation) -> Any:
    return json.loads(outcome_of(clock, process, invocation).payload)


def test_the_context_has_the_fields_of_the_function_and_the_invocation(
    clock: RealClock, process: RuntimeProcess
) -> None:
    """The memory is a str, in the runtime client as in Lambda."""
    sent = invocation(
        request_id="6f8f0b6e-0000-4000-8000-000000000001",
        trace_id="Root=1-5e1b4151-5ac6c58f3a6c0b4c1b1b1b1b",
        client_context='{"custom": {"größe": 1}, "client": {"app_title": "app"}}',
        cognito_identity='{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}',
        tenant_id="t",
        invocation_id="i1",
    )

    assert fields_of(clock, process, sent) == {
        "aws_request_id": "6f8f0b6e-0000-4000-8000-000000000001",
        "function_name": "shop",
        "function_version": "$LATEST",
        "memory_limit_in_mb": "512",
        "invoked_function_arn": ARN,
        "log_group_name": "/aws/lambda/shop",
        "tenant_id": "t",
        "identity": "i",
        "client": [{"größe": 1}, "app"],
        "trace_id": "Root=1-5e1b4151-5ac6c58f3a6c0b4c1b1b1b1b",
    }


def test_fields_of_one_invocation_are_gone_in_the_next(clock: RealClock, process: RuntimeProcess) -> None:
    """Without the headers the runtime client clears them."""
    outcome_of(clock, process, invocation(trace_id="Root=1", tenant_id="t"))

    fields = fields_of(clock, process, invocation(request_id="r2"))

    assert (fields["trace_id"], fields["tenant_id"], fields["client"]) == (None, None, None)


def test_an_event_that_is_no_json_is_an_unmarshal_error(clock: RealClock, process: RuntimeProcess) -> None:
    """The handler is not called."""
    outcome = outcome_of(clock, process, invocation(b"{"))

    assert isinstance(outcome, Failure)
    assert outcome.error_type == "Runtime.UnmarshalError"
