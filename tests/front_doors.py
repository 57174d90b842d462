"""One request through each front door, and its answer in one form: what the tests of HTTP compare."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from json import dumps, loads
from typing import Any
from urllib.parse import unquote, unquote_plus

from lambdakit import App
from lambdakit.testing import events

Json = Any


@dataclass
class Sent:
    """A request as a client sends it: the path and the query percent-encoded."""

    method: str = "GET"
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str | Sequence[str]] = field(default_factory=dict[str, "str | Sequence[str]"])
    cookies: Sequence[str] = ()
    body: str | bytes | None = None

    def built(self, build: Callable[..., Json], **options: Any) -> Json:
        headers = {**self.headers}
        if self.cookies and "cookies" not in options:
            headers["Cookie"] = "; ".join(self.cookies)
        event = build(f"{self.method} {self.path}", headers=headers, body=self.body, **options)
        return event if self.body is not None else _without_body(event)

    @property
    def decoded(self) -> dict[str, list[str]]:
        return {unquote_plus(name): [*map(unquote_plus, values)] for name, values in self.raw.items()}

    @property
    def raw(self) -> dict[str, list[str]]:
        values: dict[str, list[str]] = {}
        for pair in filter(None, self.query.split("&")):
            name, _, value = pair.partition("=")
            values.setdefault(name, []).append(value)
        return values


def _without_body(event: Json) -> Json:
    """Builders give a POST a body of their own."""
    for headers in filter(None, (event.get("headers"), event.get("multiValueHeaders"))):
        for name in [name for name in headers if name.lower() == "content-length"]:
            del headers[name]
    return {**event, "body": None, "isBase64Encoded": False}


@dataclass
class Answer:
    """A response as a client gets it."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    @property
    def json(self) -> Json:
        return loads(self.content)


def _rest(sent: Sent) -> Json:
    event = sent.built(events.apigw_v1)
    event.update(path=sent.path, resource="/{proxy+}", pathParameters={"proxy": unquote(sent.path)[1:]})
    return _with_query(event, sent.decoded)


def _http_1(sent: Sent) -> Json:
    event: Json = {"version": "1.0", **_rest(sent), "path": unquote(sent.path)}
    event["requestContext"]["stage"] = "$default"
    return event


def _http_2(sent: Sent) -> Json:
    event = sent.built(events.apigw_v2, cookies=sent.cookies)
    return {**event, "rawPath": unquote(sent.path), "rawQueryString": sent.query, "routeKey": "$default"}


def _function_url(sent: Sent) -> Json:
    event = sent.built(events.function_url, cookies=sent.cookies)
    return {**event, "rawPath": sent.path, "rawQueryString": sent.query}


def _alb(sent: Sent) -> Json:
    event = sent.built(events.alb)
    return {**event, "path": sent.path, "queryStringParameters": {n: values[-1] for n, values in sent.raw.items()}}


def _alb_multi_value(sent: Sent) -> Json:
    event = sent.built(events.alb, multi_value=True)
    return {**event, "path": sent.path, "multiValueQueryStringParameters": sent.raw}


def _with_query(event: Json, values: dict[str, list[str]]) -> Json:
    last = {name: several[-1] for name, several in values.items()}
    return {**event, "multiValueQueryStringParameters": values or None, "queryStringParameters": last or None}


DOORS: dict[str, Callable[[Sent], Json]] = {
    "REST API": _rest,
    "HTTP API 1.0": _http_1,
    "HTTP API 2.0": _http_2,
    "function URL": _function_url,
    "ALB": _alb,
    "ALB, multi-value": _alb_multi_value,
}


def request(
    app: App,
    line: str = "GET /",
    *,
    door: str = "HTTP API 2.0",
    headers: Mapping[str, str | Sequence[str]] | None = None,
    cookies: Sequence[str] = (),
    json: Json = None,
    body: str | bytes | None = None,
) -> Answer:
    """Send ``POST /orders?limit=1`` through a front door."""
    return answer(app(event_of(line, door=door, headers=headers, cookies=cookies, json=json, body=body)))


def event_of(
    line: str,
    *,
    door: str = "HTTP API 2.0",
    headers: Mapping[str, str | Sequence[str]] | None = None,
    cookies: Sequence[str] = (),
    json: Json = None,
    body: str | bytes | None = None,
) -> Json:
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    given = {**(headers or {})}
    if json is not None:
        body = dumps(json)
        given = {"Content-Type": "application/json", **given}
    return DOORS[door](Sent(method, path, query, given, cookies, body))


def answer(document: Json) -> Answer:
    """What a client gets of what a function hands back, by way of JSON."""
    document = loads(dumps(document))
    values: dict[str, list[str]] = {}
    for name, value in document.get("headers", {}).items():
        values.setdefault(name.lower(), []).append(value)
    for name, several in document.get("multiValueHeaders", {}).items():
        values[name.lower()] = several
    cookies = [*values.pop("set-cookie", []), *document.get("cookies", [])]
    body = document["body"]
    content = b64decode(body) if document["isBase64Encoded"] else body.encode()
    return Answer(document["statusCode"], {n: ",".join(several) for n, several in values.items()}, cookies, content)
