"""A parser whose messages look like the other ones of the command line."""

from __future__ import annotations

from argparse import Action, ArgumentParser, RawDescriptionHelpFormatter
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

from lambdakit.cli.errors import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence


class Parser(ArgumentParser):
    """Argparse's, which raises CommandError and suggests the name that was probably meant."""

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **{"formatter_class": RawDescriptionHelpFormatter, "allow_abbrev": False, **settings})

    def error(self, message: str) -> NoReturn:
        """Raise the message as what is wrong, below the usage."""
        raise CommandError(f"{message}.", self.format_usage())

    def _check_value(self, action: Action, value: Any) -> None:
        # Where argparse tells that a name is none of the choices; it suggests one from Python 3.14 on only.
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            kind = str(action.metavar or "value").lower()
            raise CommandError(f"there is no {kind} {value!r}{meant(str(value), known)}", self.format_usage())


def meant(name: str, known: Sequence[str]) -> str:
    """The end of a sentence about an unknown name: the one that it is close to, if any."""
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else "."
