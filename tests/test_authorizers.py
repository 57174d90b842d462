"""Whether a client may do what it asks for, in the words of whichever API asks."""

from __future__ import annotations

import copy
import json
import pickle
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdakit import App, Depends, LambdaContext, identify, on_authorizer, on_event, on_http, on_sqs
from lambdakit.authorizers import (
    Allow,
    Answer,
    AppSyncAuthorizerRequest,
    AuthorizerRequest,
    AuthorizerResponseError,
    Deny,
    MethodArn,
    TokenAuthorizerRequest,
    Unauthorized,
)
from lambdakit.errors import EventValidationError, NoHandlerError, RegistrationError
from lambdakit.http import Body, Cookie, Form, Header, HTTPError, HttpRequest, Identity, Query
from lambdakit.http import Path as PathValue
from lambdakit.testing import events

ARN = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/prod/GET/orders/7"
STAGE = "arn:aws:execute-api:us-east-1:123456789012:a1b2c3/prod"
Json = Any


def rest(route: str = "GET /orders", **options: Any) -> Json:
    return events.apigw_authorizer_request(route, **options)


def http_1(route: str = "GET /orders", **options: Any) -> Json:
    return {"version": "1.0", **events.apigw_authorizer_request(route, **options)}


def http_2(route: str = "GET /orders", **options: Any) -> Json:
    return events.apigw_authorizer_v2(route, **options)


def socket(**options: Any) -> Json:
    return events.apigw_authorizer_websocket(**options)


def token(text: str = "Bearer good", arn: str = ARN) -> Json:
    return {"type": "TOKEN", "authorizationToken": text, "methodArn": arn}


REQUESTS: dict[str, Callable[..., Json]] = {"REST": rest, "HTTP 1.0": http_1, "HTTP 2.0": http_2, "WebSocket": socket}


def answering(answer: Any, **settings: Any) -> App:
    """An authorizer with that answer, of every type."""

    def decide() -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    appsync = on_authorizer("AWS_LAMBDA")(decide)
    return App(on_authorizer("TOKEN")(on_authorizer("REQUEST", **settings)(appsync)))


def resources(document: Json) -> list[str]:
    [statement] = document["policyDocument"]["Statement"]
    return list(statement["Resource"])


# What it is asked.


def test_a_token_authorizer_gets_the_token_and_what_it_is_to_open() -> None:
    """The parts of the method's ARN, and the ARN."""
    got: list[TokenAuthorizerRequest] = []

    @on_authorizer("TOKEN")
    def decide(request: TokenAuthorizerRequest) -> bool:
        got.append(request)
        return True

    App(decide)(token("Bearer good"))

    [request] = got
    assert (request.token, request.method_arn, str(request.method_arn)) == (
        "Bearer good",
        MethodArn("aws", "us-east-1", "123456789012", "a1b2c3", "prod", "GET", "/orders/7"),
        ARN,
    )


@pytest.mark.parametrize("kind", sorted(REQUESTS))
def test_a_request_authorizer_gets_parts_of_the_request(kind: str) -> None:
    """By the marks that routes have too, and the request itself."""
    got: list[Any] = []

    @on_authorizer()
    def decide(
        authorization: Annotated[str, Header()],
        tenant: int,
        *,
        http: HttpRequest,
        request: AuthorizerRequest,
        context: LambdaContext,
        tag: Annotated[list[str], Query()],
        theme: Annotated[str, Cookie()] = "",
    ) -> bool:
        got.extend([authorization, tenant, tag, theme, http is request, request.method_arn.stage, bool(context)])
        return True

    App(decide)(
        REQUESTS[kind](
            query={"tenant": "7", "tag": ["a", "b"]},
            headers={"Authorization": "Bearer good", "Cookie": "theme=dark"},
            stage="prod",
        )
    )

    assert got == ["Bearer good", 7, ["a", "b"], "dark", True, "prod", True]


def test_a_request_authorizer_gets_parameters_of_the_path() -> None:
    """Those of the API's own route, whatever it is."""
    got: list[Any] = []

    @on_authorizer()
    def decide(order_id: Annotated[int, PathValue()]) -> bool:
        got.append(order_id)
        return True

    App(decide)({**rest("GET /orders/7"), "pathParameters": {"order_id": "7"}})

    assert got == [7]


def test_an_appsync_authorizer_gets_the_token_and_the_query() -> None:
    """With what else AppSync says of the request."""
    got: list[AppSyncAuthorizerRequest] = []

    @on_authorizer("AWS_LAMBDA")
    async def decide(request: AppSyncAuthorizerRequest) -> bool:
        got.append(request)
        return True

    App(decide)(events.appsync_authorizer("good", query="query Orders { orders { id } }", variables={"limit": 1}))

    [request] = got
    assert (request.token, request.query_string, request.operation_name, request.variables, request.channel) == (
        "good",
        "query Orders { orders { id } }",
        "Orders",
        {"limit": 1},
        None,
    )


def test_an_authorizer_has_dependencies() -> None:
    """Which ask for parts of the request, as it does."""

    def user(authorization: Annotated[str, Header()]) -> str:
        return authorization.removeprefix("Bearer ")

    @on_authorizer()
    def decide(name: Annotated[str, Depends(user)]) -> Allow:
        return Allow(name)

    assert App(decide)(rest(headers={"Authorization": "Bearer ann"}))["principalId"] == "ann"


# What it answers.


@pytest.mark.parametrize("event", [rest(), http_1(), http_2(), socket(), token()])
def test_an_answer_is_a_policy_for_that_request(event: Json) -> None:
    """Of a REST API, an HTTP API and a WebSocket API, unless it has simple responses."""
    arn = event.get("routeArn") or event["methodArn"]

    assert answering(Allow("ann", context={"tenant": "7"}))(event) == {
        "principalId": "ann",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [arn]}],
        },
        "context": {"tenant": "7"},
    }


@pytest.mark.parametrize(("answer", "effect"), [(True, "Allow"), (False, "Deny"), (Allow(), "Allow"), (Deny(), "Deny")])
def test_an_answer_may_be_yes_or_no(answer: Answer, effect: str) -> None:
    """True and False are ``Allow()`` and ``Deny()``."""
    answered = answering(answer)(token())

    assert (answered["principalId"], answered["policyDocument"]["Statement"][0]["Effect"]) == ("anonymous", effect)


def test_a_denial_is_good_for_the_whole_stage() -> None:
    """The cache holds the client's other requests against it, and a resource policy may allow what is not denied."""
    assert resources(answering(False)(token())) == [f"{STAGE}/*"]


def test_a_denial_may_say_more() -> None:
    """To gateway responses and logs."""
    answered = answering(Deny("ann", context={"reason": "unpaid"}))(rest())

    assert (answered["principalId"], answered["context"]) == ("ann", {"reason": "unpaid"})


def test_a_rest_api_may_take_the_clients_key_from_its_authorizer() -> None:
    """For its usage plan."""
    assert answering(Allow(usage_identifier_key="k1"))(rest())["usageIdentifierKey"] == "k1"


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ("*", ["/*"]),
        (["GET /orders/*"], ["/GET/orders/*"]),
        (["GET|POST /orders", "GET /"], ["/GET/orders", "/POST/orders", "/GET/"]),
        (["GET /a", "GET /a"], ["/GET/a"]),
        (["ANY /a"], [f"/{method}/a" for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")]),
        (["$connect", "sendMessage"], ["/$connect", "/sendMessage"]),
    ],
)
def test_an_answer_may_name_routes(routes: Any, expected: list[str]) -> None:
    """Those of the stage, which the cache then holds other requests against."""
    assert resources(answering(Allow(routes=routes))(token())) == [STAGE + route for route in expected]


def test_a_client_can_not_ask_for_a_wildcard() -> None:
    """A path with an asterisk is that path: else one answer in the cache would open all the others."""
    event = token(arn=f"{STAGE}/GET/orders/*/?/${{aws:username}}")

    assert resources(answering(True)(event)) == [f"{STAGE}/GET/orders/${{*}}/${{?}}/${{$}}{{aws:username}}"]


def test_a_mapping_is_sent_as_it_is() -> None:
    """A policy that says more than ``Allow`` can; with dates and the like as JSON."""
    policy = {"principalId": "ann", "policyDocument": {"Version": "2012-10-17", "Statement": []}}

    assert answering({**policy, "context": {"at": datetime(2026, 1, 1, tzinfo=UTC)}})(token()) == {
        **policy,
        "context": {"at": "2026-01-01T00:00:00Z"},
    }


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (True, {"isAuthorized": True}),
        (Allow("ann", routes="*", context={"a": [1]}), {"isAuthorized": True, "context": {"a": [1]}}),
        (Deny(context={"a": 1}), {"isAuthorized": False, "context": {"a": 1}}),
    ],
)
def test_an_http_api_may_have_simple_responses(answer: Answer, expected: Json) -> None:
    """If its authorizer is set so; they take any JSON as context."""
    assert answering(answer, enable_simple_responses=True)(http_2()) == expected


@pytest.mark.parametrize("event", [rest(), http_1(), socket(), token()])
def test_only_format_2_has_simple_responses(event: Json) -> None:
    """Whoever else asks the same function gets a policy."""
    assert "policyDocument" in answering(True, enable_simple_responses=True)(event)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (True, {"isAuthorized": True}),
        (
            Allow("ann", context={"tenant": 7}, denied_fields=["Order.price"], ttl_override=0),
            {
                "isAuthorized": True,
                "resolverContext": {"tenant": 7},
                "deniedFields": ["Order.price"],
                "ttlOverride": 0,
            },
        ),
        (Deny(), {"isAuthorized": False}),
        (Unauthorized(), {"isAuthorized": False}),
    ],
)
def test_appsync_has_an_answer_of_its_own(answer: Any, expected: Json) -> None:
    """With fields that are withheld, and how long it is kept."""
    assert answering(answer)(events.appsync_authorizer()) == expected


# Who is asking.


@pytest.mark.parametrize("event", [rest(), socket(), token()])
def test_unauthorized_is_an_error_whose_message_is_that_word(event: Json) -> None:
    """By which a REST API and a WebSocket API know it."""
    with pytest.raises(Unauthorized, match=r"\AUnauthorized\Z"):
        answering(Unauthorized())(event)


@pytest.mark.parametrize("event", [http_1(), http_2()])
def test_an_http_api_is_told_in_so_many_words(event: Json) -> None:
    """Which does not count as an error of the function."""
    assert answering(Unauthorized())(event) == {"errorMessage": "Unauthorized"}


@pytest.mark.parametrize("kind", ["HTTP 1.0", "HTTP 2.0"])
def test_a_header_that_is_not_there_is_unauthorized(kind: str) -> None:
    """So is one that does not fit."""

    @on_authorizer()
    def decide(x_key: Annotated[int, Header()]) -> bool:
        return True

    app = App(decide)
    answered = [app(REQUESTS[kind](headers=headers)) for headers in ({}, {"X-Key": "a"})]

    assert answered == [{"errorMessage": "Unauthorized"}] * 2


@pytest.mark.parametrize(
    ("status", "expected"), [(401, {"errorMessage": "Unauthorized"}), (403, {"isAuthorized": False})]
)
def test_a_dependency_that_routes_share_may_refuse(status: int, expected: Json) -> None:
    """With the error that a route would answer."""

    def user() -> str:
        raise HTTPError(status)

    @on_authorizer(enable_simple_responses=True)
    def decide(name: Annotated[str, Depends(user)]) -> bool:
        return True

    assert App(decide)(http_2()) == expected


def test_dependencies_see_who_was_refused() -> None:
    """As of a route: the error ends them, and then it is answered."""
    seen: list[BaseException] = []

    def session() -> Iterator[None]:
        try:
            yield
        except Unauthorized as error:
            seen.append(error)
            raise

    @on_authorizer()
    def decide(session: Annotated[None, Depends(session)]) -> NoReturn:
        raise Unauthorized

    assert (App(decide)(http_2()), len(seen)) == ({"errorMessage": "Unauthorized"}, 1)


@pytest.mark.parametrize("error", [HTTPError(503), KeyError("a"), NoHandlerError("sqs")])
def test_what_else_a_handler_raises_passes_through(error: Exception) -> None:
    """It is no answer."""
    with pytest.raises(type(error)) as raised:
        answering(error)(http_2())

    assert raised.value is error


def test_unauthorized_is_raised_as_it_was() -> None:
    """With its cause; another error that means it is the cause."""
    errors = Unauthorized(), HTTPError(401)
    raised = []
    for error in errors:
        with pytest.raises(Unauthorized) as caught:
            answering(error)(token())
        raised.append(caught.value)

    assert (raised[0] is errors[0], raised[1].__cause__) == (True, errors[1])


def test_unauthorized_copies_and_pickles() -> None:
    """As every error does."""
    error = Unauthorized()

    assert [str(copy.copy(error)), str(pickle.loads(pickle.dumps(error)))] == ["Unauthorized", "Unauthorized"]


# What can't be said.


@pytest.mark.parametrize(
    ("answer", "event", "settings", "problem"),
    [
        (None, token(), {}, "returned None; an authorizer returns Allow, Deny, True, False or a policy"),
        ("ann", token(), {}, "returned 'ann'"),
        (Allow(context={"a": [1]}), rest(), {}, "has 'a' in its context, which is neither text nor a number"),
        (Allow(context={"a": {}}), http_1(), {}, "has 'a' in its context"),
        (Allow(context={"a": None}), socket(), {}, "has 'a' in its context"),
        (Deny(context={"a": float("nan")}), token(), {}, "has 'a' in its context"),
        (Allow(context={"a": [1]}), events.appsync_authorizer(), {}, "has 'a' in its context"),
        (
            Allow(context={"a": "x" * 6_000_000}),
            events.appsync_authorizer(),
            {},
            "has a context of 6,000,028 bytes, 5,242,880 at most",
        ),
        (Allow(context={"a": "x" * 9_000}), socket(), {}, "answers 9,2.. bytes, 8,192 at most to a WebSocket API"),
        (True, rest(f"GET /{'a' * 500}"), {}, "allows a path of 5.. characters, 512 at most"),
        (Allow(routes=["GET /a"]), http_2(), {"enable_simple_responses": True}, "names routes, which a simple"),
        (Allow(routes=["GET /a"]), events.appsync_authorizer(), {}, "names routes, which AppSync"),
        (Allow(denied_fields="a.b"), token(), {}, "has denied_fields or ttl_override, which only AppSync has"),
        (
            Allow(ttl_override=5),
            http_2(),
            {"enable_simple_responses": True},
            "has denied_fields or ttl_override, which only AppSync has",
        ),
    ],
    ids=count(),
)
def test_an_answer_that_can_not_be_said_is_an_error(answer: Any, event: Json, settings: Any, problem: str) -> None:
    """Of the function, with what can be said; nothing is allowed that was not meant."""
    with pytest.raises(AuthorizerResponseError, match=rf"decide {problem}"):
        answering(answer, **settings)(event)


@pytest.mark.parametrize("event", [rest(), http_2()])
def test_values_of_a_context_are_json(event: Json) -> None:
    """Dates and the like are text, Decimals are numbers."""
    context = {"at": datetime(2026, 1, 1, tzinfo=UTC), "limit": Decimal("1.5"), "paid": True, "count": 2}

    assert answering(Allow(context=context))(event)["context"] == {
        "at": "2026-01-01T00:00:00Z",
        "limit": Decimal("1.5"),
        "paid": True,
        "count": 2,
    }


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"principal": ""}, "principal is text"),
        ({"principal": 7}, "principal is text"),
        ({"routes": []}, r"allows nothing: answer Deny\(\)"),
        ({"routes": ["GET /orders/{id}"]}, r"'\*' in a policy, as in 'GET /orders/\*'"),
        ({"routes": ["FETCH /orders"]}, r"routes are as 'GET /orders/\*', 'ANY /orders' or '\*', not 'FETCH /orders'"),
        ({"routes": ["GET orders"]}, "routes are as"),
        ({"routes": ["GET /orders?a=1"]}, "routes are as"),
        ({"routes": "/orders"}, "a route has a method"),
        ({"routes": ["send*"]}, "a route has a method"),
        ({"routes": [""]}, "a route has a method"),
        ({"routes": 7}, "routes is a text or several"),
        ({"ttl_override": 3601}, "ttl_override is 0 to 3,600 seconds, not 3601"),
    ],
    ids=str,
)
def test_what_nothing_can_be_made_of_is_refused_at_once(options: Any, problem: str) -> None:
    """Where it is written."""
    with pytest.raises(ValueError, match=problem):
        Allow(**options)


# Who is asked.


def test_an_authorizer_for_one_kind_of_api_goes_before_one_for_any() -> None:
    """An HTTP API's in format 1.0 is one too."""

    @on_authorizer()
    def anybody() -> Allow:
        return Allow("anybody")

    @on_authorizer(protocol_type="HTTP")
    def web() -> Allow:
        return Allow("web")

    app = App(anybody, web)

    assert [app(event)["principalId"] for event in (rest(), http_1(), http_2(), socket())] == [
        "anybody",
        "web",
        "web",
        "anybody",
    ]


def test_a_question_that_nobody_takes_is_an_error() -> None:
    """Which says who asked."""
    with pytest.raises(NoHandlerError, match=r"no handler takes this 'apigw_authorizer_token' event from REST API"):
        App(on_authorizer()(lambda: True))(token())


def test_two_authorizers_of_one_kind_are_refused() -> None:
    """Nothing would tell them apart."""

    @on_authorizer(protocol_type="REST")
    def one() -> bool:
        return True

    @on_authorizer(protocol_type="REST", enable_simple_responses=False)
    def two() -> bool:
        return True

    with pytest.raises(RegistrationError, match="two handlers claim the same thing"):
        App(one, two)


def test_explain_tells_who_decides() -> None:
    """And why not the others."""

    @on_authorizer("TOKEN")
    def decide(request: TokenAuthorizerRequest) -> bool:
        return True

    @on_authorizer(protocol_type="HTTP", enable_simple_responses=True)
    def web() -> bool:
        return True

    assert str(App(decide, web).explain(http_2())).splitlines() == [
        "source: apigw_authorizer_v2",
        "record 0: authorizer request HTTP API (REQUEST)",
        "  taken by on_authorizer(protocol_type='HTTP', enable_simple_responses=True) -> "
        "tests.test_authorizers.test_explain_tells_who_decides.<locals>.web",
        "  not tests.test_authorizers.test_explain_tells_who_decides.<locals>.decide: "
        "takes on_authorizer('TOKEN'), this is from HTTP API (REQUEST)",
    ]


def test_a_function_may_guard_what_it_serves() -> None:
    """An App answers both: the question, and the request that follows it."""

    @on_authorizer(enable_simple_responses=True)
    def decide(authorization: Annotated[str, Header()]) -> Allow | Deny:
        return Allow(context={"name": "ann"}) if authorization == "good" else Deny()

    @on_http("GET /orders")
    def read(who: Identity) -> str:
        return str(who.claims["name"])

    app = App(decide, read)
    allowed = app(http_2(headers={"authorization": "good"}))
    request = events.apigw_v2("GET /orders")
    request["requestContext"]["authorizer"] = {"lambda": allowed["context"]}

    assert (allowed["isAuthorized"], app(request)["body"]) == (True, "ann")


def test_an_app_with_an_authorizer_describes_its_routes() -> None:
    """OpenAPI has no word for it."""

    @on_authorizer()
    def decide(authorization: Annotated[str, Header()]) -> bool:
        return True

    assert App(decide).openapi()["paths"] == {}


@pytest.mark.parametrize(
    ("decorate", "event"),
    [
        (on_authorizer("TOKEN"), "apigw_authorizer_token"),
        (on_authorizer(), "apigw_authorizer_request"),
        (on_authorizer(protocol_type="HTTP"), "apigw_authorizer_v2"),
        (on_authorizer(protocol_type="WEBSOCKET"), "apigw_authorizer_websocket"),
        (on_authorizer("AWS_LAMBDA"), "appsync_authorizer"),
    ],
    ids=count(),
)
def test_the_sample_of_an_authorizer_reaches_it(decorate: Any, event: str) -> None:
    """Whatever its kind."""

    def decide() -> bool:
        return True

    made = events.sample(decorate(decide))

    assert (identify(made), App(decide).explain(made).handlers != []) == (event, True)


# What is refused at the start.


class Order: ...


def _asks_for(annotation: Any) -> Callable[..., Any]:
    def decide(value: Any) -> bool:
        return True

    decide.__annotations__["value"] = annotation
    return decide


@pytest.mark.parametrize(
    ("decorate", "annotation", "problem"),
    [
        (on_authorizer(), dict[str, str], "an authorizer does not get the body of a request"),
        (on_authorizer(), Annotated[str, Body()], "an authorizer does not get the body"),
        (on_authorizer(), Annotated[str, Form()], "an authorizer does not get the body"),
        (on_authorizer(), TokenAuthorizerRequest, r"which on_authorizer\(\) does not deliver"),
        (on_authorizer(), Order, "A handler of on_authorizer\\(\\) may ask for values of the query"),
        (on_authorizer("TOKEN"), HttpRequest, "which on_authorizer\\('TOKEN'\\) does not deliver"),
        (on_authorizer("TOKEN"), str, "may ask for: TokenAuthorizerRequest, "),
        (on_authorizer("TOKEN"), AppSyncAuthorizerRequest, "does not deliver"),
        (on_authorizer("TOKEN"), list[TokenAuthorizerRequest], "does not deliver"),
        (on_authorizer(), Identity, "may ask for values of the query"),
        (on_authorizer("AWS_LAMBDA"), dict[str, Any], "may ask for: AppSyncAuthorizerRequest"),
        (on_sqs("orders"), TokenAuthorizerRequest, "does not deliver"),
        (on_http("GET /"), TokenAuthorizerRequest, "does not deliver"),
    ],
    ids=count(),
)
def test_a_handler_asks_for_what_there_is(decorate: Any, annotation: Any, problem: str) -> None:
    """Else it is refused while the function starts."""
    with pytest.raises(RegistrationError, match=problem):
        App(decorate(_asks_for(annotation)))


@pytest.mark.parametrize("annotation", [str, None, bool | None, Allow | str, list[bool]], ids=str)
def test_a_handler_says_that_it_returns_an_answer(annotation: Any) -> None:
    """Else it is refused while the function starts."""

    def decide() -> Any: ...

    decide.__annotations__["return"] = annotation

    with pytest.raises(RegistrationError, match="an authorizer returns an answer, not"):
        App(on_authorizer()(decide))


@pytest.mark.parametrize(
    "annotation",
    [bool, Allow, Allow | Deny, dict[str, Any], Answer, Any, object, NoReturn, Literal[True]],
    ids=count(),
)
def test_a_handler_may_return_any_answer(annotation: Any) -> None:
    """By whatever it is called."""

    def decide() -> Any: ...

    decide.__annotations__["return"] = annotation

    assert App(on_authorizer()(decide)).handlers[0].name.endswith("decide")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda: on_authorizer("JWT"), "type is one of 'REQUEST', 'TOKEN', 'AWS_LAMBDA', not 'JWT'"),  # type: ignore[call-overload]
        (lambda: on_authorizer(protocol_type="WEB"), "protocol_type is one of 'REST', 'HTTP', 'WEBSOCKET'"),  # type: ignore[call-overload]
        (lambda: on_authorizer(enable_simple_responses="yes"), "is True or False"),  # type: ignore[call-overload]
        (lambda: on_authorizer("TOKEN", protocol_type="REST"), "has no protocol_type"),  # type: ignore[call-overload]
        (
            lambda: on_authorizer(protocol_type="REST", enable_simple_responses=True),
            "only an HTTP API takes simple responses",
        ),
        (lambda: on_event("apigw_authorizer_token"), r"their own decorator: on_authorizer\('TOKEN'\)"),
    ],
    ids=count(),
)
def test_settings_are_those_of_aws(make: Callable[[], object], problem: str) -> None:
    """What there is, is said."""
    with pytest.raises(ValueError, match=problem):
        make()


def test_the_parentheses_are_not_optional() -> None:
    """A function in the place of the type says that they were forgotten."""
    with pytest.raises(TypeError, match=r"write @on_authorizer\(\) with its parentheses"):
        on_authorizer(lambda: True)  # type: ignore[call-overload]


@pytest.mark.parametrize("arn", ["", "arn:aws:sqs:us-east-1:1:orders", "arn:aws:execute-api:a:b:c", 7, None])
@pytest.mark.parametrize("kind", ["TOKEN", "REQUEST"])
def test_an_event_without_an_arn_is_no_question(kind: str, arn: Any) -> None:
    """The function is not called."""
    event = {**token(), "methodArn": arn} if kind == "TOKEN" else {**rest(), "methodArn": arn}

    with pytest.raises(EventValidationError, match="methodArn: "):
        answering(True)(event)


# Laws.

_text = st.text(st.characters(codec="utf-8", exclude_characters="/:"), min_size=1, max_size=8)
_path = st.lists(st.text(max_size=6), max_size=4).map("/".join)
_methods = st.sampled_from(["GET", "POST", "DELETE"])


@st.composite
def _arns(draw: st.DrawFn) -> str:
    """ARNs of methods, with paths as clients make them up."""
    api, stage, method, path = draw(_text), draw(_text), draw(_methods), draw(_path)
    return f"arn:aws:execute-api:us-east-1:123456789012:{api}/{stage}/{method}/{path}"


def is_policy(document: Json) -> bool:
    """Whether IAM would take it, by its grammar."""
    json.dumps(document)
    statements = document["policyDocument"]["Statement"]
    return (
        isinstance(document["principalId"], str)
        and document["policyDocument"]["Version"] == "2012-10-17"
        and bool(statements)
        and all(
            statement["Action"] == "execute-api:Invoke"
            and statement["Effect"] in ("Allow", "Deny")
            and statement["Resource"]
            and all(resource.startswith("arn:aws:execute-api:") for resource in statement["Resource"])
            for statement in statements
        )
    )


def is_allowed(document: Json, arn: str) -> bool:
    """Whether a policy allows an ARN, by IAM's rules: wildcards, and the variables that stand for their characters."""
    return _says(document, "Allow", arn)


def is_denied(document: Json, arn: str) -> bool:
    return _says(document, "Deny", arn)


def _says(document: Json, effect: str, arn: str) -> bool:
    return any(
        statement["Effect"] == effect and any(_matches(resource, arn) for resource in statement["Resource"])
        for statement in document["policyDocument"]["Statement"]
    )


def _matches(resource: str, arn: str) -> bool:
    tokens = re.findall(r"\$\{[*?$]\}|.", resource, re.DOTALL)
    wild = {"*": ".*", "?": ".", "${*}": r"\*", "${?}": r"\?", "${$}": r"\$"}
    return bool(re.fullmatch("".join(wild.get(token) or re.escape(token) for token in tokens), arn, re.DOTALL))


@given(_arns(), _arns())
def test_a_policy_allows_the_request_and_no_other(arn: str, other: str) -> None:
    """Whatever is in its path."""
    document = answering(True)(token(arn=arn))

    denial = answering(False)(token(arn=arn))

    assert (is_policy(document), is_allowed(document, arn), is_allowed(document, other)) == (True, True, arn == other)
    assert (is_policy(denial), is_denied(denial, arn), is_allowed(denial, arn)) == (True, True, False)


@given(_arns(), _methods, st.text("ab/*", max_size=5), st.text("ab/", max_size=6), _methods)
def test_a_policy_allows_the_routes_and_no_others(arn: str, method: str, path: str, asked: str, by: str) -> None:
    """Of this stage of this API."""
    stage = "/".join(arn.split("/")[:2])
    document = answering(Allow(routes=[f"{method} /{path}"]))(token(arn=arn))
    wanted = re.fullmatch(path.replace("*", ".*"), asked) is not None and by == method

    assert (
        is_policy(document),
        is_allowed(document, f"{stage}/{by}/{asked}"),
        is_allowed(document, f"{stage}x/{method}/{path}"),
    ) == (True, wanted, False)


@given(_arns())
def test_an_arn_is_what_it_was(arn: str) -> None:
    """However it is taken apart."""
    assert str(MethodArn.parse(arn)) == arn


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
_KEYS = (
    "type", "methodArn", "routeArn", "authorizationToken", "headers", "multiValueHeaders", "queryStringParameters",
    "multiValueQueryStringParameters", "pathParameters", "stageVariables", "requestContext", "httpMethod", "path",
    "rawPath", "rawQueryString", "cookies", "version", "identitySource", "resource", "requestHeaders",
)  # fmt: skip
_CONTEXT = ("connectionId", "routeKey", "identity", "http", "stage", "domainName", "queryString", "variables", "apiId")


@on_authorizer("TOKEN")
def by_token(request: TokenAuthorizerRequest) -> Allow:
    return Allow(request.token or "nobody", routes="*")


@on_authorizer("AWS_LAMBDA")
def by_appsync(request: AppSyncAuthorizerRequest) -> bool:
    return request.token == "good"


@on_authorizer()
def by_request(
    request: AuthorizerRequest,
    tag: Annotated[list[int], Query()] = [],  # noqa: B006
    x_a: Annotated[int, Header()] = 1,
    theme: Annotated[str, Cookie()] = "",
    order: Annotated[str, PathValue()] = "",
) -> Allow:
    return Allow(request.identity.source_ip or "nobody", context={"stage": request.method_arn.stage, "order": order})


EVERYTHING = App(by_token, by_appsync, by_request)


@given(
    st.sampled_from([rest(), http_1(), http_2(), socket(), token(), events.appsync_authorizer()]),
    st.dictionaries(st.sampled_from(_KEYS), _json, max_size=4),
    st.dictionaries(st.sampled_from(_CONTEXT), _json, max_size=3),
)
def test_no_event_makes_an_authorizer_raise(event: Json, changes: Json, context: Json) -> None:
    """Whatever it holds: it is answered, or it is no question."""
    about = {"requestContext": {**event["requestContext"], **context}} if "requestContext" in event else {}
    event = {**event, **about, **changes}
    before = copy.deepcopy(event)
    if "authorizer" not in identify(event):
        return

    try:
        answered = EVERYTHING(event)
    except (EventValidationError, Unauthorized, AuthorizerResponseError):
        return

    assert {"policyDocument", "isAuthorized", "errorMessage"} & answered.keys()
    assert json.dumps(event) == json.dumps(before)


CAPTURED = Path(__file__).parents[2] / "shared" / "events"


def _captured() -> list[Any]:
    if not (CAPTURED / "manifest.json").exists():
        return [pytest.param("", marks=pytest.mark.skip(reason="no captured events at ../shared/events"))]
    entries = json.loads((CAPTURED / "manifest.json").read_text())
    found = [entry["file"] for entry in entries if "authorizer" in entry["source"]]
    return [pytest.param(str(CAPTURED / file), id=file) for file in found]


@pytest.mark.parametrize("file", _captured())
def test_a_real_question_is_answered(file: str) -> None:
    """By a policy that allows what was asked, or in AppSync's words."""
    event = json.loads(Path(file).read_text())
    answered = answering(True)(event)

    assert answered == {"isAuthorized": True} or is_allowed(answered, event.get("routeArn") or event["methodArn"])
