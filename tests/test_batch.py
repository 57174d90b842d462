"""The rules of partial batch responses, without an App around them."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.batch import (
    Batch,
    FifoBatch,
    MessageBatch,
    StreamBatch,
    answer,
    chains,
    gathered,
    reported_identifiers,
)

KEYS = st.lists(st.sampled_from("abc"), max_size=12)
BATCHES = st.sampled_from((MessageBatch, FifoBatch, StreamBatch))


def failed(batch: Batch, keys: Sequence[Hashable], *positions: int) -> list[int]:
    """The positions that a batch answers with after these failures."""
    for position in positions:
        batch.fail(position, keys[position])
    return list(batch.failed(keys))


@given(KEYS, st.data())
def test_a_standard_queue_answers_with_the_failed_messages_and_skips_none(keys: list[str], data: st.DataObject) -> None:
    """Each message stands for itself, whatever its group: a standard queue may have groups too."""
    positions = data.draw(st.permutations(range(len(keys))))[: len(keys) // 2]
    batch = MessageBatch()

    assert failed(batch, keys, *positions) == sorted(positions)
    assert not any(batch.skips(position, key) for position, key in enumerate(keys))


@given(KEYS, st.data())
def test_a_fifo_queue_answers_with_the_rest_of_each_group_that_failed(keys: list[str], data: st.DataObject) -> None:
    """Lambda does not infer what comes after a failure in a group, so all of it is named, and no other group."""
    positions = data.draw(st.permutations(range(len(keys))))[: len(keys) // 3]
    rest = [p for p, key in enumerate(keys) if any(keys[q] == key and q <= p for q in positions)]

    assert failed(FifoBatch(), keys, *positions) == rest


@given(KEYS, st.data())
def test_a_fifo_queue_skips_what_comes_after_a_failure_of_its_group(keys: list[str], data: st.DataObject) -> None:
    """A later message of the group waits for the failed one; the failed one itself is not skipped."""
    positions = data.draw(st.permutations(range(len(keys))))[: len(keys) // 3]
    batch = FifoBatch()
    failed(batch, keys, *positions)

    assert [p for p, key in enumerate(keys) if batch.skips(p, key)] == [
        p for p, key in enumerate(keys) if any(keys[q] == key and q < p for q in positions)
    ]


@given(KEYS, st.data())
def test_a_stream_answers_with_the_lowest_failure_alone(keys: list[str], data: st.DataObject) -> None:
    """That record is the checkpoint; whatever comes after it is delivered again without being named."""
    positions = data.draw(st.permutations(range(len(keys))))[: len(keys) // 3]

    assert failed(StreamBatch(), keys, *positions) == sorted(positions)[:1]


@given(KEYS, st.data())
def test_a_stream_skips_nothing_before_its_checkpoint(keys: list[str], data: st.DataObject) -> None:
    """The checkpoint says that everything before it was handled, so after a failure the records before it still are."""
    positions = data.draw(st.permutations(range(len(keys))))[: len(keys) // 3]
    batch = StreamBatch()
    failed(batch, keys, *positions)

    lowest = min(positions, default=len(keys))
    assert [p for p, key in enumerate(keys) if batch.skips(p, key)] == list(range(lowest + 1, len(keys)))


@pytest.mark.parametrize(
    ("identifiers", "named"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        (["b", "a", "b"], ["b", "a"]),
        (["a", ""], [""]),
        (["a", None], [""]),
        (["a", 7], [""]),
        (["a", {}], [""]),
    ],
)
def test_an_answer_names_each_failure_once_or_the_whole_batch(identifiers: list[object], named: list[str]) -> None:
    """A message delivered twice in a batch is named once; a failure that can't be named fails everything."""
    assert answer(identifiers) == {"batchItemFailures": [{"itemIdentifier": identifier} for identifier in named]}


@pytest.mark.parametrize(
    ("reply", "identifiers"),
    [
        (None, []),
        ("", []),
        ([], []),
        ({}, []),
        (7, []),
        ({"batchItemFailures": None}, []),
        ({"batchItemFailures": []}, []),
        ({"batchItemFailures": [{"itemIdentifier": "a"}]}, ["a"]),
        ({"batchItemFailures": [{"itemIdentifier": "a", "why": "late"}, {"itemIdentifier": "b"}]}, ["a", "b"]),
        ({"batchItemFailures": [{"itemIdentifier": ""}]}, [""]),
        ({"batchItemFailures": [{"itemIdentifier": None}]}, [""]),
        ({"batchItemFailures": [{"itemIdentifier": 7}]}, [""]),
        ({"batchItemFailures": [{"itemIdentifier": ["a"]}]}, [""]),
        ({"batchItemFailures": [{"item_identifier": "a"}]}, [""]),
        ({"batchItemFailures": ["a"]}, [""]),
        ({"batchItemFailures": [None]}, [""]),
        ({"batchItemFailures": {"itemIdentifier": "a"}}, [""]),
        ({"batchItemFailures": "a"}, [""]),
        ({"batchItemFailures": ""}, [""]),
        ({"batchItemFailures": 0}, [""]),
    ],
)
def test_a_handlers_own_answer_is_read_as_lambda_reads_it(reply: Any, identifiers: list[str]) -> None:
    """No failures is success; an entry Lambda would not understand, or another type than a list, fails everything."""
    assert reported_identifiers(reply) == identifiers


@given(KEYS, BATCHES)
def test_chains_hold_every_record_once_and_each_key_in_its_order(keys: list[str], kind: type[Batch]) -> None:
    """What must stay in order is in one chain; in a standard queue nothing must."""
    found = chains(keys, kind())
    expected = [[p for p, key in enumerate(keys) if key == own] for own in dict.fromkeys(keys)]

    assert found == (expected if kind.ordered else [[position] for position in range(len(keys))])


@given(st.lists(st.tuples(st.sampled_from((None, "x", "y")), st.sampled_from("ab")), max_size=12), BATCHES)
def test_calls_for_several_records_keep_the_order_of_each_key(
    records: list[tuple[str | None, str]], kind: type[Batch]
) -> None:
    """Made in the order of their first records, calls never handle a record before an earlier one with its key."""
    takers, keys = [taker for taker, _ in records], [key for _, key in records]
    calls = gathered(takers, keys, kind())
    single = {position: [position] for position, taker in enumerate(takers) if taker is None}
    handled = [position for _, call in sorted((calls | single).items()) for position in call]

    assert sorted(handled) == list(range(len(records)))
    assert all(len({takers[position] for position in call}) == 1 and call[0] == first for first, call in calls.items())
    if kind.ordered:
        by_key = {own: [position for position in handled if keys[position] == own] for own in keys}
        assert all(positions == sorted(positions) for positions in by_key.values())


@given(KEYS, BATCHES)
def test_a_handler_that_shares_no_key_with_another_is_called_once(keys: list[str], kind: type[Batch]) -> None:
    """All records of a handler go into one call wherever that keeps the order."""
    calls = gathered(keys, keys, kind())

    assert sorted(map(len, calls.values())) == sorted(keys.count(key) for key in set(keys))


def test_two_handlers_that_share_a_key_take_turns() -> None:
    """An item is inserted, removed and inserted again: its second insert waits for the removal."""
    assert gathered(["insert", None, "insert"], ["k", "k", "k"], StreamBatch()) == {0: [0], 2: [2]}
