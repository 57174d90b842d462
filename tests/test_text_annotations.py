"""Handlers of a module with ``from __future__ import annotations``, whose annotations are text."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel

from lambdakit import App, Depends, Invocation, LambdaContext, on_invoke, on_sqs, on_start
from lambdakit.errors import RegistrationError
from lambdakit.events import SqsRecord
from lambdakit.middleware import CallNext

if TYPE_CHECKING:
    from decimal import Decimal as Money


class Order(BaseModel):
    items: list[Item]


@on_invoke
def count(order: Order, context: LambdaContext) -> int:
    return len(order.items)


class Item(BaseModel):
    id: str


def test_names_of_the_module_are_found() -> None:
    """Also those that a model needs and that are defined after the handler."""
    assert App(count)({"items": [{"id": "1"}]}) == 1


def test_names_of_the_enclosing_function_are_found() -> None:
    """A test defines its model, its dependencies and its handler in one place."""

    class Local(BaseModel):
        id: str

    class Store:
        name = "here"

    def connect() -> Store:
        return Store()

    def name(store: Annotated[Store, Depends(connect)]) -> str:
        return store.name

    @on_sqs()
    def handler(record: SqsRecord[Local], store: Annotated[Store, Depends(connect)]) -> None:
        seen.append((record.body, store.name))

    @on_sqs("other")
    def other(record: SqsRecord[Local], name: Annotated[str, Depends(name)]) -> None: ...

    seen: list[Any] = []
    App(handler, other)({"Records": [{"eventSource": "aws:sqs", "messageId": "1", "body": '{"id": "1"}'}]})

    assert seen == [(Local(id="1"), "here")]


def test_hooks_and_middleware_find_theirs() -> None:
    """Everything that App reads annotations of."""

    class Store(list[str]): ...

    def connect() -> Store:
        return Store()

    @on_start
    def fill(store: Annotated[Store, Depends(connect, scope="environment")]) -> None:
        store.append("filled")

    @on_invoke
    def handler(store: Annotated[Store, Depends(connect, scope="environment")]) -> list[str]:
        return store

    def twice(invocation: Invocation, call_next: CallNext) -> list[Any]:
        return [call_next(), call_next()]

    assert App(handler, fill, middleware=[twice])({}) == [["filled"], ["filled"]]


def test_a_name_only_for_type_checkers_is_told() -> None:
    """The message says what to move, and names the function, the file and the line."""

    @on_invoke
    def pay(amount: Money) -> None: ...

    with pytest.raises(RegistrationError) as caught:
        App(pay)

    assert str(caught.value) == (
        "an annotation names 'Money', which is not there when the function is registered\n"
        f"  at {__name__}.{pay.__qualname__} ({__file__}:{pay.__code__.co_firstlineno})\n"
        "Import or define 'Money' at the top of the module, outside of `if TYPE_CHECKING:`."
    )


def test_what_a_function_returns_is_its_own_affair() -> None:
    """Only parameters are given something: a type that is not there does no harm beside ``->``."""

    def price() -> Money:
        return 5  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    @on_invoke
    def pay(amount: Annotated[object, Depends(price)]) -> Money:
        return amount  # type: ignore[return-value]  # pyright: ignore[reportReturnType]

    assert App(pay)({}) == 5


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the type statement is new in Python 3.12")
def test_type_statements_are_looked_through() -> None:
    """``type Orders = list[Order]`` means what it says, for payloads, records and dependencies."""
    namespace: dict[str, Any] = {"__name__": __name__}
    exec(
        "from typing import Annotated\n"
        "from lambdakit import *\n"
        "from lambdakit.events import SqsRecord\n"
        "type Number = int\n"
        "type Message[T] = SqsRecord[T]\n"
        "type Seven = Annotated[int, Depends(lambda: 7)]\n"
        "type Context = LambdaContext\n"
        "seen = []\n"
        "@on_sqs('a')\n"
        "def of_record(message: Message[int], seven: Seven, context: Context):\n"
        "    seen.append((message.body, seven, context.function_name))\n"
        "@on_sqs('b')\n"
        "def of_payload(number: Number):\n"
        "    seen.append(number)\n",
        namespace,
    )
    arn = "arn:aws:sqs:us-east-1:1:"
    message = {"eventSource": "aws:sqs", "messageId": "1", "body": "5"}

    app = App(namespace["of_record"], namespace["of_payload"])
    app({"Records": [{**message, "eventSourceARN": f"{arn}a"}, {**message, "eventSourceARN": f"{arn}b"}]})

    assert namespace["seen"] == [(5, 7, "function"), 5]
