"""The shop under AWS's own runtime client, beside plain functions that do the same."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from lambdakit.local.outcome import Failure, Reply
from lambdakit.local.process.environment import Result, RuntimeProcess
from lambdakit.local.process.runtime_api import Invocation
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

requests = count(1)


def invoked(process: RuntimeProcess, event: Any) -> Result:
    return process.invoke(
        Invocation(
            request_id=f"r{next(requests)}",
            payload=json.dumps(event).encode(),
            deadline_ms=int((time.time() + 30) * 1000),
            invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:shop",
        )
    )


def reply_of(result: Result) -> Any:
    assert isinstance(result.outcome, Reply)
    return json.loads(result.outcome.payload)


def failure_of(result: Result) -> Failure:
    assert isinstance(result.outcome, Failure)
    return result.outcome


def own_frames(failure: Failure, file: str) -> list[str]:
    """What the stack trace says of the user's own code: function and line of source."""
    return ["\n".join(frame.splitlines()[1:]).strip() for frame in failure.stack_trace if file in frame]


@pytest.fixture(scope="module")
def shop() -> Iterator[RuntimeProcess]:
    """One execution environment of the shop; that of this process is closed with it."""
    with RuntimeProcess("shop.app.handler", EXAMPLES) as process, closing(handler):
        yield process


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
def test_the_reply_is_the_one_that_a_test_sees(shop: RuntimeProcess, event: Any) -> None:
    """What the App returns in this process is what Lambda's caller gets."""
    assert reply_of(invoked(shop, event)) == json.loads(json.dumps(handler(event), default=float))


def test_an_environment_keeps_its_books(shop: RuntimeProcess) -> None:
    """A dependency of the environment, and the event loop of an async handler, live from one invocation to the next."""
    invoked(shop, events.sqs("shop-orders", {**ORDER, "id": "o-9"}))
    evening = events.schedule("close_of_business")

    reports = [reply_of(invoked(shop, evening)) for _ in range(2)]

    assert reports[0] == reports[1]
    assert " 0 orders" not in reports[0]


def test_an_exception_is_reported_as_that_of_a_plain_function(shop: RuntimeProcess, tmp_path: Path) -> None:
    """Type, message and the user's frame of the stack trace are the same; lambdakit adds frames, not wrapping."""
    (tmp_path / "plain.py").write_text(PLAIN, encoding="utf-8")
    event = {"sku": "spoon"}

    with RuntimeProcess("plain.quote", tmp_path) as process:
        plain = failure_of(invoked(process, event))
    ours = failure_of(invoked(shop, event))

    assert (ours.error_type, ours.error_message) == (plain.error_type, plain.error_message)
    assert own_frames(ours, "shipping.py") == [
        line.replace("event['sku']", "question.sku") for line in own_frames(plain, "plain.py")
    ]


def test_an_event_nobody_takes_is_the_functions_error(shop: RuntimeProcess) -> None:
    """Lambda's caller sees NoHandlerError with what came and what is registered."""
    failure = failure_of(invoked(shop, events.sqs("refunds", "{}")))

    assert failure.error_type == "NoHandlerError"
    assert "queue 'refunds'" in failure.error_message


def test_a_broken_registration_is_an_error_of_the_init_phase(tmp_path: Path) -> None:
    """As an exception in a plain module is: reported before any event, without a request id."""
    (tmp_path / "broken.py").write_text(
        "from lambdakit import App, on_s3\n\n@on_s3('uploads')\ndef ingest(upload): ...\n\nhandler = App(__name__)\n",
        encoding="utf-8",
    )

    with RuntimeProcess("broken.handler", tmp_path) as process:
        failure = process.initialize()

    assert failure is not None
    assert (failure.cause, failure.error_type, failure.request_id) == ("init", "RegistrationError", "")
    assert "parameter 'upload' has no annotation" in failure.error_message
