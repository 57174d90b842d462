"""Warm invocations: a process for each function, as in Lambda, which are asked in turns to answer an event many times.

CPU time, with the garbage collector on, as it is in Lambda. Every answer is compared with what is right.
"""

from __future__ import annotations

import contextlib
import io
import time
import traceback
from dataclasses import dataclass
from importlib import import_module
from itertools import repeat
from multiprocessing import get_context
from typing import TYPE_CHECKING

from benchmarks.measure import Measure
from benchmarks.works import (
    SOURCES,
    WARM_TARGETS,
    Contender,
    Source,
    Work,
    WrongAnswer,
    contenders,
    module,
    turns,
    work,
    work_with_failures,
)

if TYPE_CHECKING:
    from collections.abc import Generator
    from multiprocessing.connection import Connection

SAMPLE = 20_000_000  # ns that a sample takes, at least
ROUNDS_A_PROCESS = 5  # then new ones, as no two processes of a function are equally fast


@dataclass(frozen=True)
class Answer:
    """The last reply of a function, the last things that it saw, and the CPU time of all its invocations in ns."""

    reply: object
    seen: list[object]
    took: int


class Worker:
    """A process that imports a function and answers events with it."""

    def __init__(self, function: str) -> None:
        self.function = function
        spawn = get_context("spawn")
        self._connection, remote = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(function, remote), daemon=True)
        self._process.start()
        remote.close()

    def time(self, work: Work, times: int = 1) -> int:
        """The CPU time, in ns, of doing the work ``times`` times.

        Raises:
            WrongAnswer: it wasn't done.
        """
        self._connection.send((work.event, times))
        try:
            answer: Answer | str = self._connection.recv()
        except EOFError:
            raise WrongAnswer(f"the process of {self.function} has ended") from None
        if isinstance(answer, str):
            raise WrongAnswer(f"{self.function} raised:\n{answer}")
        work.check(self.function, answer.reply, answer.seen)
        return answer.took

    def close(self) -> None:
        """Ends the process."""
        self._connection.close()
        self._process.join()


def check() -> None:
    """Every function does all of its work right, with failures among the messages too.

    Raises:
        WrongAnswer: one doesn't.
    """
    for source in SOURCES:
        works = [work(source, records) for kind, records in WARM_TARGETS if kind == source]
        if source == "sqs":
            works.append(work_with_failures())
        with _workers(source) as workers:
            for worker in workers.values():
                for task in works:
                    worker.time(task)


def measure(rounds: int) -> list[Measure]:
    """CPU time of an invocation, from ``rounds`` samples of each function, the contenders taking turns."""
    return [measured for source in SOURCES for measured in _measure(source, rounds)]


def _measure(source: Source, rounds: int) -> list[Measure]:
    works = {records: work(source, records) for kind, records in WARM_TARGETS if kind == source}
    measures = {
        records: Measure(_title(source, records), source, "ns", target)
        for (kind, records), target in WARM_TARGETS.items()
        if kind == source
    }
    for first in range(0, rounds, ROUNDS_A_PROCESS):
        with _workers(source) as workers:
            times = {(name, n): _calibrated(workers[name], works[n]) for name in contenders(source) for n in works}
            for number in range(first, min(rounds, first + ROUNDS_A_PROCESS)):
                for records, task in works.items():
                    for name in turns(source, number):
                        took = workers[name].time(task, times[name, records])
                        measures[records].samples[name].append(took / times[name, records])
    return list(measures.values())


def _title(source: Source, records: int) -> str:
    if source == "http":
        return "warm, HTTP"
    return f"warm, {source.upper()}, {records:,} record{'s' if records > 1 else ''}"


def _calibrated(worker: Worker, work: Work) -> int:
    """How often a function has to answer so that a sample is long enough; warms it up too."""
    times = 1
    while (took := worker.time(work, times)) < SAMPLE / 2:
        times *= 2
    return max(1, round(times * SAMPLE / took))


@contextlib.contextmanager
def _workers(source: Source) -> Generator[dict[Contender, Worker]]:
    workers: dict[Contender, Worker] = {
        contender: Worker(module(source, contender)) for contender in contenders(source)
    }
    try:
        yield workers
    finally:
        for worker in workers.values():
            worker.close()


def _serve(function: str, connection: Connection) -> None:
    while True:
        try:
            event, times = connection.recv()
        except EOFError:
            return
        try:
            connection.send(_answer(function, event, times))
        except Exception:
            connection.send(traceback.format_exc())


def _answer(function: str, event: object, times: int) -> Answer:
    target = import_module(function)
    handler = target.handler
    target.seen.clear()
    # Only the batch with failures writes anything, once.
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        start = time.process_time_ns()
        for _ in repeat(None, times - 1):
            handler(event, None)
        reply = handler(event, None)
        took = time.process_time_ns() - start
    return Answer(reply, list(target.seen), took)
