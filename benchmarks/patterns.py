"""Event patterns: how many events a second are tried against five patterns, the answer compared with what is right.

CPU time of this process, garbage collection included. The patterns use most of the operators; the events are an order
that most of them take, two that fewer take, and one that none does.
"""

from __future__ import annotations

import time
from itertools import repeat

from benchmarks.measure import Figure
from benchmarks.works import WrongAnswer
from lambdakit.patterns import EventPattern

SAMPLE = 20_000_000  # ns that a sample takes, at least
SAMPLES = 60

PATTERNS: tuple[dict[str, object], ...] = (
    {"source": ["shop"], "detail-type": ["Order placed", "Order paid"]},
    {"source": ["shop"], "detail": {"total": [{"numeric": [">=", 100, "<", 1000]}]}},
    {
        "source": [{"prefix": "sh"}],
        "detail": {"state": [{"anything-but": ["cancelled"]}], "coupon": [{"exists": False}]},
    },
    {
        "detail": {
            "customer": {"email": [{"suffix": "@example.com"}], "tier": ["gold", "silver"]},
            "items": {"sku": [{"wildcard": "BOOK-*-EN"}]},
        }
    },
    {"source": ["shop"], "detail": {"$or": [{"priority": ["high"]}, {"customer": {"tier": ["gold"]}}]}},
)


def _event(source: str, detail_type: str, detail: dict[str, object]) -> dict[str, object]:
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": "2026-01-01T12:00:00Z",
        "region": "us-east-1",
        "resources": [],
        "detail": detail,
    }


EVENTS = (
    _event(
        "shop",
        "Order placed",
        {
            "id": "1",
            "total": 250.0,
            "state": "new",
            "priority": "low",
            "customer": {"id": "c1", "tier": "gold", "email": "ada@example.com"},
            "items": [{"sku": "PEN-1", "quantity": 1}, {"sku": "BOOK-7-EN", "quantity": 2}],
        },
    ),
    _event(
        "shop",
        "Order paid",
        {
            "id": "2",
            "total": 19.5,
            "state": "paid",
            "priority": "high",
            "customer": {"id": "c2", "tier": "silver", "email": "bob@example.org"},
            "items": [{"sku": "BOOK-8-DE", "quantity": 1}],
        },
    ),
    _event(
        "shop",
        "Order placed",
        {
            "id": "3",
            "total": 500,
            "state": "cancelled",
            "priority": "low",
            "coupon": "SPRING",
            "customer": {"id": "c3", "tier": "none", "email": "eve@example.com"},
            "items": [],
        },
    ),
    _event("aws.s3", "Object Created", {"bucket": {"name": "uploads"}, "object": {"key": "inbox/1.csv", "size": 10}}),
)
RIGHT = [
    [True, True, True, True, True],
    [True, False, True, False, True],
    [True, True, False, False, False],
    [False, False, False, False, False],
]


def measure() -> list[Figure]:
    """Events a second.

    Raises:
        WrongAnswer: a pattern took an event that it should leave, or left one that it should take.
    """
    tests = [EventPattern(pattern).matches for pattern in PATTERNS]
    taken = [[test(event) for test in tests] for event in EVENTS]
    if taken != RIGHT:
        raise WrongAnswer(f"the patterns took {taken}")

    def timed(times: int) -> int:
        start = time.process_time_ns()
        for _ in repeat(None, times):
            for event in EVENTS:
                for test in tests:
                    test(event)
        return time.process_time_ns() - start

    times = 1
    while timed(times) < SAMPLE:
        times *= 2
    samples = [times * len(EVENTS) / timed(times) * 1e9 for _ in range(SAMPLES)]
    return [Figure("event patterns, an event against 5", "/s", 200_000, at_least=True, samples=samples)]
