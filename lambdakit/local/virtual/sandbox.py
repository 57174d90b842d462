"""What an environment has to itself, and the stage on which one environment at a time is set up."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from lambdakit import App
from lambdakit.depends import Dependencies
from lambdakit.local.virtual.logs import LambdaLogHandler, Loggers, RootState, put_loggers, shared_loggers
from lambdakit.local.virtual.loops import VirtualLoop, VirtualPolicy
from lambdakit.local.virtual.modules import OwnModules, find_handler
from lambdakit.local.virtual.waiting import Strand, StrandEnded
from lambdakit.loop import EventLoop

if TYPE_CHECKING:
    from types import ModuleType

    from lambdakit.local.virtual.clock import VirtualClock
    from lambdakit.local.virtual.standins import Seconds

_events: Any = asyncio.events
_environ: Any = os.environ
_POLICY = VirtualPolicy()


@dataclass
class Plan:
    """How a function was deployed.

    Attributes:
        name: The function's name.
        handler: Lambda's handler setting, or the handler itself, which all its environments share.
        task_root: The folder with its code.
        variables: Its environment variables, Lambda's and its own.
        memory_size: In MB.
        init_duration, duration: Stand-ins for what takes real time.
        own_modules: The modules that each environment has copies of; None where the handler is shared.
    """

    name: str
    handler: str | Callable[[Any, Any], Any]
    task_root: Path
    memory_size: int
    init_duration: Seconds
    duration: Seconds
    own_modules: OwnModules | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    app: App | None = field(init=False)
    log_handler: LambdaLogHandler = field(init=False, default_factory=LambdaLogHandler)
    root: RootState = field(init=False)

    log_group_name: str = field(init=False)

    def __post_init__(self) -> None:
        self.log_group_name = f"/aws/lambda/{self.name}"
        self.root = RootState([self.log_handler])
        self.app = _app_in(self.handler)


class AppState:
    """What an App that environments share is to one of them: its event loop and its dependencies' values."""

    __slots__ = ("_dependencies", "_loop", "_started", "app")

    def __init__(self, app: App, *, fresh: bool = True) -> None:
        inner: Any = app
        self.app: Any = app
        self._loop = dict(vars(EventLoop())) if fresh else vars(inner._loop)
        self._dependencies = dict(vars(Dependencies(inner._loop))) if fresh else vars(inner._dependencies)
        self._dependencies["overrides"] = inner._dependencies.overrides  # a test's, for all of them
        self._started = not fresh and inner._started

    def put(self, before: AppState) -> None:
        """Make the App the environment's; it was another's before."""
        app = self.app
        before._started = app._started
        app._loop.__dict__, app._dependencies.__dict__, app._started = self._loop, self._dependencies, self._started


class Sandbox:
    """An environment's own things: modules, variables, loggers, threads, event loops, and its log.

    Attributes:
        running: The function's name and the ID of the invocation that runs, ``""`` in the INIT phase.
        frozen: Whether it stands still between two invocations; what is ``due`` waits for the next.
        over: Whether it has ended.
        limit: When the time of what runs is over; ``set_alarm`` is called once its main thread waits for longer.
    """

    __slots__ = (
        "__weakref__",
        "_work",
        "app_state",
        "clock",
        "due",
        "exited",
        "frozen",
        "handler",
        "limit",
        "log",
        "log_stream",
        "loggers",
        "loops",
        "main",
        "module_names",
        "modules",
        "over",
        "plan",
        "root",
        "running",
        "set_alarm",
        "stage",
        "threads",
        "variables",
    )

    def __init__(self, clock: VirtualClock, stage: Stage, plan: Plan, log_stream: str) -> None:
        self.clock = clock
        self.stage = stage
        self.plan = plan
        self.log_stream = log_stream
        self.log: list[str] = []
        self.running: tuple[str, str] = (plan.name, "")
        self.frozen = False
        self.over = False
        self.exited: Callable[[int], None] = _ignore
        self.limit = float("inf")
        self.set_alarm: Callable[[], None] = _nothing
        self.due: list[Strand] = []
        self.main: Strand | None = None
        self.threads: dict[Strand, Any] = {}
        self.loops: WeakSet[VirtualLoop] | None = None
        self.module_names: set[str] = set()
        self.modules: dict[str, ModuleType] = {}
        self.variables = stage.variables_of(plan, log_stream)
        # Where modules are shared, so are their loggers.
        self.loggers = stage.loggers if plan.own_modules is None else Loggers(stage.loggers)
        self.root = plan.root if plan.own_modules is None else RootState([plan.log_handler], stage.root.level)
        self.handler: Callable[[Any, Any], Any] | None = None
        self.app_state: AppState | None = None

    def initialize(self) -> None:
        """Find the handler, and start its App; called by the environment's strand.

        Raises:
            HandlerFault: the handler can't be loaded.
            BaseException: what the function's modules raised, or its start-up hooks.
        """
        plan = self.plan
        if isinstance(plan.handler, str):
            self.handler = find_handler(plan.handler)
            return
        if plan.app is not None:
            self.app_state = AppState(plan.app)
            self.stage.put_app(self.app_state)
            plan.app.start()
        self.handler = plan.handler

    def keep_loop(self, loop: VirtualLoop) -> None:
        """Remember an event loop, to close it with the environment."""
        if self.loops is None:
            self.loops = WeakSet()
        self.loops.add(loop)

    def pause(self, seconds: float) -> None:
        """Wait; called by the environment's strand."""
        assert self.main is not None
        self.main.pause(seconds)

    def set_trace_id(self, trace_id: str) -> None:
        """Tell the function the tracing header of its invocation."""
        name = _environ.encodekey("_X_AMZN_TRACE_ID")
        if trace_id:
            self.variables[name] = _environ.encodevalue(trace_id)
        else:
            self.variables.pop(name, None)

    def close_apps(self) -> None:
        """Have its Apps clean up; called by a strand of its."""
        shared: list[Any] = [self.plan.app] if self.app_state is not None else []
        for app in [*self.apps(), *shared]:
            with suppress(Exception):  # no one is left to be told
                app.close()

    def work(self, work: Callable[[], None], then: Callable[[], None]) -> None:
        """Thaw, and have the main thread do something; called by the hub, which does ``then`` once it is done.

        It is one strand for all that an environment does, as its thread is one in Lambda: so are its context variables.
        """
        self.thaw()
        main = self.main
        if main is None:
            main = self.main = Strand(self, self._run)
        self._work = work
        main.then = then
        main.resume()

    def _run(self) -> None:
        with suppress(StrandEnded):
            while True:
                self._work()
                del self._work  # and with it the event and the reply
                assert self.main is not None
                self.main.rest()

    def freeze(self) -> None:
        """Stand still."""
        self.frozen = True

    def thaw(self) -> None:
        """Go on, with what became due meanwhile."""
        self.frozen = False
        due, self.due = self.due, []
        for strand in due:
            strand.start()

    def take_log(self) -> str:
        """What was written since the last time."""
        text = "".join(self.log)
        self.log.clear()
        return text

    def end(self) -> None:
        """End all that runs in it, without another wait; called by the hub."""
        self.over = True
        if self.main is not None:
            self.main.end()
            self.main = None
        for strand, thread in list(self.threads.items()):
            strand.end()
            thread.forget()
        for app in self.apps():
            app._finalizer.detach()  # a runtime that is killed cleans nothing up
        if self.loops:
            Strand(self, self._close_loops).unwind()
        self.stage.leave(self)
        self.modules.clear()
        self.handler = None

    def _close_loops(self) -> None:
        loops: list[VirtualLoop] = list(self.loops or ())
        for loop in loops:
            # Where a coroutine waits in a finally block, Python would complain once it finds it as garbage.
            for task in asyncio.all_tasks(loop):
                coroutine: Any = task.get_coro()
                with suppress(BaseException):
                    coroutine.close()
            if not loop.is_running():
                loop.close()

    def apps(self) -> list[Any]:
        """The Apps that are its own alone: those in its own modules."""
        if self.plan.own_modules is None:
            return []
        found: list[Any] = [self.handler]
        self.stage.enter(self)
        for name in self.module_names:
            found += vars(sys.modules.get(name, object)).values()
        return list({id(app): app for app in found if isinstance(app, App)}.values())


class Stage:
    """The process, as one environment at a time finds it. Between two runs of the clock it is the developer's."""

    def __init__(self, aws_latency: Seconds) -> None:
        self.aws_latency = aws_latency
        self.sandbox: Sandbox | None = None
        self.plan: Plan | None = None
        self.loggers = shared_loggers()
        self.root = RootState([])
        self._app_state: AppState | None = None  # whose the shared App of the moment is
        self._developers: AppState | None = None  # what it is to the developer
        self._variables: Any = _environ._data
        self._hidden: dict[str, ModuleType] = {}

    @contextmanager
    def open(self) -> Generator[None]:
        """Let environments enter, until the end of a ``with`` block."""
        self._variables = _environ._data
        self.loggers = shared_loggers()
        self.root.take()
        policy, _events._event_loop_policy = _events._event_loop_policy, _POLICY
        try:
            yield
        finally:
            _events._event_loop_policy = policy
            if self.sandbox is not None:
                self.leave(self.sandbox)

    def enter(self, sandbox: Sandbox) -> None:
        """Set the process up for an environment, unless it is."""
        before = self.sandbox
        if before is sandbox:
            return
        if before is None or before.root is not sandbox.root:
            self._change(before, sandbox)
        self.sandbox = sandbox
        _environ._data = sandbox.variables
        state = sandbox.app_state
        if state is not self._app_state:
            self.put_app(state)

    def leave(self, sandbox: Sandbox) -> None:
        """Give the process back to the developer, if it is that environment's."""
        if self.sandbox is not sandbox:
            return
        self._put_away(sandbox)
        self._turn_to(None)
        self.put_app(None)
        self.sandbox = None
        _environ._data = self._variables
        put_loggers(self.loggers, self.root)

    def put_app(self, state: AppState | None) -> None:
        """Make a shared App an environment's, or with None the developer's."""
        if state is None or (self._developers is not None and self._developers.app is not state.app):
            self._give_app_back()
        if state is not None:
            if self._app_state is None:
                self._app_state = self._developers = AppState(state.app, fresh=False)
            state.put(self._app_state)
            self._app_state = state

    def _give_app_back(self) -> None:
        if self._developers is not None and self._app_state is not None:
            self._developers.put(self._app_state)
        self._developers = self._app_state = None

    def variables_of(self, plan: Plan, log_stream: str) -> Any:
        """The environment variables of a new environment: the developer's, Lambda's, the function's."""
        encoded = {
            _environ.encodekey(name): _environ.encodevalue(value)
            for name, value in {**plan.variables, "AWS_LAMBDA_LOG_STREAM_NAME": log_stream}.items()
        }
        variables = {**self._variables, **encoded}
        for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_LAMBDA_RUNTIME_API"):
            variables.pop(_environ.encodekey(name), None)
        return variables

    def _change(self, before: Sandbox | None, sandbox: Sandbox) -> None:
        """Change to an environment with modules and loggers of its own, or of another function."""
        if before is not None:
            self._put_away(before)
        if self.plan is not sandbox.plan:
            self._turn_to(sandbox.plan)
        sys.modules.update(sandbox.modules)
        put_loggers(sandbox.loggers, sandbox.root)

    def _put_away(self, sandbox: Sandbox) -> None:
        modules = sys.modules
        if sandbox.module_names:
            sandbox.modules = {name: modules.pop(name) for name in sandbox.module_names if name in modules}
        sandbox.root.take()

    def _turn_to(self, plan: Plan | None) -> None:
        """Change from one function to another: of its own modules, the developer's are hidden meanwhile."""
        if self.plan is not None and self.plan.own_modules is not None:
            sys.path.remove(str(self.plan.task_root))
            sys.modules.update(self._hidden)
            self._hidden = {}
        self.plan = plan
        if plan is not None and plan.own_modules is not None:
            sys.path.insert(0, str(plan.task_root))
            self._hidden = {name: sys.modules.pop(name) for name in plan.own_modules.of_the_developer()}


def _ignore(status: int) -> None: ...


def _nothing() -> None: ...


def _app_in(handler: object) -> App | None:
    """The App that a handler is, or wraps as ``functools.wraps`` does."""
    while not isinstance(handler, App):
        handler = getattr(handler, "__wrapped__", None)
        if handler is None:
            return None
    return handler
