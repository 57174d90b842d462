"""Samples of what a thing costs each contender, and how they compare; of how often lambdakit does it by itself."""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from typing import Literal

from benchmarks.works import CONTENDERS, Contender


@dataclass
class Measure:
    """Samples of one thing that all contenders did, taken in turns: the n-th of each are neighbours in time."""

    what: str
    unit: Literal["ns", "B"]
    target: float
    samples: dict[Contender, list[float]] = field(default_factory=lambda: {name: [] for name in CONTENDERS})

    def median(self, contender: Contender) -> float:
        """The median sample, in the measure's unit."""
        return statistics.median(self.samples[contender])

    def compared(self, contender: Contender) -> float:
        """How a contender stands beside hand-written Pydantic: more bytes, or times as long, in the median round."""
        return statistics.median(self._rounds(contender))

    def uncertainty(self, contender: Contender) -> float:
        """The standard error of ``compared``, from the middle half of the rounds."""
        rounds = self._rounds(contender)
        return _standard_error(rounds)

    @property
    def met(self) -> bool:
        """Whether lambdakit keeps to its target."""
        return self.compared("lambdakit") <= self.target

    def _rounds(self, contender: Contender) -> list[float]:
        pairs = zip(self.samples[contender], self.samples["pydantic"], strict=True)
        return [mine - bare if self.unit == "B" else mine / bare for mine, bare in pairs]


@dataclass(frozen=True)
class Rate:
    """Samples of how often a second lambdakit does a thing that has no contender."""

    what: str
    target: float
    samples: list[float]

    @property
    def median(self) -> float:
        """The median sample."""
        return statistics.median(self.samples)

    @property
    def uncertainty(self) -> float:
        """The standard error of the median, from the middle half of the samples."""
        return _standard_error(self.samples)

    @property
    def met(self) -> bool:
        """Whether lambdakit keeps to its target."""
        return self.median >= self.target


@dataclass(frozen=True)
class Peak:
    """The most resident memory, in bytes, of a process of lambdakit that has no contender."""

    what: str
    target: float
    size: float

    @property
    def met(self) -> bool:
        """Whether lambdakit keeps to its target."""
        return self.size <= self.target


def _standard_error(samples: list[float]) -> float:
    """That of the median."""
    low, _, high = statistics.quantiles(samples, n=4)
    return float(0.93 * (high - low) / len(samples) ** 0.5)
