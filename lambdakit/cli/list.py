"""Show the handlers of an App, their triggers and where they are written, and the App's settings."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lambdakit.cli.loading import add_handler, load_app, relative

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from lambdakit.app import App
    from lambdakit.binding import Handler


def configure(parser: ArgumentParser) -> None:
    """The verb's arguments."""
    add_handler(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the App."""
    app = load_app(arguments.handler)
    if arguments.json:
        # As text: what JSON has no word for, such as a schedule's start date.
        print(json.dumps(_described(app), indent=2, default=str))
    else:
        print("\n".join(_lines(app)))
    return 0


def _described(app: App) -> dict[str, Any]:
    return {"name": app.name, "settings": app.settings, "handlers": [_described_handler(h) for h in app.handlers]}


def _described_handler(handler: Handler) -> dict[str, Any]:
    file, line = _place(handler)
    return {
        "function": handler.name,
        "trigger": str(handler.trigger),
        "source": handler.trigger.source,
        "settings": handler.trigger.settings(),
        "file": file,
        "line": line,
    }


def _lines(app: App) -> list[str]:
    settings = [f"{name}={value!r}" for name, value in app.settings.items()] or ["Lambda's default settings"]
    rows = [(handler.name, str(handler.trigger), ":".join(map(str, _place(handler)))) for handler in app.handlers]
    if not rows:
        return [f"{app.name}: {', '.join(settings)}", "", "It has no handlers."]
    return [f"{app.name}: {', '.join(settings)}", "", *_table([("FUNCTION", "TRIGGER", "WHERE"), *rows])]


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _place(handler: Handler) -> tuple[str, int]:
    """The file and the line of the function under its decorators."""
    code = inspect.unwrap(handler.function).__code__
    return relative(code.co_filename), code.co_firstlineno
