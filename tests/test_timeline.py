"""The timeline of a local Lambda: text to compare, a picture and a page to look at."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from heapq import heappop, heappush
from html.parser import HTMLParser
from pathlib import Path
from random import Random
from time import process_time
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambdakit.local.asynchronous import Attempts, GiveUp, Retry, RetryPolicy, after_error, after_throttle
from lambdakit.local.invocation import Invocation, Kind
from lambdakit.local.outcome import Failure, Outcome, Reply
from lambdakit.local.placement import Ending, Environment, Placement
from lambdakit.local.runner import Result
from lambdakit.local.timeline.axis import Axis, time_text
from lambdakit.local.timeline.marks import MOST_BARS
from lambdakit.local.timeline.timeline import Timeline

REQUEST_ID = "0d6f1e5c-52c0-4a6c-8d7b-6f0a1b2c3d4e"
SVG = "{http://www.w3.org/2000/svg}"

Fate = Callable[[int], tuple[Outcome, float]]
"""What becomes of an attempt, by its number: its outcome, and how long the handler runs."""


def success(duration: float = 0.2, reply: object = "done") -> Fate:
    return lambda attempt: (Reply(json.dumps(reply).encode()), duration)


def failure(message: str = "disk full", *, attempts: int = 3, duration: float = 0.2, type_: str = "OSError") -> Fate:
    body = json.dumps({"errorType": type_, "errorMessage": message}).encode()
    failed = Failure.posted("handler", body)
    return lambda attempt: (failed, duration) if attempt <= attempts else (Reply(b"null"), duration)


def timeout(seconds: float = 3.0) -> Fate:
    return lambda attempt: (Failure.of_time(seconds, "r"), seconds)


def crash(duration: float = 0.3) -> Fate:
    return lambda attempt: (Failure.of_exit(-9, "r"), duration)


@dataclass
class Request:
    function: str
    id: str
    kind: Kind
    fate: Fate
    attempts: Attempts


class Scene:
    """A small Lambda without handlers: placement and retries are real, what a handler does is told beforehand."""

    def __init__(self, *, init: float = 0.25, seed: int = 0, **functions: int | None) -> None:
        self.placement = Placement()
        for name, reserved in functions.items():
            self.placement.add(name, reserved=reserved)
        self.limits = {name: reserved for name, reserved in functions.items() if reserved is not None}
        self.functions = functions
        self.init = init
        self.counter = 0
        self.random = Random(seed)
        self.invocations: list[Invocation] = []
        self.heap: list[tuple[float, int, Callable[[float], None]]] = []

    def ask(self, function: str, at: float, fate: Fate | None = None, kind: Kind = "RequestResponse") -> None:
        request_id = str(UUID(int=self.random.getrandbits(128)))
        request = Request(function, request_id, kind, fate or success(), Attempts(at))
        self._at(at, lambda now: self._arrive(request, now))

    def timeline(self) -> Timeline:
        while self.heap:
            now, _, action = heappop(self.heap)
            action(now)
        return Timeline(self.invocations, limits=self.limits, account_concurrency=1_000)

    def _at(self, when: float, action: Callable[[float], None]) -> None:
        self.counter += 1
        heappush(self.heap, (when, self.counter, action))

    def _arrive(self, request: Request, now: float) -> None:
        number = request.attempts.errors + request.attempts.throttles + 1
        attempt = Invocation(request.id, request.function, request.kind, b'{"key":"a.csv"}', now, attempt=number)
        self.invocations.append(attempt)
        place = self.placement.place(request.function, now, counted=request.kind == "RequestResponse")
        if isinstance(place, Environment):
            self._run(request, attempt, place, now)
        else:
            attempt.throttled(place.value, now)
            reserved = self.functions[request.function]
            self._again(request, after_throttle(request.attempts, RetryPolicy(), now, reserved=reserved))

    def _run(self, request: Request, attempt: Invocation, environment: Environment, now: float) -> None:
        outcome, duration = request.fate(request.attempts.errors + 1)
        attempt.environment, attempt.cold_start = environment.number, not environment.initialized
        init = self.init if attempt.cold_start else None
        environment.initialized = True
        ended = now + (init or 0) + duration
        log = f"[INFO]\tcopying a.csv for {request.function}"
        result = Result(outcome, log, now, ended, init, duration, Ending.READY)
        self._at(ended, lambda then: self._end(request, attempt, environment, result))

    def _end(self, request: Request, attempt: Invocation, environment: Environment, result: Result) -> None:
        attempt.over(result, 512)
        self.placement.release(environment, result.ended)
        if isinstance(result.outcome, Failure):
            self._again(request, after_error(request.attempts, RetryPolicy(), result.ended))

    def _again(self, request: Request, decision: Retry | GiveUp) -> None:
        if request.kind == "Event" and isinstance(decision, Retry):
            self._at(decision.at, lambda now: self._arrive(request, now))


def one() -> Timeline:
    scene = Scene(thumbs=None)
    for at in (0, 0.6, 1.1, 1.2):
        scene.ask("thumbs", at)
    return scene.timeline()


def five() -> Timeline:
    scene = Scene(thumbs=5)
    for n in range(20):
        scene.ask("thumbs", n * 0.07, success(0.2 + n % 5 / 10), "Event")
    scene.ask("thumbs", 2.9, failure("[Errno 28] No space left on device: /tmp/a.csv"))
    scene.ask("thumbs", 3.0, timeout(1.0))
    scene.ask("thumbs", 3.1, crash())
    return scene.timeline()


def retries() -> Timeline:
    scene = Scene(thumbs=5, seed=1)
    for n in range(6):
        scene.ask("thumbs", n * 0.05, kind="Event")
    scene.ask("thumbs", 0.3, failure(), "Event")
    scene.ask("thumbs", 0.35, failure(attempts=1), "Event")
    return scene.timeline()


def several() -> Timeline:
    scene = Scene(orders=8, mails=None, reports=2, seed=2)
    for _ in range(60):
        at = scene.random.uniform(0, 12)
        scene.ask("orders", at, success(scene.random.uniform(0.2, 1.6)))
        scene.ask("mails", at + 0.1, success(0.15))
    for n in range(4):
        scene.ask("reports", n * 2.5, timeout(5) if n == 1 else success(4.0))
    scene.ask("mails", 4, crash())
    scene.ask("mails", 7, failure("450 4.2.2 mailbox full", type_="SMTPDataError"))
    return scene.timeline()


def sixty() -> Timeline:
    scene = Scene(thumbs=60, seed=3, init=0.8)
    for n in range(900):
        odds = scene.random.random()
        fate = success(scene.random.uniform(0.5, 2.5))
        fate = failure(duration=0.4) if odds < 0.03 else timeout(3) if odds < 0.04 else crash() if odds < 0.05 else fate
        scene.ask("thumbs", scene.random.gauss(10 + n % 3 * 10, 2.0) ** 2 / 30, fate)
    return scene.timeline()


def hundreds() -> Timeline:
    scene = Scene(thumbs=500, seed=4, init=0.6)
    for n in range(6_000):
        odds = scene.random.random()
        fate = failure(duration=0.4) if odds < 0.01 else success(scene.random.expovariate(0.6) + 0.05)
        scene.ask("thumbs", n / 200, timeout(6) if odds > 0.996 else fate, "Event")
    return scene.timeline()


def schedule() -> Timeline:
    scene = Scene(sweep=None)
    for n in range(37):
        scene.ask("sweep", n * 300, success(1.2), "Event")
    return scene.timeline()


SCENES = (one, five, retries, several, sixty, hundreds, schedule)


def invocation(at: float = 0, *, function: str = "thumbs", request_id: str = REQUEST_ID) -> Invocation:
    return Invocation(request_id, function, "RequestResponse", b"{}", at)


def ran(
    at: float = 0,
    duration: float = 0.2,
    *,
    environment: int = 1,
    outcome: Outcome | None = None,
    log: str = "",
    function: str = "thumbs",
    request_id: str = REQUEST_ID,
) -> Invocation:
    attempt = invocation(at, function=function, request_id=request_id)
    attempt.environment = environment
    outcome = outcome or Reply(b"null")
    attempt.over(Result(outcome, log, at, at + duration, None, duration, Ending.READY), 128)
    return attempt


def failed(error_type: str, message: str) -> Failure:
    body = json.dumps({"errorType": error_type, "errorMessage": message}).encode()
    return Failure.posted("handler", body)


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def classes(svg: str) -> set[str]:
    return {name for node in parsed(svg).iter() for name in node.get("class", "").split()}


def titles(svg: str) -> list[str]:
    return [node.text or "" for node in parsed(svg).iter(f"{SVG}title")]


def words(svg: str) -> list[str]:
    return [node.text or "" for node in parsed(svg).iter(f"{SVG}text")]


class Tags(HTMLParser):
    """The elements of a page, what they refer to and what they say."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_text_has_a_line_an_attempt_and_ends_with_the_summary() -> None:
    """Requests are numbered by arrival; a throttled attempt has its reason where others have their outcome."""
    scene = Scene(thumbs=1)
    scene.ask("thumbs", 0, kind="Event")
    scene.ask("thumbs", 0.1, failure(), "Event")
    scene.ask("thumbs", 0.5, timeout(1))

    assert scene.timeline().to_text().splitlines() == [
        "arrived  started  ended    function  request  attempt  environment  init   outcome",
        "0.000    0.000    0.450    thumbs    #1       1        1            0.250  ok",
        "0.100    -        0.100    thumbs    #2       1        -            -      "
        "throttle ReservedFunctionConcurrentInvocationLimitExceeded",
        "0.500    0.500    1.500    thumbs    #3       1        1            -      "
        "timeout Sandbox.Timedout: RequestId: r Error: Task timed out after 1.00 seconds",
        "1.100    -        1.100    thumbs    #2       2        -            -      "
        "throttle ReservedFunctionConcurrentInvocationLimitExceeded",
        "3.100    3.100    3.300    thumbs    #2       3        1            -      error OSError: disk full",
        "63.300   63.300   63.500   thumbs    #2       4        1            -      error OSError: disk full",
        "183.500  183.500  183.700  thumbs    #2       5        1            -      error OSError: disk full",
        "3 requests, 5 invocations, 1 cold starts, 2 throttles, 4 errors, max concurrency 1, p50 0.200 s, p95 1.000 s",
    ]


@pytest.mark.parametrize("form", ["to_text", "svg"])
@pytest.mark.parametrize("scene", SCENES)
def test_the_same_history_gives_the_same_bytes(scene: Callable[[], Timeline], form: str) -> None:
    """Whatever the request IDs are: the second history has others."""
    timeline, other = scene(), scene()
    for entry in other.entries:
        entry.invocation.request_id = f"other-{entry.number}"

    again = Timeline([e.invocation for e in other.entries], limits=timeline.limits, account_concurrency=1_000)

    assert getattr(again, form)() == getattr(timeline, form)()


def test_a_request_is_called_by_its_number_in_messages_too() -> None:
    """Its ID is chance, and would tell apart what is the same."""
    attempt = ran(request_id="e0-1", outcome=Failure.of_time(3, "e0-1"))

    assert Timeline([attempt]).entries[0].message.startswith("Sandbox.Timedout: RequestId: #1 Error")


@given(st.text(), st.text())
def test_every_attempt_takes_one_line_of_the_text(function: str, message: str) -> None:
    """Line ends and control characters of names and messages are written as escapes."""
    timeline = Timeline([ran(function=function, outcome=failed("E", message)), ran(1)])

    assert len(str(timeline).splitlines()) == 4


def test_times_below_a_millisecond_are_told() -> None:
    """To the microsecond, where they have any."""
    assert str(Timeline([ran(0.000_25, 0.1)])).splitlines()[1].split()[:3] == ["0.000250", "0.000250", "0.100250"]


def test_states_are_told_by_who_failed() -> None:
    """Time over, the process ended, the handler raised; refused, not yet placed, still running."""
    refused, running = invocation(5), invocation(7)
    refused.refused(413, "RequestTooLargeException", "too large", 5)
    running.environment = 1
    outcomes: list[Outcome] = [Reply(b"1"), failed("E", "m"), Failure.of_time(1), Failure.of_exit(1), Failure.of_size()]
    attempts = [ran(n, outcome=outcome) for n, outcome in enumerate(outcomes)]

    states = [entry.state for entry in Timeline([*attempts, refused, invocation(6), running]).entries]

    assert states == ["ok", "error", "timeout", "crash", "error", "refused", "waiting", "running"]


def test_concurrency_is_counted_with_ends_before_starts() -> None:
    """An environment that is free is used again in the same instant; what takes no time counts where it is."""
    timeline = Timeline([ran(0, 1), ran(1, 1), ran(1, 0)])

    assert timeline.summary.max_concurrency == 2


def test_what_still_runs_is_drawn_to_the_end() -> None:
    """The end is the last thing that happened, or now."""
    running = invocation(1)
    running.environment = 2

    assert Timeline([running], now=9).entries[0].until == 9


@pytest.mark.parametrize("scene", SCENES)
def test_the_picture_is_valid_xml_with_a_bar_or_a_run_for_every_attempt(scene: Callable[[], Timeline]) -> None:
    """The handler's bars count as many as ran; init bars and marks of what was throttled come besides."""
    timeline = scene()

    bars = [node for node in parsed(timeline.svg()).iter(f"{SVG}rect") if node.get("class") in OUTCOMES]
    counts = [_count(node.findtext(f"{SVG}title", "")) for node in bars]

    assert sum(counts) - samples(timeline) == timeline.summary.invocations


OUTCOMES = ("ok", "error", "timeout", "crash", "running")


def _count(title: str) -> int:
    head = title.partition(" ")[0].replace(",", "")
    return int(head) if head.isdigit() else 1


def samples(timeline: Timeline) -> int:
    """The bars of the legend."""
    return len({entry.state for entry in timeline.entries} & set(OUTCOMES))


def test_every_state_is_drawn_and_explained() -> None:
    """A class and a word in the legend for each; failures carry a sign besides their colour."""
    svg = five().svg()

    assert {"init", "ok", "error", "timeout", "crash", "throttle"} <= classes(svg)
    assert {"init", "ok", "error", "timeout", "crash", "throttled"} <= set(words(svg))


def test_a_tooltip_tells_request_times_and_error() -> None:
    """One a bar."""
    svg = Timeline([ran(1, outcome=failed("OSError", "disk <full>"))]).svg()

    assert "thumbs #1: error\n1 s to 1.2 s, environment 1\nduration 200 ms\nOSError: disk <full>" in titles(svg)


def test_limits_are_lines_where_they_are_near_and_words_where_not() -> None:
    """A limit of 1,000 would press 14 to the ground."""
    svg = several().svg()

    assert [text for text in words(svg) if text.startswith("limit")] == ["limit 2", "limit 8", "limit 1,000, far above"]


def test_hundreds_of_environments_keep_the_picture_on_a_page() -> None:
    """Beyond 500 a row is several, and a word says how many."""
    svg = Timeline(ran(n % 40 / 10 + n // 1_500, environment=n % 1_500 + 1) for n in range(9_000)).svg()

    assert float(parsed(svg).get("height", "0")) < 1_700
    assert "each row is 3 environments" in words(svg)


def test_no_failure_is_hidden_among_successes() -> None:
    """One in 20,000 that are merged has its own mark, upon theirs."""
    attempts = [ran(n, 0.9, outcome=failed("E", "the one") if n == 9_000 else None) for n in range(20_000)]

    drawn = [node.get("class") for node in parsed(Timeline(attempts).svg()).iter(f"{SVG}rect")]

    assert drawn.index("error") > drawn.index("ok")


def test_a_hundred_thousand_invocations_are_drawn_in_seconds() -> None:
    """They are merged to what a page can show."""
    attempts = [ran(n % 500 / 10 + n // 500 * 60, 30 + n % 7, environment=n % 500 + 1) for n in range(100_000)]
    began = process_time()

    svg = Timeline(attempts).svg()

    assert svg.count("<rect") < MOST_BARS * 1.2
    assert process_time() - began < 20  # about 2 on a laptop


def test_long_idle_stretches_are_cut_out_and_marked() -> None:
    """Attempts of 200 ms a minute and two apart are all wide enough to read."""
    axis = Axis([(0, 0.45), (60.45, 60.65), (180.65, 180.85)], 0, 1_000)

    assert [round(each.seconds) for each in axis.breaks] == [60, 120]
    assert axis.x(60.65) - axis.x(60.45) > 150


def test_a_steady_beat_is_not_cut() -> None:
    """Nothing of it is longer than the rest, so that the axis stays whole."""
    assert Axis([(n * 300, n * 300 + 1) for n in range(37)], 0, 1_000).breaks == []


@st.composite
def intervals(draw: st.DrawFn) -> list[tuple[float, float]]:
    starts = draw(st.lists(st.floats(0, 1e7), min_size=1, max_size=30))
    return [(start, start + draw(st.floats(0, 1e3))) for start in starts]


@given(intervals())
def test_time_runs_to_the_right(history: list[tuple[float, float]]) -> None:
    """Whatever was cut out: what is later is not drawn further left, and all of it is on the page."""
    axis = Axis(history, 76, 1_176)
    places = [axis.x(at) for at in sorted(edge for interval in history for edge in interval)]

    assert places == sorted(places)
    assert 76 <= places[0] <= places[-1] <= 1_176 + 1e-6


@given(intervals())
def test_ticks_are_few_and_on_the_page(history: list[tuple[float, float]]) -> None:
    """From microseconds to months, with a mark in every stretch."""
    axis = Axis(history, 76, 1_176)

    assert len(axis.stretches) <= len(axis.ticks()) < 40
    assert all(76 <= x <= 1_176 + 1e-6 for x, _ in axis.ticks())


@pytest.mark.parametrize(
    ("seconds", "step", "text"),
    [
        (0, 1, "0 s"),
        (0.00025, 0, "250 µs"),
        (0.2, 0, "200 ms"),
        (0.2345678, 0, "235 ms"),
        (1.5, 0.5, "1.5 s"),
        (59.9996, 0.001, "1 min"),
        (60.25, 0.05, "1 min 0.25 s"),
        (10, 5, "10 s"),
        (200, 10, "3 min 20 s"),
        (3_600, 60, "1 h"),
        (5_400, 1_800, "1 h 30 min"),
        (90_000, 3_600, "1 d 1 h"),
    ],
)
def test_times_are_told_in_units_for_people(seconds: float, step: float, text: str) -> None:
    """As exactly as the step between two of them asks for."""
    assert time_text(seconds, step) == text


def hostile() -> st.SearchStrategy[str]:
    markup = ("<script>alert(1)</script>", "</script>", "</style>", "]]>", "<!--", "\"'&<>", "\0", "\x1b[31m", "\ud800")
    return st.lists(st.sampled_from(markup) | st.text(st.characters()), max_size=4).map("".join)


@settings(max_examples=60)
@given(hostile(), hostile(), hostile(), hostile())
def test_nothing_a_function_says_becomes_markup(name: str, error: str, log: str, event: str) -> None:
    """Names, messages, logs and payloads are text in the picture and on the page, and both can be written."""
    attempt = ran(function=name, log=log, outcome=failed(error or "E", error))
    attempt.body = json.dumps({event: [event]}).encode()
    refused = invocation(1, function=name)
    refused.throttled(error, 1)
    plain = ran(log="x", outcome=failed("E", "m"))
    other = invocation(1)
    other.throttled("reason", 1)

    page = Timeline([attempt, refused]).html()
    svg = Timeline([attempt, refused]).svg()

    assert Tags(page).tags == Tags(Timeline([plain, other]).html()).tags
    assert [node.tag for node in parsed(svg).iter()] == [n.tag for n in parsed(Timeline([plain, other]).svg()).iter()]
    assert page.encode().decode() == page


@pytest.mark.parametrize("scene", SCENES)
def test_a_page_asks_the_network_for_nothing(scene: Callable[[], Timeline]) -> None:
    """No attribute refers to anything outside of it."""
    attributes = dict(Tags(scene().html()).attributes)

    assert not attributes.keys() & {"src", "href", "xlink:href", "srcset", "action"}


def test_a_page_holds_logs_events_and_replies() -> None:
    """Without its script too: they are in the table."""
    text = "".join(Tags(one().html()).text)

    assert "copying a.csv for thumbs" in text
    assert '"key": "a.csv"' in text
    assert "done" in text


def test_of_many_attempts_a_page_lists_the_failed_first() -> None:
    """It says how many it leaves out."""
    attempts = [ran(n, outcome=failed("E", "the last one") if n == 2_999 else None) for n in range(3_000)]

    page = Timeline(attempts).html()

    assert page.count("<tbody") == 2_000
    assert "2,000 of 3,000 are listed" in page
    assert '<td class="why">E: the last one</td>' in page


def test_a_reply_that_is_no_json_is_shown() -> None:
    """As bytes, which JSON does not hold."""
    assert "b&#x27;\\\\xff" in Timeline([ran(outcome=Reply(b"\xff", "application/unknown"))]).html()


def test_an_empty_timeline_is_a_picture_too(tmp_path: Path) -> None:
    """Nothing happened, which is no error."""
    timeline = Timeline([])

    assert parsed(timeline.to_svg(tmp_path / "t.svg").read_text("utf-8")).tag == f"{SVG}svg"
    assert timeline.to_html(str(tmp_path / "t.html")).read_text("utf-8").startswith("<!DOCTYPE html>")
    assert str(timeline).splitlines()[-1].startswith("0 requests")


def test_a_merged_bar_is_fainter_the_emptier_it_is() -> None:
    """Environments that were half idle do not look busy, however many attempts are merged."""
    attempts = [ran(n // 500 * 60, 30, environment=n % 500 + 1) for n in range(60_000)]

    drawn = parsed(Timeline(attempts).svg()).iter(f"{SVG}rect")
    opacities = {float(node.get("fill-opacity", "1")) for node in drawn if node.get("class") == "ok"}

    assert min(opacities) == pytest.approx(0.5, abs=0.25)
