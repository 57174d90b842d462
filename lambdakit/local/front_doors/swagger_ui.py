"""A page that shows an App's OpenAPI document: Swagger UI, from a package that brings its files."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from lambdakit.local.front_doors.messages import Response

if TYPE_CHECKING:
    from lambdakit.app import App
    from lambdakit.local.front_doors.messages import Request

FOLDER = "/_lambdakit/"
"""Where the page and what it needs are, below the front door's address."""

_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" href="data:,">
<div id="page"></div>
<script src="swagger-ui-bundle.js"></script>
<script>SwaggerUIBundle({{url: "openapi.json", dom_id: "#page", validatorUrl: null, deepLinking: true}})</script>
</html>
"""
_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}


class SwaggerUi:
    """The page of an App, and the document that it shows.

    Args:
        app: The App.

    Raises:
        ModuleNotFoundError: the package with Swagger UI is not installed.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._files = _files()

    def answer(self, request: Request) -> Response | None:
        """The page or a part of it; None for what is none of it."""
        if request.method != "GET" or not request.path.startswith(FOLDER):
            return None
        name = request.path.removeprefix(FOLDER)
        if name == "docs":
            return _response("text/html; charset=utf-8", _PAGE.format(title=self._app.name).encode())
        if name == "openapi.json":
            return _response("application/json", json.dumps(self._app.openapi()).encode())
        if name in ("swagger-ui.css", "swagger-ui-bundle.js"):
            return _response(_TYPES[Path(name).suffix], (self._files / name).read_bytes())
        return Response(404)


def _response(content_type: str, body: bytes) -> Response:
    return Response(200, [("Content-Type", content_type), ("Cache-Control", "no-store")], body).sent("GET", ())


def _files() -> Path:
    """Where the files are. The package is one for Flask, which is not loaded."""
    spec = find_spec("flask_swagger_ui")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "The page of an App's OpenAPI document needs Swagger UI: pip install 'lambdakit[serve]'",
            name="flask_swagger_ui",
        )
    return Path(spec.origin).with_name("dist")
