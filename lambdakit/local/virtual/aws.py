"""Calls of AWS on virtual time: each takes a latency, in which others run. moto answers them, or whoever else does.

It is botocore's one way out that is replaced, so that boto3 and what is built on it, as Powertools, wait alike.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from typing import TYPE_CHECKING, Any

from lambdakit.local.virtual.waiting import current_strand

if TYPE_CHECKING:
    from types import ModuleType

_MODULE = "botocore.endpoint"
_METHOD = "_do_get_response"  # one attempt of a request, with what moto does in it; the retries are around it


class AwsCalls:
    """Replaces botocore's way out while the clock runs, from its import on."""

    def __init__(self) -> None:
        self._original: Any = None

    @contextmanager
    def waiting(self) -> Generator[None]:
        """Have calls wait in virtual time, until the end of a ``with`` block."""
        sys.meta_path.insert(0, self)
        if _MODULE in sys.modules:
            self.replace(sys.modules[_MODULE])
        try:
            yield
        finally:
            sys.meta_path.remove(self)
            if self._original is not None:
                setattr(_endpoint(sys.modules[_MODULE]), _METHOD, self._original)
                self._original = None

    def replace(self, module: ModuleType) -> None:
        """Replace it in the module."""
        endpoint = _endpoint(module)
        original = self._original = getattr(endpoint, _METHOD)

        def do_get_response(self: Any, request: Any, operation: Any, *others: Any) -> Any:
            strand = current_strand()
            if strand is not None:
                latency = strand.sandbox.stage.aws_latency
                service = operation.service_model.service_name
                strand.pause(latency.of(service=service, operation=operation.name, random=strand.clock.random))
            return original(self, request, operation, *others)

        setattr(endpoint, _METHOD, do_get_response)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python would find; botocore's module is then replaced as soon as it is there."""
        if name != _MODULE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None:
            spec.loader = _Loader(self, spec.loader)  # type: ignore[assignment]
        return spec


class _Loader:
    """Loads the module as its own loader does, then has it changed."""

    def __init__(self, calls: AwsCalls, loader: Any) -> None:
        self._calls = calls
        self._loader = loader

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        """Run the module's code."""
        self._loader.exec_module(module)
        self._calls.replace(module)


def _endpoint(module: Any) -> Any:
    return module.Endpoint
