"""What every source of the local Lambda is: a resource with a name and an ARN, in an account, on a clock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from lambdakit.errors import LambdakitError
from lambdakit.local.ids import random_uuid
from lambdakit.local.sources.serial import serialize

if TYPE_CHECKING:
    from lambdakit.local.clock import Clock


class SourceError(LambdakitError):
    """A service refuses a request, or gives up a delivery, as AWS would.

    Args:
        code: The error code in AWS's API, such as ``NoSuchKey``.
        message: AWS's words.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        """The code and AWS's words."""
        return f"{self.code}: {self.message}"


@dataclass(frozen=True)
class Place:
    """Where a source is: an account and Region, and the clock on which everything happens there."""

    clock: Clock
    region: str = "us-east-1"
    account: str = "123456789012"

    def new_id(self) -> str:
        """A UUID that the clock's seed decides."""
        return random_uuid(self.clock.random)

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource here."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


class Source:
    """A local resource.

    Args:
        name: Its name.
        place: Where it is.
        arn: Its ARN.
    """

    is_here: ClassVar[bool] = True
    """Whether it is part of the local Lambda, whose clock sees to it that one thing happens at a time."""

    def __init__(self, name: str, place: Place, arn: str) -> None:
        self.name = name
        self.place = place
        self._clock = place.clock
        if self.is_here:
            serialize(self, place.clock)
        self.arn = arn

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r}>"


class EventSource(Source):
    """A resource that event source mappings poll.

    Attributes:
        kind: What its records are.
    """

    kind: ClassVar[Literal["sqs", "kinesis", "dynamodb", "kafka", "mq"]]

    def connect(self) -> None:
        """Be ready for a mapping that is about to poll it.

        Raises:
            LambdakitError: it can't be polled.
        """
