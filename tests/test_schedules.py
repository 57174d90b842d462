"""Schedule expressions: what is one, what people write instead, and when it fires, checked by brute force."""

import calendar
import itertools
import re
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit.errors import LambdakitError
from lambdakit.schedules import Schedule

has_zones = pytest.mark.skipif(not zoneinfo.available_timezones(), reason="this machine has no time zone database")


LOS_ANGELES = "America/Los_Angeles"


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def fires(expression: str, after: str, timezone: str | None = None, count: int = 2) -> list[str]:
    """The next times, in UTC, without the seconds that are always 00."""
    times = occurrences(Schedule.parse(expression, timezone), utc(after))
    return [moment.isoformat(" ").removesuffix(":00+00:00") for moment in itertools.islice(times, count)]


def occurrences(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    while moment := schedule.next_after(after):
        yield moment
        after = moment


# What is a schedule.


@pytest.mark.parametrize(
    "expression",
    [
        "rate(1 minute)",
        "rate(5 minutes)",
        "rate(1 hour)",
        "rate(12 hours)",
        "rate(1 day)",
        "rate(999999999 days)",
        "at(2022-11-20T13:00:00)",
        "at(2199-12-31T23:59:59)",
        # taken by EventBridge when they were tried
        "cron(0 2 ? * SAT *)",
        "cron(0 12 * * ? *)",
        "cron(5,35 14 * * ? *)",
        "cron(15 10 ? * 6L 2002-2005)",
        "cron(0 2 ? * SAT#3 *)",
        "cron(0/5 5 ? JAN 1-5 2022)",
        "cron(0/30 20-23 ? * MON-FRI *)",
        "cron(0-15/1 8-8 ? * 2,3,4,5,6,7 *)",
        "cron(* * ? * mon-sun *)",
        "cron(0 21 LW * ? *)",
        "cron(0 0 1 1-12/3 ? *)",
        # in the guides
        "cron(0/30 20-2 ? * MON-FRI *)",
        "cron(0 0 3W * ? *)",
        "cron(0 0 ? * L *)",
        "cron(0 0 L-3 * ? *)",
    ],
)
def test_a_schedule_that_aws_takes_keeps_its_expression(expression: str) -> None:
    """What is right comes out as it went in."""
    assert Schedule.parse(expression).expression == expression


def test_the_fields_of_cron_are_parted_by_single_spaces() -> None:
    """AWS parts them by white space; a template gets the plain form."""
    assert Schedule.parse("cron( 0  12\t* * ?  * )").expression == "cron(0 12 * * ? *)"


FORMS = (
    "write rate(5 minutes), cron(0 12 * * ? *) or at(2026-01-31T13:30:00); "
    "the name is in lower case, and there are no spaces around."
)
SIX = "minutes hours day-of-month month day-of-week year"
UNIX = f"unix has five fields, AWS six, with ? for one of the days and 1 for Sunday ({SIX}): "
MINUTES = "minutes takes 0-59 with , - * /, as 0/15, not "
HOURS = "hours takes 0-23 with , - * /, as 8-17, not "
DAYS = "day-of-month takes 1-31 with , - * ? / L W, as 1,15 or L or 15W, not "
MONTHS = "month takes 1-12 or JAN-DEC with , - * /, as JAN,JUL, not "
WEEKDAYS = "day-of-week takes 1-7 (1 is Sunday) or SUN-SAT with , - * ? L #, as MON-FRI or 6L or MON#1, not "
YEARS = "year takes 1970-2199 with , - * /, as 2026-2030, not "
VALUE = "the value is a whole number from 1, of up to nine digits, not {!r}: rate(5 minutes)."
RATE = "a rate has a value, one space, and minutes, hours or days, not {!r}: rate(5 minutes)."
AT = (
    "at takes a date and time from 1970 to 2199 as yyyy-mm-ddThh:mm:ss, its zone is timezone=, not {!r}: "
    "at(2026-01-31T13:30:00)."
)
ONE = "exactly one of day-of-month and day-of-week is ?: "

WRONG = [
    ("", FORMS),
    ("hourly", FORMS),
    (" rate(10 minutes)", FORMS),
    ("RATE(10 minutes)", FORMS),
    ("rate(10 minutes", FORMS),
    ("every 5 minutes", "write rate(5 minutes)."),
    ("Every minute", "write rate(1 minute)."),
    ("1 hours", "write rate(1 hour)."),
    ("every 30 seconds", "there are no seconds; the least is rate(1 minute)."),
    ("rate()", RATE.format("")),
    ("rate(10)", RATE.format("10")),
    ("rate(10 seconds)", RATE.format("10 seconds")),
    ("rate(10 minutess)", RATE.format("10 minutess")),
    ("rate(10 MINUTES)", RATE.format("10 MINUTES")),
    ("rate( 10 minutes )", RATE.format(" 10 minutes ")),
    ("rate(1 minutes)", "with 1 the unit is minute: rate(1 minute)."),
    ("rate(5 hour)", "with 5 the unit is hours: rate(5 hours)."),
    ("rate(foo minutes)", VALUE.format("foo")),
    ("rate(0 minutes)", VALUE.format("0")),
    ("rate(-10 minutes)", VALUE.format("-10")),
    ("rate(1.5 hours)", VALUE.format("1.5")),
    ("rate(1000000000 days)", VALUE.format("1000000000")),
    ("cron()", f"cron has six fields, not 0: {SIX}, as cron(0 12 * * ? *)."),
    ("cron(*/5 * * * *)", f"{UNIX}cron(*/5 * * * ? *)."),
    ("cron(0 9 * * 0,5-7)", f"{UNIX}cron(0 9 ? * 1,6-1 *)."),
    ("cron(0 9 * * */2)", f"{UNIX}cron(0 12 ? * MON-FRI *)."),
    ("cron(0 9 1 * 1)", f"{UNIX}cron(0 12 ? * MON-FRI *)."),
    ("0 9 * * MON-FRI", f"{UNIX}cron(0 9 ? * MON-FRI *)."),
    ("0 9 * * ? *", "write cron(0 9 * * ? *)."),
    ("0 24 * * ? *", f"{HOURS}'24'."),
    ("cron(0 0 12 * * ?)", f"AWS has no seconds, its fields are {SIX}: cron(0 12 * * ? *)."),
    ("cron(0 0 12 * * ? 2026)", f"AWS has no seconds, its fields are {SIX}: cron(0 12 * * ? 2026)."),
    ("cron(0 1 * * * *)", f"{ONE}cron(0 1 * * ? *)."),
    ("cron(0 1 ? * ? *)", f"{ONE}cron(0 1 ? * * *)."),
    ("cron(0 1 5 * * *)", f"{ONE}cron(0 1 5 * ? *)."),
    ("cron(0 1 * * MON *)", f"{ONE}cron(0 1 ? * MON *)."),
    (
        "cron(0 1 5 * MON *)",
        "day-of-month '5' and day-of-week 'MON' can't go together: put ? for one of them, or make two schedules.",
    ),
    ("cron(71 8 1 * ? *)", f"{MINUTES}'71'."),
    ("cron(*/60 * * * ? *)", f"{MINUTES}'*/60'."),
    ("cron(0/0 * * * ? *)", f"{MINUTES}'0/0'."),
    ("cron(5- * * * ? *)", f"{MINUTES}'5-'."),
    ("cron(1,,2 * * * ? *)", f"{MINUTES}'1,,2'."),
    ("cron(? * * * ? *)", f"{MINUTES}'?'."),
    ("cron(0 24 * * ? *)", f"{HOURS}'24'."),
    ("cron(0 dummy ? * MON-FRI *)", f"{HOURS}'dummy'."),
    ("cron(0 0 32 * ? *)", f"{DAYS}'32'."),
    ("cron(0 0 0 * ? *)", f"{DAYS}'0'."),
    ("cron(0 0 W * ? *)", f"{DAYS}'W'."),
    ("cron(0 0 32W * ? *)", f"{DAYS}'32W'."),
    ("cron(0 0 L-31 * ? *)", f"{DAYS}'L-31'."),
    ("cron(0 0 L3 * ? *)", f"{DAYS}'L3'."),
    ("cron(0 0 1,L * ? *)", "L and W stand alone in day-of-month, not in a list: '1,L'."),
    ("cron(0 0 15w,1 * ? *)", "L and W stand alone in day-of-month, not in a list: '15w,1'."),
    ("cron(0 0 1 13 ? *)", f"{MONTHS}'13'."),
    ("cron(0 0 1 JUNE ? *)", f"{MONTHS}'JUNE'."),
    ("cron(0 0 1 1/13 ? *)", f"{MONTHS}'1/13'."),
    ("cron(0 0 ? * 0 *)", f"{WEEKDAYS}'0'."),
    ("cron(0 0 ? * NOT *)", f"{WEEKDAYS}'NOT'."),
    ("cron(0 0 ? * MON/2 *)", f"{WEEKDAYS}'MON/2'."),
    ("cron(0 0 ? * 8L *)", f"{WEEKDAYS}'8L'."),
    ("cron(0 0 ? * 8#1 *)", f"{WEEKDAYS}'8#1'."),
    (
        "cron(0 0 ? * 3#6 *)",
        "the number after # is from 1 to 5, not '6': 2#1 or MON#1 is the first Monday.",
    ),
    ("cron(0 0 ? * 3#1,6#3 *)", "L and # stand alone in day-of-week, not in a list: '3#1,6#3'."),
    ("cron(0 0 ? * 6l,1 *)", "L and # stand alone in day-of-week, not in a list: '6l,1'."),
    ("cron(0 0 1 1 ? 1969)", f"{YEARS}'1969'."),
    ("cron(0 0 1 1 ? 2200)", f"{YEARS}'2200'."),
    ("cron(0 0 1 1 ? 2030-2026)", "year runs from the earlier to the later, not '2030-2026'."),
    ("at(2021-12-31)", AT.format("2021-12-31")),
    ("at(2021-12-31T23:59:59Z)", AT.format("2021-12-31T23:59:59Z")),
    ("at(2021-12-31 23:59:59)", AT.format("2021-12-31 23:59:59")),
    ("at(2026-02-30T00:00:00)", AT.format("2026-02-30T00:00:00")),
    ("at(2022-W01-1T13:00:00)", AT.format("2022-W01-1T13:00:00")),
    ("at(1969-12-31T00:00:00)", AT.format("1969-12-31T00:00:00")),
    ("at(2200-01-01T00:00:00)", AT.format("2200-01-01T00:00:00")),
]


@pytest.mark.parametrize(("expression", "problem"), WRONG)
def test_a_wrong_expression_says_which_part_is_wrong_and_what_is_right(expression: str, problem: str) -> None:
    """What AWS would refuse is refused when it is read."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        Schedule.parse(expression)

    assert str(error.value) == f"schedule {expression!r}: {problem}"


def test_what_an_error_proposes_is_right() -> None:
    """Every expression that a message tells to write is one."""
    proposed = {text for _, problem in WRONG for text in re.findall(r"(?:rate|cron|at)\([^()]*\)", problem)}

    assert {Schedule.parse(text).expression for text in proposed} == proposed


@given(st.text(max_size=30) | st.text("0123456789*,-/?LW# ", max_size=30).map("cron({})".format))
def test_any_text_is_a_schedule_or_a_value_error(text: str) -> None:
    """There is no other way out, and an expression that came out goes in again."""
    try:
        outcome = Schedule.parse(text).expression
    except ValueError as error:
        outcome = str(error)

    assert outcome.startswith(f"schedule {text!r}: ") or Schedule.parse(outcome).expression == outcome


@pytest.mark.parametrize(
    ("expression", "timezone", "needs"),
    [
        ("rate(5 minutes)", None, False),
        ("cron(0 12 * * ? *)", None, False),
        ("at(2026-01-31T13:30:00)", None, True),
        pytest.param("rate(5 minutes)", "Europe/Berlin", True, marks=has_zones),
        pytest.param("cron(0 12 * * ? *)", "UTC", True, marks=has_zones),
    ],
)
def test_one_time_schedules_and_time_zones_need_the_scheduler(
    expression: str, timezone: str | None, needs: bool
) -> None:
    """Rules have no at and no time zone."""
    assert Schedule.parse(expression, timezone).needs_scheduler is needs


@has_zones
@pytest.mark.parametrize(
    ("timezone", "advice"),
    [
        ("Europe/Berln", "did you mean 'Europe/Berlin'?"),
        ("america/new_york", "did you mean 'America/New_York'?"),
        ("EUROPE/BERLIN", "did you mean 'Europe/Berlin'?"),
        ("Marsopolis", "take an IANA name, as 'Europe/Berlin'."),
        ("", "take an IANA name, as 'Europe/Berlin'."),
        ("../../x", "take an IANA name, as 'Europe/Berlin'."),
    ],
)
def test_an_unknown_time_zone_is_an_error_that_names_a_like_one(timezone: str, advice: str) -> None:
    """IANA names are compared as they are written."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole message is compared
        Schedule.parse("rate(1 day)", timezone)

    assert str(error.value) == f"schedule 'rate(1 day)': there is no time zone {timezone!r}; {advice}"


@pytest.fixture
def no_zones(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a time zone database, as a small container image is."""

    def not_found(key: str) -> zoneinfo.ZoneInfo:
        raise zoneinfo.ZoneInfoNotFoundError(key)

    monkeypatch.setattr(zoneinfo, "ZoneInfo", not_found)
    monkeypatch.setattr(zoneinfo, "available_timezones", set)


@pytest.mark.usefixtures("no_zones")
def test_without_a_time_zone_database_a_zone_is_taken_as_it_is() -> None:
    """A function that only declares its schedule must not fail for the lack of one."""
    assert Schedule.parse("cron(0 12 * * ? *)", "Europe/Berlin").timezone == "Europe/Berlin"


@pytest.mark.usefixtures("no_zones")
def test_without_a_time_zone_database_the_times_are_an_error_that_says_what_to_install() -> None:
    """The times of a zone can't be guessed."""
    schedule = Schedule.parse("cron(0 12 * * ? *)", "Europe/Berlin")

    with pytest.raises(LambdakitError, match=r"no time zone database. Install one with: pip install tzdata$"):
        schedule.next_after(utc("2026-01-01"))


def test_schedules_are_equal_when_they_say_the_same() -> None:
    """Expression and zone make a schedule."""
    schedules = {
        Schedule.parse("cron(0 12 * * ? *)"),
        Schedule.parse("cron(0  12 * * ? *)"),
        Schedule.parse("rate(1 day)"),
    }

    assert sorted(map(repr, schedules)) == [
        "Schedule.parse('cron(0 12 * * ? *)', None)",
        "Schedule.parse('rate(1 day)', None)",
    ]


# When it fires.


@pytest.mark.parametrize(
    ("expression", "after", "times"),
    [
        ("cron(0 10 * * ? *)", "2026-01-01T10:00", ["2026-01-02 10:00", "2026-01-03 10:00"]),
        ("cron(0 10 * * ? *)", "2026-01-01T09:59:59.999999", ["2026-01-01 10:00", "2026-01-02 10:00"]),
        ("cron(0/15 * * * ? *)", "2026-12-31T23:40", ["2026-12-31 23:45", "2027-01-01 00:00"]),
        ("cron(1/20 8 * * ? *)", "2026-01-01", ["2026-01-01 08:01", "2026-01-01 08:21"]),
        ("cron(58-2 0 * * ? *)", "2026-01-01T00:01", ["2026-01-01 00:02", "2026-01-01 00:58"]),
        ("cron(0 20-2/2 * * ? *)", "2026-01-01T21:00", ["2026-01-01 22:00", "2026-01-02 00:00"]),
        ("cron(0 18 ? * MON-FRI *)", "2026-01-01T18:00", ["2026-01-02 18:00", "2026-01-05 18:00"]),
        ("cron(0 0 ? * FRI-MON *)", "2026-01-04", ["2026-01-05 00:00", "2026-01-09 00:00"]),
        ("cron(0 0 1 NOV-FEB ? *)", "2026-11-01", ["2026-12-01 00:00", "2027-01-01 00:00"]),
        ("cron(15 10 ? * 6L 2022-2023)", "2023-10-28", ["2023-11-24 10:15", "2023-12-29 10:15"]),
        ("cron(0 0 ? * 3#2 *)", "2026-01-01", ["2026-01-13 00:00", "2026-02-10 00:00"]),
        ("cron(0 0 ? * SUN#5 *)", "2026-01-01", ["2026-03-29 00:00", "2026-05-31 00:00"]),
        ("cron(0 0 ? * L *)", "2026-01-01", ["2026-01-03 00:00", "2026-01-10 00:00"]),
        ("cron(0 0 L * ? *)", "2028-01-01", ["2028-01-31 00:00", "2028-02-29 00:00"]),
        ("cron(0 0 L-30 * ? *)", "2026-01-02", ["2026-03-01 00:00", "2026-05-01 00:00"]),
        ("cron(0 0 LW * ? *)", "2026-05-01", ["2026-05-29 00:00", "2026-06-30 00:00"]),
        ("cron(0 0 1W * ? *)", "2026-01-02", ["2026-02-02 00:00", "2026-03-02 00:00"]),
        ("cron(0 0 1W 8 ? *)", "2026-01-01", ["2026-08-03 00:00", "2027-08-02 00:00"]),
        ("cron(0 0 31W * ? *)", "2026-01-01", ["2026-01-30 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 31 * ? *)", "2026-01-31", ["2026-03-31 00:00", "2026-05-31 00:00"]),
        ("cron(0 0 29 2 ? *)", "2096-02-29", ["2104-02-29 00:00", "2108-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2030/50)", "2026-01-01", ["2030-01-01 00:00", "2080-01-01 00:00"]),
        ("cron(0 0 1 1 ? *)", "2198-06-01", ["2199-01-01 00:00"]),
        ("cron(0 0 1 1 ? 1970)", "0001-01-01", ["1970-01-01 00:00"]),
        ("cron(0 0 1 1 ? *)", "9999-12-31", []),
        ("cron(0 0 1 1 ? 2025)", "2026-01-01", []),
        ("cron(0 0 30 2 ? *)", "2026-01-01", []),
        ("cron(0 0 31W 2,4,6,9,11 ? *)", "1970-01-01", []),
        ("at(2026-01-31T13:30:00)", "2026-01-01", ["2026-01-31 13:30"]),
        ("at(2026-01-31T13:30:00)", "2026-01-31T13:30:00", []),
    ],
)
def test_a_schedule_fires_at(expression: str, after: str, times: list[str]) -> None:
    """The first two times after an instant, without that instant."""
    assert fires(expression, after) == times


@has_zones
@pytest.mark.parametrize(
    ("expression", "timezone", "after", "times"),
    [
        # The guide's example: 2:30 does not exist on the 8th of March 2026 in Los Angeles.
        ("cron(30 2 * * ? *)", LOS_ANGELES, "2026-03-07", ["2026-03-07 10:30", "2026-03-09 09:30"]),
        # It comes twice on the 1st of November, at 9:30 and 10:30 UTC, were it 1:30: at 8:30 and 9:30.
        ("cron(30 1 * * ? *)", LOS_ANGELES, "2026-11-01", ["2026-11-01 08:30", "2026-11-02 09:30"]),
        ("cron(30 1 * * ? *)", LOS_ANGELES, "2026-11-01T08:45", ["2026-11-02 09:30", "2026-11-03 09:30"]),
        ("cron(0/30 1 * * ? *)", LOS_ANGELES, "2026-11-01T09:15", ["2026-11-02 09:00", "2026-11-02 09:30"]),
        ("cron(0 0 * * ? *)", "Asia/Kolkata", "2026-01-01", ["2026-01-01 18:30", "2026-01-02 18:30"]),
        # Samoa left out the 30th of December 2011.
        ("cron(0 12 * * ? *)", "Pacific/Apia", "2011-12-29", ["2011-12-29 22:00", "2011-12-30 22:00"]),
        ("at(2022-11-20T13:00:00)", LOS_ANGELES, "2022-01-01", ["2022-11-20 21:00"]),
        ("at(2026-03-08T02:30:00)", LOS_ANGELES, "2026-01-01", []),
        ("at(2026-11-01T01:30:00)", LOS_ANGELES, "2026-01-01", ["2026-11-01 08:30"]),
        ("rate(1 day)", LOS_ANGELES, "2026-03-07T10:00", ["2026-03-08 10:00", "2026-03-09 10:00"]),
    ],
)
def test_a_schedule_with_a_time_zone_fires_at(expression: str, timezone: str, after: str, times: list[str]) -> None:
    """A time that spring leaves out is skipped, one that autumn repeats is taken once; a day of a rate is 24 hours."""
    assert fires(expression, after, timezone) == times


@pytest.mark.parametrize(
    ("after", "start", "expected"),
    [
        ("2026-01-01T12:00", None, "2026-01-01T12:05"),
        ("2026-01-01T12:00", "2026-01-01T12:00", "2026-01-01T12:05"),
        ("2026-01-01T11:59", "2026-01-01T12:00", "2026-01-01T12:00"),
        ("2026-01-01T12:03", "2026-01-01T12:01", "2026-01-01T12:06"),
        ("2026-01-01T12:06", "2026-01-01T12:01", "2026-01-01T12:11"),
    ],
)
def test_a_rate_counts_from_its_start(after: str, start: str | None, expected: str) -> None:
    """At the start and every period after it; without a start, a period after the instant."""
    assert Schedule.parse("rate(5 minutes)").next_after(utc(after), utc(start) if start else None) == utc(expected)


def test_nothing_fires_before_the_start() -> None:
    """A schedule that is set up later waits; at the very instant of its start it may fire."""
    noon = Schedule.parse("cron(0 12 * * ? *)")

    assert noon.next_after(utc("2026-01-01"), start=utc("2026-03-01T12:00")) == utc("2026-03-01T12:00")


def test_a_rate_ends_with_the_calendar() -> None:
    """What lies after the year 9999 never comes."""
    assert Schedule.parse("rate(999999999 days)").next_after(utc("2026-01-01")) is None


def test_the_times_are_in_utc_whatever_the_instant_was_in() -> None:
    """One zone in all logs."""
    instant = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))

    assert [
        (moment.tzinfo, moment)
        for schedule in ("rate(1 hour)", "cron(0 13 * * ? *)")
        if (moment := Schedule.parse(schedule).next_after(instant))
    ] == [(UTC, utc("2026-01-01T13:00")), (UTC, utc("2026-01-01T13:00"))]


@pytest.mark.parametrize("expression", ["rate(5 minutes)", "cron(0 12 * * ? *)"])
def test_a_naive_instant_is_refused(expression: str) -> None:
    """It could be in any zone."""
    with pytest.raises(
        ValueError, match=r"^next_after takes an aware datetime, not .*; add tzinfo=UTC, or its zone\.$"
    ):
        Schedule.parse(expression).next_after(datetime(2026, 1, 1))  # noqa: DTZ001 - naive on purpose


# By brute force: a field of cron together with what it means, told without the parser.


@dataclass(frozen=True)
class Field:
    text: str
    names: Callable[[int], bool]


@dataclass(frozen=True)
class Days:
    day_of_month: str
    day_of_week: str
    names: Callable[[date], bool]


def weekday(day: date) -> int:
    return day.isoweekday() % 7 + 1


def month_days(day: date) -> list[date]:
    return [day.replace(day=number) for number in range(1, calendar.monthrange(day.year, day.month)[1] + 1)]


def workday_nearest(day: date, number: int) -> date | None:
    """The Monday to Friday nearest to that day of the month, if the month has the day."""
    workdays = [other for other in month_days(day) if other.isoweekday() <= 5]
    return min(workdays, key=lambda other: abs(other.day - number)) if number <= len(month_days(day)) else None


def fields(low: int, high: int) -> st.SearchStrategy[Field]:
    number = st.integers(low, high)
    bounds = st.tuples(number, number).map(sorted)
    step = st.integers(1, high)
    return st.one_of(
        st.just(Field("*", lambda _: True)),
        number.map(lambda n: Field(f"{n}", lambda value: value == n)),
        bounds.map(lambda b: Field(f"{b[0]}-{b[1]}", lambda value: b[0] <= value <= b[1])),
        st.tuples(number, number).map(
            lambda b: Field(f"{b[0]},{b[1]}", lambda value: value in b),
        ),
        st.tuples(number, step).map(
            lambda b: Field(f"{b[0]}/{b[1]}", lambda value: value >= b[0] and (value - b[0]) % b[1] == 0),
        ),
        step.map(lambda n: Field(f"*/{n}", lambda value: (value - low) % n == 0)),
        st.tuples(bounds, step).map(
            lambda b: Field(
                f"{b[0][0]}-{b[0][1]}/{b[1]}",
                lambda value: b[0][0] <= value <= b[0][1] and (value - b[0][0]) % b[1] == 0,
            ),
        ),
    )


def without_steps(low: int, high: int) -> st.SearchStrategy[Field]:
    return fields(low, high).filter(lambda field: "/" not in field.text)


DAYS_OF_MONTH = st.one_of(
    fields(1, 31).map(lambda field: Days(field.text, "?", lambda day: field.names(day.day))),
    st.just(Days("L", "?", lambda day: day == month_days(day)[-1])),
    st.just(Days("LW", "?", lambda day: day == [d for d in month_days(day) if d.isoweekday() <= 5][-1])),
    st.integers(1, 30).map(
        lambda n: Days(f"L-{n}", "?", lambda day: day.day == len(month_days(day)) - n),
    ),
    st.integers(1, 31).map(lambda n: Days(f"{n}W", "?", lambda day: day == workday_nearest(day, n))),
)
DAYS_OF_WEEK = st.one_of(
    without_steps(1, 7).map(lambda field: Days("?", field.text, lambda day: field.names(weekday(day)))),
    st.just(Days("?", "L", lambda day: weekday(day) == 7)),
    st.integers(1, 7).map(
        lambda n: Days("?", f"{n}L", lambda day: day == [d for d in month_days(day) if weekday(d) == n][-1]),
    ),
    st.tuples(st.integers(1, 7), st.integers(1, 5)).map(
        lambda b: Days("?", f"{b[0]}#{b[1]}", lambda day: weekday(day) == b[0] and (day.day + 6) // 7 == b[1]),
    ),
)
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2190, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(DAYS_OF_MONTH | DAYS_OF_WEEK, fields(1, 12), INSTANTS)
def test_cron_fires_on_the_days_that_its_fields_name(days: Days, month: Field, after: datetime) -> None:
    """Two years of days, each asked whether the fields name it."""
    schedule = Schedule.parse(f"cron(0 12 {days.day_of_month} {month.text} {days.day_of_week} *)")
    end = after + timedelta(days=730)
    candidates = (after.replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=n) for n in range(731))

    assert list(itertools.takewhile(lambda moment: moment <= end, occurrences(schedule, after))) == [
        moment
        for moment in candidates
        if after < moment <= end and month.names(moment.month) and days.names(moment.date())
    ]


@given(fields(0, 59), fields(0, 23), INSTANTS)
def test_cron_fires_in_the_minutes_that_its_fields_name(minutes: Field, hours: Field, after: datetime) -> None:
    """A day of minutes, each asked whether the fields name it."""
    schedule = Schedule.parse(f"cron({minutes.text} {hours.text} * * ? *)")
    end = after + timedelta(days=1)
    candidates = (after.replace(second=0, microsecond=0) + timedelta(minutes=n) for n in range(1442))

    assert list(itertools.takewhile(lambda moment: moment <= end, occurrences(schedule, after))) == [
        moment
        for moment in candidates
        if after < moment <= end and minutes.names(moment.minute) and hours.names(moment.hour)
    ]


CHANGES = [
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("Australia/Lord_Howe", "2026-04-05"),  # by half an hour
    ("Australia/Lord_Howe", "2026-10-04"),
    ("America/Sao_Paulo", "2018-11-04"),  # at midnight
    ("America/Sao_Paulo", "2018-02-18"),
    ("Pacific/Apia", "2011-12-30"),  # a whole day
]


@has_zones
@given(fields(0, 59), fields(0, 23), st.sampled_from(CHANGES), st.integers(0, 1500))
def test_local_times_that_are_there_are_taken_once(
    minutes: Field, hours: Field, change: tuple[str, str], offset: int
) -> None:
    """Around a change of the clock, each minute of UTC asked what the clock shows, and whether for the first time."""
    timezone, day = change
    schedule = Schedule.parse(f"cron({minutes.text} {hours.text} * * ? *)", timezone)
    after = utc(day) - timedelta(minutes=offset)
    clock = [(after + timedelta(minutes=n)).astimezone(zoneinfo.ZoneInfo(timezone)) for n in range(1, 1501)]

    assert list(itertools.takewhile(lambda moment: moment <= clock[-1], occurrences(schedule, after))) == [
        moment.astimezone(UTC)
        for moment in clock
        if moment.fold == 0 and minutes.names(moment.minute) and hours.names(moment.hour)
    ]


@given(st.integers(1, 10_000), st.sampled_from(["minute", "hour", "day"]), INSTANTS, st.integers(-50_000, 50_000))
def test_a_rate_fires_at_whole_periods_after_its_start(value: int, unit: str, start: datetime, minutes: int) -> None:
    """The next time is a multiple of the period from the start, and the first one after the instant."""
    period = value * timedelta(**{f"{unit}s": 1})
    after = start + timedelta(minutes=minutes)
    moment = Schedule.parse(f"rate({value} {unit if value == 1 else unit + 's'})").next_after(after, start)

    assert moment is not None
    assert (moment - start) % period == timedelta(0)
    assert moment - period <= max(after, start - period) < moment
