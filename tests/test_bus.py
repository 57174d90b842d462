"""The local bus: what is put on it, which rules send it on, and what their targets get."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, identify, on_eventbridge
from lambdakit.events import EventBridgeEvent
from lambdakit.local.sources.bus import MAX_REQUEST_BYTES, Bus
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.target_input import InputTransformer
from lambdakit.local.sources.topic import Topic
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.patterns import EventPattern
from lambdakit.testing import events
from tests.fake_targets import FakeFunction, FakeQueue

ORDER = {"command": "ship", "payload": {"id": "1", "items": [{"sku": "PEN"}, {"sku": "BOOK"}]}, "total": 2.5}


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(start=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def bus(clock: VirtualClock) -> Bus:
    return Bus("default", Place(clock))


# Putting events.


def test_an_event_has_the_envelope_of_eventbridge(bus: Bus, clock: VirtualClock) -> None:
    """The same names in the same order as the builder gives them, with the time of the clock."""
    clock.run(until=90)
    event_id = bus.put("shop", "Order placed", ORDER, ["arn:aws:s3:::uploads"])

    [event] = bus.events
    assert list(event) == list(events.eventbridge("shop"))
    assert EventBridgeEvent.model_validate(event).model_dump() == {
        "version": "0",
        "id": event_id,
        "detail_type": "Order placed",
        "source": "shop",
        "account": "123456789012",
        "time": datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC),
        "region": "us-east-1",
        "resources": ["arn:aws:s3:::uploads"],
        "detail": ORDER,
        "replay_name": None,
    }


def test_an_event_may_have_a_time_of_its_own(bus: Bus) -> None:
    """When it happened, to the second."""
    bus.put("shop", "Order placed", "{}", time=datetime(2025, 12, 24, 18, 0, 0, 5, tzinfo=UTC))

    assert bus.events[0]["time"] == "2025-12-24T18:00:00Z"


def test_each_entry_has_its_result(bus: Bus) -> None:
    """As boto3 has them; a wrong one keeps no other from the bus. The words were recorded on AWS."""
    right = {"Source": "shop", "DetailType": "Order placed", "Detail": "{}"}
    results = bus.put_events(
        [
            right,
            {**right, "Source": ""},
            {"Source": "shop", "Detail": "{}"},
            {"Source": "shop", "DetailType": "Order placed"},
            {**right, "Detail": '"text"'},
            {**right, "Detail": "[1]"},
            {**right, "Detail": "{no JSON"},
            {**right, "Source": "aws.s3"},
        ]
    )

    assert results == {
        "FailedEntryCount": 7,
        "Entries": [
            {"EventId": bus.events[0]["id"]},
            _failure("InvalidArgument", "Parameter Source is not valid. Reason: Source is a required argument."),
            _failure(
                "InvalidArgument", "Parameter DetailType is not valid. Reason: DetailType is a required argument."
            ),
            _failure("InvalidArgument", "Parameter Detail is not valid. Reason: Detail is a required argument."),
            *[_failure("MalformedDetail", "Detail is malformed.")] * 3,
            _failure("NotAuthorizedForSourceException", "Not authorized for the source."),
        ],
    }


def test_one_wrong_event_is_an_error(bus: Bus) -> None:
    """There is no other to be kept from the bus."""
    with pytest.raises(SourceError, match=r"MalformedDetail: Detail is malformed\."):
        bus.put("shop", "Order placed", ["no object"])


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ([], "1 validation error detected: .* Member must have length greater than or equal to 1"),
        ([{}] * 11, "1 validation error detected: .* Member must have length less than or equal to 10"),
        (
            [{"Source": "s", "DetailType": "t", "Detail": "d" * (MAX_REQUEST_BYTES // 2)}] * 2,
            "Total size of the entries in the request is over the limit.",
        ),
    ],
    ids=["none", "eleven", "too large"],
)
def test_a_wrong_request_is_refused_as_a_whole(bus: Bus, entries: list[dict[str, str]], words: str) -> None:
    """In the words that were recorded on AWS."""
    with pytest.raises(SourceError, match=f"ValidationException: {words}"):
        bus.put_events(entries)


def test_the_largest_request_is_taken(bus: Bus) -> None:
    """1 MiB: source, detail-type, detail and resources, and 14 bytes for a time."""
    detail = json.dumps({"text": ""})
    text = "x" * (MAX_REQUEST_BYTES - len("shop") - len("Order placed") - len(detail) - len("arn") - 14)

    bus.put("shop", "Order placed", json.dumps({"text": text}), ["arn"], datetime(2026, 1, 1, tzinfo=UTC))

    assert len(bus.events) == 1


@pytest.mark.parametrize(("name", "problem"), [("a b", "regular expression pattern"), ("b" * 257, "equal to 256")])
def test_a_bus_has_a_name_that_eventbridge_takes(clock: VirtualClock, name: str, problem: str) -> None:
    """In its words."""
    with pytest.raises(SourceError, match=f"'name' failed to satisfy constraint: Member must .*{problem}"):
        Bus(name, Place(clock))


# Rules.


def test_a_rule_sends_on_what_matches_when_the_clock_runs(bus: Bus, clock: VirtualClock) -> None:
    """Never within the request itself; it keeps what it sent on and what it left."""
    function = FakeFunction()
    rule = bus.rule("orders", {"source": ["shop"]}, function)
    bus.put("shop", "Order placed", ORDER)
    bus.put("bank", "Paid", {})
    before = len(function.events)
    clock.run()

    assert (before, function.events) == (0, bus.events[:1])
    assert (rule.matched, rule.filtered) == (bus.events[:1], bus.events[1:])
    assert identify(function.events[0]) == "eventbridge"


def test_a_rule_without_a_pattern_sends_everything_on(bus: Bus, clock: VirtualClock) -> None:
    """As ``on_eventbridge()`` asks for it."""
    function = FakeFunction()
    bus.rule("all", targets=function)
    bus.put("shop", "Order placed", {})
    clock.run()

    assert len(function.events) == 1


def test_a_rule_that_is_not_enabled_does_nothing(bus: Bus, clock: VirtualClock) -> None:
    """Until it is."""
    function = FakeFunction()
    rule = bus.rule("all", targets=function, enabled=False)
    bus.put("shop", "Order placed", {"id": 1})
    rule.enabled = True
    bus.put("shop", "Order placed", {"id": 2})
    clock.run()

    assert [event["detail"] for event in function.events] == [{"id": 2}]


def test_every_rule_that_matches_sends_an_event_on(bus: Bus, clock: VirtualClock) -> None:
    """To each of its targets."""
    functions = [FakeFunction(name) for name in "abc"]
    bus.rule("one", {"source": ["shop"]}, functions[:2])
    bus.rule("two", {"detail-type": ["Order placed"]}, functions[2])
    bus.put("shop", "Order placed", {})
    clock.run()

    assert [len(function.events) for function in functions] == [1, 1, 1]


def test_a_rules_arn_names_its_bus(bus: Bus, clock: VirtualClock) -> None:
    """Unless that is the default one."""
    custom = Bus("shop", Place(clock))

    arns = bus.rule("all").arn, custom.rule("all").arn

    assert arns == (
        "arn:aws:events:us-east-1:123456789012:rule/all",
        "arn:aws:events:us-east-1:123456789012:rule/shop/all",
    )


def test_a_wrong_pattern_is_refused(bus: Bus) -> None:
    """When the rule is made, which then is none."""
    with pytest.raises(
        SourceError, match=r"InvalidEventPatternException: Event pattern is not valid\. Reason: .*'shop'"
    ):
        bus.rule("orders", {"source": "shop"})

    assert bus.rules == {}


@pytest.mark.parametrize("name", ["a b", "", "r" * 65])
def test_a_rule_has_a_name_that_eventbridge_takes(bus: Bus, name: str) -> None:
    """64 letters, digits, dots, hyphens and underscores."""
    with pytest.raises(SourceError, match="at 'name' failed to satisfy constraint"):
        bus.rule(name)


def test_a_bus_has_one_rule_of_a_name(bus: Bus) -> None:
    """A second one is a mistake of the test."""
    bus.rule("all")
    with pytest.raises(ValueError, match="the bus 'default' has a rule 'all'; give it another target with add_target"):
        bus.rule("all")


def test_a_rule_has_five_targets(bus: Bus) -> None:
    """As EventBridge says."""
    rule = bus.rule("all", targets=[FakeFunction(name) for name in "abcde"])
    with pytest.raises(SourceError, match="LimitExceededException"):
        rule.add_target(FakeFunction("f"))


# Targets.


def test_a_queue_gets_json(bus: Bus, clock: VirtualClock) -> None:
    """With the group, where there is one."""
    queue = FakeQueue("inbox.fifo")
    bus.rule("all", targets=queue, message_group_id="orders")
    bus.put("shop", "Order placed", ORDER)
    clock.run()

    assert (queue.messages[0].content, queue.messages[0].message_group_id) == (bus.events[0], "orders")


def test_a_fifo_queue_needs_a_group(bus: Bus) -> None:
    """As EventBridge says."""
    with pytest.raises(SourceError, match="SqsParameters must be specified for target"):
        bus.rule("all", targets=FakeQueue("inbox.fifo"))


def test_a_topic_gets_json(bus: Bus, clock: VirtualClock) -> None:
    """As its message."""
    topic = Topic("orders", Place(clock))
    bus.rule("all", targets=topic)
    bus.put("shop", "Order placed", ORDER)
    clock.run()

    assert [json.loads(message.message) for message in topic.published] == bus.events


def test_another_bus_gets_the_event(bus: Bus, clock: VirtualClock) -> None:
    """As it is; from there it goes to functions, and to no third bus."""
    other, third = Bus("other", Place(clock)), Bus("third", Place(clock))
    function = FakeFunction()
    bus.rule("all", targets=other)
    onwards = other.rule("all", targets=[function, third])
    bus.put("shop", "Order placed", ORDER)
    clock.run()

    assert (other.events, function.events, third.events) == (bus.events, bus.events, [])
    assert [str(delivery.error)[:60] for target in onwards.targets for delivery in target.failed] == [
        "InvalidTarget: EventBridge can't route events received from "
    ]


def test_what_a_target_does_not_take_is_a_dead_letter(bus: Bus, clock: VirtualClock) -> None:
    """With the attributes that EventBridge gives it."""
    letters = FakeQueue("failed")
    rule = bus.rule("all", targets=FakeQueue(refuses=True), dead_letter_queue=letters)
    bus.put("shop", "Order placed", ORDER)
    clock.run()

    attributes = {name: value["StringValue"] for name, value in letters.messages[0].message_attributes.items()}
    assert (letters.messages[0].content, attributes) == (
        bus.events[0],
        {
            "RULE_ARN": rule.arn,
            "TARGET_ARN": "arn:aws:sqs:us-east-1:123456789012:inbox",
            "ERROR_CODE": "QueueDoesNotExist",
            "ERROR_MESSAGE": "QueueDoesNotExist: The specified queue does not exist.",
        },
    )


def test_anything_else_is_no_target(bus: Bus) -> None:
    """A mistake of the test."""
    with pytest.raises(TypeError, match="the target is a function or a queue or a topic or a bus of the local Lambda"):
        bus.rule("all", targets=[object()])  # type: ignore[list-item]


# What a target gets.

PATHS = {"type": "$.detail-type", "time": "$.time", "command": "$.detail.command", "total": "$.detail.total"}

INPUTS: dict[str, tuple[dict[str, Any], str]] = {
    "whole": ({}, ""),
    "input": ({"input": {"full": True}}, '{"full":true}'),
    "input of text": ({"input": "text"}, '"text"'),
    "detail": ({"input_path": "$.detail"}, json.dumps(ORDER, separators=(",", ":"))),
    "nested": ({"input_path": "$.detail.payload.id"}, '"1"'),
    "index": ({"input_path": "$.detail.payload.items[1]"}, '{"sku":"BOOK"}'),
    "wildcard": ({"input_path": "$.detail.payload.items[*].sku"}, '["PEN","BOOK"]'),
    "any key": ({"input_path": "$.detail.payload.*.x"}, "[]"),
    "nothing there": ({"input_path": "$.detail.none"}, "null"),
    "no such index": ({"input_path": "$.detail.payload.items[7]"}, "null"),
    "string": (
        {"input_transformer": InputTransformer('"Event of <type> type, at <time>, says <command>"', PATHS)},
        '"Event of Order placed type, at 2026-01-01T00:00:00Z, says ship"',
    ),
    "string of what is not there": (
        {"input_transformer": InputTransformer('"says <nothing>"', {"nothing": "$.detail.none"})},
        '"says "',
    ),
    "strange beginning": (
        {"input_transformer": InputTransformer('"{[/Check <type>"', PATHS)},
        '"{[/Check Order placed"',
    ),
    "json": (
        {"input_transformer": InputTransformer('{"type": <type>, "total": <total>, "n": [9, <command>, true]}', PATHS)},
        '{"type": "Order placed", "total": 2.5, "n": [9, "ship", true]}',
    ),
    "json of what is not there": (
        {"input_transformer": InputTransformer('{"command": <nothing>}', {"nothing": "$.detail.none"})},
        '{"command": ""}',
    ),
    "json with strings": (
        {"input_transformer": InputTransformer('{"a": "<command>", "b": "it \\"<command>\\" costs <total>"}', PATHS)},
        '{"a": "ship", "b": "it \\"ship\\" costs 2.5"}',
    ),
    "object": (
        {"input_transformer": InputTransformer('{"payload": <payload>}', {"payload": "$.detail.payload"})},
        '{"payload": {"id":"1","items":[{"sku":"PEN"},{"sku":"BOOK"}]}}',
    ),
    "object in a string": (
        {"input_transformer": InputTransformer('"Detail is <item>"', {"item": "$.detail.payload.items[0]"})},
        '"Detail is {sku:PEN}"',
    ),
    "lines": (
        {"input_transformer": InputTransformer('"Type: <type>"\n"Time: <time>"', PATHS)},
        '"Type: Order placed"\n"Time: 2026-01-01T00:00:00Z"',
    ),
    "predefined": (
        {"input_transformer": InputTransformer('"<aws.events.rule-name> <aws.events.event.ingestion-time>"')},
        '"all 2026-01-01T00:00:00Z"',
    ),
    "rule": (
        {"input_transformer": InputTransformer('{"arn": <aws.events.rule-arn>}')},
        '{"arn": "arn:aws:events:us-east-1:123456789012:rule/all"}',
    ),
}


@pytest.mark.parametrize("name", INPUTS)
def test_a_target_gets_what_it_is_to_get(bus: Bus, clock: VirtualClock, name: str) -> None:
    """As recorded on AWS, or told in EventBridge's guide."""
    settings, body = INPUTS[name]
    queue = FakeQueue()
    bus.rule("all", targets=queue, **settings)
    bus.put("shop", "Order placed", ORDER)
    clock.run()

    assert queue.bodies == [body or json.dumps(bus.events[0], separators=(",", ":"))]


def test_the_predefined_event_has_other_names(bus: Bus, clock: VirtualClock) -> None:
    """``detailType``, and no detail; the one in JSON is the event. As recorded on AWS."""
    function = FakeFunction()
    template = '{"event": <aws.events.event>, "json": <aws.events.event.json>}'
    bus.rule("all", targets=function, input_transformer=InputTransformer(template))
    bus.put("shop", "Order placed", ORDER)
    clock.run()

    [got], [event] = function.events, bus.events
    assert got["json"] == event
    assert got["event"] == {
        "detailType" if name == "detail-type" else name: value for name, value in event.items() if name != "detail"
    }


def test_a_function_takes_no_lines(bus: Bus, clock: VirtualClock) -> None:
    """What the template makes is no JSON: the delivery fails."""
    function, letters = FakeFunction(), FakeQueue("failed")
    transformer = InputTransformer('"<type>"\n"<time>"', PATHS)
    rule = bus.rule("all", targets=function, input_transformer=transformer, dead_letter_queue=letters)
    bus.put("shop", "Order placed", {})
    clock.run()

    assert (function.events, len(rule.targets[0].failed), letters.messages[0].content) == ([], 1, bus.events[0])


def test_a_target_gets_one_thing(bus: Bus) -> None:
    """An input, a part or what is made of the event."""
    with pytest.raises(SourceError, match="Only one of Input, InputPath, or InputTransformer must be provided"):
        bus.rule("all", targets=FakeFunction(), input={}, input_path="$.detail")


def test_a_variable_has_a_path() -> None:
    """As recorded on AWS."""
    with pytest.raises(SourceError, match=r"InputTemplate contains invalid placeholder notdefinedkey\."):
        InputTransformer('"Event of <type>, <notdefinedkey>"', PATHS)


@pytest.mark.parametrize("path", ["detail", "$detail", "$.a['b']", "$.a[?(@.b)]", "$..a", "$.a[-1]", ""])
def test_a_path_is_one_that_eventbridge_has(bus: Bus, path: str) -> None:
    """It has few of JSONPath's."""
    with pytest.raises(SourceError, match="Invalid JSON path"):
        bus.rule("all", targets=FakeFunction(), input_path=path)


# Handlers, and laws.


def test_a_handler_gets_what_was_put(bus: Bus, clock: VirtualClock) -> None:
    """Of what its rule sends on."""
    seen: list[dict[str, Any]] = []

    @on_eventbridge({"source": ["shop"]})
    def handle(order: dict[str, Any]) -> None:
        seen.append(order)

    function = FakeFunction()
    bus.rule("orders", {"source": ["shop"]}, function)
    bus.put("shop", "Order placed", ORDER)
    clock.run()
    App(handle)(function.events[0], None)

    assert seen == [ORDER]


FIELDS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["x", "y", 1]), max_size=2)
PATTERNS = st.dictionaries(
    st.sampled_from(["a", "b"]),
    st.lists(st.sampled_from(["x", 1, {"exists": False}, {"anything-but": "y"}]), min_size=1, max_size=2),
    min_size=1,
    max_size=2,
)


@given(st.lists(PATTERNS, max_size=4), st.lists(FIELDS, max_size=6), st.integers())
def test_each_event_goes_to_exactly_the_rules_that_match(
    patterns: list[dict[str, Any]], details: list[dict[str, Any]], seed: int
) -> None:
    """Once to each, whatever the order that the seed gives them."""
    clock = VirtualClock(seed)
    bus = Bus("default", Place(clock))
    functions = [FakeFunction(str(number)) for number in range(len(patterns))]
    for function, pattern in zip(functions, patterns, strict=True):
        bus.rule(f"rule-{function.arn[-1]}", {"detail": pattern}, function)
    for detail in details:
        bus.put("shop", "Order placed", detail)
    clock.run()

    assert [sorted(event["id"] for event in function.events) for function in functions] == [
        sorted(event["id"] for event in bus.events if EventPattern({"detail": pattern}).matches(event))
        for pattern in patterns
    ]


@given(st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5), st.lists, max_leaves=5))
def test_a_variable_outside_of_strings_is_its_value(value: Any) -> None:
    """Whatever that is."""
    transformer = InputTransformer('{"value": <value>}', {"value": "$.detail.value"})

    assert json.loads(transformer.text({"detail": {"value": value}}, {})) == {"value": value}


def _failure(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}
