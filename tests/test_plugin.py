"""The pytest plugin."""

from lambdakit import App, LambdaContext, on_invoke


def test_a_context_is_there_for_the_asking(lambda_context: LambdaContext) -> None:
    """The fixture comes with the package, and a handler takes what it gives."""

    @on_invoke
    def left(context: LambdaContext) -> int:
        return context.get_remaining_time_in_millis()

    assert 0 < App(left)({}, lambda_context) <= 3000
