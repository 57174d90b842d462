"""``python -m benchmarks``: what lambdakit costs, beside hand-written Pydantic, Powertools and FastAPI."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks import cold, patterns, processes, queues, virtual, warm
from benchmarks.measure import Figure, Measure
from benchmarks.ministack import Unavailable
from benchmarks.works import Contender, WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MEBIBYTE = 1024 * 1024
COMPARED = ("cold", "memory", "warm")
ALONE: dict[str, Callable[[], list[Figure]]] = {
    "patterns": patterns.measure,
    "processes": processes.measure,
    "queues": queues.measure,
    "virtual": virtual.measure,
}
PARTS = (*COMPARED, *ALONE)


def main() -> int:
    """Prints a table, or JSON, and returns the exit status: 1 for a wrong answer, or with --check a missed target."""
    options = _options()
    parts = options.parts or PARTS
    try:
        measures = _measures(parts, options.rounds)
        figures = [figure for part, measure in ALONE.items() if part in parts for figure in measure()]
    except (WrongAnswer, Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(_report(measures, figures), indent=2) if options.json else _tables(measures, figures))
    met = all(measure.met for measure in measures) and all(figure.met for figure in figures)
    return int(options.check and not met)


def _measures(parts: Sequence[str], rounds: int) -> list[Measure]:
    measures: list[Measure] = []
    if not set(parts).isdisjoint(COMPARED):
        warm.check()
    if "cold" in parts or "memory" in parts:
        unit = {"cold": "ns", "memory": "B"}
        measures += (measure for measure in cold.measure(rounds) if measure.unit in {unit.get(part) for part in parts})
    if "warm" in parts:
        measures += warm.measure(rounds)
    return measures


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=f"what to measure: {', '.join(PARTS)}; default: all")
    parser.add_argument("--rounds", type=int, default=60, help="samples of each function, two or more; default: 60")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--check", action="store_true", help="exit with status 1 when lambdakit misses a target")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if options.rounds < 2:
        parser.error("two rounds are the least that has a spread")
    return options


def _report(measures: list[Measure], figures: list[Figure]) -> dict[str, object]:
    return {
        "versions": _versions(),
        "platform": platform.platform(),
        "measures": [_row(each) for each in measures],
        "figures": [{**vars(each), "median": each.median, "met": each.met} for each in figures],
    }


def _row(measure: Measure) -> dict[str, object]:
    return {
        "what": measure.what,
        "unit": measure.unit,
        "rounds": len(measure.samples["pydantic"]),
        "median": {name: measure.median(name) for name in measure.samples},
        "compared": {name: measure.compared(name) for name in measure.samples},
        "uncertainty": {name: measure.uncertainty(name) for name in measure.samples},
        "target": measure.target,
        "met": measure.met,
    }


def _versions() -> dict[str, str]:
    packages = ("pydantic", "pydantic-core", "aws-lambda-powertools")
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def _tables(measures: list[Measure], figures: list[Figure]) -> str:
    versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
    compared = [("", "hand-written", "lambdakit", "Powertools", "FastAPI", "target", ""), *map(_cells, measures)]
    alone = [("", "median", "target", "", ""), *map(_figure_cells, figures)]
    return "\n\n".join([versions, *(_table(rows) for rows in (compared, alone) if len(rows) > 1)])


def _table(rows: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _figure_cells(figure: Figure) -> tuple[str, ...]:
    bound = "at least" if figure.at_least else "at most"
    median, target = (f"{value:,.2f}" if value < 100 else f"{value:,.0f}" for value in (figure.median, figure.target))
    return (
        figure.what,
        f"{median} {figure.unit}",
        f"{bound} {target} {figure.unit}",
        "ok" if figure.met else "missed",
        figure.note,
    )


def _cells(measure: Measure) -> tuple[str, ...]:
    return (
        measure.what,
        _amount(measure),
        _comparison(measure, "lambdakit"),
        _comparison(measure, "powertools"),
        _comparison(measure, "fastapi"),
        _compared(measure, measure.target),
        "ok" if measure.met else "over",
    )


def _amount(measure: Measure) -> str:
    amount = measure.median("pydantic")
    if measure.unit == "B":
        return f"{amount / MEBIBYTE:.1f} MiB"
    return f"{amount / 1e6:.2f} ms" if amount >= 1e6 else f"{amount / 1e3:.2f} µs"


def _comparison(measure: Measure, contender: Contender) -> str:
    if contender not in measure.samples:
        return "-"
    uncertainty = measure.uncertainty(contender)
    return f"{_compared(measure, measure.compared(contender))} ± " + (
        f"{uncertainty / MEBIBYTE:.2f}" if measure.unit == "B" else f"{uncertainty:.2f}"
    )


def _compared(measure: Measure, value: float) -> str:
    return f"{value / MEBIBYTE:+.2f} MiB" if measure.unit == "B" else f"{value:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
