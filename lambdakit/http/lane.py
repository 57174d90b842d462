"""The lane of requests: from an event to its route, from what that returns to the answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lambdakit.http.errors import HTTPError, RequestValidationError
from lambdakit.http.request import front_door
from lambdakit.http.response import Reply
from lambdakit.http.routes import RouteTable
from lambdakit.identify import identify
from lambdakit.lane import Lane, Target

if TYPE_CHECKING:
    from lambdakit.binding import Handler
    from lambdakit.depends import Dependencies
    from lambdakit.http.handler import HttpHandler, RequestHandler
    from lambdakit.http.request import HttpRequest
    from lambdakit.http.settings import HttpSettings
    from lambdakit.middleware import Invocation
    from lambdakit.triggers.http import HttpTrigger
    from lambdakit.triggers.trigger import Record, Trigger


class RequestLane(Lane):
    """Handlers that answer requests, whatever they are chosen by."""

    def _reply(self, request: HttpRequest, invocation: Invocation) -> Reply:
        """The answer of a route, or of lambdakit itself; dependencies see what went wrong before it is answered."""
        invocation.request = request
        try:
            try:
                reply = self._answered(request, invocation)
            except BaseException as error:
                invocation.end(error)
                raise
            invocation.end()
        except HTTPError as error:
            return error.reply()
        return reply

    def _answered(self, request: HttpRequest, invocation: Invocation) -> Reply:
        """The answer of a handler.

        Raises:
            HTTPError: it is the answer.
        """
        raise NotImplementedError(type(self))

    def _provide(self, handler: RequestHandler, request: HttpRequest, invocation: Invocation) -> None:
        try:
            for provider in handler.providers:
                self._dependencies.provide(provider, invocation)
        except RequestValidationError as error:
            raise handler.invalid_request(request, error) from error


class HttpLane(RequestLane):
    """The routes of an App. Its records are events, whichever front door they came through."""

    def __init__(self, trigger: type[Trigger], dependencies: Dependencies, settings: HttpSettings | None) -> None:
        super().__init__(trigger, dependencies)
        if settings is not None:
            _check_settings(settings)
        self.settings = settings
        self.table: RouteTable[Target] = RouteTable()

    def add(self, target: Target) -> None:
        """Let a handler have the requests of its route."""
        super().add(target)
        trigger: HttpTrigger = target.handlers[0].trigger  # type: ignore[assignment]
        trigger.enter(self.table, target)

    def run(self, event: Any, invocation: Invocation) -> Any:
        """Answer a request in the form of its front door.

        Raises:
            EventValidationError: the event is no request of its source.
            Exception: what the handler raised, but for HTTPError, which is an answer.
        """
        request = self._request(event, invocation.source)
        reply = self._reply(request, invocation)
        if not reply.is_final:
            if self.settings is not None:
                self._finish(request, reply, self.settings)
            if request.method == "HEAD" or reply.status in (204, 304):
                reply.body = ""
        return reply.document(request)

    def routes(self, records: Sequence[Record]) -> list[Any]:
        """The target of each event; None for one that lambdakit answers itself."""
        return [self.route(record) for record in records]

    def route(self, record: Record) -> Any:
        """The target of an event."""
        request = self._request(record, identify(record))
        found = self.table.find(request.method, request.segments)
        return found[0] if found else None

    def describe(self, record: Record) -> str:
        """The request in a word or two."""
        request = self._request(record, identify(record))
        return f"request {request.method} {request.path} by way of {request.front_door}"

    def why_not(self, handler: Handler, record: Record) -> str:
        """What the route takes beside what came."""
        request = self._request(record, identify(record))
        return f"takes {handler.trigger}, this is {request.method} {request.path}"

    def _request(self, event: Any, label: str) -> HttpRequest:
        kind = front_door(label)
        assert kind is not None, f"{label} is no front door"
        request = kind(event)
        if self.settings is not None and self.settings.base_path:
            prefix = request.base_path + self.settings.base_path
            if f"{request.raw_path}/".startswith(f"{prefix}/"):
                request.base_path = prefix
        return request

    def _answered(self, request: HttpRequest, invocation: Invocation) -> Reply:
        if self.settings is not None:
            reply = self._preflight(request, self.settings)
            if reply is not None:
                return reply
        found = self.table.find(request.method, request.segments)
        if found is None:
            return self._unrouted(request)
        target, parameters = found
        request.path_parameters.update(parameters)
        if self.settings is not None:
            _check_size(request, self.settings.max_body_size)
        handler: HttpHandler = target.handlers[0]  # type: ignore[assignment]
        if handler.providers:
            self._provide(handler, request, invocation)
        return handler.writer.reply(self.loop.settled(target.run(request.event, invocation)))

    def _unrouted(self, request: HttpRequest) -> Reply:
        """The answer where no route is.

        Raises:
            HTTPError: 404, or 405 where the path has other methods.
        """
        methods = ", ".join(self.table.methods(request.segments))
        if methods and request.method == "OPTIONS":
            return Reply(204, headers={"allow": methods})
        if methods:
            raise HTTPError(405, f"{request.path} takes {methods}, not {request.method}", headers={"allow": methods})
        raise HTTPError(404, f"there is no {request.path}")

    def _preflight(self, request: HttpRequest, settings: HttpSettings) -> Reply | None:
        """The answer to a browser that asks what a script may do; None to any other request."""
        if settings.cors is None or request.method != "OPTIONS":
            return None
        from lambdakit.http.cors import is_preflight, preflight

        if not is_preflight(request) or self._answers_preflights(request):
            return None
        return preflight(settings.cors, request, self.table.methods(request.segments))

    def _answers_preflights(self, request: HttpRequest) -> bool:
        """Whether who takes the path has an answer of its own."""
        found = self.table.find(request.headers["access-control-request-method"].upper(), request.segments)
        trigger: HttpTrigger | None = found[0].handlers[0].trigger if found else None  # type: ignore[assignment]
        return trigger is not None and trigger.answers_preflights

    def _finish(self, request: HttpRequest, reply: Reply, settings: HttpSettings) -> None:
        """Compress an answer, and let scripts see it, as the settings say."""
        if settings.minimum_compression_size is not None:
            from lambdakit.http.compression import compress_reply

            compress_reply(request, reply, settings.minimum_compression_size)
        if settings.cors is not None:
            from lambdakit.http.cors import allow

            allow(settings.cors, request, reply)


def _check_settings(settings: object) -> None:
    from lambdakit.http.settings import HttpSettings

    if not isinstance(settings, HttpSettings):
        raise TypeError(f"App takes http=HttpSettings(...), not {settings!r}")


def _check_size(request: HttpRequest, limit: int | None) -> None:
    if limit is not None and len(request.body) > limit:
        raise HTTPError(413, f"the body has {len(request.body):,} bytes; at most {limit:,} are taken")
