"""Hooks: once an execution environment, in the INIT phase where there is one, and around SnapStart's snapshot."""

import asyncio
import importlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest

from lambdakit import App, Depends, Invocation, LambdaContext, after_restore, before_snapshot, on_invoke, on_start
from lambdakit.errors import RegistrationError

log: list[str] = []


@pytest.fixture(autouse=True)
def empty_log() -> None:
    log.clear()


@on_invoke
def handler() -> None:
    log.append("handled")


@on_start
def plain() -> None:
    log.append("started")


@on_start
async def coroutine() -> None:
    await asyncio.sleep(0)
    log.append("started")


@on_start
def generator() -> Iterator[None]:
    log.append("started")
    yield
    log.append("ended")


@on_start
async def async_generator() -> AsyncIterator[None]:
    log.append("started")
    yield
    log.append("ended")


@pytest.mark.parametrize("hook", [plain, coroutine, generator, async_generator])
def test_a_start_hook_runs_once_before_the_first_event(hook: Any) -> None:
    """An execution environment starts once, however many events it handles."""
    app = App(handler, hook)
    app({})
    app({})

    assert log == ["started", "handled", "handled"]


@pytest.mark.parametrize("hook", [generator, async_generator])
def test_what_a_start_hook_opened_is_cleaned_up_when_the_app_is_closed(hook: Any) -> None:
    """Used again, the App starts again."""
    app = App(handler, hook)
    for _ in range(2):
        app({})
        app.close()

    assert log == ["started", "handled", "ended"] * 2


def test_a_closed_app_that_never_ran_has_nothing_to_clean_up() -> None:
    """A test may close an App without a call."""
    App(handler, generator).close()

    assert log == []


def test_start_hooks_run_in_the_order_they_are_written() -> None:
    """And are cleaned up in reverse."""

    @on_start
    def first() -> Iterator[None]:
        log.append("+first")
        yield
        log.append("-first")

    @on_start
    def second() -> Iterator[None]:
        log.append("+second")
        yield
        log.append("-second")

    app = App(first, second, handler)
    app.start()
    app.close()

    assert log == ["+first", "+second", "-second", "-first"]


def test_a_start_hook_shares_the_environments_dependencies() -> None:
    """What it warms up is what the handlers get."""

    def connect() -> list[str]:
        log.append("connected")
        return []

    @on_start
    def warm_up(connection: Annotated[list[str], Depends(connect, scope="environment")]) -> None:
        connection.append("warm")

    @on_invoke
    def use(connection: Annotated[list[str], Depends(connect, scope="environment")]) -> list[str]:
        return connection

    assert App(use, warm_up)({}) == ["warm"]
    assert log == ["connected"]


def test_a_start_hook_that_fails_is_tried_again_with_the_next_event() -> None:
    """Those before it that succeeded are not."""
    outcomes = iter([True, False])

    @on_start
    def fails_once() -> None:
        if next(outcomes):
            raise LookupError("no secret yet")

    app = App(plain, fails_once, handler)
    with pytest.raises(LookupError, match="no secret yet"):
        app({})
    app({})

    assert log == ["started", "handled"]


@pytest.mark.parametrize("kind", [LambdaContext, Invocation])
def test_a_hook_has_no_invocation(kind: Any) -> None:
    """It runs before there is one."""

    def hook(value: Any) -> None: ...

    hook.__annotations__["value"] = kind
    with pytest.raises(RegistrationError, match="what lives as long as the environment asks for the"):
        App(handler, on_start(hook))


def test_a_function_can_be_several_hooks() -> None:
    """What starts an environment often is what a restored snapshot needs again."""

    @after_restore
    @on_start
    def connect() -> None:
        log.append("connected")

    App(connect, handler)({})

    assert log == ["connected", "handled"]


SHOP = """
from lambdakit import *
log = []

@on_start
def start():
    log.append("started")

@on_invoke
def handle():
    log.append("handled")

handler = App(__name__)
"""


@pytest.mark.parametrize(
    ("name", "setting", "lines"),
    [
        ("shop_of_lambda", "shop_of_lambda.handler", ["started"]),
        ("shop_of_another", "other.handler", []),
        ("shop_of_nobody", "", []),
        ("shop_of_no_module", "handler", []),
    ],
)
def test_hooks_start_while_lambda_loads_the_module(
    name: str, setting: str, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In Lambda the INIT phase is free of the event's clock; in a test nothing starts by being imported."""
    (tmp_path / f"{name}.py").write_text(SHOP)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("_HANDLER", setting)

    assert importlib.import_module(name).log == lines


def test_a_handler_in_a_folder_is_the_modules_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda takes ``folder/module.handler`` as well as ``folder.module.handler``."""
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "store.py").write_text(SHOP)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("_HANDLER", "functions/store.handler")

    assert importlib.import_module("functions.store").log == ["started"]


SNAPSHOT = """
import snapshot_restore_py
from lambdakit import *

lines = []

@on_start
def start():
    lines.append("start")

@before_snapshot
def first():
    lines.append("before 1")

@before_snapshot
async def second():
    lines.append("before 2")

@after_restore
def third():
    lines.append("after 1")
    yield
    lines.append("end")

@after_restore
def fourth():
    lines.append("after 2")

@on_invoke
def handle():
    lines.append("handle")

handler = App(__name__)

if __name__ == "__main__":
    try:
        from awslambdaric.lambda_runtime_hooks_runner import run_after_restore, run_before_snapshot
    except ImportError:  # an older runtime client: what it does, in the runtime's order
        def run_before_snapshot():
            for function, args, kwargs in reversed(snapshot_restore_py.get_before_snapshot()):
                function(*args, **kwargs)
        def run_after_restore():
            for function, args, kwargs in snapshot_restore_py.get_after_restore():
                function(*args, **kwargs)
    run_before_snapshot()
    for _ in range(2):  # one snapshot is restored many times
        run_after_restore()
        handler({})
    handler.close()
    print(*lines, sep=", ")
"""


def _snapshot_lines(tmp_path: Path, initialization: str) -> str:
    pytest.importorskip("snapshot_restore_py", reason="SnapStart's runtime hooks are not installed")
    script = tmp_path / "shop.py"
    script.write_text(SNAPSHOT)
    environment = {
        **os.environ,
        "_HANDLER": "__main__.handler",
        "AWS_LAMBDA_INITIALIZATION_TYPE": initialization,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    run = subprocess.run(
        [sys.executable, "-W", "error", script],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return run.stdout.strip() or run.stderr


def test_snapstart_runs_its_hooks_around_the_snapshot(tmp_path: Path) -> None:
    """Before hooks in the order written, once; after hooks with each restore; what they opened ends with the App."""
    lines = _snapshot_lines(tmp_path, "snap-start")

    assert lines == "start, before 1, before 2, after 1, after 2, handle, after 1, after 2, handle, end, end"


def test_without_snapstart_its_hooks_do_not_run(tmp_path: Path) -> None:
    """There is no snapshot then."""
    assert _snapshot_lines(tmp_path, "on-demand") == "start, handle, handle"


@pytest.mark.parametrize("mark", [on_start, before_snapshot, after_restore])
def test_hooks_come_back_as_they_are(mark: Any) -> None:
    """A test can call a hook."""

    def hook() -> str:
        return "called"

    assert mark(hook) is hook
    assert hook() == "called"
