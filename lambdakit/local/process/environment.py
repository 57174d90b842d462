"""A function in a process of its own, run by AWS's runtime client: the real thing, in real time.

Linux and macOS only, as ``awslambdaric`` is.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
import uuid
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from threading import TIMEOUT_MAX, Thread
from typing import TYPE_CHECKING

from lambdakit.local.process.runtime_api import RuntimeApi, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import IO, Self

    from lambdakit.local.outcome import Failure, Outcome
    from lambdakit.local.process.runtime_api import Invocation, RuntimeProtocol

INIT_SECONDS = 10.0
"""How long the INIT phase of an on-demand environment may take."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an invocation, and what the process printed since the last one."""

    outcome: Outcome
    log: str


class RuntimeProcess:
    """An execution environment: ``awslambdaric`` with one function, as a context manager that always ends it.

    The process runs from entering to leaving the ``with``, or until it ends by itself, as after a timeout: an
    environment is not repaired, another process takes its place.

    Args:
        handler: Lambda's handler setting, as in ``"shop.handler"``.
        task_root: The folder with the function's code, for ``/var/task``; relative to the current one or absolute.
        timeout: The function's time limit in seconds, as the message about it says; each invocation has a deadline.
        memory_size: Its memory in MB. The process is told, but not limited.
        function_name, function_version, region: What the function's context and its environment variables say.
        environment: Its own environment variables. They replace Lambda's, but for ``AWS_LAMBDA_RUNTIME_API``.
        temp_folder: Its ``TMPDIR``, which outlives the process as ``/tmp`` does; None makes one that does not. A
            function that writes to ``/tmp`` by name shares this machine's.

    >>> with RuntimeProcess("shop.handler", "src") as process:        # doctest: +SKIP
    ...     process.invoke(invocation).outcome
    Reply(payload=b'"done"', content_type='application/json')
    """

    def __init__(
        self,
        handler: str,
        task_root: str | Path,
        *,
        timeout: float = 3.0,
        memory_size: int = 128,
        function_name: str = "function",
        function_version: str = "$LATEST",
        region: str = "us-east-1",
        environment: Mapping[str, str] | None = None,
        temp_folder: str | Path | None = None,
    ) -> None:
        self.handler = handler
        self.task_root = Path(task_root).absolute()
        self.timeout = timeout
        self.memory_size = memory_size
        self.function_name = function_name
        self.function_version = function_version
        self.region = region
        self.environment = dict(environment or {})
        self.temp_folder = temp_folder

    def __enter__(self) -> Self:
        """Start the process.

        Raises:
            ModuleNotFoundError: awslambdaric is not installed.
            OSError: the process can't be started; FileNotFoundError names a ``task_root`` that is not there.
        """
        with ExitStack() as stack:
            self._api = stack.enter_context(closing(RuntimeApi()))
            self._log: IO[bytes] = stack.enter_context(_log_file())
            self._log_read = 0
            leash = _pipe(stack)
            temp_folder = self.temp_folder or stack.enter_context(
                TemporaryDirectory(prefix="lambdakit-", ignore_cleanup_errors=True)
            )
            self._process = self._start(leash, self._variables(Path(temp_folder).absolute()))
            self._watch = Thread(target=self._report_exit, name=f"exit of process {self.pid}", daemon=True)
            self._watch.start()
            stack.callback(self._kill)
            _die_with_us(self.pid, leash)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process and what it started, and remove what was made for it."""
        self._stack.close()

    @property
    def pid(self) -> int:
        """The ID of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether there is an environment to invoke."""
        with self._api.changing() as protocol:
            return protocol.state not in (State.INIT_FAILED, State.EXITED)

    def initialize(self, seconds: float = INIT_SECONDS) -> Failure | None:
        """Wait for the end of the INIT phase, and return what failed in it, if anything did.

        A process that takes longer is killed. Without this call the phase is part of the first invocation, as it is in
        Lambda when an environment was reset.
        """
        self._wait(lambda protocol: protocol.state is not State.INIT, seconds, limit=seconds)
        with self._api.changing() as protocol:
            return protocol.init_failure

    def invoke(self, invocation: Invocation) -> Result:
        """Run the function once: until it waits for the next event, its process ends, or the deadline comes.

        At the deadline the process is killed. An environment that is not ``alive`` fails every invocation.

        Raises:
            ValueError: another thread's invocation is not over yet.
        """
        with self._api.changing() as protocol:
            protocol.submit(invocation)
        self._wait(lambda protocol: protocol.settled, invocation.deadline_ms / 1000 - time.time(), limit=self.timeout)
        with self._api.changing() as protocol:
            outcome = protocol.outcome
        assert outcome is not None, "an environment belongs to one thread at a time"
        return Result(outcome, self.read_log())

    def read_log(self) -> str:
        """What the process printed since the last call, to stdout and stderr, in the order it was written."""
        written = os.fstat(self._log.fileno()).st_size
        text = os.pread(self._log.fileno(), max(0, written - self._log_read), self._log_read)
        self._log_read = written
        return text.decode(errors="replace")

    def _start(self, leash: int, variables: dict[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "awslambdaric", self.handler],
            cwd=self.task_root,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[leash],
        )

    def _variables(self, temp_folder: Path) -> dict[str, str]:
        """Lambda's environment variables, and of this machine's only where Python and its packages are.

        Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        here = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "PYTHONHOME") if name in os.environ}
        return {
            **here,
            "PYTHONPATH": _import_path(),
            "LANG": "en_US.UTF-8",
            "LC_CTYPE": "C.UTF-8",
            "TZ": ":UTC",
            "TMPDIR": str(temp_folder),
            "LAMBDA_TASK_ROOT": str(self.task_root),
            "LAMBDA_RUNTIME_DIR": _runtime_folder(),
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": self.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.function_version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_size),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.function_name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": self._log_stream_name(),
            # No real credentials: code under test must not reach an account by accident.
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_SESSION_TOKEN": "testing",
            "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
            "AWS_XRAY_DAEMON_ADDRESS": "127.0.0.1:2000",
            "_HANDLER": self.handler,
            **self.environment,
            "AWS_LAMBDA_RUNTIME_API": self._api.address,
        }

    def _log_stream_name(self) -> str:
        return f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{self.function_version}]{uuid.uuid4().hex}"

    def _wait(self, until: Callable[[RuntimeProtocol], bool], seconds: float, *, limit: float) -> None:
        if self._api.wait(until, min(seconds, TIMEOUT_MAX)):
            return
        with self._api.changing() as protocol:
            if until(protocol):  # at the last moment
                return
            protocol.timed_out(limit)
        self._kill()

    def _report_exit(self) -> None:
        status = self._process.wait()
        self._kill_group()
        with self._api.changing() as protocol:
            protocol.exited(status)

    def _kill(self) -> None:
        if self._watch.is_alive():
            self._kill_group()
        self._watch.join()

    def _kill_group(self) -> None:
        # macOS says EPERM of a group that has only dead members.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)


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


def _runtime_folder() -> str:
    spec = find_spec("awslambdaric")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "A function in a process of its own is run by AWS's runtime client: pip install awslambdaric",
            name="awslambdaric",
        )
    return str(Path(spec.origin).parents[1])
