"""The event of a command: from a file, from stdin, or a sample."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdakit.cli.errors import CommandError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from lambdakit.app import App

STDIN = "-"


def add_event(parser: ArgumentParser) -> None:
    """The arguments that give the event."""
    parser.add_argument("event", metavar="EVENT_FILE", nargs="?", help="the event as JSON; - or none is stdin")
    parser.add_argument(
        "--sample",
        metavar="SOURCE",
        help="a made-up event of a source ('s3'), or for a handler (its function's name), that fits the App",
    )


def read_event(arguments: Namespace, app: App) -> bytes:
    """The event's JSON, as it was given.

    Raises:
        CommandError: there is none, or it can't be read.
    """
    if arguments.sample is None:
        return _read(arguments.event or STDIN)
    if arguments.event is not None:
        raise CommandError(f"give either an event ({arguments.event!r}) or --sample, not both.")
    from lambdakit.cli.samples import sample_for  # the builders are many

    return json.dumps(sample_for(app, arguments.sample)).encode()


def parse_event(payload: bytes, arguments: Namespace) -> Any:
    """The event.

    Raises:
        CommandError: it is not JSON.
    """
    try:
        return json.loads(payload, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"{_name(arguments.event or STDIN)} is not JSON: {error}.") from error


def _read(file: str) -> bytes:
    if file == STDIN and (sys.stdin is None or sys.stdin.isatty()):
        raise CommandError("there is no event: name a file, pipe one in, or ask for --sample SOURCE.")
    try:
        payload = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    except OSError as error:
        raise CommandError(f"{file} can't be read: {error.strerror}.") from error
    if not payload.strip():
        raise CommandError(f"{_name(file)} is empty: an event is JSON, at least null.")
    return payload


def _name(file: str) -> str:
    return "stdin" if file == STDIN else file


def _refuse(constant: str) -> None:
    raise ValueError(f"it holds {constant}, which only Python takes")
