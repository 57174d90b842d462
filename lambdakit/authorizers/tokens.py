"""A marked function that decides by a token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lambdakit.binding import Handler
from lambdakit.events.authorizer import AppSyncAuthorizerRequest, TokenAuthorizerRequest

if TYPE_CHECKING:
    import inspect
    from collections.abc import Callable

    from lambdakit.binding import Kind
    from lambdakit.events.model import EventModel
    from lambdakit.triggers.authorizer import AuthorizerTrigger

_MODELS: dict[str, type[EventModel]] = {"TOKEN": TokenAuthorizerRequest, "AWS_LAMBDA": AppSyncAuthorizerRequest}


class TokenAuthorizerHandler(Handler):
    """A function that decides by a token, and by what little comes with it.

    Raises:
        RegistrationError: it asks for what its authorizer does not get.
    """

    trigger: AuthorizerTrigger

    def _reader(self, parameter: inspect.Parameter, annotation: Any, kind: Kind, model: Any) -> Callable[[Any], Any]:
        if kind != "record" or not issubclass(model, _MODELS[self.trigger.type]):
            self._refuse_type(parameter, annotation)
        return super()._reader(parameter, annotation, kind, model)

    def _offer(self) -> str:
        model = _MODELS[self.trigger.type].__name__
        return f"A handler of {self.trigger} may ask for: {model}, LambdaContext, Annotated[T, Depends(f)]."
