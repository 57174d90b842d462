"""A marked function under a route: what its parameters are read from, and how what it returns is sent."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, get_origin

from pydantic import PydanticUserError

from lambdakit.binding import Argument, Call, Handler, mentions_event_model
from lambdakit.depends import Depends, Provider
from lambdakit.errors import RegistrationError
from lambdakit.http.errors import RequestValidationError
from lambdakit.http.parameters import Mark
from lambdakit.http.parts import BodyPart, Part, part_of
from lambdakit.http.request import HttpRequest
from lambdakit.http.writer import Writer
from lambdakit.signature import members_of, name_of, plain_type, return_hint_of, where, words_of

if TYPE_CHECKING:
    from lambdakit.binding import Kind
    from lambdakit.middleware import Invocation
    from lambdakit.triggers.http import HttpTrigger
    from lambdakit.triggers.trigger import Trigger


class RequestHandler(Handler):
    """A function that is called with parts of a request.

    Attributes:
        parts: What is read from the request, for the function and for its dependencies.

    Raises:
        RegistrationError: it asks for what a request does not have.
    """

    def __init__(self, function: Callable[..., Any], trigger: Trigger) -> None:
        self.parts: list[Part] = []
        self._guards: list[Callable[[HttpRequest], object]] = []
        super().__init__(function, trigger)
        self._settle_body()

    def invalid_request(self, request: HttpRequest, error: RequestValidationError) -> RequestValidationError:
        """All that is wrong with a request of which one part could not be read.

        Raises:
            HTTPError: whoever sent it is not to be told.
        """
        for guard in self._guards:
            guard(request)
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
        if isinstance(parameter.default, Mark):
            mark = f"{type(parameter.default).__name__}(...)"
            problem = f"parameter {parameter.name!r} has {mark} for a default: write Annotated[T, {mark}]"
            raise RegistrationError(problem, where(function))
        try:
            given = self._given(annotation)
            if given is not None:
                return given
            part = self._part(parameter, annotation)
        except (PydanticUserError, NameError, TypeError) as error:
            problem = str(error).partition("\n")[0]
            raise RegistrationError(
                f"parameter {parameter.name!r} asks for {words_of(annotation)}: {problem}",
                where(function),
                self._offer(),
            ) from error
        self.parts.append(part)
        return lambda invocation: part.read(invocation.request)  # type: ignore[arg-type]  # there is one

    def _given(self, annotation: Any) -> Callable[[Invocation], Any] | None:
        """What gives a parameter the request itself, or who makes it; None for a part of it."""
        if annotation is HttpRequest:
            return lambda invocation: invocation.request
        if _asks_for_identity(annotation):
            from lambdakit.http.identity import identity_reader

            read = identity_reader(annotation)
            self._guards.append(read)
            return lambda invocation: read(invocation.request)  # type: ignore[arg-type]  # there is one
        return None

    def _part(self, parameter: inspect.Parameter, annotation: Any) -> Part:
        """What reads a part of the request.

        Raises:
            TypeError, PydanticUserError, NameError: it is none that can be read.
        """
        raise NotImplementedError(type(self))

    def _settle_body(self) -> None:
        """Of several parameters in the body each is a member of it; one that two functions ask for is one."""
        bodies = [part for part in self.parts if isinstance(part, BodyPart)]
        fields = [part for part in self.parts if part.place in ("form", "file")]
        if bodies and fields:
            self._refuse(f"the body can't be both a form, for {fields[0].name!r}, and {bodies[0].name!r}")
        if len({part.name for part in bodies}) > 1:
            for part in bodies:
                part.embed()

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


class HttpHandler(RequestHandler):
    """A function that answers requests of a route.

    Attributes:
        writer: Makes a reply of what it returns.

    Raises:
        RegistrationError: it asks for what a request does not have, or returns what can't be sent.
    """

    trigger: HttpTrigger

    def __init__(self, function: Callable[..., Any], trigger: HttpTrigger) -> None:
        super().__init__(function, trigger)
        self.writer = self._writer()

    def _writer(self) -> Writer:
        return writer_of(self.function, self.trigger.status)

    def _part(self, parameter: inspect.Parameter, annotation: Any) -> Part:
        if mentions_event_model(annotation):
            self._refuse_type(parameter, annotation)
        return part_of(parameter, annotation, self.trigger.pattern.names)

    def _offer(self) -> str:
        return (
            "A handler of on_http may ask for values of the path, of the query (Query), headers (Header) and cookies "
            "(Cookie), for the body (a model, dict, list, ...; Body, Form, File), HttpRequest, Identity, "
            "LambdaContext, Annotated[T, Depends(f)]."
        )


def writer_of(function: Callable[..., Any], status: int | None) -> Writer:
    """What makes replies of what a function returns.

    Raises:
        RegistrationError: it returns what can't be sent.
    """
    annotation = return_hint_of(function)
    try:
        return Writer(name_of(function), annotation, status)
    except (PydanticUserError, NameError, TypeError) as error:
        problem = str(error).partition("\n")[0]
        raise RegistrationError(
            f"it returns {words_of(annotation)}, which Pydantic can't write: {problem}",
            where(function),
            "A handler may return a model, a dataclass, a dict, a list, str, bytes, None, or a Response of these.",
        ) from error


def _asks_for_identity(annotation: Any) -> bool:
    """Whether it is an ``Identity``, whose module is loaded by who names it."""
    plain = map(plain_type, members_of(annotation))
    kinds = [get_origin(kind) or kind for kind in plain]
    return any(getattr(kind, "__module__", "") == _IDENTITY and kind.__name__ == "Identity" for kind in kinds)


_IDENTITY = "lambdakit.http.identity"


def _is_named(argument: Argument) -> bool:
    return argument.parameter.kind is inspect.Parameter.KEYWORD_ONLY
