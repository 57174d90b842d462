"""The local Lambda with functions in real processes, under AWS's own runtime client, on real time."""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

import lambdakit
from lambdakit import App, on_invoke
from lambdakit.local import ClockError, Function, Invocation, InvokeError, Lifetimes, LocalLambda
from lambdakit.local.outcome import MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, Failure, Reply
from lambdakit.local.placement import Environment
from lambdakit.local.process.clock import RealClock
from lambdakit.local.process.runner import ProcessRunner
from lambdakit.local.runner import Call, Deployment, Result
from lambdakit.local.sources.queue import Queue
from tests.jumping_clock import JumpingClock

FOREVER = "import threading; threading.Event().wait()"
MIB = 1024 * 1024

SHOP = f'''
import json, logging, mmap, os, signal, subprocess, sys, tempfile, threading, time
from pathlib import Path

print("loading")
calls = 0

def handler(event, context):
    return globals()[event["do"]](event, context)

def echo(event, context):
    return event

def count(event, context):
    global calls
    calls += 1
    return calls

def nothing(event, context):
    pass

def raw(event, context):
    return b"raw"

def large(event, context):
    return "x" * (event["bytes"] - 2)

def fail(event, context):
    raise LookupError("no order 7")

def recurse(event, context):
    return recurse(event, context)

def unserialisable(event, context):
    return object()

def remaining(event, context):
    return context.get_remaining_time_in_millis()

def say(event, context):
    print("to stdout", event["text"])
    print("to stderr", file=sys.stderr)
    os.system("echo from a child")

def shout(event, context):
    for _ in range(event["megabytes"]):
        print("x" * (1024 * 1024 - 1))

def environ(event, context):
    return dict(os.environ)

def whereabouts(event, context):
    """What an environment is told apart by; a file that is there from the second call on."""
    note = Path(tempfile.gettempdir(), "note")
    existed = note.exists()
    note.touch()
    return {{"pid": os.getpid(), "note": existed, "stream": context.log_stream_name, "count": count(event, context)}}

def meet(event, context):
    """Return when as many as that run at the same time."""
    folder = Path(event["folder"])
    folder.joinpath(context.aws_request_id).touch()
    while len(list(folder.iterdir())) < event["number"]:
        time.sleep(0.001)
    return os.getpid()

def leave(event, context):
    sys.exit(event["status"])

def crash(event, context):
    os._exit(1)

def kill(event, context):
    os.kill(os.getpid(), signal.SIGKILL)

def hang(event, context):
    # A child has the pipe open, too, as long as it lives.
    pipe = open(event["pipe"], "w")
    child = subprocess.Popen([sys.executable, "-c", "{FOREVER}"], stdout=pipe)
    print("up", end="", file=pipe, flush=True)
    threading.Event().wait()

def allocate(event, context):
    return len(b"x" * event["megabytes"] * 1024 * 1024)

def hold(event, context):
    held = b"x" * event["megabytes"] * 1024 * 1024
    threading.Event().wait()

def reserve(event, context):
    with mmap.mmap(-1, event["megabytes"] * 1024 * 1024) as room:
        time.sleep(0.05)
        return len(room)

def have_child_hold(event, context):
    code = f"held = b'x' * {{event['megabytes']}} * 1024 * 1024; {FOREVER}"
    subprocess.run([sys.executable, "-c", code])

def fork(event, context):
    """Children that share what their parent holds."""
    held = b"x" * event["megabytes"] * 1024 * 1024
    children = [os.fork() for _ in range(4) if calls == 0]
    if 0 in children:
        time.sleep(0.1)
        os._exit(0)
    return [os.waitpid(child, 0)[1] for child in children]
'''


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module above, under a name that no other test's module has."""
    folder = tmp_path_factory.mktemp("task")
    (folder / "process_shop.py").write_text(SHOP)
    return folder


@pytest.fixture(scope="module")
def local() -> Iterator[LocalLambda]:
    """A service for the tests that don't mind each other's functions."""
    with LocalLambda(isolation="process") as local:
        yield local


@pytest.fixture(scope="module")
def shop(local: LocalLambda, task: Path) -> Function:
    """A function for the tests that leave its environment as it was."""
    fn = local.deploy("process_shop.handler", task_root=task, memory_size=1_024, timeout=30)
    assert fn.invoke({"do": "nothing"}).error is None
    return fn


def name_of(text: str) -> str:
    """A function's name that tells where it is used."""
    return re.sub(r"\W+", "-", text)[-64:]


@pytest.fixture
def deploy(local: LocalLambda, task: Path, request: pytest.FixtureRequest) -> Callable[..., Function]:
    """Deploys a function for one test."""

    def deploy(**settings: Any) -> Function:
        return local.deploy("process_shop.handler", name=name_of(request.node.name), task_root=task, **settings)

    return deploy


def failure(invocation: Invocation) -> Failure:
    assert isinstance(invocation.outcome, Failure), invocation
    return invocation.outcome


# Replies and errors


@pytest.mark.parametrize(
    ("do", "reply"),
    [
        ("echo", Reply(b'{"do": "echo"}')),
        ("nothing", Reply(b"null")),
        ("raw", Reply(b"raw", "application/unknown")),
    ],
)
def test_a_reply_is_what_the_runtime_wrote(shop: Function, do: str, reply: Reply) -> None:
    """JSON, and bytes as they are."""
    assert shop.invoke({"do": do}).outcome == reply


def test_an_exception_is_the_payload_the_caller_gets(shop: Function, task: Path) -> None:
    """Type, message, request ID and the user's frames, without the runtime's own."""
    invocation = shop.invoke({"do": "fail"})

    def line_of(code: str) -> int:
        return SHOP[: SHOP.index(code)].count("\n") + 1

    frames = [
        f'  File "{task}/process_shop.py", line {line_of(code)}, in {name}\n    {code.strip()}\n'
        for name, code in (
            ("handler", '    return globals()[event["do"]](event, context)'),
            ("fail", '    raise LookupError("no order 7")'),
        )
    ]
    assert json.loads(failure(invocation).payload) == {
        "errorMessage": "no order 7",
        "errorType": "LookupError",
        "requestId": invocation.request_id,
        "stackTrace": frames,
    }


def test_an_exception_leaves_the_environment_as_it_is(shop: Function) -> None:
    """The same process runs the next event."""
    before = shop.invoke({"do": "whereabouts"}).payload
    shop.invoke({"do": "fail"})
    after = shop.invoke({"do": "whereabouts"}).payload

    assert (after["pid"], after["count"]) == (before["pid"], before["count"] + 1)


def test_a_very_deep_traceback_gets_through(shop: Function) -> None:
    """The client sends all its frames in a header as well, of more than 64 KiB."""
    assert failure(shop.invoke({"do": "recurse"})).error_type == "RecursionError"


def test_a_result_that_is_no_json_is_a_marshal_error(shop: Function) -> None:
    """The runtime refuses it, not Lambda."""
    failed = failure(shop.invoke({"do": "unserialisable"}))

    assert (failed.cause, failed.error_type, failed.error_message.partition(":")[0]) == (
        "handler",
        "Runtime.MarshalError",
        "Unable to marshal response",
    )


def test_the_largest_event_and_the_largest_response_pass(shop: Function) -> None:
    """6 MiB in, 6 MiB and 100 bytes out."""
    event = b'{"do": "large", "bytes": %d, "padding": "' % MAX_RESPONSE_BYTES

    invocation = shop.invoke(event.ljust(MAX_REQUEST_BYTES - 2, b"x") + b'"}')

    assert len(str(invocation.payload)) == MAX_RESPONSE_BYTES - 2


def test_a_response_above_the_limit_is_an_error_and_a_reset(deploy: Callable[..., Function]) -> None:
    """The runtime client does not survive the 413 it gets."""
    fn = deploy()

    failed = failure(fn.invoke({"do": "large", "bytes": MAX_RESPONSE_BYTES + 1}))

    assert (failed.cause, json.loads(failed.payload), fn.invoke({"do": "count"}).payload) == (
        "size",
        {
            "errorType": "Function.ResponseSizeTooLarge",
            "errorMessage": "Response payload size exceeded maximum allowed payload size (6291556 bytes).",
        },
        1,
    )


def test_a_payload_that_is_too_large_never_reaches_the_function(shop: Function) -> None:
    """Refused as in virtual time: with 413, or an error for an event."""
    before = len(shop.invocations)

    invocation = shop.invoke("x" * MAX_REQUEST_BYTES)
    with pytest.raises(InvokeError, match="RequestTooLargeException"):
        shop.invoke_async("x" * 1_048_576)

    assert (invocation.status, len(shop.invocations)) == (413, before)


def test_the_remaining_time_counts_down_to_the_deadline(shop: Function) -> None:
    """In milliseconds."""
    assert 20_000 < shop.invoke({"do": "remaining"}).payload <= 30_000


# The log


def test_the_log_is_lambdas(deploy: Callable[..., Function]) -> None:
    """INIT phase and invocation, from START to REPORT, with the memory it took."""
    invocation = deploy().invoke({"do": "nothing"})

    request = invocation.request_id
    assert re.fullmatch(
        rf"START RequestId: {request} Version: \$LATEST\n"
        r"loading\n"
        rf"END RequestId: {request}\n"
        rf"REPORT RequestId: {request}\tDuration: \d+\.\d\d ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\t"
        r"(Max Memory Used: \d+ MB\t)?Init Duration: \d+\.\d\d ms\t\n",
        invocation.log,
    )


def test_each_invocation_has_the_log_of_what_it_printed(shop: Function) -> None:
    """Both streams and those of child processes, in the order they were written."""
    logs = [shop.invoke({"do": "say", "text": text}).log.splitlines()[1:-2] for text in ("ä", "b")]

    assert logs == [[f"to stdout {text}", "to stderr", "from a child"] for text in ("ä", "b")]


def test_a_traceback_in_the_log_has_its_lines(shop: Function) -> None:
    """The runtime client joins them with carriage returns."""
    assert "[ERROR] LookupError: no order 7\nTraceback (most recent call last):\n" in shop.invoke({"do": "fail"}).log


def test_a_huge_log_is_read_whole(shop: Function) -> None:
    """Nothing is lost, and the function is not kept waiting for someone to read."""
    assert len(shop.invoke({"do": "shout", "megabytes": 20}).log) > 20 * MIB


# Environments


def test_the_function_sees_lambdas_variables_and_its_own(
    deploy: Callable[..., Function], task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But none of the machine's that could make a difference, such as credentials."""
    monkeypatch.setenv("AWS_PROFILE", "production")
    fn = deploy(environment={"TABLE": "t"}, memory_size=256)

    variables = fn.invoke({"do": "environ"}).payload

    machines = ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "LAMBDA_RUNTIME_DIR", "TMPDIR")
    for name in (*machines, "AWS_LAMBDA_RUNTIME_API", "AWS_LAMBDA_LOG_STREAM_NAME"):
        variables.pop(name, None)
    assert variables == {
        "_HANDLER": "process_shop.handler",
        "TABLE": "t",
        "TZ": ":UTC",
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
        "LAMBDA_TASK_ROOT": str(task),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_NAME": fn.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{fn.name}",
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_SESSION_TOKEN": "testing",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
        "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
    }


def test_the_import_path_is_this_processs(deploy: Callable[..., Function], monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folders mean the same in the function's folder."""
    monkeypatch.setenv("PYTHONPATH", "lib", prepend=os.pathsep)

    variables = deploy().invoke({"do": "environ"}).payload

    assert variables["PYTHONPATH"].split(os.pathsep)[0] == str(Path.cwd() / "lib")


def test_a_warm_environment_is_the_same_process(deploy: Callable[..., Function]) -> None:
    """With its globals and its temporary folder; only the first invocation is a cold start."""
    fn = deploy()

    first, second = fn.invoke({"do": "whereabouts"}), fn.invoke({"do": "whereabouts"})

    assert (first.cold_start, second.cold_start, first.environment) == (True, False, second.environment)
    assert (first.payload["note"], second.payload) == (False, {**first.payload, "note": True, "count": 2})


def test_invocations_at_one_instant_run_in_parallel(deploy: Callable[..., Function], tmp_path: Path) -> None:
    """Each in a process of its own: here they wait for each other."""
    fn = deploy(timeout=20)

    invocations = fn.invoke_many([{"do": "meet", "folder": str(tmp_path), "number": 3}] * 3)

    assert ([i.error for i in invocations], fn.max_concurrency, fn.cold_starts) == ([None] * 3, 3, 3)
    assert len({i.payload for i in invocations}) == 3


def test_many_threads_may_invoke_at_once(deploy: Callable[..., Function], tmp_path: Path) -> None:
    """Their invocations run in parallel, too, and each thread gets the reply to its own."""
    fn = deploy(timeout=20)
    replies: dict[int, Any] = {}

    def invoke(number: int) -> None:
        event = {"do": "meet", "folder": str(tmp_path), "number": 8}
        assert fn.invoke(event).error is None
        replies[number] = fn.invoke({"do": "echo", "number": number}).payload

    threads = [Thread(target=invoke, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert replies == {number: {"do": "echo", "number": number} for number in range(8)}
    assert fn.max_concurrency == 8


def test_a_throttle_is_an_invocation_of_status_429(deploy: Callable[..., Function]) -> None:
    """Of two at one instant the one beyond the reservation is refused, and no process started for it."""
    fn = deploy(reserved_concurrency=1)

    invocations = fn.invoke_many([{"do": "echo"}] * 2)

    assert sorted(i.status for i in invocations) == [200, 429]
    assert fn.environments == [1]


def test_a_provisioned_environment_knows_that_it_is_one(deploy: Callable[..., Function]) -> None:
    """Its INIT phase is no cold start."""
    invocation = deploy(provisioned_concurrency=1).invoke({"do": "environ"})

    assert (invocation.payload["AWS_LAMBDA_INITIALIZATION_TYPE"], invocation.cold_start, invocation.init_duration) == (
        "provisioned-concurrency",
        False,
        None,
    )


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_an_environment_that_was_reaped_is_gone(task: Path) -> None:
    """Its process is, and its temporary folder; the next invocation starts another one."""
    with LocalLambda(isolation="process", lifetimes=Lifetimes(idle=0)) as local:
        fn = local.deploy("process_shop.handler", task_root=task)

        first = fn.invoke({"do": "environ"}).payload
        second = fn.invoke({"do": "whereabouts"})

    assert (second.cold_start, second.payload["note"], Path(first["TMPDIR"]).exists()) == (True, False, False)


def test_closing_the_service_ends_its_processes(task: Path) -> None:
    """And removes their folders; afterwards an invocation says that it is closed."""
    with LocalLambda(isolation="process") as local:
        fn = local.deploy("process_shop.handler", task_root=task)
        pid, folder = fn.invoke({"do": "whereabouts"}).payload["pid"], fn.invoke({"do": "environ"}).payload["TMPDIR"]

    with pytest.raises(ClockError, match="closed"):
        fn.invoke({"do": "nothing"})
    assert (is_running(pid), Path(folder).exists()) == (False, False)


# Resets


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"do": "crash"}, "Runtime exited with error: exit status 1"),
        ({"do": "leave", "status": 0}, "Runtime exited without providing a reason"),
        ({"do": "leave", "status": 3}, "Runtime exited with error: exit status 3"),
        ({"do": "kill"}, "Runtime exited with error: signal: killed"),
    ],
)
def test_the_end_of_the_process_fails_the_invocation(local: LocalLambda, task: Path, event: Any, message: str) -> None:
    """As Runtime.ExitError, in the log as well."""
    name = "exits"
    fn = local.functions.get(name) or local.deploy("process_shop.handler", name=name, task_root=task)

    invocation = fn.invoke(event)

    assert (failure(invocation).cause, json.loads(failure(invocation).payload)) == (
        "exit",
        {"errorType": "Runtime.ExitError", "errorMessage": f"RequestId: {invocation.request_id} Error: {message}"},
    )
    assert invocation.log.endswith("\tStatus: error\tError Type: Runtime.ExitError\n")


def test_a_process_that_ends_between_invocations_fails_the_next(deploy: Callable[..., Function]) -> None:
    """Nothing waits for a reply that can't come."""
    fn = deploy()
    pid = fn.invoke({"do": "whereabouts"}).payload["pid"]

    os.kill(pid, signal.SIGKILL)

    assert failure(fn.invoke({"do": "echo"})).error_message.endswith("Runtime exited with error: signal: killed")


def test_a_reset_environment_keeps_its_folder_and_its_log(deploy: Callable[..., Function]) -> None:
    """And nothing else: another process is initialized in the next invocation, inside its own duration."""
    fn = deploy()
    before = fn.invoke({"do": "whereabouts"})
    fn.invoke({"do": "crash"})

    after = fn.invoke({"do": "whereabouts"})

    assert after.payload == {**before.payload, "note": True, "pid": after.payload["pid"]}
    assert after.payload["pid"] != before.payload["pid"]
    assert (after.environment, after.cold_start, after.init_duration) == (before.environment, False, None)
    assert (after.duration or 0) > 0.01, "no Python starts in less"
    assert "loading\n" in after.log


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A named pipe and its reading end."""
    path = str(tmp_path / "pipe")
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    yield path, reader
    os.close(reader)


def read(reader: int) -> bytes:
    """What is in the pipe, as soon as there is something; nothing when all that had it open are gone."""
    assert select.select([reader], [], [], 10)[0], "nothing came, and somebody still has the pipe open"
    return os.read(reader, 100)


def test_at_the_deadline_the_process_and_its_children_are_killed(
    deploy: Callable[..., Function], pipe: tuple[str, int]
) -> None:
    """Lambda's words, and nothing of the environment goes on; the next invocation finds it reset."""
    path, reader = pipe
    fn = deploy(timeout=1)

    invocation = fn.invoke({"do": "hang", "pipe": path})

    assert (invocation.duration, json.loads(failure(invocation).payload), read(reader), read(reader)) == (
        1,
        {
            "errorType": "Sandbox.Timedout",
            "errorMessage": f"RequestId: {invocation.request_id} Error: Task timed out after 1.00 seconds",
        },
        b"up",
        b"",
    )
    assert invocation.log.endswith("\tStatus: timeout\n")
    assert fn.invoke({"do": "count"}).payload == 1


# The INIT phase


@pytest.mark.parametrize(
    ("handler", "error_type", "message"),
    [
        (
            "process_missing.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'process_missing': No module",
        ),
        (
            "process_imports.handler",
            "Runtime.ImportModuleError",
            "Unable to import module 'process_imports': No module",
        ),
        ("process_syntax.handler", "Runtime.UserCodeSyntaxError", "Syntax error in module 'process_syntax': "),
        ("process_empty.handler", "Runtime.HandlerNotFound", "Handler 'handler' missing on module 'process_empty'"),
        ("handler", "Runtime.MalformedHandlerName", "Bad handler 'handler': "),
        ("sys.handler", "Runtime.BuiltInModuleConflict", "Cannot use built-in module sys as a handler module"),
        ("process_raises.handler", "ZeroDivisionError", "division by zero"),
        ("process_registers.handler", "RegistrationError", "parameter 'upload' has no annotation"),
    ],
)
def test_a_module_that_cannot_be_loaded_is_an_init_error(
    local: LocalLambda, tmp_path: Path, handler: str, error_type: str, message: str
) -> None:
    """The invocation gets it, with an empty request ID, and the environment is no more."""
    (tmp_path / "process_imports.py").write_text("import process_missing")
    (tmp_path / "process_syntax.py").write_text("x = 1\ndef (")
    (tmp_path / "process_empty.py").write_text("")
    (tmp_path / "process_raises.py").write_text("1 / 0")
    (tmp_path / "process_registers.py").write_text(
        "from lambdakit import App, on_s3\n\n@on_s3('uploads')\ndef ingest(upload): ...\n\nhandler = App(__name__)\n"
    )
    fn = local.deploy(handler, name=name_of(handler), task_root=tmp_path)

    failed = failure(fn.invoke({}))

    assert message in failed.error_message
    assert (failed.cause, failed.error_type, json.loads(failed.payload)["requestId"]) == ("init", error_type, "")


def test_a_failed_environment_is_replaced(local: LocalLambda, tmp_path: Path) -> None:
    """Each invocation tries to start another one, and each is a cold start."""
    (tmp_path / "process_zero.py").write_text("1 / 0")
    fn = local.deploy("process_zero.handler", task_root=tmp_path)

    invocations = [fn.invoke({}), fn.invoke({})]

    assert [(i.environment, i.cold_start, i.error and i.error.type) for i in invocations] == [
        (1, True, "ZeroDivisionError"),
        (2, True, "ZeroDivisionError"),
    ]


def test_a_module_that_exits_gives_no_reason(local: LocalLambda, tmp_path: Path) -> None:
    """sys.exit(0) while the module loads is not an init error that the runtime reports."""
    (tmp_path / "process_exits.py").write_text("import sys; sys.exit(0)")

    invocation = local.deploy("process_exits.handler", task_root=tmp_path).invoke({})

    assert failure(invocation).error_message == (
        f"RequestId: {invocation.request_id} Error: Runtime exited without providing a reason"
    )


SLOW = """
import os, pathlib, tempfile, threading
note = pathlib.Path(tempfile.gettempdir(), "note")
if "AWS_LAMBDA_RUNTIME_API" in os.environ and (not note.exists() or {always}):
    note.touch()
    print("waiting", flush=True)
    threading.Event().wait()

def handler(event, context):
    return "done"
"""


def test_an_init_phase_that_takes_too_long_is_repeated_in_the_invocation(
    local: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 10 s in Lambda; the log says so, and the folder is the same."""
    monkeypatch.setattr("lambdakit.local.runner.INIT_SECONDS", 1.0)
    (tmp_path / "process_slow.py").write_text(SLOW.format(always=False))

    invocation = local.deploy("process_slow.handler", task_root=tmp_path).invoke({})

    assert (invocation.payload, invocation.cold_start) == ("done", True)
    assert re.search(
        r"waiting\nINIT_REPORT Init Duration: \d+\.\d\d ms\tPhase: init\tStatus: timeout\nEND ", invocation.log
    )


def test_an_init_phase_that_never_ends_times_out(
    local: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second time it has the function's time."""
    monkeypatch.setattr("lambdakit.local.runner.INIT_SECONDS", 0.3)
    (tmp_path / "process_stuck.py").write_text(SLOW.format(always=True))

    invocation = local.deploy("process_stuck.handler", task_root=tmp_path, timeout=1).invoke({})

    assert (failure(invocation).error_type, invocation.duration) == ("Sandbox.Timedout", 1)


# Memory

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells how much memory a process takes")


def killed(invocation: Invocation) -> tuple[str, str, int | None]:
    """The error without its request, and the memory that was reported."""
    message = failure(invocation).error_message.removeprefix(f"RequestId: {invocation.request_id} ")
    return failure(invocation).error_type, message, invocation.max_memory_used


KILLED = ("Runtime.ExitError", "Error: Runtime exited with error: signal: killed", 128)


@linux
@pytest.mark.parametrize("do", ["hold", "have_child_hold"])
def test_memory_above_the_limit_kills(deploy: Callable[..., Function], do: str) -> None:
    """The function's own, and that of what it starts; the report shows all there is as used."""
    invocation = deploy(timeout=20).invoke({"do": do, "megabytes": 200})

    assert killed(invocation) == KILLED
    assert "Memory Size: 128 MB\tMax Memory Used: 128 MB\t" in invocation.log


@linux
def test_memory_that_is_taken_for_a_moment_only_kills_as_well(
    deploy: Callable[..., Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel remembers the peak: no luck decides whether a function is found out."""
    monkeypatch.setattr("lambdakit.local.process.runner.MEASURED_EVERY", 1_000)

    assert killed(deploy().invoke({"do": "allocate", "megabytes": 200})) == KILLED


@linux
def test_after_such_a_kill_the_environment_is_reset(deploy: Callable[..., Function]) -> None:
    """As after any other end of the process."""
    fn = deploy()
    fn.invoke({"do": "allocate", "megabytes": 200})

    invocation = fn.invoke({"do": "count"})

    assert (invocation.payload, invocation.environment, invocation.error) == (1, 1, None)
    assert 1 < (invocation.max_memory_used or 0) < 128


@linux
@pytest.mark.parametrize("event", [{"do": "reserve", "megabytes": 4_096}, {"do": "fork", "megabytes": 60}])
def test_memory_that_is_not_used_or_shared_does_not_count(deploy: Callable[..., Function], event: Any) -> None:
    """Address space is not memory, and what forked children share with their parent they take once."""
    assert deploy().invoke(event).error is None


def test_where_nobody_tells_the_memory_it_is_not_reported(
    deploy: Callable[..., Function], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on macOS, which has no /proc: nothing is limited either."""
    monkeypatch.setattr("lambdakit.local.process.memory._PROC", tmp_path)

    invocation = deploy().invoke({"do": "allocate", "megabytes": 200})

    assert (invocation.error, invocation.max_memory_used, "Max Memory Used" in invocation.log) == (None, None, False)


# Asynchronous invocations


def test_an_event_runs_without_anyone_waiting(task: Path, pipe: tuple[str, int]) -> None:
    """Real time passes by itself; closing the service ends what runs."""
    path, reader = pipe

    with LocalLambda(isolation="process") as local:
        local.deploy("process_shop.handler", task_root=task, timeout=900).invoke_async({"do": "hang", "pipe": path})
        started = read(reader)

    assert (started, read(reader)) == (b"up", b"")


@pytest.fixture
def jumping(monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalLambda]:
    """A service that skips the time in which no process runs."""
    monkeypatch.setattr("lambdakit.local.process.clock.RealClock", JumpingClock)
    with LocalLambda(isolation="process") as local:
        yield local


def test_a_failing_event_is_tried_three_times_then_dead_lettered(jumping: LocalLambda, task: Path) -> None:
    """Attempts start 60 s and 120 s after the one before; real processes fail each."""
    fn = jumping.deploy("process_shop.handler", task_root=task, dead_letter_queue="failed")

    request_id = fn.invoke_async({"do": "crash"})
    jumping.run()

    starts = [round((i.started or 0) / 60) for i in fn.invocations]
    letters = [(letter.request_id, letter.error) for letter in jumping.queue("failed")]
    assert (starts, letters) == ([0, 1, 3], [(request_id, "Runtime.ExitError")])


def test_a_throttled_event_is_tried_again(jumping: LocalLambda, task: Path, tmp_path: Path) -> None:
    """Until there is room; the timeline shows all of it."""
    fn = jumping.deploy("process_shop.handler", task_root=task, reserved_concurrency=1)
    for _ in range(3):
        fn.invoke_async({"do": "echo"})

    jumping.run()

    done = [i for i in fn.invocations if i.throttle is None]
    assert (len(done), fn.errors, fn.max_concurrency, fn.throttles > 0) == (3, [], 1, True)
    assert "process_shop" in str(jumping.timeline())


def test_a_record_of_success_reaches_another_function(jumping: LocalLambda, task: Path) -> None:
    """A destination may be a function of the same service."""
    target = jumping.deploy("process_shop.echo", name="target", task_root=task)
    source = jumping.deploy("process_shop.handler", name="source", task_root=task, on_success="target")

    source.invoke_async({"do": "count"})
    jumping.run()

    assert [i.payload["responsePayload"] for i in target.invocations] == [1]


def test_time_is_real(local: LocalLambda) -> None:
    """``now`` counts seconds, and to advance takes as long as it says."""
    before, real = local.now, time.monotonic()
    local.advance(0.05)

    assert 0.05 <= local.now - before <= time.monotonic() - real + 0.001


# What the runner passes on


def test_trace_and_client_context_reach_the_function(task: Path) -> None:
    """The runtime client sets ``_X_AMZN_TRACE_ID``, and gives the caller's context as an object."""
    (task / "process_context.py").write_text(
        "import os\n\ndef handler(event, context):\n"
        "    return [os.environ['_X_AMZN_TRACE_ID'], context.client_context.custom, context.aws_request_id]\n"
    )
    call = Call(b"{}", "r1", "arn:aws:lambda:us-east-1:1:function:f", 3, "Root=1-2;Sampled=1", {"custom": {"k": "ü"}})
    results: list[Result] = []

    with closing(RealClock()) as clock, closing(ProcessRunner(clock)) as runner:
        runner.deploy(Deployment(name="f", handler="process_context.handler", task_root=task))
        clock.at(0, lambda: runner.run(Environment("f", 1, 0), call, results.append))
        clock.run()
        clock.close()

    assert json.loads(results[0].outcome.payload) == ["Root=1-2;Sampled=1", {"k": "ü"}, "r1"]


# Deploying


DOUBLE = """
from lambdakit import App, on_invoke

@on_invoke
def double(number: int) -> int:
    return 2 * number

handler = App(__name__, name="doubling", memory_size=256)
"""


def test_an_app_that_can_be_imported_is_found_by_its_name(
    local: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process imports its module from where it is: no task_root is needed."""
    (tmp_path / "process_package").mkdir()
    (tmp_path / "process_package" / "__init__.py").write_text(DOUBLE)
    monkeypatch.syspath_prepend(tmp_path)

    fn = local.deploy(import_module("process_package").handler)

    assert (fn.invoke(21).payload, fn.name, fn.configuration.memory_size) == (42, "doubling", 256)


def test_a_function_that_can_be_imported_is_found_by_its_name(
    local: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It runs in another process than the one that names it."""
    (tmp_path / "process_plain.py").write_text("import os\n\ndef pid(event, context):\n    return os.getpid()\n")
    monkeypatch.syspath_prepend(tmp_path)
    pid = import_module("process_plain").pid

    assert local.deploy(pid).invoke().payload not in (None, pid({}, None))


@on_invoke
def double(number: int) -> int:
    return 2 * number


def test_an_app_that_cannot_be_imported_is_refused(local: LocalLambda) -> None:
    """At once, with what to do."""
    with pytest.raises(ValueError, match=r"can't be run in a process of its own.*\n.*deploy\(\"shop.handler\""):
        local.deploy(App(double, name="unnamed"))


def test_a_module_of_that_name_has_to_be_there(local: LocalLambda, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that was made in memory, or loaded under another name, can't be imported again."""
    module = type(sys)("process_memory")
    exec("def handler(event, context): ...", module.__dict__)
    monkeypatch.setitem(sys.modules, "process_memory", module)

    with pytest.raises(ValueError, match="its module 'process_memory' is no file"):
        local.deploy(module.handler, name="in-memory")
    module.__file__ = __file__
    with pytest.raises(ValueError, match="is not imported from there by that name"):
        local.deploy(module.handler, name="in-memory")


@pytest.mark.parametrize("settings", [{"duration": 1}, {"init_duration": lambda random: random.random()}])
def test_stand_ins_are_for_virtual_time(local: LocalLambda, task: Path, settings: Any) -> None:
    """A process takes the time that it takes."""
    with pytest.raises(ValueError, match="leave out init_duration and duration"):
        local.deploy("process_shop.handler", name="stand-ins", task_root=task, **settings)


@pytest.mark.parametrize("arguments", [{"seed": 1}, {"watchdog": 1.0}, {"aws_latency": 0.1}])
def test_a_seed_and_a_watchdog_are_for_virtual_time(arguments: Any) -> None:
    """Real time does not repeat."""
    with pytest.raises(ValueError, match="seed, watchdog and aws_latency are for virtual time"):
        LocalLambda(isolation="process", **arguments)


def test_there_are_two_isolations() -> None:
    """Both are named."""
    with pytest.raises(ValueError, match='isolation is "virtual" or "process", not \'thread\''):
        LocalLambda(isolation="thread")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_a_task_root_has_to_be_there(local: LocalLambda, tmp_path: Path) -> None:
    """Told when the function is deployed, as no process could start."""
    with pytest.raises(NotADirectoryError, match="task_root is not a folder"):
        local.deploy("process_nowhere.handler", task_root=tmp_path / "missing")


def test_without_the_runtime_client_it_says_what_to_install(
    local: LocalLambda, task: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else in lambdakit needs awslambdaric."""
    monkeypatch.setattr("lambdakit.local.process.environment.find_spec", lambda _name: None)

    with pytest.raises(ModuleNotFoundError, match="pip install awslambdaric"):
        local.deploy("process_shop.handler", name="without", task_root=task)


def test_a_process_that_cannot_be_started_is_the_callers_error(
    local: LocalLambda, shop: Function, tmp_path: Path
) -> None:
    """As it is no function's fault; the service goes on."""
    (tmp_path / "root").mkdir()
    fn = local.deploy("process_shop.handler", name="removed", task_root=tmp_path / "root")
    (tmp_path / "root").rmdir()

    with pytest.raises(FileNotFoundError, match="root"):
        fn.invoke({})

    assert shop.invoke({"do": "nothing"}).error is None


# Scripts


def script(folder: Path, source: str, *arguments: str) -> subprocess.Popen[str]:
    """A Python of its own that runs this, in a folder that is not lambdakit's."""
    (folder / "script.py").write_text(source)
    return subprocess.Popen(
        [sys.executable, "script.py", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(lambdakit.__file__).parents[1]), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_script_may_deploy_its_own_app(tmp_path: Path) -> None:
    """To the other process it is a module, and not what was started."""
    run = """
from lambdakit.local import LocalLambda
if __name__ == "__main__":
    with LocalLambda(isolation="process") as local:
        print(local.deploy(handler).invoke(21).payload)
"""
    with script(tmp_path, DOUBLE + run) as process:
        output, _ = process.communicate(timeout=20)

    assert output == "42\n"


def test_a_module_that_runs_itself_is_stopped(tmp_path: Path) -> None:
    """Else each process would start another one."""
    run = """
from lambdakit.local import LocalLambda
with LocalLambda(isolation="process") as local:
    print(local.deploy(handler).invoke(21).error.message)
"""
    with script(tmp_path, DOUBLE + run) as process:
        output, _ = process.communicate(timeout=20)

    assert output == (
        "the clock was run inside a function's own process.\n"
        'Put what runs the local Lambda below `if __name__ == "__main__":`, or into another module.\n'
    )


@linux
def test_processes_die_with_the_one_that_started_them(task: Path, pipe: tuple[str, int], tmp_path: Path) -> None:
    """Even if that had no chance to end them, and the handler never returns."""
    path, reader = pipe
    with script(
        tmp_path,
        """
import sys
from lambdakit.local import LocalLambda
fn = LocalLambda(isolation="process").deploy("process_shop.handler", task_root=sys.argv[1], timeout=900)
fn.invoke({"do": "hang", "pipe": sys.argv[2]})
""",
        str(task),
        path,
    ) as parent:
        try:
            started = read(reader)
        finally:
            parent.kill()

    assert (started, read(reader)) == (b"up", b"")


def test_sources_are_for_the_test_to_use_while_processes_run(local: LocalLambda, tmp_path: Path) -> None:
    """Messages that the test sends reach the process; the queue is one for both."""
    (tmp_path / "process_empty.py").write_text("def handler(event, context): ...", encoding="utf-8")
    fn = local.deploy("process_empty.handler", name="from-a-queue", task_root=tmp_path)
    queue = local.queue("orders")
    mapping = local.map(queue, fn)

    messages = [queue.send({"number": number}) for number in range(30)]
    local.run()

    assert (len(queue), mapping.counts.processed, isinstance(queue, Queue)) == (0, len(messages), True)


def test_an_invocation_whose_process_cannot_be_started_is_over(
    local: LocalLambda, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda itself has failed: status 500; the caller gets the system's error, and the environment is gone."""
    (tmp_path / "process_empty.py").write_text("def handler(event, context): ...", encoding="utf-8")
    fn = local.deploy("process_empty.handler", name="unstarted", task_root=tmp_path, reserved_concurrency=1)

    def refuse(*arguments: Any, **keywords: Any) -> None:
        raise OSError("no more processes")

    with monkeypatch.context() as patch:
        patch.setattr(subprocess, "Popen", refuse)
        with pytest.raises(OSError, match="no more processes"):
            fn.invoke()

    assert (fn.invocations[0].status, fn.invoke().status) == (500, 200)
