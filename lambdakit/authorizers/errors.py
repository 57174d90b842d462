"""What goes wrong with an authorizer: with the client, and with the function itself."""

from __future__ import annotations

from lambdakit.errors import LambdakitError


class Unauthorized(LambdakitError):
    """Raised by an authorizer, or by what it depends on: nobody knows who is asking, and the client gets a 401.

    API Gateway knows it by its message, which is ``Unauthorized`` and nothing else. ``Deny()`` is a 403.

    >>> str(Unauthorized())
    'Unauthorized'
    """

    def __init__(self) -> None:
        super().__init__()

    def __str__(self) -> str:
        return "Unauthorized"


class AuthorizerResponseError(LambdakitError):
    """What an authorizer answered can't be said to the API that asks: a mistake in the function, which Lambda reports.

    Args:
        handler: The handler, as ``module.function``.
        problem: What can't be said, and what can.
    """

    def __init__(self, handler: str, problem: str) -> None:
        super().__init__(handler, problem)
        self.handler = handler
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.handler} {self.problem}"
