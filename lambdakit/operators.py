"""The operators of event patterns: each checks its operand and makes of it a test of one scalar of an event."""

from __future__ import annotations

from collections.abc import Callable
from math import inf, nextafter
from typing import NoReturn, TypeAlias, TypeGuard

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
Test: TypeAlias = "Callable[[Json], bool]"
Path: TypeAlias = tuple[str | int, ...]  # what is compiled, then the keys and indices that lead to a place in it
Build: TypeAlias = Callable[[Json, Path], Test]

_MOST = 2.0**53  # AWS compares doubles, and takes nothing beyond this for a number
# The least and the greatest number that each comparison takes: next to an open bound is the next double.
COMPARISONS: dict[str, Callable[[float], tuple[float, float]]] = {
    "=": lambda number: (number, number),
    "<": lambda number: (-_MOST, nextafter(number, -inf)),
    "<=": lambda number: (-_MOST, number),
    ">": lambda number: (nextafter(number, inf), _MOST),
    ">=": lambda number: (number, _MOST),
}


def fail(path: Path, problem: str) -> NoReturn:
    """Raise the ValueError that says where in a pattern the problem is."""
    noun, *keys = path
    where = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
    raise ValueError(f"{noun} at {where}: {problem}" if where else f"{noun}: {problem}")


def single(operand: dict[str, Json], path: Path) -> tuple[str, Json]:
    """The one operator, and its operand, that an object in the place of a value has to be."""
    if len(operand) == 1:
        return next(iter(operand.items()))
    fail(path, f"{operand!r} is not one operator; give each operator its own braces.")


def any_of(tests: list[Test]) -> Test:
    """The test that passes if one of these does."""
    if len(tests) == 1:
        return tests[0]

    def test_any(value: Json) -> bool:
        for test in tests:  # noqa: SIM110 - a generator would take a third of the time of the match
            if test(value):
                return True
        return False

    return test_any


def is_absent(_value: Json) -> bool:
    """``exists: false``: it passes no value that is there; that a missing one passes is for the field to know."""
    return False


def _is_there(_value: Json) -> bool:
    return True


def _exists(operand: Json, path: Path) -> Test:
    if not isinstance(operand, bool):
        fail(path, f"takes True or False, not {operand!r}.")
    return _is_there if operand else is_absent


def _string(operand: Json, path: Path) -> str:
    if isinstance(operand, str):
        return operand
    fail(path, f"takes a string, not {operand!r}.")


def _ignoring_case(operand: Json, path: Path) -> Test:
    wanted = _string(operand, path).lower()
    return lambda value: isinstance(value, str) and value.lower() == wanted


def _affix(has: Callable[[str, str], bool]) -> Build:
    """``prefix`` or ``suffix``, of a string."""

    def build(operand: Json, path: Path) -> Test:
        wanted = _string(operand, path)
        return lambda value: isinstance(value, str) and has(value, wanted)

    return build


def _affix_in_any_case(has: Callable[[str, str], bool]) -> Build:
    """``prefix`` or ``suffix``, of a string or of ``{"equals-ignore-case": string}``."""
    build_exact = _affix(has)

    def build(operand: Json, path: Path) -> Test:
        if not isinstance(operand, dict):
            return build_exact(operand, path)
        name, text = single(operand, path)
        if name != "equals-ignore-case":
            fail(path, f"takes a string or {{'equals-ignore-case': string}}, not {operand!r}.")
        wanted = _string(text, (*path, name)).lower()
        return lambda value: isinstance(value, str) and has(value.lower(), wanted)

    return build


def _wildcard(operand: Json, path: Path) -> Test:
    first, *others = _literals(_string(operand, path), path)
    if not others:
        return lambda value: value == first
    *middle, last = others

    # Not a regular expression: backtracking would let one event full of repetitions take seconds.
    def test(value: Json) -> bool:
        if not (isinstance(value, str) and value.startswith(first) and value.endswith(last)):
            return False
        start, end = len(first), len(value) - len(last)
        for literal in middle:
            found = value.find(literal, start, end)
            if found < 0:
                return False
            start = found + len(literal)
        return start <= end

    return test


def _literals(text: str, path: Path) -> list[str]:
    """What stands between the wildcards; a backslash makes a star or a backslash literal."""
    literals = [""]
    characters = iter(text)
    for character in characters:
        if character == "*":
            literals.append("")
        elif character != "\\":
            literals[-1] += character
        elif (escaped := next(characters, "")) in ("*", "\\"):
            literals[-1] += escaped
        else:
            fail(path, f"{text!r} has a backslash before {escaped!r}; it escapes a star or a backslash only.")
    if "" in literals[1:-1]:
        fail(path, f"{text!r} has two wildcards in a row; one * stands for any number of characters.")
    return literals


def _is_number(value: Json) -> TypeGuard[float]:
    return (type(value) is int or type(value) is float) and -_MOST <= value <= _MOST


def _numeric(operand: Json, path: Path) -> Test:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        fail(path, f"takes ['=', 5], ['>', 0] or ['>', 0, '<=', 5], not {operand!r}.")
    low, high = _bounds(operand[0], operand[1], path)
    if len(operand) == 4:
        high = _upper_bound(operand, path)
    return lambda value: (type(value) is int or type(value) is float) and low <= value <= high


def _bounds(sign: Json, number: Json, path: Path) -> tuple[float, float]:
    if not isinstance(sign, str) or sign not in COMPARISONS:
        fail(path, f"compares with =, <, <=, > or >=, not with {sign!r}.")
    if not _is_number(number):
        fail(path, f"{sign} takes a number between -2^53 and 2^53, not {number!r}.")
    return COMPARISONS[sign](number)


def _upper_bound(operand: list[Json], path: Path) -> float:
    """That of a range, whose lower bound is right."""
    lower, number, upper, limit = operand
    _, high = _bounds(upper, limit, path)
    if lower not in (">", ">=") or upper not in ("<", "<="):
        fail(path, f"a range has its lower bound first, as ['>', 0, '<=', 5], not {operand!r}.")
    if _is_number(number) and _is_number(limit) and number >= limit:
        fail(path, f"the range {operand!r} is empty: {number} is not below {limit}.")
    return high


def _cidr(operand: Json, path: Path) -> Test:
    from ipaddress import ip_network  # 2 ms that few patterns need, the sockets included
    from socket import AF_INET, AF_INET6, inet_pton

    text = _string(operand, path)
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        network = None
    if network is None or not text.partition("/")[2].isdecimal():
        fail(path, f"takes an address range as '10.0.0.0/24' or '2001:db8::/32', not {text!r}.")
    if network.prefixlen == network.max_prefixlen:
        fail(path, f"{text!r} is a single address, which AWS refuses here; match the address as a string.")

    family = AF_INET if network.version == 4 else AF_INET6
    first, last = network.network_address.packed, network.broadcast_address.packed

    def test(value: Json) -> bool:
        try:  # a fifth of the time that an ip_address takes
            return isinstance(value, str) and first <= inet_pton(family, value) <= last
        except (OSError, ValueError):
            return False

    return test


def _anything_but(operand: Json, path: Path) -> Test:
    values = operand if isinstance(operand, list) else [operand]
    if values and all(isinstance(value, str) for value in values):
        strings = frozenset(values)
        return lambda value: value not in strings
    if values and all(map(_is_number, values)):
        numbers = frozenset(values)
        return lambda value: isinstance(value, bool) or value not in numbers
    fail(path, f"takes a string, a number, or a list of only strings or only numbers, not {operand!r}.")


def _anything_but_nested(operand: Json, path: Path) -> Test:
    """``anything-but`` of values, or of another operator that takes a string or a list of them."""
    if not isinstance(operand, dict):
        return _anything_but(operand, path)
    name, argument = single(operand, path)
    if name not in _NEGATABLE:
        fail(path, f"takes values or one of {', '.join(_NEGATABLE)}, not {name!r}.")
    texts = argument if isinstance(argument, list) else [argument]
    if not texts or ("" in texts and name in ("prefix", "suffix")):
        fail((*path, name), f"takes a string that is not empty, or a list of such strings, not {argument!r}.")
    is_any = any_of([_NEGATABLE[name](text, (*path, name)) for text in texts])
    return lambda value: not is_any(value)


_NEGATABLE: dict[str, Build] = {
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": _ignoring_case,
    "wildcard": _wildcard,
}
FILTER_OPERATORS: dict[str, Build] = {
    "prefix": _affix(str.startswith),
    "suffix": _affix(str.endswith),
    "equals-ignore-case": _ignoring_case,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
}
BUS_OPERATORS: dict[str, Build] = {
    **FILTER_OPERATORS,
    "prefix": _affix_in_any_case(str.startswith),
    "suffix": _affix_in_any_case(str.endswith),
    "anything-but": _anything_but_nested,
    "wildcard": _wildcard,
    "cidr": _cidr,
}
