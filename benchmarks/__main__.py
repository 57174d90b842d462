"""``python -m benchmarks``: what lambdakit costs, beside hand-written Pydantic and Powertools, and ministack."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks import cold, processes, warm
from benchmarks.measure import Measure
from benchmarks.ministack import Unavailable, ministack_version
from benchmarks.processes import SERVICES, Rate
from benchmarks.works import CONTENDERS, Contender, WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MEBIBYTE = 1024 * 1024
PARTS = ("cold", "memory", "processes", "warm")


def main() -> int:
    """Prints tables, or JSON, and returns the exit status: 1 for a wrong answer, or with --check a missed target."""
    options = _options()
    parts = options.parts or PARTS
    try:
        measures = _measures(parts, options.rounds)
        rates = processes.measure(options.rounds) if "processes" in parts else []
    except (WrongAnswer, Unavailable) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(_report(measures, rates), indent=2) if options.json else _tables(measures, rates))
    met = [measure.met for measure in measures] + [rate.met for rate in rates]
    return int(options.check and not all(met))


def _measures(parts: Sequence[str], rounds: int) -> list[Measure]:
    measures: list[Measure] = []
    if set(parts) - {"processes"}:
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


def _report(measures: list[Measure], rates: list[Rate]) -> dict[str, object]:
    rows = [*map(_row, measures), *map(_rate_row, rates)]
    return {"versions": _versions(), "platform": platform.platform(), "measures": rows}


def _row(measure: Measure) -> dict[str, object]:
    return {
        "what": measure.what,
        "unit": measure.unit,
        "rounds": len(measure.samples["pydantic"]),
        "median": {name: measure.median(name) for name in CONTENDERS},
        "compared": {name: measure.compared(name) for name in CONTENDERS[1:]},
        "uncertainty": {name: measure.uncertainty(name) for name in CONTENDERS[1:]},
        "target": measure.target,
        "met": measure.met,
    }


def _rate_row(rate: Rate) -> dict[str, object]:
    return {
        "what": rate.what,
        "unit": "1/s",
        "rounds": len(rate.samples["ministack"]),
        "median": {name: rate.median(name) for name in SERVICES},
        "compared": {"lambdakit": rate.times},
        "uncertainty": {"lambdakit": rate.uncertainty},
        "target": rate.target,
        "met": rate.met,
    }


def _versions() -> dict[str, str]:
    packages = ("pydantic", "pydantic-core", "aws-lambda-powertools", "awslambdaric")
    versions = {"python": platform.python_version()} | {package: version(package) for package in packages}
    return versions | ({"ministack": ministack_version()} if ministack_version() else {})


def _tables(measures: list[Measure], rates: list[Rate]) -> str:
    tables = [", ".join(f"{name} {number}" for name, number in _versions().items())]
    if measures:
        tables.append(_table(("", "hand-written", "lambdakit", "Powertools", "target", ""), map(_cells, measures)))
    if rates:
        tables.append(_table(("invocations a second", *SERVICES, "times", "target", ""), map(_rate_cells, rates)))
    return "\n\n".join(tables)


def _table(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    rows = [head, *body]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def _rate_cells(rate: Rate) -> tuple[str, ...]:
    return (
        rate.what,
        *(f"{rate.median(service):,.0f}" for service in SERVICES),
        f"{rate.times:.1f} ± {rate.uncertainty:.1f}",
        f"{rate.target:.1f}",
        "ok" if rate.met else "under",
    )


def _cells(measure: Measure) -> tuple[str, ...]:
    return (
        measure.what,
        _amount(measure),
        _comparison(measure, "lambdakit"),
        _comparison(measure, "powertools"),
        _compared(measure, measure.target),
        "ok" if measure.met else "over",
    )


def _amount(measure: Measure) -> str:
    amount = measure.median("pydantic")
    if measure.unit == "B":
        return f"{amount / MEBIBYTE:.1f} MiB"
    return f"{amount / 1e6:.2f} ms" if amount >= 1e6 else f"{amount / 1e3:.2f} µs"


def _comparison(measure: Measure, contender: Contender) -> str:
    uncertainty = measure.uncertainty(contender)
    return f"{_compared(measure, measure.compared(contender))} ± " + (
        f"{uncertainty / MEBIBYTE:.2f}" if measure.unit == "B" else f"{uncertainty:.2f}"
    )


def _compared(measure: Measure, value: float) -> str:
    return f"{value / MEBIBYTE:+.2f} MiB" if measure.unit == "B" else f"{value:.2f}"


if __name__ == "__main__":
    raise SystemExit(main())
