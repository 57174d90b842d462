"""Threads that a handler starts: strands of its environment, which run and wait in virtual time like the handler."""

from __future__ import annotations

import sys
import threading
from itertools import count
from typing import TYPE_CHECKING, Any

from lambdakit.local.virtual.interrupts import INTERRUPTS
from lambdakit.local.virtual.waiting import Overrun, Strand, StrandEnded, current_strand

if TYPE_CHECKING:
    from collections.abc import Callable

REAL_METHODS = _real_start, _real_join, _real_is_alive = (
    threading.Thread.start,
    threading.Thread.join,
    threading.Thread.is_alive,
)
_real_get_ident = threading.get_ident

_make_handle: Any = getattr(threading, "_make_thread_handle", None)  # since Python 3.13
_idents = count(-1, -1)  # no real thread has a negative one
_active: dict[int, Any] = threading._active  # type: ignore[attr-defined]  # where current_thread() looks


class VirtualThread:
    """What makes a ``threading.Thread`` run on a strand."""

    def __init__(self, thread: Any, starter: Strand) -> None:
        self.thread = thread
        self.alive = True
        self._joining: list[Strand] = []
        self.ident = next(_idents)
        self.strand = Strand(starter.sandbox, self._run, ident=self.ident)
        starter.sandbox.threads[self.strand] = self

    def start(self) -> None:
        """Let it begin when its turn comes, at this instant."""
        thread = self.thread
        thread._lambdakit = self
        thread._ident = thread._native_id = self.ident
        _active[self.ident] = thread
        thread._started.set()
        _tell_it_is_done(thread)
        self.strand.start()

    def join(self, seconds: float | None) -> None:
        """Wait for its end, or for so long."""
        strand = current_strand()
        if not self.alive or strand is None:
            return
        if strand is self.strand:
            raise RuntimeError("cannot join current thread")
        self._joining.append(strand)
        try:
            strand.pause(None if seconds is None else max(seconds, 0))
        finally:
            if strand in self._joining:
                self._joining.remove(strand)

    def forget(self) -> None:
        """It is over, or its environment is."""
        self.alive = False
        self.strand.sandbox.threads.pop(self.strand, None)
        _active.pop(self.ident, None)
        futures = sys.modules.get("concurrent.futures.thread")
        if futures is not None:  # which waits for its threads when Python exits
            getattr(futures, "_threads_queues").pop(self.thread, None)  # noqa: B009 - no checker knows it
        for strand in self._joining:
            strand.wake()

    def _run(self) -> None:
        try:
            self.thread.run()
        except Overrun:
            raise
        except StrandEnded:
            pass
        except BaseException:  # noqa: BLE001 - as Python does with what ends a thread
            INTERRUPTS.raise_if_pending()
            self.thread._invoke_excepthook(self.thread)
        finally:
            self.forget()


def start(thread: Any) -> None:
    """What ``Thread.start`` does."""
    strand = current_strand()
    if strand is None:
        _real_start(thread)
        return
    if thread._started.is_set():
        raise RuntimeError("threads can only be started once")
    VirtualThread(thread, strand).start()


def join(thread: Any, timeout: float | None = None) -> None:
    """What ``Thread.join`` does."""
    virtual: VirtualThread | None = getattr(thread, "_lambdakit", None)
    if virtual is None:
        _real_join(thread, timeout)
    else:
        virtual.join(timeout)


def is_alive(thread: Any) -> bool:
    """What ``Thread.is_alive`` does."""
    virtual: VirtualThread | None = getattr(thread, "_lambdakit", None)
    return _real_is_alive(thread) if virtual is None else virtual.alive


def get_ident() -> int:
    """What ``threading.get_ident`` does: handlers are all on the main thread of their environments."""
    strand = current_strand()
    return _real_get_ident() if strand is None or strand.ident is None else strand.ident


def start_new_thread(
    function: Callable[..., object], args: tuple[Any, ...], kwargs: dict[str, Any] | None = None
) -> int:
    """What ``_thread.start_new_thread`` does, in a handler."""
    strand = current_strand()
    assert strand is not None
    thread = threading.Thread(target=function, args=args, kwargs=kwargs, daemon=True)
    virtual = VirtualThread(thread, strand)
    virtual.start()
    return virtual.ident


def _tell_it_is_done(thread: Any) -> None:
    """Have Python itself see a thread that has ended, for whoever joins it when handlers no longer run."""
    if sys.version_info >= (3, 13):
        thread._handle = _make_handle(_real_get_ident())  # one that was started: only such a thread can be done
        thread._handle._set_done()
    else:
        thread._is_stopped = True
