"""What a function prints and logs, kept by environment; and logging set up as Lambda's runtime does."""

from __future__ import annotations

import io
import logging
import sys
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from lambdakit.local.virtual.waiting import current_strand

_manager: Any = logging.Logger.manager


class LogStream:
    """``sys.stdout`` and ``sys.stderr`` while the clock runs: a handler's output goes to its environment's log.

    What a handler keeps of it, as ``logging.StreamHandler`` does, is of use in later runs too. So there is one for each
    of them, which is told the developer's stream.
    """

    encoding = "utf-8"
    errors = "replace"
    newlines = None
    closed = False

    def __init__(self, outer: TextIO) -> None:
        self.outer = outer
        self.buffer = _Bytes(self)

    def write(self, text: str) -> int:
        """Write to the log of the current environment, or to the developer's stream outside of handlers."""
        strand = current_strand()
        if strand is None:
            return self.outer.write(text)
        strand.sandbox.log.append(text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write several texts."""
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        """Flush the developer's stream; a log needs none."""
        if current_strand() is None:
            self.outer.flush()

    def isatty(self) -> bool:
        """Whether it is a terminal, as no log is."""
        return current_strand() is None and self.outer.isatty()

    def fileno(self) -> int:
        """The developer's file.

        Raises:
            io.UnsupportedOperation: a handler asked; its log has none.
        """
        if current_strand() is not None:
            raise io.UnsupportedOperation("fileno")
        return self.outer.fileno()

    def readable(self) -> bool:
        """That it can't be read."""
        return False

    def writable(self) -> bool:
        """That it can be written to."""
        return True


class _Bytes:
    """``sys.stdout.buffer``."""

    def __init__(self, stream: LogStream) -> None:
        self._stream = stream

    def write(self, data: Any) -> int:
        """Write UTF-8."""
        self._stream.write(bytes(data).decode(errors="replace"))
        return len(data)

    def flush(self) -> None:
        """Flush what is flushed without it."""
        self._stream.flush()


STREAMS = LogStream(sys.stdout), LogStream(sys.stderr)


@contextmanager
def captured() -> Generator[None]:
    """Keep handlers' output from the developer's streams, until the end of a ``with`` block."""
    outer = sys.stdout, sys.stderr
    for stream, own in zip(STREAMS, outer, strict=True):
        stream.outer = own
    replaced: Any = STREAMS
    sys.stdout, sys.stderr = replaced
    try:
        yield
    finally:
        sys.stdout, sys.stderr = outer
        for stream, standard in zip(STREAMS, (sys.__stdout__, sys.__stderr__), strict=True):
            stream.outer = standard or stream.outer  # the developer's may be closed before it is used again


class LambdaLogHandler(logging.Handler):
    """What Lambda's runtime puts on the root logger."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(_formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write to the log of the current environment, and pass the record on to the developer's own handlers."""
        strand = current_strand()
        if strand is None or strand.sandbox.over:  # what unwinds has nothing to say
            return
        record.aws_request_id = strand.sandbox.running[1]
        strand.sandbox.log.append(self.format(record))
        for handler in strand.sandbox.stage.root.handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


class _LambdaFormatter(logging.Formatter):
    def converter(self, seconds: float | None) -> time.struct_time:
        """The time in UTC."""
        return time.gmtime(seconds)


_formatter = _LambdaFormatter(
    "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
)


class Loggers(dict[str, Any]):
    """The loggers of an environment: those that were there before are everyone's, those it makes its own."""

    def __init__(self, shared: dict[str, Any]) -> None:
        super().__init__()
        self._shared = shared

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._shared

    def __missing__(self, name: str) -> Any:
        return self._shared[name]

    def __iter__(self) -> Iterator[str]:
        yield from super().__iter__()
        yield from self._shared

    def get(self, name: str, default: Any = None) -> Any:
        """As any dictionary."""
        return self[name] if name in self else default  # noqa: SIM401 - that would be this very method

    def keys(self) -> Any:
        """As any dictionary."""
        return list(self)

    def values(self) -> Any:
        """As any dictionary."""
        return [*super().values(), *self._shared.values()]

    def items(self) -> Any:
        """As any dictionary."""
        return [*super().items(), *self._shared.items()]


class RootState:
    """What an environment, or the developer, has made of the root logger."""

    __slots__ = ("filters", "handlers", "level")

    def __init__(self, handlers: list[logging.Handler], level: int = logging.WARNING) -> None:
        self.handlers = handlers
        self.filters: list[Any] = []
        self.level = level

    def take(self) -> None:
        """Remember what it is."""
        root = logging.root
        self.handlers, self.filters, self.level = root.handlers, root.filters, root.level

    def put(self) -> None:
        """Make it so."""
        root = logging.root
        root.handlers, root.filters = self.handlers, self.filters
        if root.level != self.level:
            root.level = self.level
            _manager._clear_cache()  # each logger remembers which levels it lets through


def shared_loggers() -> dict[str, Any]:
    """The loggers of the process."""
    loggers: dict[str, Any] = _manager.loggerDict
    return loggers


def put_loggers(loggers: dict[str, Any], root: RootState) -> None:
    """Make these the loggers there are."""
    _manager.loggerDict = loggers
    root.put()
