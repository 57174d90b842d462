"""What a timeline draws in a row: attempts as bars, those too small to tell apart drawn as one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lambdakit.local.timeline.axis import time_text

if TYPE_CHECKING:
    from lambdakit.local.timeline.axis import Axis
    from lambdakit.local.timeline.timeline import Entry

MOST_BARS = 15_000
"""More than these no browser draws at ease."""
NARROW = 2.5
"""Pixels below which neighbours become one bar."""
KINDS = ("running", "init", "ok", "error", "timeout", "crash")
"""From the least to the most important: the latter is drawn upon the former, so that no failure is hidden."""


@dataclass(slots=True)
class Bar:
    """One attempt, or several that are too small to tell apart.

    Attributes:
        kind: Its colour: a state, or ``"init"``.
        left, right: Its edges in pixels.
        entry: The attempt, or the first of them.
        count: Of how many.
        until: When the last of them ended.
        covered: How many of its pixels they take; the rest is what was between them.
    """

    kind: str
    left: float
    right: float
    entry: Entry
    count: int
    until: float
    covered: float = 0

    @property
    def density(self) -> float:
        """How full it is, from 0 to 1; overlapping attempts fill it once."""
        return 1 if self.count == 1 else min(1, self.covered / max(self.right - self.left, 0.1))

    @property
    def title(self) -> str:
        """What the tooltip says."""
        return attempt_title(self.entry) if self.count == 1 else f"{self._several}{_reason(self.entry)}"

    @property
    def _several(self) -> str:
        span = f"{time_text(self.entry.at, 1e-3)} to {time_text(self.until, 1e-3)}"
        return f"{self.count:,} invocations: {self.kind}\n{span}"


def attempt_title(entry: Entry) -> str:
    """What the tooltip of one attempt says."""
    invocation = entry.invocation
    lines = [f"{invocation.function} #{entry.number}: {entry.state}"]
    if invocation.attempt > 1:
        lines[0] += f", attempt {invocation.attempt}"
    lines.append(f"{time_text(entry.at, 1e-3)} to {time_text(entry.until, 1e-3)}, environment {invocation.environment}")
    if invocation.init_duration is not None:
        lines.append(f"init {time_text(invocation.init_duration)}")
    if invocation.duration is not None:
        lines.append(f"duration {time_text(invocation.duration)}")
    return "\n".join(lines) + _reason(entry)


def lanes_of_bars(lanes: Sequence[Sequence[Entry]], axis: Axis, *, shared: bool) -> list[list[Bar]]:
    """The bars of each lane, in the order to draw them.

    Args:
        lanes: The attempts of each lane, in order of time.
        axis: Where a time is.
        shared: Whether several environments share a lane, so that their bars overlap.
    """
    bars = [[bar for entry in lane for bar in _bars(entry, axis)] for lane in lanes]
    narrow = float("inf") if shared else NARROW
    gap = 0.5
    drawn = [_merged(lane, narrow, gap) for lane in bars]
    while sum(map(len, drawn)) > MOST_BARS and gap < axis.stretches[-1].right:
        narrow, gap = narrow * 2, gap * 2
        drawn = [_merged(lane, narrow, gap) for lane in bars]
    return drawn


def _bars(entry: Entry, axis: Axis) -> list[Bar]:
    left, right = axis.x(entry.at), axis.x(entry.until)
    init = entry.invocation.init_duration
    if init is None:
        return [Bar(entry.state, left, right, entry, 1, entry.until)]
    middle = axis.x(min(entry.at + init, entry.until))
    started = Bar("init", left, middle, entry, 1, entry.at + init)
    return [started, Bar(entry.state, middle, right, entry, 1, entry.until)]


def _merged(bars: Sequence[Bar], narrow: float, gap: float) -> list[Bar]:
    """The wide ones as they are; the others of each kind as runs, without what is between them if less than the gap."""
    drawn = [bar for bar in bars if bar.right - bar.left >= narrow]
    for kind in KINDS:
        drawn += _runs((bar for bar in bars if bar.kind == kind and bar.right - bar.left < narrow), gap)
    return drawn


def _runs(bars: Iterable[Bar], gap: float) -> list[Bar]:
    runs: list[Bar] = []
    for bar in bars:
        right = max(bar.right, bar.left + NARROW - 0.5)
        if runs and bar.left <= runs[-1].right + gap:
            run = runs[-1]
            run.right, run.until, run.count = max(run.right, right), max(run.until, bar.until), run.count + 1
            run.covered += right - bar.left
        else:
            runs.append(Bar(bar.kind, bar.left, right, bar.entry, 1, bar.until, right - bar.left))
    return runs


def _reason(entry: Entry) -> str:
    return f"\n{entry.message}" if entry.message else ""
