"""The requests that an authorizer is asked about."""

from __future__ import annotations

from functools import cache, cached_property
from importlib import import_module
from typing import Any

from lambdakit.authorizers.arn import MethodArn
from lambdakit.http.request import HttpRequest

# What each is beside a question, by its label of ``identify``.
_REQUESTS = {
    "apigw_authorizer_request": ("http.apigw_v1", "ApiGatewayV1Request"),
    "apigw_authorizer_v2": ("http.apigw_v2", "ApiGatewayV2Request"),
    "apigw_authorizer_websocket": ("websocket.request", "WebSocketRequest"),
}


class AuthorizerRequest(HttpRequest):
    """A request that a client wants to make, without its body. It has what an ``HttpRequest`` has.

    Attributes:
        path_parameters: The values of the parameters of the API's own route.

    Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html
    """

    def __init__(self, event: Any) -> None:
        super().__init__(event)
        parameters = event.get("pathParameters")
        self.path_parameters = {**parameters} if isinstance(parameters, dict) else {}

    @cached_property
    def method_arn(self) -> MethodArn:
        """What it would invoke."""
        return MethodArn.parse(self.event["routeArn"] if "routeArn" in self.event else self.event["methodArn"])


@cache
def request_class(label: str) -> type[AuthorizerRequest]:
    """The class of the requests that an authorizer is asked about: those of their front door, with an ARN."""
    module, name = _REQUESTS[label]
    front_door = getattr(import_module(f"lambdakit.{module}"), name)
    return type("AuthorizerRequest", (AuthorizerRequest, front_door), {"__module__": __name__})
