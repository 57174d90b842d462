"""Schedule expressions of EventBridge rules and of EventBridge Scheduler: ``rate``, ``cron`` and ``at``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NoReturn, TypeAlias

from lambdakit.errors import LambdakitError

# The days of a month, told from the weekday of its first (1 is Sunday, as AWS counts) and from its length.
_Days: TypeAlias = Callable[[int, int], Sequence[int]]

_EARLIEST = datetime(1969, 12, 30, tzinfo=UTC)  # what cron can name, and a day around it for the time zones
_LATEST = datetime(2200, 1, 2, tzinfo=UTC)
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_FIELDS: dict[str, tuple[int, int, tuple[str, ...], str]] = {
    "minutes": (0, 59, (), "0-59 with , - * /, as 0/15"),
    "hours": (0, 23, (), "0-23 with , - * /, as 8-17"),
    "day-of-month": (1, 31, (), "1-31 with , - * ? / L W, as 1,15 or L or 15W"),
    "month": (1, 12, _MONTHS, "1-12 or JAN-DEC with , - * /, as JAN,JUL"),
    "day-of-week": (1, 7, _WEEKDAYS, "1-7 (1 is Sunday) or SUN-SAT with , - * ? L #, as MON-FRI or 6L or MON#1"),
    "year": (1970, 2199, (), "1970-2199 with , - * /, as 2026-2030"),
}


class Schedule:
    """When a rule or a schedule fires; made by ``Schedule.parse``.

    Attributes:
        expression: As AWS takes it, with single spaces.
        timezone: The IANA name of the zone that ``cron`` and ``at`` are told in; None is UTC.

    >>> noon = Schedule.parse("cron(0 12 ? * MON-FRI *)", "Europe/Berlin")
    >>> noon.next_after(datetime(2026, 1, 2, 12, 0, tzinfo=UTC)).isoformat()  # a Friday, 13:00 in Berlin
    '2026-01-05T11:00:00+00:00'
    """

    __slots__ = ("expression", "timezone")

    def __init__(self, expression: str, timezone: str | None) -> None:
        self.expression = expression
        self.timezone = timezone

    @staticmethod
    def parse(expression: str, timezone: str | None = None) -> Schedule:
        """Read a schedule expression.

        Args:
            expression: ``rate(value unit)``, ``cron(minutes hours day-of-month month day-of-week year)`` or
                ``at(yyyy-mm-ddThh:mm:ss)``. What only the lenient one of the two services takes, as
                ``rate(1 minutes)``, is refused.
            timezone: An IANA name, as ``Europe/Berlin``; None is UTC. On a machine without a time zone database it
                is taken as it is.

        Raises:
            ValueError: AWS would refuse the expression, or there is no such zone; the message says which part is
                wrong and what would be right.

        Source: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html and
        https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html

        >>> Schedule.parse("rate(5 minute)")
        Traceback (most recent call last):
        ...
        ValueError: schedule 'rate(5 minute)': with 5 the unit is minutes: rate(5 minutes).
        """
        kind, _, rest = expression.partition("(")
        try:
            if kind not in _KINDS or not rest.endswith(")"):
                _fail_for_kind(expression)
            if timezone is not None:
                _zone(timezone)
            return _KINDS[kind](rest[:-1], timezone)
        except ValueError as error:
            raise ValueError(f"schedule {expression!r}: {error}") from None

    @property
    def needs_scheduler(self) -> bool:
        """Whether only EventBridge Scheduler can do it: rules know neither time zones nor ``at``."""
        return self.timezone is not None

    def next_after(self, instant: datetime, start: datetime | None = None) -> datetime | None:
        """When the schedule fires next.

        Of ``cron`` and ``at``, a local time that a change to summer time leaves out is skipped, and one that comes
        twice in autumn fires the first time. A ``rate`` counts elapsed time; a day is 24 hours.

        Args:
            instant: Only what is later counts. Any zone, but not naive.
            start: When the schedule was set up: nothing fires before it, and a rate fires then and every period
                after it. Without it, a rate fires one period after ``instant``.

        Returns:
            The time in UTC, or None if there is none: an ``at`` that is over, a 30th of February.

        Raises:
            ValueError: a naive datetime.
            LambdakitError: the schedule has a time zone and this machine no time zone database.

        >>> rate = Schedule.parse("rate(12 hours)")
        >>> rate.next_after(datetime(2026, 1, 1, 12, tzinfo=UTC), start=datetime(2026, 1, 1, 6, tzinfo=UTC)).isoformat()
        '2026-01-01T18:00:00+00:00'
        """
        _check_aware(instant, start)
        if start is not None and start > instant:
            instant = start - timedelta.resolution
        if instant >= _LATEST:
            return None
        instant = max(instant, _EARLIEST)
        zone = self._zone()
        for local in self._local_times(instant.astimezone(zone).replace(tzinfo=None)):
            moment = local.replace(tzinfo=zone).astimezone(UTC)
            is_skipped = moment.astimezone(zone).replace(tzinfo=None) != local
            if moment > instant and not is_skipped:
                return moment
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Schedule):
            return NotImplemented
        return (self.expression, self.timezone) == (other.expression, other.timezone)

    def __hash__(self) -> int:
        return hash((self.expression, self.timezone))

    def __repr__(self) -> str:
        return f"Schedule.parse({self.expression!r}, {self.timezone!r})"

    def _local_times(self, after: datetime) -> Iterator[datetime]:
        """The times on the wall clock later than this one, in order."""
        raise NotImplementedError

    def _zone(self) -> tzinfo:
        zone = UTC if self.timezone is None else _zone(self.timezone)
        if zone is None:
            raise LambdakitError(
                f"{self!r} can't tell its times: this machine has no time zone database. "
                "Install one with: pip install tzdata"
            )
        return zone


class _Rate(Schedule):
    __slots__ = ("_period",)

    def __init__(self, body: str, timezone: str | None) -> None:
        number, space, unit = body.partition(" ")
        if not space or unit.removesuffix("s") not in ("minute", "hour", "day"):
            raise ValueError(
                f"a rate has a value, one space, and minutes, hours or days, not {body!r}: rate(5 minutes)."
            )
        value = _whole(number)
        if not value:
            raise ValueError(
                f"the value is a whole number from 1, of up to nine digits, not {number!r}: rate(5 minutes)."
            )
        units = unit.removesuffix("s") + "s"
        right = units.removesuffix("s") if value == 1 else units
        if unit != right:
            raise ValueError(f"with {value} the unit is {right}: rate({value} {right}).")
        super().__init__(f"rate({body})", timezone)
        self._period = timedelta(**{units: value})

    def next_after(self, instant: datetime, start: datetime | None = None) -> datetime | None:
        _check_aware(instant, start)
        first = (start or instant).astimezone(UTC)
        if instant < first:
            return first
        try:
            return first + ((instant - first) // self._period + 1) * self._period
        except OverflowError:  # later than Python's calendar
            return None


class _At(Schedule):
    __slots__ = ("_local_time",)

    def __init__(self, body: str, timezone: str | None) -> None:
        super().__init__(f"at({body})", timezone)
        try:
            self._local_time = datetime.fromisoformat(body)
        except ValueError:
            raise _wrong_time(body) from None
        if len(body) != 19 or self._local_time.isoformat() != body or not 1970 <= self._local_time.year <= 2199:
            raise _wrong_time(body)

    @property
    def needs_scheduler(self) -> bool:
        return True

    def _local_times(self, after: datetime) -> Iterator[datetime]:
        if self._local_time > after:
            yield self._local_time


class _Cron(Schedule):
    __slots__ = ("_days", "_hours", "_minutes", "_months", "_years")

    def __init__(self, body: str, timezone: str | None) -> None:
        fields = body.split()
        if len(fields) != 6 or fields[5] == "?":
            _fail_for_fields(fields)
        minutes, hours, day_of_month, month, day_of_week, year = fields
        super().__init__(f"cron({' '.join(fields)})", timezone)
        self._minutes = _numbers("minutes", minutes)
        self._hours = _numbers("hours", hours)
        self._months = _numbers("month", month)
        self._years = _numbers("year", year)
        if (day_of_month == "?") == (day_of_week == "?"):
            _fail_for_days(fields)
        self._days = _days_of_week(day_of_week) if day_of_month == "?" else _days_of_month(day_of_month)

    def _local_times(self, after: datetime) -> Iterator[datetime]:
        for day in self._dates(after.date()):
            for hour in self._hours:
                if datetime.combine(day, time(hour, 59)) <= after:
                    continue
                for minute in self._minutes:
                    local = datetime.combine(day, time(hour, minute))
                    if local > after:
                        yield local

    def _dates(self, first: date) -> Iterator[date]:
        for year in self._years:
            for month in self._months if year >= first.year else ():
                if (year, month) < (first.year, first.month):
                    continue
                start = date(year, month, 1)
                length = (date(year + month // 12, month % 12 + 1, 1) - start).days
                for day in self._days(start.isoweekday() % 7 + 1, length):
                    if start.replace(day=day) >= first:
                        yield start.replace(day=day)


_KINDS: dict[str, Callable[[str, str | None], Schedule]] = {"rate": _Rate, "cron": _Cron, "at": _At}


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def _wrong_time(text: str) -> ValueError:
    return ValueError(
        f"at takes a date and time from 1970 to 2199 as yyyy-mm-ddThh:mm:ss, its zone is timezone=, not {text!r}: "
        "at(2026-01-31T13:30:00)."
    )


# The fields of cron.


def _wrong(field: str, text: str) -> ValueError:
    return ValueError(f"{field} takes {_FIELDS[field][3]}, not {text!r}.")


def _numbers(field: str, text: str) -> Sequence[int]:
    """The values of a field, in order."""
    low, high, *_ = _FIELDS[field]
    if text == "*":
        return range(low, high + 1)
    if "," in text:
        return sorted({number for part in text.split(",") for number in _span(field, part, text)})
    return _span(field, text, text)


def _span(field: str, part: str, text: str) -> Sequence[int]:
    """What stands between two commas: one value or a range, or either with a step."""
    low, high, *_ = _FIELDS[field]
    bounds, slash, step = part.partition("/")
    first, dash, last = bounds.partition("-")
    stride = _whole(step) if slash else 1
    if not stride or stride > high or (slash and field == "day-of-week"):
        raise _wrong(field, text)
    start = low if bounds == "*" else _number(field, first, text)
    stop = _number(field, last, text) if dash else high if slash or bounds == "*" else start
    if stop >= start:
        return range(start, stop + 1, stride)
    if field == "year":
        raise ValueError(f"year runs from the earlier to the later, not {text!r}.")
    size = high - low + 1  # AWS has 20-2 go on past midnight; so do the others, as in Quartz, whose cron this is
    return sorted(low + (number - low) % size for number in range(start, stop + size + 1, stride))


def _number(field: str, value: str, text: str) -> int:
    low, high, names, _ = _FIELDS[field]
    if value.upper() in names:
        return low + names.index(value.upper())
    number = _whole(value)
    if number is None or not low <= number <= high:
        raise _wrong(field, text)
    return number


def _days_of_month(text: str) -> _Days:
    upper = text.upper()
    if "," in text and ("L" in upper or "W" in upper):
        raise ValueError(f"L and W stand alone in day-of-month, not in a list: {text!r}.")
    if upper == "LW":
        return lambda first, length: [_nearest_workday(length, first, length)]
    if upper.endswith("W"):
        day = _number("day-of-month", text[:-1], text)
        return lambda first, length: [_nearest_workday(day, first, length)] if day <= length else []
    if upper.startswith("L"):
        before = _days_before_last(upper)
        return lambda _, length: [length - before] if before < length else []
    numbers = _numbers("day-of-month", text)
    return lambda _, length: [day for day in numbers if day <= length]


def _days_before_last(text: str) -> int:
    before = 0 if text == "L" else _whole(text.removeprefix("L-"))
    if before is None or before > 30:
        raise _wrong("day-of-month", text)
    return before


def _nearest_workday(day: int, first: int, length: int) -> int:
    """Monday to Friday, in the same month."""
    weekday = _weekday(day, first)
    if weekday == 7:
        return day - 1 if day > 1 else day + 2
    if weekday == 1:
        return day + 1 if day < length else day - 2
    return day


def _weekday(day: int, first: int) -> int:
    return (first + day - 2) % 7 + 1


def _days_of_week(text: str) -> _Days:
    upper = text.upper()
    if "," in text and ("L" in upper or "#" in text):
        raise ValueError(f"L and # stand alone in day-of-week, not in a list: {text!r}.")
    if "#" in text:
        return _nth(text)
    if upper.endswith("L") and upper != "L":
        weekday = _number("day-of-week", text[:-1], text)
        return lambda first, length: [length - (_weekday(length, first) - weekday) % 7]
    numbers = _numbers("day-of-week", "SAT" if upper == "L" else text)
    return lambda first, length: [day for day in range(1, length + 1) if _weekday(day, first) in numbers]


def _nth(text: str) -> _Days:
    name, _, nth = text.partition("#")
    if nth not in ("1", "2", "3", "4", "5"):
        raise ValueError(f"the number after # is from 1 to 5, not {nth!r}: 2#1 or MON#1 is the first Monday.")
    weekday = _number("day-of-week", name, text)
    weeks = int(nth) - 1

    def days(first: int, length: int) -> list[int]:
        day = 1 + (weekday - first) % 7 + 7 * weeks
        return [day] if day <= length else []

    return days


# Instants and zones.


def _check_aware(*instants: datetime | None) -> None:
    for instant in instants:
        if instant is not None and instant.utcoffset() is None:
            raise ValueError(f"next_after takes an aware datetime, not {instant!r}; add tzinfo=UTC, or its zone.")


def _zone(name: str) -> tzinfo | None:
    """The zone, or None on a machine that has no time zone database."""
    from zoneinfo import ZoneInfo, available_timezones

    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no path within the database; a directory there
        known = available_timezones()
    if not known:
        return None
    from difflib import get_close_matches

    folded = {zone.lower(): zone for zone in known}
    close = get_close_matches(name.lower(), folded, 1)
    advice = f"did you mean {folded[close[0]]!r}?" if close else "take an IANA name, as 'Europe/Berlin'."
    raise ValueError(f"there is no time zone {name!r}; {advice}")


# What people write instead.


def _fail_for_kind(expression: str) -> NoReturn:
    spoken = re.fullmatch(r"(?:every\s+)?([1-9]\d*)?\s*(second|minute|hour|day)s?", expression.strip().lower())
    if spoken and spoken[2] == "second":
        raise ValueError("there are no seconds; the least is rate(1 minute).")
    if spoken:
        value = int(spoken[1] or 1)
        raise ValueError(f"write rate({value} {spoken[2]}{'' if value == 1 else 's'}).")
    if "(" not in expression and len(expression.split()) in (5, 6, 7):
        _Cron(expression, None)  # tells what else is wrong with it
        raise ValueError(f"write cron({expression}).")
    raise ValueError(
        "write rate(5 minutes), cron(0 12 * * ? *) or at(2026-01-31T13:30:00); "
        "the name is in lower case, and there are no spaces around."
    )


def _fail_for_fields(fields: list[str]) -> NoReturn:
    form = "minutes hours day-of-month month day-of-week year"
    if len(fields) == 5:
        advice = _from_unix(*fields) or "cron(0 12 ? * MON-FRI *)"
        raise ValueError(
            f"unix has five fields, AWS six, with ? for one of the days and 1 for Sunday ({form}): {advice}."
        )
    if len(fields) in (6, 7):  # Quartz: seconds first, the year last or left out
        advice = f"cron({' '.join([*fields[1:6], *(fields[6:] or ['*'])])})"
        raise ValueError(f"AWS has no seconds, its fields are {form}: {advice}.")
    raise ValueError(f"cron has six fields, not {len(fields)}: {form}, as cron(0 12 * * ? *).")


def _from_unix(minutes: str, hours: str, day_of_month: str, month: str, day_of_week: str) -> str | None:
    """The same in AWS's form, if it has one."""
    if day_of_week == "*":
        day_of_week = "?"
    elif day_of_month == "*" and "/" not in day_of_week:
        day_of_month = "?"
        day_of_week = re.sub(r"\d+", lambda number: str(int(number[0]) % 7 + 1), day_of_week)
    else:
        return None
    return f"cron({minutes} {hours} {day_of_month} {month} {day_of_week} *)"


def _fail_for_days(fields: list[str]) -> NoReturn:
    minutes, hours, day_of_month, month, day_of_week, year = fields
    if day_of_month == "?":
        day_of_week = "*"
    elif day_of_week == "*":
        day_of_week = "?"
    elif day_of_month == "*":
        day_of_month = "?"
    else:
        raise ValueError(
            f"day-of-month {day_of_month!r} and day-of-week {day_of_week!r} can't go together: put ? for one of them, "
            "or make two schedules."
        )
    right = f"cron({minutes} {hours} {day_of_month} {month} {day_of_week} {year})"
    raise ValueError(f"exactly one of day-of-month and day-of-week is ?: {right}.")
