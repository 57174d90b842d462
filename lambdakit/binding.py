"""From a handler's signature to the call that serves it: what each parameter is given, decided once at the start."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args, get_origin

from pydantic import PydanticUserError, ValidationError

from lambdakit.depends import Provider, dependency_of
from lambdakit.errors import EventValidationError, RegistrationError
from lambdakit.middleware import Invocation
from lambdakit.signature import asked_parameters, hints_of, is_context, name_of, where

if TYPE_CHECKING:
    from lambdakit.events.model import EventModel
    from lambdakit.triggers.trigger import Record, Trigger

Unit = Literal["record", "list", "event"]
"""What one call of a handler is for: a record (or an event without records), several records, a whole event."""

Kind = Literal["record", "list", "event", "payload"]
"""What a parameter asks of the event."""

Call = Callable[[Any, Invocation], Any]


class Argument:
    """A parameter and how its value is read: from the record (or what the call is for), or from the invocation."""

    __slots__ = ("of_invocation", "of_record", "parameter")

    def __init__(
        self,
        parameter: inspect.Parameter,
        of_record: Callable[[Any], Any] | None = None,
        of_invocation: Callable[[Invocation], Any] | None = None,
    ) -> None:
        self.parameter = parameter
        self.of_record = of_record
        self.of_invocation = of_invocation

    def read(self, record: Any, invocation: Invocation) -> Any:
        """The value for one call."""
        return self.of_record(record) if self.of_record else self.of_invocation(invocation)  # type: ignore[misc]


class Handler:
    """A marked function under one of its triggers.

    Attributes:
        unit: What one call is for.
        call: Calls the function for a raw record (``"record"``) or for what ``whole`` makes of several.
        read: A raw record as the handler asks for it, where the unit is not a record.
        providers: The dependencies to provide before the call.

    Raises:
        RegistrationError: the signature does not fit the trigger.
    """

    def __init__(self, function: Callable[..., Any], trigger: Trigger) -> None:
        self.function = function
        self.trigger = trigger.for_function(function.__name__)
        self.name = name_of(function)
        self.concurrency = trigger.concurrency
        self.is_async = inspect.iscoroutinefunction(inspect.unwrap(function)) or inspect.iscoroutinefunction(function)
        self.unit: Unit = "record"
        self.read: Callable[[Record], Any] | None = None
        self.providers: list[Provider] = []
        self._event_model: type[EventModel] | None = None
        self._record_titles: set[str] = set()
        self.call: Call = self._caller(self._arguments())
        self._check_unit(self.unit)

    def __str__(self) -> str:
        return f"{self.trigger} -> {self.name}"

    def whole(self, event: Any, values: list[Any]) -> Any:
        """What a handler of several records is called with: a list, or the event with those records in it."""
        if self._event_model is None:
            return values
        return self._event_model.model_validate({**event, "Records": values})

    def subject(self, record: Record) -> str:
        """A record, in words."""
        return f"{self.trigger.noun} {self.trigger.record_id(record)}".rstrip()

    def invalid(self, record: Record, error: ValidationError) -> EventValidationError:
        """Why a record does not fit, by the path of each field, without the values."""
        in_payload = error.title not in self._record_titles and self.trigger.payload_path
        prefix = [self.trigger.payload_path] if in_payload else []
        problems = []
        for problem in error.errors(include_url=False, include_context=False, include_input=False):
            path = ".".join([*prefix, *map(str, problem["loc"])])
            problems.append(f"{path}: {problem['msg']}" if path else problem["msg"])
        return EventValidationError(self.name, self.subject(record), problems)

    def _check_unit(self, unit: Unit) -> None:
        if unit != "record" and self.concurrency > 1:
            self._refuse("concurrency is about records, and this function takes all of them in one call")
        if getattr(self.trigger, "tumbling_window_in_seconds", 0) and unit != "event":
            self._refuse("a tumbling window has a state, which only a handler of the whole event can take and return")

    def _arguments(self) -> list[Argument]:
        hints = hints_of(self.function)
        arguments: list[Argument] = []
        asked: set[Kind] = set()
        for parameter in asked_parameters(self.function):
            annotation = hints.get(parameter.name, parameter.empty)
            argument = self._of_surroundings(parameter, annotation)
            if argument is None:
                kind, model = _asked(annotation)
                if kind in asked and parameter.default is not parameter.empty:
                    continue  # its default serves
                self._check_alone(parameter, kind, asked)
                asked.add(kind)
                argument = Argument(parameter, self._reader(parameter, annotation, kind, model))
            arguments.append(argument)
        return arguments

    def _of_surroundings(self, parameter: inspect.Parameter, annotation: Any) -> Argument | None:
        """The context, the invocation, a dependency."""
        if annotation is parameter.empty:
            self._refuse(f"parameter {parameter.name!r} has no annotation, which says what it is given")
        if annotation is Invocation:
            return Argument(parameter, of_invocation=lambda invocation: invocation)
        if is_context(annotation):
            return Argument(parameter, of_invocation=_context)
        mark = dependency_of(annotation)
        if mark is None:
            return None
        provider = Provider(mark)
        self.providers.append(provider)
        key = provider.function
        return Argument(parameter, of_invocation=lambda invocation: invocation.values[key])

    def _check_alone(self, parameter: inspect.Parameter, kind: Kind, asked: set[Kind]) -> None:
        """A call is for one record or for several, and a payload is given once."""
        if kind in asked:
            self._refuse(f"parameter {parameter.name!r} asks a second time for the {kind}")
        if asked and (kind in ("list", "event") or asked & {"list", "event"}):
            self._refuse(f"parameter {parameter.name!r} asks for a {kind} beside {' and '.join(sorted(asked))}")

    def _reader(self, parameter: inspect.Parameter, annotation: Any, kind: Kind, model: Any) -> Callable[[Any], Any]:
        if kind == "payload":
            return self._payload_reader(parameter, annotation)
        if model.lambdakit_source != self.trigger.source:
            self._refuse_type(parameter, annotation)
        self._record_titles.add(model.__name__)
        if kind == "record":
            return _validator(model)
        if kind == "event":
            self._event_model = model
            model = get_args(model.model_fields["records"].annotation)[0]
            self._record_titles.add(model.__name__)
        self.unit, self.read = kind, _validator(model)
        return lambda value: value

    def _payload_reader(self, parameter: inspect.Parameter, annotation: Any) -> Callable[[Any], Any]:
        try:
            read = self.trigger.payload_reader(annotation)
        except (PydanticUserError, TypeError) as error:
            problem = str(error).partition("\n")[0]
            raise RegistrationError(
                f"parameter {parameter.name!r} asks for {_words(annotation)}, which Pydantic can't read: {problem}",
                where(self.function),
            ) from error
        if read is None:
            self._refuse_type(parameter, annotation)
        return read

    def _caller(self, arguments: list[Argument]) -> Call:
        function, invalid = self.function, self.invalid
        named = [argument for argument in arguments if argument.parameter.kind is inspect.Parameter.KEYWORD_ONLY]
        placed = [argument for argument in arguments if argument not in named]
        if len(placed) == 1 and not named and placed[0].of_record is not None:
            read = placed[0].of_record

            def call_with_one(record: Record, _: Invocation) -> Any:
                try:
                    value = read(record)
                except ValidationError as error:
                    raise invalid(record, error) from error
                return function(value)

            return call_with_one

        def call(record: Record, invocation: Invocation) -> Any:
            try:
                values = [argument.read(record, invocation) for argument in placed]
                names = {argument.parameter.name: argument.read(record, invocation) for argument in named}
            except ValidationError as error:
                raise invalid(record, error) from error
            return function(*values, **names)

        return call

    def _refuse_type(self, parameter: inspect.Parameter, annotation: Any) -> NoReturn:
        asked = f"parameter {parameter.name!r} asks for {_words(annotation)}"
        self._refuse(f"{asked}, which {self.trigger} does not deliver")

    def _refuse(self, problem: str) -> NoReturn:
        raise RegistrationError(problem, where(self.function), _offer(self.trigger))


def _words(annotation: Any) -> str:
    """A type as it is written."""
    return str(getattr(annotation, "__name__", annotation))


def _context(invocation: Invocation) -> Any:
    """Lambda's context; one made up where the App was called without, as a test may do."""
    if invocation.context is None:
        from lambdakit.context import LambdaContext

        invocation.context = LambdaContext()
    return invocation.context


def _asked(annotation: Any) -> tuple[Kind, Any]:
    """What of the event an annotation asks for, and the event model if it names one."""
    if get_origin(annotation) is list and _is_event_model(get_args(annotation)[0], "record"):
        return "list", get_args(annotation)[0]
    if _is_event_model(annotation, "record"):
        return "record", annotation
    if _is_event_model(annotation, "event"):
        return ("event" if "records" in annotation.model_fields else "record"), annotation
    return "payload", None


def _is_event_model(annotation: Any, unit: str) -> bool:
    return bool(getattr(annotation, "lambdakit_source", "")) and annotation.lambdakit_unit == unit


def _validator(model: type[EventModel]) -> Callable[[Any], Any]:
    if not model.__pydantic_complete__:
        model.model_rebuild()
    return model.__pydantic_validator__.validate_python


def _offer(trigger: Trigger) -> str:
    """What a handler of a trigger may ask for, in words."""
    from importlib import import_module

    try:
        models = vars(import_module(f"lambdakit.events.{trigger.source}"))
    except ModuleNotFoundError:
        models = {}
    found = [name for name, model in models.items() if getattr(model, "lambdakit_source", "") == trigger.source]
    units = {name: models[name].lambdakit_unit for name in found}
    records = [name for name in found if units[name] == "record"]
    offers = [*records, *(f"list[{name}]" for name in records), *(name for name in found if units[name] == "event")]
    if type(trigger).payload_reader(object) is not None:
        offers.append("the payload's type (a Pydantic model, dict, str, ...)")
    offers += ["LambdaContext", "Annotated[T, Depends(f)]"]
    return f"A handler of on_{trigger.source} may ask for: {', '.join(offers)}."
