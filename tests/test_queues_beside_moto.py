"""Our queues beside moto's, which stands for SQS: the same requests at the same times.

Where the two differ, SQS is known to do as ours does, so those requests are left out here:

- moto keeps a message hidden for a millisecond longer than was asked for; nothing happens here at that instant.
- moto lets any handle that a message ever had delete it, and change its visibility. SQS says that an old one may not
  delete, and refuses one of a FIFO queue that has expired (recorded).
- moto forgets the message that a FIFO queue is to know again once that is deleted; SQS does not (recorded). It also
  answers with an id of its own for the second message.
- moto hands out the groups of a FIFO queue mixed, in the order in which messages came; SQS as much of one group as it
  can. Both keep the order of each group.
- moto frees the messages of a group one after the other, while it hands them out: of two that are to be seen again it
  hands out the second only. What is to be seen again is freed here before.
- moto counts characters for the size of a message, SQS bytes, those of the attributes too.
- moto counts the twelve hours that a message may be hidden from when it was sent, SQS from when it was received.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import time_machine
from hypothesis import given
from hypothesis import strategies as st
from moto import mock_aws
from moto.sqs.models import SQSBackend, sqs_backends

from lambdakit.local.sources.messages import IN_FLIGHT, VISIBLE, Message
from lambdakit.local.sources.queue import Queue
from lambdakit.local.sources.source import Place
from lambdakit.local.virtual.clock import VirtualClock

Seen = tuple[str, int, str, str | None]
"""Of a message that was received: its body, how often, and the digests."""

WAITS = st.sampled_from([0.51, 3.01, 10.01])
"""Seconds; those hidden for whole seconds are never met at the instant when they are seen again."""


class Ours:
    """A queue with a dead-letter queue."""

    def __init__(self, clock: VirtualClock, suffix: str) -> None:
        self.clock = clock
        self.letters = Queue(f"letters{suffix}", Place(clock))
        self.queue = Queue(
            f"orders{suffix}", Place(clock), visibility_timeout=6, dead_letter_queue=self.letters, max_receive_count=2
        )
        self.handles: dict[str, Message] = {}

    def send(self, number: int, group: str, delay: int, attributes: dict[str, Any]) -> None:
        fifo: dict[str, Any] = {"message_group_id": group, "message_deduplication_id": str(number)}
        rest: dict[str, Any] = fifo if self.queue.fifo else {"delay_seconds": delay}
        self.queue.send(str(number), message_attributes=attributes, **rest)

    def receive(self) -> list[Seen]:
        messages = self.queue.receive(10)
        self.handles.update({message.body: message for message in messages})
        return [
            (message.body, message.receive_count, message.md5_of_body, message.md5_of_message_attributes)
            for message in messages
        ]

    def delete(self, body: str) -> None:
        self.queue.delete(self.handles.pop(body))

    def change_visibility(self, body: str, seconds: int) -> None:
        self.queue.change_visibility(self.handles[body], seconds)

    def state(self) -> tuple[int, int, int, int]:
        return self.queue.visible, self.queue.in_flight, self.queue.delayed, len(self.letters)


class Theirs:
    """The same in moto."""

    def __init__(self, suffix: str) -> None:
        self.backend = SQSBackend("us-east-1", "123456789012")
        sqs_backends["123456789012"]["us-east-1"] = self.backend  # where it looks for a dead-letter queue
        self.name, self.letters = f"orders{suffix}", f"letters{suffix}"
        self.fifo = bool(suffix)
        kind: dict[str, Any] = {"FifoQueue": "true"} if suffix else {}
        letters = self.backend.create_queue(self.letters, **kind)
        policy = {"deadLetterTargetArn": letters.queue_arn, "maxReceiveCount": 2}
        self.queue = self.backend.create_queue(self.name, VisibilityTimeout=6, RedrivePolicy=policy, **kind)
        self.handles: dict[str, str] = {}

    def send(self, number: int, group: str, delay: int, attributes: dict[str, Any]) -> None:
        fifo: dict[str, Any] = {"group_id": group, "deduplication_id": str(number)}
        rest: dict[str, Any] = fifo if self.fifo else {"delay_seconds": delay}
        self.backend.send_message(self.name, str(number), message_attributes=attributes, **rest)

    def receive(self) -> list[Seen]:
        pending = self.queue.pending_messages
        pending -= {message for message in pending if message.visible}
        messages = self.backend.receive_message(self.name, 10, 0, 6, message_attribute_names=["All"])
        self.handles.update({message.body: str(message.receipt_handle) for message in messages})
        return [
            (
                message.body,
                message.approximate_receive_count,
                message.body_md5,
                message.attribute_md5 if message.message_attributes else None,
            )
            for message in messages
        ]

    def delete(self, body: str) -> None:
        self.backend.delete_message(self.name, self.handles.pop(body))

    def change_visibility(self, body: str, seconds: int) -> None:
        self.backend.change_message_visibility(self.name, self.handles[body], seconds)

    def state(self) -> tuple[int, int, int, int]:
        queue = self.queue
        return (
            queue.approximate_number_of_messages,
            queue.approximate_number_of_messages_not_visible,
            queue.approximate_number_of_messages_delayed,
            self.backend.get_queue(self.letters).approximate_number_of_messages,
        )


@contextmanager
def both(suffix: str) -> Generator[tuple[Ours, Theirs, time_machine.Traveller]]:
    clock = VirtualClock()
    with mock_aws(), time_machine.travel(clock.today, tick=False) as traveller:
        yield Ours(clock, suffix), Theirs(suffix), traveller


ATTRIBUTES: list[dict[str, Any]] = [
    {},
    {"kind": {"DataType": "String", "StringValue": "é"}},
    {"data": {"DataType": "Binary", "BinaryValue": b"\0\1"}, "n": {"DataType": "Number", "StringValue": "1.50"}},
]


def compare(data: st.DataObject, suffix: str) -> None:
    with both(suffix) as (ours, theirs, traveller):
        for number in range(data.draw(st.integers(1, 25))):
            step = data.draw(st.sampled_from(["send", "send", "receive", "receive", "delete", "change", "wait"]))
            bodies = still_valid(ours)
            if step == "send" and len(ours.queue) < 10:  # so many are received at once
                given = (number, data.draw(st.sampled_from("ab")), data.draw(st.sampled_from([0, 4])))
                attributes = data.draw(st.sampled_from(ATTRIBUTES))
                ours.send(*given, attributes)
                theirs.send(*given, attributes)
            elif step == "receive":
                assert sorted(ours.receive()) == sorted(theirs.receive())
            elif step == "delete" and bodies:
                body = data.draw(st.sampled_from(bodies))
                ours.delete(body)
                theirs.delete(body)
            elif step == "change" and bodies:
                change = data.draw(st.sampled_from(bodies)), data.draw(st.sampled_from([1, 20]))
                ours.change_visibility(*change)
                theirs.change_visibility(*change)
            # Off the whole seconds: at the very instant when SQS shows a message moto hides it still.
            seconds = data.draw(WAITS) if step == "wait" else 0.01
            ours.clock.run(until=ours.clock.now + seconds)
            traveller.shift(seconds)
            assert ours.state() == theirs.state()


def still_valid(ours: Ours) -> list[str]:
    """Messages whose handles neither of the two refuses: of what is there, in a FIFO queue in flight."""
    accepted = (IN_FLIGHT,) if ours.queue.fifo else (IN_FLIGHT, VISIBLE)
    return [body for body, message in ours.handles.items() if message.state in accepted]


@given(st.data())
def test_a_standard_queue_does_as_motos(data: st.DataObject) -> None:
    """What is received, how often, with which digests; what is where; what becomes a dead letter."""
    compare(data, "")


@given(st.data())
def test_a_fifo_queue_does_as_motos(data: st.DataObject) -> None:
    """And whose turn it is."""
    compare(data, ".fifo")
