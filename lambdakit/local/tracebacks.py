"""Tracebacks as the user of lambdakit wants them: the frames of their own code and of what it calls, not ours."""

from __future__ import annotations

import os
import sysconfig
from pathlib import Path
from traceback import StackSummary, TracebackException, extract_tb
from typing import TYPE_CHECKING

import lambdakit

if TYPE_CHECKING:
    from types import TracebackType

_OURS = str(Path(lambdakit.__file__).parent) + os.sep
_PYTHON = sysconfig.get_path("stdlib") + os.sep


def user_frames(trace: TracebackType | None) -> StackSummary:
    """The frames of a traceback without ours, and without those of Python's own modules that ours call."""
    return _of_user(extract_tb(trace))


def user_traceback(error: BaseException) -> str:
    """A traceback as Python prints it, its causes included, with the frames of ``user_frames``."""
    whole = TracebackException.from_exception(error)
    _trim(whole)
    return "".join(whole.format())


def _trim(whole: TracebackException) -> None:
    whole.stack = _of_user(whole.stack)
    for part in (whole.__cause__, whole.__context__, *(whole.exceptions or ())):
        if part is not None:
            _trim(part)


def _of_user(stack: StackSummary) -> StackSummary:
    kept = []
    ours = False
    for frame in stack:
        ours = frame.filename.startswith(_OURS) or (ours and _is_pythons(frame.filename))
        if not ours:
            kept.append(frame)
    return StackSummary.from_list(kept)


def _is_pythons(file: str) -> bool:
    """Whether it is of the standard library, such as the event loop and the import, or made up, as ``<string>``."""
    return file.startswith("<") or (file.startswith(_PYTHON) and "site-packages" not in file)
