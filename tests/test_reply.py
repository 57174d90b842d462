"""What a handler returns, as JSON can hold it."""

import dataclasses
import json
from collections import OrderedDict, defaultdict, deque
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel

from lambdakit import App, on_invoke
from lambdakit.reply import jsonable


class Order(BaseModel):
    id: str = Field(serialization_alias="orderId")
    total: Decimal = Decimal("1.50")
    placed: date | None = None


class Orders(RootModel[list[Order]]): ...


@dataclasses.dataclass
class Point:
    x: int
    inner: Any = None


class Pair(NamedTuple):
    left: int
    right: Any


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    HIGH = 3


class Shape(Enum):
    ROUND = "round"


IDENTIFIER = UUID("12345678-1234-5678-1234-567812345678")

REPLIES: list[tuple[Any, Any]] = [
    (Order(id="1"), {"orderId": "1", "total": "1.50", "placed": None}),
    ([Order(id="1", placed=date(2026, 1, 2))], [{"orderId": "1", "total": "1.50", "placed": "2026-01-02"}]),
    (Orders([Order(id="1")]), [{"orderId": "1", "total": "1.50", "placed": None}]),
    ({"orders": (Order(id="1"),)}, {"orders": [{"orderId": "1", "total": "1.50", "placed": None}]}),
    (Point(1, [Point(2)]), {"x": 1, "inner": [{"x": 2, "inner": None}]}),
    (Pair(1, Point(2)), [1, {"x": 2, "inner": None}]),
    ({1}, [1]),
    (frozenset("a"), ["a"]),
    (deque([1, 2]), [1, 2]),
    (defaultdict(int, a=1), {"a": 1}),
    (OrderedDict(a=Colour.RED), {"a": "red"}),
    (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
    (timedelta(minutes=5), "PT5M"),
    (IDENTIFIER, str(IDENTIFIER)),
    (Path("a/b"), "a/b"),
    ([Colour.RED, Level.HIGH, Shape.ROUND], ["red", 3, "round"]),
    ({date(2026, 1, 2): 1, IDENTIFIER: 2, Shape.ROUND: 3}, {"2026-01-02": 1, str(IDENTIFIER): 2, "round": 3}),
    ({1: "a", None: "b"}, {1: "a", None: "b"}),
    ((number for number in range(3)), [0, 1, 2]),
]


@pytest.mark.parametrize(
    ("reply", "value"), REPLIES, ids=[type(reply).__name__ + str(n) for n, (reply, _) in enumerate(REPLIES)]
)
def test_a_reply_becomes_json(reply: Any, value: Any) -> None:
    """Models by their aliases, dates, sets and their like, at any depth."""
    assert jsonable(reply) == value


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(), st.decimals(allow_nan=False)
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(), inner, max_size=3)),
    max_leaves=5,
)


@given(JSON)
def test_what_lambda_can_write_stays_as_it_is(value: Any) -> None:
    """A Decimal too, which the runtime writes as a number: a float would lose its digits."""
    assert jsonable(value) == value


@pytest.mark.parametrize("thing", [object(), b"bytes", lambda: None, Order, Exception("no")])
def test_what_can_not_be_json_stays_for_the_runtime_to_refuse(thing: Any) -> None:
    """Lambda reports ``Runtime.MarshalError`` for it, as it does for a plain function; nothing is lost on the way."""
    assert jsonable({"thing": [thing]}) == {"thing": [thing]}


@pytest.mark.parametrize("key", [(1, 2), b"bytes", frozenset()])
def test_a_name_that_can_not_be_json_stays_for_the_runtime_to_refuse(key: Any) -> None:
    """A name that is made up would be read by someone."""
    assert jsonable({key: 1}) == {key: 1}


def test_what_is_not_finite_is_pythons_own() -> None:
    """As ``json.dumps`` writes it, which Lambda's runtime does."""
    assert json.dumps(jsonable([float("inf"), Point(1, float("inf"))])) == '[Infinity, {"x": 1, "inner": Infinity}]'


def test_a_handlers_result_is_the_reply() -> None:
    """Of a direct invocation."""

    @on_invoke
    def create(name: str) -> Order:
        return Order(id=name)

    assert App(create)("1") == {"orderId": "1", "total": "1.50", "placed": None}
