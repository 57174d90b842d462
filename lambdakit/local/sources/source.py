"""What all sources have in common: a name, an ARN, a clock, and errors in AWS's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdakit.errors import LambdakitError

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock


class SourceError(LambdakitError):
    """A source refuses a request, as AWS's service does.

    Args:
        code: The error's code, as boto3 has it in ``error.response["Error"]["Code"]``.
        message: The service's words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """The code and the service's words."""
        return f"{self.code}: {self.message}"


class Source:
    """A local resource that events come from.

    Attributes:
        name: Its name.
        arn: Its ARN.
    """

    def __init__(self, clock: Clock, name: str, arn: str) -> None:
        self._clock = clock
        self.name = name
        self.arn = arn

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"
