"""What people say and write: Alexa, Lex, Connect, Bedrock agents, e-mail.

Source: the page of each service in https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lambdakit.testing.events.values import (
    ACCOUNT,
    REGION,
    TIME,
    Event,
    iso,
    iso_milliseconds,
    letters,
    rfc2822,
    uuid,
)


def alexa_skill(
    intent: str | None = "OrderIntent",
    *,
    slots: Mapping[str, str] | None = None,
    new_session: bool = True,
    locale: str = "en-US",
    time: datetime = TIME,
) -> Event:
    """A request to an Alexa skill.

    Args:
        intent: The intent; without one, that the skill is opened.
        slots: The values of the intent's slots.
        new_session: Whether it begins a session.
        locale: The user's language and country.
        time: When it was said.

    >>> alexa_skill("OrderIntent", slots={"Drink": "tea"})["request"]["intent"]["slots"]["Drink"]["value"]
    'tea'
    """
    application = {"applicationId": f"amzn1.ask.skill.{uuid('skill')}"}
    user = {"userId": f"amzn1.ask.account.{letters(60, 'user')}"}
    filled = {
        name: {"name": name, "value": value, "confirmationStatus": "NONE"} for name, value in (slots or {}).items()
    }
    asked = {"intent": {"name": intent, "confirmationStatus": "NONE", "slots": filled}} if intent else {}
    return {
        "version": "1.0",
        "session": {
            "new": new_session,
            "sessionId": f"amzn1.echo-api.session.{uuid('session')}",
            "application": application,
            "attributes": {},
            "user": user,
        },
        "context": {
            "System": {
                "application": application,
                "user": user,
                "device": {
                    "deviceId": f"amzn1.ask.device.{letters(60, 'device')}",
                    "supportedInterfaces": {"AudioPlayer": {}},
                },
                "apiEndpoint": "https://api.amazonalexa.com",
            },
            "AudioPlayer": {"playerActivity": "IDLE"},
        },
        "request": {
            "type": "IntentRequest" if intent else "LaunchRequest",
            "requestId": f"amzn1.echo-api.request.{uuid('request', intent, slots)}",
            "timestamp": iso(time),
            "locale": locale,
            **asked,
        },
    }


def alexa_smart_home(
    name: str = "TurnOn", *, namespace: str = "Alexa.PowerController", endpoint: str = "lamp-1"
) -> Event:
    """A directive to a smart home skill.

    Args:
        name: The directive.
        namespace: The interface that it belongs to.
        endpoint: The device that it is for.

    >>> alexa_smart_home("TurnOff")["directive"]["header"]["name"]
    'TurnOff'
    """
    scope = {"type": "BearerToken", "token": "access-token"}
    return {
        "directive": {
            "header": {
                "namespace": namespace,
                "name": name,
                "payloadVersion": "3",
                "messageId": uuid("directive", namespace, name, endpoint),
                "correlationToken": letters(40, "correlation", namespace, name, endpoint),
            },
            "endpoint": {"scope": scope, "endpointId": endpoint, "cookie": {}},
            "payload": {},
        }
    }


def lex_v1(
    intent: str = "OrderFlowers",
    *,
    slots: Mapping[str, Any] | None = None,
    source: str = "DialogCodeHook",
    text: str = "I would like some roses",
) -> Event:
    """A turn of a conversation with a bot of the first version of Lex.

    Args:
        intent: The intent.
        slots: The values of the intent's slots.
        source: ``DialogCodeHook`` while the bot gathers values, ``FulfillmentCodeHook`` when it has them.
        text: What the user said.

    >>> lex_v1("OrderFlowers", slots={"Flower": "roses"})["currentIntent"]["slots"]
    {'Flower': 'roses'}
    """
    return {
        "messageVersion": "1.0",
        "invocationSource": source,
        "userId": "jane",
        "sessionAttributes": {},
        "requestAttributes": None,
        "bot": {"name": "Shop", "alias": "$LATEST", "version": "$LATEST"},
        "outputDialogMode": "Text",
        "currentIntent": {
            "name": intent,
            "slots": {"Flower": "roses"} if slots is None else dict(slots),
            "slotDetails": {},
            "confirmationStatus": "None",
        },
        "inputTranscript": text,
    }


def lex_v2(
    intent: str = "OrderFlowers",
    *,
    slots: Mapping[str, str] | None = None,
    source: str = "DialogCodeHook",
    text: str = "I would like some roses",
    locale: str = "en_US",
) -> Event:
    """A turn of a conversation with a bot of the second version of Lex.

    Args:
        intent: The intent.
        slots: The values of the intent's slots.
        source: ``DialogCodeHook`` while the bot gathers values, ``FulfillmentCodeHook`` when it has them.
        text: What the user said.
        locale: The bot's language and country.

    >>> lex_v2("OrderFlowers")["sessionState"]["intent"]["name"]
    'OrderFlowers'
    """
    given = {"Flower": "roses"} if slots is None else slots
    filled = {
        name: {
            "shape": "Scalar",
            "value": {"originalValue": value, "interpretedValue": value, "resolvedValues": [value]},
        }
        for name, value in given.items()
    }
    state = "ReadyForFulfillment" if source == "FulfillmentCodeHook" else "InProgress"
    understood = {"name": intent, "slots": filled, "state": state, "confirmationState": "None"}
    return {
        "messageVersion": "1.0",
        "invocationSource": source,
        "inputMode": "Text",
        "responseContentType": "text/plain; charset=utf-8",
        "sessionId": uuid("session", intent),
        "inputTranscript": text,
        "bot": {
            "id": letters(10, "bot"),
            "name": "Shop",
            "aliasId": letters(10, "alias"),
            "aliasName": "live",
            "localeId": locale,
            "version": "1",
        },
        "interpretations": [{"intent": understood, "nluConfidence": 0.97, "interpretationSource": "Lex"}],
        "proposedNextState": {"dialogAction": {"type": "Delegate"}, "intent": understood},
        "sessionState": {
            "sessionAttributes": {},
            "activeContexts": [],
            "intent": understood,
            "originatingRequestId": uuid("request", intent, text),
        },
        "transcriptions": [
            {
                "transcription": text,
                "transcriptionConfidence": 1.0,
                "resolvedContext": {"intent": intent},
                "resolvedSlots": filled,
            }
        ],
    }


def connect_contact_flow(
    parameters: Mapping[str, str] | None = None,
    *,
    attributes: Mapping[str, str] | None = None,
    channel: str = "VOICE",
    customer: str = "+15555550100",
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What a flow of Amazon Connect asks a function.

    Args:
        parameters: What the flow's block hands over.
        attributes: The contact's attributes.
        channel: ``VOICE``, ``CHAT`` or ``TASK``.
        customer: The customer's telephone number.
        region: The instance's region.
        account: The instance's account.

    >>> connect_contact_flow({"order": "7"})["Details"]["Parameters"]
    {'order': '7'}
    """
    contact = uuid("contact", customer)
    video = f"arn:aws:kinesisvideo:{region}:{account}:stream/connect-contact-{contact}/1767268800000"
    audio = {
        "StartFragmentNumber": "91343852333181432392682062622220590765191907586",
        "StartTimestamp": "1767268800000",
    }
    return {
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": dict(attributes or {}),
                "Channel": channel,
                "ContactId": contact,
                "CustomerEndpoint": {"Address": customer, "Type": "TELEPHONE_NUMBER"},
                "InitialContactId": contact,
                "InitiationMethod": "INBOUND",
                "InstanceARN": f"arn:aws:connect:{region}:{account}:instance/{uuid('instance', account)}",
                "MediaStreams": {"Customer": {"Audio": {**audio, "StreamARN": video}}},
                "PreviousContactId": contact,
                "Queue": None,
                "SystemEndpoint": {"Address": "+15555550199", "Type": "TELEPHONE_NUMBER"},
            },
            "Parameters": dict(parameters or {}),
        },
    }


def bedrock_agent_api(
    path: str = "/orders/{id}",
    *,
    method: str = "GET",
    parameters: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    text: str = "Where is my order?",
    action_group: str = "Orders",
) -> Event:
    """A call of an API that a Bedrock agent wants to make.

    Args:
        path: The path in the action group's OpenAPI schema.
        method: The HTTP method.
        parameters: The values of the path's and the query's parameters.
        body: The members of the body.
        text: What the user said.
        action_group: The action group.

    >>> bedrock_agent_api("/orders/{id}", parameters={"id": "7"})["parameters"]
    [{'name': 'id', 'type': 'string', 'value': '7'}]
    """
    content = {"application/json": {"properties": _parameters(body or {})}}
    return {
        **_agent(text, action_group),
        "apiPath": path,
        "httpMethod": method,
        "parameters": _parameters({"id": "1"} if parameters is None else parameters),
        **({"requestBody": {"content": content}} if body else {}),
    }


def bedrock_agent_function(
    function: str = "find_order",
    *,
    parameters: Mapping[str, Any] | None = None,
    text: str = "Where is my order?",
    action_group: str = "Orders",
) -> Event:
    """A function that a Bedrock agent wants to call.

    Args:
        function: The function of the action group.
        parameters: The values of its parameters.
        text: What the user said.
        action_group: The action group.

    >>> bedrock_agent_function("find_order", parameters={"id": 7})["parameters"]
    [{'name': 'id', 'type': 'integer', 'value': '7'}]
    """
    given = {"id": "1"} if parameters is None else parameters
    return {**_agent(text, action_group), "function": function, "parameters": _parameters(given)}


def _agent(text: str, action_group: str) -> Event:
    agent = {"name": "shop", "id": letters(10, "agent"), "alias": "TSTALIASID", "version": "DRAFT"}
    return {
        "messageVersion": "1.0",
        "agent": agent,
        "sessionId": uuid("session", text),
        "sessionAttributes": {},
        "promptSessionAttributes": {},
        "inputText": text,
        "actionGroup": action_group,
    }


def _parameters(given: Mapping[str, Any]) -> list[Event]:
    return [
        {"name": name, "type": _TYPES.get(type(value), "string"), "value": str(value)} for name, value in given.items()
    ]


_TYPES = {int: "integer", float: "number", bool: "boolean"}


def ses(
    recipient: str = "orders@example.com",
    *,
    sender: str = "jane@example.com",
    subject: str = "My order",
    verdict: str = "PASS",
    function: str = "shop",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """An e-mail that SES has received; its text lies in S3, if anywhere.

    Args:
        recipient: Whom it is for.
        sender: Who sent it.
        subject: Its subject.
        verdict: What SES thinks of it: ``PASS``, ``FAIL``, ``GRAY`` or ``PROCESSING_FAILED``.
        function: The name of the function.
        time: When it arrived.
        region: The region of SES and of the function.
        account: The function's account.

    >>> ses(subject="Hello")["Records"][0]["ses"]["mail"]["commonHeaders"]["subject"]
    'Hello'
    """
    written = f"Jane Doe <{sender}>"
    identity = f"<{uuid('mail', sender, recipient, subject)}@example.com>"
    headers = {
        "Return-Path": f"<{sender}>",
        "From": written,
        "Date": rfc2822(time),
        "Message-ID": identity,
        "Subject": subject,
        "To": recipient,
        "Content-Type": "text/plain; charset=UTF-8",
    }
    mail = {
        "timestamp": iso_milliseconds(time),
        "source": sender,
        "messageId": letters(40, "mail", sender, recipient, subject).lower(),
        "destination": [recipient],
        "headersTruncated": False,
        "headers": [{"name": name, "value": value} for name, value in headers.items()],
        "commonHeaders": {
            "returnPath": sender,
            "from": [written],
            "date": rfc2822(time),
            "to": [recipient],
            "messageId": identity,
            "subject": subject,
        },
    }
    checks = ("spamVerdict", "virusVerdict", "spfVerdict", "dkimVerdict", "dmarcVerdict")
    receipt = {
        "timestamp": iso_milliseconds(time),
        "processingTimeMillis": 574,
        "recipients": [recipient],
        **{check: {"status": verdict} for check in checks},
        "action": {
            "type": "Lambda",
            "functionArn": f"arn:aws:lambda:{region}:{account}:function:{function}",
            "invocationType": "Event",
        },
    }
    return {"Records": [{"eventSource": "aws:ses", "eventVersion": "1.0", "ses": {"mail": mail, "receipt": receipt}}]}


def workmail(
    recipient: str = "orders@example.com",
    *,
    sender: str = "jane@example.com",
    subject: str = "My order",
    direction: str = "INBOUND",
) -> Event:
    """An e-mail on its way through WorkMail.

    Args:
        recipient: Whom it is for.
        sender: Who sent it.
        subject: Its subject.
        direction: ``INBOUND`` or ``OUTBOUND``.

    >>> workmail(subject="Hello")["subject"]
    'Hello'
    """
    return {
        "summaryVersion": "2019-07-28",
        "envelope": {"mailFrom": {"address": sender}, "recipients": [{"address": recipient}]},
        "sender": {"address": sender},
        "subject": subject,
        "messageId": uuid("mail", sender, recipient, subject),
        "invocationId": uuid("invocation", sender, recipient, subject).replace("-", ""),
        "flowDirection": direction,
        "truncated": False,
    }
