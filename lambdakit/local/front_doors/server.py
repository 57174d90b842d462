"""A front door on a port of this machine, served by Uvicorn."""

from __future__ import annotations

import socket
from threading import Thread
from typing import TYPE_CHECKING, Self

from lambdakit.triggers.settings import check_range

try:
    import uvicorn
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "a front door at a port needs uvicorn: pip install 'lambdakit[serve]'", name="uvicorn"
    ) from error

if TYPE_CHECKING:
    from types import TracebackType

    from lambdakit.local.front_doors.asgi import Application


class Server:
    """A front door that a browser, curl or any other client reaches; ``LocalLambda.serve`` makes it.

    It serves from the time it is made until it is closed, in a thread of its own.

    Args:
        application: What it serves.
        listener: A socket that listens.

    Attributes:
        url: Where it is.
    """

    def __init__(self, application: Application, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        config = uvicorn.Config(
            application,
            interface="asgi3",
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            proxy_headers=False,  # a front door knows what they mean
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=False,
        )
        self._server = _Impatient(config)
        # A daemon, so that who forgets to close it can still leave.
        self._thread = Thread(target=self._server.run, args=([listener],), name=f"server at {self.url}", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop at once: who waits for an answer is told so."""
        self._server.should_exit = self._server.force_exit = True
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class _Impatient(uvicorn.Server):
    """Ends what is being answered when it ends. Since Python 3.12 a server of asyncio waits for its connections."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for task in list(self.server_state.tasks):
            task.cancel()
        await super().shutdown(sockets)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: the port is taken, or is for others to use; or there is no such host.
        ValueError: there is no such port.
    """
    check_range("port", port, 0, 65_535)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Only of a socket that says it is TCP's does asyncio send what it has at once, and not 40 ms later.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener
