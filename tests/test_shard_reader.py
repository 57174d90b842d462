"""How a mapping works through a shard: batches, retries, halves, ages, lanes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.local.mappings.shard_reader import (
    READ_AHEAD,
    Batch,
    Deliver,
    Entry,
    Expire,
    GiveUp,
    LoseWindow,
    Policy,
    ShardReader,
)

DAY = 86_400.0
Verdict = int | str
"""What comes of a delivery: "ok", "error", "throttled", or the number of the first record that failed."""


def entries(*names: str, at: float = 0, size: int = 10) -> list[Entry[str]]:
    """Records by their names, which begin with their keys."""
    return [Entry(name, name, b"x" * size, at, position) for position, name in enumerate(names)]


def reader(*, retention: float = DAY, **policy: Any) -> ShardReader[str]:
    """A reader of records whose key is their first letter."""
    return ShardReader(Policy(**policy), retention=retention, envelope=14, key=lambda name: name[:1].encode())


def settle(a_reader: ShardReader[str], batch: Batch[str], verdict: Verdict, now: float) -> None:
    """Tell the reader what came of a delivery."""
    if verdict == "ok":
        a_reader.succeeded(batch, now)
    elif verdict == "error":
        a_reader.failed(batch, now)
    elif verdict == "throttled":
        a_reader.throttled(batch, now)
    else:
        a_reader.stopped_at(batch, int(verdict), now)


def work(a_reader: ShardReader[str], script: Callable[[Sequence[str]], Verdict], now: float = 0) -> list[object]:
    """What happens until nothing is left to do: when what was delivered, and what was given up after how many calls."""
    log: list[object] = []
    while True:
        decisions = a_reader.due(now)
        for decision in decisions:
            if isinstance(decision, Deliver):
                names = [entry.record for entry in decision.batch.entries]
                log.append((now, "".join(names)))
                settle(a_reader, decision.batch, script(names), now)
            elif isinstance(decision, GiveUp):
                calls = decision.batch.invokes if decision.batch else 0
                log.append((decision.condition, "".join(entry.record for entry in decision.entries), calls))
            elif isinstance(decision, Expire):
                log.append(("expired", "".join(entry.record for entry in decision.entries)))
            else:
                assert isinstance(decision, LoseWindow)
                log.append(("lost", decision.window))
        if not decisions:
            if a_reader.wake is None:
                return log
            now = a_reader.wake


def failing(*bad: str) -> Callable[[Sequence[str]], Verdict]:
    """A function that raises for a batch with one of these."""
    return lambda names: "error" if set(bad) & set(names) else "ok"


def reporting(*bad: str) -> Callable[[Sequence[str]], Verdict]:
    """A function that reports the first of these."""
    return lambda names: next((number for number, name in enumerate(names) if name in bad), "ok")


def test_records_are_gathered_into_batches() -> None:
    """Full ones as long as there are enough; what is left goes out by itself."""
    a_reader = reader(batch_size=2)
    a_reader.feed(entries(*"abcde"), 0)

    assert work(a_reader, failing()) == [(0, "ab"), (0, "cd"), (0, "e")]


def test_a_batch_waits_for_its_window() -> None:
    """From its first record on; a full one does not wait."""
    a_reader = reader(batch_size=3, window=5)
    a_reader.feed(entries(*"ab"), 1)
    a_reader.feed(entries(*"cd"), 2)

    assert work(a_reader, failing(), now=2) == [(2, "abc"), (7, "d")]


def test_a_batch_that_is_not_full_waits_while_more_is_there() -> None:
    """It is read at once."""
    a_reader = reader(batch_size=3)
    a_reader.feed(entries(*"ab"), 0, more=True)
    first = (a_reader.due(0), a_reader.wake, a_reader.hungry)
    a_reader.feed(entries(*"cd"), 0)

    assert first == ([], None, True)
    assert work(a_reader, failing()) == [(0, "abc"), (0, "d")]


def test_the_last_records_of_a_shard_wait_for_none() -> None:
    """No more will come."""
    a_reader = reader(batch_size=3, window=60)
    a_reader.feed(entries(*"ab"), 0, ended=True)

    assert work(a_reader, failing()) == [(0, "ab")]
    assert (a_reader.finished, a_reader.held) == (True, 0)


HISTORIES: list[tuple[str, dict[str, Any], Callable[[Sequence[str]], Verdict], list[object]]] = [
    (
        "no retry",
        {"maximum_retry_attempts": 0},
        failing("b"),
        [(0, "abcd"), ("RetryAttemptsExhausted", "abcd", 1)],
    ),
    (
        "two retries, later and later",
        {"maximum_retry_attempts": 2},
        failing("b"),
        [(0, "abcd"), (1, "abcd"), (3, "abcd"), ("RetryAttemptsExhausted", "abcd", 3)],
    ),
    (
        "halves use up no retry",
        {"maximum_retry_attempts": 1, "bisect": True},
        failing("c"),
        [(0, "abcd"), (0, "ab"), (0, "cd"), (0, "c"), (1, "c"), ("RetryAttemptsExhausted", "c", 2), (1, "d")],
    ),
    (
        "halves without a retry",
        {"maximum_retry_attempts": 0, "bisect": True},
        failing("a", "d"),
        [
            (0, "abcd"),
            (0, "ab"),
            (0, "a"),
            ("RetryAttemptsExhausted", "a", 1),
            (0, "b"),
            (0, "cd"),
            (0, "c"),
            (0, "d"),
            ("RetryAttemptsExhausted", "d", 1),
        ],
    ),
    (
        "the bad record is delivered five times with three retries, its failure record says four",
        {"maximum_retry_attempts": 3},
        reporting("d"),
        [(0, "abcd"), (0, "d"), (1, "d"), (3, "d"), (7, "d"), ("RetryAttemptsExhausted", "d", 4)],
    ),
    (
        "what comes after the bad record goes with it",
        {"maximum_retry_attempts": 1},
        reporting("c"),
        [(0, "abcd"), (0, "cd"), (1, "cd"), ("RetryAttemptsExhausted", "cd", 2)],
    ),
    (
        "each step forward begins anew",
        {"maximum_retry_attempts": 0},
        reporting("b", "c"),
        [(0, "abcd"), (0, "bcd"), ("RetryAttemptsExhausted", "bcd", 1)],
    ),
    (
        "a batch that reports is split where it says, not halved",
        {"maximum_retry_attempts": 1, "bisect": True},
        reporting("d"),
        [(0, "abcd"), (0, "d"), (1, "d"), ("RetryAttemptsExhausted", "d", 2)],
    ),
]


@pytest.mark.parametrize(
    ("policy", "script", "history"), [row[1:] for row in HISTORIES], ids=[row[0] for row in HISTORIES]
)
def test_a_failed_batch_is_tried_again(
    policy: dict[str, Any], script: Callable[[Sequence[str]], Verdict], history: list[object]
) -> None:
    """By the mapping's settings, and given up at last."""
    a_reader = reader(**policy)
    a_reader.feed(entries(*"abcd"), 0)

    assert work(a_reader, script) == history
    assert (a_reader.held, a_reader.checkpoint) == (0, None)


def test_retries_go_on_until_the_source_has_lost_the_records() -> None:
    """Each time later, by a minute at most."""
    a_reader = reader(retention=200)
    a_reader.feed(entries(*"ab"), 0)

    history = work(a_reader, failing("a"))

    assert history == [*((time, "ab") for time in (0, 1, 3, 7, 15, 31, 63, 123, 183)), ("expired", "ab")]


def test_records_that_are_too_old_are_given_up() -> None:
    """Before they are delivered; younger ones of their batch are."""
    a_reader = reader(maximum_record_age=60)
    a_reader.feed([*entries(*"ab", at=0), *entries(*"cd", at=50)], 61)

    assert work(a_reader, failing(), now=61) == [("RecordAgeExceeded", "ab", 0), (61, "cd")]


def test_a_record_grows_too_old_while_it_is_retried() -> None:
    """Its age is looked at before each attempt: here before that after 63 s."""
    a_reader = reader(maximum_record_age=60)
    a_reader.feed(entries("a"), 0)

    history = work(a_reader, failing("a"))

    assert history == [*((time, "a") for time in (0, 1, 3, 7, 15, 31)), ("RecordAgeExceeded", "a", 6)]


def test_a_throttle_uses_up_no_retry() -> None:
    """The same batch comes again, later and later."""
    a_reader = reader(maximum_retry_attempts=0)
    a_reader.feed(entries(*"ab"), 0)
    verdicts: list[Verdict] = ["throttled", "throttled", "throttled", "error"]

    history = work(a_reader, lambda names: verdicts.pop(0))

    assert history == [(0, "ab"), (1, "ab"), (3, "ab"), (7, "ab"), ("RetryAttemptsExhausted", "ab", 1)]


def test_a_throttled_batch_grows_too_old() -> None:
    """Or falls off its source."""
    a_reader = reader(maximum_record_age=60)
    a_reader.feed(entries("a"), 0)

    history = work(a_reader, lambda names: "throttled")

    assert history[-1] == ("RecordAgeExceeded", "a", 0)


def test_a_record_that_fits_in_no_event_is_given_up() -> None:
    """The others go on."""
    a_reader = reader()
    a_reader.feed([*entries("a"), *entries("b", size=7_000_000), *entries("c")], 0)

    assert work(a_reader, failing()) == [("MaximumPayloadSizeExceeded", "b", 0), (0, "ac")]


def test_a_batch_is_no_larger_than_an_event() -> None:
    """6 MB."""
    a_reader = reader()
    a_reader.feed(entries(*"abcdefg", size=1024 * 1024), 0)

    assert work(a_reader, failing()) == [(0, "abcde"), (0, "fg")]


def test_a_blocked_shard_is_not_read_on() -> None:
    """Until the batch is done; then it is."""
    a_reader = reader()
    a_reader.feed(entries("a"), 0)
    [delivery] = a_reader.due(0)
    assert isinstance(delivery, Deliver)
    before = a_reader.hungry

    a_reader.succeeded(delivery.batch, 1)

    assert (before, a_reader.hungry) == (False, True)


def test_keys_are_worked_on_side_by_side() -> None:
    """One batch a lane; the records of a key in one."""
    a_reader = reader(parallelization_factor=10, batch_size=2)
    names = [f"{key}{number}" for number in range(3) for key in "abcdefgh"]
    a_reader.feed(entries(*names), 0)

    first = [decision.batch for decision in a_reader.due(0) if isinstance(decision, Deliver)]

    assert len(first) == len({id(batch.lane) for batch in first}) > 3
    assert all(len(batch.entries) <= 2 for batch in first)


def test_one_blocked_key_does_not_stop_the_others() -> None:
    """But the checkpoint waits for it, and what is read ahead is limited."""
    a_reader = reader(parallelization_factor=2, batch_size=10)
    a_reader.feed(entries("a1", "d1", "d2"), 0)
    batches = {
        decision.batch.entries[0].record: decision.batch
        for decision in a_reader.due(0)
        if isinstance(decision, Deliver)
    }
    a_reader.throttled(batches["a1"], 0)
    a_reader.succeeded(batches["d1"], 0)
    before = (a_reader.checkpoint, a_reader.hungry)

    a_reader.feed(entries(*["a"] * READ_AHEAD), 0)

    assert (before, a_reader.checkpoint, a_reader.hungry) == ((0, True), 0, False)


def test_what_was_decided_is_told_though_nothing_more_is_delivered() -> None:
    """A mapping that stops leaves nothing half done."""
    a_reader = reader(maximum_retry_attempts=0, batch_size=1)
    a_reader.feed(entries("a", "b"), 0)
    [delivery] = a_reader.due(0)
    assert isinstance(delivery, Deliver)
    a_reader.failed(delivery.batch, 0)

    [told] = a_reader.decided()

    assert isinstance(told, GiveUp)
    assert [entry.record for entry in told.entries] == ["a"]
    assert (a_reader.decided(), a_reader.held) == ([], 1)


verdicts = st.one_of(st.sampled_from(["ok", "ok", "error", "throttled"]), st.integers(0, 5))


@given(
    st.fixed_dictionaries(
        {
            "batch_size": st.integers(1, 6),
            "window": st.sampled_from([0.0, 3.0]),
            "parallelization_factor": st.integers(1, 4),
            "maximum_retry_attempts": st.integers(-1, 2),
            "maximum_record_age": st.sampled_from([-1, 60]),
            "bisect": st.booleans(),
        }
    ),
    st.lists(st.lists(st.sampled_from("abcd"), max_size=8), max_size=8),
    st.lists(verdicts, max_size=40),
)
def test_each_record_ends_once_and_those_of_a_key_in_order(
    policy: dict[str, Any], pages: list[list[str]], faults: list[Verdict]
) -> None:
    """Done, given up or expired; none is delivered before those of its key that came before it have ended."""
    a_reader = reader(retention=500, **policy)
    now, fed = 0.0, 0
    ended: list[str] = []
    order: dict[str, list[str]] = {}
    running: list[Batch[str]] = []
    pages = [*pages, []]
    while not a_reader.finished:
        for decision in a_reader.due(now):
            if isinstance(decision, Deliver):
                assert 0 < len(decision.batch.entries) <= policy["batch_size"]
                for entry in decision.batch.entries:
                    before = order[entry.record[0]][: order[entry.record[0]].index(entry.record)]
                    here = [it.record for it in decision.batch.entries]
                    assert set(before) <= {*ended, *here}
                running.append(decision.batch)
            elif isinstance(decision, GiveUp | Expire):
                ended += [entry.record for entry in decision.entries]
        assert len(running) <= policy["parallelization_factor"]
        if running:
            batch = running.pop(0)
            names = [entry.record for entry in batch.entries]
            verdict = faults.pop() if faults else "ok"
            verdict = min(verdict, len(names) - 1) if isinstance(verdict, int) else verdict
            settle(a_reader, batch, verdict, now)
            ended += names if verdict == "ok" else names[:verdict] if isinstance(verdict, int) else []
        elif pages and a_reader.hungry:
            page = [f"{key}{fed + number}" for number, key in enumerate(pages.pop(0))]
            fed += len(page)
            for name in page:
                order.setdefault(name[0], []).append(name)
            a_reader.feed(entries(*page, at=now), now, more=bool(pages) and len(page) == 8, ended=not pages)
        else:
            assert a_reader.wake is not None
            now = max(now + 0.5, a_reader.wake)

    assert sorted(ended) == sorted(name for names in order.values() for name in names)
    assert (a_reader.held, a_reader.checkpoint) == (0, None)
