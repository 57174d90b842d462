"""The command line: one module a verb, which is imported when it is asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper

from lambdakit import __version__
from lambdakit.cli.errors import CommandError
from lambdakit.cli.parser import Parser

VERBS = {
    "list": "show an App's handlers, triggers and settings",
    "explain": "tell who would handle an event, and why not the others",
    "invoke": "run a function on an event, as Lambda does",
    "event": "print a sample event of any source",
    "dev": "serve an App on this machine, in real processes",
    "openapi": "print the OpenAPI document of an App's routes",
}

_EXAMPLES = """\
MODULE.ATTR is Lambda's handler setting: 'shop.handler' is the variable 'handler' of shop.py in this folder.

examples:
  lambdakit list shop.handler
  lambdakit explain shop.handler event.json
  lambdakit invoke shop.handler --sample s3
  lambdakit dev shop.handler --port 8000 --docs
  lambdakit event sqs --body '{"id": "1"}' | lambdakit invoke shop.handler | jq

exit codes: 0 done, 1 the function failed or nobody handles the event, 2 wrong input"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 the function failed or nobody handles the event, 2 wrong input.

    Args:
        argv: The arguments, without the program's name; None takes the process's.
    """
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # whatever the terminal can't show
    try:
        code = _run([*(sys.argv[1:] if argv is None else argv)])  # list() is a verb's module in this package
        sys.stdout.flush()
    except CommandError as error:
        print(error.details + f"lambdakit: {error}", file=sys.stderr)
        return 2
    except SystemExit as end:  # argparse, after --help or with its own message
        return int(end.code or 0)
    except BrokenPipeError:  # whoever read our output has seen enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130
    return code


def _run(arguments: list[str]) -> int:
    given = _parser(arguments[0] if arguments else "").parse_args(arguments or ["--help"])
    code: int = given.run(given)
    return code


def _parser(verb: str) -> Parser:
    parser = Parser(
        "lambdakit", description="Show, explain and run functions written with lambdakit.", epilog=_EXAMPLES
    )
    parser.add_argument("--version", action="version", version=f"lambdakit {__version__}")
    verbs = parser.add_subparsers(title="verbs", metavar="VERB", required=True)
    for name, purpose in VERBS.items():
        own = verbs.add_parser(name, help=purpose)
        if name == verb:
            module = import_module(f"lambdakit.cli.{name}")
            own.description = module.__doc__
            module.configure(own)
    return parser
