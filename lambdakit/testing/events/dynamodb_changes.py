"""Changes of a DynamoDB table, from its stream.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lambdakit.events.attributes import python_item
from lambdakit.testing.events.attribute_values import typed_item
from lambdakit.testing.events.payload_examples import PAYLOAD, filter_example, payload_for
from lambdakit.testing.events.sources import Source, trigger_of
from lambdakit.testing.events.values import (
    ACCOUNT,
    REGION,
    TIME,
    Event,
    hexadecimal,
    milliseconds,
    names,
    region_of,
    repeated,
    stream_arn_of,
    table_shard_of,
    text_of,
)
from lambdakit.testing.events.windows import windowed
from lambdakit.triggers.settings import check_choice


def dynamodb(
    table: Source = "customers",
    *changes: Mapping[str, Any],
    new: Any = None,
    old: Any = None,
    keys: str | Sequence[str] | None = None,
    view_type: str = "NEW_AND_OLD_IMAGES",
    expired: bool = False,
    window: int | None = None,
    state: Mapping[str, Any] | None = None,
    final: bool = False,
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A batch of changes of a table: an ``INSERT`` has a new image, a ``REMOVE`` an old one, a ``MODIFY`` both.

    Images are Python values: a dict (or a model) of str, int, float, Decimal, bytes, bool, None, sets, lists and dicts.

    Args:
        table: The table's name or ARN, its stream's ARN, or the handler that takes its changes.
        *changes: Several changes, each as ``{"new": image, "old": image}`` with one of them or both.
        new: The new image of a single change.
        old: The old image of a single change. Without any image there is one change that fits.
        keys: The attributes that are the table's key; by default the first one of the image.
        view_type: What the stream has of a change: ``KEYS_ONLY``, ``NEW_IMAGE``, ``OLD_IMAGE``, ``NEW_AND_OLD_IMAGES``.
        expired: Whether the table's time to live removed the items.
        window: The length of the tumbling window in seconds, or 0 for none; by default the handler's.
        state: What the window's last call returned.
        final: Whether it is the window's last call.
        records: How many changes; those given take turns.
        time: When it happened.
        region: The table's region.
        account: The table's account.

    Raises:
        ValueError: a change has no image, or DynamoDB has no such value.

    >>> dynamodb("customers", new={"id": "1", "age": 36})["Records"][0]["dynamodb"]["NewImage"]
    {'id': {'S': '1'}, 'age': {'N': '36'}}
    """
    check_choice("view_type", view_type, _SHOWN)
    trigger = trigger_of(table, "dynamodb")
    stream_arn = stream_arn_of((trigger.table or "customers") if trigger else str(table), region, account)
    given = list(changes)
    if new is not None or old is not None:
        given.append({"new": new, "old": old})
    contents = repeated(given or [_fitting(table, trigger)], records)
    event = {
        "Records": [
            _record(
                change,
                position,
                keys=names(keys or ()),
                view_type=view_type,
                stream_arn=stream_arn,
                time=time,
                expired=expired,
            )
            for position, change in enumerate(contents)
        ]
    }
    seconds = (trigger.tumbling_window_in_seconds if trigger else 0) if window is None else window
    shard_id = table_shard_of(stream_arn)
    return (
        windowed(event, stream_arn, shard_id, seconds=seconds, time=time, state=state, final=final)
        if seconds
        else event
    )


def _fitting(table: Source, trigger: Any) -> Event:
    """A change of a kind that the handler takes, with an item that it can read and that its filter lets through."""
    wanted = filter_example(trigger)
    shown = wanted.get("dynamodb", {})
    kind = wanted.get("eventName", trigger.events[0] if trigger else "INSERT")
    absent = {"INSERT": "OldImage", "REMOVE": "NewImage"}.get(kind)
    images = {name: payload_for(table, trigger, python_item(shown.get(name))) for name in ("NewImage", "OldImage")}
    items = {name: item if isinstance(item, dict) and item else PAYLOAD for name, item in images.items()}
    return {short: items[name] for short, name in (("new", "NewImage"), ("old", "OldImage")) if name != absent}


def _record(
    change: Mapping[str, Any],
    position: int,
    *,
    keys: Sequence[str],
    view_type: str,
    stream_arn: str,
    time: datetime,
    expired: bool,
) -> Event:
    images = _images(change)
    item = images.get("NewImage") or images["OldImage"]
    shown = {name: image for name, image in images.items() if name in _SHOWN[view_type]}
    happened = milliseconds(time)
    return {
        "eventID": hexadecimal(32, "change", stream_arn, happened, position, images),
        "eventName": "MODIFY" if len(images) == 2 else "INSERT" if "NewImage" in images else "REMOVE",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": region_of(stream_arn),
        "dynamodb": {
            "ApproximateCreationDateTime": happened // 1000,
            "Keys": {name: _key(name, item) for name in keys or [*item][:1]},
            **shown,
            "SequenceNumber": f"{happened:013d}{position:014d}",
            "SizeBytes": len(text_of(shown)),
            "StreamViewType": view_type,
        },
        "eventSourceARN": stream_arn,
        **({"userIdentity": {"type": "Service", "principalId": "dynamodb.amazonaws.com"}} if expired else {}),
    }


def _images(change: Mapping[str, Any]) -> Event:
    given = {"NewImage": change.get("new"), "OldImage": change.get("old")}
    images = {name: typed_item(image) for name, image in given.items() if image is not None}
    if not images or not change.keys() <= {"new", "old"}:
        raise ValueError(f"a change is {{'new': image, 'old': image}}, with one of them or both, not {change!r}")
    return images


def _key(name: str, item: Event) -> Event:
    if name not in item:
        raise ValueError(
            f"the key attribute {name!r} is missing in the image, which has {', '.join(item) or 'nothing'}"
        )
    value: Event = item[name]
    return value


_SHOWN = {
    "KEYS_ONLY": (),
    "NEW_IMAGE": ("NewImage",),
    "OLD_IMAGE": ("OldImage",),
    "NEW_AND_OLD_IMAGES": ("NewImage", "OldImage"),
}
"""The images that a stream has of a change, by its view type."""
