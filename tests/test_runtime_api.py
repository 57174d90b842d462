"""The Runtime API: its protocol without I/O, its server, and AWS's runtime client talking to it."""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import lambdakit.local.process.environment as process_module
from lambdakit.local.outcome import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Failure, Reply
from lambdakit.local.process.environment import Result, RuntimeProcess
from lambdakit.local.process.runtime_api import Call, Invocation, RuntimeApi, RuntimeProtocol, State

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

RUNTIME = "/2018-06-01/runtime"
NEXT = Call("GET", f"{RUNTIME}/invocation/next")
INIT_ERROR = Call("POST", f"{RUNTIME}/init/error", body=b'{"errorType":"E","errorMessage":"no"}')
ARN = "arn:aws:lambda:us-east-1:123456789012:function:shop"
FOREVER = "import threading; threading.Event().wait()"


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


@pytest.fixture
def api() -> Iterator[RuntimeApi]:
    with closing(RuntimeApi()) as api:
        yield api


def send(api: RuntimeApi, request: bytes) -> bytes:
    """What comes back until the server closes the connection."""
    host, port = api.address.split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        return connection.makefile("rb").read()


def test_the_server_is_on_the_loopback_interface(api: RuntimeApi) -> None:
    """Nobody else on the network can reach a function's environment."""
    assert api.address.startswith("127.0.0.1:")


def test_a_connection_serves_many_requests(api: RuntimeApi) -> None:
    """HTTP/1.1 with announced lengths, as the runtime's client keeps its connection."""
    ping = b"GET /2018-06-01/ping HTTP/1.1\r\nHost: x\r\n\r\n"
    pong = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\npong"
    assert send(api, ping + ping) == pong + pong


def test_a_response_that_breaks_off_is_none(api: RuntimeApi) -> None:
    """A runtime killed while it sends has not answered."""
    with api.changing() as protocol:
        protocol.submit(invocation())
        protocol.call(NEXT)
    send(api, f"POST {RUNTIME}/invocation/r1/response HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf".encode())
    with api.changing() as protocol:
        assert protocol.outcome is None


@pytest.mark.parametrize(
    "request_head",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + b"x" * 1_049_600,
    ],
    ids=["no HTTP", "no number", "chunked", "line above 1 MiB"],
)
def test_what_the_server_cannot_read_is_a_bad_request(api: RuntimeApi, request_head: bytes) -> None:
    """It says so, and closes the connection."""
    assert send(api, request_head).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_closing_the_server_ends_a_call_that_is_held() -> None:
    """No thread stays behind, and the client's connection is closed."""
    api = RuntimeApi()
    client = http.client.HTTPConnection(api.address, timeout=10)
    with closing(client):
        client.request("GET", NEXT.path)
        assert api.wait(lambda protocol: protocol.state is State.READY, 10)
        api.close()
        with pytest.raises(http.client.RemoteDisconnected):
            client.getresponse()


# AWS's runtime client

SHOP = f'''
import json, os, signal, subprocess, sys, tempfile, threading

print("loading")
calls = 0

def handler(event, context):
    return globals()[event["do"]](event, context)

def echo(event, context):
    return event

def count(event, context):
    global calls
    calls += 1
    return calls

def nothing(event, context):
    pass

def raw(event, context):
    return b"raw"

def large(event, context):
    return "x" * (event["bytes"] - 2)

def fail(event, context):
    raise LookupError("no order 7")

def recurse(event, context):
    return recurse(event, context)

def unserialisable(event, context):
    return object()

def fields(event, context):
    return {{
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
    }}

def remaining(event, context):
    return context.get_remaining_time_in_millis()

def say(event, context):
    print("to stdout", event["text"])
    print("to stderr", file=sys.stderr)
    os.system("echo from a child")

def environ(event, context):
    return dict(os.environ)

def temp(event, context):
    return tempfile.gettempdir()

def leave(event, context):
    sys.exit(event["status"])

def crash(event, context):
    os._exit(1)

def kill(event, context):
    os.kill(os.getpid(), signal.SIGKILL)

def hang(event, context):
    # A child has the pipe open, too, as long as it lives.
    pipe = open(event["pipe"], "w")
    child = subprocess.Popen([sys.executable, "-c", "{FOREVER}"], stdout=pipe)
    print("up", end="", file=pipe, flush=True)
    threading.Event().wait()
'''


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module above."""
    folder = tmp_path_factory.mktemp("task")
    (folder / "shop.py").write_text(SHOP)
    return folder


@pytest.fixture(scope="module")
def shared(shop: Path) -> Iterator[RuntimeProcess]:
    """One process for the tests that leave it as it was."""
    with RuntimeProcess("shop.handler", shop, function_name="shop", memory_size=512) as process:
        assert process.initialize() is None
        process.read_log()
        yield process


@pytest.fixture
def process(shop: Path) -> Iterator[RuntimeProcess]:
    """A process for one test."""
    with RuntimeProcess("shop.handler", shop) as process:
        yield process


def run(process: RuntimeProcess, do: str, **event: object) -> Result:
    return process.invoke(invocation(json.dumps({"do": do, **event}).encode()))


def value(result: Result) -> Any:
    """What the handler returned."""
    assert isinstance(result.outcome, Reply), result
    return json.loads(result.outcome.payload)


def failure(result: Result) -> Failure:
    """What went wrong."""
    assert isinstance(result.outcome, Failure), result
    return result.outcome


def task(folder: Path, source: str) -> Path:
    """A folder with a module ``shop`` of this source."""
    (folder / "shop.py").write_text(source)
    return folder


@pytest.mark.parametrize(
    ("do", "reply"),
    [
        ("echo", Reply(b'{"do": "echo"}')),
        ("nothing", Reply(b"null")),
        ("raw", Reply(b"raw", "application/unknown")),
    ],
)
def test_a_reply_is_what_the_runtime_wrote(shared: RuntimeProcess, do: str, reply: Reply) -> None:
    """JSON, and bytes as they are."""
    assert run(shared, do).outcome == reply


def test_an_exception_is_the_payload_the_caller_gets(shared: RuntimeProcess, shop: Path) -> None:
    """Type, message, request ID and the user's frames, without the runtime's own."""
    failed = failure(run(shared, "fail"))

    def line_of(code: str) -> int:
        return SHOP[: SHOP.index(code)].count("\n") + 1

    frames = [
        f'  File "{shop}/shop.py", line {line_of(code)}, in {name}\n    {code.strip()}\n'
        for name, code in (
            ("handler", '    return globals()[event["do"]](event, context)'),
            ("fail", '    raise LookupError("no order 7")'),
        )
    ]
    assert json.loads(failed.payload) == {
        "errorMessage": "no order 7",
        "errorType": "LookupError",
        "requestId": "r1",
        "stackTrace": frames,
    }
    assert (failed.cause, failed.error_type, failed.error_message, failed.stack_trace, failed.request_id) == (
        "handler",
        "LookupError",
        "no order 7",
        tuple(frames),
        "r1",
    )


def test_an_exception_leaves_the_environment_as_it_is(shared: RuntimeProcess) -> None:
    """The same process runs the next event."""
    run(shared, "fail")
    assert value(run(shared, "echo")) == {"do": "echo"}


def test_a_very_deep_traceback_gets_through(tmp_path: Path) -> None:
    """The client sends all its frames in a header as well, of more than 64 KiB."""
    folder = tmp_path / ("a" * 200)
    folder.mkdir()
    with RuntimeProcess("shop.handler", task(folder, SHOP)) as process:
        assert failure(run(process, "recurse")).error_type == "RecursionError"


def test_a_result_that_is_no_json_is_a_marshal_error(shared: RuntimeProcess) -> None:
    """The runtime refuses it, not Lambda."""
    failed = failure(run(shared, "unserialisable"))
    assert (failed.cause, failed.error_type, failed.error_message.partition(":")[0]) == (
        "handler",
        "Runtime.MarshalError",
        "Unable to marshal response",
    )


def test_an_event_that_is_no_json_is_an_unmarshal_error(shared: RuntimeProcess) -> None:
    """The handler is not called."""
    assert failure(shared.invoke(invocation(b"{"))).error_type == "Runtime.UnmarshalError"


def test_the_context_has_the_fields_of_the_function_and_the_invocation(shared: RuntimeProcess) -> None:
    """The memory is a str, in the runtime client as in Lambda."""
    sent = invocation(
        b'{"do": "fields"}',
        request_id="6f8f0b6e-0000-4000-8000-000000000001",
        trace_id="Root=1-5e1b4151-5ac6c58f3a6c0b4c1b1b1b1b",
        client_context='{"custom": {"größe": 1}, "client": {"app_title": "app"}}',
        cognito_identity='{"cognitoIdentityId": "i", "cognitoIdentityPoolId": "p"}',
        tenant_id="t",
    )
    assert value(shared.invoke(sent)) == {
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


def test_fields_of_one_invocation_are_gone_in_the_next(shared: RuntimeProcess) -> None:
    """Without the headers the runtime client clears them."""
    shared.invoke(invocation(b'{"do": "fields"}', trace_id="Root=1", tenant_id="t"))
    fields = value(run(shared, "fields"))
    assert (fields["trace_id"], fields["tenant_id"], fields["client"]) == (None, None, None)


def test_the_remaining_time_counts_down_to_the_deadline(shared: RuntimeProcess) -> None:
    """In milliseconds."""
    assert 90_000 < value(shared.invoke(invocation(b'{"do": "remaining"}', seconds=100))) <= 100_000


def test_the_log_has_what_was_printed_in_its_order(shared: RuntimeProcess) -> None:
    """Both streams and those of child processes, each invocation its own."""
    logs = [run(shared, "say", text=text).log for text in ("ä", "b")]
    assert logs == [f"to stdout {text}\nto stderr\nfrom a child\n" for text in ("ä", "b")]


def test_the_largest_event_and_the_largest_response_pass(shared: RuntimeProcess) -> None:
    """6 MiB in, 6 MiB and 100 bytes out."""
    event = b'{"do": "large", "bytes": %d, "padding": "' % MAX_RESPONSE_BYTES
    outcome = shared.invoke(invocation(event.ljust(MAX_REQUEST_BYTES - 2, b"x") + b'"}')).outcome
    assert len(outcome.payload) == MAX_RESPONSE_BYTES


def test_a_response_above_the_limit_is_an_error_and_ends_the_process(process: RuntimeProcess) -> None:
    """The runtime client does not survive the 413 it gets."""
    failed = failure(run(process, "large", bytes=MAX_RESPONSE_BYTES + 1))
    assert (failed.cause, json.loads(failed.payload), process.alive) == (
        "size",
        {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        },
        False,
    )


def test_the_first_invocation_includes_the_init_phase(process: RuntimeProcess) -> None:
    """Nobody has to wait for the process; what its module printed comes with the first log."""
    assert [run(process, "count").log, run(process, "count").log] == ["loading\n", ""]


def test_module_globals_live_as_long_as_the_process(process: RuntimeProcess) -> None:
    """A warm environment is the same process."""
    assert [value(run(process, "count")) for _ in range(3)] == [1, 2, 3]


def test_processes_share_no_globals(process: RuntimeProcess, shop: Path) -> None:
    """Each is an environment of its own."""
    with RuntimeProcess("shop.handler", shop) as another:
        assert [value(run(one, "count")) for one in (process, another, process, another)] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"do": "crash"}, "Runtime exited with error: exit status 1"),
        ({"do": "leave", "status": 0}, "Runtime exited without providing a reason"),
        ({"do": "leave", "status": 3}, "Runtime exited with error: exit status 3"),
        ({"do": "kill"}, "Runtime exited with error: signal: killed"),
    ],
)
def test_the_end_of_the_process_fails_the_invocation(
    process: RuntimeProcess, event: dict[str, Any], message: str
) -> None:
    """And there is no environment left."""
    failed = failure(run(process, **event))
    assert (failed.cause, failed.error_type, failed.error_message, process.alive) == (
        "exit",
        "Runtime.ExitError",
        f"RequestId: r1 Error: {message}",
        False,
    )


def test_a_process_that_ends_between_invocations_fails_the_next(process: RuntimeProcess) -> None:
    """Nothing waits for a reply that can't come."""
    process.initialize()
    os.kill(process.pid, signal.SIGKILL)
    assert failure(run(process, "echo")).error_message.endswith("Runtime exited with error: signal: killed")


@pytest.mark.parametrize(
    ("source", "handler", "error_type", "message"),
    [
        ("", "missing.handler", "Runtime.ImportModuleError", "Unable to import module 'missing': No module named"),
        ("import missing", "shop.handler", "Runtime.ImportModuleError", "Unable to import module 'shop': No module"),
        ("def (", "shop.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'shop': "),
        ("", "shop.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'shop'"),
        ("", "handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': "),
        ("1 / 0", "shop.handler", "ZeroDivisionError", "division by zero"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_an_init_error(
    tmp_path: Path, source: str, handler: str, error_type: str, message: str
) -> None:
    """The invocation gets it, with an empty request ID, and the environment is over."""
    with RuntimeProcess(handler, task(tmp_path, source)) as process:
        failed = failure(run(process, "echo"))
        alive = process.alive
    assert failed.error_message.startswith(message)
    assert (failed.cause, failed.error_type, json.loads(failed.payload)["requestId"], alive) == (
        "init",
        error_type,
        "",
        False,
    )


def test_a_syntax_error_is_shown_with_its_line(tmp_path: Path) -> None:
    """The trace has file, line and text; the log has it for people to read."""
    with RuntimeProcess("shop.handler", task(tmp_path, "x = 1\ndef (")) as process:
        failed, log = process.initialize(), process.read_log()
    assert failed is not None
    assert (failed.stack_trace, "[ERROR] Runtime.UserCodeSyntaxError: " in log) == (
        (f'  File "{tmp_path}/shop.py" Line 2\n    def (',),
        True,
    )


def test_the_error_of_an_init_is_known_before_there_is_an_event(tmp_path: Path) -> None:
    """An environment may be initialised ahead; the next invocation gets the same error."""
    with RuntimeProcess("shop.handler", task(tmp_path, "1 / 0")) as process:
        failed = process.initialize()
        assert (failed, failed and failed.reported_type) == (run(process, "echo").outcome, "Runtime.Unknown")


def test_a_module_that_exits_gives_no_reason(tmp_path: Path) -> None:
    """sys.exit(0) while the module loads is not an init error the runtime reports."""
    with RuntimeProcess("shop.handler", task(tmp_path, "import sys; sys.exit(0)")) as process:
        failed = failure(run(process, "echo"))
    assert failed.error_message == "RequestId: r1 Error: Runtime exited without providing a reason"


def test_an_init_phase_has_a_limit(tmp_path: Path) -> None:
    """10 s in Lambda: then the process is killed."""
    with RuntimeProcess("shop.handler", task(tmp_path, FOREVER)) as process:
        failed = process.initialize(0.05)
        assert (failed and failed.error_message, process.alive) == ("Task timed out after 0.05 seconds", False)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A named pipe and its reading end."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield path, reader
    os.close(reader)


def read(reader: int) -> bytes:
    """What is in the pipe, as soon as there is something; nothing when all that had it open are gone."""
    assert select.select([reader], [], [], 10)[0], "nothing came, and somebody still has the pipe open"
    return os.read(reader, 100)


def test_at_the_deadline_the_process_and_its_children_are_killed(shop: Path, pipe: tuple[str, int]) -> None:
    """The message has the function's time limit; nothing of the environment goes on."""
    path, reader = pipe
    with RuntimeProcess("shop.handler", shop, timeout=3) as process:
        process.initialize()
        result = process.invoke(invocation(json.dumps({"do": "hang", "pipe": path}).encode(), seconds=0.5))
        written, alive = [read(reader), read(reader)], process.alive
    assert (failure(result).cause, json.loads(failure(result).payload), written, alive) == (
        "timeout",
        {"errorType": "Sandbox.Timedout", "errorMessage": "RequestId: r1 Error: Task timed out after 3.00 seconds"},
        [b"up", b""],
        False,
    )


def test_leaving_the_block_with_an_error_ends_the_process(shop: Path) -> None:
    """Nothing is left behind by a test that fails."""
    with pytest.raises(LookupError), RuntimeProcess("shop.handler", shop) as process:
        raise LookupError
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


PARENT = """
import sys, time
from lambdakit.local.process.environment import RuntimeProcess
from lambdakit.local.process.runtime_api import Invocation

event = ('{"do": "hang", "pipe": "%s"}' % sys.argv[2]).encode()
deadline = int((time.time() + 600) * 1000)
with RuntimeProcess("shop.handler", sys.argv[1]) as process:
    process.invoke(Invocation(request_id="r1", payload=event, deadline_ms=deadline, invoked_function_arn=""))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets a pipe kill")
def test_the_process_dies_with_its_parent(shop: Path, pipe: tuple[str, int], tmp_path: Path) -> None:
    """Even if the parent had no chance to end it, and the handler never returns."""
    path, reader = pipe
    package = str(Path(process_module.__file__).parents[3])
    variables = {**os.environ, "PYTHONPATH": package, "TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", PARENT, str(shop), path], env=variables) as parent:
        try:
            started = read(reader)
        finally:
            parent.kill()
    assert (started, read(reader)) == (b"up", b"")


def test_the_function_sees_lambdas_variables_and_its_own(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But none of the machine's that could make a difference, such as credentials."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    with RuntimeProcess(
        "shop.handler", shop, function_name="f", region="eu-west-1", environment={"TABLE": "t"}, temp_folder=tmp_path
    ) as process:
        variables = value(run(process, "environ"))
    names = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "LAMBDA_RUNTIME_DIR", "AWS_LAMBDA_RUNTIME_API")
    for name in (*names, "AWS_LAMBDA_LOG_STREAM_NAME"):
        variables.pop(name, None)
    assert variables == {
        "_HANDLER": "shop.handler",
        "TABLE": "t",
        "TMPDIR": str(tmp_path),
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "LAMBDA_TASK_ROOT": str(shop),
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    }


def test_the_import_path_is_this_processs(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folders mean the same in the function's folder."""
    monkeypatch.setenv("PYTHONPATH", "lib", prepend=os.pathsep)
    with RuntimeProcess("shop.handler", shop) as process:
        assert value(run(process, "environ"))["PYTHONPATH"].split(os.pathsep)[0] == str(Path.cwd() / "lib")


def test_a_process_has_a_temporary_folder_of_its_own(shop: Path) -> None:
    """It is gone with the process."""
    with RuntimeProcess("shop.handler", shop) as process:
        folder = Path(value(run(process, "temp")))
        existed = folder.is_dir()
    assert (existed, folder.exists()) == (True, False)


def test_a_temporary_folder_that_was_given_stays(shop: Path, tmp_path: Path) -> None:
    """As Lambda keeps /tmp when it resets an environment."""
    with RuntimeProcess("shop.handler", shop, temp_folder=tmp_path) as process:
        folder = Path(value(run(process, "temp")))
    assert (folder, folder.exists()) == (tmp_path, True)


def test_without_the_runtime_client_it_says_what_to_install(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing else in lambdakit needs awslambdaric."""
    monkeypatch.setattr(process_module, "find_spec", lambda _name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install awslambdaric"), RuntimeProcess("shop.handler", shop):
        pass
