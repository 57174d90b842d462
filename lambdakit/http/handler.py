"""A marked function under a route: what its parameters are read from, and how what it returns is sent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import PydanticUserError

from lambdakit.binding import Argument, Call, Handler, mentions_event_model
from lambdakit.depends import Depends, Provider
from lambdakit.errors import RegistrationError
from lambdakit.http.errors import RequestValidationError
from lambdakit.http.parameters import Mark
from lambdakit.http.parts import BodyPart, Part, part_of
from lambdakit.http.request import HttpRequest
from lambdakit.http.writer import Writer
from lambdakit.signature import return_hint_of, where, words_of

if TYPE_CHECKING:
    from lambdakit.binding import Kind
    from lambdakit.middleware import Invocation
    from lambdakit.triggers.http import HttpTrigger


class HttpHandler(Handler):
    """A function that answers requests.

    Attributes:
        parts: What is read from the request, for the function and for its dependencies.
        writer: Makes a reply of what it returns.

    Raises:
        RegistrationError: it asks for what a request does not have, or returns what can't be sent.
    """

    trigger: HttpTrigger

    def __init__(self, function: Callable[..., Any], trigger: HttpTrigger) -> None:
        self.parts: list[Part] = []
        super().__init__(function, trigger)
        self._settle_body()
        self.writer = self._writer()

    def invalid_request(self, request: HttpRequest, error: RequestValidationError) -> RequestValidationError:
        """All that is wrong with a request of which one part could not be read."""
        found = [problem for part in self.parts for problem in part.problems(request)]
        distinct = [problem for position, problem in enumerate(found) if problem not in found[:position]]
        return RequestValidationError(distinct or error.errors)

    def _argument(self, parameter: inspect.Parameter, annotation: Any, asked: set[Kind]) -> Argument:
        argument = self._of_surroundings(parameter, annotation)
        if argument is not None:
            return argument
        return Argument(parameter, of_invocation=self._reader_of(self.function, parameter, annotation))

    def _provider(self, mark: Depends, local_names: Mapping[str, Any] | None) -> Provider:
        return Provider(mark, local_names=local_names, further=self._of_dependency)

    def _of_dependency(
        self, function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any
    ) -> Callable[[Invocation], Any] | None:
        if annotation is parameter.empty:
            return None
        return self._reader_of(function, parameter, annotation)

    def _reader_of(
        self, function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any
    ) -> Callable[[Invocation], Any]:
        if annotation is HttpRequest:
            return lambda invocation: invocation.request
        part = self._part(function, parameter, annotation)
        self.parts.append(part)
        return lambda invocation: part.read(invocation.request)  # type: ignore[arg-type]  # there is one

    def _part(self, function: Callable[..., Any], parameter: inspect.Parameter, annotation: Any) -> Part:
        if mentions_event_model(annotation):
            self._refuse_type(parameter, annotation)
        if isinstance(parameter.default, Mark):
            mark = f"{type(parameter.default).__name__}(...)"
            problem = f"parameter {parameter.name!r} has {mark} for a default: write Annotated[T, {mark}]"
            raise RegistrationError(problem, where(function))
        try:
            return part_of(parameter, annotation, self.trigger.pattern.names)
        except (PydanticUserError, NameError, TypeError) as error:
            problem = str(error).partition("\n")[0]
            raise RegistrationError(
                f"parameter {parameter.name!r} asks for {words_of(annotation)}: {problem}",
                where(function),
                self._offer(),
            ) from error

    def _settle_body(self) -> None:
        """Of several parameters in the body each is a member of it; one that two functions ask for is one."""
        bodies = [part for part in self.parts if isinstance(part, BodyPart)]
        fields = [part for part in self.parts if part.place in ("form", "file")]
        if bodies and fields:
            self._refuse(f"the body can't be both a form, for {fields[0].name!r}, and {bodies[0].name!r}")
        if len({part.name for part in bodies}) > 1:
            for part in bodies:
                part.embed()

    def _writer(self) -> Writer:
        annotation = return_hint_of(self.function)
        try:
            return Writer(self.name, annotation, self.trigger.status)
        except (PydanticUserError, NameError, TypeError) as error:
            problem = str(error).partition("\n")[0]
            raise RegistrationError(
                f"it returns {words_of(annotation)}, which Pydantic can't write: {problem}",
                where(self.function),
                "A handler may return a model, a dataclass, a dict, a list, str, bytes, None, or a Response of these.",
            ) from error

    def _caller(self, arguments: list[Argument]) -> Call:
        function = self.function
        readers = [argument.of_invocation for argument in arguments if not _is_named(argument)]
        named = {argument.parameter.name: argument.of_invocation for argument in arguments if _is_named(argument)}

        def call(_: Any, invocation: Invocation) -> Any:
            try:
                values = [read(invocation) for read in readers]  # type: ignore[misc]  # each has one
                names = {name: read(invocation) for name, read in named.items()} if named else {}  # type: ignore[misc]
            except RequestValidationError as error:
                assert invocation.request is not None
                raise self.invalid_request(invocation.request, error) from error
            return function(*values, **names)

        return call

    def _offer(self) -> str:
        return (
            "A handler of on_http may ask for values of the path, of the query (Query), headers (Header) and cookies "
            "(Cookie), for the body (a model, dict, list, ...; Body, Form, File), HttpRequest, LambdaContext, "
            "Annotated[T, Depends(f)]."
        )


def _is_named(argument: Argument) -> bool:
    return argument.parameter.kind is inspect.Parameter.KEYWORD_ONLY
