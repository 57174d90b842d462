"""Run a function on an event, as Lambda does: the reply goes to stdout, the log to stderr.

The function runs in this process. Its time limit and its memory size are told to it, but not enforced.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import uuid
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from math import ceil
from typing import TYPE_CHECKING, Any

from lambdakit.cli.errors import CommandError
from lambdakit.cli.event_input import add_event, parse_event, read_event
from lambdakit.cli.loading import add_handler, load_app
from lambdakit.context import LambdaContext
from lambdakit.identify import identify
from lambdakit.local.outcome import MAX_REQUEST_BYTES, Failure, Outcome
from lambdakit.local.payloads import failure_of, log_text, outcome_of
from lambdakit.local.report import end_line, report_line, start_line
from lambdakit.local.tracebacks import user_traceback

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from lambdakit.app import App

_BATCH_SOURCES = ("sqs", "kinesis", "dynamodb")


def configure(parser: ArgumentParser) -> None:
    """The verb's arguments."""
    add_handler(parser)
    add_event(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print the reply, or the error as Lambda's JSON; 1 if the function failed."""
    request_id = str(uuid.uuid4())
    with redirect_stdout(sys.stderr), _environment(arguments.handler), _logging(request_id):
        started = time.perf_counter()
        app = load_app(arguments.handler)
        init = time.perf_counter() - started
        event = _event(arguments, app)
        outcome = _invoked(app, event, request_id, init)
        _close(app)
    _write(outcome)
    _point_out_failures(event, outcome)
    return int(isinstance(outcome, Failure))


def _event(arguments: Namespace, app: App) -> Any:
    payload = read_event(arguments, app)
    if len(payload) > MAX_REQUEST_BYTES:
        raise CommandError(
            f"{len(payload)} byte payload is too large for the RequestResponse invocation type "
            f"(limit {MAX_REQUEST_BYTES} bytes)"
        )
    return parse_event(payload, arguments)


def _invoked(app: App, event: Any, request_id: str, init: float) -> Outcome:
    os.environ.update({**_variables(app), **os.environ})
    _log(start_line(request_id))
    started = time.perf_counter()
    outcome = _outcome(app, event, request_id)
    duration = time.perf_counter() - started
    if isinstance(outcome, Failure):
        _log(log_text(outcome))
    _log(end_line(request_id))
    _log(
        report_line(
            request_id,
            outcome,
            duration=duration,
            init_duration=init,
            memory_size=_memory_size(app),
            memory_used=_max_memory_used(),
        )
    )
    return outcome


def _outcome(app: App, event: Any, request_id: str) -> Outcome:
    try:
        return outcome_of(app(event, _context(app, request_id)), request_id)
    except KeyboardInterrupt:  # whoever runs the command, not the function
        raise
    except BaseException as error:  # noqa: BLE001 - as it would reach Lambda's runtime
        _last_words(error)
        return failure_of(error, request_id)


def _context(app: App, request_id: str) -> LambdaContext:
    return LambdaContext(
        function_name=app.name,
        aws_request_id=request_id,
        memory_limit_in_mb=str(_memory_size(app)),
        deadline=time.time() + app.settings.get("timeout", 3),
    )


def _last_words(error: BaseException) -> None:
    """What Python itself prints of an exception that ends the process."""
    if isinstance(error, SystemExit):
        if not isinstance(error.code, int | None):
            _log(error.code)
    elif not isinstance(error, Exception):
        _log(user_traceback(error).rstrip())


def _memory_size(app: App) -> int:
    return app.settings.get("memory_size", 128)


def _max_memory_used() -> int | None:
    """This process's peak in MB; None on Windows, where Python does not know it."""
    if sys.platform == "win32":
        return None
    import resource

    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return ceil(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def _close(app: App) -> None:
    try:
        app.close()
    except Exception as error:  # noqa: BLE001 - the user's clean-up, which Lambda does not wait for
        _log(user_traceback(error).rstrip())


def _write(outcome: Outcome) -> None:
    sys.stdout.flush()
    sys.stdout.buffer.write(outcome.payload + (b"\n" if _is_json(outcome) else b""))
    sys.stdout.buffer.flush()


def _is_json(outcome: Outcome) -> bool:
    return isinstance(outcome, Failure) or outcome.content_type == "application/json"


def _point_out_failures(event: Any, outcome: Outcome) -> None:
    """Say which records a batch reports as failed: the function itself did not fail."""
    if identify(event) not in _BATCH_SOURCES or not _is_json(outcome):
        return
    reply = json.loads(outcome.payload)
    failures = reply.get("batchItemFailures") if isinstance(reply, dict) else None
    if failures and isinstance(failures, list):
        identifiers = [str(failure.get("itemIdentifier")) for failure in failures if isinstance(failure, dict)]
        which = ", ".join(identifiers) if all(identifiers) else "all of the batch"
        _log(f"lambdakit: failed, and would be delivered again: {which}")


def _log(text: object) -> None:
    print(text, file=sys.stderr, flush=True)


@contextmanager
def _environment(handler: str) -> Generator[None]:
    """The variable by which an App knows that Lambda loads its module; every variable is as before afterwards."""
    before = dict(os.environ)
    os.environ["_HANDLER"] = handler
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _variables(app: App) -> dict[str, str]:
    """The function's own environment variables, and those of Lambda's that are true here."""
    return {
        "AWS_LAMBDA_FUNCTION_NAME": app.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(_memory_size(app)),
        **app.settings.get("environment", {}),
    }


@contextmanager
def _logging(request_id: str) -> Generator[None]:
    """The root logger's handler and its format, as the runtime sets them before it loads the function."""
    handler = logging.StreamHandler(sys.stderr)
    form = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"
    formatter = logging.Formatter(form, "%Y-%m-%dT%H:%M:%S", defaults={"aws_request_id": request_id})
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)
