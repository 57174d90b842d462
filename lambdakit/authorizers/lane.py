"""The lane of authorizers: from a question to the answer in the words of who asks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdakit.authorizers.answers import Deny
from lambdakit.authorizers.errors import Unauthorized
from lambdakit.authorizers.questions import Question
from lambdakit.errors import LambdakitError
from lambdakit.lane import Lane

if TYPE_CHECKING:
    from lambdakit.lane import AnyTarget
    from lambdakit.middleware import Invocation


class AuthorizerLane(Lane):
    """The authorizers of an App."""

    def run(self, event: Any, invocation: Invocation) -> Any:
        """Answer whether a client may do what it asks for.

        Raises:
            NoHandlerError: no authorizer is asked so.
            EventValidationError: the event lacks what is asked for.
            AuthorizerResponseError: what the handler answered can't be said to this API.
            Unauthorized: nobody knows who is asking, which a REST API and a WebSocket API know by the error.
            Exception: what else the handler raised.
        """
        [target] = self.routes([event])
        if target is None:
            raise self.nobody(event, invocation.source)
        question = Question(event, invocation.source, target.handlers[0])
        invocation.request = question.request
        try:
            answer = self._answer(target, event, invocation)
        except LambdakitError as error:
            status = _status_of(error)
            if status == 0:
                raise
            invocation.end(error)
            return question.reply(Deny()) if status == 403 else question.unauthorized(error)
        return question.reply(answer)

    def _answer(self, target: AnyTarget, event: Any, invocation: Invocation) -> Any:
        self.provide([target], invocation)
        return self.loop.settled(target.run(event, invocation))


def _status_of(error: LambdakitError) -> int:
    """401 or 403 for an error that says so, as of a header that is not there; 0 for any other."""
    if isinstance(error, Unauthorized):
        return 401
    status = getattr(error, "status", 0)  # HTTPError's, whose module may not be loaded
    return {401: 401, 403: 403, 422: 401}.get(status, 0)
