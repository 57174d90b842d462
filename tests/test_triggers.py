"""The decorators: each setting is checked where it is written, and the closest trigger takes a record."""

import functools
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import (
    App,
    on_dynamodb,
    on_event,
    on_eventbridge,
    on_invoke,
    on_kinesis,
    on_s3,
    on_schedule,
    on_sns,
    on_sqs,
    on_start,
)
from lambdakit.errors import NoHandlerError, RegistrationError
from lambdakit.events import S3Record
from lambdakit.triggers.s3 import S3Trigger
from lambdakit.triggers.s3_eventbridge import event_name
from lambdakit.triggers.trigger import TRIGGERS

# Handlers of unknown settings and kinds are the point here: what checkers would refuse comes in as Any.
S3, SQS, SNS, KINESIS, DYNAMODB = (cast(Any, each) for each in (on_s3, on_sqs, on_sns, on_kinesis, on_dynamodb))
EVENTBRIDGE, SCHEDULE, EVENT, INVOKE = (cast(Any, each) for each in (on_eventbridge, on_schedule, on_event, on_invoke))
START = cast(Any, on_start)

Make = Callable[[], object]
LATER, NAIVE = datetime(2026, 1, 2, tzinfo=UTC), datetime(2026, 1, 2)  # noqa: DTZ001 - naive is what is wrong
ARN = "arn:aws:{}:us-east-1:123456789012:{}"

# What is wrong, and words of the ValueError.
WRONG: dict[str, tuple[Make, str]] = {
    "a bucket that is a number": (lambda: S3(5), "on_s3 takes the bucket's name as text, not 5"),
    "a bucket without a name": (lambda: S3(""), "as text, not ''"),
    "a bucket's address": (lambda: S3("s3://uploads"), "letters, digits, '-', '_' and '.', not 's3://uploads'"),
    "the ARN of a queue": (lambda: S3(ARN.format("sqs", "q")), "an ARN of s3 (arn:aws:s3:...)"),
    "an unknown family": (lambda: S3(events="ObjectCreate:*"), "did you mean 'ObjectCreated'"),
    "an unknown kind": (lambda: S3(events="ObjectCreated:Pot"), "did you mean 'Post'"),
    "a family alone": (lambda: S3(events="ObjectCreated"), "an S3 event name says which: 'ObjectCreated:*'"),
    "a kind of none": (lambda: S3(events="LifecycleTransition:Put"), "LifecycleTransition has no kinds"),
    "no event": (lambda: S3(events=()), "events names at least one S3 event"),
    "events that are None": (lambda: S3(events=None), "events is a text or several in a tuple, not None"),
    "one event of several": (lambda: S3(events=["ObjectCreated:*", "Objekt"]), "not 'Objekt'"),
    "a wildcard": (lambda: S3(prefix="in/*"), "prefix is plain text, without wildcards, not 'in/*'"),
    "no suffix": (lambda: S3(suffix=None), "suffix is plain text, without wildcards, not None"),
    "a long prefix": (lambda: S3(prefix="a" * 1025), "prefix is text of at most 1,024 characters, not 1,025"),
    "no envelope": (lambda: S3(via="kinesis"), "via is one of 'eventbridge', 'sns', 'sqs'"),
    "envelopes turned round": (lambda: S3(via=("sqs", "sns")), "in that order, not ('sqs', 'sns')"),
    "an envelope twice": (lambda: S3(via=("sqs", "sqs")), "in that order, not ('sqs', 'sqs')"),
    "a queue's address": (lambda: SQS("https://sqs.us-east-1.amazonaws.com/1/q"), "letters, digits"),
    "half an ARN": (lambda: SQS("arn:aws:sqs"), "on_sqs takes an ARN of sqs"),
    "the ARN of a topic": (lambda: SQS(ARN.format("sns", "t")), "on_sqs takes an ARN of sqs"),
    "an empty batch": (lambda: SQS(batch_size=0), "batch_size is 1 to 10,000, not 0"),
    "a batch of text": (lambda: SQS(batch_size="5"), "batch_size is 1 to 10,000, not '5'"),
    "a batch of truth": (lambda: SQS(batch_size=True), "batch_size is 1 to 10,000, not True"),
    "a batch of nothing": (lambda: SQS(batch_size=None), "batch_size is 1 to 10,000, not None"),
    "a batch of half": (lambda: SQS(batch_size=2.5), "batch_size is 1 to 10,000, not 2.5"),
    "a large batch at once": (lambda: SQS(batch_size=11), "add maximum_batching_window_in_seconds=1"),
    "a large FIFO batch": (lambda: SQS("q.fifo", batch_size=11), "batch_size of a FIFO queue is 1 to 10, not 11"),
    "a FIFO window": (lambda: SQS("q.fifo", maximum_batching_window_in_seconds=1), "a FIFO queue takes no"),
    "a long window": (lambda: SQS(maximum_batching_window_in_seconds=301), "is 0 to 300 seconds, not 301"),
    "one at a time": (lambda: SQS(maximum_concurrency=1), "maximum_concurrency is 2 to 1,000, not 1"),
    "no concurrency": (lambda: SQS(concurrency=0), "concurrency is 1 to 10,000, not 0"),
    "a maybe": (lambda: SQS(enabled="no"), "enabled is True or False, not 'no'"),
    "a wrong filter": (lambda: SQS(filter_criteria={"body": {"a": "b"}}), "Write ['b']."),
    "a filter as text": (lambda: SQS(filter_criteria="{}"), "or several, not '{}'"),
    "filters of numbers": (lambda: SQS(filter_criteria=[5]), "or several, not [5]"),
    "eleven filters": (lambda: SQS(filter_criteria=[{"body": ["a"]}] * 11), "at most 10 patterns"),
    "a topic with a space": (lambda: SNS("a topic"), "a topic's name has letters"),
    "a wrong policy": (lambda: SNS(filter_policy={"a": "b"}), "Write ['b']."),
    "an unknown scope": (lambda: SNS(filter_policy_scope="Body"), "'MessageAttributes', 'MessageBody', not 'Body'"),
    "a wrong redrive": (lambda: SNS(redrive_policy="arn:x"), "redrive_policy is a name or an ARN"),
    "a topic behind a bus": (lambda: SNS(via="eventbridge"), "via is 'sqs', not 'eventbridge'"),
    "a stream with a slash": (lambda: KINESIS("a/b"), "a stream's name has letters"),
    "a huge batch": (lambda: KINESIS(batch_size=10_001), "batch_size is 1 to 10,000, not 10001"),
    "a time missing": (lambda: KINESIS(starting_position="AT_TIMESTAMP"), "go together"),
    "a time too much": (lambda: KINESIS(starting_position_timestamp=LATER), "go together"),
    "a naive time": (
        lambda: KINESIS(starting_position="AT_TIMESTAMP", starting_position_timestamp=NAIVE),
        "starting_position_timestamp is a datetime with its time zone",
    ),
    "an unknown position": (lambda: KINESIS(starting_position="NEWEST"), "'TRIM_HORIZON', 'LATEST', 'AT_TIMESTAMP'"),
    "eleven shards": (lambda: KINESIS(parallelization_factor=11), "parallelization_factor is 1 to 10, not 11"),
    "minus two retries": (lambda: KINESIS(maximum_retry_attempts=-2), "maximum_retry_attempts is -1 to 10,000"),
    "a minute's age": (lambda: KINESIS(maximum_record_age_in_seconds=59), "60 to 604,800 seconds, or -1, not 59"),
    "a long tumbling": (lambda: KINESIS(tumbling_window_in_seconds=901), "is 0 to 900 seconds, not 901"),
    "tumbling in parallel": (
        lambda: KINESIS(tumbling_window_in_seconds=5, parallelization_factor=2),
        "a tumbling window takes no parallelization_factor above 1",
    ),
    "a failure to nowhere": (lambda: KINESIS(on_failure="arn:x"), "on_failure is a name or an ARN"),
    "half a bisection": (lambda: KINESIS(bisect_batch_on_function_error=1), "is True or False, not 1"),
    "an unknown setting": (lambda: KINESIS(batchsize=5), "a setting of on_kinesis is not 'batchsize'; did you mean"),
    "a table's unknown setting": (lambda: DYNAMODB(windw=5), "a setting of on_dynamodb is"),
    "an unknown change": (lambda: DYNAMODB("t", events="DELETE"), "'INSERT', 'MODIFY', 'REMOVE', not 'DELETE'"),
    "no change": (lambda: DYNAMODB("t", events=()), "events names at least one"),
    "changes of a number": (lambda: DYNAMODB(events=5), "events is a text or several in a tuple, not 5"),
    "a table at a time": (lambda: DYNAMODB(starting_position="AT_TIMESTAMP"), "'TRIM_HORIZON', 'LATEST', not"),
    "a bucket for a table": (lambda: DYNAMODB("arn:aws:s3:::t"), "an ARN of dynamodb"),
    "a bus for a pattern": (lambda: EVENTBRIDGE("orders"), "a pattern such as {'source': ['shop']}, not 'orders'"),
    "an empty pattern": (lambda: EVENTBRIDGE({}), "event pattern: is empty"),
    "a pattern without lists": (lambda: EVENTBRIDGE({"source": "shop"}), "Write ['shop']."),
    "a bus with a space": (lambda: EVENTBRIDGE(bus="a b"), "bus is a name or an ARN"),
    "a rule with a space": (lambda: EVENTBRIDGE(name="a b"), "a schedule's or rule's name has 1 to 64 letters"),
    "a rule without a name": (lambda: EVENTBRIDGE(name=""), "a schedule's or rule's name has 1 to 64 letters"),
    "a short life": (lambda: EVENTBRIDGE(maximum_event_age_in_seconds=59), "is 60 to 86,400 seconds, not 59"),
    "many retries": (lambda: EVENTBRIDGE(maximum_retry_attempts=186), "is 0 to 185, not 186"),
    "a wrong dead letter": (lambda: EVENTBRIDGE(dead_letter_queue="arn:"), "dead_letter_queue is a name or an ARN"),
    "a bus behind a bus": (lambda: EVENTBRIDGE(via="eventbridge"), "via is one of 'sns', 'sqs'"),
    "minutes of one": (lambda: SCHEDULE("rate(1 minutes)"), "rate(1 minute)"),
    "a number for a schedule": (lambda: SCHEDULE(5), "a schedule's expression is text"),
    "a name with a space": (lambda: SCHEDULE("rate(1 day)", name="a b"), "has 1 to 64 letters"),
    "a name that is a number": (lambda: SCHEDULE("rate(1 day)", name=5), "has 1 to 64 letters"),
    "no such zone": (lambda: SCHEDULE("rate(1 day)", timezone="Europe/Berlinn"), "did you mean 'Europe/Berlin'"),
    "a zone's offset": (lambda: SCHEDULE("rate(1 day)", timezone=2), "timezone is text"),
    "a start as text": (lambda: SCHEDULE("rate(1 day)", start_date="2026"), "start_date is a datetime"),
    "a naive end": (lambda: SCHEDULE("rate(1 day)", end_date=NAIVE), "end_date is a datetime with its time zone"),
    "an end at the start": (
        lambda: SCHEDULE("rate(1 day)", start_date=LATER, end_date=LATER),
        "start_date lies before end_date",
    ),
    "no flexibility": (lambda: SCHEDULE("rate(1 day)", flexible_time_window_in_minutes=0), "is 1 to 1,440 minutes"),
    "a novel": (lambda: SCHEDULE("rate(1 day)", description="a" * 513), "at most 512 characters, not 513"),
    "an input that is an object": (lambda: SCHEDULE("rate(1 day)", input=object()), "input is what JSON can hold"),
    "a source with a decorator": (lambda: EVENT("s3"), "'s3' events have their own decorator: on_s3"),
    "an unknown source": (lambda: EVENT("cloudwatch_log"), "did you mean 'cloudwatch_logs'"),
}


@pytest.mark.parametrize(("make", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_an_error_where_it_is_written(make: Make, words: str) -> None:
    """The decorator's own line fails, before any App exists, and says what would be right."""
    with pytest.raises(ValueError, match=r".+") as caught:
        make()

    assert words in str(caught.value)


RIGHT: dict[str, Make] = {
    "any bucket": on_s3,
    "a bucket by ARN": lambda: on_s3("arn:aws:s3:::uploads"),
    "a bucket of China": lambda: on_s3("arn:aws-cn:s3:::uploads", prefix="in/", suffix=".csv"),
    "event names as buckets write them": lambda: on_s3(events=["s3:ObjectCreated:Put", "LifecycleTransition"]),
    "all envelopes": lambda: on_s3("uploads", via=["eventbridge", "sns", "sqs"]),
    "a queue by ARN": lambda: on_sqs(ARN.format("sqs", "orders.fifo"), batch_size=10),
    "the largest batch": lambda: on_sqs("q", batch_size=10_000, maximum_batching_window_in_seconds=300),
    "the most at once": lambda: on_sqs("q", maximum_concurrency=1_000, concurrency=10_000, enabled=False),
    "one filter": lambda: on_sqs("q", filter_criteria={"body": {"kind": ["a", {"prefix": "b"}]}}),
    "two filters": lambda: on_sqs("q", filter_criteria=[{"body": {"a": [1]}}, {"body": {"b": [2]}}]),
    "a FIFO topic": lambda: on_sns("orders.fifo", filter_policy={"kind": ["a"]}, via="sqs"),
    "a stream's consumer": lambda: on_kinesis(ARN.format("kinesis", "stream/a/consumer/b:1")),
    "no limits": lambda: on_kinesis("s", maximum_retry_attempts=-1, maximum_record_age_in_seconds=-1),
    "from a time on": lambda: on_kinesis("s", starting_position="AT_TIMESTAMP", starting_position_timestamp=LATER),
    "a failure to an S3 bucket": lambda: on_kinesis("s", on_failure="arn:aws:s3:::failed"),
    "a table by its stream": lambda: on_dynamodb(ARN.format("dynamodb", "table/t/stream/2026-01-01T00:00:00.000")),
    "some changes": lambda: on_dynamodb("t", events=("INSERT", "REMOVE"), tumbling_window_in_seconds=900),
    "a partner's bus": lambda: on_eventbridge({"source": [{"prefix": "aws.partner"}]}, bus="aws.partner/example.com/1"),
    "the longest retries": lambda: on_eventbridge(maximum_retry_attempts=185, maximum_event_age_in_seconds=86_400),
    "a schedule in a zone": lambda: on_schedule("cron(0 8 ? * MON-FRI *)", timezone="Europe/Berlin", input={"a": [1]}),
    "any other source": lambda: on_event("cloudwatch_logs"),
}


@pytest.mark.parametrize("make", RIGHT.values(), ids=RIGHT)
def test_a_right_setting_is_taken(make: Make) -> None:
    """What AWS takes, the decorator takes."""
    assert callable(make())


@pytest.mark.parametrize("decorator", [S3, SQS, SNS, KINESIS, DYNAMODB, EVENTBRIDGE, SCHEDULE, EVENT])
def test_forgotten_parentheses_are_told(decorator: Any) -> None:
    """``@on_s3`` above a function would take the function for the bucket's name."""

    def handler() -> None: ...

    with pytest.raises(TypeError, match=r"write @on_\w+"):
        decorator(handler)


@pytest.mark.parametrize("decorate", [S3(), INVOKE(), START], ids=["on_s3", "on_invoke", "on_start"])
@pytest.mark.parametrize("thing", [5, "name", print, Path, functools.partial(print)])
def test_only_functions_are_marked(decorate: Any, thing: object) -> None:
    """A class or a built-in function has no place for a mark, or no annotations."""
    with pytest.raises(TypeError, match="marks a function"):
        decorate(thing)


@pytest.mark.parametrize("decorate", [S3(), INVOKE, START], ids=["on_s3", "on_invoke", "on_start"])
@pytest.mark.parametrize("kind", [lambda function: function, staticmethod], ids=["method", "staticmethod"])
def test_a_method_is_refused(decorate: Any, kind: Any) -> None:
    """App looks through modules, so a handler in a class would never be called."""

    class Shop:
        def handler(self) -> None: ...

    with pytest.raises(RegistrationError, match="Move the function out of class Shop"):
        decorate(kind(Shop.handler))


# What a decorator leaves behind.


def test_the_function_comes_back() -> None:
    """A marked function is the function itself: a unit test calls it."""

    def handler(order: dict[str, object]) -> str:
        return f"got {order}"

    assert on_sqs("orders")(handler) is handler
    assert handler({}) == "got {}"


def test_triggers_stack_in_the_order_they_are_read() -> None:
    """One function may have several triggers, the upper one first."""

    @on_sqs("orders")
    @on_sns("orders")
    @on_invoke
    def handler(order: dict[str, object]) -> None: ...

    assert [str(trigger) for trigger in getattr(handler, TRIGGERS)] == [
        "on_sqs('orders')",
        "on_sns('orders')",
        "on_invoke()",
    ]


@pytest.mark.parametrize(
    ("decorate", "words"),
    [
        (on_s3("uploads", suffix=".csv"), "on_s3('uploads', suffix='.csv')"),
        (on_s3(events=["ObjectRemoved:*"]), "on_s3(events=('ObjectRemoved:*',))"),
        (on_sqs(), "on_sqs()"),
        (on_kinesis("s", maximum_retry_attempts=3), "on_kinesis('s', maximum_retry_attempts=3)"),
        (on_dynamodb("t", events="INSERT"), "on_dynamodb('t', events=('INSERT',))"),
        (on_eventbridge({"source": ["shop"]}), "on_eventbridge({'source': ['shop']})"),
        (on_schedule("rate(1 day)", name="daily"), "on_schedule('rate(1 day)', name='daily')"),
        (on_event("ses"), "on_event('ses')"),
    ],
)
def test_a_trigger_reads_as_it_is_written(decorate: Any, words: str) -> None:
    """Messages show a trigger as it stands above its function, without what is left at its default."""

    def handler() -> None: ...

    assert str(getattr(decorate(handler), TRIGGERS)[0]) == words


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    """A decorator as many a project has one."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return ["logged", function(*args, **kwargs)]

    return wrapper


def test_a_wrapper_below_the_trigger_is_called() -> None:
    """``functools.wraps`` lets the signature through."""

    @on_invoke
    @logged
    def double(number: int) -> int:
        return 2 * number

    assert App(double)(21) == ["logged", 42]


def test_a_wrapper_above_the_trigger_is_called() -> None:
    """``functools.wraps`` carries the mark to the wrapper, which is what stands in the module."""

    @logged
    @on_invoke
    def double(number: int) -> int:
        return 2 * number

    assert App(double)(21) == ["logged", 42]


@pytest.mark.parametrize("above", [True, False], ids=["above", "below"])
def test_a_cached_function_is_a_handler(above: bool) -> None:
    """``functools.cache`` makes an object that is no function, but tells what it wraps."""

    def double(number: int) -> int:
        return 2 * number

    handler = functools.cache(on_invoke(double)) if above else on_invoke(functools.cache(double))

    assert App(handler)(21) == 42


@pytest.mark.parametrize("above", [True, False], ids=["above", "below"])
def test_powertools_capture_method_fits(above: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Powertools' Tracer wraps functions, and may stand on either side."""
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    tracing = pytest.importorskip("aws_lambda_powertools.tracing", reason="Powertools is not installed")
    pytest.importorskip("aws_xray_sdk", reason="the X-Ray SDK is not installed")
    tracer = tracing.Tracer(service="shop")

    def double(number: int) -> int:
        return 2 * number

    handler = tracer.capture_method(on_invoke(double)) if above else on_invoke(tracer.capture_method(double))

    assert App(handler)(21) == 42


@pytest.mark.parametrize("above", [True, False], ids=["above", "below"])
def test_a_wrapt_decorator_fits(above: bool) -> None:
    """The proxies of wrapt pass everything on, the mark too."""
    wrapt = pytest.importorskip("wrapt", reason="wrapt is not installed")

    def exclaim(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        return f"{wrapped(*args, **kwargs)}!"

    loud = wrapt.decorator(exclaim)

    def double(number: int) -> int:
        return 2 * number

    handler = loud(on_invoke(double)) if above else on_invoke(loud(double))

    assert App(handler)(21) == "42!"


# Who takes a record.


def taken(app: App, event: dict[str, Any]) -> list[str]:
    """The names of the functions that would take an event."""
    return [name.rpartition(".")[2] for name in app.explain(event).handlers]


def s3(key: str, bucket: str = "uploads", event_name: str = "ObjectCreated:Put") -> dict[str, Any]:
    stored = {"bucket": {"name": bucket}, "object": {"key": key}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": event_name, "s3": stored}]}


def handlers(*triggers: Any) -> App:
    """An App of functions without parameters, called h0, h1, ... after the place of their trigger."""
    functions = []
    for position, trigger in enumerate(triggers):

        def handler() -> None: ...

        handler.__name__ = handler.__qualname__ = f"h{position}"
        functions.append(trigger(handler))
    return App(*functions)


S3_APP = [on_s3(), on_s3("uploads"), on_s3("uploads", prefix="in/"), on_s3("uploads", prefix="in/", suffix=".csv")]


@pytest.mark.parametrize(
    ("event", "name"),
    [
        (s3("a.csv", "other"), "h0"),
        (s3("a.csv"), "h1"),
        (s3("in/a.txt"), "h2"),
        (s3("in/a.csv"), "h3"),
        (s3("in/a%2Ecsv"), "h3"),
        (s3("IN/a.csv"), "h1"),
    ],
)
def test_the_closest_s3_trigger_takes_an_object(event: dict[str, Any], name: str) -> None:
    """A named bucket before any, then the longer prefix, then the longer suffix, of the decoded key."""
    assert taken(handlers(*S3_APP), event) == [name]


def test_the_very_event_comes_before_its_family() -> None:
    """Two handlers of one bucket may share a family: the one that names the event takes it."""
    app = handlers(on_s3("uploads"), on_s3("uploads", events="s3:ObjectCreated:Copy"))

    assert [taken(app, s3("a")), taken(app, s3("a", event_name="ObjectCreated:Copy"))] == [["h0"], ["h1"]]


def test_an_s3_event_of_another_family_is_nobodys() -> None:
    """The default are new objects, as most handlers expect of the records they get."""
    with pytest.raises(NoHandlerError, match="bucket 'uploads' \\(ObjectRemoved:Delete of 'a'\\)"):
        handlers(on_s3("uploads"))(s3("a", event_name="ObjectRemoved:Delete"))


PARTS = st.text("ab/", max_size=3)
NAMES = st.sampled_from(["ObjectCreated:*", "ObjectCreated:Put", "ObjectCreated:Copy", "ObjectRemoved:*"])
S3_TRIGGERS = st.builds(S3Trigger, st.sampled_from([None, "one", "two"]), NAMES, PARTS, PARTS)


@given(
    st.lists(S3_TRIGGERS, min_size=1, max_size=6, unique_by=lambda trigger: tuple(trigger.settings().items())),
    st.sampled_from(["one", "two", "three"]),
    st.text("ab/", min_size=1, max_size=6),
    st.sampled_from(["ObjectCreated:Put", "ObjectCreated:Copy", "ObjectRemoved:Delete"]),
)
def test_the_chosen_s3_handler_is_the_closest(triggers: list[S3Trigger], bucket: str, key: str, name: str) -> None:
    """Of the triggers that match, one has the greatest specificity; where none matches, nobody takes the object."""
    event = s3(key, bucket, name)
    rated = {f"h{n}": trigger.specificity(event["Records"][0]) for n, trigger in enumerate(triggers)}
    matching = {name: rating for name, rating in rated.items() if rating is not None}

    chosen = taken(handlers(*(on_s3(**_settings(trigger)) for trigger in triggers)), event)

    assert chosen == ([max(matching, key=lambda name: matching[name])] if matching else [])
    assert len(set(matching.values())) == len(matching)


def _settings(trigger: S3Trigger) -> dict[str, Any]:
    return {name: getattr(trigger, name) for name in ("bucket", "events", "prefix", "suffix")}


QUEUE, TOPIC = ARN.format("sqs", "orders"), ARN.format("sns", "orders")
STREAM, TABLE = ARN.format("kinesis", "stream/orders"), ARN.format("dynamodb", "table/orders")
ELSEWHERE = {arn: arn.replace("us-east-1", "eu-west-1") for arn in (QUEUE, TOPIC, STREAM, TABLE)}


def from_sqs(arn: str) -> dict[str, Any]:
    return {"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": "", "eventSourceARN": arn}]}


def from_sns(arn: str) -> dict[str, Any]:
    return {"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "1", "Message": "", "TopicArn": arn}}]}


def from_kinesis(arn: str) -> dict[str, Any]:
    data = {"data": "", "sequenceNumber": "1", "partitionKey": "a"}
    return {"Records": [{"eventSource": "aws:kinesis", "kinesis": data, "eventSourceARN": arn}]}


def from_dynamodb(arn: str, event_name: str = "INSERT") -> dict[str, Any]:
    change = {"eventName": event_name, "dynamodb": {"Keys": {"id": {"S": "1"}}, "SequenceNumber": "1"}}
    return {"Records": [{"eventSource": "aws:dynamodb", **change, "eventSourceARN": f"{arn}/stream/2026"}]}


@pytest.mark.parametrize(
    ("decorator", "arn", "event"),
    [
        (on_sqs, QUEUE, from_sqs),
        (on_sns, TOPIC, from_sns),
        (on_kinesis, STREAM, from_kinesis),
        (on_dynamodb, TABLE, from_dynamodb),
    ],
)
def test_an_arn_comes_before_a_name_before_any(decorator: Any, arn: str, event: Callable[[str], Any]) -> None:
    """Two Regions may have a queue of one name: an ARN means one of them, the name both, nothing means any."""
    app = handlers(decorator(), decorator("orders"), decorator(arn))

    names = [taken(app, event(sender)) for sender in (arn, ELSEWHERE[arn], arn.replace("orders", "refunds"))]

    assert names == [["h2"], ["h1"], ["h0"]]


@pytest.mark.parametrize(
    ("event_name", "name"), [("INSERT", ["h0"]), ("MODIFY", ["h1"]), ("REMOVE", ["h1"]), ("LATER", [])]
)
def test_the_kinds_of_change_are_told_apart(event_name: str, name: list[str]) -> None:
    """Two handlers of one table may share its changes between them."""
    app = handlers(on_dynamodb("orders", events="INSERT"), on_dynamodb("orders", events=("MODIFY", "REMOVE")))

    assert taken(app, from_dynamodb(TABLE, event_name)) == name


SAME: dict[str, tuple[Any, Any]] = {
    "a bucket": (on_s3("uploads"), on_s3("arn:aws:s3:::uploads")),
    "any bucket": (on_s3(suffix=".csv"), on_s3(suffix=".csv")),
    "one of several events": (on_s3(events=["ObjectCreated:*", "ObjectAcl:Put"]), on_s3(events="s3:ObjectAcl:Put")),
    "a queue": (on_sqs("orders"), on_sqs("orders", batch_size=1)),
    "a topic": (on_sns("orders"), on_sns("orders", filter_policy={"a": ["b"]})),
    "a stream": (on_kinesis("orders"), on_kinesis("orders")),
    "one kind of change": (on_dynamodb("orders"), on_dynamodb("orders", events="INSERT")),
    "any bus": (on_eventbridge(), on_eventbridge(bus="orders")),
    "a schedule": (on_schedule("rate(1 day)", name="a"), on_schedule("rate(2 days)", name="a")),
    "invocations": (on_invoke(), on_invoke()),
    "a source": (on_event("ses"), on_event("ses")),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_two_handlers_of_the_same_thing_are_refused(one: Any, other: Any) -> None:
    """A tie is an error at the start, with both triggers, both functions and their lines."""
    with pytest.raises(RegistrationError, match=r"(?s)two handlers claim the same thing.*-> .*\.h0.*-> .*\.h1"):
        handlers(one, other)


def pattern(*conditions: Any) -> Any:
    return on_eventbridge({"source": ["shop"], "detail": {"value": list(conditions)}})


EXCLUDING: dict[str, tuple[Any, Any]] = {
    "other values": (pattern("a"), pattern("b", "c")),
    "a value and a prefix": (pattern("order"), pattern({"prefix": "user"})),
    "other prefixes": (pattern({"prefix": "order."}), pattern({"prefix": "user."})),
    "other suffixes": (pattern({"suffix": ".png"}), pattern({"suffix": ".jpg"})),
    "there and not there": (pattern({"exists": True}), pattern({"exists": False})),
    "not there and a prefix": (pattern({"exists": False}), pattern({"prefix": "a"})),
    "all but a value, and it": (pattern({"anything-but": ["a"]}), pattern("a")),
    "small and large": (pattern({"numeric": ["<", 100]}), pattern({"numeric": [">=", 100]})),
    "two ranges": (pattern({"numeric": [">", 0, "<=", 5]}), pattern({"numeric": [">", 5, "<", 9]})),
    "a number and a range": (pattern(5), pattern({"numeric": [">", 5]})),
    "a dotted path": (
        on_eventbridge({"detail.kind": ["a"]}),
        on_eventbridge({"detail": {"kind": ["b"]}}),
    ),
    "more conditions": (on_eventbridge({"source": ["shop"]}), pattern("a")),
}


@pytest.mark.parametrize(("one", "other"), EXCLUDING.values(), ids=EXCLUDING)
def test_patterns_that_exclude_each_other_share_an_app(one: Any, other: Any) -> None:
    """Or one of them is narrower, and then takes what both match."""
    assert len(handlers(one, other).handlers) == 2


OVERLAPPING: dict[str, tuple[Any, Any]] = {
    "a common value": (pattern("a", "b"), pattern("b", "c")),
    "a prefix of the other": (pattern({"prefix": "order"}), pattern({"prefix": "order.placed"})),
    "a common number": (pattern({"numeric": ["<=", 100]}), pattern({"numeric": [">=", 100]})),
    "a prefix and a suffix": (pattern({"prefix": "a"}), pattern({"suffix": "b"})),
    "a value among all but another": (pattern({"anything-but": ["a"]}), pattern("b")),
    "equal numbers": (pattern(300), pattern(300.0)),
    "other fields": (on_eventbridge({"source": ["shop"]}), on_eventbridge({"detail-type": ["placed"]})),
    "choices": (
        on_eventbridge({"$or": [{"source": ["a"]}, {"account": ["1"]}]}),
        on_eventbridge({"$or": [{"source": ["b"]}, {"account": ["2"]}]}),
    ),
}


@pytest.mark.parametrize(("one", "other"), OVERLAPPING.values(), ids=OVERLAPPING)
def test_patterns_that_may_match_one_event_are_refused(one: Any, other: Any) -> None:
    """As narrow as each other, and nothing tells who would take the event."""
    with pytest.raises(RegistrationError, match="two handlers claim the same thing"):
        handlers(one, other)


SCALARS = st.sampled_from(["a", "ab", "b", 1, 2, 3, True, None])
CONDITIONS = st.one_of(
    SCALARS,
    st.sampled_from(["a", "ab", "b"]).flatmap(lambda text: st.sampled_from([{"prefix": text}, {"suffix": text}])),
    st.booleans().map(lambda there: {"exists": there}),
    st.tuples(st.sampled_from(["<", "<=", "=", ">", ">="]), st.sampled_from([1, 2, 3])).map(
        lambda bound: {"numeric": list(bound)}
    ),
    st.sampled_from(["a", "b"]).map(lambda text: {"anything-but": [text]}),
)


@given(
    st.lists(CONDITIONS, min_size=1, max_size=2),
    st.lists(CONDITIONS, min_size=1, max_size=2),
    st.one_of(SCALARS.map(lambda value: {"value": value}), st.just({})),
)
def test_patterns_that_share_an_app_share_no_event(one: list[Any], other: list[Any], detail: dict[str, Any]) -> None:
    """If two patterns are taken for exclusive, no event matches both."""
    event = {"detail-type": "placed", "source": "shop", "detail": detail}
    triggers = [getattr(pattern(*conditions)(lambda: None), TRIGGERS)[0] for conditions in (one, other)]

    both = all(trigger.specificity(event) is not None for trigger in triggers)

    assert not both or triggers[0].conflicts(triggers[1])


def schedule(name: str) -> dict[str, Any]:
    event = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}
    return {**event, "resources": [ARN.format("events", f"rule/{name}")] if name else []}


@pytest.mark.parametrize("name", ["h0", "another", ""])
def test_a_single_schedule_takes_any(name: str) -> None:
    """There is nothing to confuse it with, whatever the rule is called."""
    assert taken(handlers(on_schedule("rate(1 day)")), schedule(name)) == ["h0"]


@pytest.mark.parametrize(("name", "names"), [("h0", ["h0"]), ("nightly", ["h1"]), ("another", []), ("", [])])
def test_several_schedules_are_told_apart_by_name(name: str, names: list[str]) -> None:
    """A schedule's rule is named after its function, unless it has a name of its own."""
    app = handlers(on_schedule("rate(1 day)"), on_schedule("rate(1 hour)", name="nightly"))

    assert taken(app, schedule(name)) == names


@pytest.mark.parametrize(
    ("detail_type", "detail", "name"),
    [
        ("Object Created", {"reason": "PutObject"}, "ObjectCreated:Put"),
        ("Object Created", {"reason": "CompleteMultipartUpload"}, "ObjectCreated:CompleteMultipartUpload"),
        ("Object Deleted", {"reason": "DeleteObject", "deletion-type": "Permanently Deleted"}, "ObjectRemoved:Delete"),
        ("Object Deleted", {"reason": "Lifecycle Expiration"}, "LifecycleExpiration:Delete"),
        ("Object Tags Added", {}, "ObjectTagging:Put"),
        ("Object Something New", {}, "Object Something New"),
    ],
)
def test_s3_has_one_name_for_an_event_on_both_ways(detail_type: str, detail: dict[str, Any], name: str) -> None:
    """A handler need not know whether S3 told Lambda or EventBridge."""
    assert event_name(detail_type, detail) == name


def test_an_object_that_eventbridge_tells_of_reaches_its_handler() -> None:
    """``via="eventbridge"``: the key is not encoded there, and arrives as it is."""

    @on_s3("uploads", via="eventbridge")
    def key(upload: S3Record) -> str:
        return upload.key

    detail = {"bucket": {"name": "uploads"}, "object": {"key": "a+b c.txt"}, "reason": "PutObject"}
    event = {"source": "aws.s3", "detail-type": "Object Created", "detail": detail, "time": "2026-01-01T00:00:00Z"}

    assert App(key)(event) == "a+b c.txt"
