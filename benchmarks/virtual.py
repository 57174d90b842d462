"""The local Lambda on virtual time: a typed S3 handler that waits twice, thousands of environments busy at once.

Each sample is a process of its own, so that its peak memory is its own too.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from benchmarks.measure import Figure
from benchmarks.works import WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdakit.local import Function, LocalLambda

ARRIVALS_A_SECOND = 5_000
WAIT = 0.3
ENVIRONMENTS = 4_000
SAMPLES = 3
MEBIBYTE = 1024 * 1024


def measure() -> list[Figure]:
    """Invocations a second of real time, peak memory, and how time and memory grow with their number."""
    rate = Figure("virtual, 100,000 invocations", "/s", 10_000, at_least=True)
    memory = Figure("virtual, 100,000 invocations, peak memory", "MiB", 1_024)
    for _ in range(SAMPLES):
        seconds, peak = sample("benchmarks.virtual", 100_000)
        rate.samples.append(100_000 / seconds)
        memory.samples.append(peak)
    growth = Figure("virtual, time of an invocation: of 1,000,000 to of 10,000", "times", 1.5)
    growth.samples.append(_seconds(1_000_000) / 100 / _seconds(10_000))
    return [rate, memory, growth]


def _seconds(invocations: int) -> float:
    return sample("benchmarks.virtual", invocations)[0]


def sample(module: str, size: int) -> tuple[float, float]:
    """What ``run(size)`` of a module returns, in a process of its own.

    Raises:
        WrongAnswer: it did not do its work.
    """
    command = [sys.executable, "-m", module, str(size)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        raise WrongAnswer(f"{module} with {size:,}:\n{process.stderr}")
    seconds, peak = json.loads(process.stdout)
    return seconds, peak


def serve(run: Callable[[int], tuple[float, float]], arguments: list[str]) -> None:
    """Be the process that ``sample`` starts."""
    print(json.dumps(run(int(arguments[1]))))


def peak_memory() -> float:
    """Of this process, in MiB."""
    unit = MEBIBYTE if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def run(invocations: int) -> tuple[float, float]:
    """Seconds of real time that so many invocations took, and the peak memory in MiB."""
    local, fn = _service()
    _arrive(local, fn, invocations)
    start = time.perf_counter()
    local.run()
    seconds = time.perf_counter() - start
    busy = min(invocations, round(ARRIVALS_A_SECOND * 2 * WAIT))
    if len(fn.invocations) != invocations or fn.errors or fn.throttles or fn.max_concurrency < busy:
        raise WrongAnswer(f"{fn} did not all succeed at once: {local.timeline().summary}")
    return seconds, peak_memory()


def _service() -> tuple[LocalLambda, Function]:
    from lambdakit import App, on_s3
    from lambdakit.events import S3Record
    from lambdakit.local import LocalLambda

    def ingest(upload: S3Record) -> str:
        time.sleep(WAIT)
        key = upload.key
        time.sleep(WAIT)
        return key

    ingest.__annotations__["upload"] = S3Record
    local = LocalLambda(account_concurrency=10_000)
    return local, local.deploy(App(on_s3("uploads")(ingest), name="ingest"), provisioned_concurrency=ENVIRONMENTS)


def _arrive(local: LocalLambda, fn: Function, invocations: int) -> None:
    """Have uploads arrive one after the other."""
    from lambdakit.testing import events

    uploads = [events.s3("uploads", f"{number}.csv") for number in range(100)]

    def arrive(number: int) -> None:
        fn.invoke_async(uploads[number % 100])
        if number + 1 < invocations:
            local.at((number + 1) / ARRIVALS_A_SECOND, lambda: arrive(number + 1))

    local.at(0, lambda: arrive(0))


if __name__ == "__main__":
    serve(run, sys.argv)
