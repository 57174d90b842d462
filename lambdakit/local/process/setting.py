"""From a handler to the setting by which another process finds it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import ModuleType


def setting_of(handler: Any) -> tuple[str, Path]:
    """Lambda's handler setting for an App or a function, and the folder its module is imported from.

    Raises:
        ValueError: it can't be imported by name.
    """
    module = sys.modules.get(str(getattr(handler, "__module__", "")))
    attribute = next((name for name, value in vars(module).items() if value is handler), None) if module else None
    if module is None or attribute is None:
        raise _not_importable(handler, "it is no attribute of the module that it was made in")
    name, file = _import_name(module), getattr(module, "__file__", None)
    if file is None:
        raise _not_importable(handler, f"its module {module.__name__!r} is no file")
    path = Path(file).resolve().with_suffix("")
    path = path.parent if path.name == "__init__" else path
    parts = tuple(name.split("."))
    if path.parts[-len(parts) :] != parts:
        raise _not_importable(handler, f"its module {name!r} is in {file}, and is not imported from there by that name")
    return f"{name}.{attribute}", path.parents[len(parts) - 1]


def _import_name(module: ModuleType) -> str:
    """Its name for others: what Python was started with calls itself ``__main__``."""
    if module.__name__ != "__main__":
        return module.__name__
    return module.__spec__.name if module.__spec__ else Path(str(getattr(module, "__file__", "__main__"))).stem


def _not_importable(handler: object, why: str) -> ValueError:
    return ValueError(
        f"{handler!r} can't be run in a process of its own: {why}.\n"
        "Give it a name in its module, as in `handler = App(__name__)` in shop.py, and deploy it by that: "
        'deploy("shop.handler", task_root=...). Or run it in this process, with LocalLambda() on virtual time.'
    )
