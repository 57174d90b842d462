"""How many batches of a queue are processed at once. Decided without I/O, by what happened when.

Source: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

from __future__ import annotations

from dataclasses import dataclass

LEAST = 2
"""Batches at once that are left, whatever fails."""
_ROUNDING = 1e-6  # a fifth of a second is no binary number


@dataclass(frozen=True)
class ScalingLimits:
    """Where a mapping begins and ends, and how fast it grows: batches at once, and more of them a minute."""

    start: int = 5
    growth: int = 300
    most: int = 1_250


class Scaling:
    """The concurrency of a mapping that polls a standard queue.

    It grows only while all of it is in use, evenly (300 a minute are one each fifth of a second), and falls back to
    the start when there is nothing left to do. AWS does not publish how it backs off. Here each batch that fails or is
    throttled takes one away, though two stay, and nothing grows until a batch succeeds.

    >>> scaling = Scaling(ScalingLimits())
    >>> scaling.busy(now=0)
    >>> scaling.limit(now=0), scaling.limit(now=1), scaling.limit(now=60)
    (5, 10, 305)
    """

    __slots__ = ("_growing_since", "_limit", "_limits", "_unsettled")

    def __init__(self, limits: ScalingLimits) -> None:
        self._limits = limits
        self._limit = float(min(limits.start, limits.most))
        self._growing_since: float | None = None
        self._unsettled = False

    def limit(self, now: float) -> int:
        """How many batches may be processed at once."""
        return int(self._grown(now) + _ROUNDING)

    def next_growth(self, now: float) -> float | None:
        """When there may be one more; None if nothing grows."""
        limit = self.limit(now)
        if self._growing_since is None or limit >= self._limits.most:
            return None
        return self._growing_since + (limit + 1 - self._limit) * 60 / self._limits.growth

    def busy(self, now: float) -> None:
        """All of it is in use, and there may be more to do."""
        if self._growing_since is None and not self._unsettled:
            self._growing_since = now

    def relaxed(self, now: float) -> None:
        """Not all of it is in use."""
        self._limit = self._grown(now)
        self._growing_since = None

    def idle(self) -> None:
        """There is nothing left to do."""
        self._growing_since = None
        self._limit = min(self._limit, float(self._limits.start))

    def succeeded(self) -> None:
        """A batch did not fail."""
        self._unsettled = False

    def failed(self, now: float) -> None:
        """A batch failed, or was throttled."""
        self._limit = max(self._grown(now) - 1, float(min(LEAST, self._limits.most)))
        self._growing_since = None
        self._unsettled = True

    def _grown(self, now: float) -> float:
        if self._growing_since is None:
            return self._limit
        grown = self._limit + (now - self._growing_since) * self._limits.growth / 60
        return min(grown, float(self._limits.most))
