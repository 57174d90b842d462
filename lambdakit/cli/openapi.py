"""Print the OpenAPI document of an App's routes, as JSON. Exits with 1 if it has none."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from lambdakit.cli.loading import add_handler, load_app

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace


def configure(parser: ArgumentParser) -> None:
    """The verb's arguments."""
    add_handler(parser)
    parser.add_argument("--title", help="the API's name; by default the App's")
    parser.add_argument("--api-version", default="1.0.0", help="the API's version (default: 1.0.0)")
    parser.add_argument(
        "--server", action="append", default=[], metavar="URL", help="an address of the API; repeatable"
    )
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the document; 1 if the App has no routes."""
    app = load_app(arguments.handler)
    document = app.openapi(title=arguments.title, version=arguments.api_version, servers=arguments.server)
    print(json.dumps(document, indent=2))
    if not document["paths"]:
        print(f"lambdakit: {app.name} has no routes: mark a function with @on_http.", file=sys.stderr)
    return 0 if document["paths"] else 1
