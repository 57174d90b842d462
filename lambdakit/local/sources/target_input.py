"""What a target of an EventBridge rule gets of an event: all of it, a part, something else, or a text made of it.

Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic_core import to_json

from lambdakit.local.sources.source import SourceError

_MISSING: Any = object()
_PATH = re.compile(r"\$(\.[\w/-]+|\.\*|\[\d+\]|\[\*\])*")
_STEP = re.compile(r"[\w/-]+|\*")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_VARIABLE = re.compile(r"<([^<>\s]+)>")
_PREDEFINED = (
    "aws.events.rule-arn",
    "aws.events.rule-name",
    "aws.events.event.ingestion-time",
    "aws.events.event",
    "aws.events.event.json",
)


@dataclass(frozen=True)
class InputTransformer:
    """A template, and the paths of the variables in it.

    A variable stands for the value at its path as JSON; within a string of the template, for its text without quotes.
    What an event does not have is an empty string. Text in a string is not escaped, as EventBridge does not do that.

    Attributes:
        input_template: JSON, or lines of JSON strings, with variables as ``<name>``.
        input_paths_map: The path of each variable, such as ``"$.detail.items[0].sku"``.

    Raises:
        SourceError: a variable has no path, or a path is none.

    >>> transformer = InputTransformer('{"sku": <sku>, "text": "Sold <sku>"}', {"sku": "$.detail.sku"})
    >>> transformer.text({"detail": {"sku": "PEN-1"}}, {})
    '{"sku": "PEN-1", "text": "Sold PEN-1"}'
    """

    input_template: str
    input_paths_map: Mapping[str, str] = field(default_factory=dict[str, str])

    def __post_init__(self) -> None:
        for path in self.input_paths_map.values():
            _check_path(path)
        for name in _VARIABLE.findall(self.input_template):
            if name not in self.input_paths_map and name not in _PREDEFINED:
                raise SourceError("ValidationException", f"InputTemplate contains invalid placeholder {name}.")

    def text(self, event: dict[str, Any], predefined: Mapping[str, Any]) -> str:
        """What becomes of an event, with the variables that every rule has."""
        values = {name: _at(event, path) for name, path in self.input_paths_map.items()}
        known = {**{name: "" if value is _MISSING else value for name, value in values.items()}, **predefined}
        between = _STRING.split(self.input_template)
        strings = [*_STRING.findall(self.input_template), ""]
        return "".join(
            _VARIABLE.sub(partial(_as_json, known), json) + _VARIABLE.sub(partial(_in_string, known), string)
            for json, string in zip(between, strings, strict=True)
        )


class TargetInput:
    """What a target gets: the event itself, or one of these.

    Args:
        input: This value instead.
        input_path: The part of the event at this path; null where there is none.
        input_transformer: What a template makes of the event.

    Raises:
        SourceError: more than one is given, or the path is none.
    """

    def __init__(
        self,
        input: Any = None,  # noqa: A002 - AWS's own name
        input_path: str | None = None,
        input_transformer: InputTransformer | None = None,
    ) -> None:
        if [input, input_path, input_transformer].count(None) < 2:
            message = "Only one of Input, InputPath, or InputTransformer must be provided for target."
            raise SourceError("ValidationException", message)
        if input_path is not None:
            _check_path(input_path)
        self._constant = None if input is None else _json(input)
        self._path = input_path
        self._transformer = input_transformer

    def text(self, event: dict[str, Any], predefined: Callable[[], Mapping[str, Any]]) -> str:
        """What the target gets of an event, given the rule's variables: JSON, if the template is."""
        if self._constant is not None:
            return self._constant
        if self._transformer is not None:
            return self._transformer.text(event, predefined())
        if self._path is None:
            return _json(event)
        part = _at(event, self._path)
        return _json(None if part is _MISSING else part)


def _as_json(known: Mapping[str, Any], variable: re.Match[str]) -> str:
    return _json(known[variable[1]])


def _in_string(known: Mapping[str, Any], variable: re.Match[str]) -> str:
    value = known[variable[1]]
    return value if isinstance(value, str) else _json(value).replace('"', "")


def _json(value: Any) -> str:
    return to_json(value).decode()


# JSON paths, as far as EventBridge has them.


def _check_path(path: str) -> None:
    if not _PATH.fullmatch(path):
        problem = "a path is as $.detail.items[0].sku: names of letters, digits, - _ and /, indices, and * for all"
        raise SourceError("ValidationException", f"Invalid JSON path {path!r}: {problem}.")


def _at(event: Any, path: str) -> Any:
    """What is there: of a path with ``*`` a list."""
    values = [event]
    steps = _STEP.findall(path)
    for step in steps:
        values = [inner for value in values for inner in _inside(value, step)]
    if "*" in steps:
        return values
    return values[0] if values else _MISSING


def _inside(value: Any, step: str) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values()) if step == "*" else [value[step]] if step in value else []
    if not isinstance(value, list):
        return []
    if step == "*":
        return value
    return value[int(step) :][:1] if step.isdecimal() else []
