"""The shop under AWS's own runtime client, beside plain functions that do the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lambdakit.local import Function, Invocation, LocalLambda
from lambdakit.testing import events
from shop.app import handler

EXAMPLES = Path(__file__).parents[1] / "examples"
PLAIN = """
def quote(event, context):
    raise LookupError(f"{event['sku']} is not on sale")

def echo(event, context):
    return {"batchItemFailures": []}
"""
POISON = {"id": "o-2", "customer": "bob", "quantity": -1}
ORDER = {"id": "o-1", "customer": "ann", "sku": "cup", "quantity": 4, "price": "6.00"}


def own_frames(invocation: Invocation, file: str) -> list[str]:
    """What the stack trace says of the user's own code: function and line of source."""
    assert invocation.error is not None
    return ["\n".join(frame.splitlines()[1:]).strip() for frame in invocation.error.trace if file in frame]


@pytest.fixture(scope="module")
def local() -> Iterator[LocalLambda]:
    """A service with real processes; the shop of this one is closed with it."""
    with LocalLambda(isolation="process") as local, closing(handler):
        yield local


@pytest.fixture(scope="module")
def shop(local: LocalLambda) -> Function:
    """The shop, as it is deployed."""
    return local.deploy("shop.app.handler", name="the-shop", task_root=EXAMPLES)


@pytest.mark.parametrize(
    "event",
    [
        events.sqs("shop-orders", ORDER, POISON),
        events.s3("shop-uploads", "orders/a b.csv", event_name="ObjectRemoved:Delete"),
        events.dynamodb("customers", new={"id": "ann", "name": "Ann"}),
        events.eventbridge("warehouse", "Order shipped", {"order": "o-1", "carrier": "DHL"}),
        {"sku": "cup", "quantity": 4},
    ],
    ids=["sqs", "s3", "dynamodb", "eventbridge", "direct"],
)
def test_the_reply_is_the_one_that_a_test_sees(shop: Function, event: Any) -> None:
    """What the App returns in this process is what Lambda's caller gets."""
    assert shop.invoke(event).payload == json.loads(json.dumps(handler(event), default=float))


def test_an_environment_keeps_its_books(shop: Function) -> None:
    """A dependency of the environment, and the event loop of an async handler, live from one invocation to the next."""
    shop.invoke(events.sqs("shop-orders", {**ORDER, "id": "o-9"}))
    evening = events.schedule("close_of_business")

    reports = [shop.invoke(evening).payload for _ in range(2)]

    assert reports[0] == reports[1]
    assert " 0 orders" not in reports[0]


def test_an_exception_is_reported_as_that_of_a_plain_function(
    local: LocalLambda, shop: Function, tmp_path: Path
) -> None:
    """Type, message and the user's frame of the stack trace are the same; lambdakit adds frames, not wrapping."""
    (tmp_path / "plain.py").write_text(PLAIN, encoding="utf-8")
    event = {"sku": "spoon"}

    plain = local.deploy("plain.quote", task_root=tmp_path).invoke(event)
    ours = shop.invoke(event)

    assert ours.error == plain.error
    assert own_frames(ours, "shipping.py") == [
        line.replace("event['sku']", "question.sku") for line in own_frames(plain, "plain.py")
    ]


def test_an_event_nobody_takes_is_the_functions_error(shop: Function) -> None:
    """Lambda's caller sees NoHandlerError with what came and what is registered."""
    error = shop.invoke(events.sqs("refunds", "{}")).error

    assert error is not None
    assert (error.type, "queue 'refunds'" in error.message) == ("NoHandlerError", True)
