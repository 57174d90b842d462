"""Streams at an endpoint, whose records lie in shards, as mappings read them: what Kinesis and DynamoDB have in common.

A position is 0 at the beginning of a shard, negative at another place where a reader begins, and else the sequence
number of the record before it, with a 1 in front that keeps its zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Protocol

from typing_extensions import TypeVar

from lambdakit.local.remote.calls import Call
from lambdakit.local.remote.failures import answer_of, code_of
from lambdakit.local.remote.source import LOG, RemoteSource
from lambdakit.local.remote.watch import PACE, Watch
from lambdakit.local.sources.log import Logged
from lambdakit.local.sources.reading import Page, Position, ShardStart, StartingPosition

if TYPE_CHECKING:
    from lambdakit.local.remote.calls import Calls
    from lambdakit.local.remote.endpoint import Endpoint
    from lambdakit.local.sources.reading import Wait
    from lambdakit.local.sources.source import Place, SourceError


class Numbered(Logged, Protocol):
    """A record with its number in the shard."""

    @property
    def sequence_number(self) -> str:
        """Its number."""
        ...


R = TypeVar("R", bound=Numbered)

PAGE_RECORDS = 1_000
"""Records of a request."""


@dataclass(frozen=True, slots=True)
class ShardListing:
    """The shards that a stream has.

    Attributes:
        parents: For each the shards it came from.
        closed: Those that take no more.
        complete: Whether there will be no more: none follows a shard that is closed.
    """

    parents: dict[str, tuple[str, ...]]
    closed: frozenset[str]
    complete: bool = False

    def has_ended(self, shard_id: str) -> bool:
        """Whether there is nothing to come of a shard that was read to its end: those that follow it are known."""
        return self.complete or any(shard_id in parents for parents in self.parents.values())


@dataclass(frozen=True, slots=True)
class Start:
    """Where in a shard to begin: what GetShardIterator is asked for."""

    type: Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP", "AFTER_SEQUENCE_NUMBER"]
    timestamp: datetime | None = None
    sequence_number: str = ""


@dataclass(frozen=True, slots=True)
class Answer(Generic[R]):
    """What a request brought: a page, and the shards where one ended."""

    page: Page[R]
    listing: ShardListing | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who is told of shards, and those it was told of."""

    then: Callable[[Sequence[ShardStart]], None]
    known: set[str]


class RemoteShards(RemoteSource, Generic[R]):
    """A stream at an endpoint.

    A subclass makes the requests of its service, and records of what they bring.

    Args:
        resource: Its ARN, or a name.
        name: Its name.
        place: Where the local Lambda is.
        calls: Has requests made; asked for when it is mapped.
        endpoint: Where it is reached.

    Attributes:
        retention: How long it keeps records, in seconds.
        read_by: Of each reader, up to which sequence number of each shard it is done.
    """

    poll_seconds = 0.0  # it waits by itself
    idle_seconds: ClassVar[float]
    """How long after a request that found nothing the next one comes."""

    def __init__(self, resource: str, name: str, place: Place, calls: Callable[[], Calls], endpoint: Endpoint) -> None:
        super().__init__(resource, name, place, calls, endpoint)
        self.retention = 24 * 3600.0
        self.read_by: dict[str, dict[str, str]] = {}
        self._readers: list[Reader] = []
        self._starts: dict[Position, Start] = {0: Start("TRIM_HORIZON")}
        self._iterators: dict[tuple[str, Position], str] = {}
        self._found: dict[tuple[str, Position], Page[R] | SourceError] = {}
        self._asked: dict[str, float] = {}

    # What a mapping does with it: see ShardSource.

    def shards(
        self,
        reader: str,
        start: StartingPosition,
        timestamp: datetime | None,
        then: Callable[[Sequence[ShardStart]], None],
    ) -> None:
        """Tell of all shards, at once, and again of those that are added later.

        Raises:
            SourceError: the stream can't be reached.
        """
        listing = answer_of(self._list_shards)
        wanted = [shard_id for shard_id in listing.parents if start != "LATEST" or shard_id not in listing.closed]
        position = answer_of(partial(self._begin, wanted, Start(start, timestamp)))
        done = self.read_by.setdefault(reader, {})
        self._readers.append(Reader(then, set(listing.parents)))
        then(
            [
                ShardStart(
                    shard_id,
                    listing.parents[shard_id],
                    _position(done[shard_id]) if shard_id in done else position,
                )
                for shard_id in wanted
            ]
        )

    def read(
        self,
        shard_id: str,
        position: Position,
        most: int,
        then: Callable[[Page[R]], None],
        failed: Callable[[SourceError], None],
    ) -> None:
        """Hand over what was found while waiting, or else read."""
        found = self._found.pop((shard_id, position), None)
        if isinstance(found, Page):
            then(found)
        elif found is not None:
            failed(found)
        else:
            request = partial(self.fetch, shard_id, position, min(most, PAGE_RECORDS))
            self.calls.start(
                Call(
                    request,
                    lambda answer: then(self.heed(answer)),
                    partial(self.report, failed),
                    due=self.next_time(shard_id),
                )
            )

    def wait(self, shard_id: str, position: Position, then: Callable[[], None]) -> Wait:
        """Look for something to read at that position, and tell once when there is, or the shard can't be read."""
        if (shard_id, position) in self._found:
            return self.place.clock.at(self.place.clock.now, then)
        watch = ShardWatch(self, shard_id, position, then)
        watch.ask()
        return watch

    def checkpoint(self, reader: str, shard_id: str, position: Position) -> None:
        """A reader is done with all records before that position."""
        if position > 0:
            self.read_by[reader][shard_id] = _sequence_number(position)

    # For watches.

    def next_time(self, shard_id: str, pause: float = PACE) -> float:
        """When a shard may be read again, if there is to be such a pause."""
        return self._asked.get(shard_id, float("-inf")) + pause

    def keep(self, shard_id: str, position: Position, found: Page[R] | SourceError) -> None:
        """Have something ready to be read."""
        self._found[shard_id, position] = found

    def report(self, failed: Callable[[SourceError], None], error: SourceError) -> None:
        """Say why a request failed."""
        LOG.warning("%r can't be read: %s", self, error)
        failed(error)

    def heed(self, answer: Answer[R]) -> Page[R]:
        """Tell the readers of new shards, of which the page is to know nothing yet."""
        if answer.listing is not None:
            for reader in self._readers:
                self._tell(reader, answer.listing.parents)
        return answer.page

    def fetch(self, shard_id: str, position: Position, most: int = PAGE_RECORDS) -> Answer[R]:
        """Read a shard; in a thread."""
        self._asked[shard_id] = self.place.clock.now
        try:
            return self._fetch(shard_id, position, most)
        except Exception as error:
            code = code_of(error)
            if code == "ExpiredIteratorException":
                self._iterators.pop((shard_id, position), None)
            elif code == "TrimmedDataAccessException":
                LOG.warning("%r: records of %s were older than 24 hours before they were read", self, shard_id)
                self._iterators[shard_id, position] = self._shard_iterator(shard_id, self._starts[0])
            elif code == "ResourceNotFoundException":
                listing = self._list_shards()
                if shard_id in listing.parents:
                    raise
                return Answer(Page([], [], position, ended=True), listing)  # all that it had was too old
            else:
                raise
        return self._fetch(shard_id, position, most)

    def _fetch(self, shard_id: str, position: Position, most: int) -> Answer[R]:
        place = shard_id, position
        iterator = self._iterators.get(place) or self._shard_iterator(shard_id, self._start_at(position))
        self._iterators[place] = iterator  # for the next attempt, if this one fails
        answer = self._get_records(iterator, most)
        self._iterators.pop(place, None)
        records = [self._record(shard_id, each) for each in answer["Records"]]
        *positions, after = [position, *(_position(record.sequence_number) for record in records)]
        if answer.get("NextShardIterator"):
            self._iterators[shard_id, after] = answer["NextShardIterator"]
            return Answer(Page(records, positions, after, self._has_more(answer, most)))
        listing = self._list_shards()
        return Answer(Page(records, positions, after, ended=listing.has_ended(shard_id)), listing)

    def _tell(self, reader: Reader, parents: dict[str, tuple[str, ...]]) -> None:
        new = [shard_id for shard_id in parents if shard_id not in reader.known]
        reader.known.update(new)
        if new:
            reader.then([ShardStart(shard_id, parents[shard_id], 0) for shard_id in new])

    # Positions.

    def _begin(self, shard_ids: Sequence[str], start: Start) -> Position:
        """The position of a place to begin at."""
        if start == self._starts[0]:
            return 0
        position = -len(self._starts)
        self._starts[position] = start
        if start.type == "LATEST":  # where that is, is decided now
            self._starts[position] = self._resumption()
            for shard_id in shard_ids:
                self._iterators[shard_id, position] = self._shard_iterator(shard_id, start)
        return position

    def _start_at(self, position: Position) -> Start:
        if position <= 0:
            return self._starts[position]
        return Start("AFTER_SEQUENCE_NUMBER", sequence_number=_sequence_number(position))

    # What a subclass does, in threads.

    def _list_shards(self) -> ShardListing:
        """All shards that there are."""
        raise NotImplementedError

    def _shard_iterator(self, shard_id: str, start: Start) -> str:
        """Where to begin to read."""
        raise NotImplementedError

    def _get_records(self, shard_iterator: str, most: int) -> dict[str, Any]:
        """The answer of GetRecords."""
        raise NotImplementedError

    def _record(self, shard_id: str, answered: dict[str, Any]) -> R:
        """A record of that answer."""
        raise NotImplementedError

    def _has_more(self, answer: dict[str, Any], most: int) -> bool:
        """Whether there is more to be read at once."""
        raise NotImplementedError

    def _resumption(self) -> Start:
        """Where who began at ``LATEST``, now, and has read nothing, goes on when its iterators have expired."""
        raise NotImplementedError


class ShardWatch(Watch[Answer[R]]):
    """Looks for something to read in a shard."""

    def __init__(self, source: RemoteShards[R], shard_id: str, position: Position, then: Callable[[], None]) -> None:
        super().__init__(source.calls, source.place.clock)
        self._source = source
        self._shard_id = shard_id
        self._position = position
        self._then = then

    def _request(self, *, quick: bool) -> Answer[R]:
        return self._source.fetch(self._shard_id, self._position)

    def _take(self, answer: Answer[R]) -> bool:
        page = self._source.heed(answer)
        if not (page.records or page.more or page.ended):
            return False
        self._found(page)
        return True

    def _failed(self, error: SourceError) -> None:
        self._source.report(self._found, error)

    def _found(self, found: Page[R] | SourceError) -> None:
        self._source.keep(self._shard_id, self._position, found)
        if not self.cancelled:
            self._then()

    def _due(self, *, again: bool, idle: bool) -> float:
        return self._source.next_time(self._shard_id, self._source.idle_seconds if idle else PACE)


def _position(sequence_number: str) -> Position:
    return int(f"1{sequence_number}")


def _sequence_number(position: Position) -> str:
    return str(position)[1:]
