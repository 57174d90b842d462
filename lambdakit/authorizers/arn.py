"""The ARN of what a client wants to invoke.

Source: https://docs.aws.amazon.com/apigateway/latest/developerguide/arn-format-reference.html
"""

from __future__ import annotations

from typing import NamedTuple


class MethodArn(NamedTuple):
    """A method of an API, or a route, that a client wants to invoke.

    ``method`` is the route's key where a client connects to a WebSocket API, ``$connect``, and ``path`` is ``""``.

    >>> arn = MethodArn.parse("arn:aws:execute-api:eu-west-1:123456789012:a1b2c3/prod/GET/orders/7")
    >>> arn.api_id, arn.stage, arn.method, arn.path
    ('a1b2c3', 'prod', 'GET', '/orders/7')
    """

    partition: str
    region: str
    account_id: str
    api_id: str
    stage: str
    method: str
    path: str

    @classmethod
    def parse(cls, arn: str) -> MethodArn:
        """The parts of an ARN.

        Raises:
            ValueError: it is none of a method.
        """
        head, *parts = arn.split("/", 3)
        names = head.split(":")
        if len(names) != 6 or names[0] != "arn" or names[2] != "execute-api" or len(parts) < 2:
            raise ValueError("it is no ARN of a method, as arn:aws:execute-api:region:account:api/stage/GET/path")
        _, partition, _, region, account_id, api_id = names
        stage, method, *rest = parts
        return cls(partition, region, account_id, api_id, stage, method, "".join(f"/{path}" for path in rest))

    def __str__(self) -> str:
        return f"{self.stage_arn}/{self.method}{self.path}"

    @property
    def stage_arn(self) -> str:
        """The ARN of the stage, without what is below it."""
        return f"arn:{self.partition}:execute-api:{self.region}:{self.account_id}:{self.api_id}/{self.stage}"
