"""What a function's answer to a batch says of its records: done, or to be delivered again. Decided without I/O.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
"""

from __future__ import annotations

from collections.abc import Collection, Hashable
from dataclasses import dataclass

from pydantic_core import from_json

from lambdakit.local.outcome import Failure, Outcome


@dataclass(frozen=True, slots=True)
class Answer:
    """What a mapping makes of an answer.

    Attributes:
        failed: The identifiers of the records that failed; None is the whole batch.
        ignored: What the function listed as failed though its mapping does not look: it takes all for done.
    """

    failed: frozenset[Hashable] | None
    ignored: frozenset[Hashable] = frozenset()


ALL_FAILED = Answer(None)
"""The answer that there is none."""
_ALL_DONE = Answer(frozenset())


def read_answer(outcome: Outcome, known: Collection[Hashable], *, report_batch_item_failures: bool) -> Answer:
    """Read the answer to a batch.

    With ``ReportBatchItemFailures`` the listed records failed. Nothing listed is a success: ``null``, ``""``, ``[]``,
    ``{}``, an object without ``batchItemFailures`` or with none in it. What can't be understood fails the whole batch:
    no JSON, another kind of JSON, an identifier that is missing, empty or not of this batch.

    Args:
        outcome: How the invocation ended.
        known: The identifiers of the batch's records; a record of Kafka is known as ``(partition, offset)``, with the
            partition as in ``"orders-0"``.
        report_batch_item_failures: Whether the mapping has ``ReportBatchItemFailures``.
    """
    if isinstance(outcome, Failure):
        return ALL_FAILED
    listed = _listed(outcome.payload)
    if listed is None:
        return ALL_FAILED if report_batch_item_failures else _ALL_DONE
    if not listed:
        return _ALL_DONE
    identifiers = _identifiers(listed, frozenset(known))
    if report_batch_item_failures:
        return Answer(identifiers)
    return Answer(frozenset(), ignored=frozenset(known) if identifiers is None else identifiers)


def _listed(payload: bytes) -> list[object] | None:
    """The items of ``batchItemFailures``; None if the payload is not an answer at all."""
    if payload == b"null":
        return []
    try:
        answer = from_json(payload)
    except ValueError:
        return None
    if answer in (None, "", [], {}):
        return []
    if not isinstance(answer, dict):
        return None
    items = answer.get("batchItemFailures")
    return [] if items is None else items if isinstance(items, list) else None


def _identifiers(listed: list[object], known: frozenset[Hashable]) -> frozenset[Hashable] | None:
    """The records that are listed; None if one of them is not of this batch."""
    identifiers = {_identifier(item) for item in listed}
    return frozenset(identifiers) if identifiers <= known else None


def _identifier(item: object) -> Hashable:
    """The record that an item means; None, which no record is called, if it means none."""
    identifier = item.get("itemIdentifier") if isinstance(item, dict) else None
    if isinstance(identifier, dict):
        identifier = identifier.get("partition"), identifier.get("offset")
        return identifier if all(isinstance(part, str | int) for part in identifier) else None
    return identifier if isinstance(identifier, str) else None
