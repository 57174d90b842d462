"""Print a sample event of any source as JSON: `lambdakit event SOURCE --help` shows what can be chosen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lambdakit.cli.builder_options import add_options, built, summary_of
from lambdakit.cli.errors import CommandError
from lambdakit.testing.events import NAMES, builder

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def configure(parser: ArgumentParser) -> None:
    """The verb's arguments."""
    parser.add_argument("--list", action="store_true", help="list the sources")
    parser.set_defaults(run=run, source=None)
    sources = parser.add_subparsers(dest="source", metavar="SOURCE", title="sources")
    for name in NAMES:
        summary = summary_of(builder(name))
        add_options(sources.add_parser(name, help=summary, description=summary), builder(name))


def run(arguments: Namespace) -> int:
    """Print the event."""
    if arguments.list:
        width = max(map(len, NAMES))
        print("\n".join(f"{name:{width}}  {summary_of(builder(name))}" for name in NAMES))
        return 0
    if arguments.source is None:
        raise CommandError("name a source, as in `lambdakit event s3`; `lambdakit event --list` shows them.")
    try:
        event = built(builder(arguments.source), arguments)
    except (ValueError, TypeError, LookupError, AttributeError) as error:  # JSON of any form reaches the builder
        raise CommandError(f"that makes no {arguments.source} event: {str(error).rstrip('.')}.") from error
    print(json.dumps(event, indent=2))
    return 0
