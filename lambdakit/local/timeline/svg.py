"""The picture of a timeline: a row an execution environment, what was throttled above, concurrency beneath.

Written as text: a drawing library would take away the angle brackets, and leave the scales, the layout, the themes and
the escaping, which are the work.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape
from math import sqrt
from typing import TYPE_CHECKING

from lambdakit.local.timeline.axis import Axis, time_text
from lambdakit.local.timeline.marks import Bar, lanes_of_bars
from lambdakit.local.timeline.timeline import Summary, concurrency

if TYPE_CHECKING:
    from lambdakit.local.timeline.timeline import Entry, Timeline

WIDTH = 1200
LEFT = 76
RIGHT = 1176
_MOST_LANES = 500
_ROOM_FOR_ROWS = 1_000
_TALLEST_ROW = 22
_ROW_WITH_MARKS = 13
_MOST_LINKS = 60
_LONGEST_NAME = 80
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_LIGHT = {
    "paper": "#ffffff",
    "ink": "#1c2430",
    "soft": "#5b6675",
    "rule": "#e3e7ec",
    "life": "#eef1f5",
    "ok": "#0072b2",
    "init": "#e69f00",
    "error": "#c2410c",
    "timeout": "#b0418a",
    "crash": "#20242b",
    "running": "#8a94a3",
    "throttle": "#a16207",
    "area": "#cfe3f1",
    "hatch": "#ffffff",
    "on": "#ffffff",
}
_DARK = {
    "paper": "#12161c",
    "ink": "#e8ecf1",
    "soft": "#9aa6b5",
    "rule": "#2a323d",
    "life": "#1c222b",
    "ok": "#56b4e9",
    "init": "#f0b429",
    "error": "#ff8552",
    "timeout": "#e58cc4",
    "crash": "#f4f6f8",
    "running": "#6d7887",
    "throttle": "#f0e442",
    "area": "#1d3f57",
    "hatch": "#12161c",
    "on": "#0b0e12",
}
_COLOURED = {
    "paper": ".paper,.badge-text",
    "ink": "text,.ink",
    "soft": ".soft",
    "life": ".life",
    "area": ".area",
    "throttle": ".throttle",
    "on": ".on",
} | {kind: f".{kind},.fill-{kind}" for kind in ("ok", "init", "error", "timeout", "crash", "running")}
_STROKED: dict[str, str] = {
    "rule": ".rule",
    "soft": ".link,.teeth",
    "ok": ".line,.on-ok",
    "error": ".limit,.on-error",
    "timeout": ".on-timeout",
    "crash": ".on-crash",
    "running": ".on-running",
    "hatch": ".hatch",
    "paper": ".badge",
    "on": ".glyph",
}
_FIXED = """
text{font:11px system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
.title{font-size:20px;font-weight:650}.name{font-size:13px;font-weight:650}
.number{font-size:19px;font-weight:600;font-variant-numeric:tabular-nums}.small{font-size:10px}
.on{font-size:10px;font-weight:600;paint-order:stroke;stroke-width:3px;stroke-linejoin:round}.badge-text{font-size:9px;font-weight:700}
.middle{text-anchor:middle}.end{text-anchor:end}
.error{fill:url(#hatch-error)}.timeout{fill:url(#hatch-timeout)}.crash{fill:url(#hatch-crash)}
.hatch{fill:none;stroke-width:1.6;stroke-opacity:.42}.line,.limit,.link,.teeth,.glyph{fill:none}
.line{stroke-width:1.5}.limit{stroke-width:1.3;stroke-dasharray:6 4}.link{stroke-width:1;stroke-dasharray:2 3}
.glyph{stroke-width:1.7;stroke-linecap:round}.badge{stroke-width:1.5}
"""
_HATCHES = {"error": "M-2 2l4-4M0 8l8-8M6 10l4-4", "timeout": "M2 0v8M6 0v8", "crash": "M0 0l8 8M0 8l8-8"}
_GLYPHS = {
    "error": "M-3-3l6 6M-3 3l6-6",
    "timeout": "M0-3.2V0l2.4 1.4M4 0a4 4 0 1 1-8 0a4 4 0 1 1 8 0",
    "crash": "M0-4v4.6M0 3.7v.1",
}
_LEGEND = {
    "init": "init",
    "ok": "ok",
    "error": "error",
    "timeout": "timeout",
    "crash": "crash",
    "running": "still running",
}


def text_of(value: object) -> str:
    """Anything as the text of an element or the value of an attribute, in XML as in HTML."""
    return escape(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", str(value)))


def number_of(value: float) -> str:
    """A length in pixels, to the hundredth."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def element(name: str, *content: str, **attributes: object) -> str:
    """One element. The content is markup; attributes are escaped; ``class_`` and ``data_r`` lose ``_``."""
    written = "".join(f' {key.strip("_").replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
    return f"<{name}{written}>{''.join(content)}</{name}>" if content else f"<{name}{written}/>"


def drawing(timeline: Timeline) -> str:
    """The whole picture, as an SVG document that needs nothing else."""
    drawing = Drawing(timeline)
    drawing.draw()
    return str(drawing)


class Drawing:
    """A picture that grows downwards.

    Attributes:
        axis: Where a time is.
        y: Where the next thing goes.
    """

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        entries = [entry for entry in timeline.entries if entry.state != "waiting"]
        self.axis = Axis(((entry.at, entry.until) for entry in entries), LEFT, RIGHT)
        self.groups = [Group(name, entries) for name, entries in timeline.functions.items()]
        self.share = -(-sum(len(group.rows) for group in self.groups) // _MOST_LANES) or 1
        lanes = sum(len(group.lanes(self.share)) for group in self.groups)
        self.row = max(2.0, min(_TALLEST_ROW, _ROOM_FOR_ROWS / max(1, lanes)))
        self.links = list(_links(timeline.entries))
        self.places: dict[int, float] = {}
        self.regions: list[tuple[float, float]] = []
        self.behind: list[str] = []
        self.plot: list[str] = []
        self.fixed: list[str] = []
        self.y = 0.0

    def __str__(self) -> str:
        summary = self.timeline.summary
        return element(
            "svg",
            element("title", text_of(_title(self.timeline))),
            element("desc", text_of(summary)),
            element("style", _style()),
            element("defs", *_definitions()),
            element("rect", class_="paper", width="100%", height="100%"),
            element("g", *self.behind, *self.plot, class_="plot"),
            *self.fixed,
            xmlns="http://www.w3.org/2000/svg",
            viewBox=f"0 0 {WIDTH} {number_of(self.y)}",
            width=WIDTH,
            height=self.y,
            role="img",
            data_left=LEFT,
            data_right=RIGHT,
        )

    def draw(self) -> None:
        """Draw everything."""
        self._head()
        self._legend()
        top = self.y
        self.y += 16
        for group in self.groups:
            self._group(group)
        if len(self.groups) > 1:
            self._total()
        self._grid(top + 10)
        self._retries()
        for region in self.regions:
            self._breaks(*region)

    def _head(self) -> None:
        self.fixed.append(label(24, 34, _title(self.timeline), "title"))
        for n, (name, value) in enumerate(_tiles(self.timeline.summary)):
            self.fixed.append(label(24 + n * 128, 72, value, "number"))
            self.fixed.append(label(24 + n * 128, 88, name, "soft"))
        self.y = 112

    def _legend(self) -> None:
        x = 24.0
        states = {entry.state for entry in self.timeline.entries}
        cold = any(entry.invocation.init_duration is not None for entry in self.timeline.entries)
        for kind, name in _LEGEND.items():
            if kind in states or (kind == "init" and cold):
                self.fixed.append(_sample(kind, x, self.y))
                self.fixed.append(label(x + 30, self.y + 10, name))
                x += 50 + 6.2 * len(name)
        if states & {"throttle", "refused"}:
            self.fixed.append(_spike(x + 6, self.y, 12))
            self.fixed.append(label(x + 16, self.y + 10, "throttled"))
            x += 78
        if self.links and self.row >= _ROW_WITH_MARKS:
            joined = ", joined to the one before" if len(self.links) <= _MOST_LINKS else ""
            self.fixed.append(_badge(x + 6, self.y + 6, 6, "2"))
            self.fixed.append(label(x + 16, self.y + 10, f"attempt{joined}"))
        if self.share > 1:
            self.fixed.append(label(RIGHT, self.y + 10, f"each row is {self.share} environments", "soft end"))
        self.y += 30

    def _group(self, group: Group) -> None:
        name = _short(group.name) if len(self.groups) > 1 else "Execution environments"
        self.fixed.append(label(24, self.y + 16, name, "name"))
        limit = self.timeline.limits.get(group.name)
        self.fixed.append(label(RIGHT, self.y + 16, group.numbers(limit), "soft end"))
        self.y += 26
        top = self.y
        self._turned_away(group)
        self._rows(group)
        self.y += 10
        self._strip(group.entries, limit)
        self.regions.append((top, self.y))
        self.y += 18

    def _turned_away(self, group: Group) -> None:
        if not group.turned_away:
            return
        clusters = _clusters(group.turned_away, self.axis)
        most = max(len(cluster) for cluster in clusters)
        name = "throttled" if all(entry.state == "throttle" for entry in group.turned_away) else "not run"
        self.fixed.append(label(LEFT - 8, self.y + 10, name, "small soft end"))
        if most > 1:
            self.fixed.append(label(LEFT - 8, self.y + 21, f"up to {most:,}", "small soft end"))
        for cluster in clusters:
            height = 8 + 16 * (sqrt((len(cluster) - 1) / (most - 1)) if most > 1 else 0)
            spike = _spike(self.axis.x(cluster[0].at), self.y, height, _cluster_title(cluster), cluster[0].number)
            self.plot.append(spike)
            self.places.update((id(entry), self.y + 4) for entry in cluster)
        self.y += 28 if most > 1 else 18

    def _rows(self, group: Group) -> None:
        lanes = group.lanes(self.share)
        drawn = lanes_of_bars([entries for _, entries in lanes], self.axis, shared=self.share > 1)
        every = next(n for n in (1, 2, 5, 10) if n * self.row >= 11)
        for n, ((first, entries), bars) in enumerate(zip(lanes, drawn, strict=True)):
            if (n + 1) % every == 0 or (n == 0 and every > 2):
                self.fixed.append(label(LEFT - 8, self.y + self.row / 2 + 3.5, first, "small soft end"))
            self._lane(entries, bars)
            self.y += self.row

    def _lane(self, entries: Sequence[Entry], bars: Sequence[Bar]) -> None:
        left, right = self.axis.x(entries[0].at), self.axis.x(max(entry.until for entry in entries))
        height = self.row - (4 if self.row > 12 else self.row / 6)
        top = self.y + (self.row - height) / 2
        self.behind.append(_rect(left, top, max(right - left, 1), height, "life"))
        self.plot.extend(_bar(bar, top, height) for bar in bars)
        if self.row >= _ROW_WITH_MARKS:
            self.plot.extend(mark for bar in bars for mark in _bar_marks(bar, top, height))
        self.places.update((id(entry), top + height / 2) for entry in entries)

    def _strip(self, entries: Sequence[Entry], limit: int | None) -> float:
        """The curve of what ran at once; the height it takes."""
        steps = concurrency(entries)
        most = max((count for _, count in steps), default=0)
        height = 56 if len(self.groups) <= 4 else 34
        ceiling = limit if limit is not None and most <= limit <= 4 * max(most, 1) else most
        scale = (height - 6) / max(1, ceiling)
        bottom = self.y + height
        self.plot.append(_area(steps, self.axis, bottom, scale))
        self.behind.append(_horizontal(bottom, "rule"))
        self.fixed.append(label(LEFT - 8, bottom + 3, "0", "small soft end"))
        self.fixed.append(label(LEFT - 8, bottom - most * scale + 4, f"{most:,}", "small soft end"))
        self.fixed.append(label(24, self.y + height / 2 + 4, "at once", "small soft"))
        if limit is not None:
            self._limit(limit, bottom - limit * scale if limit <= ceiling else None)
        self.y += height
        return height

    def _limit(self, limit: int, y: float | None) -> None:
        """A line, or a word where the line would be far above."""
        if y is None:
            self.fixed.append(label(RIGHT, self.y + 8, f"limit {limit:,}, far above", "small soft end"))
        else:
            self.plot.append(_horizontal(y, "limit"))
            self.fixed.append(label(RIGHT, y - 3, f"limit {limit:,}", "small end fill-error"))

    def _total(self) -> None:
        self.fixed.append(label(24, self.y + 16, "All functions", "name"))
        self.y += 26
        self.regions.append((self.y, self.y + self._strip(self.timeline.entries, self.timeline.account_concurrency)))
        self.y += 18

    def _grid(self, top: float) -> None:
        ticks = list(_apart(self.axis.ticks()))
        tall = self.y - top > 500
        for upper, lower in self.regions:
            d = "".join(f"M{number_of(x)} {number_of(upper)}V{number_of(lower + 4)}" for x, _ in self.axis.ticks())
            self.behind.insert(0, element("path", class_="rule", d=d))
        for y in (top, self.y) if tall else (self.y,):
            self.plot.extend(label(x, y, name, "soft middle") for x, name in ticks)
        self.y += 18

    def _breaks(self, top: float, bottom: float) -> None:
        for each in self.axis.breaks:
            title = element("title", f"{text_of(time_text(each.seconds))} in which nothing happened are left out")
            size = {"width": each.right - each.left - 8, "height": bottom - top + 10}
            self.plot.append(element("rect", title, class_="paper", x=each.left + 4, y=top - 2, **size))
            self.plot += [_teeth(x, top - 2, bottom + 8) for x in (each.left + 4, each.right - 7)]
            if bottom - top > 50:
                name = time_text(each.seconds, 1 if each.seconds >= 10 else 0)
                words = label(0, 4, name, "small soft middle", "rotate(-90)")
                self.plot.append(moved((each.left + each.right) / 2, (top + bottom) / 2, words))

    def _retries(self) -> None:
        for before, after in self.links if len(self.links) <= _MOST_LINKS else ():
            start = self.axis.x(before.until), self.places.get(id(before), 0)
            end = self.axis.x(after.at), self.places.get(id(after), 0)
            self.plot.append(_link(start, end, after.number))


class Group:
    """What a function did: its environments, and what did not reach one."""

    def __init__(self, name: str, entries: list[Entry]) -> None:
        self.name = name
        self.entries = entries
        self.turned_away = [entry for entry in entries if entry.state in ("throttle", "refused")]
        rows: dict[int, list[Entry]] = {}
        for entry in entries:
            if entry.ran:
                rows.setdefault(entry.invocation.environment or 0, []).append(entry)
        self.rows = dict(sorted(rows.items()))

    def lanes(self, share: int) -> list[tuple[int, list[Entry]]]:
        """The number of each lane's first environment, and the attempts in it by time."""
        numbers = list(self.rows)
        lanes = [numbers[n : n + share] for n in range(0, len(numbers), share)]
        if share == 1:
            return list(self.rows.items())
        return [(lane[0], sorted((e for n in lane for e in self.rows[n]), key=lambda e: e.at)) for lane in lanes]

    def numbers(self, limit: int | None) -> str:
        """Its own summary, on one line."""
        summary = Summary.of(self.entries)
        parts = [
            _counted(len(self.rows), "environment"),
            _counted(summary.invocations, "invocation"),
            _counted(summary.throttles, "throttle") if summary.throttles else "",
            _counted(summary.errors, "error") if summary.errors else "",
            f"limit {limit:,}" if limit is not None else "",
        ]
        return " · ".join(part for part in parts if part)


def moved(x: float, y: float, *content: str) -> str:
    """A mark that keeps its shape where the picture is stretched; its content is drawn about 0, 0."""
    return element("g", *content, transform=f"translate({number_of(x)} {number_of(y)})")


def label(x: float, y: float, text: object, class_: str = "", transform: str = "") -> str:
    """A piece of text."""
    more = {"class_": class_} if class_ else {}
    return element("text", text_of(text), x=x, y=y, **more, **({"transform": transform} if transform else {}))


def _value(value: object) -> str:
    return number_of(value) if isinstance(value, float) else text_of(value)


def _style() -> str:
    return f"{_rules(_LIGHT)}{_FIXED}@media(prefers-color-scheme:dark){{{_rules(_DARK)}{_hatched()}}}"


def _rules(colours: dict[str, str]) -> str:
    fills = [f"{classes}{{fill:{colours[name]}}}" for name, classes in _COLOURED.items()]
    strokes = [f"{classes}{{stroke:{colours[name]}}}" for name, classes in _STROKED.items()]
    return "".join(fills + strokes)


def _hatched() -> str:
    """What a theme's plain colours would otherwise cover."""
    return "".join(f".{kind}{{fill:url(#hatch-{kind})}}" for kind in _HATCHES)


def _definitions() -> list[str]:
    return [
        element(
            "pattern",
            element("rect", class_=f"fill-{kind}", width=8, height=8),
            element("path", class_="hatch", d=path),
            id=f"hatch-{kind}",
            width=8,
            height=8,
            patternUnits="userSpaceOnUse",
        )
        for kind, path in _HATCHES.items()
    ]


def _title(timeline: Timeline) -> str:
    names = list(timeline.functions)
    return _short(names[0]) if len(names) == 1 else _counted(len(names), "function")


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'s' * (count != 1)}"


def _tiles(summary: Summary) -> Iterable[tuple[str, str]]:
    yield "requests", f"{summary.requests:,}"
    yield "invocations", f"{summary.invocations:,}"
    yield "cold starts", f"{summary.cold_starts:,}"
    yield "throttles", f"{summary.throttles:,}"
    yield "errors", f"{summary.errors:,}"
    yield "most at once", f"{summary.max_concurrency:,}"
    if summary.p50 is not None and summary.p95 is not None:
        yield "p50 duration", time_text(summary.p50)
        yield "p95 duration", time_text(summary.p95)


def _sample(kind: str, x: float, y: float) -> str:
    bar = _rect(x, y + (2 if kind == "init" else 0), 24, 8 if kind == "init" else 12, kind)
    return bar + _glyph(kind, x + 12, y + 6) if kind in _GLYPHS else bar


def _rect(x: float, y: float, width: float, height: float, class_: str) -> str:
    return element("rect", class_=class_, x=x, y=y, width=width, height=height)


def _bar(bar: Bar, top: float, height: float) -> str:
    if bar.kind == "init":  # thinner, to be told from the handler without its colour
        top, height = top + height / 5, height * 3 / 5
    width = max(bar.right - bar.left, 1.5)
    drawn = width - 0.6 if width > 4 else width  # neighbours do not touch
    title = element("title", text_of(bar.title))
    faint = {"fill_opacity": max(0.3, bar.density)} if bar.density < 0.95 and not bar.entry.failed else {}
    round_ = {"rx": 2} if drawn > 6 and height > 6 else {}
    request = {"data_r": bar.entry.number} if bar.count == 1 else {}
    return element(
        "rect", title, class_=bar.kind, x=bar.left, y=top, width=drawn, height=height, **round_, **request, **faint
    )


def _bar_marks(bar: Bar, top: float, height: float) -> Iterable[str]:
    """What there is room for: the attempt at its left, the request's number, a sign of how it failed at its right."""
    left, right, middle = bar.left, bar.right, top + height / 2
    if bar.count > 1 or bar.kind == "init":
        return
    if bar.kind in _GLYPHS and right - left >= 14:
        right -= 16
        yield _glyph(bar.kind, right + 8, middle)
    if bar.entry.invocation.attempt > 1:
        inside = right - left >= 20
        yield _badge(left + (9 if inside else -8), middle, min(7, height / 2), str(bar.entry.invocation.attempt))
        left += 14 * inside
    name = f"#{bar.entry.number}"
    if right - left >= 7 * len(name) + 8:
        yield label(left + 5, middle + 3.5, name, f"on on-{bar.kind}")


def _glyph(kind: str, x: float, y: float) -> str:
    circle = element("circle", class_=f"fill-{kind}", r=5.8)
    return moved(x, y, circle, element("path", class_="glyph", d=_GLYPHS[kind]))


def _badge(x: float, y: float, radius: float, text: str) -> str:
    return moved(x, y, element("circle", class_="ink badge", r=radius), label(0, 3.2, text, "badge-text middle"))


def _spike(x: float, y: float, height: float, title: str = "", number: int = 0) -> str:
    content = [element("title", text_of(title))] if title else []
    request = {"data_r": number} if number else {}
    return moved(
        x, y, element("path", *content, class_="throttle", d=f"M-3.5 0h7l-3.5 {number_of(height)}z", **request)
    )


def _clusters(entries: Sequence[Entry], axis: Axis) -> list[list[Entry]]:
    """What is so near that its marks would cover each other."""
    clusters: list[list[Entry]] = []
    edge = float("-inf")
    for entry in entries:
        x = axis.x(entry.at)
        if x < edge:
            clusters[-1].append(entry)
        else:
            clusters.append([entry])
            edge = x + 6
    return clusters


def _cluster_title(cluster: Sequence[Entry]) -> str:
    first = cluster[0]
    if len(cluster) == 1:
        return f"#{first.number} at {time_text(first.at, 1e-3)}\n{first.message}"
    reasons = sorted({entry.message for entry in cluster[:1_000]})
    span = f"{time_text(first.at, 1e-3)} to {time_text(cluster[-1].at, 1e-3)}"
    return "\n".join([f"{len(cluster):,} not run, {span}", *reasons[:5]])


def _area(steps: Sequence[tuple[float, int]], axis: Axis, bottom: float, scale: float) -> str:
    """The curve of what ran at once, and the area beneath; of steps within half a pixel, the highest is drawn."""
    d = [f"M{LEFT} {number_of(bottom)}"]
    for x, count in _thinned(steps, axis):
        d.append(f"H{number_of(x)}V{number_of(bottom - count * scale)}")
    line = "".join(d)
    return element("path", class_="area", d=f"{line}H{RIGHT}V{number_of(bottom)}z") + element(
        "path", class_="line", d=f"{line}H{RIGHT}"
    )


def _thinned(steps: Sequence[tuple[float, int]], axis: Axis) -> list[tuple[float, int]]:
    thinned: list[tuple[float, int]] = []
    cell, last = -1, 0
    for when, count in steps:
        x = axis.x(when)
        if int(x * 2) != cell:
            if thinned and thinned[-1][1] != last:
                thinned.append((thinned[-1][0] + 0.5, last))
            thinned.append((x, count))
            cell = int(x * 2)
        elif count > thinned[-1][1]:
            thinned[-1] = (thinned[-1][0], count)
        last = count
    if thinned and thinned[-1][1] != last:
        thinned.append((thinned[-1][0] + 0.5, last))
    return thinned


def _horizontal(y: float, class_: str) -> str:
    return element("path", class_=class_, d=f"M{LEFT} {number_of(y)}H{RIGHT}")


def _teeth(x: float, top: float, bottom: float) -> str:
    return moved(x, top, element("path", class_="teeth", d=f"M0 0{'l3 5l-3 5' * int((bottom - top) / 10)}"))


def _links(entries: Iterable[Entry]) -> Iterable[tuple[Entry, Entry]]:
    """Each attempt of a request, and the next."""
    last: dict[int, Entry] = {}
    for entry in entries:
        if entry.state == "waiting":
            continue
        if entry.number in last:
            yield last[entry.number], entry
        last[entry.number] = entry


def _apart(ticks: Iterable[tuple[float, str]]) -> Iterable[tuple[float, str]]:
    """Those whose names do not run into each other."""
    taken = 0.0
    for x, name in ticks:
        half = 3 * len(name) + 4
        if x - half > taken:
            taken = x + half
            yield min(x, WIDTH - half), name


def _link(start: tuple[float, float], end: tuple[float, float], number: int) -> str:
    bend = max(12.0, (end[0] - start[0]) / 3)
    points = (start, (start[0] + bend, start[1]), (end[0] - bend, end[1]), end)
    a, b, c, d = (f"{number_of(x)} {number_of(y)}" for x, y in points)
    return element("path", class_="link", d=f"M{a}C{b} {c} {d}", data_r=number)
