"""What an invocation answers, compared with what AWS's own runtime client makes of the same."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from decimal import Decimal
from enum import IntEnum
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, on_invoke
from lambdakit.local.outcome import MAX_RESPONSE_BYTES, Failure, Reply
from lambdakit.local.payloads import ENSURE_ASCII, failure_of, log_text, outcome_of, to_json


class Point(NamedTuple):
    x: object
    y: object


class Size(IntEnum):
    LARGE = 3


class Client:
    """The runtime's client, which keeps what would be posted."""

    def __init__(self, marshaller: Any) -> None:
        self.marshaller = marshaller
        self.posted: bytes = b""

    def post_invocation_result(self, invoke_id: str, result: str | bytes, content_type: str, *rest: object) -> None:
        self.posted = result if isinstance(result, bytes) else result.encode()

    def post_invocation_error(self, invoke_id: str, error: str, *rest: object) -> None:
        self.posted = error.encode()


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Any:
    """AWS's runtime client, told which Python it runs on."""
    version = f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}"
    monkeypatch.setenv("AWS_EXECUTION_ENV", version)
    return pytest.importorskip("awslambdaric.bootstrap")


def posted_by(runtime: Any, handler: Callable[[Any, Any], object]) -> bytes:
    marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller").LambdaMarshaller()
    client, sink = Client(marshaller), runtime.StandardLogSink()
    runtime.handle_event_request(client, handler, "r1", "{}", "application/json", None, None, "arn", 0, None, sink)
    return client.posted


def failing(event: object, context: object) -> object:
    raise ValueError("bad \N{SNOWMAN}")


def failed(error: type[BaseException] | BaseException) -> Failure:
    """The failure of a handler that raises this."""
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - SystemExit is one of them
        return failure_of(caught, "r1")


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.decimals(),
    st.text(st.characters(codec="utf-8")),
    st.text(st.characters(codec="utf-8")).map(str.encode),
    st.just(Size.LARGE),
)
keys = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec="utf-8")),
    st.just(b"bytes"),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.tuples(inner, inner),
        st.builds(Point, inner, inner),
        st.dictionaries(keys, inner, max_size=4),
    ),
    max_leaves=10,
)


@given(values)
def test_a_value_is_written_as_the_runtime_writes_it(value: object) -> None:
    """Decimals are numbers, named tuples objects, bytes text, and NaN is kept, byte for byte."""
    marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller")

    assert to_json(value, ensure_ascii=True) == marshaller.to_json(value)


@pytest.mark.parametrize(("python", "ensure_ascii"), [("python3.11", True), ("python3.12", False)])
def test_text_is_escaped_up_to_python_3_11(monkeypatch: pytest.MonkeyPatch, python: str, ensure_ascii: bool) -> None:
    """The runtimes of Python 3.12 and newer write what is not ASCII as it is."""
    marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller")
    monkeypatch.setenv("AWS_EXECUTION_ENV", f"AWS_Lambda_{python}")
    value = {"\N{SNOWMAN}\u2028": "\N{PILE OF POO}\x7f\x00"}

    assert to_json(value, ensure_ascii=ensure_ascii) == marshaller.to_json(value)


def looped() -> object:
    loop: list[object] = []
    loop.append({"inside": loop})
    return loop


NOT_JSON: dict[str, Callable[[], object]] = {
    "object": object,
    "object in a list": lambda: [object()],
    "set": lambda: {1},
    "tuple as a key": lambda: {(1, 2): 3},
    "decimal as a key": lambda: {Decimal(1): 1},
    "itself": looped,
    "bytes that are not text": lambda: [b"\xff"],
}


@pytest.mark.parametrize("result", NOT_JSON.values(), ids=NOT_JSON)
def test_a_result_that_is_not_json_fails_in_the_runtimes_words(runtime: Any, result: Callable[[], object]) -> None:
    """It is a Runtime.MarshalError with the encoder's reason."""
    outcome = outcome_of(result(), "r1")

    assert outcome.payload == posted_by(runtime, lambda event, context: result())


@pytest.mark.parametrize("result", [None, "x", {"price": Decimal("1.10")}, b"\xff", "\N{SNOWMAN}"])
def test_a_result_is_posted_as_the_runtime_posts_it(runtime: Any, result: object) -> None:
    """JSON as the runtime writes it; bytes as they are."""
    outcome = outcome_of(result, "r1")

    assert outcome.payload == posted_by(runtime, lambda event, context: result)


def test_bytes_are_no_json() -> None:
    """The service is told so by the content type."""
    assert outcome_of(b"\xff", "r1") == Reply(b"\xff", "application/unknown")


@pytest.mark.parametrize("result", ["x" * (MAX_RESPONSE_BYTES - 2), b"x" * MAX_RESPONSE_BYTES])
def test_the_largest_reply_is_passed_on(result: str | bytes) -> None:
    """The limit counts the bytes of the JSON."""
    assert isinstance(outcome_of(result, "r1"), Reply)


@pytest.mark.parametrize("result", ["x" * (MAX_RESPONSE_BYTES - 1), b"x" * (MAX_RESPONSE_BYTES + 1)])
def test_a_reply_above_the_limit_is_refused(result: str | bytes) -> None:
    """One byte more is the service's error."""
    assert json.loads(outcome_of(result, "r1").payload) == {
        "errorType": "Function.ResponseSizeTooLarge",
        "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
    }


@pytest.mark.skipif(ENSURE_ASCII, reason="this Python's runtime escapes it")
def test_half_a_surrogate_pair_ends_the_runtime() -> None:
    """It is no UTF-8, and the runtime does not survive the attempt to send it."""
    assert outcome_of("\ud800", "r1") == Failure.of_exit(1, "r1")


def test_an_exception_is_posted_as_the_runtime_posts_it(runtime: Any) -> None:
    """Message, type, request id and the stack trace, byte for byte."""
    with pytest.raises(ValueError, match="bad") as caught:
        failing({}, None)

    own = caught.value.with_traceback(caught.tb.tb_next)  # without this function's frame
    assert failure_of(own, "r1").payload == posted_by(runtime, failing)


def test_an_exception_is_logged_as_the_runtime_logs_it(runtime: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """The line with [ERROR], then the traceback, indented with no-break spaces."""
    posted = json.loads(posted_by(runtime, failing))
    failure = Failure(
        cause="handler",
        payload=b"",
        error_type=posted["errorType"],
        error_message=posted["errorMessage"],
        stack_trace=tuple(posted["stackTrace"]),
        reported_type="Runtime.Unknown",
    )

    assert log_text(failure) + "\n" == capsys.readouterr().out.replace("\r", "\n")


@pytest.mark.parametrize("error", [ValueError(), type("", (Exception,), {})("no name"), ValueError("two\n  lines")])
def test_a_message_is_logged_as_the_runtime_logs_it(
    runtime: Any, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    """Type and message are left out where they are empty."""
    failure = failed(error)
    runtime.log_error(json.loads(failure.payload), runtime.StandardLogSink())

    assert log_text(failure) + "\n" == capsys.readouterr().out.replace("\r", "\n")


def test_half_a_surrogate_pair_in_a_message_arrives_escaped() -> None:
    """An error is told whatever its message holds."""
    assert json.loads(failed(ValueError("\ud800")).payload)["errorMessage"] == "\ud800"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (SystemExit, "RequestId: r1 Error: Runtime exited without providing a reason"),
        (SystemExit(0), "RequestId: r1 Error: Runtime exited without providing a reason"),
        (SystemExit(3), "RequestId: r1 Error: Runtime exited with error: exit status 3"),
        (SystemExit(-1), "RequestId: r1 Error: Runtime exited with error: exit status 255"),
        (SystemExit("bye"), "RequestId: r1 Error: Runtime exited with error: exit status 1"),
        (asyncio.CancelledError, "RequestId: r1 Error: Runtime exited with error: exit status 1"),
    ],
)
def test_what_is_no_exception_ends_the_runtime(error: type[BaseException] | BaseException, message: str) -> None:
    """The runtime catches Exception only; the exit status of its process is what remains."""
    assert json.loads(failed(error).payload) == {"errorType": "Runtime.ExitError", "errorMessage": message}


def test_an_exit_is_logged_in_the_services_words() -> None:
    """The runtime is gone, so the line is the service's."""
    assert log_text(failed(SystemExit(3))) == (
        "RequestId: r1 Error: Runtime exited with error: exit status 3\nRuntime.ExitError"
    )


def test_the_stack_trace_holds_the_users_frames() -> None:
    """Frames of lambdakit and of the event loop are left out."""

    @on_invoke
    async def broken() -> None:
        raise OSError("no")

    with pytest.raises(OSError, match="no") as caught:
        App(broken)({})

    names = [line.partition(", in ")[2].split()[0] for line in failure_of(caught.value, "r1").stack_trace]
    assert names == ["test_the_stack_trace_holds_the_users_frames", "broken"]
