"""Event source mappings of SQS queues."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.errors import InvokeError
from lambdakit.local.mappings.mapping import LostRecordsWarning
from lambdakit.local.mappings.queues import QueueMapping
from lambdakit.local.mappings.settings import QueueSettings
from lambdakit.local.sources.consumers import Poll
from lambdakit.local.sources.messages import Message
from lambdakit.local.sources.queue import Queue
from lambdakit.local.sources.source import Place
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.testing.events import sqs
from tests.scripted import THROTTLED, Script, ScriptedFunction

REPORT: dict[str, Any] = {"function_response_types": "ReportBatchItemFailures"}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def queue(clock: VirtualClock) -> Queue:
    return Queue("orders", Place(clock))


def send(queue: Queue, *bodies: object, group: str | None = None) -> None:
    for body in bodies:
        fifo: dict[str, Any] = {"message_group_id": group, "message_deduplication_id": f"{group}{body}"[:9]}
        queue.send(body, **fifo if queue.fifo else {})


def map_queue(
    clock: VirtualClock,
    queue: Queue,
    script: Script = lambda event: None,
    *,
    duration: float = 0,
    timeout: float = 3,
    **settings: Any,
) -> tuple[QueueMapping, ScriptedFunction]:
    """A mapping of the queue to a function that answers so."""
    function = ScriptedFunction(clock, script, duration=duration, timeout=timeout)
    return QueueMapping(clock, queue, function, QueueSettings(**settings)), function


def bodies(event: dict[str, Any]) -> list[str]:
    return [record["body"] for record in event["Records"]]


def log(function: ScriptedFunction) -> list[tuple[float, list[str]]]:
    """When the function was given which messages."""
    return [(time, bodies(event)) for time, event in function.calls]


def listing(*unlucky: str) -> Script:
    """A function that reports the messages with these bodies as failed."""

    def script(event: dict[str, Any]) -> object:
        failed = [record["messageId"] for record in event["Records"] if record["body"] in unlucky]
        return {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in failed]}

    return script


def always(answer: object) -> Script:
    return lambda event: answer


def in_turn(*answers: object) -> Script:
    """A function that answers so, one after the other, and then with nothing."""
    left = [*answers]
    return lambda event: left.pop(0) if left else None


# What the function is given.


def test_messages_are_delivered_in_batches_of_ten_and_deleted(clock: VirtualClock, queue: Queue) -> None:
    """What waits before there is a mapping, and what comes later."""
    send(queue, *range(12))
    mapping, function = map_queue(clock, queue)
    clock.run()
    send(queue, "later")
    clock.run()

    assert log(function) == [(0, [str(n) for n in range(10)]), (0, ["10", "11"]), (0, ["later"])]
    assert (len(queue), mapping.counts.processed, mapping.counts.held, clock.now) == (0, 13, 0, 0)


@pytest.mark.parametrize("name", ["orders", "orders.fifo"])
def test_a_record_has_the_fields_that_lambda_gives(clock: VirtualClock, name: str) -> None:
    """As the builder of SQS events, which knows AWS's own, has them."""
    queue = Queue(name, Place(clock))
    fifo: dict[str, Any] = {"message_group_id": 'g"1', "message_deduplication_id": "d"} if queue.fifo else {}
    message = queue.send('é "\\\n\U0001f600', message_attributes={"kind": "a", "data": b"\0", "n": 1}, **fifo)
    _, function = map_queue(clock, queue)
    clock.run()
    [event] = function.events

    time = clock.start
    [record] = sqs(
        name,
        message.body,
        group='g"1' if queue.fifo else None,
        message_attributes={"kind": "a", "data": b"\0", "n": 1},
        time=time,
    )["Records"]
    ours = {
        "messageId": message.message_id,
        "receiptHandle": message.receipt_handle,
        "attributes": {
            **record["attributes"],
            "ApproximateFirstReceiveTimestamp": str(message.first_received),
            **({"SequenceNumber": message.sequence_number, "MessageDeduplicationId": "d"} if queue.fifo else {}),
        },
    }
    assert event == {"Records": [{**record, **ours}]}
    assert len(str(message.receipt_handle)) == len(record["receiptHandle"])


@pytest.mark.parametrize(
    ("settings", "digest"),
    [({}, "absent"), ({"maximum_batching_window_in_seconds": 1}, None)],
    ids=["without a window", "with a window"],
)
def test_a_plain_message_has_a_digest_of_its_attributes_only_under_a_batching_window(
    clock: VirtualClock, queue: Queue, settings: dict[str, Any], digest: object
) -> None:
    """It is null then: recorded on AWS."""
    send(queue, "a")
    _, function = map_queue(clock, queue, **settings)
    clock.run()

    assert function.events[0]["Records"][0].get("md5OfMessageAttributes", "absent") == digest


def test_a_dead_letter_tells_where_it_came_from(clock: VirtualClock) -> None:
    """And how often it was received, there too."""
    letters = Queue("letters", Place(clock))
    queue = Queue("orders", Place(clock), dead_letter_queue=letters, max_receive_count=1)
    send(queue, "bad")
    map_queue(clock, queue, always(OSError()))
    _, function = map_queue(clock, letters)
    clock.run()
    [[record]] = [event["Records"] for event in function.events]

    assert (record["attributes"]["DeadLetterQueueSourceArn"], record["attributes"]["ApproximateReceiveCount"]) == (
        queue.arn,
        "2",
    )


def test_an_event_is_no_larger_than_6_mebibytes(clock: VirtualClock, queue: Queue) -> None:
    """Ten messages of 1 MiB are more than one batch."""
    send(queue, *["a" * 1_048_576] * 10)
    _, function = map_queue(clock, queue)
    clock.run()

    assert [len(event["Records"]) for event in function.events] == [5, 5]


# Failures.


def test_a_batch_that_failed_comes_again_after_its_visibility_timeout(clock: VirtualClock, queue: Queue) -> None:
    """All of it."""
    send(queue, "a", "b")
    mapping, function = map_queue(clock, queue, in_turn(OSError("disk full")))
    clock.run()

    assert log(function) == [(0, ["a", "b"]), (30, ["a", "b"])]
    assert (mapping.counts.received, mapping.counts.returned, mapping.counts.processed) == (4, 2, 2)


def test_messages_that_are_reported_come_again_and_the_others_are_deleted(clock: VirtualClock) -> None:
    """Until the queue gives them up."""
    letters = Queue("letters", Place(clock))
    queue = Queue("orders", Place(clock), dead_letter_queue=letters, max_receive_count=2)
    send(queue, "a", "bad", "c")
    mapping, function = map_queue(clock, queue, listing("bad"), **REPORT)
    clock.run()

    assert log(function) == [(0, ["a", "bad", "c"]), (30, ["bad"])]
    assert ([letter.body for letter in letters], len(queue), mapping.counts.processed) == (["bad"], 0, 2)


def test_reported_messages_are_lost_if_the_mapping_does_not_look(clock: VirtualClock, queue: Queue) -> None:
    """Lambda deletes them; a warning says so, and the mapping keeps their ids."""
    send(queue, "a", "bad", "c")
    ids = {message.body: message.message_id for message in queue}
    mapping, function = map_queue(clock, queue, listing("bad"))
    with pytest.warns(LostRecordsWarning, match="ReportBatchItemFailures"):
        clock.run()

    assert (log(function), len(queue)) == ([(0, ["a", "bad", "c"])], 0)
    assert (mapping.lost, mapping.counts.lost, mapping.counts.processed, mapping.counts.held) == ([ids["bad"]], 1, 2, 0)


def test_a_throttled_batch_is_tried_again_until_it_runs(clock: VirtualClock, queue: Queue) -> None:
    """After 1 s, 2 s, 4 s: the same batch, without another delivery."""
    send(queue, "a")
    mapping, function = map_queue(clock, queue, in_turn(THROTTLED, THROTTLED, THROTTLED))
    clock.run()

    assert log(function) == [(0, ["a"]), (1, ["a"]), (3, ["a"]), (7, ["a"])]
    assert (queue.counts.received, mapping.counts.processed) == (1, 1)


def test_a_batch_that_is_throttled_for_too_long_goes_back_to_the_queue(clock: VirtualClock) -> None:
    """When its messages would be seen again before the next attempt; they count as received then."""
    letters = Queue("letters", Place(clock))
    queue = Queue("orders", Place(clock), dead_letter_queue=letters, max_receive_count=2)
    send(queue, "a")
    mapping, function = map_queue(clock, queue, always(THROTTLED))
    clock.run()

    assert function.times == [0, 1, 3, 7, 15, 30, 31, 33, 37, 45]
    assert ([letter.body for letter in letters], mapping.counts.returned, mapping.running) == (["a"], 2, 0)


def test_a_batch_that_ran_too_late_may_run_twice(clock: VirtualClock, queue: Queue) -> None:
    """Its messages were seen again while it ran: they are deleted once, and no record is lost."""
    send(queue, "a")
    answers = in_turn(THROTTLED, THROTTLED, THROTTLED, THROTTLED)
    mapping, function = map_queue(clock, queue, answers, duration=16, timeout=30)
    clock.run()

    assert len(function.calls) == 3 + 2
    assert (len(queue), queue.counts.deleted, mapping.counts.held) == (0, 1, 0)


# Batching windows.


def test_messages_are_gathered_until_the_window_is_over(clock: VirtualClock, queue: Queue) -> None:
    """Since the first of them."""
    _, function = map_queue(clock, queue, maximum_batching_window_in_seconds=5)
    for time, body in ((1, "a"), (4, "b"), (7, "c")):
        clock.at(time, partial(send, queue, body))
    clock.run()

    assert log(function) == [(6, ["a", "b"]), (12, ["c"])]


def test_a_full_batch_does_not_wait(clock: VirtualClock, queue: Queue) -> None:
    """Large batches are gathered ten messages at a time."""
    send(queue, *range(60))
    _, function = map_queue(clock, queue, batch_size=25, maximum_batching_window_in_seconds=5)
    clock.run()

    assert [(time, len(each)) for time, each in log(function)] == [(0, 25), (0, 25), (5, 10)]


def test_the_window_of_a_full_batch_is_not_the_next_ones(clock: VirtualClock, queue: Queue) -> None:
    """That begins with its own first message."""
    _, function = map_queue(clock, queue, batch_size=2, maximum_batching_window_in_seconds=5)
    for time, body in ((0, "a"), (1, "b"), (3, "c")):
        clock.at(time, partial(send, queue, body))
    clock.run()

    assert log(function) == [(1, ["a", "b"]), (8, ["c"])]


@pytest.mark.parametrize(
    ("window", "timeout", "visible_again"),
    [(0, 30, 30), (5, 25, 30), (5, 26, 5 + 26 + 30)],
    ids=["no window", "long enough", "too short"],
)
def test_messages_are_hidden_for_as_long_as_gathering_and_processing_takes(
    clock: VirtualClock, queue: Queue, window: int, timeout: float, visible_again: float
) -> None:
    """If the queue's own visibility timeout is too short for window and function: both, and 30 s."""
    send(queue, "a")
    settings = {"maximum_batching_window_in_seconds": window}
    _, function = map_queue(clock, queue, in_turn(OSError()), timeout=timeout, **settings)
    clock.run()

    assert function.times == [window, visible_again + window]


# Filters.


def test_messages_that_no_filter_wants_are_deleted(clock: VirtualClock, queue: Queue) -> None:
    """The function never sees them."""
    send(queue, {"kind": "a"}, {"kind": "b"}, "no JSON")
    mapping, function = map_queue(clock, queue, filter_criteria={"body": {"kind": ["a"]}})
    clock.run()

    assert (log(function), len(queue)) == ([(0, ['{"kind":"a"}'])], 0)
    assert (mapping.counts.filtered, mapping.counts.processed) == (2, 1)


def test_a_batch_without_messages_is_not_invoked(clock: VirtualClock, queue: Queue) -> None:
    """When the filters want none of them."""
    send(queue, "a")
    _, function = map_queue(clock, queue, filter_criteria={"body": ["b"]})
    clock.run()

    assert (function.calls, len(queue)) == ([], 0)


# Concurrency.


def test_five_batches_are_processed_at_once_and_more_as_time_goes_by(clock: VirtualClock, queue: Queue) -> None:
    """300 more a minute: one each fifth of a second."""
    send(queue, *range(100))
    _, function = map_queue(clock, queue, duration=1, batch_size=1)
    clock.run(until=0.9)

    assert function.times == pytest.approx([0, 0, 0, 0, 0, 0.2, 0.4, 0.6, 0.8])


def test_growing_keeps_no_clock_running(clock: VirtualClock, queue: Queue) -> None:
    """When all is done, all is done."""
    send(queue, *range(100))
    map_queue(clock, queue, batch_size=1)
    clock.run()

    assert (len(queue), clock.now) == (0, 0)


def test_a_mapping_keeps_to_its_maximum_concurrency(clock: VirtualClock, queue: Queue) -> None:
    """However much there is to do."""
    send(queue, *range(100))
    _, function = map_queue(clock, queue, duration=10, batch_size=1, maximum_concurrency=7)
    clock.run()

    assert (function.max_concurrency, len(function.calls)) == (7, 100)


def test_a_mapping_with_its_own_pollers_begins_with_more(clock: VirtualClock, queue: Queue) -> None:
    """Ten for each poller, and 1,000 more a minute."""
    send(queue, *range(100))
    pollers = {"minimum_pollers": 2, "maximum_pollers": 3}
    _, function = map_queue(clock, queue, duration=10, batch_size=1, provisioned_poller_config=pollers)
    clock.run(until=0.3)
    early = function.max_concurrency
    clock.run()

    assert (early, function.max_concurrency) == (25, 30)


@pytest.mark.parametrize(("settings", "at_once"), [({}, 2), (REPORT, 5)], ids=["plain", "reporting"])
def test_fewer_batches_are_processed_at_once_while_they_fail(
    clock: VirtualClock, queue: Queue, settings: dict[str, Any], at_once: int
) -> None:
    """Not with ReportBatchItemFailures."""
    send(queue, *range(5))
    _, function = map_queue(clock, queue, always(OSError()), batch_size=1, duration=1, **settings)
    clock.run(until=29)
    send(queue, *range(20))
    function.max_concurrency = 0
    clock.run(until=29.1)

    assert function.max_concurrency == at_once


def test_throttles_make_it_fewer_batches_at_once(clock: VirtualClock, queue: Queue) -> None:
    """Until batches run again: then it grows as before."""
    send(queue, *range(5))
    _, function = map_queue(clock, queue, in_turn(*[THROTTLED] * 5), batch_size=1, duration=0.5)
    clock.run(until=5)
    send(queue, *range(20))
    function.max_concurrency = 0
    clock.run(until=5.1)
    few = function.max_concurrency
    clock.run(until=5.4)

    assert (few, function.max_concurrency) == (2, 4)


def test_a_mapping_begins_anew_after_a_quiet_time(clock: VirtualClock, queue: Queue) -> None:
    """With five batches at once."""
    send(queue, *range(100))
    _, function = map_queue(clock, queue, batch_size=1, duration=2)
    clock.run()
    grown, function.max_concurrency = function.max_concurrency, 0
    clock.run(until=clock.now + 60)
    send(queue, *range(100))
    clock.run(until=clock.now + 0.1)

    assert (grown > 10, function.max_concurrency) == (True, 5)


# FIFO queues.


def test_as_many_batches_are_processed_at_once_as_there_are_groups(clock: VirtualClock) -> None:
    """Each group in order, one batch after the other."""
    queue = Queue("orders.fifo", Place(clock))
    for group in "abcdefgh":
        send(queue, *[f"{group}{n:02}" for n in range(20)], group=group)
    _, function = map_queue(clock, queue, duration=1)
    clock.run()

    assert (function.max_concurrency, {*function.times}) == (8, {0, 1})
    assert all(len({body[0] for body in each}) == 1 for _, each in log(function))


def test_small_groups_share_a_batch(clock: VirtualClock) -> None:
    """In the order of each."""
    queue = Queue("orders.fifo", Place(clock))
    for group in "ba":
        send(queue, f"{group}1", f"{group}2", group=group)
    _, function = map_queue(clock, queue)
    clock.run()

    assert log(function) == [(0, ["b1", "b2", "a1", "a2"])]


def test_a_group_that_failed_waits_and_the_others_go_on(clock: VirtualClock) -> None:
    """Until its messages are seen again; order is kept."""
    queue = Queue("orders.fifo", Place(clock))
    send(queue, "a1", "a2", "a3", group="a")
    _, function = map_queue(clock, queue, listing("a2", "a3"), batch_size=3, **REPORT)
    clock.run(until=1)
    send(queue, "a4", group="a")
    send(queue, "b1", group="b")
    function.script = always(None)
    clock.run()

    assert log(function) == [(0, ["a1", "a2", "a3"]), (1, ["b1"]), (30, ["a2", "a3", "a4"])]


def test_a_group_goes_on_without_a_message_that_is_given_up(clock: VirtualClock) -> None:
    """Which lies in the dead-letter queue."""
    letters = Queue("letters.fifo", Place(clock))
    queue = Queue("orders.fifo", Place(clock), dead_letter_queue=letters, max_receive_count=2)
    send(queue, "bad", "good", group="a")
    _, function = map_queue(clock, queue, lambda event: OSError() if "bad" in bodies(event) else None, batch_size=1)
    clock.run()

    assert log(function) == [(0, ["bad"]), (30, ["bad"]), (60, ["good"])]
    assert [letter.body for letter in letters] == ["bad"]


@pytest.mark.parametrize(
    ("script", "calls"),
    [(always(None), [(0, 5), (1, 5)]), (in_turn(OSError()), [(0, 5), (30, 5), (31, 5)])],
    ids=["that is done", "that fails"],
)
def test_what_does_not_fit_into_an_event_waits_for_the_rest_of_its_group(
    clock: VirtualClock, script: Script, calls: list[tuple[float, int]]
) -> None:
    """Ten messages of 1 MiB come together, but are two batches; after a failure both come again."""
    queue = Queue("orders.fifo", Place(clock))
    send(queue, *[f"{n}{'a' * 1_048_000}" for n in range(10)], group="a")
    _, function = map_queue(clock, queue, script, duration=1)
    clock.run()

    assert [(time, len(event["Records"])) for time, event in function.calls] == calls


def test_what_waits_for_the_rest_of_its_group_may_be_too_late(clock: VirtualClock) -> None:
    """The first batch is throttled for so long that both have come again when it ends."""
    queue = Queue("orders.fifo", Place(clock), visibility_timeout=3)
    send(queue, *[f"{n}{'a' * 1_048_000}" for n in range(10)], group="a")
    mapping, function = map_queue(clock, queue, in_turn(THROTTLED), duration=1.2)
    clock.run()

    assert function.times == pytest.approx([0, 2.2, 3, 4.2])
    assert (len(queue), mapping.counts.processed, mapping.counts.returned) == (0, 15, 5)


def test_a_fifo_mapping_keeps_to_its_maximum_concurrency(clock: VirtualClock) -> None:
    """With more groups than that."""
    queue = Queue("orders.fifo", Place(clock))
    for group in "abcdefgh":
        send(queue, *range(10), group=group)
    _, function = map_queue(clock, queue, duration=1, maximum_concurrency=3)
    clock.run()

    assert (function.max_concurrency, function.times) == (3, [0, 0, 0, 1, 1, 1, 2, 2])


# The life of a mapping.


def test_a_function_that_takes_longer_than_messages_are_hidden_is_refused(clock: VirtualClock, queue: Queue) -> None:
    """In Lambda's words."""
    with pytest.raises(InvokeError) as caught:
        map_queue(clock, queue, timeout=31)

    assert caught.value.args == (
        400,
        "InvalidParameterValueException",
        "Queue visibility timeout: 30 seconds is less than Function timeout: 31 seconds",
    )


def test_a_disabled_mapping_finishes_what_is_under_way(clock: VirtualClock, queue: Queue) -> None:
    """Also what it has gathered; the rest waits until it is enabled again."""
    send(queue, "a")
    mapping, function = map_queue(clock, queue, duration=10, timeout=20, maximum_batching_window_in_seconds=5)
    clock.run(until=1)
    mapping.disable()
    clock.run(until=2)
    send(queue, "b")
    states: list[str] = [mapping.state]
    clock.run()
    states.append(mapping.state)
    left = len(queue)
    mapping.enable()
    clock.run()

    assert (states, left, log(function)) == (["Disabling", "Disabled"], 1, [(1, ["a"]), (16, ["b"])])


def test_a_disabled_mapping_does_not_poll(clock: VirtualClock, queue: Queue) -> None:
    """Nor does a deleted one; what is sent then keeps no clock running."""
    mapping, function = map_queue(clock, queue)
    clock.run()
    mapping.delete()
    clock.run()
    queue.send("a", delay_seconds=10)
    clock.run()

    assert (mapping.state, function.calls, clock.now) == ("Deleted", [], 0)


def test_a_function_may_send_to_its_own_queue(clock: VirtualClock, queue: Queue) -> None:
    """While the mapping is at work."""

    def script(event: dict[str, Any]) -> object:
        [body] = bodies(event)
        if int(body) < 3:
            queue.send(str(int(body) + 1))
        return None

    send(queue, 0)
    _, function = map_queue(clock, queue, script, batch_size=1)
    clock.run()

    assert [each for _, each in log(function)] == [["0"], ["1"], ["2"], ["3"]]


class FarQueue(Queue):
    """A queue that can't be reached a few times."""

    out_of_reach = 3

    def poll(
        self,
        most: int,
        visibility_timeout: float | None,
        then: Callable[[list[Message]], None],
        failed: Callable[[Exception], None] | None = None,
    ) -> Poll[Message]:
        poll = super().poll(most, visibility_timeout, then)
        if self.out_of_reach and failed is not None:
            self.out_of_reach -= 1
            poll.cancel()
            self._clock.at(self._clock.now, lambda: failed(ConnectionError("no answer")))
        return poll


def test_a_queue_that_cannot_be_reached_is_polled_again_later(clock: VirtualClock) -> None:
    """After 1 s, 2 s, 4 s."""
    queue = FarQueue("orders", Place(clock))
    send(queue, "a")
    mapping, function = map_queue(clock, queue)
    clock.run()

    assert (log(function), mapping.counts.processed) == ([(7, ["a"])], 1)


# Laws.


class Unreliable:
    """A function that does anything: works, fails, is throttled, answers nonsense, lists some, all or unknown ids.

    Of a FIFO queue it lists the first failure of a group and what comes after it, as it has to.

    Attributes:
        done: What it was content with, and said so.
    """

    def __init__(self, random: Random, *, fifo: bool) -> None:
        self.random = random
        self.fifo = fifo
        self.done: list[dict[str, Any]] = []

    def __call__(self, event: dict[str, Any]) -> object:
        records: list[dict[str, Any]] = event["Records"]
        unlucky = [record for record in records if self.random.random() < 0.3]
        if self.fifo:
            first = {self.group(record): self.number(record) for record in reversed(unlucky)}
            unlucky = [each for each in records if self.number(each) >= first.get(self.group(each), "9")]
        listed = [{"itemIdentifier": record["messageId"]} for record in unlucky]
        answers: list[object] = [
            {"batchItemFailures": listed},
            None,
            OSError("disk full"),
            THROTTLED,
            b"nonsense",
            {"batchItemFailures": [*listed, {"itemIdentifier": "unknown"}]},
            {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in records]},
        ]
        chosen = self.random.choices(range(len(answers)), weights=[6, 3, 1, 1, 1, 1, 1])[0]
        if chosen == 0:
            self.done += [record for record in records if record not in unlucky]
        elif chosen == 1:
            self.done += records
        return answers[chosen]

    @staticmethod
    def group(record: dict[str, Any]) -> str:
        return str(record["attributes"]["MessageGroupId"])

    @staticmethod
    def number(record: dict[str, Any]) -> str:
        return str(record["attributes"]["SequenceNumber"])


class Shop:
    """A queue, its dead-letter queue, a mapping and a function that fails in all ways; what happens, by the seed."""

    def __init__(self, seed: int, *, fifo: bool, report: bool, messages: int) -> None:
        self.clock = clock = VirtualClock(seed)
        random = Random(seed)
        suffix = ".fifo" if fifo else ""
        chance: dict[str, Any] = {} if fifo else {"duplicates": random.choice([0, 0.2]), "reordering": 0.2}
        self.letters = Queue(f"letters{suffix}", Place(clock))
        self.queue = Queue(
            f"orders{suffix}",
            Place(clock),
            visibility_timeout=random.choice([10, 30]),
            dead_letter_queue=self.letters,
            max_receive_count=random.randint(1, 4),
            message_retention_period=random.choice([60, 345_600]),
            **chance,
        )
        self.script = Unreliable(random, fifo=fifo)
        self.function = ScriptedFunction(clock, self.script, duration=random.choice([0, 0.1, 9]), timeout=10)
        self.settings = QueueSettings(
            batch_size=random.randint(1, 10),
            maximum_batching_window_in_seconds=0 if fifo else random.choice([0, 2]),
            maximum_concurrency=random.choice([None, 2, 5]),
            filter_criteria=random.choice([[], [{"body": {"n": [{"numeric": ["<", 40]}]}}]]),
            function_response_types="ReportBatchItemFailures" if report else (),
        )
        self.mapping = QueueMapping(clock, self.queue, self.function, self.settings)
        for number in range(messages):
            clock.at(random.choice([0, 0, random.uniform(0, 50)]), partial(self.send, number))

    def send(self, number: int) -> None:
        body = {"n": number}
        if self.queue.fifo:
            self.queue.send(body, message_group_id="abc"[number % 3], message_deduplication_id=str(number))
        else:
            self.queue.send(body)

    def run(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LostRecordsWarning)
            self.clock.run()

    def history(self) -> bytes:
        """All that happened."""
        return json.dumps([self.function.calls, repr(self.queue.counts), repr(self.mapping.counts)]).encode()


@given(st.integers(0, 2**32), st.booleans(), st.booleans(), st.integers(0, 60))
def test_nothing_is_lost(seed: int, fifo: bool, report: bool, messages: int) -> None:
    """Each message ends processed, filtered, given up or expired; the counts of queue and mapping say so."""
    shop = Shop(seed, fifo=fifo, report=report, messages=messages)
    shop.run()
    queue, mapping, function = shop.queue, shop.mapping, shop.function

    assert queue.counts.sent == messages
    assert queue.counts.sent == queue.counts.deleted + queue.counts.dead_lettered + queue.counts.expired
    assert (len(queue), queue.in_flight, mapping.running, mapping.counts.held) == (0, 0, 0, 0)
    assert mapping.counts.received == queue.counts.received
    assert len(shop.letters) == queue.counts.dead_lettered

    done = mapping.counts.processed + mapping.counts.filtered + mapping.counts.lost
    assert queue.counts.deleted <= done
    if not queue.duplicates and not queue.counts.expired and function.duration < 9:  # else some are done twice, or late
        assert queue.counts.deleted == done
    assert function.max_concurrency <= (shop.settings.maximum_concurrency or 1_250)


@given(st.integers(0, 2**32), st.integers(0, 60))
def test_what_is_done_of_a_group_is_done_in_order(seed: int, messages: int) -> None:
    """Whatever fails, while nothing gets too old; what is done twice counts when it is done first."""
    shop = Shop(seed, fifo=True, report=True, messages=messages)
    shop.queue.message_retention_period = 345_600
    shop.run()
    order: dict[str, list[str]] = {group: [] for group in "abc"}
    for record in shop.script.done:
        numbers = order[Unreliable.group(record)]
        if Unreliable.number(record) not in numbers:
            numbers.append(Unreliable.number(record))

    assert all(numbers == sorted(numbers) for numbers in order.values())


@given(st.integers(0, 2**32), st.booleans())
def test_the_same_seed_gives_the_same_history(seed: int, fifo: bool) -> None:
    """To the byte."""
    shops = [Shop(seed, fifo=fifo, report=True, messages=30) for _ in range(2)]
    for shop in shops:
        shop.run()

    assert shops[0].history() == shops[1].history()


def test_each_message_is_processed_once_if_nothing_fails(clock: VirtualClock, queue: Queue) -> None:
    """Also when there are many."""
    send(queue, *range(5_000))
    _, function = map_queue(clock, queue, duration=0.1)
    clock.run()
    times = Counter(body for event in function.events for body in bodies(event))

    assert times == {str(number): 1 for number in range(5_000)}
