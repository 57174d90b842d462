"""A Lambda service on this machine: functions are deployed on it, and behave as they do in AWS."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self
from uuid import UUID

from pydantic_core import from_json, to_json

from lambdakit.local.asynchronous import Attempts, Condition, GiveUp, Retry, after_error, after_throttle
from lambdakit.local.configuration import Configuration
from lambdakit.local.errors import InvokeError
from lambdakit.local.function import Function
from lambdakit.local.invocation import Invocation
from lambdakit.local.outcome import MAX_REQUEST_BYTES, Outcome, Reply
from lambdakit.local.placement import Environment, Lifetimes, Placement, Throttle
from lambdakit.local.records import dead_letter, destination_record
from lambdakit.local.runner import Call
from lambdakit.local.timeline.timeline import Timeline
from lambdakit.local.virtual.clock import VirtualClock
from lambdakit.local.virtual.runner import VirtualRunner

if TYPE_CHECKING:
    from types import TracebackType

    from lambdakit.app import App
    from lambdakit.local.clock import Clock
    from lambdakit.local.runner import Result, Runner
    from lambdakit.local.virtual.standins import StandIn

MAX_EVENT_BYTES = 1_048_576
"""The largest payload of an asynchronous invocation."""

WATCHDOG = 10.0
"""Real seconds after which a handler on virtual time is taken for stuck."""

_ARN = "arn:aws:lambda:{region}:{account}:function:{name}"


class LocalLambda:
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
        region: The AWS Region.
        account: The account's number.

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
        region: str = "us-east-1",
        account: str = "123456789012",
    ) -> None:
        self.seed = seed
        self.account_concurrency = account_concurrency
        self.functions: dict[str, Function] = {}
        self._region = region
        self._account = account
        self._clock, self._runner = _isolated(isolation, seed, watchdog)
        self._placement = Placement(account_concurrency, lifetimes)
        self._mailboxes: dict[str, list[Any]] = {}

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
        if name in self.functions:
            raise ValueError(f"Function already exist: {name}")
        self._placement.add(name, reserved=settings.reserved, provisioned=settings.provisioned)
        self._runner.deploy(
            name,
            handler,
            task_root=task_root,
            memory_size=settings.memory_size,
            region=self._region,
            environment=settings.environment,
            init_duration=init_duration,
            duration=duration,
        )
        arn = _ARN.format(region=self._region, account=self._account, name=name)
        self.functions[name] = Function(self, name, arn, settings)
        return self.functions[name]

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

    def queue(self, name: str) -> list[Any]:
        """What Lambda sent to a dead-letter queue or a destination: letters and records, in order."""
        return self._mailboxes.setdefault(name, [])

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
        """End every environment; on virtual time, its dependencies clean up."""
        try:
            self._clock.close()
        finally:
            self._runner.close()

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

    def accept(self, function: Function, payload: Any) -> str:
        """Take an event for a function, which is tried when the clock runs.

        Raises:
            InvokeError: Lambda would refuse it.
        """
        body = _body(payload, "Event", MAX_EVENT_BYTES)
        event = _Event(self._request_id(), body, Attempts(self.now))
        self._clock.at(self.now, lambda: self._attempt(function, event))
        return event.request_id

    def _invocation(self, function: Function, payload: Any) -> Invocation:
        request_id = self._request_id()
        try:
            body = _body(payload, "RequestResponse", MAX_REQUEST_BYTES)
        except InvokeError as error:
            invocation = Invocation(request_id, function.name, "RequestResponse", payload, self.now)
            invocation.refused(error.status, error.type, error.message, self.now)
            return invocation
        invocation = Invocation(request_id, function.name, "RequestResponse", from_json(body), self.now)
        self._clock.at(self.now, lambda: self._arrive(function, invocation, body, _nothing, _nothing))
        return invocation

    def _attempt(self, function: Function, event: _Event) -> None:
        """Try an event, for the first time or again."""
        event.attempts_made += 1
        invocation = Invocation(
            event.request_id, function.name, "Event", event.payload, self.now, attempt=event.attempts_made
        )
        self._arrive(
            function,
            invocation,
            event.body,
            lambda: self._throttled(function, event),
            lambda: self._tried(function, event, invocation),
        )

    def _arrive(
        self,
        function: Function,
        invocation: Invocation,
        body: bytes,
        throttled: Callable[[], None],
        over: Callable[[], None],
    ) -> None:
        """An invocation is due: run it somewhere, or refuse it."""
        for environment in self._placement.expire(function.name, self.now):
            self._runner.end(environment)
        function.invocations.append(invocation)
        placed = self._placement.place(function.name, self.now, counted=invocation.kind == "RequestResponse")
        if isinstance(placed, Throttle):
            invocation.throttled(placed.value, self.now)
            throttled()
            return
        function.begun(invocation, placed)
        call = Call(body, invocation.request_id, function.arn, function.configuration.timeout)
        self._runner.run(placed, call, lambda result: self._end(function, invocation, placed, result, over))

    def _end(
        self,
        function: Function,
        invocation: Invocation,
        environment: Environment,
        result: Result,
        over: Callable[[], None],
    ) -> None:
        function.ended(invocation, result)
        if not self._placement.release(environment, self.now, result.ending):
            self._runner.end(environment)
        over()

    def _tried(self, function: Function, event: _Event, invocation: Invocation) -> None:
        """An asynchronous attempt ran."""
        event.outcome = invocation.outcome
        if isinstance(invocation.outcome, Reply):
            self._tell(function, event, "Success")
        else:
            self._follow(function, event, after_error(event.attempts, function.configuration.retries, self.now))

    def _throttled(self, function: Function, event: _Event) -> None:
        event.attempts_made -= 1  # it was not tried
        reserved = function.configuration.reserved
        decision = after_throttle(event.attempts, function.configuration.retries, self.now, reserved=reserved)
        self._follow(function, event, decision)

    def _follow(self, function: Function, event: _Event, decision: Retry | GiveUp) -> None:
        if isinstance(decision, GiveUp):
            self._tell(function, event, decision.condition)
        else:
            self._clock.at(decision.at, lambda: self._attempt(function, event))

    def _tell(self, function: Function, event: _Event, condition: Condition) -> None:
        """Send what Lambda sends when an asynchronous invocation is over."""
        body, settings = event.payload, function.configuration
        if condition != "Success" and settings.dead_letter_queue:
            letter = dead_letter(body, event.request_id, event.outcome)
            self.queue(settings.dead_letter_queue).append(letter)
        target = settings.on_success if condition == "Success" else settings.on_failure
        if target:
            record = destination_record(
                body,
                request_id=event.request_id,
                function_arn=function.arn,
                condition=condition,
                attempts=event.attempts_made,
                outcome=event.outcome,
                when=self._clock.today,
            )
            self._send(target, record)

    def _send(self, target: str, record: dict[str, Any]) -> None:
        function = self.functions.get(target.rpartition(":function:")[2])
        if function is not None:
            self.accept(function, record)
        else:
            self.queue(target).append(record)

    def _request_id(self) -> str:
        return str(UUID(int=self._clock.random.getrandbits(128), version=4))


class _Event:
    """An asynchronous invocation on its way through its attempts."""

    def __init__(self, request_id: str, body: bytes, attempts: Attempts) -> None:
        self.request_id = request_id
        self.body = body
        self.payload = from_json(body)
        self.attempts = attempts
        self.attempts_made = 0
        self.outcome: Outcome | None = None


def _isolated(isolation: str, seed: int, watchdog: float) -> tuple[Clock, Runner]:
    """The clock and the runner of that name."""
    if isolation == "virtual":
        clock = VirtualClock(seed)
        return clock, VirtualRunner(clock, watchdog=watchdog)
    if isolation != "process":
        raise ValueError(f'isolation is "virtual" or "process", not {isolation!r}')
    if seed or watchdog != WATCHDOG:
        raise ValueError(
            "seed and watchdog are for virtual time: what happens on real time does not repeat, and a handler that "
            'takes too long times out. Leave them out, or use LocalLambda(isolation="virtual").'
        )
    from lambdakit.local.process.clock import RealClock
    from lambdakit.local.process.runner import ProcessRunner

    real = RealClock()
    return real, ProcessRunner(real)


def _nothing() -> None: ...


def _body(payload: Any, kind: str, limit: int) -> bytes:
    """The payload as the Invoke API takes it.

    Raises:
        InvokeError: it is too large, or text that is no JSON.
    """
    if isinstance(payload, bytes):
        try:
            from_json(payload)
        except ValueError as error:
            message = f"Could not parse request body into json: {error}"
            raise InvokeError(400, "InvalidRequestContentException", message) from error
    body = payload if isinstance(payload, bytes) else to_json(payload)
    if len(body) > limit:
        message = f"{len(body)} byte payload is too large for the {kind} invocation type (limit {limit} bytes)"
        raise InvokeError(413, "RequestTooLargeException", message)
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
