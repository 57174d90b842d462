"""Invocations a second of functions in real processes: lambdakit's local Lambda beside ministack's.

The wall clock counts, as callers see it.
lambdakit is called as a test calls it, ministack over its HTTP API with boto3.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal

from benchmarks.measure import Figure
from benchmarks.ministack import started
from benchmarks.works import WrongAnswer
from lambdakit.local import LocalLambda

if TYPE_CHECKING:
    from benchmarks.ministack import Ministack

Service = Literal["ministack", "lambdakit"]
Invoke = Callable[[object], object]

SERVICES: tuple[Service, ...] = ("ministack", "lambdakit")
FUNCTIONS = {
    "silent": "def handler(event, context):\n    return event\n",
    # For up to 50 ms after an invocation, ministack waits for a function to print something.
    "prints": "def handler(event, context):\n    print('hello')\n    return event\n",
}
TARGETS = {1: 5.0, 8: 3.0}
"""How many times as many lambdakit is to do, by the number of callers."""
ROUNDS = 30
SAMPLE = 0.15  # seconds that a sample takes, at least
EVENT = {"number": 1}


@dataclass
class Rate:
    """Invocations a second of one function by so many callers, sampled in turns: the n-th samples are neighbours."""

    what: str
    callers: int
    target: float
    invoke: dict[Service, Invoke]
    samples: dict[Service, list[float]] = field(default_factory=lambda: {name: [] for name in SERVICES})

    def median(self, service: Service) -> float:
        """The median sample."""
        return statistics.median(self.samples[service])

    def take(self, number: int) -> None:
        """Sample each service once; each is as often first as it is last."""
        for service in SERVICES if number % 2 else SERVICES[::-1]:
            self.samples[service].append(_rate(service, self.invoke[service], self.callers))

    def figure(self) -> Figure:
        """How many times as many lambdakit does, round by round."""
        ratios = [ours / theirs for theirs, ours in zip(*self.samples.values(), strict=True)]
        note = f"{self.median('lambdakit'):,.0f} /s beside {self.median('ministack'):,.0f} /s"
        return Figure(
            f"processes, {self.what}", "times ministack", self.target, at_least=True, samples=ratios, note=note
        )


def measure() -> list[Figure]:
    """The rates, the services taking turns.

    Raises:
        Unavailable: there is no ministack.
        WrongAnswer: a function does not answer with what it was sent.
    """
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory())
        local = stack.enter_context(LocalLambda(isolation="process"))
        ministack = stack.enter_context(started())
        rates = [
            Rate(_title(name, callers), callers, target, invoke)
            for name in FUNCTIONS
            for invoke in [_deployed(name, Path(folder), local, ministack)]
            for callers, target in TARGETS.items()
        ]
        for rate in rates:  # starts the environments
            _rate("ministack", rate.invoke["ministack"], rate.callers)
            _rate("lambdakit", rate.invoke["lambdakit"], rate.callers)
        for number in range(ROUNDS):
            for rate in rates:
                rate.take(number)
    return [rate.figure() for rate in rates]


def _deployed(name: str, folder: Path, local: LocalLambda, ministack: Ministack) -> dict[Service, Invoke]:
    (folder / f"{name}.py").write_text(FUNCTIONS[name])
    function = local.deploy(f"{name}.handler", task_root=folder)
    return {
        "ministack": ministack.deploy(name, FUNCTIONS[name]),
        "lambdakit": lambda event: function.invoke(event).payload,
    }


def _title(name: str, callers: int) -> str:
    return f"{name}, {'one at a time' if callers == 1 else f'{callers} callers'}"


def _rate(service: Service, invoke: Invoke, callers: int) -> float:
    """Invocations a second of so many callers, each in a thread of its own."""
    begun = time.perf_counter()

    def call(_number: int) -> int:
        done = 0
        while time.perf_counter() - begun < SAMPLE:
            if (reply := invoke(EVENT)) != EVENT:
                raise WrongAnswer(f"{service} answered {reply!r:.500}")
            done += 1
        return done

    with ThreadPoolExecutor(callers) as pool:
        done = sum(pool.map(call, range(callers)))
    return done / (time.perf_counter() - begun)
