"""Hooks of an execution environment's life: its start, and SnapStart's snapshot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, Literal, TypeVar

from lambdakit.depends import Dependencies, Depends, Provider
from lambdakit.triggers.trigger import check_markable

HOOKS = "__lambdakit_hooks__"

Moment = Literal["on_start", "before_snapshot", "after_restore"]
Function = TypeVar("Function", bound=Callable[..., object])


def _mark(function: Function, moment: Moment) -> Function:
    check_markable(function, moment)
    setattr(function, HOOKS, (*getattr(function, HOOKS, ()), moment))
    return function


def on_start(function: Function) -> Function:
    """Run the decorated function once an execution environment, before the first event.

    It may be plain, ``async def`` or a generator whose end cleans up, and may ask for dependencies of the environment.

    >>> @on_start
    ... def warm_up() -> None: ...
    """
    return _mark(function, "on_start")


def before_snapshot(function: Function) -> Function:
    """Run the decorated function before SnapStart takes its snapshot of the environment.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    return _mark(function, "before_snapshot")


def after_restore(function: Function) -> Function:
    """Run the decorated function after SnapStart restored a snapshot: open connections anew, seed what must differ.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/snapstart-runtime-hooks-python.html
    """
    return _mark(function, "after_restore")


class Hooks:
    """The hooks of an App, in the order they are written."""

    __slots__ = ("after_restore", "before_snapshot", "on_start")

    def __init__(self) -> None:
        self.on_start: list[Provider] = []
        self.before_snapshot: list[Provider] = []
        self.after_restore: list[Provider] = []

    def __iter__(self) -> Iterator[Provider]:
        return iter([*self.on_start, *self.before_snapshot, *self.after_restore])


def hooks_of(functions: Iterable[Callable[..., Any]]) -> Hooks:
    """The hooks among some functions.

    Raises:
        RegistrationError: a hook asks for what an environment does not have.
    """
    hooks = Hooks()
    for function in functions:
        for moment in getattr(function, HOOKS, ()):
            getattr(hooks, moment).append(Provider(Depends(function, scope="environment")))
    return hooks


def runs_under_snapstart() -> bool:
    """Whether Lambda starts this environment to take a snapshot of it."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"


def register_snapshot_hooks(hooks: Hooks, dependencies: Dependencies) -> None:
    """Hand the hooks to Lambda's runtime, which calls the before hooks in reverse order, the last registered first."""
    runtime: Any = import_module("snapshot_restore_py")  # has no types
    for hook in reversed(hooks.before_snapshot):
        runtime.register_before_snapshot(dependencies.call, hook)
    for hook in hooks.after_restore:
        runtime.register_after_restore(dependencies.call, hook)
