"""The context of an invocation: Lambda's object, constructible for tests.

Source: https://docs.aws.amazon.com/lambda/latest/dg/python-context.html
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import Any


@dataclass
class CognitoIdentity:
    """Who called, where a mobile SDK says so."""

    cognito_identity_id: str | None = None
    cognito_identity_pool_id: str | None = None


@dataclass
class LambdaContext:
    """What Lambda tells a handler about an invocation.

    In Lambda a handler gets the runtime's own object, which has these attributes; a test constructs this one.
    ``memory_limit_in_mb`` is text, as the runtime has it. ``deadline`` is in seconds of Unix time.
    """

    function_name: str = "function"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "128"
    invoked_function_arn: str = ""
    log_group_name: str = ""
    log_stream_name: str = "2026/01/01/[$LATEST]00000000000000000000000000000000"
    tenant_id: str | None = None
    identity: CognitoIdentity = field(default_factory=CognitoIdentity)
    client_context: Any = None
    deadline: float | None = None

    def __post_init__(self) -> None:
        """Names and the deadline (3 s from now, Lambda's default) follow from the rest where they are not given."""
        self.invoked_function_arn = (
            self.invoked_function_arn or f"arn:aws:lambda:us-east-1:123456789012:function:{self.function_name}"
        )
        self.log_group_name = self.log_group_name or f"/aws/lambda/{self.function_name}"
        if self.deadline is None:
            self.deadline = time.time() + 3

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation times out, never below 0."""
        return max(0, int(((self.deadline or 0) - time.time()) * 1000))

    def log(self, message: object) -> None:
        """Write to the function's log."""
        sys.stdout.write(str(message))
