"""What Cognito's user pools and its sync ask functions while they serve a user.

Source: https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lambdakit.testing.events.values import REGION, Event, letters, token, uuid


def cognito_pre_signup(
    user_name: str = "jane", *, kind: str = "SignUp", email: str = "jane@example.com", region: str = REGION
) -> Event:
    """A user signs up; the function may refuse or confirm.

    Args:
        user_name: The user's name.
        kind: ``SignUp``, ``AdminCreateUser`` or ``ExternalProvider``.
        email: The user's address.
        region: The pool's region.

    >>> cognito_pre_signup("jane")["triggerSource"]
    'PreSignUp_SignUp'
    """
    request = {"userAttributes": {"email": email}, "validationData": None}
    response = {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False}
    return _asked(f"PreSignUp_{kind}", user_name, region, request, response)


def cognito_post_confirmation(
    user_name: str = "jane", *, kind: str = "ConfirmSignUp", email: str = "jane@example.com", region: str = REGION
) -> Event:
    """A user has confirmed their account or a new password.

    Args:
        user_name: The user's name.
        kind: ``ConfirmSignUp`` or ``ConfirmForgotPassword``.
        email: The user's address.
        region: The pool's region.

    >>> cognito_post_confirmation("jane")["userName"]
    'jane'
    """
    return _asked(f"PostConfirmation_{kind}", user_name, region, _about(user_name, email), {})


def cognito_pre_authentication(
    user_name: str = "jane", *, email: str = "jane@example.com", region: str = REGION
) -> Event:
    """A user wants to sign in; the function may refuse.

    Args:
        user_name: The user's name.
        email: The user's address.
        region: The pool's region.

    >>> cognito_pre_authentication("jane")["request"]["userAttributes"]["email"]
    'jane@example.com'
    """
    request = {**_about(user_name, email), "validationData": None}
    return _asked("PreAuthentication_Authentication", user_name, region, request, {})


def cognito_post_authentication(
    user_name: str = "jane", *, email: str = "jane@example.com", new_device: bool = False, region: str = REGION
) -> Event:
    """A user has signed in.

    Args:
        user_name: The user's name.
        email: The user's address.
        new_device: Whether from a device that the pool did not know.
        region: The pool's region.

    >>> cognito_post_authentication("jane", new_device=True)["request"]["newDeviceUsed"]
    True
    """
    request = {**_about(user_name, email), "newDeviceUsed": new_device}
    return _asked("PostAuthentication_Authentication", user_name, region, request, {})


def cognito_pre_token_generation(
    user_name: str = "jane",
    *,
    kind: str = "Authentication",
    email: str = "jane@example.com",
    groups: Sequence[str] = (),
    region: str = REGION,
) -> Event:
    """A user is about to get tokens; the function may change their claims.

    Args:
        user_name: The user's name.
        kind: ``Authentication``, ``HostedAuth``, ``NewPasswordChallenge``, ``AuthenticateDevice`` or ``RefreshTokens``.
        email: The user's address.
        groups: The user's groups.
        region: The pool's region.

    >>> cognito_pre_token_generation("jane", groups=["admins"])["request"]["groupConfiguration"]["groupsToOverride"]
    ['admins']
    """
    request = {
        **_about(user_name, email),
        "groupConfiguration": {"groupsToOverride": [*groups], "iamRolesToOverride": [], "preferredRole": None},
    }
    return _asked(f"TokenGeneration_{kind}", user_name, region, request, {"claimsOverrideDetails": None})


def cognito_user_migration(
    user_name: str = "jane", *, kind: str = "Authentication", password: str | None = None, region: str = REGION
) -> Event:
    """A user whom the pool does not know wants to sign in; the function may bring them over.

    Args:
        user_name: The user's name.
        kind: ``Authentication`` or ``ForgotPassword``.
        password: The password that was entered; by default one that follows from the name.
        region: The pool's region.

    >>> cognito_user_migration("jane")["triggerSource"]
    'UserMigration_Authentication'
    """
    response = _unset(
        "userAttributes", "forceAliasCreation", "finalUserStatus", "messageAction", "desiredDeliveryMediums"
    )
    request = {"password": password or token(12, "password", user_name), "validationData": None}
    return _asked(f"UserMigration_{kind}", user_name, region, request, response)


def cognito_define_auth_challenge(
    user_name: str = "jane", *, email: str = "jane@example.com", region: str = REGION
) -> Event:
    """A user signs in by challenges of one's own; the function says which is next.

    Args:
        user_name: The user's name.
        email: The user's address.
        region: The pool's region.

    >>> cognito_define_auth_challenge("jane")["request"]["session"][0]["challengeName"]
    'SRP_A'
    """
    response = _unset("challengeName", "issueTokens", "failAuthentication")
    return _asked("DefineAuthChallenge_Authentication", user_name, region, _session(user_name, email), response)


def cognito_create_auth_challenge(
    user_name: str = "jane", *, email: str = "jane@example.com", region: str = REGION
) -> Event:
    """A user signs in by a challenge of one's own; the function makes it.

    Args:
        user_name: The user's name.
        email: The user's address.
        region: The pool's region.

    >>> cognito_create_auth_challenge("jane")["request"]["challengeName"]
    'CUSTOM_CHALLENGE'
    """
    response = _unset("publicChallengeParameters", "privateChallengeParameters", "challengeMetadata")
    request = {**_session(user_name, email), "challengeName": "CUSTOM_CHALLENGE"}
    return _asked("CreateAuthChallenge_Authentication", user_name, region, request, response)


def cognito_verify_auth_challenge(
    user_name: str = "jane",
    *,
    answer: str = "4711",
    expected: str = "4711",
    email: str = "jane@example.com",
    region: str = REGION,
) -> Event:
    """A user has answered a challenge; the function says whether rightly.

    Args:
        user_name: The user's name.
        answer: What the user answered.
        expected: What the function that made the challenge kept to itself.
        email: The user's address.
        region: The pool's region.

    >>> cognito_verify_auth_challenge("jane", answer="12")["request"]["challengeAnswer"]
    '12'
    """
    request = {
        **_about(user_name, email),
        "privateChallengeParameters": {"answer": expected},
        "challengeAnswer": answer,
        "clientMetadata": {"device": "phone"},
        "userNotFound": False,
    }
    response = {"answerCorrect": False}
    return _asked("VerifyAuthChallengeResponse_Authentication", user_name, region, request, response)


def cognito_custom_message(
    user_name: str = "jane", *, kind: str = "SignUp", email: str = "jane@example.com", region: str = REGION
) -> Event:
    """The pool is about to write to a user; the function may word the message.

    Args:
        user_name: The user's name.
        kind: ``SignUp``, ``AdminCreateUser``, ``ResendCode``, ``ForgotPassword``, ``UpdateUserAttribute``,
            ``VerifyUserAttribute`` or ``Authentication``.
        email: The user's address.
        region: The pool's region.

    >>> cognito_custom_message("jane")["request"]["codeParameter"]
    '{####}'
    """
    request = {**_about(user_name, email), "codeParameter": "{####}", "usernameParameter": None}
    response = _unset("smsMessage", "emailMessage", "emailSubject")
    return _asked(f"CustomMessage_{kind}", user_name, region, request, response)


def cognito_custom_email_sender(
    user_name: str = "jane", *, kind: str = "SignUp", email: str = "jane@example.com", region: str = REGION
) -> Event:
    """The pool has a code for a user; the function sends it by e-mail.

    Args:
        user_name: The user's name.
        kind: ``SignUp``, ``ResendCode``, ``ForgotPassword``, ``UpdateUserAttribute``, ``VerifyUserAttribute``,
            ``AdminCreateUser``, ``Authentication`` or ``AccountTakeOverNotification``.
        email: The user's address.
        region: The pool's region.

    >>> cognito_custom_email_sender("jane")["request"]["type"]
    'customEmailSenderRequestV1'
    """
    request = _code(user_name, email, "customEmailSenderRequestV1")
    return _asked(f"CustomEmailSender_{kind}", user_name, region, request)


def cognito_custom_sms_sender(
    user_name: str = "jane", *, kind: str = "SignUp", phone_number: str = "+15555550100", region: str = REGION
) -> Event:
    """The pool has a code for a user; the function sends it as a text message.

    Args:
        user_name: The user's name.
        kind: ``SignUp``, ``ResendCode``, ``ForgotPassword``, ``UpdateUserAttribute``, ``VerifyUserAttribute``,
            ``AdminCreateUser`` or ``Authentication``.
        phone_number: The user's number.
        region: The pool's region.

    >>> cognito_custom_sms_sender("jane")["request"]["userAttributes"]["phone_number"]
    '+15555550100'
    """
    request = _code(user_name, "jane@example.com", "customSMSSenderRequestV1")
    request["userAttributes"] |= {"phone_number": phone_number, "phone_number_verified": "true"}
    return _asked(f"CustomSMSSender_{kind}", user_name, region, request)


def cognito_inbound_federation(
    user_name: str = "jane", *, provider: str = "Login", email: str = "jane@example.com", region: str = REGION
) -> Event:
    """A user comes from another identity provider; the function may change what it says of them.

    Args:
        user_name: The user's name.
        provider: The name of the identity provider.
        email: The user's address.
        region: The pool's region.

    >>> cognito_inbound_federation("jane")["request"]["providerType"]
    'OIDC'
    """
    claims = {"email": email, "given_name": "Jane", "family_name": "Doe"}
    request = {
        "providerName": provider,
        "providerType": "OIDC",
        "attributes": {
            "tokenResponse": {"access_token": token(40, user_name), "token_type": "Bearer", "expires_in": "3600"},
            "idToken": {"sub": uuid("user", user_name), "email": email, "email_verified": "true"},
            "userInfo": claims,
        },
    }
    return _asked("InboundFederation_ExternalProvider", user_name, region, request, {"userAttributesToMap": claims})


def cognito_sync(dataset: str = "settings", *, changes: Mapping[str, Any] | None = None, region: str = REGION) -> Event:
    """A device has changed a dataset of Cognito Sync; the function may change it further.

    Args:
        dataset: The dataset's name.
        changes: The new values of its records, by key.
        region: The identity pool's region.

    >>> cognito_sync("settings", changes={"theme": "dark"})["datasetRecords"]["theme"]["newValue"]
    'dark'
    """
    values = changes or {"theme": "dark", "language": "en"}
    return {
        "version": 2,
        "eventType": "SyncTrigger",
        "region": region,
        "identityPoolId": f"{region}:{uuid('identity pool', region)}",
        "identityId": f"{region}:{uuid('identity', region)}",
        "datasetName": dataset,
        "datasetRecords": {
            key: {"oldValue": None, "newValue": value, "op": "replace"} for key, value in values.items()
        },
    }


def _asked(source: str, user_name: str, region: str, request: Event, response: Event | None = None) -> Event:
    """A trigger's event; those that send messages have no response."""
    return {
        "version": "1",
        "triggerSource": source,
        "region": region,
        "userPoolId": f"{region}_{letters(9, 'user pool', region)}",
        "userName": user_name,
        "callerContext": {
            "awsSdkVersion": "aws-sdk-unknown-unknown",
            "clientId": letters(26, "client", region).lower(),
        },
        "request": request,
        **({} if response is None else {"response": response}),
    }


def _unset(*names: str) -> Event:
    """What the function may set."""
    return dict.fromkeys(names)


def _about(user_name: str, email: str) -> Event:
    return {
        "userAttributes": {
            "sub": uuid("user", user_name),
            "cognito:user_status": "CONFIRMED",
            "name": "Jane Doe",
            "email": email,
            "email_verified": "true",
            "phone_number_verified": "false",
        }
    }


def _session(user_name: str, email: str) -> Event:
    """A sign-in whose first step went well."""
    steps = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]
    return {**_about(user_name, email), "session": steps, "userNotFound": False}


def _code(user_name: str, email: str, kind: str) -> Event:
    return {**_about(user_name, email), "type": kind, "code": token(120, "code", user_name), "clientMetadata": None}
