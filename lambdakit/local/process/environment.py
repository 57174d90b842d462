"""A function in a process of its own, run by AWS's runtime client: the real thing, in real time.

Linux and macOS only, as ``awslambdaric`` is.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from contextlib import ExitStack, closing, suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from threading import Thread
from typing import TYPE_CHECKING

from lambdakit.local.process.memory import Memory
from lambdakit.local.process.runtime_api import RuntimeApi, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import IO

    from lambdakit.local.outcome import Failure, Outcome
    from lambdakit.local.process.clock import RealClock
    from lambdakit.local.process.runtime_api import Invocation


class RuntimeProcess:
    """The runtime of an execution environment: ``awslambdaric`` with one function, in a process of its own.

    It runs from ``start`` to ``close``, or until it ends by itself: a runtime is not repaired, another takes its place.
    Nothing here waits for the function: ``when_...`` tells of what happened. All of it is for the clock's actions.

    Args:
        clock: The clock whose thread serves the runtime.
        handler: Lambda's handler setting, as in ``"shop.handler"``.
        task_root: The folder with the function's code, for ``/var/task``.
        variables: Lambda's environment variables, and the function's own; those by which this machine finds Python and
            its packages are added.
        temp_folder: Its ``TMPDIR``, which outlives the process as ``/tmp`` does. A function that writes to ``/tmp`` by
            name shares this machine's.

    Attributes:
        memory: What it takes. Nothing here limits that.
    """

    def __init__(
        self, clock: RealClock, handler: str, task_root: Path, variables: Mapping[str, str], temp_folder: str | Path
    ) -> None:
        self._clock = clock
        self._handler = handler
        self._task_root = task_root
        self._variables = {**_variables_of_this_machine(), "TMPDIR": str(temp_folder), **variables}

    def start(self) -> None:
        """Start the process.

        Raises:
            OSError: the process can't be started; FileNotFoundError names a ``task_root`` that is not there.
        """
        with ExitStack() as stack:
            self._api = stack.enter_context(closing(RuntimeApi(self._clock)))
            self._log: IO[bytes] = stack.enter_context(_log_file())
            self._log_read = 0
            leash = _pipe(stack)
            self._process = self._started(leash)
            self.memory = stack.enter_context(closing(Memory(self.pid)))
            self._watch = Thread(target=self._report_exit, name=f"exit of process {self.pid}", daemon=True)
            self._watch.start()
            stack.callback(self._end)
            _die_with_us(self.pid, leash)
            self._stack = stack.pop_all()

    def close(self) -> None:
        """End the process and what it started, and remove what was made for it."""
        self._stack.close()

    @property
    def pid(self) -> int:
        """The ID of the process."""
        return self._process.pid

    @property
    def ready(self) -> bool:
        """Whether the runtime waits for an event."""
        return self._api.protocol.state is State.READY

    @property
    def init_failure(self) -> Failure | None:
        """What failed in the INIT phase, if anything did."""
        return self._api.protocol.init_failure

    @property
    def outcome(self) -> Outcome | None:
        """What became of the last invocation; None while that is not known."""
        return self._api.protocol.outcome

    def when_initialized(self, then: Callable[[], None]) -> None:
        """Tell of the end of the INIT phase, good or bad."""
        self._api.when(lambda protocol: protocol.state is not State.INIT, then)

    def when_settled(self, then: Callable[[], None]) -> None:
        """Tell when the invocation is over for the runtime too: it waits for the next event, or the process is gone."""
        self._api.when(lambda protocol: protocol.settled, then)

    def when_ended(self, then: Callable[[], None]) -> None:
        """Tell when the process is gone."""
        self._api.when(lambda protocol: protocol.ended, then)

    def submit(self, invocation: Invocation) -> None:
        """Have the function run once; in the INIT phase, as soon as that is over. A process that is gone fails it.

        Raises:
            ValueError: the last invocation is not over yet.
        """
        self._api.protocol.submit(invocation)
        self._api.changed()

    def time_is_over(self, seconds: float) -> None:
        """Kill the process, unless it has nothing to do: it had so much time for its INIT phase, or its invocation."""
        if not (self.ready or self._api.protocol.ended):
            self.kill()
            self._api.protocol.timed_out(seconds)
            self._api.changed()

    def kill(self) -> None:
        """Kill the process and what it started, without waiting until they are gone."""
        if self._watch.is_alive():
            self._kill_group()

    def read_log(self) -> str:
        """What the process printed since the last call, to stdout and stderr, in the order it was written."""
        unread = os.fstat(self._log.fileno()).st_size - self._log_read
        if unread <= 0:  # it may have been truncated
            return ""
        text = os.pread(self._log.fileno(), unread, self._log_read)
        self._log_read += len(text)
        return text.decode(errors="replace")

    def _started(self, leash: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", self._handler],
            cwd=self._task_root,
            env={**self._variables, "AWS_LAMBDA_RUNTIME_API": self._api.address},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[leash],
        )

    def _report_exit(self) -> None:
        status = self._process.wait()
        self._kill_group()
        self._clock.at(self._clock.now, lambda: self._exited(status))

    def _exited(self, status: int) -> None:
        self._api.protocol.exited(status)
        self._api.changed()

    def _end(self) -> None:
        self.kill()
        self._watch.join()

    def _kill_group(self) -> None:
        # macOS says EPERM of a group that has only dead members.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


def _variables_of_this_machine() -> dict[str, str]:
    """Of this machine's environment variables only where Python and its packages are; and how Lambda encodes text."""
    here = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
    return {
        **here,
        "PYTHONPATH": _import_path(),
        "LAMBDA_RUNTIME_DIR": str(runtime_folder()),
        "LANG": "en_US.UTF-8",
        "LC_CTYPE": "C.UTF-8",
    }


def _log_file() -> IO[bytes]:
    # A file takes what the process prints, not a pipe: all that was written before a reply can be read with it, and no
    # process that outlives its parent keeps anyone waiting. It is appended to, so that code which opens /dev/stdout
    # itself overwrites nothing.
    file = TemporaryFile()  # noqa: SIM115 - the caller closes it
    fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
    return file


def _pipe(stack: ExitStack) -> int:
    """The end of a pipe to hand on; the other stays here, until this process is gone or the stack is closed."""
    theirs, ours = os.pipe()
    stack.callback(os.close, theirs)
    stack.callback(os.close, ours)
    return theirs


def _die_with_us(pid: int, leash: int) -> None:
    """Have the kernel kill the process and its children when the other end of the pipe is gone: when we are.

    A runtime that finds its API gone ends by itself, but not before the handler returns, and some never do. Linux only,
    and not with its parent-death signal: that needs code between fork and exec, is sent when the *thread* that started
    the process ends, and misses the children.
    """
    if sys.platform == "linux":
        fcntl.fcntl(leash, fcntl.F_SETSIG, signal.SIGKILL)
        fcntl.fcntl(leash, fcntl.F_SETOWN, -pid)
        fcntl.fcntl(leash, fcntl.F_SETFL, fcntl.fcntl(leash, fcntl.F_GETFL) | os.O_ASYNC)


def _import_path() -> str:
    """This process's PYTHONPATH, which the other one would read in another folder."""
    parts = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join(str(Path(part).absolute()) for part in parts if part)


def runtime_folder() -> Path:
    """Where AWS's runtime client is.

    Raises:
        ModuleNotFoundError: it is not installed.
    """
    spec = find_spec("awslambdaric")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "A function in a process of its own is run by AWS's runtime client: pip install awslambdaric",
            name="awslambdaric",
        )
    return Path(spec.origin).parents[1]
