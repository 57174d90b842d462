"""Every error lambdakit raises of its own accord. What a handler raises passes through untouched."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class LambdakitError(Exception):
    """The root of lambdakit's errors.

    The fields are ``args``, in the order of the constructor's parameters, so an error copies and pickles; ``str()``
    writes the sentence.
    """


class RegistrationError(LambdakitError):
    """A handler, trigger, dependency or setting that can't work. Raised while the function starts, never later.

    Args:
        problem: What is wrong, in words.
        where: The function, file and line it is about, or ``""``.
        hint: What would be right, or ``""``.
    """

    def __init__(self, problem: str, where: str = "", hint: str = "") -> None:
        super().__init__(problem, where, hint)
        self.problem = problem
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Problem, place and hint, a line each."""
        return "\n".join(line for line in (self.problem, self.where and f"  at {self.where}", self.hint) if line)


class NoHandlerError(LambdakitError):
    """An event, or a record of one, that no registered handler takes.

    Args:
        source: What sent it: a label of ``identify``.
        origin: The queue, bucket, table, ... it came from, in words, or ``""``.
        registered: The handlers that take this source, as ``trigger -> function``.
        sources: The sources that any handler takes.
    """

    def __init__(
        self, source: str, origin: str = "", registered: Sequence[str] = (), sources: Sequence[str] = ()
    ) -> None:
        super().__init__(source, origin, tuple(registered), tuple(sources))
        self.source = source
        self.origin = origin
        self.registered = tuple(registered)
        self.sources = tuple(sources)

    def __str__(self) -> str:
        """What came, what is registered, what to do."""
        came = f"no handler takes this {self.source!r} event" + (f" from {self.origin}." if self.origin else ".")
        if self.registered:
            known = f"Registered for {self.source!r}: {', '.join(self.registered)}."
        elif self.sources:
            known = f"Nothing is registered for {self.source!r}; handlers there are for: {', '.join(self.sources)}."
        else:
            known = "Nothing is registered at all."
        advice = (
            "Mark a function that takes it in a module that App collects, or remove what sends it here "
            "(app.explain(event) shows how each handler was judged)."
        )
        return "\n".join((came, known, advice))


class EventValidationError(LambdakitError):
    """An event, a record or a payload that does not fit the model its handler asked for.

    The input itself is not repeated: it may hold secrets. Pydantic's error is the ``__cause__``.

    Args:
        handler: The handler that asked, as ``module.function``.
        subject: What did not fit, in words: ``"SQS message 19dd0b57"``.
        problems: ``path: message`` for each field, as in ``"body.total: Field required"``.
    """

    def __init__(self, handler: str, subject: str, problems: Sequence[str]) -> None:
        super().__init__(handler, subject, tuple(problems))
        self.handler = handler
        self.subject = subject
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """What did not fit, and each field that does not."""
        return f"{self.subject} does not fit what {self.handler} asks for:\n" + "\n".join(
            f"  {problem}" for problem in self.problems
        )
