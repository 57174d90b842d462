"""Environments in processes of their own, on real time: each runs AWS's runtime client.

Everything here happens in the clock's thread, which never waits for a function: processes tell the clock what became
of them, and the clock's timers end those that take too long.
"""

from __future__ import annotations

import json
import re
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import TYPE_CHECKING

from lambdakit.local.outcome import Failure, Outcome, Reply
from lambdakit.local.placement import Ending, Environment
from lambdakit.local.process.environment import RuntimeProcess, runtime_folder
from lambdakit.local.process.runtime_api import Invocation
from lambdakit.local.process.setting import setting_of
from lambdakit.local.report import init_report_line
from lambdakit.local.runner import INIT_SECONDS, PROVISIONED_INIT_SECONDS, Call, Deployment, Result
from lambdakit.local.variables import lambda_variables, log_stream_name

if TYPE_CHECKING:
    from lambdakit.local.agenda import Timer
    from lambdakit.local.process.clock import RealClock

MEBIBYTE = 1024 * 1024
MEASURED_EVERY = 0.01
"""Seconds between two looks at the memory of what runs."""


@dataclass(frozen=True)
class Plan:
    """How a function was deployed. ``memory_size`` is in MB."""

    name: str
    handler: str
    task_root: Path
    memory_size: int
    region: str
    environment: Mapping[str, str]


class ProcessRunner:
    """Runs calls in real processes, on real time.

    A process that takes more than the function's ``memory_size``, its children included, is killed, as Lambda does. Its
    memory is watched, not limited by the kernel: a limit on address space or on data (``RLIMIT_AS``, ``RLIMIT_DATA``)
    counts what is reserved and never used, and makes allocations fail instead of killing; cgroups are root's.

    Args:
        clock: The clock; all methods but ``deploy`` and ``close`` are for its actions to call.
    """

    def __init__(self, clock: RealClock) -> None:
        self.clock = clock
        self._plans: dict[str, Plan] = {}
        self._sandboxes: dict[Environment, Sandbox] = {}
        self._running: set[Attempt] = set()
        self._measuring: Timer | None = None

    def deploy(self, deployment: Deployment) -> None:
        """Make a function known. A handler itself has to be an attribute of a module, which each environment imports.

        Raises:
            ModuleNotFoundError: awslambdaric is not installed.
            NotADirectoryError: there is no such ``task_root``.
            ValueError: the handler can't be imported by name, or a stand-in was given.
        """
        if deployment.init_duration != 0 or deployment.duration != 0:
            raise ValueError(
                "a function in a process of its own takes real time: leave out init_duration and duration, "
                'or use LocalLambda(isolation="virtual").'
            )
        runtime_folder()
        handler, root = deployment.handler, Path(deployment.task_root).absolute()
        if not isinstance(handler, str):
            handler, root = setting_of(handler)
        if not root.is_dir():
            raise NotADirectoryError(f"task_root is not a folder: {root}")
        self._plans[deployment.name] = Plan(
            deployment.name,
            handler,
            root,
            deployment.memory_size,
            deployment.region,
            dict(deployment.environment),
        )

    def run(self, environment: Environment, call: Call, done: Callable[[Result], None]) -> None:
        """Begin a call; ``done`` is told of its end.

        Raises:
            KeyError: no function of that name was deployed.
            OSError: no process can be started.
        """
        attempt = Attempt(self, self._sandbox(environment), environment, call, done)
        attempt.begin()
        self._running.add(attempt)
        if self._measuring is None:
            self._measuring = self.clock.at(self.clock.now + MEASURED_EVERY, self._measure)

    def prepare(self, environment: Environment, timeout: float, done: Callable[[Outcome], None]) -> None:
        """Begin the INIT phase of a provisioned environment, in a new process; ``done`` is told of its end."""
        self.end(environment)
        Preparation(self, self._sandbox(environment), environment, timeout, done).begin()

    def end(self, environment: Environment) -> None:
        """Kill the environment's process at once, as Lambda does without extensions, and remove its folder."""
        sandbox = self._sandboxes.pop(environment, None)
        if sandbox is not None:
            sandbox.end()

    def close(self) -> None:
        """End every environment; the clock has to be closed."""
        for sandbox in self._sandboxes.values():
            sandbox.kill()
        for environment in list(self._sandboxes):
            self.end(environment)

    def over(self, attempt: Attempt) -> None:
        """An attempt is over: no need to measure, where it was the last."""
        self._running.discard(attempt)
        if not self._running and self._measuring is not None:
            self._measuring.cancel()
            self._measuring = None

    def _sandbox(self, environment: Environment) -> Sandbox:
        if environment not in self._sandboxes:
            self._sandboxes[environment] = Sandbox(self.clock, self._plans[environment.function], environment)
        return self._sandboxes[environment]

    def _measure(self) -> None:
        for attempt in self._running:
            attempt.measure()
        self._measuring = self.clock.at(self.clock.now + MEASURED_EVERY, self._measure)


class Sandbox:
    """What an environment keeps while its runtime comes and goes: its folder, its log stream.

    Attributes:
        process: The runtime, if one was started.
        was_reset: Whether a runtime of it has ended, so that the next INIT phase is part of an invocation.
        memory_limit: What its processes may take, in bytes.
    """

    def __init__(self, clock: RealClock, plan: Plan, environment: Environment) -> None:
        self._clock = clock
        self.plan = plan
        self.process: RuntimeProcess | None = None
        self.was_reset = False
        self.memory_limit = plan.memory_size * MEBIBYTE
        self._peak = 0
        self._folder = TemporaryDirectory(prefix="lambdakit-", ignore_cleanup_errors=True)
        self._variables = {
            **lambda_variables(
                handler=plan.handler,
                task_root=plan.task_root,
                function_name=plan.name,
                memory_size=plan.memory_size,
                region=plan.region,
                initialization_type="provisioned-concurrency" if environment.provisioned else "on-demand",
            ),
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream_name(clock.today, clock.random),
            **plan.environment,
        }

    def start(self) -> RuntimeProcess:
        """Start a runtime."""
        plan = self.plan
        process = RuntimeProcess(self._clock, plan.handler, plan.task_root, self._variables, self._folder.name)
        process.start()
        self.process = process
        return process

    def max_memory_used(self) -> int | None:
        """The most its runtime took, in MB; of one that was never looked at, what the one before it took."""
        if self.process is not None and self.process.memory.peak:
            self._peak = self.process.memory.peak
        return min(ceil(self._peak / MEBIBYTE), self.plan.memory_size) or None

    def kill(self) -> None:
        """Kill the runtime, without waiting until it is gone."""
        if self.process is not None:
            self.process.kill()

    def reset(self) -> None:
        """The runtime has ended: the next one finds the folder as it is."""
        if self.process is not None:
            self.process.close()
            self.process = None
            self.was_reset = True

    def end(self) -> None:
        """It is no more."""
        self.reset()
        self._folder.cleanup()


class Attempt:
    """One call, from the start of its INIT phase, if it has one, to its end."""

    def __init__(
        self,
        runner: ProcessRunner,
        sandbox: Sandbox,
        environment: Environment,
        call: Call,
        done: Callable[[Result], None],
    ) -> None:
        self._runner = runner
        self._clock = runner.clock
        self._sandbox = sandbox
        self._environment = environment
        self._call = call
        self._done = done
        self._limit: Timer | None = None
        self._init_duration: float | None = None
        self._out_of_memory = False
        self._log = ""

    def begin(self) -> None:
        """Start."""
        sandbox = self._sandbox
        self._started = self._clock.now
        cold = sandbox.process is None and not sandbox.was_reset
        self._process = sandbox.process or sandbox.start()
        if cold:
            self._initialize()
        else:
            self._submit()

    def measure(self) -> None:
        """Kill what takes more memory than it has."""
        limit = self._sandbox.memory_limit
        if self._process.memory.measure_together(limit) > limit:
            self._out_of_memory = True
            self._process.kill()

    def _initialize(self) -> None:
        """Have the INIT phase end before the time counts that the function has."""
        self._limit = self._clock.at(self._started + INIT_SECONDS, lambda: self._process.time_is_over(INIT_SECONDS))
        self._process.when_initialized(self._clock.expect(self._initialized))

    def _initialized(self) -> None:
        self._cancel_limit()
        failure = self._process.init_failure
        if failure is not None and failure.cause == "timeout":
            self._process.when_ended(self._clock.expect(self._initialize_again))
            return
        self._init_duration = self._clock.now - self._started
        self._process.memory.measure()  # of one that ends in no time, this is all that is known
        self._submit()

    def _initialize_again(self) -> None:
        """It took too long: the INIT phase is now part of the invocation and of the time that it has."""
        self._init_duration = self._clock.now - self._started
        self._log = self._process.read_log() + init_report_line(self._clock.now - self._started) + "\n"
        self._sandbox.reset()
        self._process = self._sandbox.start()
        self._submit()

    def _submit(self) -> None:
        call, process = self._call, self._process
        self._counted_from = self._clock.now
        self._deadline = self._counted_from + call.timeout
        self._limit = self._clock.at(self._deadline, lambda: process.time_is_over(call.timeout))
        process.submit(
            Invocation(
                request_id=call.request_id,
                payload=call.payload,
                deadline_ms=int((time() + call.timeout) * 1000),
                invoked_function_arn=call.arn,
                trace_id=call.trace_id,
                client_context="" if call.client_context is None else json.dumps(call.client_context),
            )
        )
        process.when_settled(self._clock.expect(self._settled))

    def _settled(self) -> None:
        """The runtime waits for the next event, or its process has ended. Its end takes a moment after the deadline."""
        self._ended = min(self._clock.now, self._deadline)
        if self._process.ready and self._exceeds_memory():
            self._out_of_memory = True
            self._process.kill()
            self._process.when_ended(self._clock.expect(self._finish))
        else:
            self._finish()

    def _exceeds_memory(self) -> bool:
        """Whether the process took more memory than it has, if only between two looks."""
        return self._out_of_memory or self._process.memory.measure() > self._sandbox.memory_limit

    def _finish(self) -> None:
        self._cancel_limit()
        self._runner.over(self)
        result = self._result()
        if result.ending is not Ending.READY:
            self._sandbox.reset()
        if result.ending is Ending.GONE:
            self._runner.end(self._environment)
        self._done(result)

    def _cancel_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()

    def _result(self) -> Result:
        return Result(
            outcome=self._outcome(),
            log=_with_line_breaks(self._log + self._process.read_log()),
            started=self._started,
            ended=self._ended,
            init_duration=self._init_duration,
            duration=self._ended - self._counted_from,
            ending=self._ending(),
            max_memory_used=self._sandbox.max_memory_used(),
        )

    def _outcome(self) -> Outcome:
        if self._out_of_memory:
            return Failure.of_exit(-signal.SIGKILL, self._call.request_id)
        assert self._process.outcome is not None, "it is settled"
        return self._process.outcome

    def _ending(self) -> Ending:
        failure = self._process.init_failure
        if failure is None:
            return Ending.READY if self._process.ready and not self._out_of_memory else Ending.RESET
        return Ending.RESET if failure.cause == "timeout" else Ending.GONE


class Preparation:
    """The INIT phase of a provisioned environment, before anything is asked of it."""

    def __init__(
        self,
        runner: ProcessRunner,
        sandbox: Sandbox,
        environment: Environment,
        timeout: float,
        done: Callable[[Outcome], None],
    ) -> None:
        self._runner = runner
        self._sandbox = sandbox
        self._environment = environment
        self._seconds = max(PROVISIONED_INIT_SECONDS, timeout)
        self._done = done

    def begin(self) -> None:
        """Start."""
        clock, process = self._runner.clock, self._sandbox.start()
        self._limit = clock.at(clock.now + self._seconds, lambda: process.time_is_over(self._seconds))
        process.when_initialized(clock.expect(self._initialized))

    def _initialized(self) -> None:
        self._limit.cancel()
        assert self._sandbox.process is not None
        failure = self._sandbox.process.init_failure
        if failure is not None:
            self._runner.end(self._environment)
        self._done(failure or Reply(b""))


def _with_line_breaks(log: str) -> str:
    """A log as Lambda shows it: the runtime joins the lines of a traceback by carriage returns."""
    if "\r" not in log:
        return log
    return re.sub(r"^\[ERROR\].*$", lambda event: event[0].replace("\r", "\n"), log, flags=re.MULTILINE)
