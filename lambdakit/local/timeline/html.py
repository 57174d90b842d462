"""The page of a timeline: the picture, and a table of the attempts with their logs. It needs nothing but a browser."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from lambdakit.local.timeline.axis import time_text
from lambdakit.local.timeline.svg import text_of

if TYPE_CHECKING:
    from lambdakit.local.timeline.timeline import Entry, Timeline

MOST_ROWS = 2_000
"""Of more attempts than this a page lists the failed and throttled ones first, and says so."""
_LONGEST_TEXT = 20_000

_STYLE = """
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2430;--soft:#5b6675;--rule:#e3e7ec;--life:#f4f6f8;--hot:#0b0e12;
--ok:#0072b2;--error:#b93a0a;--timeout:#a1337c;--crash:#20242b;--running:#5b6675;--throttle:#855203}
@media(prefers-color-scheme:dark){:root{--paper:#12161c;--ink:#e8ecf1;--soft:#9aa6b5;--rule:#2a323d;--life:#1c222b;
--hot:#fff;--ok:#56b4e9;--error:#ff8552;--timeout:#e58cc4;--crash:#f4f6f8;--running:#9aa6b5;--throttle:#f0e442}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1320px;padding:8px 24px 64px;background:var(--paper);color:var(--ink);
font:14px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"Liberation Sans",sans-serif}
h1{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
h2{font-size:18px;margin:32px 0 8px 24px}
.picture,.table{overflow-x:auto}.picture svg{display:block;min-width:1000px;height:auto}
.picture svg:not(.zoomed){width:100%}
nav{display:flex;flex-wrap:wrap;gap:8px;align-items:center;margin:8px 24px}nav[hidden]{display:none}
button,input,select{font:inherit;color:inherit;background:var(--life);border:1px solid var(--rule);border-radius:6px;
padding:4px 10px}
input{min-width:270px}.soft,.note{color:var(--soft)}.note{margin:4px 24px}
.table{margin:0 24px}table{border-collapse:collapse;font-size:13px;width:100%;font-variant-numeric:tabular-nums}
th{text-align:left;font-weight:600;color:var(--soft);position:sticky;top:0;background:var(--paper)}
th,td{padding:4px 10px;border-bottom:1px solid var(--rule);vertical-align:top;white-space:nowrap}
td.n,th.n{text-align:right}td.why{white-space:normal;overflow-wrap:anywhere;min-width:220px;color:var(--soft)}
tbody.hot{background:var(--life)}
.more{display:none}tbody:has(details[open]) .more{display:table-row}
@supports not selector(:has(a)){.more{display:table-row}}
.more td{white-space:normal;background:var(--life);padding:8px 16px 16px}
summary{cursor:pointer;color:var(--soft)}h3{font-size:12px;color:var(--soft);margin:8px 0 2px;font-weight:600}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;
font:12px/1.5 ui-monospace,Consolas,"Liberation Mono",monospace}
.state{font-weight:600}.ok{color:var(--ok)}.error{color:var(--error)}.timeout{color:var(--timeout)}
.crash{color:var(--crash)}.running,.waiting{color:var(--running)}.throttle,.refused{color:var(--throttle)}
svg [data-r]{cursor:pointer}svg .hot{stroke:var(--hot)!important;stroke-width:2px!important;stroke-dasharray:none}
"""

# The picture is stretched along its axis only, so that its words stay as they are.
_SCRIPT = """
(() => {
  const svg = document.querySelector(".picture svg"), plot = svg.querySelector(".plot"), frame = svg.parentElement;
  const left = +svg.dataset.left, [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
  const state = document.querySelector("#state"), text = document.querySelector("#text");
  const bodies = [...document.querySelectorAll("tbody")], shown = document.querySelector("#shown");
  let zoom = 1;
  document.querySelectorAll("nav").forEach(nav => nav.hidden = false);
  const shapes = [...plot.children].map(node => ({
    node, x: +node.getAttribute("x"), width: +node.getAttribute("width"),
    place: /^translate\\(([-\\d.]+) (.*)\\)$/.exec(node.getAttribute("transform") || ""),
  }));
  const stretched = x => left + (x - left) * zoom;
  const put = ({node, x, width, place}) => {
    if (place) node.setAttribute("transform", `translate(${stretched(+place[1])} ${place[2]})`);
    else if (node.tagName === "path") {
      node.setAttribute("transform", `translate(${left * (1 - zoom)} 0) scale(${zoom} 1)`);
      node.setAttribute("vector-effect", "non-scaling-stroke");
    } else node.setAttribute("x", stretched(x));
    if (node.tagName === "rect") node.setAttribute("width", width * zoom);
  };
  const zoomTo = (factor, middle) => {
    const scale = svg.clientWidth / (width + (width - left) * (zoom - 1));
    const x = ((frame.scrollLeft + middle) / scale - left) / zoom;
    zoom = Math.min(64, Math.max(1, factor));
    shapes.forEach(put);
    const whole = width + (width - left) * (zoom - 1);
    svg.setAttribute("viewBox", `0 0 ${whole} ${height}`);
    svg.classList.toggle("zoomed", zoom > 1);
    svg.style.width = zoom > 1 ? `${whole * scale}px` : "";
    svg.style.height = zoom > 1 ? `${height * scale}px` : "";
    frame.scrollLeft = (x * zoom + left) * scale - middle;
  };
  const half = () => frame.clientWidth / 2;
  document.querySelector("#in").onclick = () => zoomTo(zoom * 2, half());
  document.querySelector("#out").onclick = () => zoomTo(zoom / 2, half());
  document.querySelector("#whole").onclick = () => zoomTo(1, half());
  frame.addEventListener("wheel", event => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    zoomTo(zoom * (event.deltaY < 0 ? 1.25 : 0.8), event.clientX - frame.getBoundingClientRect().left);
  }, {passive: false});
  const light = (number, on) => document.querySelectorAll(`[data-r="${number}"]`)
    .forEach(node => node.classList.toggle("hot", on));
  const numberOf = event => event.target.closest?.("[data-r]")?.dataset.r;
  for (const [name, on] of [["mouseover", true], ["mouseout", false]])
    document.addEventListener(name, event => numberOf(event) && light(numberOf(event), on));
  svg.addEventListener("click", event => {
    const rows = document.querySelectorAll(`tbody[data-r="${numberOf(event)}"]`);
    for (const row of rows) {
      row.hidden = false;
      row.querySelector("details").open = true;
    }
    rows[0]?.scrollIntoView({block: "center"});
  });
  const filter = () => {
    const wanted = text.value.toLowerCase();
    let count = 0;
    for (const body of bodies) {
      body.hidden = (state.value && body.dataset.state !== state.value)
        || !body.textContent.toLowerCase().includes(wanted);
      count += !body.hidden;
    }
    shown.textContent = `${count.toLocaleString("en")} shown`;
  };
  state.oninput = text.oninput = filter;
})();
"""

_HEADINGS = ("request", "function", "kind", "attempt", "environment", "at", "init", "duration", "outcome", "why", "log")
_NUMBERS = frozenset(("request", "attempt", "environment", "at", "init", "duration"))


def page(timeline: Timeline) -> str:
    """The whole page. Without its script it lacks the zoom and the filter, and nothing else."""
    title = text_of(", ".join(list(timeline.functions)[:5]) or "timeline")
    return "\n".join(
        (
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>",
            f"<h1>Timeline of {title}</h1>",
            _zoom(),
            f'<div class="picture">{timeline.svg()}</div>',
            "<h2>Attempts</h2>",
            *_note(timeline.entries),
            _filter(timeline.entries),
            *_table(listed(timeline.entries)),
            f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        )
    )


def listed(entries: Sequence[Entry]) -> Sequence[Entry]:
    """What the table has room for, in order of time: what went wrong before what did not."""
    if len(entries) <= MOST_ROWS:
        return entries
    chosen = sorted(range(len(entries)), key=lambda n: (not entries[n].failed, entries[n].state == "ok", n))
    return [entries[n] for n in sorted(chosen[:MOST_ROWS])]


def _zoom() -> str:
    """Buttons of no use without the script, which is what shows them."""
    return (
        '<nav hidden aria-label="Zoom"><button id="in">Zoom in</button><button id="out">Zoom out</button>'
        '<button id="whole">All</button><span class="soft">Ctrl and the wheel zoom too; '
        "click on an attempt for its log.</span></nav>"
    )


def _filter(entries: Sequence[Entry]) -> str:
    states = "".join(f"<option>{state}</option>" for state in sorted({entry.state for entry in entries}))
    return (
        f'<nav hidden aria-label="Filter"><label>Outcome <select id="state"><option value="">all</option>{states}'
        '</select></label><label>Text <input id="text" type="search" placeholder="function, error, log, payload">'
        '</label><span id="shown" class="soft" role="status"></span></nav>'
    )


def _note(entries: Sequence[Entry]) -> Iterable[str]:
    if len(entries) > MOST_ROWS:
        yield f'<p class="note">{MOST_ROWS:,} of {len(entries):,} are listed, failed and throttled ones first.</p>'


def _table(entries: Iterable[Entry]) -> Iterable[str]:
    headings = "".join(f'<th scope="col"{_number_class(name)}>{name}</th>' for name in _HEADINGS)
    yield f'<div class="table"><table>\n<thead><tr>{headings}</tr></thead>'
    yield from map(_body, entries)
    yield "</table></div>"


def _body(entry: Entry) -> str:
    """An attempt's row, and beneath it what its log and payloads were, shown when its last cell is opened."""
    cells = "".join(
        f"<td{_number_class(name)}>{text_of(value)}</td>" for name, value in zip(_HEADINGS, _cells(entry), strict=False)
    )
    return (
        f'<tbody data-r="{entry.number}" data-state="{entry.state}"><tr>{cells}'
        f'<td class="state {entry.state}">{entry.state}</td><td class="why">{text_of(entry.message)}</td>'
        "<td><details><summary>show</summary></details></td></tr>\n"
        f'<tr class="more"><td colspan="{len(_HEADINGS)}">{"".join(_texts(entry))}</td></tr></tbody>'
    )


def _cells(entry: Entry) -> tuple[object, ...]:
    invocation = entry.invocation
    return (
        f"#{entry.number}",
        invocation.function,
        invocation.kind,
        invocation.attempt,
        "" if invocation.environment is None else invocation.environment,
        time_text(entry.at, 1e-3),
        "" if invocation.init_duration is None else time_text(invocation.init_duration),
        "" if invocation.duration is None else time_text(invocation.duration),
    )


def _texts(entry: Entry) -> Iterable[str]:
    invocation = entry.invocation
    texts = {
        "Request ID": invocation.request_id,
        "Event": "(let go)" if invocation.body is None else _json(invocation.event),
        "Reply": "" if invocation.payload is None else _json(invocation.payload),
        "Error": "" if invocation.error is None else "\n".join((str(invocation.error), *invocation.error.trace)),
        "Log": invocation.log,
    }
    for name, text in texts.items():
        if text:
            yield f"<h3>{name}</h3><pre>{text_of(_cut(text))}</pre>"


def _json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=repr)


def _cut(text: str) -> str:
    more = len(text) - _LONGEST_TEXT
    return text if more <= 0 else f"{text[:_LONGEST_TEXT]}\n… and {more:,} more characters"


def _number_class(name: str) -> str:
    return ' class="n"' if name in _NUMBERS else ""
