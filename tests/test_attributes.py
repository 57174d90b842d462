"""DynamoDB's attribute values as Python's, with boto3's own reader beside them."""

import base64
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.events.attributes import python_item, python_value

TEXTS = st.text(max_size=8)
NUMBERS = st.one_of(
    st.integers(-(10**38) + 1, 10**38 - 1).map(str),
    st.decimals(-(10**9), 10**9, places=6).map(str),
    st.sampled_from(["0", "-0", "1E+3", "1e-130", "007", "-5", "123456789012345678901234567890.12345678"]),
)
BYTES = st.binary(max_size=8).map(lambda data: base64.b64encode(data).decode())


def _one_of_each(members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.lists(members, max_size=3).map(lambda values: {"L": values}),
        st.dictionaries(TEXTS, members, max_size=3).map(lambda values: {"M": values}),
    )


ATTRIBUTES: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.one_of(
        TEXTS.map(lambda text: {"S": text}),
        NUMBERS.map(lambda number: {"N": number}),
        BYTES.map(lambda data: {"B": data}),
        st.booleans().map(lambda flag: {"BOOL": flag}),
        st.just({"NULL": True}),
        st.lists(TEXTS, min_size=1, max_size=3, unique=True).map(lambda texts: {"SS": texts}),
        st.lists(NUMBERS, min_size=1, max_size=3, unique=True).map(lambda numbers: {"NS": numbers}),
        st.lists(BYTES, min_size=1, max_size=3, unique=True).map(lambda data: {"BS": data}),
    ),
    _one_of_each,
    max_leaves=6,
)


def _as_boto3_gets_it(attribute: dict[str, Any]) -> dict[str, Any]:
    """The attribute as botocore hands it to boto3's reader: with bytes for base64."""
    [(kind, value)] = attribute.items()
    if kind == "B":
        return {"B": base64.b64decode(value)}
    if kind == "BS":
        return {"BS": [base64.b64decode(data) for data in value]}
    if kind == "L":
        return {"L": [_as_boto3_gets_it(member) for member in value]}
    if kind == "M":
        return {"M": {name: _as_boto3_gets_it(member) for name, member in value.items()}}
    return attribute


@given(ATTRIBUTES)
def test_values_are_those_of_boto3(attribute: dict[str, Any]) -> None:
    """What a handler gets from a stream equals what boto3 reads from the table."""
    types = pytest.importorskip("boto3.dynamodb.types", reason="boto3 is not installed")

    assert python_value(attribute) == types.TypeDeserializer().deserialize(_as_boto3_gets_it(attribute))


@given(st.integers(-(10**38) + 1, 10**38 - 1))
def test_an_integral_number_is_an_int(number: int) -> None:
    """An int is exact as a Decimal is, and at home in JSON and as an index."""
    value = python_value({"N": str(number)})

    assert (value, type(value)) == (number, int)


@given(st.decimals(allow_nan=False, allow_infinity=False).filter(lambda number: number.as_tuple().exponent != 0))
def test_any_other_number_keeps_its_digits(number: Decimal) -> None:
    """A float would lose some."""
    assert python_value({"N": str(number)}) == number


@pytest.mark.parametrize(
    "attribute",
    [
        {"N": "many"},
        {"N": "--5"},
        {"N": 5},
        {"B": "not base64"},
        {"B": "YQ"},
        {"SS": "abc"},
        {"L": {"S": "a"}},
        {"L": ["a"]},
        {"M": [{"S": "a"}]},
        {"M": {"a": "b"}},
        {"X": "a"},
        {"S": "a", "N": "1"},
        {},
        "text",
        None,
    ],
)
def test_what_is_no_attribute_value_is_a_value_error(attribute: Any) -> None:
    """Something else than DynamoDB made it; an error now, not a strange value later."""
    with pytest.raises(ValueError, match=r".+"):
        python_value(attribute)


def test_an_error_does_not_repeat_the_value() -> None:
    """An item may hold secrets."""
    with pytest.raises(ValueError, match="not a DynamoDB attribute value") as caught:
        python_value({"password": "hunter2"})

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("item", "values"),
    [
        ({"id": {"S": "1"}, "n": {"N": "2"}}, {"id": "1", "n": 2}),
        ({}, {}),
        ({"id": "1", "n": 2}, {"id": "1", "n": 2}),
        ({"id": "1", "map": {"S": "a"}}, {"id": "1", "map": {"S": "a"}}),
        (None, None),
    ],
)
def test_an_item_of_plain_values_stays_as_it_is(item: Any, values: Any) -> None:
    """A record that a test builds has Python's values already."""
    assert python_item(item) == values
