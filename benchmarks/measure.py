"""Samples of what a thing costs each contender, and how they compare."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.works import Contender, Source, contenders


@dataclass
class Measure:
    """Samples of one thing that all contenders did, taken in turns: the n-th of each are neighbours in time."""

    what: str
    source: Source
    unit: Literal["ns", "B"]
    target: float
    samples: dict[Contender, list[float]] = field(init=False)

    def __post_init__(self) -> None:
        self.samples = {name: [] for name in contenders(self.source)}

    def median(self, contender: Contender) -> float:
        """The median sample, in the measure's unit."""
        return statistics.median(self.samples[contender])

    def compared(self, contender: Contender) -> float:
        """How a contender stands beside hand-written Pydantic: more bytes, or times as long, in the median round."""
        return statistics.median(self._rounds(contender))

    def uncertainty(self, contender: Contender) -> float:
        """The standard error of ``compared``, from the middle half of the rounds."""
        rounds = self._rounds(contender)
        low, _, high = statistics.quantiles(rounds, n=4)
        return float(0.93 * (high - low) / len(rounds) ** 0.5)

    @property
    def met(self) -> bool:
        """Whether lambdakit keeps to its target."""
        return self.compared("lambdakit") <= self.target

    def _rounds(self, contender: Contender) -> list[float]:
        pairs = zip(self.samples[contender], self.samples["pydantic"], strict=True)
        return [mine - bare if self.unit == "B" else mine / bare for mine, bare in pairs]


@dataclass
class Figure:
    """Samples of something of lambdakit's alone, against a target of its own."""

    what: str
    unit: str
    target: float
    at_least: bool = False
    samples: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def median(self) -> float:
        """The median sample."""
        return statistics.median(self.samples)

    @property
    def met(self) -> bool:
        """Whether it keeps to its target."""
        return self.median >= self.target if self.at_least else self.median <= self.target
