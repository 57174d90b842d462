"""The options of a command that calls a builder of events: made of its signature, its types and its docstring."""

from __future__ import annotations

import inspect
import json
import re
from argparse import SUPPRESS, Action, ArgumentTypeError, BooleanOptionalAction
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from types import UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin, get_type_hints

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

Builder = Callable[..., Any]


def summary_of(builder: Builder) -> str:
    """The first line of its docstring."""
    return (inspect.getdoc(builder) or "").partition("\n")[0].replace("``", "")


def add_options(parser: ArgumentParser, builder: Builder) -> None:
    """An option for each parameter: ``--event-name`` for ``event_name``, ``--key`` again and again for ``*keys``."""
    descriptions = _descriptions(builder)
    hints = get_type_hints(builder)
    for parameter in inspect.signature(builder).parameters.values():
        parser.add_argument(
            f"--{_option_name(parameter)}",
            dest=_destination(parameter.name),
            default=SUPPRESS,
            help=(descriptions.get(parameter.name, "") + _default(parameter)).replace("%", "%%"),
            **_form(parameter, hints[parameter.name]),
        )


def built(builder: Builder, given: Namespace) -> Any:
    """What the builder makes of the options.

    Raises:
        ValueError: a value is none that AWS has; the builder says why.
    """
    placed: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in inspect.signature(builder).parameters.values():
        value = getattr(given, _destination(parameter.name), parameter.default)
        if parameter.kind is parameter.VAR_POSITIONAL:
            placed += [] if value is parameter.empty else value
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            placed.append(value)
    return builder(*placed, **named)


def _destination(name: str) -> str:
    return f"option {name}"  # apart from the command's own arguments


def _option_name(parameter: inspect.Parameter) -> str:
    name = parameter.name.replace("_", "-")
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")
    return name


def _default(parameter: inspect.Parameter) -> str:
    shown = isinstance(parameter.default, str | int | datetime) and not isinstance(parameter.default, bool)
    return f" [{parameter.default}]" if shown and parameter.default != "" else ""


def _descriptions(builder: Builder) -> dict[str, str]:
    """What the docstring's section Args says of each parameter."""
    section = (inspect.getdoc(builder) or "").partition("Args:\n")[2].partition("\n\n")[0]
    entries = re.findall(r"^ {4}\*?(\w+): (.*(?:\n {8}.*)*)", section, re.MULTILINE)
    return {name: " ".join(text.replace("``", "").split()) for name, text in entries}


def _form(parameter: inspect.Parameter, hint: Any) -> dict[str, Any]:
    """How an option of a type is read, in argparse's words."""
    members = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    kinds = [get_origin(member) or member for member in members]
    forms = _REPEATED if parameter.kind is parameter.VAR_POSITIONAL else _FORMS
    return next(form for kind, form in forms.items() if kind in kinds or kind is Any)


class _Merge(Action):
    """An option that may be given several times, each time with further members of a mapping."""

    def __call__(self, parser: object, namespace: Namespace, values: Any, option_string: object = None) -> None:
        setattr(namespace, self.dest, {**getattr(namespace, self.dest, {}), **values})


def _text(given: str) -> Any:
    """Text as it is, or what is in a file, which may be bytes."""
    if not given.startswith("@"):
        return given
    try:
        content = Path(given[1:]).read_bytes()
    except OSError as error:
        raise ArgumentTypeError(f"{given[1:]} can't be read: {error.strerror}") from error
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _value(given: str) -> Any:
    """JSON where it is an object, a list, a number, true, false or null; any other text as it is."""
    text = _text(given)
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return text if isinstance(value, str) else value


def _mapping(given: str) -> dict[str, Any]:
    value = _value(given)
    if isinstance(value, dict):
        return value
    name, found, content = given.partition("=")
    if not found:
        raise ArgumentTypeError(f"{given!r} is neither a JSON object nor of the form NAME=VALUE")
    return {name: content}


def _parts(given: str) -> list[str]:
    return given.split(",")


def _time(given: str) -> datetime:
    try:
        return datetime.fromisoformat(given)
    except ValueError as error:
        raise ArgumentTypeError(f"{given!r} is no time such as 2026-01-31T12:00:00Z") from error


_FORMS: dict[Any, dict[str, Any]] = {
    bool: {"action": BooleanOptionalAction},
    int: {"type": int, "metavar": "NUMBER"},
    float: {"type": float, "metavar": "NUMBER"},
    datetime: {"type": _time, "metavar": "TIME"},
    Mapping: {"type": _mapping, "action": _Merge, "metavar": "JSON|@FILE|NAME=VALUE"},
    Sequence: {"type": _parts, "action": "extend", "metavar": "TEXT,..."},
    str: {"metavar": "TEXT"},
    Any: {"type": _value, "metavar": "JSON|TEXT|@FILE"},
}
_REPEATED: dict[Any, dict[str, Any]] = {
    str: {"action": "append", "metavar": "TEXT"},
    Mapping: {"type": _mapping, "action": "append", "metavar": "JSON|@FILE"},
    Any: {"type": _text, "action": "append", "metavar": "TEXT|@FILE"},
}
"""By the first kind that a parameter's type has: a union of a text and a list of texts takes several."""
