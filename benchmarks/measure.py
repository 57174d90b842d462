"""Samples of what a thing costs each contender, and how they compare."""

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
        return standard_error(self._rounds(contender))

    @property
    def met(self) -> bool:
        """Whether lambdakit keeps to its target."""
        return self.compared("lambdakit") <= self.target

    def _rounds(self, contender: Contender) -> list[float]:
        pairs = zip(self.samples[contender], self.samples["pydantic"], strict=True)
        return [mine - bare if self.unit == "B" else mine / bare for mine, bare in pairs]


def standard_error(values: list[float]) -> float:
    """That of the median, from the middle half of the values."""
    low, _, high = statistics.quantiles(values, n=4)
    return float(0.93 * (high - low) / len(values) ** 0.5)
