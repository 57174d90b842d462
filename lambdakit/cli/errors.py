"""What a command says of wrong input."""

from __future__ import annotations

from lambdakit.errors import LambdakitError


class CommandError(LambdakitError):
    """Input that a command can't work with: ends it with exit code 2.

    Args:
        problem: What is wrong, what is known and what to do.
        details: What to print before it, such as a traceback of the user's code.
    """

    def __init__(self, problem: str, details: str = "") -> None:
        super().__init__(problem, details)
        self.problem = problem
        self.details = details

    def __str__(self) -> str:
        """The problem."""
        return self.problem
