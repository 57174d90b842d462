"""How much memory a process takes, its children included. Linux tells it in ``/proc``; elsewhere nobody is asked.

Not psutil: it does not know the peak that the kernel keeps of a process, which no sampling can miss.

Source: https://docs.kernel.org/filesystems/proc.html
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_PROC = Path("/proc")


class Memory:
    """The resident memory of a process, for as long as it lives.

    The process alone is known by its peak. What it takes together with its children is known only of the moments when
    it is measured.

    Attributes:
        peak: The most it took, in bytes, as far as that was measured; 0 where it can't be.
    """

    def __init__(self, pid: int) -> None:
        self.peak = 0
        self._pid = pid
        self._status: int | None = None
        with suppress(OSError):
            self._status = os.open(_PROC / str(pid) / "status", os.O_RDONLY | os.O_CLOEXEC)

    def measure(self) -> int:
        """Look at the process itself; return its peak so far, in bytes."""
        self.peak = max(self.peak, self._read(b"VmHWM"))
        return self.peak

    def measure_together(self, limit: int) -> int:
        """Look at the process and its children; return their peak so far, in bytes.

        Pages that several of them share count once each, as that is cheap, unless that is more than ``limit``.
        """
        children = _children(self._pid)
        if children:
            together = self._read(b"VmRSS") + sum(_resident(child) for child in children)
            if together > limit:
                together = sum(_share(pid) for pid in (self._pid, *children))
            self.peak = max(self.peak, together)
        return self.measure()

    def close(self) -> None:
        """Let go of the process."""
        if self._status is not None:
            os.close(self._status)
            self._status = None

    def _read(self, field: bytes) -> int:
        if self._status is None:
            return 0
        with suppress(ProcessLookupError):
            return _kilobytes(field, os.pread(self._status, 8_192, 0))
        return 0


def _children(pid: int) -> list[int]:
    """The children of a process, and theirs."""
    found: list[int] = []
    for file in (_PROC / str(pid) / "task").glob("*/children"):
        found += map(int, _text(file).split())
    return [each for child in found for each in (child, *_children(child))]


def _resident(pid: int) -> int:
    return _kilobytes(b"VmRSS", _text(_PROC / str(pid) / "status"))


def _share(pid: int) -> int:
    """What it takes, of pages that processes share its share."""
    return _kilobytes(b"Pss", _text(_PROC / str(pid) / "smaps_rollup"))


def _text(file: Path) -> bytes:
    with suppress(OSError):  # it is gone by now
        return file.read_bytes()
    return b""


def _kilobytes(field: bytes, text: bytes) -> int:
    _, found, rest = text.partition(b"\n%b:" % field)
    return int(rest[: rest.index(b"kB")]) * 1024 if found else 0
