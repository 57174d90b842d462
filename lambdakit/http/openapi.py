"""The OpenAPI document of an App's routes.

Source: https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import TypeAdapter

from lambdakit.http.handler import HttpHandler
from lambdakit.http.parts import REQUIRED, BodyPart, FilePart, ModelPart, Part, ValuePart
from lambdakit.http.routes import ANY
from lambdakit.http.writer import is_response
from lambdakit.signature import plain_type, return_hint_of

if TYPE_CHECKING:
    from lambdakit.app import App

Document = dict[str, Any]

JSON, PROBLEM = "application/json", "application/problem+json"
URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
BYTES = "application/octet-stream"
BINARY: Document = {"type": "string", "contentMediaType": BYTES}

_ANY_METHOD = "x-amazon-apigateway-any-method"  # OpenAPI has no word for it, API Gateway's imports have

_PROBLEM: Document = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong, by RFC 9457.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
    },
}
_VALIDATION_PROBLEM: Document = {
    "title": "ValidationProblem",
    "description": "Which parts of the request can't be read.",
    "allOf": [{"$ref": "#/components/schemas/HttpProblem"}],
    "required": ["errors"],
    "properties": {
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        }
    },
}


def openapi(
    app: App,
    *,
    title: str | None,
    version: str,
    description: str | None,
    servers: Iterable[str],
    security_schemes: Mapping[str, Mapping[str, Any]],
) -> Document:
    """The document of an App; ``App.openapi`` says what the arguments are."""
    handlers = [handler for handler in app.handlers if isinstance(handler, HttpHandler)]
    described = [handler for handler in handlers if handler.trigger.is_described]
    schemas = _Schemas(described)
    info = {"title": title or app.name, "version": version, **_given(description=description)}
    components = {"schemas": schemas.components, **_given(securitySchemes=_plain(security_schemes))}
    addresses = [{"url": address} for address in servers]
    return {
        "openapi": "3.1.0",
        "info": info,
        **_given(servers=addresses),
        "paths": _paths(described, schemas),
        "components": components,
    }


def _given(**members: Any) -> Document:
    """Those that say something."""
    return {name: value for name, value in members.items() if value}


def _plain(schemes: Mapping[str, Mapping[str, Any]]) -> Document:
    return {name: {**scheme} for name, scheme in schemes.items()}


def _paths(handlers: Sequence[HttpHandler], schemas: _Schemas) -> Document:
    paths: Document = {}
    names: set[str] = set()
    for handler in handlers:
        path = paths.setdefault(_path(handler), {})
        for method in handler.trigger.pattern.methods:
            key = _ANY_METHOD if method == ANY else method.lower()
            if key not in path:  # routes that only the type of a parameter tells apart are one path here
                path[key] = _operation(handler, _operation_id(handler, method, names), schemas)
    return paths


def _path(handler: HttpHandler) -> str:
    return "/" + "/".join(s.text or f"{{{s.name}}}" for s in handler.trigger.pattern.segments)


def _operation_id(handler: HttpHandler, method: str, names: set[str]) -> str:
    """The name of an operation, which no other has."""
    name = handler.trigger.operation_id or handler.function.__name__
    candidates = [name, f"{name}_{method.lower()}", *(f"{name}_{number}" for number in range(2, len(names) + 3))]
    found = next(candidate for candidate in candidates if candidate not in names)
    names.add(found)
    return found


def _operation(handler: HttpHandler, operation_id: str, schemas: _Schemas) -> Document:
    trigger = handler.trigger
    summary, description = _words(handler)
    described = [parameter for part in handler.parts for parameter in _parameters(part, schemas)]
    parameters = [*{(parameter["in"], parameter["name"]): parameter for parameter in described}.values()]
    parameters += _unread(handler, parameters)
    return {
        "operationId": operation_id,
        **_given(
            tags=[*trigger.tags],
            summary=summary,
            description=description,
            deprecated=trigger.deprecated,
            parameters=parameters,
            requestBody=_request_body(handler, schemas),
        ),
        "responses": _responses(handler, schemas),
        **({} if trigger.security is None else {"security": _security(trigger.security)}),
    }


def _words(handler: HttpHandler) -> tuple[str, str]:
    """The summary and the description: the decorator's, or the docstring's without its sections."""
    text = re.split(r"\n\s*(?:\w+:\n|>>> )", inspect.getdoc(handler.function) or "")[0]
    first, _, rest = text.partition("\n")
    trigger = handler.trigger
    return trigger.summary or first.strip(), trigger.description or rest.strip()


def _security(schemes: Mapping[str, Sequence[str]]) -> list[Document]:
    return [{name: [*scopes] for name, scopes in schemes.items()}] if schemes else []


def _distinct(parts: Iterable[Part]) -> list[Part]:
    """Each part once: a handler and a dependency may ask for the same."""
    return [*{(part.place, part.name): part for part in parts}.values()]


def _parameters(part: Part, schemas: _Schemas) -> Iterator[Document]:
    if part.place not in ("path", "query", "header", "cookie"):
        return
    if isinstance(part, ModelPart):
        model = schemas.inlined(part)
        for key, name in part.names.items():
            yield _parameter(part.place, name, model["properties"][key], required=key in model.get("required", ()))
    elif isinstance(part, ValuePart):
        schema = {**schemas.of_part(part), **_given(deprecated=part.mark.deprecated)}
        yield _parameter(part.place, part.name, schema, required=part.default is REQUIRED)


def _parameter(place: str, name: str, schema: Document, *, required: bool) -> Document:
    about = ("description", "deprecated")  # which belong to the parameter
    return {
        "name": name,
        "in": place,
        "required": required or place == "path",
        **{key: schema[key] for key in about if key in schema},
        "schema": {key: value for key, value in schema.items() if key not in about},
    }


def _unread(handler: HttpHandler, parameters: Sequence[Document]) -> list[Document]:
    """The parameters of the path that the handler does not ask for: a document names them all."""
    known = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}
    names = [name for name in handler.trigger.pattern.names if name not in known]
    return [_parameter("path", name, {"type": "string"}, required=True) for name in names]


def _request_body(handler: HttpHandler, schemas: _Schemas) -> Document:
    parts = _distinct(handler.parts)
    fields = [part for part in parts if part.place in ("form", "file")]
    bodies = [part for part in parts if isinstance(part, BodyPart)]
    if fields:
        media_type = MULTIPART if any(part.place == "file" for part in fields) else URLENCODED
        return _body(fields, media_type, _form(fields, schemas))
    if not bodies:
        return {}
    if bodies[0].is_embedded:
        return _body(bodies, JSON, _object(bodies, schemas))
    return _body(bodies, *_content(bodies[0], schemas))


def _body(parts: Sequence[Part], media_type: str, schema: Document) -> Document:
    return {
        "required": any(part.default is REQUIRED for part in parts),
        "content": {media_type: {"schema": schema}},
    }


def _content(body: BodyPart, schemas: _Schemas) -> tuple[str, Document]:
    if not body.is_content:
        return JSON, schemas.of_part(body)
    if body.is_text:
        return body.media_type or "text/plain", schemas.of_part(body)
    return body.media_type or BYTES, BINARY


def _form(fields: Sequence[Part], schemas: _Schemas) -> Document:
    models = [part for part in fields if isinstance(part, ModelPart)]
    if not models:
        return _object(fields, schemas)
    others = [part for part in fields if part not in models]
    return (
        {"allOf": [*map(schemas.of_part, models), _object(others, schemas)]} if others else schemas.of_part(models[0])
    )


def _object(parts: Sequence[Part], schemas: _Schemas) -> Document:
    required = [part.name for part in parts if part.default is REQUIRED]
    properties = {part.name: schemas.of_part(part) for part in parts}
    return {"type": "object", "properties": properties, **_given(required=required)}


def _responses(handler: HttpHandler, schemas: _Schemas) -> Document:
    """Those of the annotation, those of the decorator, and problems."""
    responses = {str(status): schema for status, schema in _successes(handler, schemas)}
    if handler.parts:
        responses["422"] = _problem("The request can't be read.", "HttpValidationProblem")
    for status, words in handler.trigger.responses.items():
        responses[str(status)] = _problem(words, "HttpProblem") if status >= 400 else {"description": words}
    responses["default"] = _problem("Anything else that goes wrong.", "HttpProblem")
    return responses


def _problem(description: str, schema: str) -> Document:
    return {
        "description": description,
        "content": {PROBLEM: {"schema": {"$ref": f"#/components/schemas/{schema}"}}},
    }


def _successes(handler: HttpHandler, schemas: _Schemas) -> Iterator[tuple[int, Document]]:
    status, kinds = handler.trigger.status, _kinds(return_hint_of(handler.function))
    content = {media_type: {"schema": schema} for media_type, schema in schemas.of_reply(handler, kinds).items()}
    if content or NoneType not in kinds:
        yield status or 200, {"description": "What was asked for.", **_given(content=content)}
    if NoneType in kinds and (status is None or not content):
        yield status or 204, {"description": "Done."}


def _kinds(annotation: Any) -> set[Any]:
    """The types of what a handler may send."""
    plain = plain_type(annotation)
    if get_origin(plain) in (Union, UnionType) or is_response(plain):
        return {kind for member in get_args(plain) or (Any,) for kind in _kinds(member)}
    return {plain}


class _Schemas:
    """The JSON schemas of all types that the routes of an App mention, made together so that each has one name."""

    def __init__(self, handlers: Sequence[HttpHandler]) -> None:
        parts = [part for handler in handlers for part in handler.parts if not isinstance(part, FilePart)]
        inputs = [(id(p), "validation", p.model if isinstance(p, ModelPart) else p.annotation) for p in parts]
        outputs = [(id(h.writer), "serialization", h.writer.annotation) for h in handlers if h.writer.annotation]
        asked: list[Any] = [(key, mode, TypeAdapter(annotation)) for key, mode, annotation in [*inputs, *outputs]]
        found, shared = TypeAdapter.json_schemas(asked, ref_template="#/components/schemas/{model}")
        self._found = {key: schema for (key, _), schema in found.items()}
        self.components: Document = {
            **shared.get("$defs", {}),
            "HttpProblem": _PROBLEM,
            "HttpValidationProblem": _VALIDATION_PROBLEM,
        }

    def of_part(self, part: Part) -> Document:
        """That of a parameter, with its default."""
        if isinstance(part, FilePart):
            return {"type": "array", "items": BINARY} if part.is_list else BINARY
        schema = self._found[id(part)]
        if part.default is REQUIRED:
            return schema
        default = TypeAdapter(part.annotation).dump_python(part.default, mode="json", warnings=False)
        return {**schema, "default": default}

    def inlined(self, part: ModelPart) -> Document:
        """That of a model whose fields are parameters themselves."""
        schema = self._found[id(part)]
        name = schema.get("$ref", "").rpartition("/")[2]
        found: Document = self.components[name] if name else schema
        return found

    def of_reply(self, handler: HttpHandler, kinds: set[Any]) -> Document:
        """Those of what a handler may send, by media type."""
        modelled = {JSON: self._found[id(handler.writer)]} if handler.writer.annotation is not None else {}
        text = {"text/plain": {"type": "string"}} if str in kinds else {}
        return {**modelled, **text, **({BYTES: BINARY} if bytes in kinds else {})}
