"""The event loop of an execution environment: one, started when a coroutine first needs it."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import ContextVar, copy_context
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    import asyncio

Result = TypeVar("Result")

_running: ContextVar[EventLoop | None] = ContextVar("_running", default=None)
"""The loop that runs what this context belongs to, also on a worker thread that works for it."""


class EventLoop:
    """Runs coroutines for code that is not one; asyncio is loaded with the first of them."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._lock = Lock()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """The coroutine's result: on this thread, or on the loop's own while that waits for a worker thread.

        It sees the context variables of its caller; what it sets of them stays its own.

        Raises:
            RuntimeError: this thread runs an event loop already.
        """
        import asyncio

        try:
            self.refuse_inside()
        except RuntimeError:
            coroutine.close()
            raise
        caught = _caught(coroutine)
        runner = self._runner
        if runner is not None and _running.get() is self and runner.get_loop().is_running():
            done = asyncio.run_coroutine_threadsafe(caught, runner.get_loop()).result()
        else:
            done = self._run(caught)
        if isinstance(done, _End):
            raise done.error
        return done

    def refuse_inside(self) -> None:
        """See that this thread runs no event loop, inside of which another can't wait.

        Raises:
            RuntimeError: it does.
        """
        import asyncio

        if asyncio._get_running_loop() is not None:
            raise RuntimeError(
                "the App has handlers or dependencies that need an event loop, and was called from inside a running "
                "one; call it from a thread: await asyncio.to_thread(app, event, context)"
            )

    def settled(self, reply: Any) -> Any:
        """What a call came to: the result of what it returned to be awaited, or what it returned."""
        if not hasattr(type(reply), "__await__"):
            return reply
        return self.run(reply if isinstance(reply, Coroutine) else _awaited(reply))

    def close(self) -> None:
        """End the loop; the next coroutine gets a new one.

        Raises:
            RuntimeError: it is running.
        """
        if self._runner is None:
            return
        import asyncio

        if self._runner.get_loop().is_running():
            raise RuntimeError("the App's event loop is running: close the App after its handlers have returned")
        runner, self._runner = self._runner, None
        if asyncio._get_running_loop() is None:
            runner.close()
        else:  # an App may become garbage anywhere; no loop can be closed on a thread that runs another
            closing = Thread(target=runner.close)
            closing.start()
            closing.join()

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        import asyncio

        context = copy_context()
        context.run(_running.set, self)
        with self._lock:  # of several threads that call the App, one at a time has the loop
            if self._runner is None:
                self._runner = asyncio.Runner()
            return self._runner.run(coroutine, context=context)


async def _awaited(reply: Any) -> Any:
    return await reply


class _End(NamedTuple):
    """What is to end the process."""

    error: BaseException


async def _caught(coroutine: Coroutine[Any, Any, Result]) -> Result | _End:
    """The coroutine's result. What is to end the process is carried out of the loop, which it would break there."""
    try:
        return await coroutine
    except (SystemExit, KeyboardInterrupt) as error:
        return _End(error)
