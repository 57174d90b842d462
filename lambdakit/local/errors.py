"""What the local Lambda itself refuses or gives up."""

from __future__ import annotations

from lambdakit.errors import LambdakitError


class ClockError(LambdakitError):
    """The clock of a local Lambda can't be run from here.

    Args:
        problem: What was tried, in words.
        hint: What to do instead.
    """

    def __init__(self, problem: str, hint: str) -> None:
        super().__init__(problem, hint)
        self.problem = problem
        self.hint = hint

    def __str__(self) -> str:
        """Problem and hint, a line each."""
        return f"{self.problem}\n{self.hint}"


class InvokeError(LambdakitError):
    """Lambda refuses a request, before any function sees it.

    Args:
        status: The HTTP status.
        type: The name of the exception in AWS's API.
        message: AWS's words.
    """

    def __init__(self, status: int, type: str, message: str) -> None:  # noqa: A002 - AWS's own name
        super().__init__(status, type, message)
        self.status = status
        self.type = type
        self.message = message

    def __str__(self) -> str:
        """The exception's name and AWS's words."""
        return f"{self.type} ({self.status}): {self.message}"


class StuckHandlerError(LambdakitError):
    """A handler ran on and on without waiting, while virtual time stood still.

    Args:
        function: The function, by the name it was deployed under.
        request_id: Its invocation.
        seconds: How long it was watched, in real seconds.
        stack: Where it was, innermost frame last.
    """

    def __init__(self, function: str, request_id: str, seconds: float, stack: str = "") -> None:
        super().__init__(function, request_id, seconds, stack)
        self.function = function
        self.request_id = request_id
        self.seconds = seconds
        self.stack = stack

    def __str__(self) -> str:
        """What happened, where, and what to do."""
        return (
            f"the handler of {self.function!r} (request {self.request_id}) ran for {self.seconds:g} s of real time "
            "and did not wait once: virtual time passes only while a handler waits.\n"
            f"It was here:\n{self.stack}"
            "If it polls, let it wait with time.sleep(). If it waits for a lock that was made before the clock ran, "
            "make that in the handler, or deploy the function by name. Give real work more time with "
            "LocalLambda(watchdog=...)."
        )
