"""The pytest plugin that installs with lambdakit: its fixtures are there in every test, and cost nothing until used."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from lambdakit.context import LambdaContext


@pytest.fixture
def lambda_context() -> LambdaContext:
    """A context for calling a handler: 3 s left, 128 MB, made-up names, all of which a test may set."""
    from lambdakit.context import LambdaContext

    return LambdaContext()
