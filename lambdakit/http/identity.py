"""Who makes a request, as its front door knows: one shape for all of them.

Sources: https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html,
https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError
from typing_extensions import TypeVar

from lambdakit.http.errors import HTTPError, problems_of
from lambdakit.http.parts import is_list
from lambdakit.signature import members_of, plain_type, without_alias
from lambdakit.validators import validator_of

if TYPE_CHECKING:
    from lambdakit.http.request import HttpRequest

AuthorizationType = Literal["NONE", "JWT", "COGNITO_USER_POOLS", "CUSTOM", "AWS_IAM"]
"""How a route is guarded, as API Gateway calls it; ``CUSTOM`` is a Lambda authorizer."""

Claims = TypeVar("Claims", default=dict[str, Any])


class CognitoIdentity(NamedTuple):
    """The identity of an identity pool, by which a caller got AWS credentials."""

    identity_id: str = ""
    identity_pool_id: str = ""
    amr: tuple[str, ...] = ()


class Iam(NamedTuple):
    """A caller who signed the request with AWS credentials."""

    user_arn: str = ""
    user_id: str = ""
    account_id: str = ""
    access_key: str = ""
    caller_id: str = ""
    principal_org_id: str = ""
    cognito_identity: CognitoIdentity | None = None


class ClientCert(NamedTuple):
    """The certificate that a client showed where the domain has mutual TLS."""

    subject_dn: str = ""
    issuer_dn: str = ""
    serial_number: str = ""
    client_cert_pem: str = ""
    not_before: datetime | None = None
    not_after: datetime | None = None


class Identity(Generic[Claims]):
    """Who makes a request. ``Identity[User]`` has the claims as a ``User``.

    A handler that asks for one is not called without: the answer is 401. ``Identity | None`` takes anybody.

    Args:
        authorization_type: How the front door knows: ``"JWT"``, ``"COGNITO_USER_POOLS"``, ``"CUSTOM"`` (a Lambda
            authorizer), ``"AWS_IAM"`` or ``"NONE"``.
        principal_id: Who it is: the token's ``sub``, what a REST API's Lambda authorizer called it, or the user's ARN.
        claims: What the token, or the context of the Lambda authorizer, says. API Gateway makes text of what is
            none; the fields of a model have their types.
        scopes: What the token is good for.
        iam: The AWS identity, of a signed request.
        client_cert: The client's certificate, with mutual TLS.
        api_key: The key of a REST API's usage plan, which identifies a client and proves nothing.
        api_key_id: Its ID.
        source_ip: The address the request came from, as the front door saw it.
        user_agent: What the client calls itself.
    """

    __slots__ = (
        "api_key", "api_key_id", "authorization_type", "claims", "client_cert", "iam", "principal_id", "scopes",
        "source_ip", "user_agent",
    )  # fmt: skip

    def __init__(
        self,
        authorization_type: AuthorizationType = "NONE",
        *,
        claims: Claims,
        principal_id: str = "",
        scopes: Sequence[str] = (),
        iam: Iam | None = None,
        client_cert: ClientCert | None = None,
        api_key: str = "",
        api_key_id: str = "",
        source_ip: str = "",
        user_agent: str = "",
    ) -> None:
        self.authorization_type = authorization_type
        self.claims = claims
        self.principal_id = principal_id
        self.scopes = tuple(scopes)
        self.iam = iam
        self.client_cert = client_cert
        self.api_key = api_key
        self.api_key_id = api_key_id
        self.source_ip = source_ip
        self.user_agent = user_agent

    def __repr__(self) -> str:
        return f"<Identity {self.principal_id!r} by {self.authorization_type}>"

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is known to have made the request: no authorizer let it pass, no certificate came with it."""
        return self.authorization_type == "NONE" and self.client_cert is None


class Scopes:
    """Asks for a token with all of these scopes: ``Annotated[Identity, Scopes("orders:write")]``; else it answers 403.

    Args:
        *names: The scopes.
    """

    __slots__ = ("names",)

    def __init__(self, *names: str) -> None:
        self.names = names

    def check(self, identity: Identity[Any]) -> None:
        """See that they are there.

        Raises:
            HTTPError: 403, not all of them are.
        """
        lacking = [name for name in self.names if name not in identity.scopes]
        if lacking:
            needed = f'Bearer error="insufficient_scope", scope="{" ".join(self.names)}"'
            raise HTTPError(
                403, f"the scope {' '.join(lacking)} is needed for this", headers={"www-authenticate": needed}
            )


def is_identity(annotation: Any) -> bool:
    """Whether an annotation asks for who makes the request."""
    return any(get_origin(plain) is Identity or plain is Identity for plain in map(plain_type, members_of(annotation)))


def identity_reader(annotation: Any) -> Callable[[HttpRequest], Any]:
    """What gives a parameter who makes the request, or answers 401 or 403 in the handler's stead.

    Raises:
        TypeError, PydanticUserError: nothing can be read as the claims that it asks for.
    """
    takes_anybody = NoneType in get_args(plain_type(annotation))
    [member] = [member for member in members_of(annotation) if is_identity(member)]
    scopes = Scopes(*dict.fromkeys([*_scopes_of(annotation), *_scopes_of(member)]))
    read_claims = _claims_reader(*get_args(plain_type(member)))

    def read(request: HttpRequest) -> Any:
        identity = request.identity
        if identity.is_anonymous:
            if takes_anybody:
                return None
            raise HTTPError(401, "this needs to know who is asking", headers={"www-authenticate": "Bearer"})
        scopes.check(identity)
        return read_claims(identity)

    return read


def identity_of(request: HttpRequest) -> Identity:
    """Who makes a request, of what its front door says in ``requestContext``."""
    context = request.request_context
    about = _object(context, "identity") or _object(context, "http")
    certificate = _object(about, "clientCert") or _object(_object(context, "authentication"), "clientCert")
    found = _by_name(request.authorizer) or _by_traces(request) or _Authorized("NONE", {})
    return Identity(
        found.kind,
        claims=found.claims,
        principal_id=found.principal_id,
        scopes=found.scopes,
        iam=found.iam,
        client_cert=_client_cert(certificate) if certificate else None,
        api_key=_text(about, "apiKey"),
        api_key_id=_text(about, "apiKeyId"),
        source_ip=request.source_ip,
        user_agent=_text(about, "userAgent") or request.headers.get("user-agent", ""),
    )


class _Authorized(NamedTuple):
    """What the authorizer of a route found out."""

    kind: AuthorizationType
    claims: dict[str, Any]
    principal_id: str = ""
    scopes: Sequence[str] = ()
    iam: Iam | None = None


def _by_name(authorizer: Mapping[str, Any]) -> _Authorized | None:
    """In format 2.0, which names the authorizer."""
    token = _object(authorizer, "jwt")
    if claims := _object(token, "claims"):
        return _Authorized("JWT", claims, _text(claims, "sub"), scopes_of(claims, token))
    if caller := _object(authorizer, "iam"):
        return _signed(caller, _object(caller, "cognitoIdentity"))
    if "lambda" in authorizer:
        return _Authorized("CUSTOM", _object(authorizer, "lambda"))
    return None


def _by_traces(request: HttpRequest) -> _Authorized | None:
    """In format 1.0, where each authorizer leaves something else: a user pool's and a token's claims, a signature."""
    authorizer = request.authorizer
    if claims := _object(authorizer, "claims"):
        kind: AuthorizationType = "JWT" if "version" in request.event else "COGNITO_USER_POOLS"
        return _Authorized(kind, claims, _text(claims, "sub"), scopes_of(claims, authorizer))
    caller = _object(request.request_context, "identity")
    if _text(caller, "userArn").startswith("arn:"):
        return _signed({**caller, "callerId": caller.get("caller"), "userId": caller.get("user")}, caller)
    if authorizer.keys() - {"claims", "scopes", "jwt", "iam"}:
        context = {name: value for name, value in authorizer.items() if name not in _NO_CONTEXT}
        return _Authorized("CUSTOM", context, _text(authorizer, "principalId"))
    return None


def _signed(caller: Mapping[str, Any], cognito: Mapping[str, Any]) -> _Authorized:
    iam = Iam(
        user_arn=_text(caller, "userArn"),
        user_id=_text(caller, "userId"),
        account_id=_text(caller, "accountId"),
        access_key=_text(caller, "accessKey"),
        caller_id=_text(caller, "callerId"),
        principal_org_id=_text(caller, "principalOrgId"),
        cognito_identity=_cognito_identity(cognito),
    )
    return _Authorized("AWS_IAM", {}, iam.user_arn, iam=iam)


# What stands beside the context that a Lambda authorizer gave to a REST API, null of what another kind would have.
_NO_CONTEXT = {"principalId", "integrationLatency", "claims", "scopes", "jwt", "iam"}


def scopes_of(claims: Mapping[str, Any], token: Mapping[str, Any]) -> list[str]:
    """The scopes of a token: of its claim, or what API Gateway says of them."""
    return listed(claims.get("scope") or claims.get("scp") or token.get("scopes"))


def listed(value: Any) -> list[str]:
    """The members of a claim that API Gateway has made text of: a REST API with commas, an HTTP API in brackets.

    >>> listed("[admins users]"), listed("admins,users"), listed("orders:read orders:write")
    (['admins', 'users'], ['admins', 'users'], ['orders:read', 'orders:write'])
    """
    if isinstance(value, list):
        return [str(member) for member in value]
    if not isinstance(value, str):
        return []
    if value.startswith("[") and value.endswith("]"):
        return value[1:-1].split()
    return [member.strip() for member in value.split(",")] if "," in value else value.split()


def _claims_reader(model: Any = dict) -> Callable[[Identity], Identity[Any]]:
    """What reads the claims as that type."""
    if (get_origin(model) or plain_type(model)) is dict:
        return lambda identity: identity
    validate = validator_of(model).validate_python
    fields = model.model_fields if isinstance(model, type) and issubclass(model, BaseModel) else {}
    lists = {key for name, field in fields.items() if is_list(field.annotation) for key in (name, field.alias)}

    def read(identity: Identity) -> Identity[Any]:
        claims = identity.claims
        given = {name: listed(value) if name in lists else value for name, value in claims.items()}
        try:
            return _with_claims(identity, validate(given))
        except ValidationError as error:
            raise HTTPError(
                403, "the token does not say what is needed for this", errors=problems_of(error, "claims")
            ) from error

    return read


def _with_claims(identity: Identity, claims: Any) -> Identity[Any]:
    found: Identity[Any] = Identity(claims=claims)
    for name in Identity.__slots__:
        if name != "claims":
            setattr(found, name, getattr(identity, name))
    return found


def _scopes_of(annotation: Any) -> Sequence[str]:
    """The scopes that an annotation asks for."""
    known = without_alias(annotation)
    extras = get_args(known)[1:] if get_origin(known) is Annotated else ()
    return [name for extra in extras if isinstance(extra, Scopes) for name in extra.names]


# What stands in an event, whatever it is.


def _object(event: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = event.get(name)
    return found if isinstance(found, dict) else {}


def _text(event: Mapping[str, Any], name: str) -> str:
    found = event.get(name)
    return found if isinstance(found, str) else ""


def _cognito_identity(about: Mapping[str, Any]) -> CognitoIdentity | None:
    identity_id = _text(about, "identityId") or _text(about, "cognitoIdentityId")
    if not identity_id:
        return None
    pool = _text(about, "identityPoolId") or _text(about, "cognitoIdentityPoolId")
    return CognitoIdentity(identity_id, pool, tuple(listed(about.get("amr") or about.get("cognitoAmr"))))


def _client_cert(about: Mapping[str, Any]) -> ClientCert:
    validity = _object(about, "validity")
    return ClientCert(
        subject_dn=_text(about, "subjectDN"),
        issuer_dn=_text(about, "issuerDN"),
        serial_number=_text(about, "serialNumber"),
        client_cert_pem=_text(about, "clientCertPem"),
        not_before=_time(validity.get("notBefore")),
        not_after=_time(validity.get("notAfter")),
    )


def _time(text: Any) -> datetime | None:
    """``May 28 12:30:02 2019 GMT``, as OpenSSL writes it."""
    from ssl import cert_time_to_seconds

    try:
        return datetime.fromtimestamp(cert_time_to_seconds(text), UTC)
    except (ValueError, AttributeError, TypeError):
        return None
