"""One request at a front door, from its arrival until it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic_core import to_json

from lambdakit.local.front_doors.door import Arrival, Refusal, Trouble
from lambdakit.local.outcome import MAX_REQUEST_BYTES, Reply

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdakit.local.front_doors.door import FrontDoor
    from lambdakit.local.front_doors.messages import Request, Response
    from lambdakit.local.function import Function
    from lambdakit.local.invocation import Invocation
    from lambdakit.local.sources.source import Place


class Exchange:
    """A request and what becomes of it. All that it decides is decided in actions of the clock.

    Attributes:
        response: The answer; None while there is none.
        invocation: The invocation of the function; None while there is none.
        problem: Why the function's reply is no response, or ``""``.
    """

    def __init__(
        self, door: FrontDoor, function: Function, request: Request, answered: Callable[[], None] = lambda: None
    ) -> None:
        self._door = door
        self._function = function
        self._request = request
        self._answered = answered
        self.response: Response | None = None
        self.invocation: Invocation | None = None
        self.problem = ""

    def begin(self) -> None:
        """The request arrives; any thread may call it."""
        clock = self._door.place.clock
        clock.at(clock.now, self._arrive)

    def _arrive(self) -> None:
        place: Place = self._door.place
        self._arrival = Arrival(self._request, place.new_id(), place.clock.today)
        try:
            body = self._event()
        except Refusal as refusal:
            self._refuse(refusal)
            return
        self._function.call(body, self._over, request_id=self._door.invocation_id(self._arrival))
        if self._door.seconds is not None:
            self._limit = place.clock.at(place.clock.now + self._door.seconds, self._time_is_over)

    def _event(self) -> bytes:
        if len(self._request.body) > self._door.max_body:
            raise Refusal(Trouble.REQUEST_TOO_LARGE)
        body = to_json(self._door.event(self._arrival))
        if len(body) > MAX_REQUEST_BYTES:
            raise Refusal(Trouble.EVENT_TOO_LARGE)
        return body

    def _over(self, invocation: Invocation) -> None:
        self.invocation = invocation
        if self.response is not None:  # too late
            return
        if self._door.seconds is not None:
            self._limit.cancel()
        try:
            self._answer(self._door.response(self._arrival, self._reply(invocation)))
        except Refusal as refusal:
            self._refuse(refusal)

    def _reply(self, invocation: Invocation) -> Reply:
        if invocation.throttle is not None:
            raise Refusal(Trouble.THROTTLED)
        if not isinstance(invocation.outcome, Reply):
            raise Refusal(Trouble.FUNCTION_ERROR)
        return invocation.outcome

    def _time_is_over(self) -> None:
        self._refuse(Refusal(Trouble.TIMED_OUT))

    def _refuse(self, refusal: Refusal) -> None:
        self.problem = refusal.problem
        self._answer(self._door.refused(refusal.trouble, self.invocation))

    def _answer(self, response: Response) -> None:
        self.response = response.sent(self._request.method, self._door.own_headers(self._arrival))
        self._answered()
