"""What a function's answer to a batch says of its records."""

from __future__ import annotations

import json
from collections.abc import Hashable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.mappings.answers import Answer, read_answer
from lambdakit.local.outcome import Failure, Reply

BATCH = ("a", "b", "c")
ALL = Answer(None)
NONE = Answer(frozenset())


def reply(value: object) -> Reply:
    return Reply(json.dumps(value).encode())


def listing(*identifiers: object) -> Reply:
    return reply({"batchItemFailures": [{"itemIdentifier": identifier} for identifier in identifiers]})


@pytest.mark.parametrize(
    "answer", [None, "", [], {}, {"batchItemFailures": None}, {"batchItemFailures": []}, {"status": "ok"}]
)
def test_an_answer_without_failures_is_a_success(answer: object) -> None:
    """Null, an empty text, list or object, and an object that lists nothing."""
    assert read_answer(reply(answer), BATCH, report_batch_item_failures=True) == NONE


@pytest.mark.parametrize(
    "outcome",
    [
        listing(""),
        listing(None),
        listing("nobody"),
        listing("a", "nobody"),
        listing(7),
        listing(["a"]),
        listing({"partition": ["a"], "offset": 1}),
        reply({"batchItemFailures": [{"itemId": "a"}]}),
        reply({"batchItemFailures": ["a"]}),
        reply({"batchItemFailures": {"itemIdentifier": "a"}}),
        reply({"batchItemFailures": "a"}),
        reply("done"),
        reply(["a"]),
        reply(7),
        reply(False),
        Reply(b"no JSON"),
        Failure.of_time(3),
    ],
    ids=str,
)
def test_an_answer_that_cannot_be_understood_fails_the_whole_batch(outcome: Reply | Failure) -> None:
    """No JSON or another kind of it, an identifier that is missing, empty, null or not of the batch, and an error."""
    assert read_answer(outcome, BATCH, report_batch_item_failures=True) == ALL


def test_the_listed_records_fail_and_the_others_are_done() -> None:
    """One that is listed twice counts once."""
    answer = read_answer(listing("c", "a", "c"), BATCH, report_batch_item_failures=True)

    assert answer == Answer(frozenset({"a", "c"}))


def test_a_record_of_kafka_is_named_by_partition_and_offset() -> None:
    """Its identifier is an object."""
    answer = read_answer(
        listing({"partition": "orders-0", "offset": 100}),
        [("orders-0", 100), ("orders-0", 101)],
        report_batch_item_failures=True,
    )

    assert answer == Answer(frozenset({("orders-0", 100)}))


@pytest.mark.parametrize(
    ("outcome", "answer"),
    [
        (listing("a", "b"), Answer(frozenset(), ignored=frozenset({"a", "b"}))),
        (listing("nobody"), Answer(frozenset(), ignored=frozenset(BATCH))),
        (reply("done"), NONE),
        (Reply(b"no JSON"), NONE),
        (reply(None), NONE),
        (Failure.of_time(3), ALL),
    ],
    ids=["listed", "not of the batch", "text", "no JSON", "null", "an error"],
)
def test_without_report_batch_item_failures_only_an_error_fails_the_batch(
    outcome: Reply | Failure, answer: Answer
) -> None:
    """What the function listed is kept, for the warning: its records are taken for done."""
    assert read_answer(outcome, BATCH, report_batch_item_failures=False) == answer


@given(st.lists(st.text(min_size=1), unique=True, min_size=1), st.data())
def test_whatever_is_listed_of_a_batch_is_what_failed(known: list[str], data: st.DataObject) -> None:
    """Any part of a batch, in any order, with repetitions."""
    failed: list[Hashable] = data.draw(st.lists(st.sampled_from(known)))

    assert read_answer(listing(*failed), known, report_batch_item_failures=True) == Answer(frozenset(failed))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.sampled_from(["batchItemFailures", "itemIdentifier", "x"]), inner)
    ),
)


@given(JSON, st.booleans())
def test_no_answer_is_too_strange(answer: object, report: bool) -> None:
    """Whatever JSON a function returns: some of the batch failed, none or all of it."""
    failed = read_answer(reply(answer), BATCH, report_batch_item_failures=report).failed

    assert failed is None or failed <= set(BATCH)
