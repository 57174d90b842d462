"""From Lambda's handler setting to the App it names."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from lambdakit.app import App
from lambdakit.cli.errors import CommandError
from lambdakit.errors import RegistrationError
from lambdakit.local.tracebacks import user_traceback

if TYPE_CHECKING:
    from argparse import ArgumentParser


def add_handler(parser: ArgumentParser) -> None:
    """The argument that names the App."""
    parser.add_argument(
        "handler",
        metavar="MODULE.ATTR",
        help="the App, as Lambda's handler setting names it: 'shop.handler' is 'handler' in shop.py",
    )


def load_app(handler: str) -> App:
    """The App that Lambda's handler setting names, looked for in this folder first.

    What its module prints goes to stderr.

    Raises:
        CommandError: there is none, or its module can't be loaded.
    """
    if sys.path[0] != str(Path.cwd()):
        sys.path.insert(0, str(Path.cwd()))
    name, _, attribute = handler.replace("/", ".").rpartition(".")
    if not attribute or not all(name.split(".")):
        raise _no_handler_name(handler)
    module = _loaded(name)
    found = getattr(module, attribute, None)
    if isinstance(found, App):
        return found
    if isinstance(found, ModuleType | None) and _exists(f"{name}.{attribute}"):
        inner = _loaded(f"{name}.{attribute}")
        raise CommandError(f"{handler!r} is a module; name the App in it. {_apps(inner)}")
    if hasattr(module, attribute):
        raise CommandError(f"{handler!r} is not an App but {_kind(found)}. {_apps(module)}")
    raise CommandError(f"module {name!r} ({_place(module)}) has no {attribute!r}. {_apps(module)}")


def _no_handler_name(handler: str) -> CommandError:
    problem = f"{handler!r} is not of the form MODULE.ATTR, as in 'shop.handler'."
    module, _, attribute = handler.partition(":")
    if attribute:
        return CommandError(f"{problem} Did you mean '{module}.{attribute}'?")
    return CommandError(f"{problem} {_apps(_loaded(handler))}" if _exists(handler) else problem)


def _loaded(name: str) -> ModuleType:
    try:
        with redirect_stdout(sys.stderr):
            return import_module(name)
    except RegistrationError as error:  # it names the place itself
        raise CommandError(f"module {name!r} can't be loaded: {error}") from error
    except ModuleNotFoundError as error:
        if f"{name}.".startswith(f"{error.name}."):
            raise CommandError(f"there is no module {error.name!r} in {Path.cwd()}, and none is installed.") from error
        raise _unloadable(name, error) from error
    except (Exception, SystemExit) as error:
        raise _unloadable(name, error) from error


def _unloadable(name: str, error: BaseException) -> CommandError:
    reason = f"{type(error).__name__}: {error}"
    if isinstance(error, SystemExit):
        reason = f"it calls sys.exit({error.code!r})"
    return CommandError(f"module {name!r} can't be loaded: {reason}", user_traceback(error))


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def _apps(module: ModuleType) -> str:
    names = [f"{module.__name__}.{name}" for name, value in vars(module).items() if isinstance(value, App)]
    if names:
        return f"Its Apps: {', '.join(names)}."
    return "It has no App: write `handler = App(__name__)` below its handlers."


def _kind(value: object) -> str:
    return "a function" if callable(value) and hasattr(value, "__code__") else f"of type {type(value).__name__!r}"


def _place(module: ModuleType) -> str:
    return relative(getattr(module, "__file__", None) or "built in")


def relative(file: str) -> str:
    """A file's path as seen from this folder, where it is below it."""
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file
