"""AWS at an endpoint of this machine: moto's server, for tests and the documentation."""

from __future__ import annotations

import logging
from collections.abc import Generator
from contextlib import contextmanager
from urllib.request import Request, urlopen

from moto.server import ThreadedMotoServer


@contextmanager
def moto_endpoint() -> Generator[str]:
    """The URL of a server that runs until the end of the ``with`` block, and has nothing yet.

    What moto keeps is the process's: another server's queues and streams would be there too.
    """
    werkzeug = logging.getLogger("werkzeug")
    werkzeug.disabled = True  # a line for each request
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        urlopen(Request(f"http://{host}:{port}/moto-api/reset", method="POST")).close()
        yield f"http://{host}:{port}"
    finally:
        server.stop()
        werkzeug.disabled = False
