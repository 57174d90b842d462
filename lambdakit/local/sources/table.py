"""DynamoDB tables and their streams.

Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import md5
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from lambdakit.events.attributes import python_item
from lambdakit.local.sources.attributes import Attribute, Item, attribute, check_size, size_of, typed
from lambdakit.local.sources.hash_keys import HashedSource, hash_key_of
from lambdakit.local.sources.source import Source, SourceError
from lambdakit.triggers.settings import check_choice

if TYPE_CHECKING:
    from lambdakit.local.sources.source import Place

StreamViewType = Literal["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
EventName = Literal["INSERT", "MODIFY", "REMOVE"]
Key = tuple[tuple[str, str], ...]
"""A key's values, each as its type and its text."""
Condition = Callable[[dict[str, Any] | None], bool]
"""What is asked of the item that is there, or of None where none is, before it is written."""

STREAM_RETENTION = 24 * 3600.0
EXPIRY_YEARS = 5 * 365 * 86_400.0
"""Time to live does not remove what expired longer ago, in seconds."""

_NEW: tuple[StreamViewType, ...] = ("NEW_IMAGE", "NEW_AND_OLD_IMAGES")
_OLD: tuple[StreamViewType, ...] = ("OLD_IMAGE", "NEW_AND_OLD_IMAGES")


@dataclass(slots=True, kw_only=True, repr=False)
class Change:
    """A change of an item, as a record of the table's stream.

    Attributes:
        shard_id: The shard it lies in.
        sequence_number: Its number, larger than those of all changes before it; 21 digits.
        event_name: ``INSERT``, ``MODIFY`` or ``REMOVE``.
        keys: The item's key, in attribute values.
        new_image, old_image: The item after and before, in attribute values; None where the view type leaves it out.
        expired: Whether time to live removed the item.
        arrived: When it happened, in Unix time.
        size: ``SizeBytes``.
        event_id: The id of the change, where the service gave it one.
    """

    shard_id: str
    sequence_number: str
    event_name: EventName
    keys: Item
    new_image: Item | None
    old_image: Item | None
    expired: bool
    arrived: float
    size: int
    event_id: str | None = None

    @property
    def approximate_creation_date_time(self) -> int:
        """When it happened, in Unix time and whole seconds, as events have it."""
        return int(self.arrived)

    def __repr__(self) -> str:
        return f"<Change {self.event_name} of {python_item(self.keys)}>"


class TableStream(HashedSource[Change]):
    """The stream of a table: each change of an item, in order, for 24 hours.

    Attributes:
        arn: The stream's ARN.
        stream_view_type: What it has of a change.
    """

    kind = "dynamodb"
    poll_seconds = 0.25
    iterator_seconds: ClassVar[int] = 900
    page_records: ClassVar[int] = 1_000
    page_bytes: ClassVar[int] = 1024 * 1024

    def __init__(
        self, name: str, place: Place, table_arn: str, stream_view_type: StreamViewType, shard_count: int
    ) -> None:
        arn = f"{table_arn}/stream/{place.clock.today:%Y-%m-%dT%H:%M:%S.%f}"[:-3]
        self.stream_view_type: StreamViewType = stream_view_type
        self._changes = 0
        super().__init__(name, place, arn, shard_count=shard_count, retention=STREAM_RETENTION)

    def add(self, keys: Item, new: Item | None, old: Item | None, hash_key: int, *, expired: bool) -> None:
        """Add a change; for the table to tell."""
        shard = self._of_hash(hash_key)
        self._changes += 1
        view = self.stream_view_type
        new_image, old_image = new if view in _NEW else None, old if view in _OLD else None
        change = Change(
            shard_id=shard.shard_id,
            sequence_number=str(100_000_000_000_000_000_000 + self._changes),
            event_name="INSERT" if old is None else "REMOVE" if new is None else "MODIFY",
            keys=keys,
            new_image=new_image,
            old_image=old_image,
            expired=expired,
            arrived=self._epoch,
            size=sum(size_of(part) for part in (keys, new_image, old_image) if part),
        )
        self._add(shard, change)

    def _shard_id(self, number: int) -> str:
        """The names of a table's shards begin with the time they were made at."""
        digest = md5(f"{self.arn}{number}".encode(), usedforsecurity=False).hexdigest()
        return f"shardId-{int(self._epoch * 1000):020d}-{digest[:8]}"


class Table(Source):
    """A DynamoDB table, of items in Python values.

    Values are as boto3 takes them: str, int, Decimal, bytes, bool, None, lists, dicts, and sets of texts, numbers or
    bytes. A float is a TypeError. A whole number comes back as an int.

    Args:
        name: The table's name.
        place: Where it is.
        key: The name of the partition key, or of partition key and sort key.
        stream_view_type: What the table's stream has of a change.
        time_to_live: The attribute that holds when an item expires, in Unix time; it is removed when that time passes
            (in AWS within a few days of it).
        shard_count: How many shards its stream begins with. The changes of an item lie in one, in order.

    Attributes:
        arn: The table's ARN.
        stream: Its stream.

    >>> from lambdakit.local.sources.source import Place
    >>> from lambdakit.local.virtual.clock import VirtualClock
    >>> customers = Table("customers", Place(VirtualClock()))
    >>> customers.put({"id": "1", "name": "Ada"})
    >>> customers.update("1", {"visits": 2})
    >>> customers.get("1")
    {'id': '1', 'name': 'Ada', 'visits': 2}
    """

    def __init__(
        self,
        name: str,
        place: Place,
        *,
        key: str | Sequence[str] = "id",
        stream_view_type: StreamViewType = "NEW_AND_OLD_IMAGES",
        time_to_live: str | None = None,
        shard_count: int = 1,
    ) -> None:
        super().__init__(name, place, place.arn("dynamodb", f"table/{name}"))
        check_choice(
            "stream_view_type", stream_view_type, ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
        )
        self.key = (key,) if isinstance(key, str) else tuple(key)
        self.time_to_live = time_to_live
        self.stream = TableStream(name, place, self.arn, stream_view_type, shard_count)
        self._items: dict[Key, Item] = {}

    # Reading.

    def get(self, key: Any) -> dict[str, Any] | None:
        """The item with a key: its partition key, or a tuple of that and its sort key."""
        return _plain(self._items.get(self._key(self._named(key))))

    def scan(self, where: Callable[[dict[str, Any]], bool] | None = None) -> list[dict[str, Any]]:
        """All items, or those for which that is true."""
        return [item for item in self if where is None or where(item)]

    def query(self, partition_key: Any) -> list[dict[str, Any]]:
        """The items of a partition key, in the order of their sort keys."""
        items = [item for item in self if item[self.key[0]] == partition_key]
        return sorted(items, key=lambda item: item[self.key[-1]])

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter([python_item(item) for item in self._items.values()])

    def __len__(self) -> int:
        return len(self._items)

    # Writing.

    def put(self, item: Mapping[str, Any], *, condition: Condition | None = None) -> None:
        """Write an item in place of the one with its key, if there is one.

        Args:
            item: The item.
            condition: What must be true of the item that is there.

        Raises:
            TypeError: boto3 does not take a value.
            SourceError: ``ConditionalCheckFailedException``, ``ValidationException``.
        """
        new = typed(item)
        key = self._key(new)
        self._check(condition, self._items.get(key))
        self._write(key, new)

    def update(
        self, key: Any, changes: Mapping[str, Any], *, remove: Sequence[str] = (), condition: Condition | None = None
    ) -> None:
        """Change attributes of an item; where there is none, it is made.

        Args:
            key: As for ``get``.
            changes: Attributes with their new values.
            remove: Attributes to remove.
            condition: What must be true of the item that is there.

        Raises:
            TypeError: boto3 does not take a value.
            SourceError: ``ConditionalCheckFailedException``, ``ValidationException``.
        """
        for name in self.key:
            if name in changes or name in remove:
                message = f"Cannot update attribute {name}. This attribute is part of the key"
                raise SourceError("ValidationException", f"One or more parameter values were invalid: {message}")
        keys = self._named(key)
        place = self._key(keys)
        old = self._items.get(place)
        self._check(condition, old)
        new = {**(old or keys), **typed(changes)}
        self._write(place, {name: value for name, value in new.items() if name not in remove})

    def delete(self, key: Any, *, condition: Condition | None = None) -> None:
        """Remove the item with a key, if there is one.

        Raises:
            SourceError: ``ConditionalCheckFailedException``.
        """
        place = self._key(self._named(key))
        self._check(condition, self._items.get(place))
        self._write(place, None)

    def _write(self, key: Key, new: Item | None, *, expired: bool = False) -> None:
        """Note an item, and the change if it is one."""
        old = self._items.get(key)
        if new is None:
            self._items.pop(key, None)
        else:
            check_size(new)
            self._items[key] = new
            self._expire_later(key, new, old)
        if new != old:
            keys = {name: (new or old or {})[name] for name in self.key}
            self.stream.add(keys, new, old, hash_key_of(":".join(key[0])), expired=expired)

    def _check(self, condition: Condition | None, old: Item | None) -> None:
        if condition is not None and not condition(_plain(old)):
            raise SourceError("ConditionalCheckFailedException", "The conditional request failed")

    # Keys.

    def _named(self, key: Any) -> Item:
        values = key if isinstance(key, tuple) else (key,)
        if len(values) != len(self.key):
            raise SourceError("ValidationException", "The provided key element does not match the schema")
        return {name: attribute(value) for name, value in zip(self.key, values, strict=True)}

    def _key(self, item: Item) -> Key:
        for name in self.key:
            if name not in item:
                message = f"One or more parameter values were invalid: Missing the key {name} in the item"
                raise SourceError("ValidationException", message)
        return tuple(_key_value(name, item[name]) for name in self.key)

    # Time to live.

    def _expire_later(self, key: Key, new: Item, old: Item | None) -> None:
        when = self._expiry(new)
        if when is not None and (old is None or when != self._expiry(old)):
            self._clock.at(when - self._clock.epoch, lambda: self._expire(key), background=True)

    def _expire(self, key: Key) -> None:
        """Remove an item, unless it was changed since."""
        item = self._items.get(key)
        when = None if item is None else self._expiry(item)
        now = self._clock.epoch + self._clock.now
        if when is not None and now - EXPIRY_YEARS < when <= now:
            self._write(key, None, expired=True)

    def _expiry(self, item: Item) -> int | None:
        number = item.get(self.time_to_live or "", {}).get("N")
        return None if number is None else int(Decimal(number))

    def __repr__(self) -> str:
        return f"<Table {self.name!r}: {len(self)} items>"


def _plain(item: Item | None) -> dict[str, Any] | None:
    """An item in Python values, all of them new."""
    return None if item is None else python_item(item)


def _key_value(name: str, value: Attribute) -> tuple[str, str]:
    [(kind, content)] = value.items()
    if kind not in ("S", "N", "B"):
        message = f"Type mismatch for key {name}: a key is text, a number or bytes, not {kind}"
        raise SourceError("ValidationException", message)
    if not content:
        message = (
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
        )
        raise SourceError("ValidationException", message)
    return kind, content
