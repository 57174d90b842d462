"""Whatever a function does to its batches, each record is accounted for: real handlers, over many seeds."""

from __future__ import annotations

import os
import time
import warnings
from base64 import b64decode
from collections import Counter
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local import LocalLambda, LostRecordsWarning

FAULTS = ("ok", "fail", "late", "exit", "crash", "nonsense", "part")


def behave(fault: str, identifier: str) -> object:
    """What the first record of a batch that is not "ok" makes the handler do."""
    if fault == "fail":
        raise OSError("no more disk")
    if fault == "late":
        time.sleep(10)
    if fault == "exit":
        raise SystemExit(3)
    if fault == "crash":
        os._exit(1)
    if fault == "part":
        return {"batchItemFailures": [{"itemIdentifier": identifier}]}
    return "nonsense"


def answer(faults: list[tuple[str, str]]) -> object:
    """The answer to a batch, given what each record does and how it is called."""
    time.sleep(0.1)
    return next((behave(fault, identifier) for fault, identifier in faults if fault != "ok"), None)


@given(
    plan=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=25),
    seed=st.integers(0, 9),
    reserved=st.integers(1, 3),
    report=st.booleans(),
    duplicates=st.sampled_from([0.0, 0.3]),
)
def test_each_message_of_a_queue_is_done_or_dead(
    plan: list[str], seed: int, reserved: int, report: bool, duplicates: float
) -> None:
    """Nothing stays behind, and nothing vanishes; what AWS would lose in silence is told."""
    local = LocalLambda(seed=seed)
    dead = local.queue("dead")
    queue = local.queue(
        "orders", dead_letter_queue=dead, max_receive_count=2, duplicates=duplicates, reordering=duplicates
    )

    def handler(event: dict[str, Any], context: object) -> object:
        return answer([(record["body"], record["messageId"]) for record in event["Records"]])

    fn = local.deploy(handler, reserved_concurrency=reserved)
    mapping = local.map(queue, fn, function_response_types="ReportBatchItemFailures" if report else ())
    for fault in plan:
        queue.send(fault)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        local.run()

    counts = queue.counts
    assert (len(queue), len(dead), counts.deleted + counts.dead_lettered) == (0, counts.dead_lettered, len(plan))
    assert mapping.counts.held == 0
    assert bool(mapping.lost) == any(isinstance(each.message, LostRecordsWarning) for each in told)


@given(
    plan=st.lists(st.tuples(st.sampled_from(FAULTS), st.sampled_from("abc")), min_size=1, max_size=25),
    seed=st.integers(0, 9),
    reserved=st.integers(1, 3),
    settings=st.fixed_dictionaries(
        {
            "batch_size": st.integers(1, 6),
            "maximum_retry_attempts": st.integers(0, 2),
            "bisect_batch_on_function_error": st.booleans(),
            "parallelization_factor": st.integers(1, 3),
            "function_response_types": st.sampled_from(["ReportBatchItemFailures", ()]),
        }
    ),
)
def test_each_record_of_a_stream_is_done_or_given_up(
    plan: list[tuple[str, str]], seed: int, reserved: int, settings: dict[str, Any]
) -> None:
    """Its failure record says how many; the records of a key reach the function in order."""
    local = LocalLambda(seed=seed)
    stream = local.stream("readings", shard_count=2)
    seen: list[str] = []

    def handler(event: dict[str, Any], context: object) -> object:
        records = [record["kinesis"] for record in event["Records"]]
        seen.extend(record["partitionKey"] + record["sequenceNumber"] for record in records)
        return answer([(b64decode(record["data"]).decode(), record["sequenceNumber"]) for record in records])

    fn = local.deploy(handler, reserved_concurrency=reserved)
    mapping = local.map(stream, fn, on_failure="failed", **settings)
    for fault, key in plan:
        stream.put_record(fault, key)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LostRecordsWarning)
        local.run()

    given_up = Counter(letter.json["requestContext"]["condition"] for letter in local.queue("failed"))
    batches = sum(letter.json["KinesisBatchInfo"]["batchSize"] for letter in local.queue("failed"))
    counts = mapping.counts
    assert (counts.held, counts.received, counts.discarded) == (0, len(plan), batches)
    assert set(given_up) <= {"RetryAttemptsExhausted"}
    for key in "abc":
        firsts = list(dict.fromkeys(each for each in seen if each.startswith(key)))
        assert firsts == sorted(firsts, key=lambda each: int(each[1:]))
