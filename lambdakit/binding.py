"""From a handler's signature to the call that serves it: what each parameter is given, decided once at the start."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NoReturn, get_args, get_origin

from pydantic import PydanticUserError, ValidationError

from lambdakit.depends import Depends, Provider, dependency_of
from lambdakit.errors import EventValidationError, RegistrationError
from lambdakit.middleware import Invocation, context_of
from lambdakit.signature import (
    LOCAL_NAMES,
    asked_parameters,
    hints_of,
    is_context,
    is_generator_function,
    members_of,
    name_of,
    parameters_of,
    plain_type,
    where,
    words_of,
)

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
        self._check_form()
        self.call: Call = self._caller(self._arguments())
        self._check_unit(self.unit)

    def __str__(self) -> str:
        return f"{self.trigger} -> {self.name}"

    def whole(self, event: Any, values: list[Any]) -> Any:
        """What a handler of several records is called with: a list, or the event with those records in it."""
        if self._event_model is None:
            return values
        try:
            return self._event_model.model_validate({**event, "Records": values})
        except ValidationError as error:
            raise self.invalid(event, error) from error

    def subject(self, record: Record) -> str:
        """A record, in words."""
        try:
            return f"{self.trigger.noun} {self.trigger.record_id(record)}".rstrip()
        except (KeyError, TypeError, AttributeError):  # it lacks what tells it from others
            return self.trigger.noun

    def invalid(self, record: Record, error: ValueError) -> EventValidationError:
        """Why a record does not fit, by the path of each field, without the values."""
        return EventValidationError(self.name, self.subject(record), [*self._problems(error)])

    def _problems(self, error: ValueError) -> Iterable[str]:
        path = self.trigger.payload_path
        if not isinstance(error, ValidationError):
            yield f"{path}: {error}" if path else str(error)
            return
        prefix = [path] if path and error.title not in self._record_titles else []
        for problem in error.errors(include_url=False, include_input=False):
            at = ".".join([*prefix, *map(str, problem["loc"])])
            message = message_of(problem["type"], problem["msg"], problem.get("ctx", {}))
            yield f"{at}: {message}" if at else message

    def _check_form(self) -> None:
        """A handler is called, with what its signature tells."""
        if is_generator_function(self.function):
            self._refuse("it yields, so that calling it would not run it; a handler returns")
        if parameters_of(self.function) and not asked_parameters(self.function):
            self._refuse(
                "it takes *args or **kwargs only, which do not say what it wants; if a decorator made it so, "
                "functools.wraps in that decorator keeps the signature"
            )

    def _check_unit(self, unit: Unit) -> None:
        if unit != "record" and self.concurrency > 1:
            self._refuse("concurrency is about records, and this function takes all of them in one call")
        if getattr(self.trigger, "tumbling_window_in_seconds", 0) and unit != "event":
            self._refuse("a tumbling window has a state, which only a handler of the whole event can take and return")

    def _arguments(self) -> list[Argument]:
        hints = hints_of(self.function)
        parameters = asked_parameters(self.function)
        asked: set[Kind] = set()
        arguments = {
            parameter.name: self._argument(parameter, hints.get(parameter.name, parameter.empty), asked)
            for parameter in sorted(parameters, key=_has_default)  # those with a default take what the others leave
        }
        return [arguments[parameter.name] for parameter in parameters]

    def _argument(self, parameter: inspect.Parameter, annotation: Any, asked: set[Kind]) -> Argument:
        argument = self._of_surroundings(parameter, annotation)
        if argument is not None:
            return argument
        kind, model = _asked(annotation, self.trigger.source)
        if _has_default(parameter) and (kind in asked or (kind == "payload" and asked)):
            return _default(parameter)
        self._check_alone(parameter, kind, asked)
        asked.add(kind)
        return Argument(parameter, self._reader(parameter, annotation, kind, model))

    def _of_surroundings(self, parameter: inspect.Parameter, annotation: Any) -> Argument | None:
        """The context, the invocation, a dependency, a default without a type."""
        if isinstance(parameter.default, Depends):
            name = getattr(parameter.default.dependency, "__name__", "f")
            self._refuse(f"parameter {parameter.name!r} has Depends for a default: write Annotated[T, Depends({name})]")
        if annotation is Invocation:
            return Argument(parameter, of_invocation=lambda invocation: invocation)
        if is_context(annotation):
            return Argument(parameter, of_invocation=context_of)
        mark = dependency_of(annotation)
        if mark is not None:
            provider = self._provider(mark, getattr(self.function, LOCAL_NAMES, None))
            self.providers.append(provider)
            return Argument(parameter, of_invocation=lambda invocation: invocation.values[provider])
        if annotation is parameter.empty and not _has_default(parameter):
            self._refuse(f"parameter {parameter.name!r} has no annotation, which says what it is given")
        return _default(parameter) if annotation is parameter.empty else None

    def _provider(self, mark: Depends, local_names: Mapping[str, Any] | None) -> Provider:
        return Provider(mark, local_names=local_names)

    def _check_alone(self, parameter: inspect.Parameter, kind: Kind, asked: set[Kind]) -> None:
        """A call is for one record or for several, and a payload is given once."""
        if kind in asked:
            advice = "; one model may hold both" if kind == "payload" else ""
            self._refuse(f"parameter {parameter.name!r} asks a second time for the {kind}{advice}")
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
        if mentions_event_model(annotation):
            self._refuse_type(parameter, annotation)
        try:
            read = self.trigger.payload_reader(annotation)
        except (PydanticUserError, NameError, TypeError) as error:
            problem = str(error).partition("\n")[0]
            raise RegistrationError(
                f"parameter {parameter.name!r} asks for {words_of(annotation)}, which Pydantic can't read: {problem}",
                where(self.function),
                self._offer(),
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
                except ValueError as error:
                    raise invalid(record, error) from error
                return function(value)

            return call_with_one

        def call(record: Record, invocation: Invocation) -> Any:
            try:
                values = [argument.read(record, invocation) for argument in placed]
                names = {argument.parameter.name: argument.read(record, invocation) for argument in named}
            except ValueError as error:
                raise invalid(record, error) from error
            return function(*values, **names)

        return call

    def _refuse_type(self, parameter: inspect.Parameter, annotation: Any) -> NoReturn:
        asked = f"parameter {parameter.name!r} asks for {words_of(annotation)}"
        self._refuse(f"{asked}, which {self.trigger} does not deliver")

    def _refuse(self, problem: str) -> NoReturn:
        raise RegistrationError(problem, where(self.function), self._offer())

    def _offer(self) -> str:
        """What a handler of the trigger may ask for, in words."""
        return _offer(self.trigger)


def _has_default(parameter: inspect.Parameter) -> bool:
    return parameter.default is not parameter.empty


def _default(parameter: inspect.Parameter) -> Argument:
    return Argument(parameter, of_invocation=lambda _: parameter.default)


def message_of(kind: str, message: str, context: Mapping[str, Any]) -> str:
    """Pydantic's message; for the one that repeats the input, what was expected in its place."""
    return f"Tag is none of the expected {context['expected_tags']}" if kind == "union_tag_invalid" else message


def _asked(annotation: Any, source: str) -> tuple[Kind, Any]:
    """What of the event an annotation asks for, and the event model if it names one: of a union, that of the source."""
    found = [asked for asked in map(_asked_alone, members_of(annotation)) if asked[1] is not None]
    own = [asked for asked in found if asked[1].lambdakit_source == source]
    return next(iter(own or found), ("payload", None))


def _asked_alone(annotation: Any) -> tuple[Kind, Any]:
    plain = plain_type(annotation)
    arguments = get_args(plain)
    if get_origin(plain) in _LISTS and arguments and _is_event_model(plain_type(arguments[0]), "record"):
        return "list", plain_type(arguments[0])
    if _is_event_model(plain, "record"):
        return "record", plain
    if _is_event_model(plain, "event"):
        return ("event" if "records" in plain.model_fields else "record"), plain
    return "payload", None


_LISTS = (list, Sequence, Collection, Iterable)


def _is_event_model(annotation: Any, unit: str) -> bool:
    return bool(getattr(annotation, "lambdakit_source", "")) and annotation.lambdakit_unit == unit


def mentions_event_model(annotation: Any) -> bool:
    """Whether it is made of records in a way that no trigger delivers, such as a tuple of them."""
    plain = plain_type(annotation)
    return bool(getattr(plain, "lambdakit_source", "")) or any(map(mentions_event_model, get_args(plain)))


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
