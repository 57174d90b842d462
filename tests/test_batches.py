"""How records are gathered into batches."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.mappings.batches import ENVELOPE_BYTES, Batcher
from lambdakit.local.outcome import MAX_REQUEST_BYTES

Record = tuple[int, int]
"""A number and a size."""

ROOM = MAX_REQUEST_BYTES - ENVELOPE_BYTES


def batches(sizes: list[int], batch_size: int) -> list[list[Record]]:
    """The batches that records of these sizes make, and what is left over."""
    batcher = Batcher[Record](batch_size, 0)
    made = [batcher.add((number, size), size, 0) for number, size in enumerate(sizes)]
    return [batch for batch in [*made, batcher.take()] if batch]


def test_a_batch_is_ready_when_it_has_its_number_of_records() -> None:
    """And the next one begins."""
    assert [len(batch) for batch in batches([1] * 25, 10)] == [10, 10, 5]


def test_a_window_begins_with_the_first_record_of_a_batch() -> None:
    """The records after it do not move its end."""
    batcher = Batcher[str](100, window=20)
    seen = [batcher.due]
    for now, record in ((5, "a"), (15, "b")):
        batcher.add(record, 1, now)
        seen.append(batcher.due)

    assert (seen, batcher.take(), batcher.due, len(batcher)) == ([None, 25, 25], ["a", "b"], None, 0)


def test_an_event_of_exactly_6_mebibytes_is_one_batch() -> None:
    """Commas are counted, and what surrounds the records."""
    assert [len(batch) for batch in batches([ROOM // 2, ROOM - ROOM // 2 - 1], 10)] == [2]


def test_a_record_that_would_make_the_event_larger_begins_the_next_batch() -> None:
    """By a byte."""
    assert [len(batch) for batch in batches([ROOM // 2, ROOM - ROOM // 2], 10)] == [1, 1]


def test_a_record_may_be_too_large_for_any_event() -> None:
    """The largest that fits makes an event of 6 MiB."""
    batcher = Batcher[str](10, 0)

    assert [batcher.fits(size) for size in (ROOM, ROOM + 1)] == [True, False]


@given(st.lists(st.integers(1, ROOM) | st.integers(ROOM // 4, ROOM), max_size=30), st.integers(1, 10))
def test_records_keep_their_order_and_batches_their_limits(sizes: list[int], batch_size: int) -> None:
    """None is lost, no batch is too large, and none could have taken the record after it."""
    made = batches(sizes, batch_size)

    assert [record for batch in made for record in batch] == [*enumerate(sizes)]
    events = [ENVELOPE_BYTES + sum(size for _, size in batch) + len(batch) - 1 for batch in made]
    assert all(
        event <= MAX_REQUEST_BYTES and len(batch) <= batch_size for event, batch in zip(events, made, strict=True)
    )
    assert all(
        len(batch) == batch_size or event + 1 + after[0][1] > MAX_REQUEST_BYTES
        for event, batch, after in zip(events, made, made[1:], strict=False)
    )
