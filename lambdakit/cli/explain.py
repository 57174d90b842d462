"""Tell who would handle an event, and why not the others, without running anything. Exits with 1 if nobody would."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from lambdakit.cli.event_input import add_event, parse_event, read_event
from lambdakit.cli.loading import add_handler, load_app
from lambdakit.errors import EventValidationError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from lambdakit.app import Explanation


def configure(parser: ArgumentParser) -> None:
    """The verb's arguments."""
    add_handler(parser)
    add_event(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the explanation; 1 if nobody handles the event."""
    app = load_app(arguments.handler)
    event = parse_event(read_event(arguments, app), arguments)
    try:
        explanation = app.explain(event)
    except EventValidationError as error:
        print(f"lambdakit: {error}", file=sys.stderr)
        return 1
    print(json.dumps(_described(explanation), indent=2) if arguments.json else explanation)
    return 0 if explanation.handlers else 1


def _described(explanation: Explanation) -> dict[str, object]:
    return {"source": explanation.source, "handlers": explanation.handlers, "lines": explanation.lines}
