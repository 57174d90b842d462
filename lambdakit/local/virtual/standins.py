"""Stand-ins: virtual time for work that takes real time, and would take none on the virtual clock."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

StandIn = float | Callable[..., float]
"""Seconds; or a function that returns them, and asks by name for what it needs, as ``event`` and ``random``."""


class Seconds:
    """How long something takes.

    Args:
        given: Seconds, or a function of what it asks for by name; ``random``, a ``random.Random``, is for chance.
        names: What the function may ask for.

    Raises:
        TypeError: it is neither, or the function asks for something else.
        ValueError: a negative number.

    >>> Seconds(lambda event: len(event) / 10, "event").of(event={"a": 1})
    0.1
    """

    def __init__(self, given: StandIn, *names: str) -> None:
        self._given = given
        self.none = given == 0
        self._asked: list[str] = []
        if callable(given):
            self._asked = list(inspect.signature(given).parameters)
            if not self._asked or not set(self._asked) <= set(names):
                raise TypeError(
                    f"a stand-in's function has parameters named {' or '.join(names)}, not {', '.join(self._asked)}: "
                    f"write lambda {names[0]}: ..."
                )
        else:
            _checked(given)

    def of(self, **known: Any) -> float:
        """The seconds, given what the function may ask for.

        Raises:
            ValueError: the function returned a negative number.
        """
        if not callable(self._given):
            return self._given
        return _checked(self._given(**{name: known[name] for name in self._asked}))


def _checked(seconds: float) -> float:
    if not seconds >= 0:
        raise ValueError(f"a stand-in takes 0 seconds or more, not {seconds!r}")
    return seconds
