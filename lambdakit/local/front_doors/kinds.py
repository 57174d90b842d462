"""The kinds of front doors, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from lambdakit.local.front_doors.function_url import FunctionUrl
from lambdakit.local.front_doors.http_api import HttpApi, HttpApi1
from lambdakit.local.front_doors.load_balancer import LoadBalancer
from lambdakit.local.front_doors.rest_api import RestApi
from lambdakit.triggers.settings import check_choice

if TYPE_CHECKING:
    from collections.abc import Callable

    from lambdakit.local.front_doors.door import FrontDoor
    from lambdakit.local.sources.source import Place

FrontDoorName = Literal["http-api", "http-api-1.0", "rest-api", "function-url", "alb"]

FRONT_DOORS: dict[str, Callable[..., FrontDoor]] = {
    kind.name: kind for kind in (HttpApi, HttpApi1, RestApi, FunctionUrl, LoadBalancer)
}


def front_door(name: str, place: Place, function: str, settings: dict[str, Any]) -> FrontDoor:
    """A front door of a function.

    Raises:
        TypeError: such a front door has no such setting.
        ValueError: there is no such front door, or a setting is wrong.
    """
    check_choice("front_door", name, FRONT_DOORS)
    return FRONT_DOORS[name](place, function, **settings)
