"""What all local resources have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambdakit.errors import LambdakitError

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock


class SourceError(LambdakitError):
    """A resource refuses a request, as AWS's would.

    Args:
        code: The name of the error in AWS's API.
        message: AWS's words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """The error's name and AWS's words."""
        return f"{self.code}: {self.message}"


class Source:
    """A resource with a name, in a Region of an account."""

    def __init__(self, clock: Clock, name: str, *, region: str, account: str) -> None:
        self.clock = clock
        self.name = name
        self.region = region
        self.account = account
