"""A Lambda service on this machine: functions are deployed on it, and behave as they do in AWS."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Container, Sequence
from contextlib import ExitStack, suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic_core import from_json, to_json

from lambdakit.local.account import Account
from lambdakit.local.configuration import Configuration
from lambdakit.local.destinations import Destinations
from lambdakit.local.errors import ClockError, InvokeError
from lambdakit.local.event_queue import EventQueue
from lambdakit.local.function import Function
from lambdakit.local.invocation import Invocation, Kind
from lambdakit.local.invoker import Invoker, Over
from lambdakit.local.mappings.kinds import is_same, mapping_of, polled_of
from lambdakit.local.outcome import MAX_REQUEST_BYTES
from lambdakit.local.placement import Environment, Lifetimes, Placement
from lambdakit.local.runner import Deployment
from lambdakit.local.sources.source import Place
from lambdakit.local.timeline.timeline import Timeline
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.local.virtual.runner import VirtualRunner
from lambdakit.local.wiring import wire

if TYPE_CHECKING:
    from socket import socket
    from types import TracebackType

    from lambdakit.app import App
    from lambdakit.errors import LambdakitError
    from lambdakit.local.clock import Clock
    from lambdakit.local.front_doors.asgi import Seen
    from lambdakit.local.front_doors.client import Client
    from lambdakit.local.front_doors.exchange import Exchange
    from lambdakit.local.front_doors.kinds import FrontDoorName
    from lambdakit.local.front_doors.messages import Request
    from lambdakit.local.front_doors.server import Server
    from lambdakit.local.front_doors.swagger_ui import SwaggerUi
    from lambdakit.local.mappings.kinds import AnyMapping, AnySource
    from lambdakit.local.runner import Runner
    from lambdakit.local.sources.source import EventSource
    from lambdakit.local.virtual.standins import StandIn

MAX_EVENT_BYTES = 1_048_576
"""The largest payload of an asynchronous invocation."""

WATCHDOG = 10.0
"""Real seconds after which a handler on virtual time is taken for stuck."""


class LocalLambda(Account):
    """The Lambda service of one account and Region, on a virtual clock: no real time passes, and a seed settles ties.

    With ``isolation="process"`` each environment is a real process under AWS's own runtime client, and time is real: it
    passes by itself, ``run`` waits, any number of threads may invoke at once, and ``close`` ends the processes.

    Args:
        seed: The same seed gives the same timeline, to the byte. For virtual time.
        account_concurrency: How many invocations may run at once in the account.
        isolation: ``"virtual"`` or ``"process"``.
        lifetimes: How long environments live, in seconds.
        watchdog: Real seconds that a handler may compute between two waits, before it is taken for stuck. For virtual
            time.
        aws_latency: What a call of AWS takes, as moto answers it: virtual seconds, or a function of ``service``,
            ``operation`` and ``random``. For virtual time.
        event_memory: How many bytes of events to keep for a test to look at, of the latest invocations.
        region: The AWS Region.
        account: The account's number.

    Attributes:
        functions: The functions, by name.
        mappings: The event source mappings.
        observers: Told of each invocation that ran, once it has ended, in an action of the clock.

    >>> from lambdakit import App, on_invoke
    >>> from lambdakit.local import LocalLambda
    >>> @on_invoke
    ... def double(number: int) -> int:
    ...     return 2 * number
    >>> LocalLambda().deploy(App(double)).invoke(21).payload
    42
    """

    def __init__(
        self,
        seed: int = 0,
        account_concurrency: int = 1_000,
        *,
        isolation: Literal["virtual", "process"] = "virtual",
        lifetimes: Lifetimes | None = None,
        watchdog: float = WATCHDOG,
        aws_latency: StandIn = 0.0,
        event_memory: int = 268_435_456,
        region: str = "us-east-1",
        account: str = "123456789012",
    ) -> None:
        self.seed = seed
        self.account_concurrency = account_concurrency
        self.functions: dict[str, Function] = {}
        self._clock, self._runner = _isolated(isolation, seed, watchdog, aws_latency)
        self._placement = Placement(account_concurrency, lifetimes)
        self._invoker = Invoker(self._clock, self._placement, self._runner, event_memory)
        super().__init__(Place(self._clock, region, account))
        self._destinations = Destinations(self, self.functions)
        self._events = EventQueue(self._clock, self._invoker, self._destinations.event_over)
        self.mappings: list[AnyMapping] = []
        self.observers: list[Callable[[Invocation], None]] = []

    def deploy(
        self,
        handler: str | Callable[[Any, Any], Any],
        *,
        name: str | None = None,
        task_root: str | Path = ".",
        timeout: float | None = None,
        memory_size: int | None = None,
        reserved_concurrency: int | None = None,
        provisioned_concurrency: int | None = None,
        maximum_retry_attempts: int | None = None,
        maximum_event_age_in_seconds: int | None = None,
        dead_letter_queue: str | None = None,
        on_success: str | None = None,
        on_failure: str | None = None,
        environment: dict[str, str] | None = None,
        init_duration: StandIn = 0.0,
        duration: StandIn = 0.0,
    ) -> Function:
        """Make a function of a handler. What is not given here is as the App says, else Lambda's default.

        Args:
            handler: Lambda's handler setting, as in ``"shop.handler"``: each environment then has its own copies of the
                function's own modules, as in Lambda. Or the App itself, whose modules all environments share; a process
                imports it, by the name that it has in its module.
            name: The function's name; by default the App's.
            task_root: The folder with the function's code.
            timeout: In seconds: 1 to 900; Lambda's default is 3.
            memory_size: In MB: 128 to 10,240.
            reserved_concurrency: How many may run at once, kept for this function; 0 throttles every invocation.
            provisioned_concurrency: How many environments are initialized before they are asked for.
            maximum_retry_attempts: How often a failed asynchronous invocation is tried again: 0 to 2.
            maximum_event_age_in_seconds: How long one is tried: 60 to 21,600.
            dead_letter_queue: Where an event goes that was given up; ``local.queue(name)`` shows it.
            on_success: Where the record of an asynchronous success goes: a function here, or a queue.
            on_failure: Where the record of a failure goes.
            environment: The function's environment variables.
            init_duration: What the INIT phase takes, in virtual seconds, or a function of ``random``.
            duration: What an invocation takes beside its waits: seconds, or a function of ``event``, ``random``.

        Raises:
            ModuleNotFoundError: awslambdaric is not installed, for a process.
            NotADirectoryError: there is no such ``task_root``, for a process.
            ValueError: Lambda does not take a setting, or the name is taken; or a process can't import the handler, or
                has no use for a stand-in.
        """
        app = _app(handler, Path(task_root))
        given = {
            "timeout": timeout,
            "memory_size": memory_size,
            "reserved_concurrent_executions": reserved_concurrency,
            "provisioned_concurrent_executions": provisioned_concurrency,
            "maximum_retry_attempts": maximum_retry_attempts,
            "maximum_event_age_in_seconds": maximum_event_age_in_seconds,
            "dead_letter_queue": dead_letter_queue,
            "on_success": on_success,
            "on_failure": on_failure,
            "environment": environment,
        }
        own = app.settings if app else {}
        settings = Configuration({**own, **{key: value for key, value in given.items() if value is not None}})
        name = name or (app.name if app else _name_of(handler))
        _check_name(name, self.functions)
        self._runner.deploy(
            Deployment(
                name=name,
                handler=handler,
                task_root=task_root,
                memory_size=settings.memory_size,
                region=self.place.region,
                environment=settings.environment,
                init_duration=init_duration,
                duration=duration,
            )
        )
        function, provisioned = self._clock.call(lambda: self._deployed(name, settings, app))
        if provisioned:
            self._invoker.provision(function, provisioned)
        return function

    def _deployed(self, name: str, settings: Configuration, app: App | None) -> tuple[Function, list[Environment]]:
        """Make the function known; its provisioned environments are still to be initialised."""
        provisioned = self._placement.add(name, reserved=settings.reserved, provisioned=settings.provisioned)
        function = self.functions[name] = Function(self, name, self.place.arn("lambda", f"function:{name}"), settings)
        if app is not None:
            wire(self, function, app)
        return function, provisioned

    def map(self, source: AnySource, function: Function | str, **settings: Any) -> AnyMapping:
        """Make an event source mapping by hand: the function is invoked with what comes into the source.

        Args:
            source: A queue, a stream, a table, a topic of Kafka, or a broker; or what is at an endpoint:
                ``remote_queue``, ``remote_stream``, ``remote_table``.
            function: The function, or its name.
            settings: AWS's, in snake_case: ``batch_size``, ``function_response_types``, ``filter_criteria`` and so on.

        Raises:
            ClockError: the source is of another service, on another clock; or at an endpoint, and time is virtual.
            InvokeError: Lambda would not take the mapping.
            SourceError: what is at an endpoint is not there, or can't be reached.
            TypeError: nothing polls such a source.
        """
        polled = polled_of(source)
        if polled.place.clock is not self._clock:
            raise ClockError(
                f"{source!r} is of another LocalLambda than the one that is to map it, and on another clock.",
                "Make it here: local.queue(name), local.stream(name), ...",
            )
        polled.connect()
        found = self.functions.get(function) if isinstance(function, str) else function
        if found is None:
            raise InvokeError(400, "InvalidParameterValueException", "Function does not exist")
        return self._clock.call(lambda: self._mapped(polled, found, settings))

    def _mapped(self, source: EventSource, function: Function, settings: dict[str, Any]) -> AnyMapping:
        for mapping in self.mappings:
            if is_same(mapping, source, function, settings):
                raise InvokeError(409, "ResourceConflictException", _already_mapped(mapping))
        self.mappings.append(mapping_of(source, function, settings, self._destinations.batch_over))
        return self.mappings[-1]

    def http(self, function: Function | str, front_door: FrontDoorName = "http-api", **settings: Any) -> Client:
        """A client for a function behind a front door: HTTPX's, whose requests run the clock until they are answered.

        Args:
            function: The function, or its name.
            front_door: ``"http-api"`` (payload format 2.0), ``"http-api-1.0"``, ``"rest-api"``, ``"function-url"`` or
                ``"alb"``.
            settings: Those of the front door: ``stage`` and ``routes`` of the APIs, ``binary_media_types`` of a REST
                API, ``multi_value_headers`` of a load balancer.

        Raises:
            ModuleNotFoundError: HTTPX is not installed.
            TypeError, ValueError: there is no such front door, or it has no such setting.

        >>> local = LocalLambda()
        >>> def handler(event, context):
        ...     return {"path": event["rawPath"]}
        >>> local.http(local.deploy(handler)).get("/orders").json()
        {'path': '/orders'}
        """
        from lambdakit.local.front_doors.client import Client
        from lambdakit.local.front_doors.kinds import front_door as made

        found = self.function(function)
        return Client(made(front_door, self.place, found.name, settings), found)

    def serve(
        self,
        function: Function | str,
        front_door: FrontDoorName = "http-api",
        *,
        host: str = "127.0.0.1",
        port: int | socket = 8000,
        docs: App | None = None,
        seen: Seen | None = None,
        **settings: Any,
    ) -> Server:
        """Have a front door serve on a port of this machine, for curl or a browser; on real time.

        Beside it is the Invoke API, for ``aws lambda invoke --endpoint-url`` and the SDKs.

        Args:
            function: The function, or its name.
            front_door: As for ``http``.
            host: The address to listen at; ``"0.0.0.0"`` lets other machines in.
            port: The port; 0 takes a free one, which the server's ``url`` tells. Or a socket that listens already.
            docs: The App whose OpenAPI document is to be shown, at ``/_lambdakit/docs``.
            seen: Told of each request and its exchange, once it is answered.
            settings: As for ``http``.

        Raises:
            ClockError: the service is on virtual time.
            ModuleNotFoundError: Uvicorn is not installed, or Swagger UI.
            OSError: the port is taken, for one.
            TypeError, ValueError: there is no such front door, or it has no such setting.
        """
        if isinstance(self._clock, VirtualClock):
            raise ClockError(
                "virtual time does not pass by itself, so that nobody would be answered.",
                'Serve from LocalLambda(isolation="process"), or send requests with http(...) instead.',
            )
        from lambdakit.local.front_doors.asgi import Application
        from lambdakit.local.front_doors.kinds import front_door as made
        from lambdakit.local.front_doors.server import Server, listening

        found = self.function(function)
        door = made(front_door, self.place, found.name, settings)
        application = Application(self, door, found, _pages(docs), seen or _nothing_seen)
        return Server(application, listening(host, port) if isinstance(port, int) else port)

    def function(self, name: Function | str) -> Function:
        """A function, by its name.

        Raises:
            InvokeError: there is none.
        """
        if not isinstance(name, str):
            return name
        if name not in self.functions:
            arn = self.place.arn("lambda", f"function:{name}")
            raise InvokeError(404, "ResourceNotFoundException", f"Function not found: {arn}")
        return self.functions[name]

    @property
    def destination_failures(self) -> list[tuple[str, LambdakitError]]:
        """What a dead-letter queue or destination did not take, and why: in AWS a metric, and nothing more."""
        return self._destinations.failures

    @property
    def now(self) -> float:
        """Seconds since the service began."""
        return self._clock.now

    def run(self, until: float | None = None) -> None:
        """Let time pass until nothing is left to do, or until that second.

        Raises:
            ClockError: a handler called it.
        """
        self._clock.run(until)

    def advance(self, seconds: float) -> None:
        """Let so much time pass."""
        self.run(self.now + seconds)

    def at(self, when: float, action: Callable[[], object]) -> None:
        """Have something happen at a second, as an upload or a message does: called once the clock gets there.

        >>> local = LocalLambda()
        >>> local.at(90, lambda: print(local.now))
        >>> local.run()
        90
        """
        self._clock.at(when, lambda: _call(action))

    def timeline(self) -> Timeline:
        """What happened so far: as text, as SVG, as a page."""
        return Timeline(
            [invocation for function in self.functions.values() for invocation in function.invocations],
            limits={
                name: function.configuration.reserved
                for name, function in self.functions.items()
                if function.configuration.reserved is not None
            },
            account_concurrency=self.account_concurrency,
        )

    def close(self) -> None:
        """End every environment; on virtual time, its dependencies clean up.

        What polls an endpoint ceases first. Batches that the functions have then are finished if that takes no more
        than five seconds; messages that are left are given back to their queue.
        """
        steps: list[Callable[[], None]] = [self._clock.close, self._runner.close]
        if self._calls is not None:
            from lambdakit.local.remote.closing import finish, give_back

            first = partial(finish, self.mappings, self._clock, self._calls)
            steps = [first, *steps, partial(give_back, self.mappings), self._calls.close]
            self._calls = None
        with ExitStack() as stack:  # each is done, whatever another raises
            for step in reversed(steps):
                stack.callback(step)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def invoke(self, function: Function, payloads: Sequence[Any]) -> list[Invocation]:
        """Invoke a function with each payload at this instant, and run the clock until all have answered."""
        invocations = [self._invocation(function, payload) for payload in payloads]
        self._clock.run_while(lambda: any(invocation.ended is None for invocation in invocations))
        return invocations

    def dry_run(self, function: Function, payload: Any) -> Invocation:
        """Check a request, and run nothing."""
        invocation = self._checked(function, "DryRun", payload)
        if invocation.error is None:
            invocation.ended = self.now
        return invocation

    def accept(self, function: Function, payload: Any) -> str:
        """Take an event for a function, which is tried when the clock runs.

        Raises:
            InvokeError: Lambda would refuse it.
        """
        request_id = self.place.new_id()
        self._events.accept(function, request_id, _body(payload, "Event"))
        return request_id

    def call(
        self,
        function: Function,
        body: bytes,
        over: Over,
        *,
        request_id: str | None = None,
        client_context: Any = None,
    ) -> None:
        """Invoke a function as an event source mapping or a front door does, which waits for the answer."""
        request_id = request_id or self.place.new_id()
        invocation = Invocation(request_id, function.name, "RequestResponse", body, self.now)
        invocation.client_context = client_context
        self._clock.at(self.now, lambda: self._invoker.arrive(function, invocation, over))

    def request(self, function: Function, payload: bytes, over: Over, *, client_context: Any = None) -> None:
        """Invoke a function as the Invoke API does; ``over`` is told of its end, in an action of the clock.

        Raises:
            InvokeError: Lambda would refuse it.
        """
        self.call(function, _body(payload, "RequestResponse"), over, client_context=client_context)

    def _invocation(self, function: Function, payload: Any) -> Invocation:
        invocation = self._checked(function, "RequestResponse", payload)
        if invocation.error is None:
            self._clock.at(self.now, lambda: self._invoker.arrive(function, invocation, _nothing))
        return invocation

    def _checked(self, function: Function, kind: Kind, payload: Any) -> Invocation:
        """A request that is well-formed, or refused."""
        request_id = self.place.new_id()
        try:
            return Invocation(request_id, function.name, kind, _body(payload, kind), self.now)
        except InvokeError as error:
            invocation = Invocation(request_id, function.name, kind, _json(payload), self.now)
            invocation.refused(error.status, error.type, error.message, self.now)
            return invocation


def _already_mapped(mapping: AnyMapping) -> str:
    return (
        f'The event source arn (" {mapping.source.arn} ") and function (" {mapping.function.name} ") provided mapping '
        f"already exists. Please update or delete the existing mapping with UUID {mapping.uuid}"
    )


def _isolated(isolation: str, seed: int, watchdog: float, aws_latency: StandIn) -> tuple[Clock, Runner]:
    """The clock and the runner of that name."""
    if isolation == "virtual":
        clock = VirtualClock(seed)
        return clock, VirtualRunner(clock, watchdog=watchdog, aws_latency=aws_latency)
    if isolation != "process":
        raise ValueError(f'isolation is "virtual" or "process", not {isolation!r}')
    if seed or watchdog != WATCHDOG or aws_latency != 0:
        raise ValueError(
            "seed, watchdog and aws_latency are for virtual time: what happens on real time does not repeat, and a "
            'handler that takes too long times out. Leave them out, or use LocalLambda(isolation="virtual").'
        )
    from lambdakit.local.process.clock import RealClock
    from lambdakit.local.process.runner import ProcessRunner

    real = RealClock()
    return real, ProcessRunner(real)


def _call(action: Callable[[], object]) -> None:
    action()


def _nothing(invocation: Invocation) -> None: ...


def _nothing_seen(request: Request, exchange: Exchange) -> None: ...


def _pages(app: App | None) -> SwaggerUi | None:
    from lambdakit.local.front_doors.swagger_ui import SwaggerUi

    return SwaggerUi(app) if app else None


def _json(payload: Any) -> bytes:
    return payload if isinstance(payload, bytes) else to_json(payload)


def _body(payload: Any, kind: Kind) -> bytes:
    """The payload as the Invoke API takes it.

    Raises:
        InvokeError: it is too large, or text that is no JSON.
    """
    body = _json(payload)
    limit = MAX_EVENT_BYTES if kind == "Event" else MAX_REQUEST_BYTES
    if len(body) > limit:
        message = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        raise InvokeError(413, "RequestTooLargeException", message)
    if isinstance(payload, bytes):
        try:
            from_json(payload)
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            raise InvokeError(400, "InvalidRequestContentException", message) from error
    return body


def _name_of(handler: str | Callable[[Any, Any], Any]) -> str:
    if isinstance(handler, str):
        return handler.rpartition(".")[0].rpartition(".")[2] or handler
    return str(getattr(handler, "__name__", "function"))


def _app(handler: str | Callable[[Any, Any], Any], task_root: Path) -> App | None:
    """The App, for what it says of itself; None where there is none to be found: invoking it tells why."""
    from lambdakit.app import App

    found = _loaded(handler, task_root) if isinstance(handler, str) else handler
    return found if isinstance(found, App) else None


def _check_name(name: str, taken: Container[str]) -> None:
    """Refuse a function's name that Lambda does not take, or has already."""
    if not re.fullmatch("[a-zA-Z0-9_-]{1,64}", name):
        raise ValueError(
            f"Value {name!r} at 'functionName' failed to satisfy constraint: a function's name is up to 64 letters, "
            "digits, '-' and '_'. Give it one with name=..."
        )
    if name in taken:
        raise ValueError(f"Function already exist: {name}. Deploy it under another name with name=...")


def _loaded(handler: str, task_root: Path) -> Any:
    module, _, attribute = handler.replace("/", ".").rpartition(".")
    folder = str(task_root.absolute())
    sys.path.insert(0, folder)
    try:
        with suppress(Exception, SystemExit):
            return getattr(import_module(module), attribute, None)
    finally:
        sys.path.remove(folder)
    return None
