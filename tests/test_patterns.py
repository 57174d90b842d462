"""Event patterns: what they let through, what they refuse to be, and the laws that hold between them."""

import ipaddress
import json
import re
import sys
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.patterns import EventPattern, FilterPattern

PAYLOADS = Path(__file__).parents[2] / "shared" / "events"


def field(*values: object) -> dict[str, object]:
    return {"a": list(values)}


# Each line: a pattern, and what it says of an event. The comments name what was recorded on AWS.
MATCHES: list[tuple[dict[str, object], dict[str, object], bool]] = [
    # exact values
    (field("x"), {"a": "x"}, True),
    (field("x"), {"a": "X"}, False),
    (field("x"), {"A": "x"}, False),
    (field("x"), {}, False),
    (field("x", "y"), {"a": "y"}, True),
    (field(""), {"a": ""}, True),
    (field(""), {"a": None}, False),
    (field(None), {"a": None}, True),
    (field(None), {"a": ""}, False),
    (field(None), {}, False),
    (field(None), {"a": []}, False),  # recorded
    (field(True), {"a": True}, True),
    (field(True), {"a": "true"}, False),
    (field(True), {"a": 1}, False),
    (field(1), {"a": True}, False),
    (field(0), {"a": False}, False),
    (field(5), {"a": 5}, True),
    (field(5), {"a": "5"}, False),
    (field("5"), {"a": 5}, False),
    (field(300), {"a": 300.0}, True),  # recorded, against the guide
    (field(123456789012), {"a": 123456789012}, True),
    (field("x", 5, None), {"a": None}, True),
    # lists in the event
    (field("x"), {"a": ["y", "x"]}, True),
    (field("x"), {"a": [["y"], ["x"]]}, True),
    (field("x"), {"a": ["y"]}, False),
    (field("x"), {"a": [{"a": "x"}]}, False),
    (field({"anything-but": "x"}), {"a": ["x", "y"]}, True),
    (field({"anything-but": "x"}), {"a": ["x"]}, False),
    (field({"numeric": [">", 0, "<", 10]}), {"a": [100, 5]}, True),
    # nesting
    ({"a": {"b": ["x"]}}, {"a": {"b": "x"}}, True),
    ({"a": {"b": ["x"]}}, {"a": {"b": "y"}}, False),
    ({"a": {"b": ["x"]}}, {"b": "x"}, False),
    ({"a": {"b": ["x"]}}, {"a": '{"b": "x"}'}, False),  # recorded
    ({"a": {"b": ["x"]}}, {"a": None}, False),
    (field("x"), {"a": {"b": "x"}}, False),
    ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "y"}, True),
    ({"a": ["x"], "b": ["y"]}, {"a": "x", "b": "z"}, False),
    # lists of objects: one object must match by itself
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "z"}, {"b": "x", "c": "y"}]}, True),
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [{"b": "x"}, {"c": "y"}]}, False),
    ({"a": {"b": ["x"], "c": ["y"]}}, {"a": [[{"b": "x", "c": "y"}]]}, True),
    ({"a": {"b": {"c": ["x"], "d": ["y"]}}}, {"a": [{"b": [{"c": "x"}]}, {"b": [{"d": "y"}]}]}, False),
    ({"a": {"b": ["x"]}}, {"a": [1, "x", {"b": "x"}]}, True),
    ({"a": {"b": ["x"]}}, {"a": []}, False),
    # prefix and suffix
    (field({"prefix": "ab"}), {"a": "abc"}, True),
    (field({"prefix": "ab"}), {"a": "ABc"}, False),
    (field({"prefix": ""}), {"a": "abc"}, True),  # recorded
    (field({"prefix": ""}), {"a": 5}, False),
    (field({"prefix": "1"}), {"a": 12}, False),
    (field({"prefix": {"equals-ignore-case": "EventB"}}), {"a": "EVENTBRIDGE"}, True),
    (field({"suffix": ".png"}), {"a": "a.png"}, True),
    (field({"suffix": ".png"}), {"a": "a.PNG"}, False),
    (field({"suffix": ".png"}), {"a": None}, False),
    (field({"suffix": {"equals-ignore-case": ".png"}}), {"a": "a.PNG"}, True),
    (field({"equals-ignore-case": "alice"}), {"a": "ALICE"}, True),
    (field({"equals-ignore-case": "alice"}), {"a": "ALICE "}, False),
    (field({"equals-ignore-case": ""}), {"a": ""}, True),  # recorded
    (field({"equals-ignore-case": "true"}), {"a": True}, False),
    # wildcards
    (field({"wildcard": "dir/*.png"}), {"a": "dir/a/b.png"}, True),
    (field({"wildcard": "dir/*.png"}), {"a": "dir/.png"}, True),
    (field({"wildcard": "dir/*.png"}), {"a": "dir.png"}, False),
    (field({"wildcard": "*/lib/*"}), {"a": "/usr/lib/a"}, True),
    (field({"wildcard": "*/lib/*"}), {"a": "/lib/"}, True),
    (field({"wildcard": "a*a"}), {"a": "a"}, False),
    (field({"wildcard": "*a*a*"}), {"a": "bab"}, False),
    (field({"wildcard": "a*b*c"}), {"a": "a\nb\nc"}, True),
    (field({"wildcard": r"a\*b"}), {"a": "a*b"}, True),
    (field({"wildcard": r"a\*b"}), {"a": "axb"}, False),
    (field({"wildcard": r"a\\*"}), {"a": "a\\b"}, True),
    (field({"wildcard": "*"}), {"a": 5}, False),
    # anything-but: of what is there
    (field({"anything-but": "x"}), {"a": "y"}, True),
    (field({"anything-but": "x"}), {"a": "x"}, False),
    (field({"anything-but": "x"}), {}, False),  # recorded
    (field({"anything-but": "x"}), {"a": None}, True),  # recorded
    (field({"anything-but": "x"}), {"a": 5}, True),
    (field({"anything-but": "x"}), {"a": {}}, False),
    (field({"anything-but": ["x", "y"]}), {"a": "y"}, False),
    (field({"anything-but": 0}), {"a": 789}, True),  # recorded
    (field({"anything-but": 0}), {"a": 0.0}, False),
    (field({"anything-but": 0}), {"a": False}, True),
    (field({"anything-but": [100, 200]}), {"a": 200}, False),
    (field({"anything-but": {"prefix": "in"}}), {"a": "initial"}, False),
    (field({"anything-but": {"prefix": "in"}}), {"a": 12}, True),  # recorded
    (field({"anything-but": {"prefix": ["in", "st"]}}), {"a": "stopped"}, False),
    (field({"anything-but": {"suffix": ".txt"}}), {"a": "a.rtf"}, True),
    (field({"anything-but": {"suffix": [".txt", ".rtf"]}}), {"a": "a.rtf"}, False),
    (field({"anything-but": {"equals-ignore-case": ["x", "y"]}}), {"a": "Y"}, False),
    (field({"anything-but": {"wildcard": "*/lib/*"}}), {"a": "/usr/lib/a"}, False),
    (field({"anything-but": {"wildcard": ["*/lib/*", "*/bin/*"]}}), {"a": "/usr/share/a"}, True),
    (field({"anything-but": {"wildcard": ""}}), {"a": "x"}, True),  # recorded
    # numeric
    (field({"numeric": ["=", 301.8]}), {"a": 3.018e2}, True),
    (field({"numeric": ["=", 5]}), {"a": 5.0}, True),
    (field({"numeric": ["=", 5]}), {"a": "5"}, False),  # recorded
    (field({"numeric": ["<=", 0]}), {"a": None}, False),  # recorded
    (field({"numeric": ["<=", 1]}), {"a": True}, False),
    (field({"numeric": [">", 0, "<=", 5]}), {"a": 5}, True),
    (field({"numeric": [">", 0, "<=", 5]}), {"a": 0}, False),
    (field({"numeric": [">=", 0, "<", 5]}), {"a": 0}, True),
    (field({"numeric": [">=", 0, "<", 5]}), {"a": 5}, False),
    (field({"numeric": [">", 0]}), {"a": 2**53}, True),
    (field({"numeric": ["<", 0]}), {"a": -(2**53)}, True),
    (field({"numeric": [">", 0]}), {"a": 2**53 + 1}, False),
    # exists: of leaves
    (field({"exists": True}), {"a": None}, True),
    (field({"exists": True}), {}, False),
    (field({"exists": True}), {"a": {"b": 1}}, False),  # recorded
    (field({"exists": True}), {"a": []}, False),
    (field({"exists": True}), {"a": ["x"]}, True),
    (field({"exists": False}), {}, True),
    (field({"exists": False}), {"a": None}, False),
    (field({"exists": False}), {"a": {"b": 1}}, True),
    (field({"exists": False}), {"a": []}, True),
    ({"a": {"b": {"c": [{"exists": False}]}}}, {"x": 1}, True),
    ({"a": {"b": {"c": [{"exists": False}]}}}, {"a": {"b": "x"}}, True),
    ({"a": {"b": [{"anything-but": ["x"]}, {"exists": False}]}}, {"a": {}}, True),  # recorded
    ({"a": {"b": [{"anything-but": ["x"]}, {"exists": False}]}}, {"a": {"b": "x"}}, False),
    ({"a": {"b": [{"exists": True}]}}, {"a": [{"c": 1}, {"b": 1}]}, True),  # recorded
    ({"a": {"b": [{"exists": False}]}}, {"a": [{"c": 1}, {"b": 1}]}, False),
    ({"a": {"b": [{"exists": False}]}}, {"a": [{"c": 1}, {"c": 1}]}, True),
    ({"a": {"b": ["x", {"exists": False}]}}, {"a": [{"b": "y"}, {"b": "x"}]}, True),
    ({"a": {"b": ["x"], "c": [{"exists": False}]}}, {"a": [{"b": "y", "c": 1}, {"b": "x"}]}, True),
    # cidr
    (field({"cidr": "10.0.0.0/24"}), {"a": "10.0.0.255"}, True),
    (field({"cidr": "10.0.0.0/24"}), {"a": "10.0.1.0"}, False),
    (field({"cidr": "10.0.0.0/24"}), {"a": "not an address"}, False),  # recorded
    (field({"cidr": "10.0.0.0/24"}), {"a": 167772160}, False),
    (field({"cidr": "0.0.0.0/0"}), {"a": "::1"}, False),
    (field({"cidr": "2001:db8::/32"}), {"a": "2001:db8:1::1"}, True),
    # $or
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"b": "y"}, True),
    ({"$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"a": "y", "b": "x"}, False),
    ({"c": ["z"], "$or": [{"a": ["x"]}, {"b": ["y"]}]}, {"a": "x"}, False),
    ({"$or": [{"a": ["x"]}, {"b": ["y"], "$or": [{"c": [1]}, {"d": [1]}]}]}, {"b": "y", "d": 1}, True),
    ({"d": {"$or": [{"a": ["x"]}, {"b": ["y"]}], "c": [1]}}, {"d": [{"a": "x"}, {"c": 1}]}, False),
    ({"d": {"$or": [{"a": [{"exists": False}]}, {"b": ["y"]}]}}, {"d": [{"c": 1}, {"a": 1}]}, False),
    # dots join keys
    ({"a": {"b.c": ["x"]}}, {"a": {"b": {"c": "x"}}}, True),  # recorded
    ({"a": {"b": {"c": ["x"]}}}, {"a": {"b.c": "x"}}, True),  # documented
    ({"a": {"b": {"c": ["x"]}}}, {"a.b.c": "x"}, True),
    ({"a": {"b.c": ["x"]}}, {"a": {"b.c": "x"}}, True),
    ({"a": {"b": {"c": ["x"]}}}, {"a": {"b.c": {"c": "x"}}}, False),  # recorded
    ({"a": {"b.c": {"c": ["x"]}}}, {"a": {"b": {"c": "x"}}}, False),  # recorded
    # a field may be named like an operator
    ({"prefix": ["a"], "numeric": [1]}, {"prefix": "a", "numeric": 1}, True),
]


@pytest.mark.parametrize(("pattern", "event", "matched"), MATCHES)
def test_a_pattern_takes_or_leaves_an_event(
    pattern: dict[str, object], event: dict[str, object], matched: bool
) -> None:
    """An event bus decides as its guide says, or as it was seen to."""
    assert EventPattern(pattern).matches(event) is matched


@pytest.mark.parametrize(
    ("pattern", "record", "matched"),
    [
        (field(300), {"a": 300}, True),
        (field(300), {"a": 300.0}, False),
        (field(300.0), {"a": 300.0}, True),
        (field({"numeric": ["=", 300]}), {"a": 300.0}, True),
        (field({"anything-but": ["x"]}, {"exists": False}), {}, True),
        (field({"prefix": "x"}, {"suffix": "y"}, {"equals-ignore-case": "Z"}), {"a": "z"}, True),
        ({"$or": [{"a": ["x"]}, {"b": [None]}]}, {"b": None}, True),
    ],
)
def test_a_mapping_compares_numbers_as_they_are_written(
    pattern: dict[str, object], record: dict[str, object], matched: bool
) -> None:
    """Lambda's guide has 300 and 300.0 differ; the rest is as on a bus."""
    assert FilterPattern(pattern).matches(record) is matched


MAPPING = "is a mapping of fields, as {'source': ['shop']}, not ['a']."
EMPTY = "is empty; name a field and its values, as {'source': ['shop']}."
THERE_ARE = "There are: prefix, suffix, equals-ignore-case, anything-but, numeric, exists, wildcard, cidr."
LONE = "is not one operator; give each operator its own braces."
STARS = "has two wildcards in a row; one * stands for any number of characters."
NUMERIC = "takes ['=', 5], ['>', 0] or ['>', 0, '<=', 5], not"
NUMBER = "takes a number between -2^53 and 2^53, not"
RANGE = "a range has its lower bound first, as ['>', 0, '<=', 5], not"
CIDR = "takes an address range as '10.0.0.0/24' or '2001:db8::/32', not"
BUT = "takes a string, a number, or a list of only strings or only numbers, not"
OR = "takes a list of two patterns or more, as [{'a': [1]}, {'b': [2]}], not"


@pytest.mark.parametrize(
    ("pattern", "where", "problem"),
    [
        ({}, "", EMPTY),
        (["a"], "", MAPPING),
        ('["a"]', "", MAPPING),
        ('{"a": 1', "", "is not JSON: Expecting ',' delimiter: line 1 column 8 (char 7)."),
        ({"a": {}}, "a", EMPTY),
        ({"a": {"b": "x"}}, "a.b", "takes a list of values, not 'x'. Write ['x']."),
        ({"a.b": "x"}, "a.b", "takes a list of values, not 'x'. Write ['x']."),
        (field(), "a", "lists no values, so nothing could match; list one, or leave the field out."),
        (field(["x"]), "a", "takes one list of values, not lists within it: [['x']]."),
        (field({"x"}), "a[0]", "takes what JSON has, not {'x'}."),
        (field(float("inf")), "a[0]", "takes the numbers that JSON has, not inf."),
        ({"a": {1: ["x"]}}, "a", "has strings for keys, not 1."),
        ({"a": {"prefix": "x"}}, "a", "the operator 'prefix' belongs in a list: [{'prefix': 'x'}]."),
        ({"a": {"anything-but": [1]}}, "a", "the operator 'anything-but' belongs in a list: [{'anything-but': [1]}]."),
        ({"a": {"numeric": [">", 5]}}, "a", "the operator 'numeric' belongs in a list: [{'numeric': ['>', 5]}]."),
        (field({"prefx": "x"}), "a[0]", "there is no operator 'prefx'. Did you mean 'prefix'?"),
        (field("x", {"NUMERIC": 5}), "a[1]", "there is no operator 'NUMERIC'. Did you mean 'numeric'?"),
        (field({"matches": "x"}), "a[0]", f"there is no operator 'matches'. {THERE_ARE}"),
        (field({"$or": []}), "a[0]", f"there is no operator '$or'. {THERE_ARE}"),
        (field({}), "a[0]", f"{{}} {LONE}"),
        (field({"prefix": "x", "suffix": "y"}), "a[0]", f"{{'prefix': 'x', 'suffix': 'y'}} {LONE}"),
        (field({"prefix": ["x"]}), "a[0].prefix", "takes a string, not ['x']."),
        (
            field({"suffix": {"wildcard": "x"}}),
            "a[0].suffix",
            "takes a string or {'equals-ignore-case': string}, not {'wildcard': 'x'}.",
        ),
        (field({"prefix": {"equals-ignore-case": 1}}), "a[0].prefix.equals-ignore-case", "takes a string, not 1."),
        (field({"equals-ignore-case": ["x"]}), "a[0].equals-ignore-case", "takes a string, not ['x']."),
        (field({"exists": 1}), "a[0].exists", "takes True or False, not 1."),
        (field({"wildcard": 1}), "a[0].wildcard", "takes a string, not 1."),
        (field({"wildcard": "a**"}), "a[0].wildcard", f"'a**' {STARS}"),
        (
            field({"wildcard": "*\\d"}),
            "a[0].wildcard",
            r"'*\\d' has a backslash before 'd'; it escapes a star or a backslash only.",
        ),
        (
            field({"wildcard": "\\"}),
            "a[0].wildcard",
            r"'\\' has a backslash before ''; it escapes a star or a backslash only.",
        ),
        (field({"numeric": 5}), "a[0].numeric", f"{NUMERIC} 5."),
        (field({"numeric": []}), "a[0].numeric", f"{NUMERIC} []."),
        (field({"numeric": [">", 0, "<"]}), "a[0].numeric", f"{NUMERIC} ['>', 0, '<']."),
        (field({"numeric": ["!=", 5]}), "a[0].numeric", "compares with =, <, <=, > or >=, not with '!='."),
        (field({"numeric": [5, "<"]}), "a[0].numeric", "compares with =, <, <=, > or >=, not with 5."),
        (field({"numeric": [">", "5"]}), "a[0].numeric", f"> {NUMBER} '5'."),
        (field({"numeric": [">", True]}), "a[0].numeric", f"> {NUMBER} True."),
        (field({"numeric": [">", 2**53 + 1]}), "a[0].numeric", f"> {NUMBER} 9007199254740993."),
        (field({"numeric": ["<", 5, ">", 0]}), "a[0].numeric", f"{RANGE} ['<', 5, '>', 0]."),
        (field({"numeric": ["=", 5, "<", 6]}), "a[0].numeric", f"{RANGE} ['=', 5, '<', 6]."),
        (field({"numeric": [">", 5, "=", 6]}), "a[0].numeric", f"{RANGE} ['>', 5, '=', 6]."),
        (
            field({"numeric": [">", 5, "<", 5]}),
            "a[0].numeric",
            "the range ['>', 5, '<', 5] is empty: 5 is not below 5.",
        ),
        (field({"cidr": "10.0.0.0"}), "a[0].cidr", f"{CIDR} '10.0.0.0'."),
        (field({"cidr": "x/24"}), "a[0].cidr", f"{CIDR} 'x/24'."),
        (field({"cidr": "10.0.0.0/255.0.0.0"}), "a[0].cidr", f"{CIDR} '10.0.0.0/255.0.0.0'."),
        (
            field({"cidr": "10.0.0.1/32"}),
            "a[0].cidr",
            "'10.0.0.1/32' is a single address, which AWS refuses here; match the address as a string.",
        ),
        (field({"anything-but": None}), "a[0].anything-but", f"{BUT} None."),
        (field({"anything-but": ["x", 1]}), "a[0].anything-but", f"{BUT} ['x', 1]."),
        (field({"anything-but": []}), "a[0].anything-but", f"{BUT} []."),
        (
            field({"anything-but": {"cidr": "10.0.0.0/8"}}),
            "a[0].anything-but",
            "takes values or one of prefix, suffix, equals-ignore-case, wildcard, not 'cidr'.",
        ),
        (
            field({"anything-but": {"prefix": {"equals-ignore-case": "x"}}}),
            "a[0].anything-but.prefix",
            "takes a string, not {'equals-ignore-case': 'x'}.",
        ),
        (field({"anything-but": {"wildcard": [1]}}), "a[0].anything-but.wildcard", "takes a string, not 1."),
        (
            field({"anything-but": {"prefix": ""}}),
            "a[0].anything-but.prefix",
            "takes a string that is not empty, or a list of such strings, not ''.",
        ),
        ({"$or": [{"a": [1]}]}, "$or", f"{OR} [{{'a': [1]}}]."),
        ({"$or": [{"a": [1]}, "y"]}, "$or", f"{OR} [{{'a': [1]}}, 'y']."),
        ({"$or": {"a": [1]}}, "$or", f"{OR} {{'a': [1]}}."),
        ({"$or": [{"a": [1]}, {"a": "y"}]}, "$or[1].a", "takes a list of values, not 'y'. Write ['y']."),
        (
            {"$or": [{"prefix": ["x"]}, {"a": ["y"]}]},
            "$or[0]",
            "AWS takes no field that is named like the operator 'prefix' within $or.",
        ),
        (
            {key: {"$or": [field(n) for n in range(32)]} for key in ("b", "c")},
            "",
            "its $or make 1024 combinations; AWS takes 1000.",
        ),
    ],
)
def test_a_wrong_pattern_says_where_it_is_wrong_and_what_is_right(pattern: Any, where: str, problem: str) -> None:
    """What AWS would refuse is refused when it is compiled, with the place in the pattern."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        EventPattern(pattern)

    assert str(error.value) == f"event pattern at {where}: {problem}".replace(" at :", ":")


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        (
            field({"wildcard": "*"}),
            "filter pattern at a[0]: only event buses have the operator 'wildcard'; "
            "here are: prefix, suffix, equals-ignore-case, anything-but, numeric, exists.",
        ),
        (
            field({"prefix": {"equals-ignore-case": "x"}}),
            "filter pattern at a[0].prefix: takes a string, not {'equals-ignore-case': 'x'}.",
        ),
        (field({"anything-but": {"prefix": "x"}}), f"filter pattern at a[0].anything-but: {BUT} {{'prefix': 'x'}}."),
        (field("x" * 4087), "filter pattern: has 4097 characters of JSON; a mapping takes 4096."),
    ],
    ids=["wildcard", "prefix in any case", "nested anything-but", "too long"],
)
def test_a_mapping_refuses_what_only_a_bus_has(pattern: dict[str, object], message: str) -> None:
    """The filters of event source mappings know fewer operators, and are short."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        FilterPattern(pattern)

    assert str(error.value) == message


def test_a_filter_of_the_longest_length_is_taken() -> None:
    """4,096 characters of compact JSON fit."""
    assert len(FilterPattern(field("x" * 4086)).text) == 4096


def test_a_thousand_combinations_are_taken() -> None:
    """The alternatives of two ``$or`` multiply."""
    pattern = {key: {"$or": [field(n) for n in range(count)]} for key, count in (("b", 25), ("c", 40))}

    assert EventPattern(pattern).matches({"b": {"a": 24}, "c": {"a": 39}})


def test_a_pattern_that_nests_deeper_than_the_stack_is_an_error_in_words() -> None:
    """No RecursionError reaches who wrote the pattern."""
    pattern: dict[str, object] = field("x")
    for _ in range(sys.getrecursionlimit()):
        pattern = {"a": pattern}

    with pytest.raises(ValueError, match=r"^event pattern: nests too deep\.$"):
        EventPattern(pattern)


def test_an_event_may_nest_lists_deeper_than_the_stack() -> None:
    """Lists within lists are flattened without recursion."""
    value: object = "x"
    for _ in range(2 * sys.getrecursionlimit()):
        value = [value]

    assert EventPattern(field("x")).matches({"a": value})


@pytest.mark.parametrize("pattern", [field("x"), {"a": ["x"], "b": {"c": [1]}}, {"b": {"c": [1]}}])
def test_an_event_may_be_any_mapping(pattern: dict[str, object]) -> None:
    """Not a dict only."""
    assert EventPattern(pattern).matches(MappingProxyType({"a": "x", "b": {"c": 1}}))


def test_the_last_of_a_key_written_twice_counts() -> None:
    """In JSON text a field may stand twice; AWS looks at the last one only."""
    assert EventPattern('{"a": ["x"], "a": ["y"]}').pattern == field("y")


def test_a_pattern_is_a_copy() -> None:
    """To change the dict a pattern was made of does not change what the pattern shows."""
    values = ["x"]
    pattern = EventPattern({"a": values})
    values.append("y")

    assert pattern.text == '{"a":["x"]}'


def test_patterns_are_equal_when_they_are_written_the_same() -> None:
    """True and 1 are equal to Python, and are two patterns."""
    patterns = {EventPattern(field(1)), EventPattern(field(True)), EventPattern('{"a": [1]}'), FilterPattern(field(1))}

    assert sorted(map(repr, patterns)) == [
        "EventPattern({'a': [1]})",
        "EventPattern({'a': [True]})",
        "FilterPattern({'a': [1]})",
    ]


# Laws. Keys are few, so that patterns and events meet.

KEYS = st.sampled_from("abc")
STRINGS = st.text("xyX*", max_size=3)
NUMBERS = st.integers(-3, 3) | st.sampled_from([0.5, 1.0, -2.0])
SCALARS = st.none() | st.booleans() | NUMBERS | STRINGS
ANY_SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    SCALARS | ANY_SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
EVENTS = st.dictionaries(KEYS, VALUES, max_size=3)

AFFIXES = STRINGS | st.fixed_dictionaries({"equals-ignore-case": STRINGS})
TEXTS = STRINGS.filter(bool)
NEGATED = (
    STRINGS
    | NUMBERS
    | st.lists(STRINGS, min_size=1, max_size=2)
    | st.lists(NUMBERS, min_size=1, max_size=2)
    | st.fixed_dictionaries({"prefix": TEXTS})
    | st.fixed_dictionaries({"suffix": st.lists(TEXTS, min_size=1, max_size=2)})
    | st.fixed_dictionaries({"equals-ignore-case": STRINGS})
)
NUMERIC_TESTS = st.tuples(st.sampled_from(["=", "<", "<=", ">", ">="]), NUMBERS).map(list)
OPERATORS = st.one_of(
    st.fixed_dictionaries({"prefix": AFFIXES}),
    st.fixed_dictionaries({"suffix": AFFIXES}),
    st.fixed_dictionaries({"equals-ignore-case": STRINGS}),
    st.fixed_dictionaries({"anything-but": NEGATED}),
    st.fixed_dictionaries({"numeric": NUMERIC_TESTS}),
    st.fixed_dictionaries({"exists": st.booleans()}),
    st.fixed_dictionaries({"cidr": st.just("10.0.0.0/8")}),
    st.fixed_dictionaries({"wildcard": st.lists(st.text("xy", min_size=1), min_size=1, max_size=3).map("*".join)}),
)
FIELD_VALUES = st.lists(SCALARS | OPERATORS, min_size=1, max_size=2)
PATTERNS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    st.dictionaries(KEYS, FIELD_VALUES, min_size=1, max_size=2),
    lambda inner: (
        st.dictionaries(KEYS, inner | FIELD_VALUES, min_size=1, max_size=2)
        | st.fixed_dictionaries({"$or": st.lists(inner, min_size=2, max_size=2)})
    ),
    max_leaves=4,
)


@given(PATTERNS, EVENTS)
def test_matching_never_raises(pattern: dict[str, Any], event: dict[str, Any]) -> None:
    """Whatever JSON an event holds, a pattern answers yes or no."""
    assert EventPattern(pattern).matches(event) in (True, False)


@given(PATTERNS, PATTERNS, EVENTS)
def test_or_is_the_union(one: dict[str, Any], other: dict[str, Any], event: dict[str, Any]) -> None:
    """``$or`` takes what one of its patterns takes, and nothing else."""
    either = EventPattern({"$or": [one, other]}).matches(event)

    assert either == (EventPattern(one).matches(event) or EventPattern(other).matches(event))


@given(FIELD_VALUES, FIELD_VALUES, EVENTS)
def test_fields_are_an_intersection(a: list[Any], b: list[Any], event: dict[str, Any]) -> None:
    """A pattern of two fields takes what the patterns of each of them take."""
    both = EventPattern({"a": a, "b": b}).matches(event)

    assert both == (EventPattern({"a": a}).matches(event) and EventPattern({"b": b}).matches(event))


@given(FIELD_VALUES, FIELD_VALUES, EVENTS)
def test_values_are_a_union(some: list[Any], more: list[Any], event: dict[str, Any]) -> None:
    """A field takes what any of its values takes."""
    together = EventPattern({"a": some + more}).matches(event)

    assert together == (EventPattern({"a": some}).matches(event) or EventPattern({"a": more}).matches(event))


@given(STRINGS | NUMBERS, SCALARS | ANY_SCALAR)
def test_anything_but_is_the_complement_on_what_is_there(unwanted: object, value: object) -> None:
    """Of a scalar that is there, ``anything-but`` takes exactly what the value itself would not."""
    event = {"a": value}

    assert EventPattern(field({"anything-but": unwanted})).matches(event) != EventPattern(field(unwanted)).matches(
        event
    )


@given(OPERATORS.filter(lambda operator: "exists" not in operator), st.lists(SCALARS, min_size=1))
def test_a_list_matches_when_an_element_does(operator: dict[str, Any], values: list[object]) -> None:
    """A list in the event stands for each of its elements."""
    pattern = EventPattern(field(operator))

    assert pattern.matches({"a": values}) == any(pattern.matches({"a": value}) for value in values)


@given(
    st.text("ab*", max_size=2), st.lists(st.text("ab*", min_size=1, max_size=2), max_size=3), st.text("ab*", max_size=8)
)
def test_a_wildcard_is_a_regular_expression_of_dots_and_stars(ends: str, middle: list[str], text: str) -> None:
    """A star stands for any characters, also none; a literal star is escaped."""
    literals = [ends, *middle, ends]
    wildcard = "*".join(literal.replace("*", r"\*") for literal in literals)

    expected = re.fullmatch(".*".join(map(re.escape, literals)), text) is not None
    assert EventPattern(field({"wildcard": wildcard})).matches({"a": text}) == expected


@given(st.ip_addresses(v=4), st.ip_addresses(v=4), st.integers(0, 31))
def test_a_cidr_compares_the_first_bits(
    network: ipaddress.IPv4Address, address: ipaddress.IPv4Address, bits: int
) -> None:
    """Two addresses are in one range when their first bits are the same."""
    pattern = EventPattern(field({"cidr": f"{network}/{bits}"}))

    assert pattern.matches({"a": str(address)}) == (int(network) >> (32 - bits) == int(address) >> (32 - bits))


@given(PATTERNS)
def test_a_pattern_survives_its_text(pattern: dict[str, Any]) -> None:
    """What is written into a template compiles to the same pattern."""
    compiled = EventPattern(pattern)

    assert EventPattern(compiled.text) == compiled


@st.composite
def events_and_their_subsets(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    event = draw(st.dictionaries(st.text("abc", min_size=1, max_size=2), st.deferred(lambda: NESTED), min_size=1))
    chosen = draw(st.sets(st.sampled_from(sorted(event)), min_size=1))
    return event, {key: leaves_of(event[key]) for key in chosen}


NESTED: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.text("abc", min_size=1, max_size=2), inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


def leaves_of(value: Any) -> Any:
    """The pattern of all that is in an object, of the first element of each list."""
    if isinstance(value, dict):
        return {key: leaves_of(item) for key, item in value.items()}
    return leaves_of(value[0]) if isinstance(value, list) else [value]


@given(events_and_their_subsets())
def test_an_event_matches_the_pattern_of_its_own_leaves(case: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """A pattern made of some of an event's values takes that event."""
    event, pattern = case

    assert EventPattern(pattern).matches(event)


def without_empty(value: Any) -> Any:
    """The value without what has no leaf: empty lists and objects."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    return [item for item in map(without_empty, value) if item not in ({}, [])] if isinstance(value, list) else value


@pytest.mark.skipif(not PAYLOADS.is_dir(), reason="the payloads of other projects are not beside this repository")
def test_real_events_match_the_patterns_of_their_own_leaves() -> None:
    """Real keys, with dots, dashes and colons in them, are found again."""
    events = [json.loads(path.read_bytes()) for path in sorted(PAYLOADS.glob("[!_]*/*.json"))]
    objects = [event for event in map(without_empty, events) if isinstance(event, dict) and event]

    assert [event for event in objects if not EventPattern(leaves_of(event)).matches(event)] == []
