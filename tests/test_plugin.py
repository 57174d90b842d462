"""The pytest plugin."""

import pytest

from lambdakit import App, LambdaContext, on_invoke

pytest_plugins = ["pytester"]

FAILING = """
import pytest
from lambdakit import App, on_invoke

@on_invoke
def break_down(payload: dict):
    raise OSError("no more disk")

@pytest.mark.lambda_seed(7)
def test_it_holds(local_lambda):
    assert local_lambda.deploy(App(break_down), name="fragile").invoke({}).error is None
"""


def test_a_context_is_there_for_the_asking(lambda_context: LambdaContext) -> None:
    """The fixture comes with the package, and a handler takes what it gives."""

    @on_invoke
    def left(context: LambdaContext) -> int:
        return context.get_remaining_time_in_millis()

    assert 0 < App(left)({}, lambda_context) <= 3000


def test_a_failed_test_shows_what_the_local_lambda_saw(pytester: pytest.Pytester) -> None:
    """The seed that repeats it, the timeline, and the user's own traceback."""
    pytester.makepyfile(FAILING)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    result.stdout.fnmatch_lines(
        [
            "*local Lambda, --lambda-seed=7*",
            "*fragile*error OSError: no more disk*",
            "*raised in fragile*",
            "*, in break_down*",
            "OSError: no more disk",
        ]
    )


def test_the_option_sets_the_seed_of_every_test(pytester: pytest.Pytester) -> None:
    """It comes before the mark: it is there to repeat."""
    pytester.makepyfile(FAILING)

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "--lambda-seed=12")

    result.stdout.fnmatch_lines(["*local Lambda, --lambda-seed=12*"])


@pytest.mark.parametrize("seeds", ["1, 2", "", "'x'", "seed=3"])
def test_a_mark_without_one_seed_says_how_it_is_written(pytester: pytest.Pytester, seeds: str) -> None:
    """A whole number, and one of them."""
    pytester.makepyfile(FAILING.replace("lambda_seed(7)", f"lambda_seed({seeds})"))

    result = pytester.runpytest_inprocess("-p", "no:cacheprovider")

    result.stdout.fnmatch_lines(["*lambda_seed takes one whole number, as in @pytest.mark.lambda_seed(7)*"])
