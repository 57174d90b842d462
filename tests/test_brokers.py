"""Brokers of Amazon MQ, and the mappings of their queues."""

from __future__ import annotations

import warnings
from base64 import b64decode
from functools import partial
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.errors import InvokeError
from lambdakit.local.mappings.brokers import BrokerMapping
from lambdakit.local.mappings.mapping import LostRecordsWarning
from lambdakit.local.mappings.settings import BrokerSettings
from lambdakit.local.sources.broker import Broker, BrokerMessage, Engine
from lambdakit.local.sources.source import Place
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.testing.events import activemq, rabbitmq
from tests.scripted import THROTTLED, Script, ScriptedFunction

ENGINES: list[Engine] = ["ActiveMQ", "RabbitMQ"]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture(params=ENGINES)
def broker(clock: VirtualClock, request: pytest.FixtureRequest) -> Broker:
    return Broker("shop", Place(clock), engine=request.param)


def send(broker: Broker, body: object, **settings: Any) -> None:
    broker.queue("orders").send(body, **settings)


def map_broker(
    clock: VirtualClock, broker: Broker, script: Script = lambda event: None, *, duration: float = 0, **settings: Any
) -> tuple[BrokerMapping, ScriptedFunction]:
    function = ScriptedFunction(clock, script, duration=duration)
    return BrokerMapping(clock, broker, function, BrokerSettings(queue="orders", **settings)), function


def records(event: dict[str, Any]) -> list[dict[str, Any]]:
    [found] = event["rmqMessagesByQueue"].values() if "rmqMessagesByQueue" in event else [event["messages"]]
    return [*found]


def data(event: dict[str, Any]) -> list[str]:
    return [b64decode(record["data"]).decode() for record in records(event)]


def log(function: ScriptedFunction) -> list[tuple[float, list[str]]]:
    return [(time, data(event)) for time, event in function.calls]


def in_turn(*answers: object) -> Script:
    left = [*answers]
    return lambda event: left.pop(0) if left else None


# Queues of a broker.


def test_a_consumer_has_messages_until_it_acknowledges_them(clock: VirtualClock, broker: Broker) -> None:
    """Others wait for what comes later."""
    queue = broker.queue("orders")
    given: list[list[BrokerMessage]] = []
    for body in ("a", "b"):
        queue.send(body)
    for _ in range(2):
        queue.poll(10, given.append)
    clock.run()
    before = len(queue), queue.visible
    queue.acknowledge(given[0])
    queue.send("c")
    clock.run()

    assert (before, len(queue)) == ((2, 0), 1)
    assert [[message.data for message in each] for each in given] == [[b"a", b"b"], [b"c"]]


def test_what_is_given_back_comes_first_again(clock: VirtualClock, broker: Broker) -> None:
    """And counts as delivered again."""
    queue = broker.queue("orders")
    given: list[list[BrokerMessage]] = []
    for body in ("a", "b", "c"):
        queue.send(body)
    queue.poll(2, given.append)
    clock.run()
    queue.give_back(given[0])

    assert [(message.data, message.redeliveries) for message in queue] == [(b"a", 1), (b"b", 1), (b"c", 0)]


def test_a_message_whose_time_is_over_is_gone(clock: VirtualClock, broker: Broker) -> None:
    """And counted."""
    queue = broker.queue("orders")
    queue.send("short", time_to_live=10)
    queue.send("long", time_to_live=20)
    queue.send("for ever")
    seen: list[int] = []
    for until in (9, 10, 20):
        clock.run(until=until)
        seen.append(len(queue))

    assert (seen, queue.counts.expired, [message.data for message in queue]) == ([3, 2, 1], 2, [b"for ever"])


@pytest.mark.parametrize(("engine", "priority"), [("ActiveMQ", 10), ("RabbitMQ", 256)])
def test_a_priority_is_in_its_engines_range(clock: VirtualClock, engine: Engine, priority: int) -> None:
    """To 9, to 255."""
    with pytest.raises(ValueError, match=f"priority is 0 to {priority - 1}, not {priority}"):
        Broker("shop", Place(clock), engine=engine).queue("orders").send("a", priority=priority)


def test_a_broker_has_one_of_two_engines(clock: VirtualClock) -> None:
    """Amazon MQ has no others."""
    with pytest.raises(ValueError, match="engine is one of 'ActiveMQ', 'RabbitMQ', not 'ZeroMQ'"):
        Broker("shop", Place(clock), engine="ZeroMQ")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


# What the function is given.


def same(ours: Any, theirs: Any, *differing: str) -> bool:
    """Whether two records are the same but for some fields, of which both have a value of the same type."""
    return ours.keys() == theirs.keys() and all(
        type(ours[key]) is type(theirs[key]) if key in differing else ours[key] == theirs[key] for key in ours
    )


@pytest.mark.parametrize("body", ["hello", b"\0\1", {"id": "1"}], ids=["text", "bytes", "JSON"])
def test_a_record_of_activemq_has_the_fields_that_lambda_gives(clock: VirtualClock, body: Any) -> None:
    """As the builder of such events has them."""
    broker = Broker("shop", Place(clock))
    broker.queue("orders").send(body)
    _, function = map_broker(clock, broker)
    clock.run()
    [event] = function.events
    example = activemq("orders", body, broker="shop", time=clock.start)

    assert {**event, "messages": None} == {**example, "messages": None}
    assert same(event["messages"][0], example["messages"][0], "messageID", "brokerOutTime")


@pytest.mark.parametrize("body", ["hello", {"id": "1"}], ids=["text", "JSON"])
def test_a_record_of_rabbitmq_has_the_fields_that_lambda_gives(clock: VirtualClock, body: Any) -> None:
    """As the builder of such events has them, under the queue and its virtual host."""
    broker = Broker("shop", Place(clock), engine="RabbitMQ")
    clock.run(until=12 * 3600)
    broker.queue("orders", "/eu").send(body, properties={"kind": "a"})
    _, function = map_broker(clock, broker, virtual_host="/eu")
    clock.run()
    [event] = function.events
    example = rabbitmq("orders", body, broker="shop", virtual_host="/eu", headers={"kind": "a"})

    assert {**event, "rmqMessagesByQueue": None} == {**example, "rmqMessagesByQueue": None}
    [ours], [theirs] = event["rmqMessagesByQueue"]["orders::/eu"], example["rmqMessagesByQueue"]["orders::/eu"]
    assert same(ours, theirs, "basicProperties")
    theirs["basicProperties"]["userId"] = None  # nobody in particular sends here
    assert same(ours["basicProperties"], theirs["basicProperties"], "messageId", "bodySize")


def test_properties_are_text_in_activemq_and_bytes_or_numbers_in_rabbitmq(clock: VirtualClock) -> None:
    """So is the rest that a sender may say."""
    given: dict[str, Any] = {
        "properties": {"text": "a", "number": 10, "flag": True},
        "time_to_live": 60,
        "priority": 3,
        "correlation_id": "c",
        "reply_to": "answers",
        "type": "order",
    }
    seen: list[dict[str, Any]] = []
    for engine in ENGINES:
        broker = Broker("shop", Place(clock), engine=engine)
        broker.queue("orders").send("a", **given)
        _, function = map_broker(clock, broker)
        clock.run()
        seen += records(function.events[0])
    active, rabbit = seen[0], seen[1]["basicProperties"]

    assert active["properties"] == {"text": "a", "number": "10", "flag": "true"}
    assert rabbit["headers"] == {"text": {"bytes": [97]}, "number": 10, "flag": True}
    assert (active["expiration"], rabbit["expiration"]) == (60_000, "60000")
    for record in (active, rabbit):
        assert (record["priority"], record["correlationId"], record["replyTo"], record["type"]) == (
            3,
            "c",
            "answers",
            "order",
        )


# Batches.


def test_messages_are_gathered_for_half_a_second(clock: VirtualClock, broker: Broker) -> None:
    """Up to a hundred of them."""
    mapping, function = map_broker(clock, broker)
    for time in (1, 1.4, 1.6):
        clock.at(time, partial(send, broker, str(time)))
    clock.run()
    for number in range(150):
        broker.queue("orders").send(str(number))
    clock.run()

    assert log(function)[:2] == [(1.5, ["1", "1.4"]), (2.1, ["1.6"])]
    assert [len(each) for _, each in log(function)[2:]] == [100, 50]
    assert (len(broker.queue("orders")), mapping.counts.processed, mapping.counts.held) == (0, 153, 0)


def test_messages_that_no_filter_wants_are_acknowledged(clock: VirtualClock, broker: Broker) -> None:
    """The function never sees them; text passes a pattern of JSON."""
    for body in ({"kind": "a"}, {"kind": "b"}, "text"):
        broker.queue("orders").send(body)
    mapping, function = map_broker(clock, broker, filter_criteria={"data": {"kind": ["a"]}})
    clock.run()

    assert log(function) == [(0.5, ['{"kind":"a"}', "text"])]
    assert (len(broker.queue("orders")), mapping.counts.filtered) == (0, 1)


def test_a_message_that_fits_into_no_event_is_dropped(clock: VirtualClock, broker: Broker) -> None:
    """Base64 makes 6 MB of 4.5 MB."""
    broker.queue("orders").send(b"a" * 5_000_000)
    broker.queue("orders").send("small")
    mapping, function = map_broker(clock, broker)
    clock.run()

    assert (log(function), mapping.counts.discarded, len(broker.queue("orders"))) == ([(0.5, ["small"])], 1, 0)


@pytest.mark.parametrize(("engine", "at_once"), [("ActiveMQ", 5), ("RabbitMQ", 1)])
def test_so_many_batches_are_processed_at_once(clock: VirtualClock, engine: Engine, at_once: int) -> None:
    """Five of ActiveMQ, one of RabbitMQ."""
    broker = Broker("shop", Place(clock), engine=engine)
    for number in range(20):
        broker.queue("orders").send(str(number))
    _, function = map_broker(clock, broker, duration=1, batch_size=1)
    clock.run()

    assert (function.max_concurrency, len(function.calls)) == (at_once, 20)


# Failures.


@pytest.mark.parametrize(
    ("failure", "redelivered"), [(OSError("disk full"), True), (THROTTLED, False)], ids=["an error", "a throttle"]
)
def test_a_batch_that_failed_is_tried_again_each_second(
    clock: VirtualClock, broker: Broker, failure: object, redelivered: bool
) -> None:
    """As a whole, and its messages tell that it is; one that was throttled was not delivered."""
    for body in ("a", "b"):
        broker.queue("orders").send(body)
    mapping, function = map_broker(clock, broker, in_turn(failure, failure))
    clock.run()

    assert log(function) == [(0.5, ["a", "b"]), (1.5, ["a", "b"]), (2.5, ["a", "b"])]
    assert [[record["redelivered"] for record in records(event)] for event in function.events] == [
        [False, False],
        [redelivered, redelivered],
        [redelivered, redelivered],
    ]
    assert mapping.counts.processed == 2


def test_a_message_expires_while_it_is_tried(clock: VirtualClock, broker: Broker) -> None:
    """The others of its batch do not."""
    broker.queue("orders").send("short", time_to_live=2)
    broker.queue("orders").send("long", time_to_live=4)
    mapping, function = map_broker(clock, broker, lambda event: OSError())
    clock.run()

    assert log(function) == [(0.5, ["short", "long"]), (1.5, ["short", "long"]), (2.5, ["long"]), (3.5, ["long"])]
    assert (mapping.counts.expired, broker.queue("orders").counts.expired, mapping.running) == (2, 2, 0)


def test_activemq_gives_a_message_up_after_six_redeliveries(clock: VirtualClock) -> None:
    """It lies in ``ActiveMQ.DLQ`` then."""
    broker = Broker("shop", Place(clock))
    broker.queue("orders").send("bad")
    mapping, function = map_broker(clock, broker, lambda event: OSError())
    clock.run()

    assert function.times == [0.5 + n for n in range(7)]
    assert [letter.data for letter in broker.queue("ActiveMQ.DLQ")] == [b"bad"]
    assert (len(broker.queue("orders")), mapping.counts.discarded) == (0, 1)


def test_activemq_gives_no_message_up_that_was_throttled(clock: VirtualClock) -> None:
    """It is tried until it runs."""
    broker = Broker("shop", Place(clock))
    broker.queue("orders").send("a")
    mapping, function = map_broker(clock, broker, in_turn(*[THROTTLED] * 20))
    clock.run()

    assert (len(function.calls), mapping.counts.processed) == (21, 1)


def test_rabbitmq_tries_for_ever_but_keeps_no_clock_running_for_it(clock: VirtualClock) -> None:
    """After a hundred attempts it goes on when time passes anyway."""
    broker = Broker("shop", Place(clock), engine="RabbitMQ")
    broker.queue("orders").send("bad")
    mapping, function = map_broker(clock, broker, lambda event: OSError())
    clock.run()
    first = len(function.calls)
    clock.run(until=clock.now + 10)

    assert (first, len(function.calls), mapping.running) == (101, 111, 1)


def test_reported_messages_are_lost(clock: VirtualClock, broker: Broker) -> None:
    """Mappings of Amazon MQ have no ReportBatchItemFailures: a warning says what was lost."""
    message = broker.queue("orders").send("bad")
    answer = {"batchItemFailures": [{"itemIdentifier": message.message_id}]}
    mapping, _ = map_broker(clock, broker, lambda event: answer)
    with pytest.warns(LostRecordsWarning, match="reported records"):
        clock.run()

    assert (mapping.lost, mapping.counts.lost, mapping.counts.processed) == ([message.message_id], 1, 0)


# The life of a mapping.


def test_a_mapping_that_ceases_gives_back_what_failed(clock: VirtualClock, broker: Broker) -> None:
    """And finishes what runs."""
    broker.queue("orders").send("a")
    mapping, function = map_broker(clock, broker, lambda event: OSError())
    clock.run(until=1)
    mapping.disable()
    clock.run()
    states: list[str] = [mapping.state]
    waiting = [(message.data, message.redeliveries) for message in broker.queue("orders")]
    function.script = lambda event: None
    mapping.enable()
    clock.run()

    assert (states, waiting) == (["Disabled"], [(b"a", 2)])
    assert (mapping.state, mapping.counts.returned, mapping.counts.processed) == ("Enabled", 1, 1)


def test_a_mapping_that_ceases_gives_back_what_fails_then(clock: VirtualClock, broker: Broker) -> None:
    """When the function ends."""
    broker.queue("orders").send("a")
    mapping, function = map_broker(clock, broker, lambda event: OSError(), duration=5)
    clock.run(until=1)
    mapping.delete()
    clock.run()

    assert (mapping.state, len(broker.queue("orders")), len(function.calls)) == ("Deleted", 1, 1)


def test_a_function_of_a_broker_may_not_take_longer_than_14_minutes(clock: VirtualClock, broker: Broker) -> None:
    """Or Lambda does not take the mapping."""
    with pytest.raises(InvokeError, match="900 seconds is more than 840 seconds"):
        BrokerMapping(clock, broker, ScriptedFunction(clock, timeout=900), BrokerSettings(queue="orders"))


# Laws.


@given(st.integers(0, 2**32), st.sampled_from(ENGINES), st.integers(0, 40))
def test_nothing_is_lost(seed: int, engine: Engine, messages: int) -> None:
    """Each message ends processed, filtered, expired or given up; the counts of queue and mapping say so."""
    clock, random = VirtualClock(seed), Random(seed)
    broker = Broker("shop", Place(clock), engine=engine)
    queue = broker.queue("orders")
    for number in range(messages):
        lifetime = random.choice([None, 3, 30])
        clock.at(random.uniform(0, 20), partial(send, broker, {"n": number}, time_to_live=lifetime))
    answers = [None, b"nonsense", OSError("disk full"), THROTTLED, {"batchItemFailures": [{"itemIdentifier": "x"}]}]
    mapping, function = map_broker(
        clock,
        broker,
        lambda event: random.choice(answers),
        duration=random.choice([0, 2]),
        batch_size=random.randint(1, 20),
        filter_criteria=random.choice([[], [{"data": {"n": [{"numeric": ["<", 20]}]}}]]),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LostRecordsWarning)
        clock.run()

    counts = queue.counts
    assert counts.sent == messages == counts.acknowledged + counts.expired + counts.dead_lettered
    assert (len(queue), mapping.counts.held, mapping.running) == (0, 0, 0)
    assert counts.acknowledged == mapping.counts.processed + mapping.counts.filtered + mapping.counts.lost
    assert counts.dead_lettered == mapping.counts.discarded == len(broker.queue("ActiveMQ.DLQ"))
    assert function.max_concurrency <= {"ActiveMQ": 5, "RabbitMQ": 1}[engine]
