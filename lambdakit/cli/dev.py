"""Serve an App on this machine: its routes behind a front door, its schedules and queues beside them. Ctrl-C ends it.

Each environment is a real process, under AWS's own runtime client. When a Python file below this folder changes, all of
it starts anew.
"""

from __future__ import annotations

import logging
import os
import signal
from argparse import ArgumentTypeError
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdakit.cli.errors import CommandError
from lambdakit.cli.loading import add_handler, load_app

if TYPE_CHECKING:
    import socket
    from argparse import ArgumentParser, Namespace

    from lambdakit.app import App
    from lambdakit.local.front_doors.exchange import Exchange
    from lambdakit.local.front_doors.messages import Request
    from lambdakit.local.front_doors.server import Server
    from lambdakit.local.function import Function
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.service import LocalLambda

_AN_HOUR = 3_600.0


def configure(parser: ArgumentParser) -> None:
    """The verb's arguments."""
    add_handler(parser)
    parser.add_argument("--port", type=int, default=8000, help="the port; 0 takes a free one (default: 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen at (default: 127.0.0.1)")
    parser.add_argument(
        "--front-door",
        choices=("http-api", "http-api-1.0", "rest-api", "function-url", "alb"),
        default="http-api",
        metavar="DOOR",
        help="http-api (payload format 2.0), http-api-1.0, rest-api, function-url or alb (default: http-api)",
    )
    parser.add_argument(
        "--binary-media-type", action="append", metavar="TYPE", help="of a REST API, as */*; may be repeated"
    )
    parser.add_argument(
        "--multi-value-headers", action="store_const", const=True, help="of a load balancer's target group"
    )
    parser.add_argument(
        "--env",
        action="append",
        type=_variable,
        default=[],
        metavar="NAME[=VALUE]",
        help="an environment variable of the function; without a value, this shell's; may be repeated",
    )
    parser.add_argument("--docs", action="store_true", help="show the OpenAPI document at /_lambdakit/docs")
    parser.add_argument("--no-reload", dest="reload", action="store_false", help="take no notice of files that change")
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Serve until Ctrl-C."""
    signal.signal(signal.SIGTERM, _interrupt)  # which would leave the environments' folders behind
    with _listener(arguments.host, arguments.port) as listener, suppress(KeyboardInterrupt):
        (_serve_anew if arguments.reload else serve)(arguments, listener)
    return 0


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def serve(arguments: Namespace, listener: socket.socket) -> None:
    """Serve the App as it is now, until Ctrl-C.

    Raises:
        CommandError: it can't be loaded, or a setting is none of the front door's.
    """
    from lambdakit.local import LocalLambda

    app = load_app(arguments.handler)
    environment = {**app.settings.get("environment", {}), **dict(arguments.env)}
    with LocalLambda(isolation="process", event_memory=0) as local:
        function = _deployed(local, arguments.handler, environment)
        local.observers.append(lambda invocation: _show(local, invocation))
        with _server(local, function, app, arguments, listener) as server:
            print(f"lambdakit: {function.name} serves at {server.url} behind {arguments.front_door}", flush=True)
            if arguments.docs:
                print(f"lambdakit: its documentation is at {server.url}/_lambdakit/docs", flush=True)
            while True:
                local.advance(_AN_HOUR)


def _deployed(local: LocalLambda, handler: str, environment: dict[str, str]) -> Function:
    try:
        return local.deploy(handler, environment=environment)
    except ValueError as error:
        raise CommandError(f"{handler!r} can't be deployed: {error}") from error


def _server(local: LocalLambda, function: Function, app: App, arguments: Namespace, listener: socket.socket) -> Server:
    settings = _settings(arguments)
    docs = app if arguments.docs else None
    try:
        return local.serve(function, arguments.front_door, port=listener, docs=docs, seen=_show_request, **settings)
    except TypeError as error:
        raise CommandError(f"{arguments.front_door} has no {' and '.join(settings)}.") from error


def _serve_anew(arguments: Namespace, listener: socket.socket) -> None:
    """Serve in another process, which another one replaces when a file changes. The socket is one for all."""
    from watchfiles import PythonFilter, run_process

    logging.getLogger("watchfiles").setLevel(logging.ERROR)  # it warns of Ctrl-C
    print(f"lambdakit: starts anew when a Python file changes in {Path.cwd()}", flush=True)
    run_process(Path.cwd(), target=_served, args=(arguments, listener), watch_filter=PythonFilter())


def _served(arguments: Namespace, listener: socket.socket) -> None:
    """What can't be loaded waits for the next change."""
    try:
        with suppress(KeyboardInterrupt):
            serve(arguments, listener)
    except CommandError as error:
        print(f"{error.details}lambdakit: {error}", flush=True)


def _settings(arguments: Namespace) -> dict[str, Any]:
    """The settings of the front door, as far as they are given."""
    given = {
        "binary_media_types": arguments.binary_media_type,
        "multi_value_headers": arguments.multi_value_headers,
    }
    return {name: value for name, value in given.items() if value is not None}


def _listener(host: str, port: int) -> socket.socket:
    try:
        from lambdakit.local.front_doors.server import listening
    except ModuleNotFoundError as error:
        raise CommandError(f"{error}") from error
    try:
        return listening(host, port)
    except (OSError, ValueError) as error:
        problem = getattr(error, "strerror", None) or error
        raise CommandError(
            f"can't listen at {host}:{port}: {problem}. Choose another port with --port; 0 takes a free one."
        ) from error


def _variable(given: str) -> tuple[str, str]:
    name, found, value = given.partition("=")
    if not found and name not in os.environ:
        raise ArgumentTypeError(f"this shell has no variable {name!r}; give its value as {name}=...")
    return name, value if found else os.environ[name]


def _show(local: LocalLambda, invocation: Invocation) -> None:
    """Print the log of an invocation, and forget all that are over: a server runs for days."""
    print(invocation.log, end="", flush=True)
    invocations = local.functions[invocation.function].invocations
    invocations[:] = [each for each in invocations if each.ended is None]


def _show_request(request: Request, exchange: Exchange) -> None:
    assert exchange.response is not None, "it is answered"
    line = f"{request.method} {request.path}{'?' * bool(request.query)}{request.query} {exchange.response.status}"
    print(f"{line}\nlambdakit: {exchange.problem}" if exchange.problem else line, flush=True)
