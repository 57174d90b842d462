"""The pytest plugin that installs with lambdakit: its fixtures are there in every test, and cost nothing until used."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from lambdakit.context import LambdaContext
    from lambdakit.local import LocalLambda

_LONGEST_TIMELINE = 60
"""So many lines of a timeline are shown when a test fails; the last ones, where it went wrong."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--lambda-seed`` repeats what a failed test reported."""
    group = parser.getgroup("lambdakit")
    group.addoption(
        "--lambda-seed", type=int, default=None, metavar="N", help="The seed of every local_lambda fixture (default 0)."
    )


def pytest_configure(config: pytest.Config) -> None:
    """``@pytest.mark.lambda_seed(n)`` sets the seed of one test."""
    config.addinivalue_line("markers", "lambda_seed(n): the seed of this test's local_lambda")


@pytest.fixture
def lambda_context() -> LambdaContext:
    """A context for calling a handler: 3 s left, 128 MB, made-up names, all of which a test may set."""
    from lambdakit.context import LambdaContext

    return LambdaContext()


@pytest.fixture
def local_lambda(request: pytest.FixtureRequest) -> Iterator[LocalLambda]:
    """A local Lambda service on virtual time, empty at the start of each test.

    Its seed is that of ``--lambda-seed``, else of the test's ``lambda_seed`` mark, else 0. When the test fails, the
    report shows the seed, the timeline, and the tracebacks of what handlers raised.
    """
    from lambdakit.local import LocalLambda

    with LocalLambda(seed=_seed(request)) as local:
        request.node.stash[_LOCAL] = local
        yield local


def _seed(request: pytest.FixtureRequest) -> int:
    option: int | None = request.config.getoption("--lambda-seed")
    if option is not None:
        return option
    mark = request.node.get_closest_marker("lambda_seed")
    if mark is None:
        return 0
    if mark.kwargs or [type(seed) for seed in mark.args] != [int]:
        raise pytest.UsageError(f"lambda_seed takes one whole number, as in @pytest.mark.lambda_seed(7), not {mark}")
    seed: int = mark.args[0]
    return seed


_LOCAL = pytest.StashKey["LocalLambda"]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add what the local Lambda saw to the report of a test that failed."""
    report = yield
    local = item.stash.get(_LOCAL, None)
    if report.failed and call.when == "call" and local is not None:
        report.sections.append((f"local Lambda, --lambda-seed={local.seed}", _timeline(local)))
        report.sections += [(f"raised in {title}", text) for title, text in _exceptions(local).items()]
    return report


def _timeline(local: LocalLambda) -> str:
    lines = str(local.timeline()).splitlines()
    left_out = len(lines) - _LONGEST_TIMELINE
    return "\n".join([f"... {left_out} lines before", *lines[-_LONGEST_TIMELINE:]] if left_out > 0 else lines)


def _exceptions(local: LocalLambda) -> dict[str, str]:
    """What handlers raised, with the user's traceback; once where many invocations raised the same."""
    from lambdakit.local.tracebacks import user_traceback

    texts: dict[str, str] = {}
    for function in local.functions.values():
        for invocation in function.errors:
            error = invocation.exception
            if error is not None:
                text = user_traceback(error)
                if text not in texts.values():
                    texts[f"{function.name}, request {invocation.request_id[:8]}"] = text
    return texts
