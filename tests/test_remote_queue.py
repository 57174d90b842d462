"""Queues at an endpoint, with a client that fails in every way; without threads, on virtual time."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.errors import InvokeError
from lambdakit.local.mappings.queues import QueueMapping
from lambdakit.local.mappings.settings import QueueSettings
from lambdakit.local.remote.endpoint import Endpoint
from lambdakit.local.remote.failures import code_of
from lambdakit.local.remote.queue import RemoteQueue
from lambdakit.local.sources.queue import Queue
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.virtual.clock import VirtualClock
from tests.fake_clients import FakeSqs, client_error
from tests.scripted import THROTTLED, Script, ScriptedFunction
from tests.virtual_calls import VirtualCalls

REPORT: dict[str, Any] = {"function_response_types": "ReportBatchItemFailures"}
LOST = ReadTimeoutError(endpoint_url="http://sqs.test")
GONE = client_error("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")


class World:
    """A queue that is reached through a client, and a function."""

    def __init__(self, name: str = "orders", given_name: str = "", **settings: Any) -> None:
        self.clock = VirtualClock()
        self.calls = VirtualCalls(self.clock)
        self.queue = Queue(name, Place(self.clock), **settings)
        self.client = FakeSqs(self.queue, self.calls)
        self.remote = RemoteQueue(
            given_name or name, Place(self.clock), lambda: self.calls, Endpoint(client=self.client)
        )

    def map(
        self, script: Script = lambda event: None, *, duration: float = 0, timeout: float = 3, **settings: Any
    ) -> QueueMapping:
        self.remote.connect()
        self.fn = ScriptedFunction(self.clock, script, duration=duration, timeout=timeout)
        self.mapping = QueueMapping(self.clock, self.remote, self.fn, QueueSettings(**settings))
        return self.mapping

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.queue.send(body)

    @property
    def deliveries(self) -> list[tuple[float, list[str]]]:
        return [(time, [record["body"] for record in event["Records"]]) for time, event in self.fn.calls]


def test_messages_are_received_processed_and_deleted() -> None:
    """Ten with a request at most."""
    world = World()
    mapping = world.map()
    world.send(*map(str, range(25)))

    world.clock.run()

    assert [len(bodies) for _, bodies in world.deliveries] == [10, 10, 5]
    assert (mapping.counts.processed, mapping.counts.held, len(world.queue)) == (25, 0, 0)


def test_a_batch_over_ten_takes_several_requests() -> None:
    """It is gathered for as long as the window says."""
    world = World()
    world.map(batch_size=25, maximum_batching_window_in_seconds=5)
    world.send(*map(str, range(30)))

    world.clock.run()

    assert [(time, len(bodies)) for time, bodies in world.deliveries] == [(0, 25), (5, 5)]


def test_a_record_is_as_a_queue_here_would_have_it() -> None:
    """But for the time at which it was received."""
    world = World("orders.fifo", content_based_deduplication=True)
    attributes = {"kind": "urgent", "weight": 3, "raw": b"\0\xff"}
    world.queue.send("übergroß", message_attributes=attributes, message_group_id="a")
    world.map()
    [here] = world.queue
    world.clock.run(until=0.5)

    local = Queue("orders.fifo", Place(world.clock)).records(window=False)(here)

    assert world.fn.events == [{"Records": [json.loads(local)]}]


def test_a_dead_letter_says_where_it_comes_from() -> None:
    """As SQS does."""
    world = World()
    source = Queue("first", Place(world.clock), dead_letter_queue=world.queue, max_receive_count=1)
    source.send("bad")
    source.receive(visibility_timeout=0)
    source.receive()
    world.map()

    world.clock.run()

    [record] = world.fn.events[0]["Records"]
    assert record["attributes"]["DeadLetterQueueSourceArn"] == source.arn


@pytest.mark.parametrize(
    ("given_name", "asked"),
    [
        ("orders", [{"QueueName": "orders"}]),
        (
            "arn:aws:sqs:eu-west-1:210987654321:orders",
            [{"QueueName": "orders", "QueueOwnerAWSAccountId": "210987654321"}],
        ),
        ("http://sqs.test/123456789012/orders", []),
    ],
    ids=["a name", "an ARN", "a URL"],
)
def test_a_queue_is_found_by(given_name: str, asked: list[dict[str, str]]) -> None:
    """Its URL is asked for, unless it is given."""
    world = World(given_name=given_name)

    world.map()

    assert world.client.asked("get_queue_url") == asked
    assert (world.remote.name, world.remote.arn) == ("orders", world.queue.arn)


def test_the_queues_own_visibility_timeout_is_checked_in_lambdas_words() -> None:
    """When it is mapped."""
    world = World(visibility_timeout=5)

    with pytest.raises(
        InvokeError, match="Queue visibility timeout: 5 seconds is less than Function timeout: 30 seconds"
    ):
        world.map(timeout=30)


def test_a_fifo_queue_is_known_by_its_name() -> None:
    """A standard queue refuses to be asked whether it is one."""
    with pytest.raises(InvokeError, match="batch_size of a FIFO queue"):
        World("orders.fifo").map(batch_size=20, maximum_batching_window_in_seconds=1)


def test_a_queue_that_is_not_there_cannot_be_mapped() -> None:
    """In the words of SQS."""
    world = World()
    world.client.fail("get_queue_url", GONE)

    with pytest.raises(SourceError, match=r"NonExistentQueue: The specified queue does not exist\."):
        world.map()


@pytest.mark.parametrize("seconds", [0, 21])
def test_a_request_waits_one_to_twenty_seconds(seconds: int) -> None:
    """Without waiting, an empty queue would be asked without end."""
    with pytest.raises(ValueError, match="wait_time_seconds"):
        RemoteQueue("orders", Place(VirtualClock()), pytest.fail, Endpoint(), wait_time_seconds=seconds)


def test_an_empty_queue_is_asked_again_each_time_it_has_waited() -> None:
    """A poll that finds nothing is nothing left to do, once it was made."""
    world = World()
    world.map()

    world.clock.run()
    over = world.clock.now
    world.clock.run(until=10.5)

    assert (over, len(world.client.asked("receive_message"))) == (1, 11)


def test_what_comes_while_nobody_runs_the_clock_is_found() -> None:
    """By the next request."""
    world = World()
    world.map()
    world.clock.run(until=2.5)
    world.send("late")

    world.clock.run(until=4)

    assert world.deliveries == [(3, ["late"])]


def test_who_begins_to_wait_has_the_queue_asked_once_more() -> None:
    """The request that is under way may have been answered already: another makes sure, and does not wait."""
    world = World()
    world.map()
    world.clock.run(until=2.5)

    world.calls.somebody_waits()
    world.clock.run(until=3.5)

    waited = [given["WaitTimeSeconds"] for given in world.client.asked("receive_message")]
    assert waited == [1, 1, 1, 0, 1]


def test_a_failed_batch_is_left_to_its_visibility_timeout() -> None:
    """Nothing is deleted, and nothing shown earlier."""
    world = World()
    world.map(lambda event: OSError("no"))
    world.send("a")

    world.clock.run(until=31.5)

    assert world.deliveries == [(0, ["a"]), (30, ["a"])]
    assert world.client.asked("change_message_visibility_batch") == []


def test_only_what_was_done_is_deleted() -> None:
    """The others are delivered again until they are dead-lettered."""
    letters = Queue("letters", Place(VirtualClock()))
    world = World(dead_letter_queue=letters, max_receive_count=2)

    def script(event: dict[str, Any]) -> object:
        bad = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in bad]}

    mapping = world.map(script, **REPORT)
    world.send("a", "bad", "b")
    world.clock.run(until=100)

    assert world.deliveries == [(0, ["a", "bad", "b"]), (30, ["bad"])]
    assert ([letter.body for letter in letters], mapping.counts.processed, mapping.counts.returned) == (["bad"], 2, 2)


def test_a_group_of_a_fifo_queue_is_tried_again_in_order() -> None:
    """From the first message that failed on; other groups go on."""
    world = World("orders.fifo", content_based_deduplication=True)
    failing = ["a2", "a3"]

    def script(event: dict[str, Any]) -> object:
        failed = [record["messageId"] for record in event["Records"] if record["body"] in failing]
        failing.clear()
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    for body in ("a1", "a2", "a3", "b1"):
        world.queue.send(body, message_group_id=body[0])
    world.map(script, **REPORT)
    world.clock.run(until=35)

    assert world.deliveries == [(0, ["a1", "a2", "a3", "b1"]), (30, ["a2", "a3"])]


def test_messages_are_hidden_longer_where_gathering_takes_long() -> None:
    """By whole seconds, as SQS has them."""
    world = World()
    world.map(batch_size=100, maximum_batching_window_in_seconds=28, timeout=2.5)
    world.send("a")

    world.clock.run(until=1)

    assert world.client.asked("receive_message")[0]["VisibilityTimeout"] == 61


def test_what_could_not_be_deleted_is_deleted_again() -> None:
    """Only that; SQS says of each whether it is the sender's fault."""
    world = World()
    world.client.refused = [{"1": {"Code": "InternalError", "Message": "oh", "SenderFault": False}}]
    world.map()
    world.send("a", "b", "c")

    world.clock.run()

    assert [len(given["Entries"]) for given in world.client.asked("delete_message_batch")] == [3, 1]
    assert (len(world.queue), world.remote.undeleted) == (0, [])


def test_a_message_whose_handle_is_refused_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    """It was processed, and will come again."""
    world = World()
    fault = {"Code": "ReceiptHandleIsInvalid", "Message": "The input receipt handle is invalid.", "SenderFault": True}
    world.client.refused = [{"0": fault}]
    world.map()
    world.send("a")

    world.clock.run()

    [(message, why)] = world.remote.undeleted
    assert (message.body, why) == ("a", "ReceiptHandleIsInvalid: The input receipt handle is invalid.")
    assert [record.getMessage() for record in caplog.records] == [
        f"<RemoteQueue 'orders'>: message {message.message_id} was processed and can't be deleted, so it will come "
        f"again: {why}"
    ]


@pytest.mark.parametrize(("lost", "undeleted", "left"), [(4, 0, 0), (5, 2, 2)])
def test_a_deletion_is_tried_five_times(lost: int, undeleted: int, left: int) -> None:
    """Then the messages are told of."""
    world = World(visibility_timeout=100)
    world.client.fail("delete_message_batch", *[LOST] * lost)
    world.map()
    world.send("a", "b")

    world.clock.run(until=50)

    assert (len(world.remote.undeleted), len(world.queue)) == (undeleted, left)


@pytest.mark.parametrize(
    "error",
    [
        LOST,
        EndpointConnectionError(endpoint_url="http://sqs.test"),
        client_error("OverLimit"),
        client_error("RequestThrottled"),
        client_error("AccessDenied"),
        client_error("InternalError"),
    ],
    ids=lambda error: code_of(error) or type(error).__name__,
)
def test_a_queue_that_cannot_be_polled_is_polled_later(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    """After 1 s, 2 s, 4 s and so on; it is logged, and the mapping remembers it."""
    world = World()
    world.client.fail("receive_message", *[error] * 3)
    mapping = world.map()
    world.send("a")

    world.clock.run()

    assert world.deliveries == [(7, ["a"])]
    assert isinstance(mapping.last_error, SourceError)
    assert [record.message for record in caplog.records] == [
        f"<RemoteQueue 'orders'> can't be polled: {mapping.last_error}"
    ] * 3


def test_the_pauses_of_a_queue_that_cannot_be_polled_end_at_a_minute() -> None:
    """And begin anew once it could be."""
    world = World()
    world.client.fail("receive_message", *[LOST] * 8)
    world.map()
    world.send("a")

    world.clock.run()

    assert world.deliveries == [(1 + 2 + 4 + 8 + 16 + 32 + 60 + 60, ["a"])]


def test_what_is_no_error_of_boto3s_is_raised() -> None:
    """A mistake in our own code, or in a client that was given."""
    world = World()
    world.client.fail("receive_message", TypeError("oops"))
    world.map()

    with pytest.raises(TypeError, match="oops"):
        world.clock.run()


def test_a_throttled_batch_is_tried_until_its_messages_are_seen_again() -> None:
    """Then it is left to the queue."""
    world = World()
    answers = iter([THROTTLED] * 6)
    world.map(lambda event: next(answers, None))
    world.send("a")

    world.clock.run(until=40)

    assert [time for time, _ in world.deliveries] == [0, 1, 3, 7, 15, 30, 31]


# The end.


def test_a_disabled_mapping_asks_no_more() -> None:
    """Its last request is not repeated."""
    world = World()
    mapping = world.map()
    world.clock.run(until=2.5)

    mapping.disable()
    world.clock.run(until=60)

    assert (mapping.state, len(world.client.asked("receive_message"))) == ("Disabled", 3)


def test_a_batch_in_flight_is_finished_before_a_mapping_is_disabled() -> None:
    """Its messages are deleted."""
    world = World()
    mapping = world.map(duration=5, timeout=10)
    world.send("a")
    world.clock.run(until=1)

    mapping.disable()
    states = []
    for until in (2, 7):
        world.clock.run(until=until)
        states.append((mapping.state, len(world.queue)))

    assert states == [("Disabling", 1), ("Disabled", 0)]


def test_messages_that_come_after_the_end_are_given_back_at_once() -> None:
    """Others may have them; they do not wait until their time is over."""
    world = World()
    mapping = world.map()
    world.clock.run(until=2.5)
    original = world.client.receive_message

    def late(**given: Any) -> Any:
        mapping.disable()
        world.calls.took = 0.5
        return original(**given)

    world.client.receive_message = late  # type: ignore[method-assign]
    world.send("a", "b")
    world.clock.run(until=60)

    assert (world.deliveries, world.queue.visible, mapping.counts.received) == ([], 2, 0)


def test_what_a_mapping_still_has_can_be_given_back() -> None:
    """What is with the function, what waits for it and what is being gathered."""
    world = World()
    mapping = world.map(duration=600, batch_size=4, maximum_batching_window_in_seconds=60, maximum_concurrency=2)
    world.send(*map(str, range(15)))
    world.clock.run(until=10)

    world.remote.give_back(mapping.abandon())

    assert (len(world.fn.calls), world.queue.visible, mapping.counts.held) == (2, 15, 0)


def test_messages_that_cannot_be_given_back_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """They are hidden until their time is over."""
    world = World()
    world.map()
    world.client.fail("change_message_visibility_batch", LOST)

    world.remote.give_back([])
    world.send("a")
    received = world.remote.receive(0, {"MaxNumberOfMessages": 10})
    with caplog.at_level(logging.WARNING):
        world.remote.give_back(received)

    assert [record.message.partition(":")[0] for record in caplog.records] == ["<RemoteQueue 'orders'>"]


@given(
    messages=st.integers(0, 40),
    errors=st.lists(
        st.tuples(
            st.sampled_from(["receive_message", "delete_message_batch"]),
            st.sampled_from([LOST, client_error("RequestThrottled"), client_error("InternalError")]),
        ),
        max_size=12,
    ),
    refused=st.lists(
        st.dictionaries(
            st.sampled_from("0123456789"),
            st.fixed_dictionaries({"Code": st.just("X"), "SenderFault": st.booleans()}),
            max_size=3,
        ),
        max_size=5,
    ),
    failing=st.sets(st.integers(0, 39)),
)
def test_every_message_is_processed_whatever_fails(
    messages: int, errors: list[tuple[str, Exception]], refused: list[dict[str, dict[str, Any]]], failing: set[int]
) -> None:
    """At least once; and the account of the mapping comes out even."""
    world = World()
    for operation, error in errors:
        world.client.fail(operation, error)
    world.client.refused = refused
    seen: set[str] = set()

    def script(event: dict[str, Any]) -> object:
        bodies = {record["messageId"]: record["body"] for record in event["Records"]}
        failed = [each for each, body in bodies.items() if int(body) in failing and body not in seen]
        seen.update(bodies.values())
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    mapping = world.map(script, **REPORT)
    world.send(*map(str, range(messages)))
    world.clock.run(until=900)

    processed = mapping.counts.processed - len(world.remote.undeleted)
    assert (len(world.queue), seen, processed, mapping.counts.held) == (0, {*map(str, range(messages))}, messages, 0)
