"""``python -m benchmarks``: what lambdakit costs, beside hand-written Pydantic and Powertools."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from benchmarks import cold, patterns, queues, warm
from benchmarks.measure import Measure, Peak, Rate
from benchmarks.works import CONTENDERS, Contender, WrongAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

MEBIBYTE = 1024 * 1024
PARTS = ("cold", "memory", "warm", "patterns", "queues")
ALONE = {"patterns", "queues"}
"""Parts in which lambdakit has no contenders."""


def main() -> int:
    """Prints a table, or JSON, and returns the exit status: 1 for a wrong answer, or with --check a missed target."""
    options = _options()
    parts = options.parts or PARTS
    try:
        if set(parts) - ALONE:
            warm.check()
        measures = _measures(parts, options.rounds)
    except WrongAnswer as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps(_report(measures), indent=2) if options.json else _table(measures))
    return int(options.check and not all(measure.met for measure in measures))


def _measures(parts: Sequence[str], rounds: int) -> list[Measure | Rate | Peak]:
    measures: list[Measure | Rate | Peak] = []
    if "cold" in parts or "memory" in parts:
        unit = {"cold": "ns", "memory": "B"}
        measures += (measure for measure in cold.measure(rounds) if measure.unit in {unit.get(part) for part in parts})
    if "warm" in parts:
        measures += warm.measure(rounds)
    if "patterns" in parts:
        measures += patterns.measure(rounds)
    if "queues" in parts:
        measures += queues.measure(rounds)
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


def _report(measures: list[Measure | Rate | Peak]) -> dict[str, object]:
    return {"versions": _versions(), "platform": platform.platform(), "measures": [_row(each) for each in measures]}


def _row(measure: Measure | Rate | Peak) -> dict[str, object]:
    if isinstance(measure, Rate):
        return {
            "what": measure.what,
            "unit": "1/s",
            "rounds": len(measure.samples),
            "median": {"lambdakit": measure.median},
            "uncertainty": {"lambdakit": measure.uncertainty},
            "target": measure.target,
            "met": measure.met,
        }
    if isinstance(measure, Peak):
        size = {"lambdakit": measure.size}
        return {"what": measure.what, "unit": "B", "median": size, "target": measure.target, "met": measure.met}
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


def _versions() -> dict[str, str]:
    packages = ("pydantic", "pydantic-core", "aws-lambda-powertools")
    return {"python": platform.python_version()} | {package: version(package) for package in packages}


def _table(measures: list[Measure | Rate | Peak]) -> str:
    head = ("", "hand-written", "lambdakit", "Powertools", "target", "")
    rows = [head, *(_cells(measure) for measure in measures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    versions = ", ".join(f"{name} {number}" for name, number in _versions().items())
    return "\n".join([versions, "", *lines])


def _cells(measure: Measure | Rate | Peak) -> tuple[str, ...]:
    if isinstance(measure, Rate):
        rate = f"{measure.median:,.0f} /s ± {measure.uncertainty:,.0f}"
        return measure.what, "", rate, "", f"{measure.target:,.0f} /s", "ok" if measure.met else "under"
    if isinstance(measure, Peak):
        size, target = (f"{amount / MEBIBYTE:,.0f} MiB" for amount in (measure.size, measure.target))
        return measure.what, "", size, "", target, "ok" if measure.met else "over"
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
