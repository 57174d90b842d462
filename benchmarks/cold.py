"""Cold starts: a new process that imports the function's module, answers one event and ends.

The kernel counts: the CPU time of the whole process, interpreter included, and its peak of resident memory.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Measure
from benchmarks.works import (
    COLD_TARGETS,
    MEMORY_TARGET,
    SOURCES,
    Source,
    WrongAnswer,
    contenders,
    module,
    turns,
    work,
)

# Ends without the interpreter's clean-up, which no Lambda function waits for.
START = """
import json, os, sys
root, name, event = sys.argv[1:]
sys.path.insert(0, root)
with open(event, "rb") as file:
    event = json.load(file)
__import__(name, fromlist=["handler"]).handler(event, None)
sys.stdout.flush()
os._exit(0)
"""
# A process inherits the peak memory of the one that starts it, so the one that does is as small as can be.
SPAWN = """
import os, sys
_, status, used = os.wait4(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)
print(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
ROOT = Path(__file__).parents[1]
PEAK_UNIT = 1 if sys.platform == "darwin" else 1024  # ru_maxrss is in bytes on macOS, in KiB elsewhere


def measure(rounds: int) -> list[Measure]:
    """CPU time and peak memory of ``rounds`` cold starts of each function, the contenders taking turns."""
    with TemporaryDirectory() as folder:
        return [measured for source in SOURCES for measured in _measure(source, rounds, Path(folder))]


def _measure(source: Source, rounds: int, folder: Path) -> tuple[Measure, Measure]:
    event = folder / f"{source}.json"
    event.write_text(json.dumps(work(source, 1).event))
    title = source.upper()
    time = Measure(f"cold start, {title}", source, "ns", COLD_TARGETS[source])
    memory = Measure(f"peak memory, {title}", source, "B", MEMORY_TARGET)
    for contender in contenders(source):  # writes the .pyc files, fills the page cache
        _start(module(source, contender), event)
    for number in range(rounds):
        for contender in turns(source, number):
            took, peak = _start(module(source, contender), event)
            time.samples[contender].append(took)
            memory.samples[contender].append(peak)
    return time, memory


def _start(function: str, event: Path) -> tuple[float, float]:
    command = [sys.executable, "-I", "-c", START, str(ROOT), function, str(event)]
    outcome = subprocess.run([sys.executable, "-I", "-S", "-c", SPAWN, *command], stdout=subprocess.PIPE, check=True)
    status, seconds, peak = outcome.stdout.split()[-3:]
    if int(status):
        raise WrongAnswer(f"the cold start of {function} ended with exit status {int(status)}")
    return float(seconds) * 1e9, float(peak) * PEAK_UNIT
