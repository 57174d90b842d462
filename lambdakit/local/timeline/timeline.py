"""What happened in a local Lambda, in order of time: as text to compare, as a picture and a page to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lambdakit.local.outcome import Failure

if TYPE_CHECKING:
    from lambdakit.local.invocation import Invocation

State = Literal["ok", "error", "timeout", "crash", "running", "throttle", "refused", "waiting"]
"""How an attempt ended. The last three did not run: throttled, refused as too large, not yet placed."""

_NOT_RUN = ("throttle", "refused", "waiting")
_FAILURES: dict[str, State] = {"timeout": "timeout", "exit": "crash"}
_LONGEST_MESSAGE = 200
_COLUMNS = ("arrived", "started", "ended", "function", "request", "attempt", "environment", "init", "outcome")


@dataclass(frozen=True, slots=True)
class Entry:
    """One attempt, as a timeline shows it.

    Attributes:
        number: Its request's, from 1 in order of arrival; every attempt of a request has the same.
        invocation: The attempt itself.
        state: How it ended.
        at: When it began in its environment, or was turned away, in seconds.
        until: When it ended; of what still runs, the end of the timeline.
    """

    number: int
    invocation: Invocation
    state: State
    at: float
    until: float

    @property
    def ran(self) -> bool:
        """Whether it reached an environment."""
        return self.state not in _NOT_RUN

    @property
    def failed(self) -> bool:
        """Whether it ran, and not to its end."""
        return self.state in ("error", "timeout", "crash")

    @property
    def message(self) -> str:
        """Why it failed or did not run, on one line; the request's number in place of its ID, which is chance."""
        error = self.invocation.error
        if self.invocation.throttle is not None:
            return self.invocation.throttle
        if error is None:
            return ""
        text = f"{error.type}: {error.message}".replace(self.invocation.request_id or "\0", f"#{self.number}")
        line = "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text[:1_000])
        return line if len(line) <= _LONGEST_MESSAGE else f"{line[: _LONGEST_MESSAGE - 1]}…"


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of a timeline, counted as CloudWatch does: what is throttled is no invocation. Durations in s."""

    requests: int
    invocations: int
    cold_starts: int
    throttles: int
    errors: int
    max_concurrency: int
    p50: float | None
    p95: float | None

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> Summary:
        """Count them."""
        ran = [entry for entry in entries if entry.ran]
        durations = sorted(entry.invocation.duration for entry in ran if entry.invocation.duration is not None)
        return cls(
            requests=len({entry.number for entry in entries}),
            invocations=len(ran),
            cold_starts=sum(entry.invocation.cold_start for entry in ran),
            throttles=sum(entry.state == "throttle" for entry in entries),
            errors=sum(entry.failed for entry in ran),
            max_concurrency=max((count for _, count in concurrency(ran)), default=0),
            p50=percentile(durations, 50),
            p95=percentile(durations, 95),
        )

    def __str__(self) -> str:
        parts = [
            f"{self.requests} requests, {self.invocations} invocations, {self.cold_starts} cold starts",
            f"{self.throttles} throttles, {self.errors} errors, max concurrency {self.max_concurrency}",
        ]
        if self.p50 is not None and self.p95 is not None:
            parts.append(f"p50 {_seconds(self.p50)} s, p95 {_seconds(self.p95)} s")
        return ", ".join(parts)


class Timeline:
    """The attempts of a local Lambda, as they stand when it is made.

    Args:
        invocations: In any order; ties are left in the order given.
        limits: How many invocations of a function may run at once, by the function's name.
        account_concurrency: How many of all functions may.
        now: When the timeline ends, for what still runs; by default when the last thing happened.

    Attributes:
        entries: The attempts, in order of time.
        summary: Their numbers.
    """

    def __init__(
        self,
        invocations: Iterable[Invocation],
        *,
        limits: Mapping[str, int] | None = None,
        account_concurrency: int | None = None,
        now: float | None = None,
    ) -> None:
        self.limits = dict(limits or {})
        self.account_concurrency = account_concurrency
        arrivals = sorted(invocations, key=lambda invocation: invocation.arrived)
        now = _last(arrivals) if now is None else now
        numbers: dict[tuple[str, str], int] = {}
        self.entries = [
            _entry(each, numbers.setdefault((each.function, each.request_id), len(numbers) + 1), now)
            for each in arrivals
        ]
        self.entries.sort(key=lambda entry: (entry.at, entry.number, entry.invocation.attempt))
        self.summary = Summary.of(self.entries)

    @property
    def functions(self) -> dict[str, list[Entry]]:
        """The attempts of each function, the function that was asked for first at the top."""
        functions: dict[str, list[Entry]] = {}
        for entry in self.entries:
            functions.setdefault(entry.invocation.function, []).append(entry)
        return functions

    def to_text(self) -> str:
        """A line an attempt, in columns, and the summary: the same history gives the same bytes. Times in seconds."""
        rows = [_COLUMNS, *map(_row, self.entries)]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        return "\n".join([*lines, str(self.summary)]) + "\n"

    __str__ = to_text

    def svg(self) -> str:
        """A picture: a row an execution environment, and concurrency beneath."""
        from lambdakit.local.timeline.svg import drawing

        return drawing(self)

    def html(self) -> str:
        """One self-contained page: the picture, and a table of the invocations with their logs."""
        from lambdakit.local.timeline.html import page

        return page(self)

    def to_svg(self, path: str | Path) -> Path:
        """Write the picture."""
        return _written(path, self.svg())

    def to_html(self, path: str | Path) -> Path:
        """Write the page."""
        return _written(path, self.html())


def concurrency(entries: Iterable[Entry]) -> list[tuple[float, int]]:
    """How many ran at once, from each time at which that changed.

    At one time ends come before starts, and what took no time comes last, one after the other.
    """
    changes: list[tuple[float, int, int, int]] = []
    for number, entry in enumerate(entries):
        if entry.ran:
            instant = entry.until == entry.at
            changes.append((entry.at, 2 if instant else 1, number, 1))
            changes.append((entry.until, 2 if instant else 0, number, -1))
    changes.sort(key=lambda change: change[:3])
    steps: list[tuple[float, int]] = []
    count = 0
    for when, _, _, change in changes:
        count += change
        steps.append((when, count))
    return steps


def percentile(ordered: Sequence[float], percent: float) -> float | None:
    """The smallest of them that so many percent do not exceed."""
    return ordered[max(0, ceil(len(ordered) * percent / 100) - 1)] if ordered else None


def _entry(invocation: Invocation, number: int, now: float) -> Entry:
    state = _state(invocation)
    at = invocation.arrived if invocation.started is None else invocation.started
    if state in ("throttle", "refused") and invocation.ended is not None:
        at = invocation.ended
    until = now if invocation.ended is None else invocation.ended
    return Entry(number, invocation, state, at, max(at, until))


def _state(invocation: Invocation) -> State:
    if invocation.throttle is not None:
        return "throttle"
    if invocation.ended is None:
        return "waiting" if invocation.environment is None else "running"
    if isinstance(invocation.outcome, Failure):
        return _FAILURES.get(invocation.outcome.cause, "error")
    if invocation.error is None:
        return "ok"
    return "error" if invocation.started is not None else "refused"


def _last(invocations: Iterable[Invocation]) -> float:
    return max((each.arrived if each.ended is None else each.ended for each in invocations), default=0.0)


def _row(entry: Entry) -> tuple[str, ...]:
    invocation = entry.invocation
    return (
        _seconds(invocation.arrived),
        _seconds(entry.at) if entry.ran else "-",
        _seconds(invocation.ended),
        _printable(invocation.function),
        f"#{entry.number}",
        str(invocation.attempt),
        "-" if invocation.environment is None else str(invocation.environment),
        _seconds(invocation.init_duration),
        f"{entry.state} {entry.message}".rstrip(),
    )


def _seconds(value: float | None) -> str:
    """To the microsecond; to the millisecond, where that is all there is to tell."""
    if value is None:
        return "-"
    return f"{value:.6f}".removesuffix("000")


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _written(path: str | Path, text: str) -> Path:
    path = Path(path)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path
