"""A function's own modules, of which each environment has its own copies, and the handler that is found in them."""

from __future__ import annotations

import importlib
import site
import sys
import sysconfig
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lambdakit
from lambdakit.local.virtual.waiting import current_strand

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import ModuleType


class HandlerFault(Exception):
    """The handler can't be loaded, in the words of Lambda's runtime.

    Args:
        error_type: As ``Runtime.ImportModuleError``.
        message: What is wrong.
        trace: The stack trace.
    """

    def __init__(self, error_type: str, message: str, trace: Sequence[str] = ()) -> None:
        super().__init__(error_type, message, tuple(trace))
        self.error_type = error_type
        self.message = message
        self.trace = tuple(trace)


def find_handler(setting: str) -> Callable[[Any, Any], Any]:
    """Import what Lambda's handler setting names, as its runtime does.

    Raises:
        HandlerFault: it is not there, or its module can't be imported.
        BaseException: whatever the module raised.
    """
    name, dot, attribute = setting.rpartition(".")
    if not dot:
        problem = "not enough values to unpack (expected 2, got 1)"
        raise HandlerFault("Runtime.MalformedHandlerName", f"Bad handler '{setting}': {problem}")
    module = _imported(name)
    try:
        handler: Callable[[Any, Any], Any] = getattr(module, attribute)
    except AttributeError:
        problem = f"Handler '{attribute}' missing on module '{name}'"
        raise HandlerFault("Runtime.HandlerNotFound", problem) from None
    return handler


def _imported(name: str) -> ModuleType:
    if name.split(".", maxsplit=1)[0] in sys.builtin_module_names:
        problem = f"Cannot use built-in module {name} as a handler module"
        raise HandlerFault("Runtime.BuiltInModuleConflict", problem)
    try:
        return importlib.import_module(name.replace("/", "."))
    except ImportError as error:
        raise HandlerFault("Runtime.ImportModuleError", f"Unable to import module '{name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text}']
        problem = f"Syntax error in module '{name}': {error}"
        raise HandlerFault("Runtime.UserCodeSyntaxError", problem, trace) from error


class OwnModules:
    """Which modules are a function's own.

    They are those under its task root, and its handler's package wherever that is; never what is installed there too,
    Python's own, or lambdakit.

    Args:
        root: The task root.
        package: The package of the handler, or its module.
    """

    def __init__(self, root: Path, package: str) -> None:
        self.root = str(root.resolve())
        self._package = package
        self._verdicts: dict[str, bool] = {}

    def owns(self, name: str, origin: str | None) -> bool:
        """Whether a module of that name and file is one of them."""
        if name.partition(".")[0] == self._package:
            return True
        return origin is not None and origin.startswith(self.root + "/") and not _is_installed(origin)

    def of_the_developer(self) -> list[str]:
        """The names of those that are imported at present."""
        verdicts = self._verdicts
        for name in sys.modules.keys() - verdicts.keys():
            spec = getattr(sys.modules[name], "__spec__", None)
            file = getattr(sys.modules[name], "__file__", None)
            verdicts[name] = name != "__main__" and self.owns(name, file or getattr(spec, "origin", None))
        return [name for name, own in verdicts.items() if own and name in sys.modules]


class OwnModulesFinder:
    """Notes which modules of its own an environment imports; on ``sys.meta_path`` while the clock runs."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """What Python would find; for a module of the environment's own only, so that others take the usual way."""
        strand = current_strand()
        own = None if strand is None else strand.sandbox.plan.own_modules
        if strand is None or own is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is None or not own.owns(name, spec.origin or _first_folder(spec)):
            return None
        strand.sandbox.module_names.add(name)
        return spec


def _first_folder(spec: ModuleSpec) -> str | None:
    """Where a package without an ``__init__.py`` is."""
    return next(iter(spec.submodule_search_locations or ()), None)


def _installed_folders() -> tuple[str, ...]:
    folders = {*sysconfig.get_paths().values(), *site.getsitepackages(), site.getusersitepackages()}
    folders -= {sysconfig.get_path("data"), sysconfig.get_path("scripts")}  # a virtual environment's, or /usr, whole
    return (*(folder + "/" for folder in sorted(folders)), str(Path(lambdakit.__file__).resolve().parent) + "/")


_INSTALLED = _installed_folders()


def _is_installed(origin: str) -> bool:
    return origin.startswith(_INSTALLED) or "/site-packages/" in origin or "/dist-packages/" in origin
