"""Shows the doctest that ends a docstring as code; by itself, Griffe wants ``Examples:`` above it."""

from textwrap import indent
from typing import Any

from griffe import Extension, Object


class Doctests(Extension):
    """Puts ``Examples:`` above a doctest that stands without."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Change the docstring of one object."""
        if obj.docstring:
            text, prompt, doctest = obj.docstring.value.partition("\n>>> ")
            if prompt:
                obj.docstring.value = f"{text}\nExamples:\n{indent(f'>>> {doctest}', '    ')}"
