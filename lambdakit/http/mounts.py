"""Other frameworks below a path: ASGI applications by way of Mangum, and Powertools' resolvers.

Sources: https://asgi.readthedocs.io/en/stable/specs/www.html, https://mangum.fastapiexpert.com,
https://docs.powertools.aws.dev/lambda/python/latest/core/event_handler/api_gateway/
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from lambdakit.depends import Depends
from lambdakit.errors import EventValidationError
from lambdakit.hooks import HOOKS
from lambdakit.http.handler import HttpHandler
from lambdakit.http.request import HttpRequest
from lambdakit.http.response import Reply
from lambdakit.http.routes import Pattern
from lambdakit.http.writer import Writer
from lambdakit.middleware import Invocation, context_of
from lambdakit.triggers.http import HttpTrigger, check_prefix
from lambdakit.triggers.trigger import TRIGGERS

if TYPE_CHECKING:
    from types import CodeType, FrameType

    from lambdakit.http.routes import RouteTable


def mount(prefix: str, app: Any) -> Mount:
    """Serve the requests below a path by another framework's application, but for those that a route takes.

    App collects it as it collects marked functions: bind it to a name in the module. Its answers are its own: the App's
    CORS and compression are not for them.

    Args:
        prefix: What the paths begin with, as ``/admin``; ``/`` takes all that no route takes.
        app: An ASGI application, as of FastAPI or Starlette (which needs ``lambdakit[asgi]``), or a resolver of
            Powertools for the front door that the requests come through. An ASGI application gets the prefix as its
            ``root_path``, and its lifespan is that of the execution environment; a resolver's routes begin below the
            prefix.

    Raises:
        TypeError: it is neither, or Mangum is missing.
        ValueError: the prefix is none.

    >>> async def application(scope, receive, send): ...
    >>> admin = mount("/admin", application)
    """
    if prefix != "/":
        check_prefix(prefix)
    path = prefix.removesuffix("/")
    if hasattr(app, "resolve") and hasattr(app, "_proxy_type"):
        return Mount(path, app, _resolving(path, app, app._proxy_type.name))
    if not callable(app):
        raise TypeError(f"mount takes an ASGI application or a resolver of Powertools, not {app!r}")
    if find_spec("mangum") is None:
        raise TypeError("an ASGI application is served by Mangum: pip install 'lambdakit[asgi]'")
    return AsgiMount(path, app)


class Mount:
    """A framework's application below a path, as an App collects it."""

    def __init__(self, prefix: str, app: Any, serve: Callable[..., Reply]) -> None:
        caller = _caller()
        self.__name__ = serve.__name__ = serve.__qualname__ = type(app).__name__
        self.__module__ = serve.__module__ = caller.f_globals.get("__name__", "")
        serve.__code__ = _placed(serve.__code__, caller)
        setattr(self, TRIGGERS, (MountTrigger(prefix, serve),))

    def __call__(self) -> object:
        """Nothing: it is served by an App."""
        return None


class AsgiMount(Mount):
    """An ASGI application. Called, it is a hook of the start: the application's lifespan."""

    def __init__(self, prefix: str, app: Any) -> None:
        self._app = app

        def serve(request: HttpRequest, invocation: Invocation, state: Any) -> Any:
            return _served(prefix, app, request, context_of(invocation), state)

        lifespan = Annotated[Any, Depends(self, scope="environment")]
        serve.__annotations__ = {"request": HttpRequest, "invocation": Invocation, "state": lifespan}
        super().__init__(prefix, app, serve)
        setattr(self, HOOKS, ("on_start",))

    async def __call__(self) -> AsyncIterator[dict[str, Any]]:
        """What the application keeps from its start on, to the end of the environment."""
        import asyncio

        from mangum.protocols import LifespanCycle

        cycle = LifespanCycle(self._app, "auto")
        running = asyncio.create_task(cycle.run())
        await cycle.startup()
        yield cycle.lifespan_state
        await cycle.shutdown()
        await running


async def _served(prefix: str, app: Any, request: HttpRequest, context: Any, state: dict[str, Any]) -> Reply:
    """What an ASGI application answers: Mangum makes its scope of the event, and the document of its response."""
    from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
    from mangum.handlers import ALB, APIGateway, HTTPGateway
    from mangum.protocols import HTTPCycle

    kind = ALB if request.front_door == "alb" else HTTPGateway if "version" in request.event else APIGateway
    config: Any = {
        "api_gateway_base_path": "/",
        "text_mime_types": [*DEFAULT_TEXT_MIME_TYPES],
        "exclude_headers": [],
    }
    handler = kind(request.event, context, config)
    outside = request.outside_path
    scope: Any = {**handler.scope, "path": outside + request.path, "root_path": outside + prefix, "state": {**state}}
    cycle = HTTPCycle(scope, request.body)
    await cycle.run(app)
    return PassedReply(handler({"status": cycle.status, "headers": cycle.headers, "body": cycle.body}))


def _resolving(prefix: str, resolver: Any, kind: str) -> Callable[..., Reply]:
    """What answers by a resolver of Powertools, which knows the events of one front door."""
    taken = _RESOLVERS.get(kind, ())

    def serve(request: HttpRequest, invocation: Invocation) -> Reply:
        if request.front_door not in taken:
            wants = f"{type(resolver).__name__} takes requests by way of {' or '.join(taken) or kind}"
            raise EventValidationError("mount", f"a request by way of {request.front_door}", [wants])
        return PassedReply(resolver.resolve(request.below(prefix), context_of(invocation)))

    return serve


_RESOLVERS = {
    "APIGatewayProxyEvent": ("apigw_v1",),
    "APIGatewayProxyEventV2": ("apigw_v2", "function_url"),
    "LambdaFunctionUrlEvent": ("function_url", "apigw_v2"),
    "ALBEvent": ("alb",),
}


class PassedReply(Reply):
    """An answer in the form of its front door already, which nothing is added to."""

    __slots__ = ("_document",)
    is_final = True

    def __init__(self, document: dict[str, Any]) -> None:
        super().__init__(document["statusCode"])
        self._document = document

    def document(self, request: HttpRequest) -> dict[str, Any]:
        """As it came."""
        return self._document


class MountTrigger(HttpTrigger):
    """Requests of all paths that begin as a mount does, and that no closer route takes."""

    answers_preflights: ClassVar[bool] = True

    def __init__(self, prefix: str, serve: Callable[..., Reply]) -> None:
        super().__init__(f"ANY {prefix}/{{path+}}")
        self.prefix = prefix or "/"
        self.root = Pattern(f"ANY {self.prefix}")
        self._serve = serve

    def __str__(self) -> str:
        return f"mount({self.prefix!r})"

    @property
    def is_described(self) -> bool:
        """No: the application may have a document of its own."""
        return False

    def settings(self) -> dict[str, object]:
        """Its prefix."""
        return {"prefix": self.prefix}

    def enter(self, table: RouteTable[Any], taker: Any) -> None:
        """Below the prefix, and at the prefix itself, unless a route takes that."""
        super().enter(table, taker)
        table.add(self.root, taker, is_weak=True)

    def handler(self, function: Callable[..., Any]) -> HttpHandler:
        """What hands requests to the application."""
        return MountHandler(self._serve, self)


class MountHandler(HttpHandler):
    """Hands requests to an application, whose answers stay as they are."""

    def _writer(self) -> Writer:
        return _AsItIs(self.name, Any, None)


class _AsItIs(Writer):
    def reply(self, value: Any) -> Reply:
        """What the application answered."""
        reply: Reply = value
        return reply


def _caller() -> FrameType:
    """Who mounts something."""
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    assert frame is not None
    return frame


def _placed(code: CodeType, caller: FrameType) -> CodeType:
    """Code that messages and lists show where it is mounted."""
    return code.replace(co_filename=caller.f_code.co_filename, co_firstlineno=caller.f_lineno)
