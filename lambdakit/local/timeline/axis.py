"""The time axis of a timeline: long stretches in which nothing happens are cut out of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, log10

BREAK_WIDTH = 30
"""Pixels that stand for a stretch that is cut out."""
_MOST_BREAKS = 10
_TICK_DISTANCE = 84
_STEPS = (
    *(digit * 10.0**exponent for exponent in range(-6, 0) for digit in (1, 2, 5)),
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3_600 * hours for hours in (1, 2, 3, 6, 12)),
    *(86_400 * digit * 10**exponent for exponent in range(6) for digit in (1, 2, 5)),
)

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the axis that is drawn: from ``start`` to ``end`` in seconds, from ``left`` to ``right`` in pixels."""

    start: float
    end: float
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Break:
    """A part that is not: ``seconds`` long, drawn from ``left`` to ``right`` in pixels."""

    seconds: float
    left: float
    right: float


class Axis:
    """Where a time is on the page. The scale is the same in every stretch.

    Args:
        intervals: When something happens, in seconds.
        left, right: The edges, in pixels.
    """

    def __init__(self, intervals: Iterable[Interval], left: float, right: float) -> None:
        shown = _shown(_merged(intervals))
        seconds = sum(end - start for start, end in shown)
        self.scale = (right - left - BREAK_WIDTH * (len(shown) - 1)) / seconds
        self.stretches: list[Stretch] = []
        for start, end in shown:
            edge = left + (end - start) * self.scale
            self.stretches.append(Stretch(start, end, left, edge))
            left = edge + BREAK_WIDTH
        self._starts = [stretch.start for stretch in self.stretches]

    @property
    def breaks(self) -> list[Break]:
        """What was cut out."""
        pairs = pairwise(self.stretches)
        return [Break(after.start - before.end, before.right, after.left) for before, after in pairs]

    def x(self, seconds: float) -> float:
        """Where that time is, in pixels."""
        stretch = self.stretches[max(0, bisect_right(self._starts, seconds) - 1)]
        return min(stretch.right, max(stretch.left, stretch.left + (seconds - stretch.start) * self.scale))

    def ticks(self) -> list[tuple[float, str]]:
        """Where to mark the time, and how; every stretch has a mark."""
        step = next((step for step in _STEPS if step * self.scale >= _TICK_DISTANCE), _STEPS[-1])
        return [(self.x(at), time_text(at, step)) for stretch in self.stretches for at in _ticks(stretch, step)]


def time_text(seconds: float, step: float = 0) -> str:
    """A time or a duration for people: ``250 ms``, ``1.5 s``, ``3 min 20 s``, ``2 h``.

    Args:
        seconds: The time.
        step: Tell it to so many seconds; by default to about three digits.
    """
    step = step or 10.0 ** (ceil(log10(abs(seconds))) - 3 if seconds else 0)
    if abs(seconds) < 1 and step < 1 and seconds:
        return _small(seconds, step)
    digits = max(0, ceil(-log10(min(step, 1)) - 1e-9))
    whole = round(seconds, digits)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    last = f"{rest:.{digits}f}".rstrip("0").rstrip(".") if digits else str(round(rest))
    parts = [(days, f"{days} d"), (hours, f"{hours} h"), (minutes, f"{minutes} min"), (last != "0", f"{last} s")]
    return " ".join(text for amount, text in parts if amount) or "0 s"


def _small(seconds: float, step: float) -> str:
    unit, factor = ("ms", 1e3) if step >= 1e-6 and abs(seconds) >= 1e-3 else ("µs", 1e6)
    digits = max(0, ceil(-log10(step * factor) - 1e-9))
    text = f"{seconds * factor:.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if digits else text} {unit}"


def _ticks(stretch: Stretch, step: float) -> Sequence[float]:
    first, last = ceil(stretch.start / step - 1e-9), int(stretch.end / step + 1e-9)
    return [n * step for n in range(first, last + 1)] or [(stretch.start + stretch.end) / 2]


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for start, end in sorted(intervals):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged or [(0, 1)]


def _shown(busy: list[Interval]) -> list[Interval]:
    """What is left once the long gaps are cut, with some room beside each cut."""
    cut = _cuts(busy)
    edges = [busy[0][0], *(edge for gap in cut for edge in gap), busy[-1][1]]
    shown = list(zip(edges[::2], edges[1::2], strict=True))
    seconds = sum(end - start for start, end in shown)
    shortest = min((end - start for start, end in cut), default=float("inf"))
    room = min(shortest / 4, max(seconds, 1e-3) * (0.1 if cut else 0.03) / len(shown))
    first = max(0, shown[0][0] - room) if shown[0][0] >= 0 else shown[0][0] - room
    shown = [(start - room, end + room) for start, end in shown]
    return [(first, shown[0][1]), *shown[1:]]


def _cuts(busy: list[Interval]) -> list[Interval]:
    """The gaps to cut: the longest, until none is a tenth of what is left; none, if most of the time is left anyway."""
    span = left = busy[-1][1] - busy[0][0]
    cut: list[Interval] = []
    gaps = [(before[1], after[0]) for before, after in pairwise(busy)]
    for start, end in sorted(gaps, key=lambda gap: gap[0] - gap[1])[:_MOST_BREAKS]:
        if end - start < left / _MOST_BREAKS:
            break
        cut.append((start, end))
        left -= end - start
    return sorted(cut) if left < span * 0.7 else []
