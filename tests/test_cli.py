"""The command line: what it prints, where, and its exit codes."""

from __future__ import annotations

import io
import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module, invalidate_caches
from itertools import product
from pathlib import Path

import pytest

from lambdakit import __version__
from lambdakit.cli import main
from lambdakit.cli.builder_options import add_options, built
from lambdakit.cli.errors import CommandError
from lambdakit.cli.parser import Parser
from lambdakit.local.outcome import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES
from lambdakit.testing import events

Capture = pytest.CaptureFixture[str]

REPOSITORY = str(Path(__file__).parents[1])

SHOP = """
import logging
import os
import sys

from pydantic import BaseModel

from lambdakit import App, LambdaContext, on_invoke, on_s3, on_sqs
from lambdakit.events import S3Record

print("loading the shop")


class Order(BaseModel):
    id: str


@on_s3("uploads", suffix=".csv")
def ingest(upload: S3Record) -> str:
    print("ingesting", upload.key)
    return upload.key


@on_sqs("orders", batch_size=5)
def charge(order: Order) -> None:
    print("charging", order.id)


@on_invoke
def answer(question: dict[str, object], context: LambdaContext) -> object:
    if "raise" in question:
        raise ValueError(question["raise"])
    if "exit" in question:
        sys.exit(question["exit"])
    if "cancel" in question:
        raise GeneratorExit
    if "log" in question:
        logging.getLogger("shop").warning("asked %s", question["log"])
    if "size" in question:
        return "x" * question["size"]
    if "environment" in question:
        return os.environ.get(question["environment"])
    if "context" in question:
        return [context.function_name, context.memory_limit_in_mb, round(context.get_remaining_time_in_millis(), -4)]
    if "bytes" in question:
        return b"\\xff"
    if "object" in question:
        return object()
    return question


handler = App(__name__, memory_size=512, timeout=30, environment={"TABLE": "orders"})
"""


def message(message_id: str, body: str) -> dict[str, object]:
    arn = "arn:aws:sqs:us-east-1:123456789012:orders"
    return {"messageId": message_id, "body": body, "eventSource": "aws:sqs", "eventSourceARN": arn}


def notification(bucket: str, key: str) -> dict[str, object]:
    stored = {"bucket": {"name": bucket}, "object": {"key": key}}
    return {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": stored}]}


def masked(log: str) -> list[str]:
    """The lines of a log without what differs from run to run: ids, durations, sizes."""
    return re.sub(r"[\d.]+ (ms|MB)", r"0 \1", re.sub(r"[0-9a-f-]{36}", "ID", log)).splitlines()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to work in, whose modules are forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for name in [name for name in sys.modules if name.partition(".")[0] == "shop"]:
        monkeypatch.delitem(sys.modules, name)  # the example, which other tests import
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if str(tmp_path) in (getattr(module, "__file__", None) or ""):
            del sys.modules[name]
    invalidate_caches()


@pytest.fixture
def shop(folder: Path) -> Path:
    """A folder with a function in shop.py."""
    (folder / "shop.py").write_text(SHOP, encoding="utf-8")
    return folder


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Callable[[object], None]:
    """Puts an event, or text, into stdin."""

    def put(event: object) -> None:
        text = event if isinstance(event, str) else json.dumps(event)
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return put


Stdin = Callable[[object], None]


# The command itself.


def test_the_version_is_told(capsys: Capture) -> None:
    """On stdout, with exit code 0."""
    assert (main(["--version"]), capsys.readouterr().out) == (0, f"lambdakit {__version__}\n")


def test_without_a_verb_the_help_is_shown(capsys: Capture) -> None:
    """It lists the verbs and shows examples."""
    main([])

    assert re.findall(r"^ {4}(\w+)|^ {2}(lambdakit invoke)", capsys.readouterr().out, re.MULTILINE)


@pytest.mark.parametrize("verb", ["list", "explain", "invoke", "event"])
def test_every_verb_has_help(capsys: Capture, verb: str) -> None:
    """Its own usage, and what it is for."""
    assert (main([verb, "--help"]), capsys.readouterr().out.splitlines()[0].split()[:3]) == (
        0,
        ["usage:", "lambdakit", verb],
    )


@pytest.mark.parametrize("module", ["lambdakit", "lambdakit.cli"])
def test_it_runs_as_a_module(shop: Path, module: str) -> None:
    """As a process of its own: stdout holds the reply alone, and stderr the log."""
    run = subprocess.run(
        [sys.executable, "-m", module, "invoke", "shop.handler"],
        input=b'{"a": 1}',
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": REPOSITORY},
    )

    assert (run.returncode, run.stdout, run.stderr.count(b"RequestId")) == (0, b'{"a": 1}\n', 3)


def test_nobody_reads_the_output(shop: Path) -> None:
    """A pipe that is closed ends the command in silence."""
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "wb") as pipe:
        run = subprocess.run(
            [sys.executable, "-m", "lambdakit", "list", "shop.handler"],
            stdout=pipe,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
            env={**os.environ, "PYTHONPATH": REPOSITORY},
        )

    assert (run.returncode, run.stderr) == (1, b"loading the shop\n")


def test_what_the_terminal_can_not_show_is_escaped(folder: Path) -> None:
    """The name of a bucket may be of any letters, and stdout may be ASCII."""
    (folder / "shop.py").write_text(
        "from lambdakit import App, on_schedule\n\n@on_schedule('rate(1 day)', description='\N{SNOWMAN}')\n"
        "def sweep() -> None: ...\n\napp = App(__name__)\n",
        encoding="utf-8",
    )

    run = subprocess.run(
        [sys.executable, "-m", "lambdakit", "list", "shop.app"],
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, "PYTHONPATH": REPOSITORY, "PYTHONIOENCODING": "ascii"},
    )

    assert rb"description='\u2603'" in run.stdout


# Wrong input.

WRONG: dict[str, tuple[list[str], str]] = {
    "unknown verb": (["lsit"], "there is no verb 'lsit'; did you mean 'list'?"),
    "no module at all": (["list", "nowhere.handler"], "there is no module 'nowhere' in "),
    "no such package": (["list", "nowhere.shop.handler"], "there is no module 'nowhere' in "),
    "no attribute": (["list", "shop"], "'shop' is not of the form MODULE.ATTR, as in 'shop.handler'. Its Apps: "),
    "not even a module": (["list", "nowhere"], "'nowhere' is not of the form MODULE.ATTR, as in 'shop.handler'.\n"),
    "empty parts": (["list", "shop..handler"], "'shop..handler' is not of the form MODULE.ATTR"),
    "a colon": (["list", "shop:app"], "'shop:app' is not of the form MODULE.ATTR, as in 'shop.handler'. Did you"),
    "attribute that is not there": (["list", "shop.app"], "module 'shop' (shop.py) has no 'app'. Its Apps: shop.hand"),
    "a handler, not the App": (["list", "shop.ingest"], "'shop.ingest' is not an App but a function. Its Apps: shop"),
    "a value": (["list", "shop.__name__"], "'shop.__name__' is not an App but of type 'str'. Its Apps: shop.handler."),
    "a module": (["list", "package.shop"], "'package.shop' is a module; name the App in it. Its Apps: package.shop.ha"),
    "an imported module": (["list", "shop.os"], "'shop.os' is not an App but of type 'module'. Its Apps: shop.ha"),
    "a module without an App": (["list", "empty.app"], "module 'empty' (empty.py) has no 'app'. It has no App: write"),
    "module that raises": (["list", "raises.app"], "module 'raises' can't be loaded: KeyError: 'TABLE'"),
    "module that exits": (["list", "exits.app"], "module 'exits' can't be loaded: it calls sys.exit(3)"),
    "module with a syntax error": (["list", "broken.app"], "module 'broken' can't be loaded: SyntaxError: '(' was"),
    "import that is missing": (["list", "imports.app"], "module 'imports' can't be loaded: ModuleNotFoundError: No"),
    "handler that does not fit": (["list", "unfit.app"], "module 'unfit' can't be loaded: parameter 'message' asks"),
    "no such file": (["invoke", "shop.handler", "gone.json"], "gone.json can't be read: No such file or directory."),
    "a folder": (["invoke", "shop.handler", "package"], "package can't be read: Is a directory."),
    "no JSON": (["invoke", "shop.handler", "shop.py"], "shop.py is not JSON: Expecting value: line 2 column 1 (char"),
    "Python's JSON": (["invoke", "shop.handler", "nan.json"], "nan.json is not JSON: it holds NaN, which only Pytho"),
    "JSON without an end": (["explain", "shop.handler", "deep.json"], "deep.json is not JSON: "),
    "an empty file": (["explain", "shop.handler", "empty.py"], "empty.py is empty: an event is JSON, at least null."),
    "empty stdin": (["explain", "shop.handler"], "stdin is empty: an event is JSON, at least null."),
    "no JSON on stdin": (["explain", "shop.handler", "-"], "stdin is empty"),
    "no such source": (["event", "sq"], "there is no source 'sq'; did you mean 'sqs'?"),
    "no source": (["event"], "name a source, as in `lambdakit event s3`; `lambdakit event --list` shows them."),
    "no such option": (["event", "s3", "--color", "red"], "unrecognized arguments: --color red."),
    "no number": (["event", "s3", "--records", "x"], "argument --records: invalid int value: 'x'."),
    "no time": (["event", "s3", "--time", "noon"], "argument --time: 'noon' is no time such as 2026-01-31T12:00:00Z."),
    "no mapping": (["event", "sqs", "--attributes", "x"], "argument --attributes: 'x' is neither a JSON object nor"),
    "no file for a value": (["event", "sqs", "--body", "@gone"], "argument --body: gone can't be read: No such file"),
    "what the builder refuses": (["event", "s3", "--records", "0"], "that makes no s3 event: records is 1 or more, n"),
    "what the builder trips over": (["event", "kafka_msk", "--headers", '{"a": 1}'], "that makes no kafka_msk event:"),
    "file and sample": (["invoke", "shop.handler", "-", "--sample", "s3"], "give either an event ('-') or --sample,"),
}

FILES = {
    "shop.py": SHOP,
    "package/shop.py": SHOP,
    "empty.py": "",
    "raises.py": "import os\ntable = os.environ['TABLE']\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "broken.py": "app = (\n",
    "imports.py": "import nowhere_at_all\n",
    "unfit.py": (
        "from lambdakit import App, on_s3\nfrom lambdakit.events import SqsRecord\n\n"
        "@on_s3('uploads')\ndef take(message: SqsRecord) -> None: ...\n\napp = App(__name__)\n"
    ),
    "nan.json": "[NaN]",
    "deep.json": "[" * 100_000,
}


@pytest.fixture
def wrong(folder: Path) -> Path:
    """A folder with many a fault in it."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("arguments", "said"), WRONG.values(), ids=WRONG)
def test_wrong_input_is_told_in_a_line(
    wrong: Path, capsys: Capture, stdin: Stdin, arguments: list[str], said: str
) -> None:
    """Exit code 2; the last line starts with the program's name and says what is wrong."""
    stdin("")

    code = main(arguments)

    told = "lambdakit: " + capsys.readouterr().err.rpartition("lambdakit: ")[2]
    assert (code, told[: len(said) + 11]) == (2, f"lambdakit: {said}")


def test_a_module_that_raises_shows_the_users_traceback(wrong: Path, capsys: Capture) -> None:
    """No frame of ours or of Python's import is in it, and no module-level print is on stdout."""
    main(["invoke", "raises.app", "nan.json"])

    told = capsys.readouterr().err.splitlines()
    assert [line for line in told if "<frozen os>" not in line and line.strip("~^ ")] == [
        "Traceback (most recent call last):",
        f'  File "{wrong / "raises.py"}", line 2, in <module>',
        "    table = os.environ['TABLE']",
        "KeyError: 'TABLE'",
        "lambdakit: module 'raises' can't be loaded: KeyError: 'TABLE'",
    ]


def test_a_handler_that_does_not_fit_is_told_without_a_traceback(wrong: Path, capsys: Capture) -> None:
    """Its message names the place and what would fit."""
    main(["list", "unfit.app"])

    assert capsys.readouterr().err.splitlines()[:2] == [
        "lambdakit: module 'unfit' can't be loaded: "
        "parameter 'message' asks for SqsRecord, which on_s3('uploads') does not deliver",
        f"  at unfit.take ({wrong / 'unfit.py'}:4)",
    ]


# list


def test_list_shows_a_table(shop: Path, capsys: Capture) -> None:
    """The App's settings, then a line for each handler and trigger."""
    main(["list", "shop.handler"])

    assert capsys.readouterr().out.splitlines() == [
        "shop: memory_size=512, timeout=30, environment={'TABLE': 'orders'}",
        "",
        "FUNCTION     TRIGGER                          WHERE",
        "shop.ingest  on_s3('uploads', suffix='.csv')  shop.py:18",
        "shop.charge  on_sqs('orders', batch_size=5)   shop.py:24",
        "shop.answer  on_invoke()                      shop.py:29",
    ]


def test_list_shows_json(shop: Path, capsys: Capture) -> None:
    """The same as an object."""
    main(["list", "shop.handler", "--json"])

    listed = json.loads(capsys.readouterr().out)
    assert {**listed, "handlers": listed["handlers"][:1]} == {
        "name": "shop",
        "settings": {"memory_size": 512, "timeout": 30, "environment": {"TABLE": "orders"}},
        "handlers": [
            {
                "function": "shop.ingest",
                "trigger": "on_s3('uploads', suffix='.csv')",
                "source": "s3",
                "settings": {"bucket": "uploads", "suffix": ".csv"},
                "file": "shop.py",
                "line": 18,
            }
        ],
    }


def test_list_shows_what_json_has_no_word_for_as_text(folder: Path, capsys: Capture) -> None:
    """A schedule's start date, for one."""
    (folder / "clock.py").write_text(
        "from datetime import UTC, datetime\nfrom lambdakit import App, on_schedule\n\n"
        "@on_schedule('rate(1 day)', start_date=datetime(2026, 1, 1, tzinfo=UTC))\ndef tick() -> None: ...\n\n"
        "app = App(__name__)\n",
        encoding="utf-8",
    )

    main(["list", "clock.app", "--json"])

    [handler] = json.loads(capsys.readouterr().out)["handlers"]
    assert handler["settings"]["start_date"] == "2026-01-01 00:00:00+00:00"


def test_list_of_an_app_in_a_package(wrong: Path, capsys: Capture) -> None:
    """The handler setting may have several dots, or slashes as Lambda's."""
    main(["list", "package/shop.handler"])

    assert capsys.readouterr().out.split()[-3:] == ["package.shop.answer", "on_invoke()", "package/shop.py:29"]


def test_list_of_an_app_without_handlers(folder: Path, capsys: Capture) -> None:
    """It says so, and that nothing is set."""
    (folder / "bare.py").write_text("from lambdakit import App\n\napp = App(__name__)\n", encoding="utf-8")

    main(["list", "bare.app"])

    assert capsys.readouterr().out == "bare: Lambda's default settings\n\nIt has no handlers.\n"


# explain


def test_explain_tells_who_handles_an_event(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """What the App says of it: each record, who takes it and why the others do not; with exit code 0."""
    event = notification("uploads", "a.csv")
    stdin(event)

    code = main(["explain", "shop.handler"])

    assert (code, capsys.readouterr().out) == (0, f"{import_module('shop').handler.explain(event)}\n")


def test_explain_tells_that_nobody_handles_an_event(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """With exit code 1; here as JSON."""
    event = notification("uploads", "a.jpg")
    stdin(event)

    code = main(["explain", "shop.handler", "-", "--json"])

    lines = import_module("shop").handler.explain(event).lines
    assert (code, json.loads(capsys.readouterr().out)) == (1, {"source": "s3", "handlers": [], "lines": lines})


def test_explain_tells_of_a_record_without_its_fields(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """An S3 record without an object: nobody can be chosen, which is exit code 1."""
    stdin({"Records": [{"eventSource": "aws:s3"}]})

    code = main(["explain", "shop.handler"])

    assert (code, capsys.readouterr().err.splitlines()[1]) == (
        1,
        "lambdakit: S3 object without its usual fields does not fit what the choice of a handler asks for:",
    )


def test_an_event_is_asked_for(shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a terminal the command does not wait for somebody to type one."""
    monkeypatch.setattr(sys, "stdin", None)

    code = main(["explain", "shop.handler"])

    assert (code, capsys.readouterr().err.splitlines()[-1]) == (
        2,
        "lambdakit: there is no event: name a file, pipe one in, or ask for --sample SOURCE.",
    )


# invoke


def test_invoke_prints_the_reply(shop: Path, capsys: Capture) -> None:
    """The JSON of what the handler returned, from the event in a file."""
    (shop / "event.json").write_text('{"a": [1.5, "\N{SNOWMAN}"]}', encoding="utf-8")

    code = main(["invoke", "shop.handler", "event.json"])

    assert (code, json.loads(capsys.readouterr().out)) == (0, {"a": [1.5, "\N{SNOWMAN}"]})


def test_invoke_writes_the_log_to_stderr(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """START, what the module and the handler print, END and REPORT as in Lambda; only the reply goes to stdout."""
    stdin(notification("uploads", "a.csv"))

    main(["invoke", "shop.handler"])

    captured = capsys.readouterr()
    assert (captured.out, masked(captured.err)) == (
        '"a.csv"\n',
        [
            "loading the shop",
            "START RequestId: ID Version: $LATEST",
            "ingesting a.csv",
            "END RequestId: ID",
            "REPORT RequestId: ID\tDuration: 0 ms\tBilled Duration: 0 ms\tMemory Size: 0 MB\tMax Memory Used: 0 MB\t"
            "Init Duration: 0 ms\t",
        ],
    )


def test_invoke_bills_the_whole_milliseconds_of_init_and_run(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """Billed Duration is Duration and Init Duration together, rounded up."""
    stdin({})

    main(["invoke", "shop.handler"])

    report = dict(part.split(": ") for part in capsys.readouterr().err.splitlines()[-1].strip("\t").split("\t"))
    run, billed, init = (float(report[name].split()[0]) for name in ("Duration", "Billed Duration", "Init Duration"))
    assert 0 <= billed - (run + init) < 1.01


def test_invoke_reports_the_memory_size_of_the_app(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """The setting, or 128 MB."""
    stdin({})

    main(["invoke", "shop.handler"])

    assert "\tMemory Size: 512 MB\t" in capsys.readouterr().err


def test_invoke_gives_the_handler_a_context(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """The App's name and memory, and its timeout as the time that is left."""
    stdin({"context": 1})

    main(["invoke", "shop.handler"])

    assert json.loads(capsys.readouterr().out) == ["shop", "512", 30_000]


VARIABLES = {"TABLE": "orders", "AWS_LAMBDA_FUNCTION_NAME": "shop", "_HANDLER": "shop.handler"}


@pytest.mark.parametrize("name", VARIABLES)
def test_invoke_sets_the_functions_environment(shop: Path, capsys: Capture, stdin: Stdin, name: str) -> None:
    """The variables of the App's setting, and those of Lambda that are true here."""
    stdin({"environment": name})

    main(["invoke", "shop.handler"])

    assert json.loads(capsys.readouterr().out) == VARIABLES[name]


def test_invoke_lets_the_shell_decide(
    shop: Path, capsys: Capture, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that is set already stays."""
    monkeypatch.setenv("TABLE", "test-orders")
    stdin({"environment": "TABLE"})

    main(["invoke", "shop.handler"])

    assert json.loads(capsys.readouterr().out) == "test-orders"


def test_invoke_leaves_the_process_as_it_was(shop: Path, stdin: Stdin) -> None:
    """Neither a variable nor a handler of the root logger remains."""
    before = dict(os.environ), list(logging.getLogger().handlers)
    stdin({})

    main(["invoke", "shop.handler"])

    assert (dict(os.environ), logging.getLogger().handlers) == before


def test_invoke_shows_the_log_in_lambdas_format(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """Level, time, request id and message, with tabs between them."""
    stdin({"log": "it"})

    main(["invoke", "shop.handler"])

    assert re.search(
        r"^\[WARNING\]\t\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\t[0-9a-f-]{36}\tasked it$",
        capsys.readouterr().err,
        re.MULTILINE,
    )


def test_invoke_prints_an_error_as_lambda_answers_it(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """Type, message, the request's id and the user's frames; with exit code 1."""
    stdin({"raise": "no"})

    code = main(["invoke", "shop.handler"])

    captured = capsys.readouterr()
    request_id = re.findall("START RequestId: (.*) Version", captured.err)[0]
    assert (code, json.loads(captured.out)) == (
        1,
        {
            "errorMessage": "no",
            "errorType": "ValueError",
            "requestId": request_id,
            "stackTrace": [
                f'  File "{shop / "shop.py"}", line 32, in answer\n    raise ValueError(question["raise"])\n'
            ],
        },
    )


def test_invoke_logs_an_error_as_the_runtime_does(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """[ERROR], then the user's traceback, before END."""
    stdin({"raise": "no"})

    main(["invoke", "shop.handler"])

    lines = capsys.readouterr().err.replace("\N{NO-BREAK SPACE}", " ").splitlines()
    assert lines[2:6] == [
        "[ERROR] ValueError: no",
        "Traceback (most recent call last):",
        f'  File "{shop / "shop.py"}", line 32, in answer',
        '    raise ValueError(question["raise"])',
    ]


def test_invoke_reports_an_error_of_the_handler_without_a_status(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """Lambda's REPORT has one only for a process that ended."""
    stdin({"raise": "no"})

    main(["invoke", "shop.handler"])

    assert "Status" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ({"exit": None}, ["RequestId: ID Error: Runtime exited without providing a reason"]),
        ({"exit": 3}, ["RequestId: ID Error: Runtime exited with error: exit status 3"]),
        ({"exit": "bye"}, ["bye", "RequestId: ID Error: Runtime exited with error: exit status 1"]),
    ],
    ids=["no status", "status", "message"],
)
def test_invoke_logs_that_a_function_ended_its_process(
    shop: Path, capsys: Capture, stdin: Stdin, question: object, said: list[str]
) -> None:
    """After Python's own last words: the service's, with the exit status, and the type once more in the report."""
    stdin(question)

    main(["invoke", "shop.handler"])

    assert masked(capsys.readouterr().err)[2:] == [
        *said,
        "Runtime.ExitError",
        "END RequestId: ID",
        "REPORT RequestId: ID\tDuration: 0 ms\tBilled Duration: 0 ms\tMemory Size: 0 MB\tMax Memory Used: 0 MB\t"
        "Init Duration: 0 ms\tStatus: error\tError Type: Runtime.ExitError",
    ]


def test_invoke_answers_for_a_function_that_ended_its_process(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """The caller gets Runtime.ExitError; the command itself lives on to exit with 1."""
    stdin({"exit": 3})

    code = main(["invoke", "shop.handler"])

    captured = capsys.readouterr()
    request_id = re.findall("START RequestId: (.*) Version", captured.err)[0]
    assert (code, json.loads(captured.out)) == (
        1,
        {
            "errorType": "Runtime.ExitError",
            "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: exit status 3",
        },
    )


def test_invoke_shows_the_traceback_of_what_is_no_exception(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """The runtime does not catch it, so Python prints it and the process ends."""
    stdin({"cancel": 1})

    main(["invoke", "shop.handler"])

    log = masked(capsys.readouterr().err)
    assert log[log.index("GeneratorExit") + 1] == "RequestId: ID Error: Runtime exited with error: exit status 1"


def test_invoke_tells_of_a_reply_that_is_not_json(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """It is the runtime's MarshalError."""
    stdin({"object": 1})

    code = main(["invoke", "shop.handler"])

    error = json.loads(capsys.readouterr().out)
    assert (code, error["errorType"], error["errorMessage"]) == (
        1,
        "Runtime.MarshalError",
        "Unable to marshal response: Object of type object is not JSON serializable",
    )


def test_invoke_tells_of_a_reply_that_is_too_large(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """Above 6 MiB and 100 bytes it is an error."""
    stdin({"size": MAX_RESPONSE_BYTES - 1})

    code = main(["invoke", "shop.handler"])

    assert (code, json.loads(capsys.readouterr().out)["errorType"]) == (1, "Function.ResponseSizeTooLarge")


def test_invoke_refuses_an_event_that_is_too_large(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """Above 6 MiB Lambda does not take it: wrong input, in Lambda's words."""
    stdin(json.dumps("x" * (MAX_REQUEST_BYTES - 1)))

    code = main(["invoke", "shop.handler"])

    assert (code, capsys.readouterr().err.splitlines()[-1]) == (
        2,
        "lambdakit: 6291457 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)",
    )


def test_invoke_writes_bytes_as_they_are(shop: Path, capfdbinary: pytest.CaptureFixture[bytes], stdin: Stdin) -> None:
    """Without a line end: they may be an image on its way into a file."""
    stdin({"bytes": 1})

    main(["invoke", "shop.handler"])

    assert capfdbinary.readouterr().out == b"\xff"


def test_invoke_points_out_what_a_batch_left(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """A failed record is no error of the function: exit code 0, the batch response, and a line about it."""
    stdin({"Records": [message("m1", "{}"), message("m2", '{"id": "1"}')]})

    code = main(["invoke", "shop.handler"])

    captured = capsys.readouterr()
    assert (code, json.loads(captured.out), captured.err.splitlines()[-1]) == (
        0,
        {"batchItemFailures": [{"itemIdentifier": "m1"}]},
        "lambdakit: failed, and would be delivered again: m1",
    )


def test_invoke_says_nothing_of_a_batch_that_is_done(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """The last line is the report."""
    stdin({"Records": [message("m2", '{"id": "1"}')]})

    main(["invoke", "shop.handler"])

    assert capsys.readouterr().err.splitlines()[-1].startswith("REPORT ")


def test_invoke_answers_an_event_nobody_takes_as_an_error(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """The function fails with what it would fail with in Lambda."""
    stdin(notification("downloads", "a.csv"))

    code = main(["invoke", "shop.handler"])

    assert (code, json.loads(capsys.readouterr().out)["errorType"]) == (1, "NoHandlerError")


ENVIRONMENT = """
from collections.abc import Iterator
from typing import Annotated

from lambdakit import App, Depends, on_invoke, on_start


@on_start
def warm_up() -> None:
    print("start")


def connection() -> Iterator[str]:
    yield "open"
    print("closed")
    {end}


@on_invoke
def answer(connection: Annotated[str, Depends(connection, scope="environment")]) -> str:
    print("answer")
    return connection


app = App(__name__)
"""


def test_invoke_starts_the_app_in_the_init_phase(folder: Path, capsys: Capture, stdin: Stdin) -> None:
    """Start-up hooks run before START, and what the environment opened is closed, to stderr, after the report."""
    (folder / "hooks.py").write_text(ENVIRONMENT.format(end=""), encoding="utf-8")
    stdin({})

    main(["invoke", "hooks.app"])

    captured = capsys.readouterr()
    words = [line.split()[0] for line in captured.err.splitlines()]
    assert (captured.out, words) == ('"open"\n', ["start", "START", "answer", "END", "REPORT", "closed"])


def test_invoke_shows_a_clean_up_that_fails(folder: Path, capsys: Capture, stdin: Stdin) -> None:
    """Lambda does not wait for it, so it is no failure of the invocation."""
    (folder / "hooks.py").write_text(ENVIRONMENT.format(end='raise OSError("lost")'), encoding="utf-8")
    stdin({})

    code = main(["invoke", "hooks.app"])

    assert (code, capsys.readouterr().err.splitlines()[-1]) == (0, "OSError: lost")


def test_invoke_is_ended_by_the_keyboard(
    shop: Path, capsys: Capture, stdin: Stdin, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C ends the command as a shell expects it, without a traceback."""
    (shop / "slow.py").write_text(
        "from lambdakit import App, on_invoke\n\n@on_invoke\ndef wait() -> None:\n    raise KeyboardInterrupt\n\n"
        "app = App(__name__)\n",
        encoding="utf-8",
    )
    stdin({})

    code = main(["invoke", "slow.app"])

    assert (code, "Traceback" in capsys.readouterr().err) == (130, False)


# event


@pytest.mark.parametrize("name", events.NAMES)
def test_event_prints_a_sample_of_every_source(capsys: Capture, name: str) -> None:
    """What the builder makes without options, as indented JSON."""
    main(["event", name])

    assert capsys.readouterr().out == json.dumps(events.builder(name)(), indent=2) + "\n"


OPTIONS: dict[str, tuple[list[str], object]] = {
    "a name": (["s3", "--bucket", "photos"], events.s3("photos")),
    "several of what *keys stands for": (
        ["s3", "--key", "a b.jpg", "--key", "c"],
        events.s3("uploads", "a b.jpg", "c"),
    ),
    "a name of two words": (
        ["s3", "--event-name", "ObjectRemoved:Delete"],
        events.s3(event_name="ObjectRemoved:Delete"),
    ),
    "a number": (["s3", "--records", "3"], events.s3(records=3)),
    "envelopes": (["s3", "--via", "sns,sqs"], events.s3(via=("sns", "sqs"))),
    "one after the other": (["s3", "--via", "sns", "--via", "sqs"], events.s3(via=("sns", "sqs"))),
    "a time": (
        ["s3", "--time", "2026-02-01T00:00:00Z"],
        events.s3(time=datetime(2026, 2, 1, tzinfo=UTC)),
    ),
    "text as it is": (["sqs", "--body", '{"total": 1.10}'], events.sqs("orders", '{"total": 1.10}')),
    "text of a file": (["sqs", "--body", "@text.json"], events.sqs("orders", '{"id": "1"}\n')),
    "bytes of a file": (["kinesis", "--data", "@bytes"], events.kinesis("readings", b"\xff")),
    "JSON": (["eventbridge", "--detail", '{"id": [1, null]}'], events.eventbridge(detail={"id": [1, None]})),
    "JSON of a file": (["eventbridge", "--detail", "@text.json"], events.eventbridge(detail={"id": "1"})),
    "a number as JSON": (["invoke", "--payload", "5"], 5),
    "text where it could be JSON": (["invoke", "--payload", "hello"], "hello"),
    "several mappings": (
        ["apigw_v2", "--headers", "x-a=1", "--headers", '{"x-b": "2=3"}'],
        events.apigw_v2(headers={"x-a": "1", "x-b": "2=3"}),
    ),
    "several changes": (
        ["dynamodb", "--change", '{"new": {"id": "1"}}', "--change", '{"old": {"id": "2"}}'],
        events.dynamodb("customers", {"new": {"id": "1"}}, {"old": {"id": "2"}}),
    ),
    "a flag": (["schedule", "--scheduler"], events.schedule(scheduler=True)),
    "a flag that is off": (["schedule", "--no-scheduler"], events.schedule()),
}


@pytest.mark.parametrize(("arguments", "event"), OPTIONS.values(), ids=OPTIONS)
def test_event_takes_the_builders_parameters_as_options(
    folder: Path, capsys: Capture, arguments: list[str], event: object
) -> None:
    """Each is read as its type says."""
    (folder / "text.json").write_text('{"id": "1"}\n', encoding="utf-8")
    (folder / "bytes").write_bytes(b"\xff")

    main(["event", *arguments])

    assert json.loads(capsys.readouterr().out) == event


VALUES = ("x", "5", "-1", "null", "{}", '{"a": null}', "[1]", "@gone", "", "\ud800")


@pytest.mark.parametrize("name", events.NAMES)
def test_every_option_makes_an_event_or_is_refused(name: str) -> None:
    """Whatever its value is: an event that is JSON, or one of the errors that the command turns into a line."""
    parser = Parser(name)
    add_options(parser, events.builder(name))
    options = re.findall(r"\[(--[a-z-]+) ", parser.format_usage())

    for option, value in product(options, VALUES):
        with suppress(CommandError, ValueError, TypeError, LookupError, AttributeError):
            json.dumps(built(events.builder(name), parser.parse_args([f"{option}={value}"])))


def test_event_lists_the_sources(capsys: Capture) -> None:
    """Each with a line about it."""
    main(["event", "--list"])

    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == list(events.NAMES)


def test_event_describes_its_options(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the words of the builder's docstring, with the default."""
    monkeypatch.setenv("COLUMNS", "200")

    main(["event", "sqs", "--help"])

    assert re.search(r"^  --queue TEXT +The queue's name or ARN.* \[orders\]$", capsys.readouterr().out, re.MULTILINE)


def test_an_event_goes_into_an_invocation(shop: Path, capsys: Capture, stdin: Stdin) -> None:
    """What one command prints the other reads."""
    main(["event", "s3", "--key", "my report.csv"])
    stdin(capsys.readouterr().out)

    main(["invoke", "shop.handler"])

    assert json.loads(capsys.readouterr().out) == "my report.csv"


# --sample

SAMPLED = """
from lambdakit import App, on_event, on_invoke, on_s3, on_schedule, on_sqs
from lambdakit.events import S3Record


@on_s3("photos", prefix="in/", suffix=".jpg")
def develop(photo: S3Record) -> None: ...


@on_s3("films", via=("sns", "sqs"))
def show(film: S3Record) -> None: ...


@on_s3("photos", events="ReducedRedundancyLostObject", via="eventbridge")
def mourn() -> None: ...


@on_sqs("letters")
@on_schedule("rate(1 day)", name="daily")
def post() -> None: ...


@on_event("cloudwatch_logs")
def watch(event: dict[str, object]) -> None: ...


@on_invoke
def answer(question: dict[str, object]) -> None: ...


app = App(__name__)
"""

SAMPLES = {
    "s3": "taken by on_s3('photos', prefix='in/', suffix='.jpg') -> sampled.develop",
    "sqs": "taken by on_sqs('letters') -> sampled.post",
    "schedule": "taken by on_schedule('rate(1 day)', name='daily') -> sampled.post",
    "eventbridge_schedule": "taken by on_schedule('rate(1 day)', name='daily') -> sampled.post",
    "cloudwatch_logs": "taken by on_event('cloudwatch_logs') -> sampled.watch",
    "direct": "taken by on_invoke() -> sampled.answer",
    "stepfunctions": "taken by on_invoke() -> sampled.answer",
    "develop": "taken by on_s3('photos', prefix='in/', suffix='.jpg') -> sampled.develop",
    "sampled.show": "taken by on_s3('films', via=('sns', 'sqs')) -> sampled.show",
    "watch": "taken by on_event('cloudwatch_logs') -> sampled.watch",
}


@pytest.fixture
def sampled(folder: Path) -> Path:
    """A folder with a function of many sources."""
    (folder / "sampled.py").write_text(SAMPLED, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_fits_the_app(sampled: Path, capsys: Capture, name: str) -> None:
    """It has the names of the App's own trigger: of the first one of that source, or of the handler that is named."""
    main(["explain", "sampled.app", "--sample", name])

    assert capsys.readouterr().out.splitlines()[2].strip() == SAMPLES[name]


def test_a_sample_of_a_source_that_the_app_does_not_take(sampled: Path, capsys: Capture) -> None:
    """It is the source's usual one, which nobody handles."""
    code = main(["explain", "sampled.app", "--sample", "kinesis", "--json"])

    assert (code, json.loads(capsys.readouterr().out)["source"]) == (1, "kinesis")


def test_a_sample_runs(shop: Path, capsys: Capture) -> None:
    """Its payload fits what the handler asks for."""
    code = main(["invoke", "shop.handler", "--sample", "charge"])

    assert (code, json.loads(capsys.readouterr().out)) == (0, {"batchItemFailures": []})


def test_a_sample_of_what_is_not_there(sampled: Path, capsys: Capture) -> None:
    """It tells what is, and what was probably meant."""
    code = main(["explain", "sampled.app", "--sample", "develp"])

    assert (code, capsys.readouterr().err) == (
        2,
        "lambdakit: there is no source or handler 'develp'; did you mean 'develop'? "
        "The handlers: develop, show, mourn, post, post, watch, answer. The sources: `lambdakit event --list`.\n",
    )


def test_a_sample_that_can_not_be_made(sampled: Path, capsys: Capture) -> None:
    """S3 does not tell EventBridge of lost objects, so no event fits the trigger."""
    code = main(["explain", "sampled.app", "--sample", "mourn"])

    assert (code, capsys.readouterr().err.startswith("lambdakit: there is no sample for 'mourn': ")) == (2, True)
