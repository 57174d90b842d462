"""The local bucket: what S3 keeps, what it refuses, and what it tells whom."""

import copy
import hashlib
import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import boto3  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto import mock_aws

from lambdakit import App, identify, on_eventbridge, on_s3
from lambdakit.events import EventBridgeEvent, S3Event, S3Record
from lambdakit.local.sources.bucket import Bucket, Versioning
from lambdakit.local.sources.bus import Bus
from lambdakit.local.sources.s3_object import S3Object
from lambdakit.local.sources.source import Place, SourceError
from lambdakit.local.sources.topic import Topic
from lambdakit.local.virtual.clock import VirtualClock
from tests.fake_targets import FakeFunction, FakeQueue

KEYS = st.text(min_size=1, max_size=40)
MEBIBYTE = 1024 * 1024


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(start=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def bucket(clock: VirtualClock) -> Bucket:
    return Bucket("uploads", Place(clock))


@pytest.fixture
def versioned(clock: VirtualClock) -> Bucket:
    return Bucket("uploads", Place(clock), versioning="Enabled")


@pytest.fixture
def function(bucket: Bucket) -> FakeFunction:
    """What gets every event of the bucket that there is."""
    return _told_of_everything(bucket)


def _told_of_everything(bucket: Bucket) -> FakeFunction:
    function = FakeFunction()
    bucket.notify(function, events=("ObjectCreated:*", "ObjectRemoved:*", "ObjectTagging:*", "ObjectAcl:Put"))
    return function


def _md5(body: bytes) -> str:
    return hashlib.md5(body).hexdigest()


def _names(bucket: Bucket) -> list[str]:
    return [change.name for change in bucket.changes]


# Objects.


def test_what_was_put_can_be_got(bucket: Bucket) -> None:
    """With its metadata, and the MD5 of its content for an ETag."""
    bucket.put("a.txt", "é", metadata={"kind": "letter"})

    found = bucket.get("a.txt")

    assert (found.body, found.size, found.etag, found.metadata) == (
        "é".encode(),
        2,
        _md5("é".encode()),
        {"kind": "letter"},
    )


def test_an_object_says_when_it_was_put(bucket: Bucket, clock: VirtualClock) -> None:
    """On the clock of the account."""
    clock.run(until=90)

    assert bucket.put("a").last_modified == datetime(2026, 1, 1, 0, 1, 30, tzinfo=UTC)


def test_a_second_put_takes_the_place_of_the_first(bucket: Bucket) -> None:
    """Without versions."""
    bucket.put("a", b"1")
    bucket.put("a", b"2")

    assert [each.body for each in bucket.list_versions()] == [b"2"]


NO_SUCH_KEY = "NoSuchKey: The specified key does not exist."
REFUSED: dict[str, tuple[Callable[[Bucket], object], str]] = {
    "get": (lambda bucket: bucket.get("b"), NO_SUCH_KEY),
    "get version": (lambda bucket: bucket.get("a", "v1"), "NoSuchVersion: The specified version does not exist."),
    "head": (lambda bucket: bucket.head("b"), "404: Not Found"),
    "copy": (lambda bucket: bucket.copy("b", "c"), NO_SUCH_KEY),
    "copy onto itself": (lambda bucket: bucket.copy("a", "a"), "InvalidRequest: This copy request is illegal because"),
    "tag": (lambda bucket: bucket.put_tags("b", {}), NO_SUCH_KEY),
    "long key": (lambda bucket: bucket.put("k" * 1025), "KeyTooLongError: Your key is too long"),
    "no key": (lambda bucket: bucket.put(""), "ParamValidationError: Invalid length for parameter Key, value: 0"),
    "delete none": (lambda bucket: bucket.delete_many([]), "MalformedXML: The XML you provided was not well-formed"),
    "delete many": (lambda bucket: bucket.delete_many(map(str, range(1001))), "MalformedXML: The XML you provided was"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_s3_refuses_in_its_own_words(bucket: Bucket, name: str) -> None:
    """As its API does: a code and a message."""
    request, words = REFUSED[name]
    bucket.put("a")

    with pytest.raises(SourceError) as refused:
        request(bucket)

    assert str(refused.value).startswith(words)


@pytest.mark.parametrize("name", ["ab", "Uploads", "up_loads", "-uploads", "a..b", "192.168.0.1", "x" * 64])
def test_a_bucket_has_a_name_that_s3_takes(clock: VirtualClock, name: str) -> None:
    """3 to 63 lower-case letters, digits, dots and hyphens."""
    with pytest.raises(SourceError, match="InvalidBucketName: The specified bucket is not valid"):
        Bucket(name, Place(clock))


def test_versioning_is_on_or_suspended(bucket: Bucket) -> None:
    """It has no other status."""
    with pytest.raises(SourceError, match="'Enabled' or 'Suspended', not 'on'"):
        bucket.versioning = "on"  # type: ignore[assignment]


def test_an_error_copies_and_pickles() -> None:
    """As all of lambdakit's do."""
    error = SourceError("NoSuchKey", "The specified key does not exist.")

    copies = copy.copy(error), pickle.loads(pickle.dumps(error))

    assert [str(each) for each in copies] == ["NoSuchKey: The specified key does not exist."] * 2


def test_a_list_is_in_the_order_of_utf_8(bucket: Bucket) -> None:
    """Of the keys with a prefix; that order is not UTF-16's."""
    for key in ("p/\U00010000", "p/\uffff", "p/b", "q", "p/a"):
        bucket.put(key)

    assert [each.key for each in bucket.list("p/")] == ["p/a", "p/b", "p/\uffff", "p/\U00010000"]


def test_a_copy_has_the_content_metadata_and_tags_of_the_original(bucket: Bucket, clock: VirtualClock) -> None:
    """From another bucket too."""
    bucket.put("a", b"1", metadata={"kind": "letter"})
    bucket.put_tags("a", {"team": "red"})
    archive = Bucket("archive", Place(clock))

    copied = archive.copy("a", "b", source=bucket)

    assert (copied.key, copied.body, copied.metadata, copied.tags) == ("b", b"1", {"kind": "letter"}, {"team": "red"})


def test_a_copy_onto_itself_changes_the_metadata(bucket: Bucket) -> None:
    """Which is the only such copy that S3 takes."""
    bucket.put("a", metadata={"kind": "letter"})

    bucket.copy("a", "a", metadata={})

    assert bucket.get("a").metadata == {}


# Versions.


def test_a_versioned_bucket_keeps_every_version(versioned: Bucket) -> None:
    """The latest is the object."""
    first = versioned.put("a", b"1")
    versioned.put("a", b"2")

    assert (versioned.get("a").body, versioned.get("a", first.version_id).body) == (b"2", b"1")


def test_a_deleted_object_lies_beneath_a_marker(versioned: Bucket) -> None:
    """Its versions are there, the object is not; the marker can't be read."""
    put = versioned.put("a", b"1")
    marker = versioned.delete("a")
    assert marker is not None

    outcomes = [
        _code(versioned.get, "a"),
        _code(versioned.get, "a", put.version_id),
        _code(versioned.get, "a", marker.version_id),
        versioned.list(),
    ]

    assert outcomes == ["NoSuchKey", b"1", "MethodNotAllowed", []]


def test_without_its_marker_an_object_is_back(versioned: Bucket) -> None:
    """Deleting the marker undoes the deletion."""
    versioned.put("a", b"1")
    marker = versioned.delete("a")
    assert marker is not None

    versioned.delete("a", marker.version_id)

    assert versioned.get("a").body == b"1"


def test_what_was_put_before_there_were_versions_is_the_version_null(bucket: Bucket) -> None:
    """It stays when versions begin."""
    bucket.put("a", b"0")
    bucket.versioning = "Enabled"
    bucket.put("a", b"1")

    assert bucket.get("a", "null").body == b"0"


def test_a_suspended_bucket_keeps_what_it_has_and_one_version_null(versioned: Bucket) -> None:
    """A put takes the place of the version without an id only."""
    versioned.put("a", b"1")
    versioned.versioning = "Suspended"
    versioned.put("a", b"2")
    versioned.put("a", b"3")

    assert [each.body for each in versioned.list_versions("a")] == [b"3", b"1"]


def test_a_deletion_in_a_suspended_bucket_leaves_a_marker(versioned: Bucket) -> None:
    """In the place of the version without an id."""
    versioned.versioning = "Suspended"
    versioned.put("a", b"2")

    versioned.delete("a")

    assert [(each.is_delete_marker, each.version_id) for each in versioned.list_versions("a")] == [(True, None)]


def _code(request: Callable[..., S3Object], *arguments: Any) -> object:
    try:
        return request(*arguments).body
    except SourceError as error:
        return error.code


# Uploads in parts.


def test_parts_make_an_object(bucket: Bucket) -> None:
    """Joined by number; the ETag is that of the parts' MD5s, with how many they are."""
    upload = bucket.create_multipart_upload("big", metadata={"kind": "film"})
    upload.upload_part(2, b"end")
    upload.upload_part(1, b"x" * 5 * MEBIBYTE)

    made = upload.complete()

    digests = hashlib.md5(b"x" * 5 * MEBIBYTE).digest() + hashlib.md5(b"end").digest()
    assert (made.size, made.body[-3:], made.etag) == (5 * MEBIBYTE + 3, b"end", f"{_md5(digests)}-2")


def test_an_upload_takes_the_parts_that_it_is_told(bucket: Bucket) -> None:
    """By number and ETag."""
    upload = bucket.create_multipart_upload("big")
    etag = upload.upload_part(1, b"1")
    upload.upload_part(2, b"2")

    assert upload.complete([(1, etag)]).body == b"1"


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([], "MalformedXML"),
        ([(1, "wrong")], "InvalidPart"),
        ([(3, _md5(b"2"))], "InvalidPart"),
        ([(2, _md5(b"2")), (1, _md5(b"1"))], "InvalidPartOrder"),
        ([(1, _md5(b"1")), (1, _md5(b"1"))], "InvalidPartOrder"),
        ([(1, _md5(b"1")), (2, _md5(b"2"))], "EntityTooSmall"),
    ],
)
def test_a_wrong_list_of_parts_is_refused(bucket: Bucket, parts: list[tuple[int, str]], code: str) -> None:
    """All but the last have 5 MiB or more."""
    upload = bucket.create_multipart_upload("big")
    upload.upload_part(1, b"1")
    upload.upload_part(2, b"2")

    with pytest.raises(SourceError, match=code):
        upload.complete(parts)


@pytest.mark.parametrize("number", [0, 10_001])
def test_parts_have_numbers_from_1_to_10000(bucket: Bucket, number: int) -> None:
    """As S3 says."""
    with pytest.raises(SourceError, match="an integer between 1 and 10000, inclusive"):
        bucket.create_multipart_upload("big").upload_part(number, b"")


def test_an_upload_that_is_over_is_there_no_more(bucket: Bucket) -> None:
    """Neither after it was completed, nor after it was aborted, which leaves nothing."""
    done, aborted = bucket.create_multipart_upload("done"), bucket.create_multipart_upload("aborted")
    done.upload_part(1, b"1")
    done.complete()
    aborted.abort()

    for upload in (done, aborted):
        with pytest.raises(SourceError, match="NoSuchUpload: The specified upload does not exist"):
            upload.upload_part(1, b"")
    assert [each.key for each in bucket.list()] == ["done"]


# What is told.


def test_each_change_has_its_event(bucket: Bucket) -> None:
    """Nothing happens, and nothing is told, where there is nothing to delete or to change."""
    upload = bucket.create_multipart_upload("big")
    upload.upload_part(1, b"1")
    bucket.put("a")
    bucket.copy("a", "b")
    upload.complete()
    bucket.put_tags("a", {"team": "red"})
    bucket.delete_tags("a")
    bucket.put_acl("a", "private")
    bucket.put_acl("a", "public-read")
    bucket.delete("a")
    bucket.delete("a")
    bucket.delete_many(["b", "none"])

    assert _names(bucket) == [
        "ObjectCreated:Put",
        "ObjectCreated:Copy",
        "ObjectCreated:CompleteMultipartUpload",
        "ObjectTagging:Put",
        "ObjectTagging:Delete",
        "ObjectAcl:Put",
        "ObjectRemoved:Delete",
        "ObjectRemoved:Delete",
    ]


@pytest.mark.parametrize(
    ("versioning", "name"),
    [("Enabled", "ObjectRemoved:DeleteMarkerCreated"), ("Suspended", "ObjectRemoved:DeleteMarkerCreated")],
)
def test_a_marker_is_made_even_of_what_never_was(clock: VirtualClock, versioning: Versioning, name: str) -> None:
    """And told of."""
    bucket = Bucket("uploads", Place(clock), versioning=versioning)

    bucket.delete("none")

    assert _names(bucket) == [name]


def test_a_version_that_is_deleted_is_told_as_a_deletion(versioned: Bucket) -> None:
    """With its id; so is a marker."""
    put = versioned.put("a")
    marker = versioned.delete("a")
    assert marker is not None
    versioned.delete("a", put.version_id)
    versioned.delete("a", marker.version_id)
    versioned.delete("a", "none")

    told = [(change.name, change.version_id) for change in versioned.changes[2:]]

    assert told == [("ObjectRemoved:Delete", put.version_id), ("ObjectRemoved:Delete", marker.version_id)]


def test_a_function_is_told_when_the_clock_runs(bucket: Bucket, function: FakeFunction, clock: VirtualClock) -> None:
    """Never within the put itself."""
    bucket.put("a")
    before = len(function.events)

    clock.run()

    assert (before, len(function.events)) == (0, 1)


def test_an_event_says_what_s3_says(bucket: Bucket, function: FakeFunction, clock: VirtualClock) -> None:
    """The key encoded as a form is, the size and the ETag, the bucket, when, and by which notification."""
    clock.run(until=1.5)
    bucket.put("my photo é.jpg", b"...")
    clock.run()

    [record] = function.events[0]["Records"]
    event = S3Event.model_validate(function.events[0]).records[0]
    assert record["s3"]["object"]["key"] == "my+photo+%C3%A9.jpg"
    assert (event.key, event.size, event.etag, event.bucket_arn) == (
        "my photo é.jpg",
        3,
        _md5(b"..."),
        "arn:aws:s3:::uploads",
    )
    assert (record["eventTime"], record["eventVersion"]) == ("2026-01-01T00:00:01.500Z", "2.1")
    assert event.configuration_id == bucket.notifications[0].id


def test_what_is_deleted_has_neither_size_nor_etag(bucket: Bucket, function: FakeFunction, clock: VirtualClock) -> None:
    """As on AWS; it has a sequencer."""
    bucket.put("a")
    clock.run()
    bucket.delete("a")
    clock.run()

    assert function.events[-1]["Records"][0]["s3"]["object"].keys() == {"key", "sequencer"}


def test_sequencers_grow(bucket: Bucket, function: FakeFunction, clock: VirtualClock) -> None:
    """Though time stands still, and when it passes; compared as S3 wants: padded on the left."""
    for _ in range(3):
        bucket.put("a")
    clock.run(until=2)
    bucket.delete("a")
    clock.run()

    told = {str(record.sequencer).zfill(20): record.event_name for record in _records(function)}
    assert len(told) == 4
    assert told[max(told)] == "ObjectRemoved:Delete"


def test_two_changes_of_one_key_are_two_requests(bucket: Bucket, function: FakeFunction, clock: VirtualClock) -> None:
    """Nothing that is told of the one is an id of the other."""
    bucket.put("a")
    bucket.put("a")
    clock.run()

    assert len({record.request_id for record in _records(function)}) == 2


def test_a_queue_gets_the_test_event_first(bucket: Bucket, clock: VirtualClock) -> None:
    """As S3 sends it when a notification is set up; then events as JSON."""
    queue = FakeQueue()
    bucket.notify(queue)
    clock.run()
    bucket.put("a")
    clock.run()

    test_event, event = (message.content for message in queue.messages)
    assert (test_event["Event"], test_event["Bucket"]) == ("s3:TestEvent", "uploads")
    assert identify(event) == "s3"


def test_a_topic_gets_its_events_with_a_subject(bucket: Bucket, clock: VirtualClock) -> None:
    """The one that S3 gives them."""
    topic = Topic("changes", bucket.place)
    bucket.notify(topic, events="ObjectRemoved:*")
    clock.run()
    bucket.put("a")
    bucket.delete("a")
    clock.run()

    assert [(message.subject, message.message[:11]) for message in topic.published] == [
        ("Amazon S3 Notification", '{"Service":'),
        ("Amazon S3 Notification", '{"Records":'),
    ]


def test_functions_get_no_test_event(function: FakeFunction, clock: VirtualClock) -> None:
    """S3 does not send them one."""
    clock.run()

    assert function.events == []


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({}, ["in/a.csv", "in/b.txt", "out/c.csv"]),
        ({"events": "s3:ObjectCreated:Put", "prefix": "in/"}, ["in/a.csv", "in/b.txt"]),
        ({"suffix": ".csv"}, ["in/a.csv", "out/c.csv"]),
        ({"events": ["ObjectCreated:Copy", "ObjectCreated:Put"], "prefix": "in/", "suffix": ".csv"}, ["in/a.csv"]),
        ({"events": "ObjectCreated:Copy"}, []),
        ({"events": "ObjectRemoved:*"}, ["in/a.csv"]),
    ],
)
def test_a_notification_asks_for_some_changes(
    bucket: Bucket, clock: VirtualClock, asked: dict[str, Any], told: list[str]
) -> None:
    """By the name of the event and both ends of the key; it keeps what it left."""
    function = FakeFunction()
    notification = bucket.notify(function, **asked)
    for key in ("in/a.csv", "in/b.txt", "out/c.csv"):
        bucket.put(key)
    bucket.delete("in/a.csv")
    clock.run()

    assert sorted(record.key for record in _records(function)) == told
    assert (len(notification.delivered), len(notification.filtered)) == (len(told), 4 - len(told))


OVERLAP = "Configurations overlap. Configurations on the same bucket cannot share a common event type."
AMBIGUOUS = "Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type."


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({}, {}, OVERLAP),
        ({}, {"events": "ObjectCreated:Put"}, OVERLAP),
        ({"events": "ObjectRemoved:Delete"}, {"events": ("ObjectCreated:*", "ObjectRemoved:*")}, OVERLAP),
        ({}, {"prefix": "images"}, AMBIGUOUS),
        ({"prefix": "images/"}, {"prefix": "images/new/"}, AMBIGUOUS),
        ({"suffix": "jpg"}, {"suffix": "pg"}, AMBIGUOUS),
        ({"prefix": "images", "suffix": "jpg"}, {"suffix": "jpg"}, AMBIGUOUS),
        ({"events": "ObjectCreated:Put"}, {"events": "ObjectCreated:Copy"}, None),
        ({"prefix": "images/"}, {"prefix": "logs/"}, None),
        ({"prefix": "images", "suffix": ".jpg"}, {"prefix": "images", "suffix": ".png"}, None),
        ({"prefix": "images"}, {"prefix": "images", "events": "ObjectRemoved:*"}, None),
    ],
)
def test_two_notifications_do_not_overlap(
    bucket: Bucket, one: dict[str, Any], other: dict[str, Any], message: str | None
) -> None:
    """No change may be for two of them; S3's guide has these examples."""
    bucket.notify(FakeFunction(), **one)
    if message is None:
        bucket.notify(FakeFunction(), **other)
        return
    with pytest.raises(SourceError) as refused:
        bucket.notify(FakeFunction(), **other)

    assert (refused.value.code, refused.value.message.endswith(message)) == ("InvalidArgument", True)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"events": "ObjectCreate:Put"}, "A specified event is not supported for notifications: .*'ObjectCreated'"),
        ({"events": ()}, "A specified event is not supported"),
        ({"prefix": "é" * 513}, "Size of filter rule value cannot exceed 1024 bytes in UTF-8 representation"),
    ],
)
def test_a_wrong_notification_is_refused(bucket: Bucket, asked: dict[str, Any], message: str) -> None:
    """When it is made, and no test event is sent."""
    with pytest.raises(SourceError, match=message):
        bucket.notify(FakeFunction(), **asked)


def test_a_notification_that_is_refused_sends_no_test_event(bucket: Bucket, clock: VirtualClock) -> None:
    """It never was."""
    queue = FakeQueue()
    bucket.notify(FakeFunction())
    with pytest.raises(SourceError):
        bucket.notify(queue)
    clock.run()

    assert (queue.messages, len(bucket.notifications)) == ([], 1)


def test_s3_notifies_no_fifo_queue(bucket: Bucket) -> None:
    """For that there is the bus."""
    with pytest.raises(SourceError, match="Unable to validate the following destination configurations"):
        bucket.notify(FakeQueue("inbox.fifo"))


def test_s3_notifies_functions_queues_and_topics(bucket: Bucket) -> None:
    """Anything else is a mistake of the test."""
    with pytest.raises(TypeError, match="the target is a function or a queue or a topic of the local Lambda, not"):
        bucket.notify(Bus("default", bucket.place))


def test_what_a_target_does_not_take_is_kept(bucket: Bucket, clock: VirtualClock) -> None:
    """With the reason; the clock runs on."""
    notification = bucket.notify(FakeQueue(refuses=True))
    bucket.put("a")
    clock.run()

    assert [delivery.error for delivery in notification.failed] == [
        "QueueDoesNotExist: The specified queue does not exist."
    ] * 2


# The bus.


def test_the_bus_is_told_of_every_change(bucket: Bucket, clock: VirtualClock) -> None:
    """Whoever is notified beside it; its events name the key as it was put."""
    bus = Bus("default", bucket.place)
    bucket.event_bridge = bus
    bucket.put("my photo.jpg", b"...")
    bucket.delete("my photo.jpg")

    created, deleted = bus.events
    assert [identify(event) for event in bus.events] == ["s3_eventbridge", "s3_eventbridge"]
    assert created["detail"]["object"] == {
        "key": "my photo.jpg",
        "size": 3,
        "etag": _md5(b"..."),
        "sequencer": created["detail"]["object"]["sequencer"],
    }
    assert (created["detail-type"], deleted["detail"]["deletion-type"]) == ("Object Created", "Permanently Deleted")


def test_every_event_can_be_told_to_the_bus(versioned: Bucket) -> None:
    """No change has an event that the bus does not know."""
    bus = Bus("default", versioned.place)
    versioned.event_bridge = bus
    versioned.put("a")
    versioned.put_tags("a", {"team": "red"})
    versioned.delete_tags("a")
    versioned.put_acl("a", "public-read")
    versioned.delete("a")

    assert [event["detail-type"] for event in bus.events] == [
        "Object Created",
        "Object Tags Added",
        "Object Tags Deleted",
        "Object ACL Updated",
        "Object Deleted",
    ]


# Handlers.


def test_a_handler_gets_what_was_put(bucket: Bucket, clock: VirtualClock) -> None:
    """Every event is one that ``on_s3`` takes, from S3 itself and through the bus."""
    seen: list[tuple[str, str, int | None]] = []

    @on_s3("uploads", events=("ObjectCreated:*", "ObjectRemoved:*", "ObjectTagging:*", "ObjectAcl:Put"))
    def handle(upload: S3Record) -> None:
        seen.append((upload.event_name, upload.key, upload.size))

    function, by_bus = _told_of_everything(bucket), FakeFunction("by-bus")
    bus = Bus("default", bucket.place)
    bucket.event_bridge = bus
    bus.rule("uploads", {"source": ["aws.s3"]}, by_bus)
    bucket.put("a b", b"...")
    clock.run()
    bucket.delete("a b")
    clock.run()
    for event in function.events:
        App(handle)(event, None)
    direct, seen[:] = [*seen], []

    @on_s3("uploads", events=("ObjectCreated:*", "ObjectRemoved:*"), via="eventbridge")
    def handle_event(upload: S3Record) -> None:
        seen.append((upload.event_name, upload.key, upload.size))

    for event in by_bus.events:
        App(handle_event)(event, None)
    assert direct == seen == [("ObjectCreated:Put", "a b", 3), ("ObjectRemoved:Delete", "a b", None)]


def test_a_handler_of_the_bus_gets_s3s_events(bucket: Bucket, clock: VirtualClock) -> None:
    """As any event."""
    seen: list[object] = []

    @on_eventbridge({"source": ["aws.s3"], "detail-type": ["Object Created"]})
    def handle(event: EventBridgeEvent) -> None:
        seen.append(event.detail["object"]["key"])

    function, bus = FakeFunction(), Bus("default", bucket.place)
    bucket.event_bridge = bus
    bus.rule("uploads", {"source": ["aws.s3"]}, function)
    bucket.put("a b")
    clock.run()
    App(handle)(function.events[0], None)

    assert seen == ["a b"]


@given(st.lists(KEYS, min_size=1, max_size=8))
def test_any_key_round_trips(keys: list[str]) -> None:
    """Through the bucket, through an event and back."""
    clock = VirtualClock()
    bucket = Bucket("uploads", Place(clock))
    function = _told_of_everything(bucket)
    for key in keys:
        bucket.put(key, key)
    clock.run()

    assert sorted(record.key for record in _records(function)) == sorted(keys)
    assert [bucket.get(key).body.decode() for key in keys] == keys


@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "delete", "delete version"]), st.sampled_from("ab"), st.integers(0, 3)),
        max_size=15,
    ),
    st.sampled_from(["Enabled", "Suspended", None]),
)
def test_what_is_listed_is_what_can_be_got(steps: list[tuple[str, str, int]], versioning: Versioning | None) -> None:
    """Whatever was done before."""
    bucket = Bucket("uploads", Place(VirtualClock()), versioning=versioning)
    for step, key, number in steps:
        versions = bucket.list_versions(key)
        if step == "put":
            bucket.put(key, str(number))
        elif step == "delete":
            bucket.delete(key)
        elif versions:
            bucket.delete(key, versions[number % len(versions)].version_id or "null")

    there = [key for key in "ab" if _code(bucket.get, key) != "NoSuchKey"]

    assert [each.key for each in bucket.list()] == there


# Beside moto's S3.


class MotoBucket:
    """The same bucket of moto's S3, by boto3."""

    def __init__(self, versioning: Versioning | None) -> None:
        self._s3 = boto3.client("s3", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
        self._s3.create_bucket(Bucket="uploads")
        if versioning:
            self._s3.put_bucket_versioning(Bucket="uploads", VersioningConfiguration={"Status": versioning})

    def put(self, key: str, body: str) -> None:
        self._s3.put_object(Bucket="uploads", Key=key, Body=body.encode())

    def copy(self, source_key: str, key: str) -> None:
        self._s3.copy_object(Bucket="uploads", Key=key, CopySource={"Bucket": "uploads", "Key": source_key})

    def delete(self, key: str) -> None:
        self._s3.delete_object(Bucket="uploads", Key=key)

    def upload(self, key: str, *parts: bytes) -> None:
        upload = {"Bucket": "uploads", "Key": key}
        upload["UploadId"] = self._s3.create_multipart_upload(**upload)["UploadId"]
        listed = [
            {"PartNumber": number, "ETag": self._s3.upload_part(**upload, PartNumber=number, Body=part)["ETag"]}
            for number, part in enumerate(parts, 1)
        ]
        self._s3.complete_multipart_upload(**upload, MultipartUpload={"Parts": listed})

    def content(self) -> list[tuple[str, str, int]]:
        """Key, ETag and size of each object."""
        listed = self._s3.list_objects_v2(Bucket="uploads").get("Contents", [])
        return [(each["Key"], each["ETag"].strip('"'), each["Size"]) for each in listed]

    def versions(self) -> list[tuple[str, str, bool]]:
        """Key and ETag of each version but markers, and whether it has no id, of each key the latest first."""
        listed = self._s3.list_object_versions(Bucket="uploads").get("Versions", [])
        return [(each["Key"], each["ETag"].strip('"'), each["VersionId"] == "null") for each in listed]


@settings(max_examples=12)
@given(
    st.lists(
        st.tuples(st.sampled_from(["put", "copy", "delete"]), st.sampled_from("ab"), st.sampled_from("bcé ")),
        max_size=10,
    ),
    st.sampled_from(["Enabled", "Suspended", None]),
)
def test_a_bucket_is_as_motos(steps: list[tuple[str, str, str]], versioning: Versioning | None) -> None:
    """In its objects, their ETags and order, and in their versions."""
    with mock_aws():
        bucket, moto = Bucket("uploads", Place(VirtualClock()), versioning=versioning), MotoBucket(versioning)
        for step, key, other in steps:
            if step == "put":
                bucket.put(key, other)
                moto.put(key, other)
            elif step == "delete":
                bucket.delete(key)
                moto.delete(key)
            elif key != other and any(each.key == key for each in bucket.list()):
                bucket.copy(key, other)
                moto.copy(key, other)

        versions = [each for each in bucket.list_versions() if not each.is_delete_marker]
        assert [(each.key, each.etag, each.size) for each in bucket.list()] == moto.content()
        assert [(each.key, each.etag, each.version_id is None) for each in versions] == moto.versions()


def test_the_etag_of_parts_is_as_motos(bucket: Bucket) -> None:
    """And so is the object."""
    parts = b"x" * 5 * MEBIBYTE, b"end"
    upload = bucket.create_multipart_upload("big")
    for number, part in enumerate(parts, 1):
        upload.upload_part(number, part)
    upload.complete()

    with mock_aws():
        moto = MotoBucket(None)
        moto.upload("big", *parts)

        assert [(each.key, each.etag, each.size) for each in bucket.list()] == moto.content()


def _records(function: FakeFunction) -> list[S3Record]:
    return [record for event in function.events for record in S3Event.model_validate(event).records]
