"""ministack 1.5 from PyPI, a local AWS in Python, in a virtual environment and a process of its own."""

from __future__ import annotations

import io
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
import zipfile
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

REQUIREMENT = "ministack==1.5.*"
VENV = Path(__file__).parents[1] / ".venv" / "ministack"
START_SECONDS = 60.0


class Unavailable(Exception):
    """What lambdakit is compared with can't be had here."""


class Ministack:
    """A ministack that runs; its Lambda is spoken to as AWS's is, with boto3."""

    def __init__(self, port: int) -> None:
        boto3, config = import_module("boto3"), import_module("botocore.config")
        self._lambda: Any = boto3.client(
            "lambda",
            endpoint_url=f"http://127.0.0.1:{port}",
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",  # noqa: S106 - it wants one, and takes any
            config=config.Config(max_pool_connections=16, retries={"total_max_attempts": 1}),
        )

    def deploy(self, name: str, source: str) -> Callable[[object], object]:
        """Make a function of a module's source; what is returned invokes it."""
        self._lambda.create_function(
            FunctionName=name,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role="arn:aws:iam::000000000000:role/lambda",
            Handler="function.handler",
            Code={"ZipFile": _zipped(source)},
        )
        return lambda event: self._invoke(name, event)

    def _invoke(self, name: str, event: object) -> object:
        return json.load(self._lambda.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"])


@contextmanager
def started() -> Generator[Ministack]:
    """A ministack on a free port of the loopback interface, installed if need be, and always stopped.

    Raises:
        Unavailable: it can't be installed or does not start.
    """
    _install()
    port = _free_port()
    with TemporaryDirectory(prefix="ministack-", ignore_cleanup_errors=True) as folder:
        log = Path(folder, "log")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [VENV / "bin" / "ministack"],
                cwd=folder,
                env={
                    "PATH": os.environ.get("PATH", ""),
                    "HOME": folder,
                    "TMPDIR": folder,
                    "BIND_HOST": "127.0.0.1",
                    "GATEWAY_PORT": str(port),
                    "IOT_MTLS_ENABLED": "0",
                    "LOG_LEVEL": "WARNING",
                },
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            _wait(process, port, log)
            yield Ministack(port)
        finally:
            _stop(process)


def ministack_version() -> str:
    """The version that is installed, or nothing."""
    return next((found.stem.partition("-")[2] for found in VENV.glob("lib/*/site-packages/ministack-*.dist-info")), "")


def _install() -> None:
    if ministack_version():
        return
    subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", REQUIREMENT]
    outcome = subprocess.run(pip, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if outcome.returncode:
        raise Unavailable(f"{REQUIREMENT} can't be installed on Python {platform.python_version()}:\n{outcome.stdout}")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Until it answers."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        with suppress(URLError, ConnectionError), urlopen(f"http://127.0.0.1:{port}/_ministack/health"):
            return
        time.sleep(0.1)
    raise Unavailable(f"ministack does not start:\n{log.read_text(errors='replace')}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and its workers with it; then end what is left."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _zipped(source: str) -> bytes:
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as file:
        file.writestr("function.py", source)
    return package.getvalue()
