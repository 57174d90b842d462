"""A front door on a port of this machine: real sockets, real processes, real time."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib import import_module
from pathlib import Path
from threading import Event, Timer
from typing import IO, Any

import boto3  # type: ignore[import-untyped]
import httpx
import pytest
from botocore.config import Config  # type: ignore[import-untyped]
from botocore.exceptions import ClientError  # type: ignore[import-untyped]

from lambdakit import App, on_http
from lambdakit.cli import main
from lambdakit.local import ClockError, LocalLambda
from lambdakit.local.front_doors.server import Server, listening
from lambdakit.local.outcome import MAX_REQUEST_BYTES

Json = Any
ROOT = Path(__file__).parents[1]

SHOP = """
import os, time
from pathlib import Path

from lambdakit import App, LambdaContext, on_http, on_invoke
from lambdakit.http import HttpRequest


@on_http("ANY /echo/{rest+}")
def echo(http: HttpRequest) -> dict[str, object]:
    return {"line": [http.method, http.path], "from": [http.source_ip, http.headers["host"]], "body": len(http.body)}


@on_http("GET /together")
def together(folder: str, people: int) -> int:
    # Until all of them are here, each in a process of its own.
    Path(folder, str(os.getpid())).touch()
    while len(os.listdir(folder)) < people:
        time.sleep(0.01)
    return os.getpid()


@on_http("GET /broken")
def broken() -> None:
    raise ValueError("no such thing")


@on_invoke
def direct(event: dict[str, object], context: LambdaContext) -> object:
    print("asked for", event)
    if event.get("fail"):
        raise LookupError("no order 7")
    return [event, context.client_context and context.client_context.custom]


handler = App(__name__, timeout=30)
"""

PLAIN = """
def handler(event, context):
    return {"statusCode": "many"}
"""


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalLambda]:
    """A service on real time, with the functions ``shop``, ``plain`` and ``single``, which has one environment."""
    folder = tmp_path_factory.mktemp("code")
    (folder / "shop.py").write_text(SHOP)
    (folder / "plain.py").write_text(PLAIN)
    with LocalLambda(isolation="process") as local:
        local.deploy("shop.handler", task_root=folder, name="shop", timeout=30)
        local.deploy("plain.handler", task_root=folder, name="plain")
        local.deploy("shop.handler", task_root=folder, name="single", reserved_concurrency=1)
        local.deploy("shop.handler", task_root=folder, name="none", reserved_concurrency=0)
        yield local


@pytest.fixture(scope="module")
def server(local: LocalLambda) -> Iterator[Server]:
    """The shop at a free port."""
    with local.serve("shop", "function-url", port=0) as server:
        yield server


def address_of(server: Server) -> tuple[str, int]:
    url = httpx.URL(server.url)
    assert url.port is not None
    return url.host, url.port


# Requests.


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl")
def test_curl_reaches_a_function(server: Server) -> None:
    """By HTTP, as any other client does."""
    command = ["curl", "--silent", "--show-error", "--data", "a=1", f"{server.url}/echo/a%20b?x=1"]
    answer = subprocess.run(command, capture_output=True, check=True, timeout=30).stdout

    assert json.loads(answer) == {
        "line": ["POST", "/echo/a b"],
        "from": ["127.0.0.1", server.url.removeprefix("http://")],
        "body": 3,
    }


@pytest.mark.parametrize("door", ["http-api", "http-api-1.0", "rest-api", "function-url", "alb"])
def test_every_front_door_can_be_served(local: LocalLambda, door: Any) -> None:
    """The address is as a domain of one's own, so no stage is in the path."""
    with local.serve("shop", door, port=0) as server:
        response = httpx.get(f"{server.url}/echo/a%20b", headers={"X-Forwarded-For": "10.0.0.1"})

    assert (response.status_code, response.json()["line"], response.json()["from"][0]) == (
        200,
        ["GET", "/echo/a b"],
        "127.0.0.1",
    )


def test_requests_run_side_by_side(server: Server, tmp_path: Path) -> None:
    """In processes of their own: each waits for all the others."""
    url = f"{server.url}/together?folder={tmp_path}&people=3"
    with ThreadPoolExecutor(3) as pool:
        processes = [response.json() for response in pool.map(httpx.get, [url] * 3)]

    assert sorted(map(str, processes)) == sorted(path.name for path in tmp_path.iterdir())


def test_methods_are_what_they_are(server: Server) -> None:
    """Those without a body among them."""
    responses = [httpx.request(method, f"{server.url}/echo/a") for method in ("HEAD", "OPTIONS", "DELETE", "PURGE")]

    assert [response.status_code for response in responses] == [200] * 4


def test_what_is_too_large_is_not_handed_on(server: Server, local: LocalLambda) -> None:
    """The answer comes all the same, and the connection serves on."""
    before = len(local.function("shop").invocations)
    with httpx.Client(base_url=server.url) as client:
        responses = [client.post("/echo/a", content=b"x" * (MAX_REQUEST_BYTES + size)) for size in (1, 30_000_000)]
        after = client.get("/echo/a")

    assert [response.status_code for response in (*responses, after)] == [413, 413, 200]
    assert len(local.function("shop").invocations) == before + 1


def test_a_slow_client_holds_no_environment(local: LocalLambda) -> None:
    """A request is read to its end before the function is asked; of one that breaks off it never hears."""
    function = local.function("single")
    with local.serve(function, port=0) as server, closing(socket.create_connection(address_of(server))) as slow:
        slow.sendall(b"POST /echo/slow HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhalf")
        quick = httpx.get(f"{server.url}/echo/quick")
        slow.close()
        again = httpx.get(f"{server.url}/echo/quick")

    assert (quick.status_code, again.status_code) == (200, 200)
    assert {invocation.event["rawPath"] for invocation in function.invocations} == {"/echo/quick"}


def test_a_reply_that_is_no_response_is_answered_for(local: LocalLambda) -> None:
    """Who serves is told what was wrong."""
    told: list[tuple[str, int, str]] = []

    with local.serve(
        "plain",
        port=0,
        seen=lambda request, exchange: told.append((request.path, exchange.response.status, exchange.problem)),  # type: ignore[union-attr]
    ) as server:
        response = httpx.get(f"{server.url}/a")

    assert (response.status_code, response.json()) == (500, {"message": "Internal Server Error"})
    assert told == [("/a", 500, "statusCode is 'many'")]


def test_closing_waits_for_nobody(local: LocalLambda, tmp_path: Path) -> None:
    """Who waits for an answer is told; who has not asked to the end is not waited for."""
    server = local.serve("shop", port=0)
    with ThreadPoolExecutor(1) as pool, closing(socket.create_connection(address_of(server))) as slow:
        slow.sendall(b"POST /echo/slow HTTP/1.1\r\nHost: shop\r\nContent-Length: 10\r\n\r\nhalf")
        asked = pool.submit(httpx.get, f"{server.url}/together?folder={tmp_path}&people=2", timeout=30)
        while not list(tmp_path.iterdir()):
            Event().wait(0.01)
        server.close()
        response = asked.result()
    (tmp_path / "another").touch()  # the function may end too

    assert (response.status_code, response.json()) == (503, {"message": "The server is closed"})


def test_virtual_time_serves_nobody() -> None:
    """It does not pass by itself."""
    with LocalLambda() as local, pytest.raises(ClockError, match='LocalLambda\\(isolation="process"\\)'):
        local.serve(local.deploy(lambda event, context: None, name="shop"))


def test_a_port_serves_one(local: LocalLambda, server: Server) -> None:
    """The second is told that it is taken."""
    with pytest.raises(OSError, match="in use"):
        local.serve("shop", port=address_of(server)[1])


def test_what_is_sent_goes_out_at_once() -> None:
    """Asyncio turns Nagle's algorithm off for sockets that say they are TCP's, which is worth 40 ms a request."""
    with listening("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.proto == socket.IPPROTO_TCP


# The Invoke API.


@pytest.fixture(scope="module")
def aws(server: Server) -> Any:
    """The SDK's client for Lambda."""
    return boto3.client(
        "lambda",
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id="none",
        aws_secret_access_key="none",
        config=Config(retries={"max_attempts": 0}),
    )


@pytest.mark.parametrize(
    "name",
    [
        "shop",
        "shop:$LATEST",
        "123456789012:function:shop",
        "arn:aws:lambda:us-east-1:123456789012:function:shop",
        "arn:aws:lambda:us-east-1:123456789012:function:shop:$LATEST",
    ],
)
def test_the_sdk_invokes_a_function(aws: Any, name: str) -> None:
    """By its name or ARN."""
    answer = aws.invoke(FunctionName=name, Payload=b'{"a": 1}')

    assert (answer["StatusCode"], answer["ExecutedVersion"], "FunctionError" in answer) == (200, "$LATEST", False)
    assert json.load(answer["Payload"]) == [{"a": 1}, None]


def test_a_failure_and_the_end_of_the_log_are_told(aws: Any) -> None:
    """As Lambda tells them."""
    answer = aws.invoke(FunctionName="shop", Payload=b'{"fail": true}', LogType="Tail")
    log = b64decode(answer["LogResult"]).decode()

    assert (answer["StatusCode"], answer["FunctionError"]) == (200, "Unhandled")
    assert json.load(answer["Payload"])["errorType"] == "LookupError"
    assert re.findall(r"^(?:START|END|REPORT|asked for .*)", log, re.MULTILINE) == [
        "START",
        "asked for {'fail': True}",
        "END",
        "REPORT",
    ]


def test_a_client_context_arrives(aws: Any) -> None:
    """As the runtime's object."""
    context = "eyJjdXN0b20iOiB7ImEiOiAiMSJ9fQ=="  # {"custom": {"a": "1"}}

    answer = aws.invoke(FunctionName="shop", ClientContext=context)

    assert json.load(answer["Payload"]) == [{}, {"a": "1"}]


def test_an_event_is_taken_and_a_dry_run_runs_nothing(aws: Any, local: LocalLambda) -> None:
    """The one is run later, the other never."""
    function = local.function("shop")
    before = len(function.invocations)

    statuses = [
        aws.invoke(FunctionName="shop", InvocationType=kind, Payload=b"{}")["StatusCode"]
        for kind in ("Event", "DryRun")
    ]
    local.run()

    assert statuses == [202, 204]
    assert [invocation.kind for invocation in function.invocations[before:]] == ["Event"]


@pytest.mark.parametrize(
    ("request_", "status", "code"),
    [
        ({"FunctionName": "ship"}, 404, "ResourceNotFoundException"),
        ({"FunctionName": "none"}, 429, "TooManyRequestsException"),
        ({"FunctionName": "shop", "Payload": b"{"}, 400, "InvalidRequestContentException"),
        ({"FunctionName": "shop", "Payload": b"{", "InvocationType": "DryRun"}, 400, "InvalidRequestContentException"),
        ({"FunctionName": "shop", "ClientContext": "!"}, 400, "InvalidRequestContentException"),
        ({"FunctionName": "shop", "InvocationType": "Later"}, 400, "ValidationException"),
        ({"FunctionName": "shop", "Payload": b'"%s"' % (b"x" * MAX_REQUEST_BYTES)}, 413, "RequestTooLargeException"),
    ],
    ids=["no such function", "a throttle", "no JSON", "a dry run", "a client context", "another type", "7 MB"],
)
def test_a_call_that_lambda_refuses_is_an_error_of_the_sdk(aws: Any, request_: Json, status: int, code: str) -> None:
    """With the status and the code of AWS."""
    with pytest.raises(ClientError) as caught:
        aws.invoke(**request_)

    response: Json = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (status, code)


# The OpenAPI document.


@on_http("GET /orders/{order_id}")
def read(order_id: int) -> dict[str, int]:
    """Show an order."""
    return {"id": order_id}


def test_the_openapi_document_is_shown(local: LocalLambda) -> None:
    """By files of this machine only."""
    app = App(read, name="orders")
    with local.serve("shop", port=0, docs=app) as server, httpx.Client(base_url=f"{server.url}/_lambdakit/") as client:
        page = client.get("docs")
        files = {name: client.get(name) for name in re.findall(r'(?:href|src|url)(?:=|: )"([^":]+)"', page.text)}
        nothing = client.get("nothing")

    assert [
        (name, file.status_code, file.headers["content-type"].partition(";")[0]) for name, file in files.items()
    ] == [
        ("swagger-ui.css", 200, "text/css"),
        ("swagger-ui-bundle.js", 200, "text/javascript"),
        ("openapi.json", 200, "application/json"),
    ]
    assert (files["openapi.json"].json(), nothing.status_code) == (app.openapi(), 404)
    assert "//" not in page.text


def test_without_docs_the_paths_are_the_functions_own(local: LocalLambda) -> None:
    """Nothing is in its way."""
    with local.serve("plain", port=0) as server:
        response = httpx.get(f"{server.url}/_lambdakit/docs")

    assert response.status_code == 500


# The command line.


class Development:
    """``lambdakit dev`` in a process of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        command = [sys.executable, "-m", "lambdakit", "dev", "shop.handler", "--port", "0", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "AA": "1"},
        )
        assert self.process.stdout is not None
        self.output: IO[str] = self.process.stdout
        self._watchdog = Timer(60, self.process.kill)
        self._watchdog.start()

    def until(self, pattern: str) -> str:
        """What it prints, up to a line with that."""
        lines: list[str] = []
        for line in self.output:
            lines.append(line)
            if re.search(pattern, line):
                return "".join(lines)
        raise AssertionError(f"it ended and printed: {''.join(lines)}")

    def url(self) -> str:
        """Where it serves, once it does."""
        return self.until("serves at").partition("serves at ")[2].split()[0]

    def end(self, number: int = signal.SIGINT) -> tuple[int, str]:
        """Its exit code after Ctrl-C or another signal, and what it still prints."""
        self.process.send_signal(number)
        rest, _ = self.process.communicate()
        self._watchdog.cancel()
        return self.process.returncode, rest


DAY = """
import os
from lambdakit import App, on_http

@on_http("GET /")
def read() -> list[object]:
    print("reading")
    return [{version!r}, os.environ.get("AA"), os.environ.get("BB"), os.getpid()]

handler = App(__name__, environment={{"BB": "2"}})
"""


def test_lambdakit_dev_serves_and_starts_anew_when_a_file_changes(tmp_path: Path) -> None:
    """At the same address; the log is on the terminal, and Ctrl-C ends all of it."""
    code = tmp_path / "shop.py"
    code.write_text(DAY.format(version="old"))
    dev = Development(tmp_path, "--env", "AA")
    url = dev.url()
    old = httpx.get(url).json()
    log = dev.until("^GET / 200")

    code.write_text("this is no Python")
    dev.until("SyntaxError")
    code.write_text(DAY.format(version="new"))
    same = dev.url()
    new = httpx.get(url).json()
    dev.until("^GET / 200")
    ending = dev.end()

    assert (old[:3], new[:3], same) == (["old", "1", "2"], ["new", "1", "2"], url)
    assert re.findall(r"^(?:START|reading|END|REPORT|GET / 200)", log, re.MULTILINE) == [
        "START",
        "reading",
        "END",
        "REPORT",
        "GET / 200",
    ]
    assert ending == (0, "")
    assert [process for process in (old[3], new[3]) if Path(f"/proc/{process}").exists()] == []


def test_lambdakit_dev_without_reload_is_one_process(tmp_path: Path) -> None:
    """And ends as promptly, by either signal."""
    (tmp_path / "shop.py").write_text(DAY.format(version="only"))
    dev = Development(tmp_path, "--no-reload", "--docs", "--front-door", "rest-api", "--binary-media-type", "*/*")
    url = dev.url()

    answers = httpx.get(url).json()[0], httpx.get(f"{url}/_lambdakit/openapi.json").json()["info"]["title"]
    exit_code, rest = dev.end(signal.SIGTERM)

    assert (answers, exit_code, "Traceback" in rest) == (("only", "shop"), 0, False)


@pytest.mark.parametrize(("module", "package"), [("server", "uvicorn"), ("client", "httpx")])
def test_a_package_that_is_not_installed_is_told(module: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the extra that has it."""
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"lambdakit.local.front_doors.{module}", raising=False)

    with pytest.raises(ModuleNotFoundError, match=rf"needs {package}: pip install 'lambdakit\["):
        import_module(f"lambdakit.local.front_doors.{module}")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--port", "70000"], "can't listen at 127.0.0.1:70000: port is"),
        (["--host", "192.0.2.1"], "can't listen at 192.0.2.1:0: Cannot assign requested address"),
        (["--front-door", "websocket"], "there is no door 'websocket'"),
        (["--front-door", "alb", "--binary-media-type", "*/*"], "alb has no binary_media_types."),
        (["--multi-value-headers"], "http-api has no multi_value_headers."),
        (["--env", "1=1"], "'dev_shop.handler' can't be deployed: environment has a name"),
        (["--env", "NOWHERE"], "this shell has no variable 'NOWHERE'; give its value as NOWHERE=..."),
    ],
)
def test_wrong_input_is_told(
    arguments: list[str],
    problem: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With exit code 2."""
    (tmp_path / "dev_shop.py").write_text(DAY.format(version="none"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(signal, "signal", lambda *_: None)

    code = main(["dev", "dev_shop.handler", "--port", "0", "--no-reload", *arguments])

    assert (code, problem in capsys.readouterr().err) == (2, True)


def test_a_port_that_is_taken_is_told(
    server: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what to do."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    host, port = address_of(server)

    code = main(["dev", "shop.handler", "--port", str(port)])

    assert (code, capsys.readouterr().err) == (
        2,
        f"lambdakit: can't listen at {host}:{port}: Address already in use. Choose another port with --port; "
        "0 takes a free one.\n",
    )
