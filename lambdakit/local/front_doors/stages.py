"""The stage of an API: where it is in a URL, and where it is not."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lambdakit.local.front_doors.door import Refusal, Trouble
from lambdakit.local.front_doors.routes import DEFAULT
from lambdakit.testing.events.values import letters

if TYPE_CHECKING:
    from lambdakit.local.front_doors.messages import Request
    from lambdakit.local.sources.source import Place


class Stage:
    """A stage of an API at API Gateway's own domain, and at any other, which is then one mapped to the stage.

    Raises:
        ValueError: API Gateway has no such stages.
    """

    def __init__(self, place: Place, kind: str, function: str, name: str) -> None:
        if name != DEFAULT and not re.fullmatch(r"[\w-]{1,128}", name, re.ASCII):
            raise ValueError(f"a stage's name is up to 128 letters, digits, '-' and '_', not {name!r}")
        self.name = name
        self.api_id = letters(10, kind, place.account, function).lower()
        self.host = f"{self.api_id}.execute-api.{place.region}.amazonaws.com"
        self.prefix = "" if name == DEFAULT else f"/{name}"

    @property
    def url(self) -> str:
        """Where a client finds it."""
        return f"https://{self.host}{self.prefix}"

    def path_below(self, request: Request) -> str:
        """The path without the stage.

        Raises:
            Refusal: at API Gateway's own domain, the path does not begin with it.
        """
        if request.host != self.host:
            return request.path
        if not f"{request.path}/".startswith(f"{self.prefix}/"):
            raise Refusal(Trouble.NOT_THERE)
        return request.path.removeprefix(self.prefix) or "/"
