"""Who makes a request: one shape, whatever the front door and the authorizer."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from lambdakit import App, Depends, on_http
from lambdakit.errors import EventValidationError, RegistrationError
from lambdakit.http import ClientCert, CognitoIdentity, HttpRequest, Iam, Identity, Scopes
from lambdakit.testing import events
from tests.front_doors import DOORS, answer, event_of

ARN = "arn:aws:iam::123456789012:user/ann"
CERTIFICATE = {
    "clientCertPem": "PEM",
    "subjectDN": "CN=shop",
    "issuerDN": "CN=root",
    "serialNumber": "a1:a1",
    "validity": {"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2021 GMT"},
}


class User(BaseModel):
    sub: str
    age: int = 0
    groups: list[str] = Field(default=[], alias="cognito:groups")


def event(door: str, **context: Any) -> Any:
    """A request through a front door, with members of its ``requestContext``."""
    built = event_of("GET /", door=door)
    return {**built, "requestContext": {**built["requestContext"], **context}}


def identity(door: str, **context: Any) -> Identity:
    return HttpRequest.of(event(door, **context)).identity


def asked(function: Any, door: str = "HTTP API 2.0", **context: Any) -> tuple[int, Any]:
    """The status and the body of what a handler answers."""
    answered = answer(App(function)(event(door, **context)))
    return answered.status, answered.json


def token(scope: str = "orders:read orders:write", **claims: str) -> dict[str, Any]:
    """What an HTTP API says of a token."""
    return {"jwt": {"claims": {"sub": "ann", "scope": scope, **claims}, "scopes": None}}


# What each front door says.


@pytest.mark.parametrize(
    ("door", "context", "expected"),
    [
        (
            "HTTP API 2.0",
            {"authorizer": token("a b")},
            ("JWT", "ann", {"sub": "ann", "scope": "a b"}, ("a", "b")),
        ),
        (
            "HTTP API 2.0",
            {"authorizer": {"jwt": {"claims": {"sub": "ann"}, "scopes": ["a"]}}},
            ("JWT", "ann", {"sub": "ann"}, ("a",)),
        ),
        ("HTTP API 2.0", {"authorizer": {"lambda": {"tenant": "7"}}}, ("CUSTOM", "", {"tenant": "7"}, ())),
        ("HTTP API 2.0", {"authorizer": {"lambda": None}}, ("CUSTOM", "", {}, ())),
        (
            "HTTP API 1.0",
            {"authorizer": {"claims": {"sub": "ann", "scp": "[a b]"}, "scopes": None}},
            ("JWT", "ann", {"sub": "ann", "scp": "[a b]"}, ("a", "b")),
        ),
        ("HTTP API 1.0", {"authorizer": {"claims": None, "scopes": None}}, ("NONE", "", {}, ())),
        ("REST API", {"authorizer": {"claims": {"sub": "ann"}}}, ("COGNITO_USER_POOLS", "ann", {"sub": "ann"}, ())),
        (
            "REST API",
            {"authorizer": {"principalId": "ann", "integrationLatency": 7, "tenant": "7"}},
            ("CUSTOM", "ann", {"tenant": "7"}, ()),
        ),
        ("function URL", {}, ("NONE", "", {}, ())),
        ("ALB", {}, ("NONE", "", {}, ())),
    ],
)
def test_an_authorizer_says_who_it_is(door: str, context: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """A token's claims, or the context that a Lambda authorizer gave, and what they are good for."""
    found = identity(door, **context)

    assert (found.authorization_type, found.principal_id, found.claims, found.scopes) == expected


@pytest.mark.parametrize("door", ["HTTP API 2.0", "function URL"])
def test_a_signed_request_says_whose_it_is(door: str) -> None:
    """In format 2.0, with the identity of an identity pool."""
    pool = {"amr": ["authenticated"], "identityId": "us-east-1:1", "identityPoolId": "us-east-1:2"}
    caller = {
        "accessKey": "AKIA",
        "accountId": "123456789012",
        "callerId": "AIDA",
        "cognitoIdentity": pool,
        "principalOrgId": "o-1",
        "userArn": ARN,
        "userId": "AIDB",
    }

    found = identity(door, authorizer={"iam": caller})

    assert (found.authorization_type, found.principal_id, found.iam) == (
        "AWS_IAM",
        ARN,
        Iam(
            ARN,
            "AIDB",
            "123456789012",
            "AKIA",
            "AIDA",
            "o-1",
            CognitoIdentity("us-east-1:1", "us-east-1:2", ("authenticated",)),
        ),
    )


def test_a_request_that_is_signed_for_a_rest_api_says_whose_it_is() -> None:
    """In format 1.0, where its caller stands beside the address."""
    caller = {
        "accessKey": "AKIA",
        "accountId": "123456789012",
        "caller": "AIDA",
        "cognitoIdentityId": None,
        "principalOrgId": None,
        "userArn": ARN,
        "user": "AIDB",
        "sourceIp": "192.0.2.1",
    }

    found = identity("REST API", identity=caller)

    assert (found.authorization_type, found.iam, found.source_ip) == (
        "AWS_IAM",
        Iam(ARN, "AIDB", "123456789012", "AKIA", "AIDA"),
        "192.0.2.1",
    )


@pytest.mark.parametrize(
    ("door", "context"),
    [
        ("REST API", {"identity": {"clientCert": CERTIFICATE}}),
        ("HTTP API 2.0", {"authentication": {"clientCert": CERTIFICATE}}),
    ],
)
def test_a_client_may_have_shown_a_certificate(door: str, context: dict[str, Any]) -> None:
    """With mutual TLS; no authorizer is needed for somebody to be known."""
    found = identity(door, **context)

    assert (found.is_anonymous, found.client_cert) == (
        False,
        ClientCert(
            "CN=shop",
            "CN=root",
            "a1:a1",
            "PEM",
            datetime(2019, 5, 28, 12, 30, 2, tzinfo=UTC),
            datetime(2021, 8, 5, 9, 36, 4, tzinfo=UTC),
        ),
    )


def test_a_key_of_a_usage_plan_proves_nothing() -> None:
    """It is there, and whoever sends it stays anonymous."""
    found = identity("REST API", identity={"apiKey": "k", "apiKeyId": "1"})

    assert (found.api_key, found.api_key_id, found.is_anonymous) == ("k", "1", True)


@pytest.mark.parametrize("door", sorted(DOORS))
def test_where_a_request_comes_from_is_known_at_each_front_door(door: str) -> None:
    """The address and what the client calls itself."""
    found = identity(door)

    assert (found.source_ip != "", found.user_agent.startswith("Mozilla/5.0")) == (True, True)


# Who asks for it.


def test_a_handler_that_asks_who_it_is_is_not_called_without() -> None:
    """The answer is a problem, 401; what else is wrong with the request is not told."""

    @on_http("GET /")
    def read(page: int, who: Identity) -> str:
        return who.principal_id

    answered = answer(App(read)(event("HTTP API 2.0")))

    assert (answered.status, answered.headers["content-type"], answered.headers["www-authenticate"]) == (
        401,
        "application/problem+json",
        "Bearer",
    )


def test_a_handler_may_take_anybody() -> None:
    """With ``None`` for who is not known."""

    @on_http("GET /")
    def read(who: Identity | None) -> list[bool]:
        return [who is None]

    assert (asked(read), asked(read, authorizer=token())) == ((200, [True]), (200, [False]))


@pytest.mark.parametrize(
    ("door", "authorizer"),
    [
        ("HTTP API 2.0", {"jwt": {"claims": {"sub": "ann", "age": "7", "cognito:groups": "[a b]"}}}),
        ("REST API", {"claims": {"sub": "ann", "age": "7", "cognito:groups": "a,b"}}),
        ("HTTP API 2.0", {"lambda": {"sub": "ann", "age": 7, "cognito:groups": ["a", "b"]}}),
        ("REST API", {"principalId": "ann", "sub": "ann", "age": "7", "cognito:groups": "a b"}),
    ],
)
def test_claims_have_the_types_of_a_model(door: str, authorizer: dict[str, Any]) -> None:
    """Lists too, which API Gateway has made text of, each API in its own way."""

    @on_http("GET /")
    def read(who: Identity[User]) -> User:
        return who.claims

    assert asked(read, door, authorizer=authorizer) == (
        200,
        {"sub": "ann", "age": 7, "cognito:groups": ["a", "b"]},
    )


def test_claims_may_be_a_typed_dict() -> None:
    """Or anything else that Pydantic reads."""

    class Tenant(TypedDict):
        tenant: int

    @on_http("GET /")
    def read(who: Identity[Tenant]) -> list[int]:
        return [who.claims["tenant"]]

    assert asked(read, authorizer={"lambda": {"tenant": "7"}}) == (200, [7])


def test_claims_that_do_not_fit_are_forbidden() -> None:
    """With what is wrong about them, and without what they are."""

    @on_http("GET /")
    def read(who: Identity[User]) -> None: ...

    status, problem = asked(read, authorizer={"lambda": {"sub": "ann", "age": "secret"}})

    assert (status, [error["loc"] for error in problem["errors"]], "secret" in str(problem)) == (
        403,
        [["claims", "age"]],
        False,
    )


Writer = Annotated[Identity[User], Scopes("orders:read", "orders:write")]


@pytest.mark.parametrize(
    ("scope", "expected"), [("orders:write orders:read", 200), ("orders:read", 403), ("orders:writes", 403)]
)
def test_a_token_may_have_to_be_good_for_something(scope: str, expected: int) -> None:
    """All of the scopes, whatever their order."""

    @on_http("GET /")
    def write(who: Writer) -> list[str]:
        return [*who.scopes]

    assert asked(write, authorizer=token(scope))[0] == expected


def test_what_a_token_lacks_is_said() -> None:
    """As RFC 6750 has it."""

    @on_http("GET /")
    def write(who: Writer) -> None: ...

    answered = answer(App(write)(event("HTTP API 2.0", authorizer=token("orders:read"))))

    assert (answered.json["detail"], answered.headers["www-authenticate"]) == (
        "the scope orders:write is needed for this",
        'Bearer error="insufficient_scope", scope="orders:read orders:write"',
    )


def test_a_dependency_may_ask_who_it_is() -> None:
    """As a handler does; its 401 answers in the handler's stead."""

    def principal(who: Identity) -> str:
        return who.principal_id

    @on_http("GET /")
    def read(name: Annotated[str, Depends(principal)]) -> list[str]:
        return [name]

    assert (asked(read, authorizer=token()), asked(read)[0]) == ((200, ["ann"]), 401)


def test_the_request_tells_who_it_is_of() -> None:
    """Once for all who ask."""

    @on_http("GET /")
    def read(http: HttpRequest, who: Identity) -> list[object]:
        return [http.identity is who, repr(who)]

    assert asked(read, authorizer=token()) == (200, [True, "<Identity 'ann' by JWT>"])


def test_claims_that_nothing_can_be_read_as_are_refused() -> None:
    """While the function starts, with the place."""

    class Unreadable: ...

    @on_http("GET /")
    def read(who: Identity[Unreadable]) -> None: ...

    with pytest.raises(RegistrationError, match=r"parameter 'who' asks for .*Identity.*Unreadable"):
        App(read)


def test_a_test_makes_its_own_identity() -> None:
    """A handler is a function still."""

    @on_http("GET /")
    def read(who: Identity[User]) -> int:
        return who.claims.age

    assert read(Identity("JWT", claims=User(sub="ann", age=7))) == 7


def test_the_builders_make_claims() -> None:
    """At a REST API and at an HTTP API."""
    kinds: list[Literal["JWT", "COGNITO_USER_POOLS"]] = ["JWT", "COGNITO_USER_POOLS"]
    built = [events.apigw_v2(claims={"sub": "ann"}), events.apigw_v1(claims={"sub": "ann"})]

    assert [HttpRequest.of(one).identity.authorization_type for one in built] == kinds


# Laws.

CAPTURED = Path(__file__).parents[2] / "shared" / "events"


def _captured() -> list[Any]:
    if not (CAPTURED / "manifest.json").exists():
        return [pytest.param("", marks=pytest.mark.skip(reason="no captured events at ../shared/events"))]
    entries = json.loads((CAPTURED / "manifest.json").read_text())
    labels = ("apigw_v1", "apigw_v2", "function_url")
    found = [entry["file"] for entry in entries if entry["source"] in labels and entry["quality"] == "ok"]
    texts = [(file, (CAPTURED / file).read_text()) for file in found]
    return [pytest.param(text, id=file) for file, text in texts if '"authorizer": {' in text]


@pytest.mark.parametrize("text", _captured())
def test_whoever_an_authorizer_let_pass_is_known(text: str) -> None:
    """In real events, and in samples."""
    sample = json.loads(text)
    said = [value for value in sample["requestContext"]["authorizer"].values() if value]

    assert HttpRequest.of(sample).identity.is_anonymous == (not said and '"clientCert": {' not in text)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_KEYS = (
    "jwt", "claims", "scopes", "scope", "scp", "sub", "iam", "lambda", "cognitoIdentity", "amr", "userArn",
    "clientCert", "principalId", "validity", "notBefore", "identityId", "cognitoIdentityId", "cognitoAmr",
    "userAgent", "sourceIp",
)  # fmt: skip
_about = st.recursive(
    _json | st.just(ARN), lambda inner: st.dictionaries(st.sampled_from(_KEYS), inner, max_size=4), max_leaves=12
)


@given(
    st.sampled_from(sorted(DOORS)),
    st.dictionaries(st.sampled_from(["authorizer", "identity", "authentication", "http"]), _about, max_size=3),
)
def test_no_event_makes_an_identity_raise(door: str, context: dict[str, Any]) -> None:
    """Whatever an event says of its caller, it is answered and stays what it was."""

    @on_http("GET /")
    def read(who: Annotated[Identity[User] | None, Scopes("a")], http: HttpRequest) -> list[str]:
        return [repr(http.identity)]

    sent = event(door, **context)
    before = copy.deepcopy(sent)

    try:
        answered = App(read)(sent)
    except EventValidationError:  # no request without its method
        return

    assert answered["statusCode"] in (200, 401, 403)
    assert json.dumps(sent) == json.dumps(before)
