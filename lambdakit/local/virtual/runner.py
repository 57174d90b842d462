"""Environments in this process, on virtual time: the user's real code, which waits on a virtual clock.

Each invocation is a greenlet, and all run in the thread that runs the clock. They take turns where they wait, in an
order that the clock's seed settles. A handler takes the time that it waits; what takes real time, as computing and
sockets do, takes none, unless a stand-in says how much.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lambdakit.context import LambdaContext
from lambdakit.local.outcome import Cause, Failure, Outcome, Reply
from lambdakit.local.payloads import failure_of, log_text, outcome_of, to_json
from lambdakit.local.placement import Ending, Environment
from lambdakit.local.report import init_report_line
from lambdakit.local.runner import INIT_SECONDS, PROVISIONED_INIT_SECONDS, Call, Deployment, Result
from lambdakit.local.variables import lambda_variables, log_stream_name
from lambdakit.local.virtual.interrupts import INTERRUPTS
from lambdakit.local.virtual.modules import HandlerFault, OwnModules
from lambdakit.local.virtual.patches import Chance, WallClock, patched
from lambdakit.local.virtual.sandbox import Plan, Sandbox, Stage
from lambdakit.local.virtual.standins import Seconds, StandIn
from lambdakit.local.virtual.waiting import Overrun, StrandEnded

if TYPE_CHECKING:
    from lambdakit.local.agenda import Timer
    from lambdakit.local.virtual.clock import VirtualClock


class VirtualRunner:
    """Runs calls in environments of this process, on a virtual clock.

    What handlers find changed, such as ``time.sleep`` and ``sys.stdout``, is so while the clock runs and for them only;
    the wall clock is the virtual one for the whole process meanwhile.

    Args:
        clock: The clock; ``clock.run()`` is what runs anything.
        watchdog: Real seconds that a handler may compute between two waits; one that takes longer ends the run with a
            ``StuckHandlerError``.
        aws_latency: What a call of AWS takes: seconds, or a function of ``service``, ``operation``, ``random``.
    """

    def __init__(self, clock: VirtualClock, *, watchdog: float = 10.0, aws_latency: StandIn = 0.0) -> None:
        self.clock = clock
        self.stage = Stage(Seconds(aws_latency, "service", "operation", "random"))
        self._watchdog = watchdog
        self._wall = WallClock(clock)
        self._chance = Chance(clock.random.random())
        self._plans: dict[str, Plan] = {}
        self._sandboxes: dict[Environment, Sandbox] = {}
        self._reset: dict[Environment, str] = {}
        clock.surroundings.append(self._surroundings)
        clock.observers.append(self._wall.follow)

    def deploy(self, deployment: Deployment) -> None:
        """Make a function known.

        Of a handler setting each environment has its own copies of the function's own modules; a handler itself they
        share, but for an App's dependencies and event loop.

        Raises:
            TypeError, ValueError: a stand-in is none.
        """
        name, handler = deployment.name, deployment.handler
        root = Path(deployment.task_root).absolute()
        setting = handler if isinstance(handler, str) else f"{name}.handler"
        plan = Plan(
            name=name,
            handler=handler,
            task_root=root,
            memory_size=deployment.memory_size,
            init_duration=Seconds(deployment.init_duration, "random"),
            duration=Seconds(deployment.duration, "event", "random"),
            own_modules=OwnModules(root, setting.replace("/", ".").split(".")[0]) if setting is handler else None,
        )
        variables = lambda_variables(
            handler=setting,
            task_root=root,
            function_name=name,
            memory_size=deployment.memory_size,
            region=deployment.region,
        )
        plan.variables = {**variables, **deployment.environment}
        self._plans[name] = plan

    def run(self, environment: Environment, call: Call, done: Callable[[Result], None]) -> None:
        """Begin a call; called by the clock. ``done`` is told of its end, which may be before this returns.

        Raises:
            KeyError: no function of that name was deployed.
        """
        Attempt(self, self._plans[environment.function], environment, call, done).begin()

    def prepare(self, environment: Environment, timeout: float, done: Callable[[Outcome], None]) -> None:
        """Begin the INIT phase of a provisioned environment, anew if it has one; ``done`` is told of its end."""
        self.end(environment)
        preparation = Preparation(self, self._plans[environment.function], environment, timeout, done)
        self.clock.at(self.clock.now, preparation.begin)

    def end(self, environment: Environment) -> None:
        """The environment is no more: its Apps clean up, without time to wait, and its threads end."""
        self._reset.pop(environment, None)
        sandbox = self._sandboxes.pop(environment, None)
        if sandbox is not None:
            self.clock.at(self.clock.now, lambda: _close(sandbox))

    def close(self) -> None:
        """End every environment; a handler that still runs is cut off."""
        sandboxes = list(self._sandboxes.values())
        self._sandboxes.clear()
        with self.clock.surrounded():
            for sandbox in sandboxes:
                _close(sandbox)

    def sandbox_of(self, environment: Environment, plan: Plan) -> tuple[Sandbox, bool]:
        """What an environment has to itself, and whether it was reset: its next INIT is part of an invocation."""
        sandbox = self._sandboxes.get(environment)
        if sandbox is not None:
            return sandbox, False
        log_stream = self._reset.pop(environment, "")
        sandbox = Sandbox(
            self.clock, self.stage, plan, log_stream or log_stream_name(self.clock.today, self.clock.random)
        )
        self._sandboxes[environment] = sandbox
        return sandbox, bool(log_stream)

    def drop(self, environment: Environment, ending: Ending) -> None:
        """End an environment whose runtime ended; it keeps its log stream where it is to be used again."""
        sandbox = self._sandboxes.pop(environment, None)
        if sandbox is None:
            return
        if ending is Ending.RESET:
            self._reset[environment] = sandbox.log_stream
        sandbox.end()

    @contextmanager
    def _surroundings(self) -> Generator[None]:
        with INTERRUPTS.watching(self._watchdog), self._wall.shown(), self.stage.open(), patched(self._chance):
            yield


class Attempt:
    """One call, from the start of its INIT phase, if it has one, to its end."""

    __slots__ = (
        "_alarm",
        "_call",
        "_clock",
        "_cold",
        "_counted_from",
        "_deadline",
        "_done",
        "_ending",
        "_environment",
        "_exception",
        "_init_duration",
        "_log",
        "_outcome",
        "_plan",
        "_runner",
        "_sandbox",
        "_started",
    )

    def __init__(
        self, runner: VirtualRunner, plan: Plan, environment: Environment, call: Call, done: Callable[[Result], None]
    ) -> None:
        self._runner = runner
        self._clock = runner.clock
        self._plan = plan
        self._environment = environment
        self._call = call
        self._done = done
        self._outcome: Outcome | None = None
        self._ending = Ending.RESET
        self._exception: BaseException | None = None
        self._init_duration: float | None = None
        self._alarm: Timer | None = None
        self._log = ""

    def begin(self) -> None:
        """Start; called by the clock."""
        was_reset = self._take_sandbox()
        self._started = self._counted_from = self._clock.now
        self._cold = self._sandbox.handler is None and not was_reset
        if self._cold:
            self._set_limit(self._clock.now + INIT_SECONDS)
        else:
            self._set_deadline()
        self._enter()

    def _take_sandbox(self) -> bool:
        self._sandbox, was_reset = self._runner.sandbox_of(self._environment, self._plan)
        return was_reset

    def _set_deadline(self) -> None:
        """From now on the time counts that the function has."""
        self._counted_from = self._clock.now
        self._deadline = self._clock.now + self._call.timeout
        self._set_limit(self._deadline)

    def _set_limit(self, until: float) -> None:
        """Limit the time; the alarm is set only once there is a wait for as long, which is seldom."""
        self._cancel_alarm()
        self._sandbox.limit = until
        self._sandbox.set_alarm = self._set_alarm

    def _set_alarm(self) -> None:
        if self._alarm is None:
            self._alarm = self._clock.at(self._sandbox.limit, self._time_is_over)

    def _cancel_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _enter(self) -> None:
        INTERRUPTS.progress += 1
        sandbox = self._sandbox
        sandbox.running = (self._plan.name, self._call.request_id if sandbox.handler is not None else "")
        sandbox.exited = self._process_ended
        sandbox.work(self._work, self._finish)

    def _work(self) -> None:
        """What the environment's runtime does; the strand's own."""
        if self._sandbox.handler is None:
            self._initialize()
        if self._outcome is None:
            self._handle()

    def _initialize(self) -> None:
        stand_in = self._plan.init_duration
        try:
            self._sandbox.initialize()
            if not stand_in.none:
                self._sandbox.pause(stand_in.of(random=self._clock.random))
        except (StrandEnded, Overrun):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the function's
            INTERRUPTS.raise_if_pending()
            self._fail(_init_failure(error, self._call.request_id), error, Ending.GONE)
        if self._cold:
            self._init_duration = round(self._clock.now - self._started, 9)
            self._set_deadline()

    def _handle(self) -> None:
        sandbox, call, stand_in = self._sandbox, self._call, self._plan.duration
        sandbox.running = (self._plan.name, call.request_id)
        sandbox.set_trace_id(call.trace_id)
        handler = sandbox.handler
        assert handler is not None
        try:
            event = _event(call.payload)
            reply = handler(event, self._context())
            if not stand_in.none:
                sandbox.pause(stand_in.of(event=event, random=self._clock.random))
        except (StrandEnded, Overrun):
            raise
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is the handler's
            INTERRUPTS.raise_if_pending()
            ending = Ending.READY if isinstance(error, Exception) else Ending.RESET
            self._fail(_failure(error, call.request_id), error, ending)
        else:
            self._reply(reply)

    def _reply(self, reply: Any) -> None:
        if self._outcome is None:  # else it caught what ended it
            self._outcome = outcome_of(reply, self._call.request_id)
            ended = isinstance(self._outcome, Failure) and self._outcome.cause == "exit"
            self._ending = Ending.RESET if ended else Ending.READY

    def _context(self) -> LambdaContext:
        plan = self._plan
        return LambdaContext(
            function_name=plan.name,
            aws_request_id=self._call.request_id,
            memory_limit_in_mb=str(plan.memory_size),
            invoked_function_arn=self._call.arn,
            log_group_name=plan.log_group_name,
            log_stream_name=self._sandbox.log_stream,
            client_context=_client_context(self._call.client_context),
            deadline=self._clock.epoch + self._deadline,
        )

    def _fail(self, failure: Failure, error: BaseException, ending: Ending) -> None:
        if self._outcome is not None:  # it made something else of what ended it
            return
        self._outcome = failure
        self._ending = ending
        # Not what only says what the runtime made of it.
        self._exception = error.__cause__ if isinstance(error, HandlerFault) and error.__cause__ else error
        if failure.cause in ("init", "handler"):
            self._sandbox.log.append(log_text(failure) + "\n")

    def _init_takes_too_long(self) -> None:
        """Begin anew: the INIT phase is now part of the invocation and of the time that it has."""
        self._drop_sandbox()
        self._init_duration = round(self._clock.now - self._started, 9)
        self._log += init_report_line(self._init_duration) + "\n"
        self._cold = False
        self._take_sandbox()
        self._set_deadline()
        self._enter()

    def _time_is_over(self) -> None:
        self._alarm = None
        if self._cold and self._init_duration is None:
            self._init_takes_too_long()
            return
        self._outcome = Failure.of_time(self._call.timeout, self._call.request_id)
        self._finish()

    def _process_ended(self, status: int) -> None:
        """The user's code called ``os._exit``."""
        if self._outcome is None:
            self._outcome = Failure.of_exit(status, self._call.request_id)
            self._ending = Ending.GONE if self._cold and self._init_duration is None else Ending.RESET
            self._finish()

    def _finish(self) -> None:
        """The call is over; called by the hub."""
        INTERRUPTS.progress += 1
        self._cancel_alarm()
        if self._outcome is None:  # it was stuck
            self._outcome = Failure.of_time(self._call.timeout, self._call.request_id)
        if self._ending is Ending.READY:
            self._sandbox.freeze()
        else:
            self._drop_sandbox()
        self._done(self._result(self._outcome))

    def _drop_sandbox(self) -> None:
        """End the environment. In Lambda its process is killed: no one reads what it writes while it unwinds here."""
        self._log += self._sandbox.take_log()
        self._runner.drop(self._environment, self._ending)
        self._sandbox.take_log()

    def _result(self, outcome: Outcome) -> Result:
        now = self._clock.now
        return Result(
            outcome=outcome,
            log=self._log + self._sandbox.take_log(),
            started=self._started,
            ended=now,
            init_duration=self._init_duration,
            duration=round(now - self._counted_from, 9),
            ending=self._ending,
            exception=self._exception,
        )


class Preparation(Attempt):
    """The INIT phase of a provisioned environment, before anything is asked of it."""

    __slots__ = ("_told",)

    def __init__(
        self,
        runner: VirtualRunner,
        plan: Plan,
        environment: Environment,
        timeout: float,
        told: Callable[[Outcome], None],
    ) -> None:
        super().__init__(runner, plan, environment, Call(b"", "", "", timeout), self._tell)
        self._told = told

    def begin(self) -> None:
        """Start; called by the clock."""
        self._take_sandbox()
        self._cold = False
        self._started = self._counted_from = self._clock.now
        self._set_limit(self._clock.now + max(PROVISIONED_INIT_SECONDS, self._call.timeout))
        self._enter()

    def _work(self) -> None:
        self._initialize()
        if self._outcome is None:
            self._outcome, self._ending = Reply(b""), Ending.READY

    def _tell(self, result: Result) -> None:
        self._told(result.outcome)


def _close(sandbox: Sandbox) -> None:
    """Have an environment's Apps clean up, without time to wait, then end it."""
    if sandbox.frozen:
        sandbox.over = True
        sandbox.work(sandbox.close_apps, _nothing)
    sandbox.end()


def _nothing() -> None: ...


_decode = json.JSONDecoder().decode


def _event(payload: bytes) -> Any:
    try:
        return _decode(payload.decode())
    except ValueError as error:
        raise HandlerFault("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error


def _failure(error: BaseException, request_id: str) -> Failure:
    return _fault(error, "handler", request_id) if isinstance(error, HandlerFault) else failure_of(error, request_id)


def _init_failure(error: BaseException, request_id: str) -> Failure:
    """What becomes of an error in the INIT phase, which is none of a request's."""
    if isinstance(error, HandlerFault):
        return _fault(error, "init", "")
    if not isinstance(error, Exception):
        return failure_of(error, request_id)
    return replace(failure_of(error, ""), cause="init")


def _fault(fault: HandlerFault, cause: Cause, request_id: str) -> Failure:
    fields = {"errorMessage": fault.message, "errorType": fault.error_type}
    body = to_json({**fields, "requestId": request_id, "stackTrace": fault.trace})
    return Failure.posted(cause, body.encode())


def _client_context(given: Any) -> Any:
    """The caller's client context as the runtime's object."""
    if not isinstance(given, Mapping):
        return given
    client = given.get("client")
    return SimpleNamespace(
        custom=given.get("custom"),
        env=given.get("env"),
        client=SimpleNamespace(**client) if isinstance(client, Mapping) else client,
    )
