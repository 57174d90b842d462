"""What runs in Lambda stands alone and loads only what a function uses: a cold start counts in milliseconds."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEVELOPERS = ("lambdakit.local", "lambdakit.testing", "lambdakit.deploy", "lambdakit.cli")
LAZY = ("powertools.py", "workers.py")  # loaded by who names it, and with the first coroutine

RUNTIME = sorted(
    path
    for path in (ROOT / "lambdakit").rglob("*.py")
    if path.relative_to(ROOT / "lambdakit").parts[0] not in ("local", "testing", "deploy", "cli", "__main__.py")
)


def _run(script: str) -> list[str]:
    """What a script in a Python of its own prints, as JSON."""
    run = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    loaded: list[str] = json.loads(run.stdout)
    return loaded


# A model that is used, and the line in which a script tells what was loaded after it.
PYDANTIC = """
import sys
from pydantic import BaseModel
class Order(BaseModel):
    id: str
Order.model_validate({"id": "1"})
bare = set(sys.modules)
"""
LOADED = """
loaded = sorted(set(sys.modules) - bare)
import json
print(json.dumps(loaded))
"""

ARN = "arn:aws:{0}:us-east-1:123456789012:orders"
STORED = {"bucket": {"name": "uploads"}, "object": {"key": "a"}}
NOTIFICATION = {"MessageId": "1", "Message": '{"id": "1"}', "TopicArn": ARN.format("sns")}
CHANGE = {"Keys": {}, "NewImage": {"id": {"S": "1"}}}
DATA = {"data": "", "sequenceNumber": "1", "partitionKey": "a"}

# A handler of a source, and one of its records.
SOURCES: dict[str, tuple[str, dict[str, object]]] = {
    "s3": (
        "@lambdakit.on_s3('uploads')\ndef handle(upload: events.S3Record): ...",
        {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": STORED},
    ),
    "sqs": (
        "@lambdakit.on_sqs('orders')\ndef handle(message: events.SqsRecord[Order]): ...",
        {"eventSource": "aws:sqs", "messageId": "1", "body": '{"id": "1"}', "eventSourceARN": ARN.format("sqs")},
    ),
    "sns": (
        "@lambdakit.on_sns('orders')\ndef handle(notification: events.SnsRecord[Order]): ...",
        {"EventSource": "aws:sns", "Sns": NOTIFICATION},
    ),
    "kinesis": (
        "@lambdakit.on_kinesis()\ndef handle(record: events.KinesisRecord): ...",
        {"eventSource": "aws:kinesis", "kinesis": DATA},
    ),
    "dynamodb": (
        "@lambdakit.on_dynamodb()\ndef handle(change: events.DynamoDbRecord[Order]): ...",
        {"eventSource": "aws:dynamodb", "eventName": "INSERT", "dynamodb": CHANGE},
    ),
}


@pytest.fixture(scope="module", params=SOURCES)
def loaded(request: pytest.FixtureRequest) -> tuple[str, list[str]]:
    """A source, and what an App with a handler of it loads beside Pydantic, until it has handled an event."""
    handler, record = SOURCES[request.param]
    called = f"lambdakit.App(handle)({{'Records': [{record}]}})"
    script = f"{PYDANTIC}\nimport lambdakit\nfrom lambdakit import events\n{handler}\n{called}\n{LOADED}"
    return request.param, _run(script)


def test_an_app_loads_the_models_of_its_sources_only(loaded: tuple[str, list[str]]) -> None:
    """An S3 function has no use for the models of SQS."""
    source, modules = loaded
    others = [name for name in SOURCES if name != source]

    assert f"lambdakit.events.{source}" in modules
    assert [name for name in others if {f"lambdakit.events.{name}", f"lambdakit.triggers.{name}"} & set(modules)] == []


def test_an_app_loads_nothing_it_does_not_use(loaded: tuple[str, list[str]]) -> None:
    """No event loop without a coroutine, no log without a line, no JSON but Pydantic's, nothing of a developer's."""
    unused = (
        "asyncio",
        "logging",
        "json",
        "concurrent",
        "traceback",
        "subprocess",
        "zoneinfo",
        "aws_lambda_powertools",
    )
    modules = loaded[1]

    assert [
        name for name in modules if name.startswith((*DEVELOPERS, "boto")) or name.partition(".")[0] in unused
    ] == []


APIS = tuple(
    f"lambdakit.{name}"
    for name in ("http", "authorizers", "websocket", "triggers.http", "triggers.authorizer", "triggers.websocket")
)


def test_an_app_without_apis_loads_nothing_of_them(loaded: tuple[str, list[str]]) -> None:
    """Neither requests nor responses, neither policies nor connections."""
    assert [name for name in loaded[1] if name.startswith(APIS)] == []


REQUEST: dict[str, object] = {
    "version": "2.0",
    "rawPath": "/orders/7",
    "headers": {"content-type": "application/json"},
    "requestContext": {"http": {"method": "POST"}, "stage": "$default", "domainName": "a.execute-api.amazonaws.com"},
    "body": '{"id": "1"}',
}


def test_an_app_with_a_route_loads_what_it_needs() -> None:
    """The front door that the request came through, and no form, cookie, base64, CORS or OpenAPI."""
    handler = (
        "@lambdakit.on_http('POST /orders/{number}')\ndef handle(number: int, order: Order) -> Order: return order"
    )
    modules = _run(f"{PYDANTIC}\nimport lambdakit\n{handler}\nlambdakit.App(handle)({REQUEST})\n{LOADED}")

    assert [name for name in modules if not name.startswith("lambdakit.")] == ["atexit", "lambdakit"]
    assert [name for name in modules if name.startswith("lambdakit.http")] == [
        "lambdakit.http",
        *(
            f"lambdakit.http.{name}"
            for name in (
                "apigw_v2", "errors", "handler", "lane", "parameters", "parts", "request", "response", "routes",
                "values", "writer",
            )
        ),
    ]  # fmt: skip


ARN_OF_METHOD = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/prod/GET/orders"
SOCKET = {"requestContext": {"routeKey": "$default", "connectionId": "a=", "stage": "prod"}, "body": '{"id": "1"}'}


def test_an_authorizer_of_tokens_loads_nothing_of_http() -> None:
    """It gets no request."""
    handler = (
        "from lambdakit.authorizers import Allow, TokenAuthorizerRequest\n"
        "@lambdakit.on_authorizer('TOKEN')\n"
        "def handle(request: TokenAuthorizerRequest) -> Allow: return Allow(routes='*')"
    )
    event = {"type": "TOKEN", "authorizationToken": "a", "methodArn": ARN_OF_METHOD}
    modules = _run(f"{PYDANTIC}\nimport lambdakit\n{handler}\nlambdakit.App(handle)({event})\n{LOADED}")

    assert [name for name in modules if name.startswith(("lambdakit.http", "lambdakit.websocket"))] == []
    assert [name for name in modules if not name.startswith("lambdakit.")] == ["atexit", "lambdakit"]


def test_a_websocket_handler_loads_boto3_with_the_first_message_that_it_posts() -> None:
    """Nor asyncio, nor what is for authorizers."""
    handler = (
        "from lambdakit.websocket import Connection\n"
        "@lambdakit.on_websocket('$default')\n"
        "def handle(order: Order, connection: Connection) -> Order: return order"
    )
    modules = _run(f"{PYDANTIC}\nimport lambdakit\n{handler}\nlambdakit.App(handle)({SOCKET})\n{LOADED}")

    assert [name for name in modules if not name.startswith("lambdakit.")] == ["atexit", "lambdakit"]
    assert [name for name in modules if name.startswith(("lambdakit.authorizers", "lambdakit.http.identity"))] == []


def test_the_package_loads_nothing_by_itself() -> None:
    """Each public name is loaded with what it needs, when it is used."""
    modules = _run(f"import sys\nbare = set(sys.modules)\nimport lambdakit\n{LOADED}")

    assert [name for name in modules if name.startswith("lambdakit")] == ["lambdakit", "lambdakit.identify"]


def test_public_names_are_those_that_are_listed() -> None:
    """``from lambdakit import *`` gets them all."""
    names = _run(
        "import lambdakit, json\nprint(json.dumps([n for n in lambdakit.__all__ if not hasattr(lambdakit, n)]))"
    )

    assert names == []


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    """As in any module."""
    import lambdakit

    with pytest.raises(AttributeError, match="module 'lambdakit' has no attribute 'on_sqss'"):
        _ = lambdakit.on_sqss


# What the source itself says.


@pytest.fixture(scope="module")
def cheap() -> set[str]:
    """The modules that Pydantic has loaded anyway, and one that Lambda's runtime client has."""
    return {*_run(f"{PYDANTIC}\nloaded = sorted(bare)\nimport json\nprint(json.dumps(loaded))"), "urllib.parse"}


def _imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom))


def _at_once(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports that run when a module is loaded: not those in functions, nor those for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from (inner for statement in node.orelse for inner in _at_once(statement))
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _at_once(node)


def _names(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    assert node.level == 0, "imports are absolute"
    return [f"{node.module}.{alias.name}" for alias in node.names]


def _relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", RUNTIME, ids=_relative)
def test_what_runs_in_lambda_imports_nothing_of_a_developers(path: Path) -> None:
    """Not even lazily: those packages may be left out of what is deployed."""
    names = [name for node in _imports(ast.parse(path.read_text())) for name in _names(node)]

    assert [name for name in names if name.startswith(DEVELOPERS)] == []


@pytest.mark.parametrize("path", [path for path in RUNTIME if path.name not in LAZY], ids=_relative)
def test_what_is_loaded_at_once_is_cheap(path: Path, cheap: set[str]) -> None:
    """Pydantic has loaded it already; anything else is imported where it is needed."""
    modules = [
        node.module if isinstance(node, ast.ImportFrom) else name
        for node in _at_once(ast.parse(path.read_text()))
        for name in _names(node)
    ]

    assert [name for name in modules if name not in cheap and not str(name).startswith("lambdakit")] == []
