"""Middleware: around an invocation or around each record, outermost first."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

import pytest

from lambdakit import App, CallNext, Invocation, RecordInvocation, on_invoke, on_s3, on_sqs
from lambdakit.errors import EventValidationError, NoHandlerError, RegistrationError

log: list[str] = []


@pytest.fixture(autouse=True)
def empty_log() -> None:
    log.clear()


def around(name: str) -> Callable[[Invocation, CallNext], object]:
    def middleware(invocation: Invocation, call_next: CallNext) -> object:
        log.append(f"+{name}")
        try:
            return call_next()
        finally:
            log.append(f"-{name}")

    return middleware


def around_records(name: str) -> Callable[[RecordInvocation, CallNext], object]:
    def middleware(record: RecordInvocation, call_next: CallNext) -> object:
        log.append(f"+{name} {record.record_id}")
        try:
            return call_next()
        finally:
            log.append(f"-{name} {record.record_id}")

    return middleware


@on_invoke
def handler(payload: Any) -> Any:
    log.append("handled")
    return payload


@on_sqs()
def charge(body: str) -> None:
    log.append(body)
    if body == "bad":
        raise LookupError(body)


def sqs(*bodies: str) -> dict[str, Any]:
    records = [{"eventSource": "aws:sqs", "messageId": str(n), "body": body} for n, body in enumerate(bodies)]
    return {"Records": records}


def test_the_first_is_the_outermost() -> None:
    """Sequences in the sequence are laid flat: a package may hand over several as one."""
    App(handler, middleware=[around("a"), (around("b"), [around("c")])])(1)

    assert log == ["+a", "+b", "+c", "handled", "-c", "-b", "-a"]


def test_one_alone_needs_no_list() -> None:
    """A common slip, and clear enough."""
    alone: Any = around("a")
    App(handler, middleware=alone)(1)

    assert log == ["+a", "handled", "-a"]


def test_a_record_has_its_own_inside_that_of_the_invocation() -> None:
    """Each record, with the id it has in its source; in the order of the list, whichever form stands first."""
    App(charge, middleware=[around_records("record"), around("all")])(sqs("x", "y"))

    assert log == ["+all", "+record 0", "x", "-record 0", "+record 1", "y", "-record 1", "-all"]


def test_an_event_without_records_counts_as_one() -> None:
    """Record middleware is around each call for one thing."""
    App(handler, middleware=[around_records("record")])(1)

    assert log == ["+record ", "handled", "-record "]


def test_it_sees_what_it_is_around() -> None:
    """The raw event and its source; the raw record, its id and its handler."""
    seen: list[object] = []

    def invocation_seen(invocation: Invocation, call_next: CallNext) -> object:
        seen.append((invocation.source, invocation.event, invocation.context))
        return call_next()

    def record_seen(record: RecordInvocation, call_next: CallNext) -> object:
        seen.append((record.record["body"], record.record_id, record.handler, record.invocation.source))
        return call_next()

    App(charge, middleware=[invocation_seen, record_seen])(sqs("x"), "context")

    assert seen == [("sqs", sqs("x"), "context"), ("x", "0", f"{__name__}.charge", "sqs")]


def test_it_may_skip_the_handler() -> None:
    """And answer itself."""

    def cached(invocation: Invocation, call_next: CallNext) -> object:
        return "cached"

    assert App(handler, middleware=[cached])(1) == "cached"
    assert log == []


def test_it_may_repeat_the_handler() -> None:
    """A retry is one line."""

    def retried(invocation: Invocation, call_next: CallNext) -> object:
        with contextlib.suppress(LookupError):
            return call_next()
        return call_next()

    outcomes = iter([True, False])

    @on_invoke
    def fails_once() -> str:
        if next(outcomes):
            raise LookupError
        return "second time"

    assert App(fails_once, middleware=[retried])({}) == "second time"


def test_it_may_replace_the_reply() -> None:
    """It gets what the handler returned, ready for JSON if it is around the invocation."""

    def counted(invocation: Invocation, call_next: CallNext) -> object:
        return {"reply": call_next(), "count": 1}

    assert App(handler, middleware=[counted])(5) == {"reply": 5, "count": 1}


def test_it_sees_a_handlers_exception_and_may_let_it_pass() -> None:
    """The very object that was raised."""
    seen: list[BaseException] = []
    error = LookupError("nothing there")

    def noted(invocation: Invocation, call_next: CallNext) -> object:
        try:
            return call_next()
        except LookupError as caught:
            seen.append(caught)
            raise

    @on_invoke
    def fails() -> None:
        raise error

    with pytest.raises(LookupError) as caught:
        App(fails, middleware=[noted])({})

    assert (seen, caught.value) == ([error], error)


def test_around_an_invocation_it_sees_what_no_handler_takes() -> None:
    """An error of lambdakit's is logged like any other."""
    with pytest.raises(NoHandlerError):
        App(charge, middleware=[around("all")])({})

    assert log == ["+all", "-all"]


def test_around_a_record_it_sees_what_does_not_fit() -> None:
    """A payload is read inside of the middleware."""
    seen: list[str] = []

    def noted(record: RecordInvocation, call_next: CallNext) -> object:
        try:
            return call_next()
        except EventValidationError as error:
            seen.append(error.subject)
            raise

    @on_sqs()
    def count(number: int) -> None: ...

    App(count, middleware=[noted])(sqs("5", "many"))

    assert seen == ["SQS message 1"]


def test_an_exception_that_it_keeps_is_no_failure_of_the_record() -> None:
    """What middleware handles is handled; the other records are as they are."""

    def keeping(record: RecordInvocation, call_next: CallNext) -> object:
        with contextlib.suppress(LookupError):
            return call_next()
        return None

    assert App(charge, middleware=[keeping])(sqs("good", "bad")) == {"batchItemFailures": []}


def test_an_exception_of_its_own_fails_the_record() -> None:
    """As one of the handler would."""

    def failing(record: RecordInvocation, call_next: CallNext) -> object:
        raise LookupError

    assert App(charge, middleware=[failing])(sqs("good")) == {"batchItemFailures": [{"itemIdentifier": "0"}]}


@pytest.mark.parametrize("concurrency", [1, 3])
def test_around_async_handlers_it_is_written_as_ever(concurrency: int) -> None:
    """``call_next`` waits for the handler, also for records side by side."""

    @on_sqs(concurrency=concurrency)
    async def slow(body: str) -> None:
        await asyncio.sleep(0)
        log.append(body)

    App(slow, middleware=[around("all"), around_records("record")])(sqs("x", "y", "z"))

    lines = {n: [line for line in log if line.endswith(f" {n}") or line == body] for n, body in enumerate("xyz")}
    assert lines == {n: [f"+record {n}", body, f"-record {n}"] for n, body in enumerate("xyz")}
    assert (log[0], log[-1]) == ("+all", "-all")


def test_around_threads_it_runs_on_theirs() -> None:
    """Synchronous handlers side by side have their middleware with them."""

    @on_sqs(concurrency=3)
    def handle(body: str) -> None:
        log.append(body)

    App(handle, middleware=[around_records("record")])(sqs("x", "y"))

    assert sorted(log) == ["+record 0", "+record 1", "-record 0", "-record 1", "x", "y"]


@on_s3()
def nothing() -> None: ...


class Timed:
    """Middleware with a state, and a setting."""

    def __call__(self, invocation: Invocation, call_next: CallNext, unit: str = "s") -> object:
        log.append(f"timed in {unit}")
        return call_next()


def test_an_object_is_middleware() -> None:
    """What counts is that it can be called with the two; further parameters have defaults."""
    App(handler, middleware=[Timed()])(1)

    assert log == ["timed in s", "handled"]


async def coroutine(invocation: Invocation, call_next: CallNext) -> object:
    return call_next()


def generator(invocation: Invocation, call_next: CallNext) -> Any:
    yield call_next()


def untyped(invocation: Any, call_next: Any) -> object:
    return call_next()


def lacking(invocation: Invocation) -> None: ...


def asking_for_more(invocation: Invocation, call_next: CallNext, more: int) -> None: ...


@pytest.mark.parametrize(
    ("middleware", "words"),
    [
        (coroutine, "middleware is written with def and returns: no async def, no yield"),
        (generator, "middleware is written with def and returns: no async def, no yield"),
        (untyped, "The annotation of the first parameter tells what it goes around."),
        (lacking, "(invocation: Invocation, call_next) or (record: RecordInvocation, call_next)"),
        (asking_for_more, "(invocation: Invocation, call_next) or (record: RecordInvocation, call_next)"),
    ],
)
def test_another_form_is_refused(middleware: Any, words: str) -> None:
    """While the function starts, with the place."""
    with pytest.raises(RegistrationError) as caught:
        App(nothing, middleware=[middleware])

    assert words in str(caught.value)
    assert f"{__name__}.{middleware.__name__} ({__file__}:" in caught.value.where


@pytest.mark.parametrize("middleware", [[5], "timed", [None]])
def test_what_is_no_function_is_refused(middleware: Any) -> None:
    """With what it should have been."""
    with pytest.raises(TypeError, match="middleware is a function of"):
        App(nothing, middleware=middleware)
