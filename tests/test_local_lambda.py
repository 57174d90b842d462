"""The local Lambda service on virtual time, as a test uses it."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, on_event, on_invoke, on_s3
from lambdakit.events import S3Record
from lambdakit.local import ClockError, InvokeError, LocalLambda
from lambdakit.testing import events


@on_invoke
def double(number: int) -> int:
    return 2 * number


@on_invoke
def fail(payload: dict[str, Any]) -> None:
    raise OSError("no more disk")


@on_invoke
def rest(seconds: float) -> float:
    time.sleep(seconds)
    return seconds


@on_s3("uploads")
def ingest(upload: S3Record) -> str:
    time.sleep(0.5)
    return upload.key


def test_a_function_answers_as_lambda_does(local_lambda: LocalLambda) -> None:
    """Status 200, the reply as JSON, a cold start."""
    invocation = local_lambda.deploy(App(double)).invoke(21)

    assert (invocation.status, invocation.payload, invocation.error, invocation.cold_start) == (200, 42, None, True)


def test_uploads_are_ingested_in_parallel_up_to_the_reservation(local_lambda: LocalLambda) -> None:
    """Twenty at once, five environments: the others are throttled and come again until all are done."""
    fn = local_lambda.deploy(App(ingest), reserved_concurrency=5)
    for number in range(20):
        fn.invoke_async(events.s3("uploads", f"{number}.csv"))

    local_lambda.run()

    done = [invocation.payload for invocation in fn.invocations if invocation.throttle is None]
    assert (fn.max_concurrency, fn.cold_starts, fn.errors, len(done)) == (5, 5, [], 20)


def test_a_failing_event_is_tried_three_times_then_dead_lettered(local_lambda: LocalLambda) -> None:
    """Attempts start at 0 s, 60 s and 180 s; the third failure goes to the dead-letter queue."""
    fn = local_lambda.deploy(App(fail), dead_letter_queue="failed")

    request_id = fn.invoke_async({"order": 1})
    local_lambda.run()

    assert [call.started for call in fn.invocations] == [0, 60, 180]
    assert [(letter.request_id, letter.json, letter.error) for letter in local_lambda.queue("failed")] == [
        (request_id, {"order": 1}, "OSError")
    ]


def test_a_record_of_success_reaches_another_function(local_lambda: LocalLambda) -> None:
    """A destination may be a function of the same service, which gets the record as its event."""

    @on_event("lambda_destination")
    def note(record: dict[str, Any]) -> object:
        return record["responsePayload"]

    notes = local_lambda.deploy(App(note))
    fn = local_lambda.deploy(App(double), on_success="note")

    fn.invoke_async(21)
    local_lambda.run()

    assert [invocation.payload for invocation in notes.invocations] == [42]


def test_a_throttle_is_an_invocation_of_status_429(local_lambda: LocalLambda) -> None:
    """Of three at one instant, two run and one is refused, with Lambda's reason."""
    fn = local_lambda.deploy(App(rest), reserved_concurrency=2)

    invocations = fn.invoke_many([1, 1, 1])

    assert sorted((i.status, i.throttle) for i in invocations if i.throttle) == [
        (429, "ReservedFunctionConcurrentInvocationLimitExceeded")
    ]


def test_a_timeout_ends_the_handler_and_says_so_in_lambdas_words(local_lambda: LocalLambda) -> None:
    """At its deadline, in virtual time."""
    invocation = local_lambda.deploy(App(rest), timeout=2).invoke(60)

    assert invocation.error is not None
    assert (invocation.error.type, invocation.duration) == ("Sandbox.Timedout", 2)
    assert invocation.error.message.endswith("Error: Task timed out after 2.00 seconds")


def test_environments_of_a_function_deployed_by_name_share_no_globals(
    local_lambda: LocalLambda, tmp_path: Path
) -> None:
    """Two at once count in two environments, each its own; a third finds one of them warm."""
    (tmp_path / "counting.py").write_text(
        "import time\nseen = []\ndef handler(event, context):\n    seen.append(event)\n    time.sleep(1)\n"
        "    return len(seen)\n",
        encoding="utf-8",
    )
    fn = local_lambda.deploy("counting.handler", task_root=tmp_path)

    counts = [invocation.payload for invocation in [*fn.invoke_many([1, 2]), fn.invoke(3)]]

    assert counts == [1, 1, 2]


def test_the_apps_settings_hold_unless_deploy_says_otherwise(local_lambda: LocalLambda) -> None:
    """One App is one function, and carries its settings."""
    app = App(rest, name="resting", timeout=7, memory_size=512)

    fn = local_lambda.deploy(app, memory_size=256)

    assert (fn.name, fn.configuration.timeout, fn.configuration.memory_size) == ("resting", 7, 256)


@pytest.mark.parametrize(
    ("handler", "error"),
    [
        ("nowhere.handler", "Runtime.ImportModuleError"),
        ("here.missing", "Runtime.HandlerNotFound"),
        ("nodot", "Runtime.MalformedHandlerName"),
        ("broken.handler", "Runtime.UserCodeSyntaxError"),
    ],
)
def test_a_handler_that_is_not_there_is_lambdas_error(
    local_lambda: LocalLambda, tmp_path: Path, handler: str, error: str
) -> None:
    """Told when it is invoked, as in AWS."""
    (tmp_path / "here.py").write_text("", encoding="utf-8")
    (tmp_path / "broken.py").write_text("def", encoding="utf-8")

    invocation = local_lambda.deploy(handler, task_root=tmp_path).invoke({})

    assert invocation.error is not None
    assert invocation.error.type == error


@pytest.mark.parametrize("name", ["the shop", "", "x" * 65, "shop"])
def test_a_name_that_lambda_does_not_take_is_refused(local_lambda: LocalLambda, name: str) -> None:
    """It has other characters or too many, or another function has it."""
    local_lambda.deploy(App(double), name="shop")

    with pytest.raises(ValueError, match="name="):
        local_lambda.deploy(App(double), name=name or "ä")


def test_what_lambda_could_not_write_is_not_written_here(local_lambda: LocalLambda) -> None:
    """A datetime in a plain function's reply is an error, and not first in production."""

    def handler(event: object, context: object) -> object:
        return {"at": datetime(2026, 1, 1, tzinfo=UTC)}

    invocation = local_lambda.deploy(handler).invoke({})

    assert invocation.error is not None
    assert invocation.error.type == "Runtime.MarshalError"


def test_a_payload_that_is_too_large_never_reaches_the_function(local_lambda: LocalLambda) -> None:
    """6 MB when one waits for the reply."""
    fn = local_lambda.deploy(App(double))

    invocation = fn.invoke("x" * 6_291_456)

    assert (invocation.status, invocation.error and invocation.error.message, fn.invocations) == (
        413,
        "6291458 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)",
        [],
    )


@pytest.mark.parametrize(("payload", "status"), [(21, 204), ("x" * 6_291_456, 413), (b"{", 400)])
def test_a_dry_run_checks_the_request_and_runs_nothing(local_lambda: LocalLambda, payload: object, status: int) -> None:
    """204, or the status that the request itself would be refused with."""
    fn = local_lambda.deploy(App(double))

    invocation = fn.dry_run(payload)

    assert (invocation.status, fn.invocations) == (status, [])


def test_provisioned_environments_are_initialised_when_the_function_is_deployed(
    local_lambda: LocalLambda, tmp_path: Path
) -> None:
    """No invocation waits for their INIT phase; the one beyond them is a cold start."""
    (tmp_path / "slow.py").write_text(
        "import time\ntime.sleep(2)\ndef handler(event, context):\n    time.sleep(1)\n", encoding="utf-8"
    )
    fn = local_lambda.deploy("slow.handler", task_root=tmp_path, provisioned_concurrency=2)

    invocations = fn.invoke_many([1, 2, 3])

    assert (
        sorted((i.cold_start, i.init_duration, i.duration) for i in invocations if not i.cold_start)
        == [(False, None, 1)] * 2
    )
    assert [(i.init_duration, i.duration) for i in invocations if i.cold_start] == [(2, 1)]


def test_provisioned_environments_that_fail_in_their_init_phase_serve_nothing(
    local_lambda: LocalLambda, tmp_path: Path
) -> None:
    """The function tells why, and its invocations spill over to environments on demand."""
    (tmp_path / "broken.py").write_text("1/0", encoding="utf-8")

    fn = local_lambda.deploy("broken.handler", task_root=tmp_path, provisioned_concurrency=1)

    assert [failure.type for failure in fn.provisioned_concurrency_failures] == ["ZeroDivisionError"]
    assert fn.invoke().cold_start


def test_a_provisioned_environment_that_timed_out_is_replaced_at_once(local_lambda: LocalLambda) -> None:
    """Its INIT phase is no part of the next invocation."""
    fn = local_lambda.deploy(App(rest), timeout=1, provisioned_concurrency=1, init_duration=3)
    fn.invoke(5)
    local_lambda.run()

    invocation = fn.invoke(0.5)

    assert (invocation.environment, invocation.cold_start, invocation.duration) == (1, False, 0.5)


def test_the_events_of_old_invocations_are_let_go_when_there_are_too_many() -> None:
    """The latest are kept; asking for an older one says how to keep more."""
    fn = LocalLambda(event_memory=6).deploy(App(double))

    invocations = [fn.invoke(number) for number in (111, 222, 333)]

    assert [invocation.event for invocation in invocations[1:]] == [222, 333]
    with pytest.raises(LookupError, match="event_memory"):
        _ = invocations[0].event


def test_an_event_that_is_too_large_is_refused_at_once(local_lambda: LocalLambda) -> None:
    """1 MB when one does not."""
    fn = local_lambda.deploy(App(double))

    with pytest.raises(InvokeError, match="RequestTooLargeException"):
        fn.invoke_async("x" * 1_048_576)


def test_the_log_is_lambdas(local_lambda: LocalLambda) -> None:
    """START, what was printed, END and REPORT, with the INIT phase of a cold start."""

    def handler(event: object, context: object) -> None:
        sys.stdout.write("hello\n")

    invocation = local_lambda.deploy(handler, init_duration=0.25, duration=0.5).invoke({})

    request = invocation.request_id
    assert invocation.log == (
        f"START RequestId: {request} Version: $LATEST\nhello\nEND RequestId: {request}\n"
        f"REPORT RequestId: {request}\tDuration: 500.00 ms\tBilled Duration: 750 ms\tMemory Size: 128 MB\t"
        "Init Duration: 250.00 ms\t\n"
    )


def test_running_the_clock_inside_a_handler_says_what_to_do(local_lambda: LocalLambda) -> None:
    """A handler runs on the clock: it waits."""

    def handler(event: object, context: object) -> None:
        local_lambda.run()

    invocation = local_lambda.deploy(handler).invoke({})

    assert isinstance(invocation.exception, ClockError)


def story(seed: int) -> str:
    """Thirty events that wait by chance, some of which fail."""
    local = LocalLambda(seed)

    def handler(event: int, context: object) -> int:
        time.sleep(local_chance(event))
        if event % 7 == 0:
            raise ValueError(event)
        return event

    fn = local.deploy(handler, reserved_concurrency=3)
    for number in range(30):
        fn.invoke_async(number)
    local.run()
    return str(local.timeline())


def local_chance(event: int) -> float:
    return 0.1 + event % 4 / 10


def test_the_same_seed_gives_the_same_timeline() -> None:
    """To the byte; another seed settles the ties otherwise."""
    assert story(1) == story(1) != story(2)


@given(
    plan=st.lists(st.sampled_from(["ok", "fail", "late", "exit"]), min_size=1, max_size=12),
    reserved=st.integers(0, 3),
    retries=st.integers(0, 2),
)
def test_every_event_ends_in_exactly_one_way(plan: list[str], reserved: int, retries: int) -> None:
    """Succeeded or dead-lettered, once, whatever its attempts came to."""
    local = LocalLambda()

    def handler(event: str, context: object) -> str:
        if event == "late":
            time.sleep(10)
        if event == "exit":
            raise SystemExit(1)
        if event == "fail":
            raise ValueError(event)
        return event

    fn = local.deploy(
        handler,
        reserved_concurrency=reserved,
        maximum_retry_attempts=retries,
        dead_letter_queue="dead",
        on_success="done",
    )
    requests = [fn.invoke_async(step) for step in plan]
    local.run()

    done = [record.json["requestContext"]["requestId"] for record in local.queue("done")]
    dead = [letter.request_id for letter in local.queue("dead")]
    assert sorted(done + dead) == sorted(requests)
