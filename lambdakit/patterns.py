"""Event patterns: which events a rule of an EventBridge bus, or a filter of an event source mapping, lets through.

A pattern is checked and compiled to closures once; a match then costs about a microsecond and never raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite, prod
from typing import Any, ClassVar, NoReturn, TypeAlias, cast

from lambdakit.operators import (
    BUS_OPERATORS,
    COMPARISONS,
    FILTER_OPERATORS,
    Build,
    Json,
    Path,
    Test,
    any_of,
    fail,
    is_absent,
    single,
)

_Leaf: TypeAlias = tuple[str, Test, Test]  # a key, the test of a string there, the test of anything else
_Node: TypeAlias = tuple[str, Test, Test]  # a key, the test of what is there, the test of an object without it

_OR = "$or"
_MISSING: Any = object()
_MOST_COMBINATIONS = 1000
_MOST_CHARACTERS = 4096


class EventPattern:
    """A compiled pattern of an EventBridge rule, with every operator that event buses have.

    All fields of the pattern must match; of the values a field lists any will do, and of a list in the event any
    element. The fields of a nested pattern must be found in one and the same object of a list of objects.
    ``anything-but`` wants the field to be there, ``exists`` looks at leaves only. Keys join with dots:
    ``{"a.b": ["x"]}`` and ``{"a": {"b": ["x"]}}`` are one pattern, and so are two such events. Numbers are equal by
    value: ``[300]`` takes 300.0, which is recorded on AWS though the guide denies it. One refusal of AWS is not
    repeated here: that of wildcards it finds too complex, as its measure is not published.

    Args:
        pattern: A mapping, or JSON text; of a key written twice in the text the last counts.

    Attributes:
        pattern: The pattern in dicts, lists and scalars; a copy.
        matches: Whether the pattern lets an event through, given as parsed JSON; never raises. It is the compiled test
            itself: a method that calls it would make a match longer.

    Raises:
        ValueError: AWS would refuse the pattern; the message says where it is wrong and what would be right.

    Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html

    >>> large = EventPattern({"detail-type": ["OrderPlaced"], "detail": {"total": [{"numeric": [">=", 100]}]}})
    >>> large.matches({"detail-type": "OrderPlaced", "detail": {"total": 250}})
    True
    >>> EventPattern({"detail": {"state": "done"}})
    Traceback (most recent call last):
    ...
    ValueError: event pattern at detail.state: takes a list of values, not 'done'. Write ['done'].
    """

    __slots__ = ("matches", "pattern")

    _noun: ClassVar[str] = "event pattern"
    _operators: ClassVar[dict[str, Build]] = BUS_OPERATORS

    pattern: dict[str, Json]
    matches: Callable[[Mapping[str, Any]], bool]

    def __init__(self, pattern: Mapping[str, object] | str) -> None:
        path = (self._noun,)
        try:
            plain = _plain(_parsed(pattern, path) if isinstance(pattern, str) else pattern, path)
            if not isinstance(plain, dict):
                fail(path, f"is a mapping of fields, as {{'source': ['shop']}}, not {plain!r}.")
            self.pattern = plain
            self.matches = cast("Callable[[Mapping[str, Any]], bool]", self._object(plain, path))
        except RecursionError:
            fail(path, "nests too deep.")
        if (combinations := _combinations(plain)) > _MOST_COMBINATIONS:
            fail(path, f"its $or make {combinations} combinations; AWS takes {_MOST_COMBINATIONS}.")

    @property
    def text(self) -> str:
        """The pattern as compact JSON, as a template or an API call takes it."""
        import json

        return json.dumps(self.pattern, separators=(",", ":"), ensure_ascii=False)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EventPattern) and type(other) is type(self) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.pattern!r})"

    @staticmethod
    def _kind(value: Json) -> type:
        """What must be the same, beside the value, for an exact match: 1, 1.0 and True are equal to Python."""
        return float if type(value) is int else type(value)

    def _object(self, pattern: dict[str, Json], path: Path) -> Test:
        if not pattern:
            fail(path, "is empty; name a field and its values, as {'source': ['shop']}.")
        leaves: list[_Leaf] = []
        nodes: list[_Node] = []
        choices: list[Test] = []
        for key, value in pattern.items():
            _check_place(key, value, path)
            head, dot, rest = key.partition(".")
            if key == _OR:
                choices.append(self._choice(value, (*path, _OR)))
            elif dot:
                nodes.append(_node(head, self._object({rest: value}, (*path, head))))
            elif isinstance(value, dict):
                nodes.append(_node(key, self._object(value, (*path, key))))
            else:
                leaves.append((key, *self._values(value, (*path, key))))
        return _fields(leaves, nodes, choices, _names(pattern))

    def _choice(self, value: Json, path: Path) -> Test:
        patterns = [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
        if len(patterns) < 2 or patterns != value:
            fail(path, f"takes a list of two patterns or more, as [{{'a': [1]}}, {{'b': [2]}}], not {value!r}.")
        return any_of([self._object(pattern, (*path, index)) for index, pattern in enumerate(patterns)])

    def _values(self, values: Json, path: Path) -> tuple[Test, Test]:
        if not isinstance(values, list):
            fail(path, f"takes a list of values, not {values!r}. Write [{values!r}].")
        if not values:
            fail(path, "lists no values, so nothing could match; list one, or leave the field out.")
        if any(isinstance(value, list) for value in values):
            fail(path, f"takes one list of values, not lists within it: {values!r}.")
        tests = [self._operator(value, (*path, index)) for index, value in enumerate(values) if isinstance(value, dict)]
        scalars: list[Json] = [value for value in values if not isinstance(value, dict)]
        if scalars:
            tests.insert(0, self._exact(scalars))
        passes = any_of(tests)
        return passes, _not_string(passes, is_absent in tests)

    def _exact(self, values: list[Json]) -> Test:
        if all(isinstance(value, str) for value in values):
            return frozenset(values).__contains__
        kind = self._kind
        wanted = frozenset((kind(value), value) for value in values)
        return lambda value: (kind(value), value) in wanted

    def _operator(self, value: dict[str, Json], path: Path) -> Test:
        name, operand = single(value, path)
        if name not in self._operators:
            self._fail_for_unknown(name, path)
        return self._operators[name](operand, (*path, name))

    def _fail_for_unknown(self, name: str, path: Path) -> NoReturn:
        from difflib import get_close_matches

        if name in BUS_OPERATORS:
            fail(path, f"only event buses have the operator {name!r}; here are: {', '.join(self._operators)}.")
        close = get_close_matches(name.lower(), self._operators, 1)
        advice = f"Did you mean {close[0]!r}?" if close else f"There are: {', '.join(self._operators)}."
        fail(path, f"there is no operator {name!r}. {advice}")


class FilterPattern(EventPattern):
    """A compiled filter of an event source mapping: a ``Pattern`` in the ``FilterCriteria`` of SQS, Kinesis, ...

    As an ``EventPattern``, but: no ``wildcard`` and no ``cidr``; ``prefix`` and ``suffix`` take a string,
    ``anything-but`` values; numbers are equal as they are written, so ``[300]`` does not take 300.0 (300.0 and 3e2 are
    the same once parsed); the JSON has up to 4,096 characters. A record is matched with its ``body``, ``data`` or
    ``value`` parsed where the pattern has fields for it.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html

    >>> warm = FilterPattern({"body": {"temperature": [{"numeric": [">", 20]}]}})
    >>> warm.matches({"messageId": "1", "body": {"temperature": 21.5}})
    True
    """

    __slots__ = ()

    _noun = "filter pattern"
    _operators = FILTER_OPERATORS

    def __init__(self, pattern: Mapping[str, object] | str) -> None:
        super().__init__(pattern)
        if (length := len(self.text)) > _MOST_CHARACTERS:
            fail((self._noun,), f"has {length} characters of JSON; a mapping takes {_MOST_CHARACTERS}.")

    @staticmethod
    def _kind(value: Json) -> type:
        return type(value)


# Reading a pattern.


def _parsed(text: str, path: Path) -> object:
    import json

    try:
        return json.loads(text)
    except ValueError as error:
        fail(path, f"is not JSON: {error}.")


def _plain(value: object, path: Path) -> Json:
    """A copy in dicts, lists and scalars: what was compiled stays what ``pattern`` and ``text`` show."""
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {_key(key, path): _plain(item, (*path, str(key))) for key, item in items}
    if isinstance(value, list | tuple):
        return [_plain(item, (*path, index)) for index, item in enumerate(cast("list[object]", value))]
    if isinstance(value, float) and not isfinite(value):
        fail(path, f"takes the numbers that JSON has, not {value!r}.")
    if not (value is None or isinstance(value, str | int | float)):
        fail(path, f"takes what JSON has, not {value!r}.")
    return value


def _key(key: object, path: Path) -> str:
    if not isinstance(key, str):
        fail(path, f"has strings for keys, not {key!r}.")
    return key


def _check_place(key: str, value: Json, path: Path) -> None:
    """Refuse an operator that stands where the name of a field should."""
    if key not in BUS_OPERATORS:
        return
    if _is_operand(key, value):
        fail(path, f"the operator {key!r} belongs in a list: [{{{key!r}: {value!r}}}].")
    if _OR in path:
        fail(path, f"AWS takes no field that is named like the operator {key!r} within $or.")


def _is_operand(key: str, value: Json) -> bool:
    """Whether this is the operator; a field may have its name, but then lists values: ``{"prefix": ["a"]}``."""
    if key in ("anything-but", "equals-ignore-case") or not isinstance(value, list | dict):
        return True
    return key == "numeric" and isinstance(value, list) and any(value[:1] == [sign] for sign in COMPARISONS)


def _names(pattern: dict[str, Any]) -> frozenset[str]:
    """The fields that a checked pattern looks for in one object."""
    own = {key.partition(".")[0] for key in pattern if key != _OR}
    return frozenset(own).union(*map(_names, pattern.get(_OR, ())))


def _combinations(pattern: Any) -> int:
    """How many patterns without ``$or`` a checked pattern stands for."""
    if not isinstance(pattern, dict):
        return 1
    items = cast("dict[str, Any]", pattern).items()
    return prod(sum(map(_combinations, value)) if key == _OR else _combinations(value) for key, value in items)


# Tests of a field and of an object, made of those of one scalar.


def _not_string(passes: Test, absent_passes: bool) -> Test:
    """The test of a field with values, beside strings. An object or an empty list has none: the field is absent."""

    def test(value: Json) -> bool:
        if value is _MISSING or isinstance(value, dict):
            return absent_passes
        return test_list(value) if isinstance(value, list) else passes(value)

    def test_list(values: list[Json]) -> bool:
        is_there = False
        for item in _flat(values):
            if not isinstance(item, dict):
                if passes(item):
                    return True
                is_there = True
        return absent_passes and not is_there

    return test


def _fields(leaves: list[_Leaf], nodes: list[_Node], choices: list[Test], names: frozenset[str]) -> Test:
    """The test of an object, or of what is there instead."""
    if len(leaves) == 1 and len(nodes) <= 1 and not choices:
        return _field_and_object(leaves[0], nodes[0], names) if nodes else _field(leaves[0], names)

    def test(value: Json) -> bool:
        if not isinstance(value, dict):
            return test_other(value)
        for key, passes, passes_other in leaves:
            inner = value.get(key, _MISSING)
            if not (passes(inner) if isinstance(inner, str) else passes_other(inner)):
                return False
        for key, passes, passes_without in nodes:
            inner = value.get(key, _MISSING)
            if not (passes_without(value) if inner is _MISSING else passes(inner)):
                return False
        for passes in choices:  # noqa: SIM110 - a generator would take a third of the time of the match
            if not passes(value):
                return False
        return True

    test_other = _not_object(test, names)
    return test


# Most objects of patterns are one of these two, for which loops would make a match longer.


def _field(leaf: _Leaf, names: frozenset[str]) -> Test:
    """The test of an object of which one field counts."""
    key, passes, passes_other = leaf

    def test(value: Json) -> bool:
        if not isinstance(value, dict):
            return test_other(value)
        inner = value.get(key, _MISSING)
        return passes(inner) if isinstance(inner, str) else passes_other(inner)

    test_other = _not_object(test, names)
    return test


def _field_and_object(leaf: _Leaf, node: _Node, names: frozenset[str]) -> Test:
    """The test of an object of which one field counts, and another that is an object: a source and a detail."""
    key, passes, passes_other = leaf
    node_key, node_passes, passes_without = node

    def test(value: Json) -> bool:
        if not isinstance(value, dict):
            return test_other(value)
        inner = value.get(key, _MISSING)
        if not (passes(inner) if isinstance(inner, str) else passes_other(inner)):
            return False
        inner = value.get(node_key, _MISSING)
        return passes_without(value) if inner is _MISSING else node_passes(inner)

    test_other = _not_object(test, names)
    return test


def _node(key: str, passes: Test) -> _Node:
    """The test of an object's field that is an object itself.

    AWS joins keys with dots, so it finds a field b of a missing a in ``{"a.b": 1}``.
    """
    start, empty_passes = f"{key}.", passes({})

    def passes_without(value: Json) -> bool:
        assert isinstance(value, dict)
        if start not in "\n".join(value):
            return empty_passes
        return passes({name.removeprefix(start): item for name, item in value.items() if name.startswith(start)})

    return key, passes, passes_without


def _not_object(passes: Test, names: frozenset[str]) -> Test:
    """The test of a list of objects, of which one must pass by itself, or of anything else, which has no fields."""
    empty_passes = passes({})

    def test(value: Json) -> bool:
        if not isinstance(value, list):
            return passes(dict(value)) if isinstance(value, Mapping) else empty_passes
        objects = _flat(value)
        if empty_passes:  # `exists: false` is about all objects: one without the fields proves nothing
            objects = [item for item in objects if isinstance(item, dict) and not names.isdisjoint(item)] or [{}]
        for item in objects:  # noqa: SIM110 - a generator would take longer
            if isinstance(item, dict) and passes(item):
                return True
        return False

    return test


def _flat(values: list[Json]) -> list[Json]:
    """What is in a list and in the lists within it; no recursion, as an event may nest deeper than Python's stack."""
    if list not in map(type, values):
        return values
    flat: list[Json] = []
    pending = [*values]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += value
        else:
            flat.append(value)
    return flat
