"""What authorizers are asked that get a token and no request.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-lambda-authorizer-input.html,
https://docs.aws.amazon.com/appsync/latest/devguide/security-authz.html
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, ConfigDict, InstanceOf

from lambdakit.authorizers.arn import MethodArn
from lambdakit.events.model import EventModel, at, usually


def _parsed(arn: Any) -> Any:
    return MethodArn.parse(arn) if isinstance(arn, str) else arn


class TokenAuthorizerRequest(EventModel):
    """Whether a token is good for a method of a REST API.

    ``token`` is the value of the header that the authorizer names, ``Bearer`` included if the client sends that.
    """

    model_config = ConfigDict(defer_build=True)  # a function is asked one of the two
    lambdakit_source: ClassVar[str] = "authorizer"

    token: str = at("authorizationToken")
    method_arn: Annotated[InstanceOf[MethodArn], BeforeValidator(_parsed)] = at("methodArn")


class AppSyncAuthorizerRequest(EventModel):
    """Whether a token is good for a request to AppSync: to a GraphQL API, or to an Event API's channel."""

    model_config = ConfigDict(defer_build=True)  # a function is asked one of the two
    lambdakit_source: ClassVar[str] = "authorizer"

    token: str = at("authorizationToken")
    api_id: str | None = usually("requestContext", "apiId")
    account_id: str | None = usually("requestContext", "accountId")
    request_id: str | None = usually("requestContext", "requestId")
    query_string: str | None = usually("requestContext", "queryString")
    operation_name: str | None = usually("requestContext", "operationName")
    variables: dict[str, Any] | None = usually("requestContext", "variables")
    operation: str | None = usually("requestContext", "operation")
    channel: str | None = usually("requestContext", "channel")
    request_headers: dict[str, str] | None = usually("requestHeaders")
