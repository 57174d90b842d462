"""A real clock for tests that have no time."""

from __future__ import annotations

from selectors import SelectorKey

from lambdakit.local.process.clock import RealClock


class JumpingClock(RealClock):
    """Skips the time in which somebody waits, and nothing happens nor is expected from outside."""

    skipped = 0.0

    @property
    def now(self) -> float:
        return super().now + self.skipped

    def _pause(self, seconds: float | None) -> list[tuple[SelectorKey, int]]:
        if seconds is None or self._expected or not self._waiters:
            return super()._pause(seconds)
        ready = super()._pause(0)
        if not ready:
            self.skipped += seconds
        return ready
