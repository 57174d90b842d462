"""The event loop of an execution environment: one, started when a coroutine first needs it."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

Result = TypeVar("Result")


class EventLoop:
    """Runs coroutines for code that is not one; asyncio is loaded with the first of them."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """The coroutine's result: on this thread, or on the loop's own while that waits for a worker thread."""
        import asyncio

        if asyncio._get_running_loop() is not None:
            coroutine.close()
            raise RuntimeError(
                "the App has async handlers or dependencies and was called from inside a running event loop; "
                "call it from a thread: await asyncio.to_thread(app, event, context)"
            )
        if self._runner is None:
            self._runner = asyncio.Runner()
        loop = self._runner.get_loop()
        if loop.is_running():
            return asyncio.run_coroutine_threadsafe(coroutine, loop).result()
        return self._runner.run(coroutine)

    def close(self) -> None:
        """End the loop; the next coroutine gets a new one."""
        if self._runner is not None:
            self._runner.close()
            self._runner = None
