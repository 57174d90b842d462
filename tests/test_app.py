"""The App: what it collects, what it refuses to be, and the errors it raises."""

import contextlib
import copy
import importlib
import importlib.util
import itertools
import pickle
import runpy
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, errors, on_eventbridge, on_invoke, on_kinesis, on_s3, on_sns, on_sqs, on_start
from lambdakit.errors import EventValidationError, LambdakitError, NoHandlerError, RegistrationError
from lambdakit.events import S3Record

Write = Callable[..., str]
numbers = itertools.count()

SHOP = """
from lambdakit import *

@on_invoke
def double(number: int) -> int:
    return 2 * number

def helper(): ...
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a module of a name that none had before, and gives the name; ``{}`` in a source is its own."""
    monkeypatch.syspath_prepend(tmp_path)
    names: list[str] = []

    def written(source: str, name: str = "") -> str:
        names.append(name or f"module{next(numbers)}_of_test_app")
        (tmp_path / f"{names[-1]}.py").write_text(source)
        importlib.invalidate_caches()
        return names[-1]

    yield written
    for name in names:
        sys.modules.pop(name, None)


@on_invoke
def double(number: int) -> int:
    return 2 * number


@on_sqs("orders")
def charge(order: dict[str, Any]) -> None: ...


@on_sqs("refunds")
def refund(order: dict[str, Any]) -> None: ...


# What is collected.


def test_a_module_by_its_name(write: Write) -> None:
    """Its marked functions; it is imported if it is not yet."""
    assert [handler.function.__name__ for handler in App(write(SHOP)).handlers] == ["double"]


def test_a_module_itself(write: Write) -> None:
    """For who has it at hand."""
    assert App(importlib.import_module(write(SHOP)))(21) == 42


def test_functions_one_by_one() -> None:
    """The same module can be cut into one Lambda function or ten."""
    assert [handler.name for handler in App(charge, double).handlers] == [f"{__name__}.charge", f"{__name__}.double"]


def test_several_modules_and_functions(write: Write) -> None:
    """In any mix."""
    app = App(write(SHOP), importlib.import_module(write("")), charge)

    assert [handler.function.__name__ for handler in app.handlers] == ["double", "charge"]


def test_imported_functions_count(write: Write) -> None:
    """A module may gather the handlers of others, one of which may then be there twice."""
    shop = write(SHOP)
    main = write(f"from {shop} import double\nfrom {shop} import double as again\nimport {shop}\n")

    assert [handler.name for handler in App(main, shop).handlers] == [f"{shop}.double"]


def test_the_module_it_stands_in(write: Write) -> None:
    """``App(__name__)`` at the end of a module, which is still being imported then."""
    shop = importlib.import_module(write(SHOP + "handler = App(__name__)\n"))

    assert shop.handler(21) == 42


def test_the_module_it_stands_in_under_another_name(tmp_path: Path) -> None:
    """Loaded from a file, as some tools and test runners do, without an entry in ``sys.modules``."""
    (tmp_path / "shop.py").write_text(SHOP + "handler = App(__name__)\n")
    spec = importlib.util.spec_from_file_location("nowhere.else", tmp_path / "shop.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    assert (module.handler(21), "nowhere.else" in sys.modules) == (42, False)


def test_the_script_it_stands_in(tmp_path: Path) -> None:
    """Also a script finds its own handlers, whose module is called ``__main__``."""
    (tmp_path / "shop.py").write_text(SHOP + "handler = App(__name__)\n")

    handler = runpy.run_path(str(tmp_path / "shop.py"), run_name="__main__")["handler"]

    assert (handler(21), handler.name) == (42, "shop")


def test_a_module_without_handlers_is_an_app_without_handlers(write: Write) -> None:
    """It may only be the beginning; an event then says what is missing."""
    with pytest.raises(NoHandlerError, match="Nothing is registered at all"):
        App(write(""))({})


def test_nothing_to_collect_is_an_error() -> None:
    """``App()`` would be a Lambda function that handles nothing."""
    with pytest.raises(TypeError, match="write App\\(__name__\\) to collect the module it stands in"):
        App()


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (len, "App was given a function without a trigger"),
        (5, "App can't collect 5"),
        (["shop"], "App can't collect ['shop']"),
    ],
)
def test_what_can_not_be_collected_is_refused(given: Any, words: str) -> None:
    """With what would do."""
    with pytest.raises(RegistrationError, match="Mark it with a decorator such as @on_s3") as caught:
        App(given)

    assert words in str(caught.value)


def test_a_module_that_is_not_there_is_pythons_error() -> None:
    """A misspelt name is told by the import."""
    with pytest.raises(ModuleNotFoundError, match="No module named 'shopp'"):
        App("shopp")


def test_objects_of_any_kind_in_a_module_do_no_harm(write: Write) -> None:
    """A module holds more than functions, some of which answers to every attribute, or to none."""
    odd = (
        "from unittest.mock import MagicMock, Mock\n"
        "class Slots:\n    __slots__ = ()\n    def __call__(self): ...\n"
        "class Refusing:\n    def __call__(self): ...\n    def __getattr__(self, name): raise RuntimeError(name)\n"
        "mock, magic, slots, refusing, number = Mock(), MagicMock(), Slots(), Refusing(), 5\n"
    )

    assert len(App(write(SHOP + odd)).handlers) == 1


# Its name and settings.


@pytest.mark.parametrize(
    ("app", "name"),
    [
        (lambda: App(double), "double"),
        (lambda: App(charge, double), "charge"),
        (lambda: App("json.decoder"), "decoder"),
        (lambda: App(importlib.import_module("json.encoder")), "encoder"),
        (lambda: App(double, name="shop"), "shop"),
    ],
)
def test_an_app_is_named_after_what_it_collects_first(app: Callable[[], App], name: str) -> None:
    """Unless it has a name of its own."""
    assert app().name == name


WRONG_SETTINGS: list[tuple[dict[str, Any], str]] = [
    ({"memory": 128}, "a setting of App is not 'memory'; did you mean 'memory_size'?"),
    ({"memory_size": 64}, "memory_size is 128 to 10,240 MB, not 64"),
    ({"memory_size": None}, "memory_size is 128 to 10,240 MB, not None"),
    ({"timeout": 901}, "timeout is 1 to 900 seconds, not 901"),
    ({"timeout": "30"}, "timeout is 1 to 900 seconds, not '30'"),
    ({"ephemeral_storage": 511}, "ephemeral_storage is 512 to 10,240 MB, not 511"),
    ({"reserved_concurrent_executions": -1}, "reserved_concurrent_executions is 0 to"),
    ({"provisioned_concurrent_executions": 0}, "provisioned_concurrent_executions is 1 to"),
    (
        {"reserved_concurrent_executions": 1, "provisioned_concurrent_executions": 2},
        "provisioned_concurrent_executions (2) is at most reserved_concurrent_executions (1)",
    ),
    ({"runtime": "python3.9"}, "runtime is one of 'python3.11', 'python3.12', 'python3.13', 'python3.14'"),
    ({"architecture": "arm"}, "did you mean 'arm64'?"),
    ({"description": "a" * 257}, "description is text of at most 256 characters, not 257"),
    ({"environment": ["STAGE"]}, "environment maps names to texts, not ['STAGE']"),
    ({"environment": {"SIZE": 5}}, "environment maps names to texts; that of 'SIZE' is int"),
    ({"environment": {"1A": "x"}}, "environment has a name that is not a letter, then letters, digits or '_': '1A'"),
    ({"environment": {"É1": "x"}}, "environment has a name that is not a letter"),
    ({"environment": {"AWS_REGION": "x"}}, "environment has a name that Lambda keeps for itself: 'AWS_REGION'"),
    ({"environment": {"_HANDLER": "x"}}, "environment has a name that Lambda keeps for itself: '_HANDLER'"),
    ({"environment": {"AB": "x" * 4096}}, "environment is larger than the 4 KB that Lambda takes"),
    ({"dead_letter_queue": "arn:aws"}, "dead_letter_queue is a name or an ARN"),
    ({"on_failure": 5}, "on_failure is a name or an ARN"),
    ({"on_success": "a b"}, "on_success is a name or an ARN"),
    ({"maximum_retry_attempts": 3}, "maximum_retry_attempts is 0 to 2, not 3"),
    ({"maximum_event_age_in_seconds": 59}, "maximum_event_age_in_seconds is 60 to 21,600 seconds, not 59"),
    ({"tracing": "active"}, "tracing is one of 'Active', 'PassThrough', 'Disabled', not 'active'"),
    ({"snap_start": "yes"}, "snap_start is True or False, not 'yes'"),
    ({"snap_start": True, "provisioned_concurrent_executions": 1}, "exclude each other"),
    ({"snap_start": True, "ephemeral_storage": 1024}, "snap_start takes an ephemeral_storage of 512 MB"),
    ({"snap_start": True, "runtime": "python3.11"}, "snap_start takes a runtime from python3.12 on"),
    ({"layers": "arn:aws:lambda:us-east-1:1:layer:a:1"}, "layers is a list of at most 5 ARNs"),
    ({"layers": ["a"] * 6}, "layers is a list of at most 5 ARNs"),
    ({"role": 5}, "role is a name or an ARN"),
    ({"policies": "AmazonS3ReadOnlyAccess"}, "policies is a list of names, ARNs and policy documents"),
    ({"policies": [5]}, "policies is a list of names, ARNs and policy documents"),
    ({"tags": {"team": 5}}, "tags maps names to texts; that of 'team' is int"),
]


@pytest.mark.parametrize(("settings", "words"), WRONG_SETTINGS)
def test_a_wrong_setting_is_refused(settings: dict[str, Any], words: str) -> None:
    """What Lambda would refuse when it is deployed is refused where it is written."""
    with pytest.raises(ValueError, match=r".+") as caught:
        App(double, **settings)

    assert words in str(caught.value)


def test_right_settings_are_kept() -> None:
    """For what deploys the function, or runs it here."""
    app = App(
        double,
        memory_size=10_240,
        timeout=900,
        runtime="python3.13",
        architecture="arm64",
        environment={"STAGE": "test", "AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"},
        on_failure="arn:aws:sqs:us-east-1:123456789012:failed",
        dead_letter_queue="dead",
        reserved_concurrent_executions=0,
        snap_start=True,
        layers=["arn:aws:lambda:us-east-1:123456789012:layer:a:1"],
        policies=["AmazonS3ReadOnlyAccess", {"Statement": []}],
        tags={"team": "shop"},
    )

    assert app.settings.get("memory_size") == 10_240


def test_an_app_tells_what_it_is() -> None:
    """In a prompt or a debugger."""
    assert repr(App(charge)) == f"<App 'charge': on_sqs('orders') -> {__name__}.charge>"


# Conflicts and late marks.


def test_two_handlers_for_one_thing_are_named_with_their_lines() -> None:
    """Both triggers, both functions, both places, and what to do."""

    @on_sqs("orders")
    def other(order: dict[str, Any]) -> None: ...

    with pytest.raises(RegistrationError) as caught:
        App(charge, other)

    assert str(caught.value).splitlines() == [
        "two handlers claim the same thing: "
        f"on_sqs('orders') -> {__name__}.charge and on_sqs('orders') -> {__name__}.{other.__qualname__}",
        f"  at {__name__}.charge ({__file__}:{charge.__code__.co_firstlineno}) and "
        f"{__name__}.{other.__qualname__} ({__file__}:{other.__code__.co_firstlineno})",
        "Narrow one of them, or let one function serve both.",
    ]


def test_one_function_may_claim_a_thing_twice() -> None:
    """Two patterns that overlap, one function for both: there is nothing to choose between."""

    @on_eventbridge({"source": ["shop"]})
    @on_eventbridge({"detail-type": ["placed"]})
    def placed(detail: dict[str, Any]) -> str:
        return "placed"

    assert App(placed)({"source": "shop", "detail-type": "placed", "detail": {}}) == "placed"


def test_the_same_thing_through_another_envelope_is_another() -> None:
    """An object that S3 tells of directly, and one that comes through a queue."""

    @on_s3("uploads")
    def directly(upload: S3Record) -> None: ...

    @on_s3("uploads", via="sqs")
    def queued(upload: S3Record) -> None: ...

    assert len(App(directly, queued).handlers) == 2


@pytest.mark.parametrize("mark", ["on_sqs('late')", "on_invoke", "on_start"])
def test_a_mark_below_the_app_is_refused(mark: str, write: Write) -> None:
    """The App has looked already, and would never call it; the message names both lines."""
    name = write(SHOP + f"handler = App(__name__)\n\n@{mark}\ndef late(): ...\n")

    with pytest.raises(RegistrationError) as caught:
        importlib.import_module(name)

    assert "marks a function after its module's App was built, which will not see it" in str(caught.value)
    assert f"{name}.late ({sys.path[0]}/{name}.py:11)" in caught.value.where
    assert f"Move the function above the App at {sys.path[0]}/{name}.py:9" in caught.value.hint


def test_a_mark_in_a_module_that_another_collected_is_refused(write: Write) -> None:
    """The App of ``main`` looked through ``orders`` too."""
    orders = importlib.import_module(write(SHOP))
    importlib.import_module(write(f"from lambdakit import App\nimport {orders.__name__}\nApp({orders.__name__})\n"))

    with pytest.raises(RegistrationError, match="after its module's App was built"):
        exec("@on_sqs('late')\ndef late(): ...\n", vars(orders))


def test_a_script_that_marks_too_late_is_refused(tmp_path: Path) -> None:
    """As a module is."""
    (tmp_path / "shop.py").write_text(SHOP + "handler = App(__name__)\n\n@on_sqs()\ndef late(): ...\n")

    with pytest.raises(RegistrationError, match="after its module's App was built"):
        runpy.run_path(str(tmp_path / "shop.py"), run_name="__main__")


def test_a_module_may_be_reloaded(write: Write) -> None:
    """It marks its functions anew, and builds its App anew."""
    shop = importlib.import_module(write(SHOP + "handler = App(__name__)\n"))

    assert importlib.reload(shop).handler(21) == 42


def test_a_module_may_be_imported_again(write: Write) -> None:
    """As each execution environment of a simulation does."""
    name = write(SHOP + "handler = App(__name__)\n")
    importlib.import_module(name)
    del sys.modules[name]

    assert importlib.import_module(name).handler(21) == 42


def test_a_prompt_may_go_on(write: Write) -> None:
    """At a prompt or in a notebook a handler is written again, and then the App."""
    prompt = ModuleType("__main__")
    for _ in range(2):
        exec(SHOP + "handler = App(__name__)\n", vars(prompt))

    assert prompt.handler(21) == 42


def test_functions_may_be_marked_in_a_function_at_any_time() -> None:
    """A test defines its handlers in itself; no module's App would have seen them."""
    App(__name__)

    @on_invoke
    def local() -> str:
        return "local"

    assert App(local)({}) == "local"


# Errors.


def test_an_event_that_nothing_takes_is_told_with_what_is_registered() -> None:
    """The source, the origin, the handlers of the source."""
    message = {"eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:returns", "messageId": "1"}

    with pytest.raises(NoHandlerError) as caught:
        App(charge, refund)({"Records": [message]})

    error = caught.value
    assert (error.source, error.origin) == ("sqs", "queue 'returns'")
    assert error.registered == (f"on_sqs('orders') -> {__name__}.charge", f"on_sqs('refunds') -> {__name__}.refund")
    assert str(error).splitlines()[:2] == [
        "no handler takes this 'sqs' event from queue 'returns'.",
        f"Registered for 'sqs': on_sqs('orders') -> {__name__}.charge, on_sqs('refunds') -> {__name__}.refund.",
    ]


def test_an_event_of_a_source_that_nothing_takes_is_told_with_the_sources() -> None:
    """There are handlers, for others."""
    with pytest.raises(NoHandlerError) as caught:
        App(charge, double)({"Records": [{"eventSource": "aws:ses"}]})

    assert str(caught.value).splitlines()[:2] == [
        "no handler takes this 'ses' event.",
        "Nothing is registered for 'ses'; handlers there are for: direct, sqs, stepfunctions.",
    ]


class CustomError(Exception):
    """With an ``__init__`` that nothing but the handler knows how to call."""

    def __init__(self, *, code: int) -> None:
        super().__init__()
        self.code = code


@pytest.mark.parametrize("error", [CustomError(code=5), ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_handler_raises_passes_through_untouched(error: BaseException) -> None:
    """The very object, with nothing chained to it, and a traceback that ends in the handler."""

    @on_invoke
    def fails() -> None:
        raise error

    with pytest.raises(type(error)) as caught:
        App(fails)({})

    assert caught.value is error
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].name == "fails"


def test_a_validation_error_of_the_handlers_own_passes_through() -> None:
    """A handler that validates something else is not blamed for its event."""
    from pydantic import TypeAdapter, ValidationError

    @on_invoke
    def fails() -> None:
        TypeAdapter(int).validate_python("many")

    with pytest.raises(ValidationError):
        App(fails)({})


def test_an_unfit_event_names_handler_and_fields_and_has_pydantics_error_as_its_cause() -> None:
    """For who needs the input: the message leaves it out."""
    with pytest.raises(EventValidationError) as caught:
        App(double)("hunter2")

    error = caught.value
    assert str(error).startswith(
        f"payload does not fit what {__name__}.double asks for:\n  Input should be a valid int"
    )
    assert "hunter2" not in str(error)
    assert "hunter2" in str(error.__cause__)


TEXTS = st.text(max_size=5)
ERRORS: st.SearchStrategy[LambdakitError] = st.one_of(
    st.builds(RegistrationError, TEXTS, TEXTS, TEXTS),
    st.builds(NoHandlerError, TEXTS, TEXTS, st.lists(TEXTS), st.lists(TEXTS)),
    st.builds(EventValidationError, TEXTS, TEXTS, st.lists(TEXTS)),
)


@given(ERRORS)
def test_errors_copy_and_pickle(error: LambdakitError) -> None:
    """A worker process hands them on; a debugger copies them."""
    copies = [copy.copy(error), copy.deepcopy(error), pickle.loads(pickle.dumps(error))]

    assert [(type(each), each.args, str(each), vars(each)) for each in copies] == [
        (type(error), error.args, str(error), vars(error))
    ] * 3


def test_every_error_has_one_root() -> None:
    """``except LambdakitError`` catches what lambdakit raises of its own accord."""
    own = [value for value in vars(errors).values() if isinstance(value, type) and value.__module__ == errors.__name__]

    assert all(issubclass(error, LambdakitError) for error in own)


@pytest.mark.parametrize("event", [None, [], "text", 5, True, {"a": {"b": [1]}}, float("inf")])
def test_any_json_is_an_event(event: Any) -> None:
    """Whoever invokes the function says what its payload is."""

    @on_invoke
    def echo(payload: Any) -> Any:
        return payload

    assert App(echo)(event) == event


# Explanations.


def test_an_event_is_explained_without_running_anything() -> None:
    """Each record, who would take it, and why the others would not."""
    records = [
        {
            "eventSource": "aws:sqs",
            "messageId": str(n),
            "body": "{}",
            "eventSourceARN": f"arn:aws:sqs:us-east-1:1:{queue}",
        }
        for n, queue in enumerate(["orders", "returns"])
    ]

    explanation = App(charge, refund).explain({"Records": records})

    assert (explanation.source, explanation.handlers) == ("sqs", [f"{__name__}.charge"])
    assert explanation.lines == [
        "record 0: SQS message 0 queue 'orders'",
        f"  taken by on_sqs('orders') -> {__name__}.charge",
        f"  not {__name__}.refund: takes on_sqs('refunds'), this is from queue 'orders'",
        "record 1: SQS message 1 queue 'returns'",
        f"  not {__name__}.charge: takes on_sqs('orders'), this is from queue 'returns'",
        f"  not {__name__}.refund: takes on_sqs('refunds'), this is from queue 'returns'",
    ]


def test_an_event_that_nothing_takes_is_explained_too() -> None:
    """By the words of the error it would be."""
    explanation = App(charge).explain({})

    assert (explanation.source, explanation.handlers) == ("direct", [])
    assert "Nothing is registered for 'direct'" in str(explanation)


@pytest.mark.parametrize(
    "event",
    [
        {"Records": [{"eventSource": "aws:s3"}]},
        {"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {}}}]},
        {"Records": [{"EventSource": "aws:sns"}]},
        {"Records": [{"EventSource": "aws:sns"}, {}]},
    ],
)
def test_an_event_without_its_usual_fields_is_unfit(event: dict[str, Any]) -> None:
    """It is named for what it lacks, not by a KeyError from somewhere."""

    @on_s3("uploads", prefix="a")
    def upload() -> None: ...

    @on_sns("alerts")
    def alert() -> None: ...

    with pytest.raises(EventValidationError, match="without its usual fields"):
        App(upload, alert)(event)


def test_streams_are_apps_as_well() -> None:
    """A batch answer comes out, not what the handler returned."""

    @on_kinesis()
    def store(data: bytes) -> str:
        return "stored"

    record = {"eventSource": "aws:kinesis", "kinesis": {"data": "", "sequenceNumber": "1"}}

    assert App(store)({"Records": [record]}) == {"batchItemFailures": []}


def test_a_hook_alone_can_be_collected() -> None:
    """It has no trigger, and needs none."""

    @on_start
    def warm_up() -> None: ...

    assert App(warm_up, double)(21) == 42


def test_two_apps_do_not_share_their_environment() -> None:
    """Each is its own Lambda function: what one started the other has not."""
    started: list[int] = []

    @on_start
    def start() -> None:
        started.append(len(started))

    for _ in range(2):
        App(start, double)(1)

    assert started == [0, 1]


def test_a_handler_that_calls_its_own_app_is_served() -> None:
    """A function may hand part of its event on to itself."""

    @on_invoke
    def countdown(number: int) -> list[int]:
        return [number, *cast(Any, app)(number - 1)] if number else [0]

    app = App(countdown)
    with contextlib.closing(app):
        assert app(2) == [2, 1, 0]
