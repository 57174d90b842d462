"""The tests on the other Pythons this machine has; ``make test`` runs them on its own Python itself."""

import sys

import nox

PYTHONS = nox.project.python_versions(nox.project.load_toml("pyproject.toml"))
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"

nox.options.download_python = "never"
nox.options.error_on_missing_interpreters = False
nox.options.reuse_venv = "yes"


@nox.session(python=[version for version in PYTHONS if version != THIS])
def tests(session: nox.Session) -> None:
    """Install lambdakit with what its tests need, and run them."""
    session.install("--quiet", "--editable", ".[test]")
    session.run("pytest", *session.posargs)
