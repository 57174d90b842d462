"""What happens in an AWS account: deployments, alarms, rotations, failed invocations, logins, things.

Source: the page of each service in https://docs.aws.amazon.com/lambda/latest/dg/lambda-services.html
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from lambdakit.testing.events.http_request import AGENT
from lambdakit.testing.events.payload_examples import PAYLOAD
from lambdakit.testing.events.values import (
    ACCOUNT,
    ADDRESS,
    REGION,
    TIME,
    Event,
    arn,
    hexadecimal,
    iso,
    iso_milliseconds,
    letters,
    milliseconds,
    plain,
    stream_arn_of,
    table_shard_of,
    text_of,
    token,
    uuid,
)


def cloudformation_custom_resource(
    request_type: str = "Create",
    *,
    properties: Mapping[str, Any] | None = None,
    old_properties: Mapping[str, Any] | None = None,
    resource_type: str = "Custom::Greeting",
    logical_id: str = "Greeting",
    stack: str = "shop",
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What CloudFormation asks the function behind a custom resource.

    Args:
        request_type: ``Create``, ``Update`` or ``Delete``.
        properties: The resource's properties.
        old_properties: Those before an update.
        resource_type: The resource's type.
        logical_id: The resource's name in the template.
        stack: The stack's name.
        region: The stack's region.
        account: The stack's account.

    >>> cloudformation_custom_resource("Delete")["RequestType"]
    'Delete'
    """
    function = {"ServiceToken": f"arn:aws:lambda:{region}:{account}:function:{stack}"}
    stack_id = f"arn:aws:cloudformation:{region}:{account}:stack/{stack}/{uuid('stack', stack)}"
    request = uuid("request", stack, logical_id, request_type)
    place = quote(f"{stack_id}|{logical_id}|{request}", safe="/")
    given = {"Name": "world"} if properties is None else properties
    return {
        "RequestType": request_type,
        **function,
        "ResponseURL": f"https://cloudformation-custom-resource-response-{region.replace('-', '')}"
        f".s3.{region}.amazonaws.com/{place}?X-Amz-Expires=7200&X-Amz-Signature={hexadecimal(64, place)}",
        "StackId": stack_id,
        "RequestId": request,
        "LogicalResourceId": logical_id,
        **({} if request_type == "Create" else {"PhysicalResourceId": f"{stack}-{logical_id}-{letters(12, stack)}"}),
        "ResourceType": resource_type,
        "ResourceProperties": {**function, **plain(given)},
        **({"OldResourceProperties": {**function, **plain(old_properties or {})}} if request_type == "Update" else {}),
    }


def codecommit(
    repository: str = "shop",
    *,
    branch: str = "main",
    commit: str | None = None,
    trigger: str = "on-push",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A push to a repository of CodeCommit.

    Args:
        repository: The repository's name.
        branch: The branch.
        commit: The commit that it points to now; by default one that follows from the names.
        trigger: The name of the repository's trigger.
        time: When it was pushed.
        region: The repository's region.
        account: The repository's account.

    >>> codecommit("shop", branch="fix")["Records"][0]["codecommit"]["references"][0]["ref"]
    'refs/heads/fix'
    """
    reference = {"commit": commit or hexadecimal(40, "commit", repository, branch), "ref": f"refs/heads/{branch}"}
    return {
        "Records": [
            {
                "awsRegion": region,
                "codecommit": {"references": [reference]},
                "eventId": uuid("push", repository, reference),
                "eventName": "ReferenceChanges",
                "eventPartNumber": 1,
                "eventSource": "aws:codecommit",
                "eventSourceARN": f"arn:aws:codecommit:{region}:{account}:{repository}",
                "eventTime": _offset(time),
                "eventTotalParts": 1,
                "eventTriggerConfigId": uuid("trigger", repository, trigger),
                "eventTriggerName": trigger,
                "eventVersion": "1.0",
                "userIdentityARN": f"arn:aws:iam::{account}:user/jane",
            }
        ]
    }


def codepipeline_job(
    pipeline: str = "shop",
    *,
    parameters: str = "{}",
    function: str = "shop",
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A job that an action of CodePipeline leaves to a function.

    Args:
        pipeline: The pipeline's name.
        parameters: The action's user parameters, a text.
        function: The name of the function.
        region: The pipeline's region.
        account: The pipeline's account.

    >>> codepipeline_job("shop")["CodePipeline.job"]["accountId"]
    '123456789012'
    """
    configuration = {"FunctionName": function, "UserParameters": parameters}
    return {
        "CodePipeline.job": {
            "id": uuid("job", pipeline),
            "accountId": account,
            "data": {
                "actionConfiguration": {"configuration": configuration},
                "inputArtifacts": [_artifact(pipeline, "source", hexadecimal(40, "revision", pipeline), region)],
                "outputArtifacts": [_artifact(pipeline, "report", None, region)],
                "artifactCredentials": {
                    "accessKeyId": f"ASIA{letters(16, 'key', pipeline)}",
                    "secretAccessKey": token(40, "secret", pipeline),
                    "sessionToken": token(200, "session", pipeline),
                    "expirationTime": milliseconds(TIME) + 3_600_000,
                },
                "continuationToken": None,
            },
        }
    }


def _artifact(pipeline: str, name: str, revision: str | None, region: str) -> Event:
    place = {
        "bucketName": f"codepipeline-{region}-{hexadecimal(12, pipeline)}",
        "objectKey": f"{pipeline}/{name}/{letters(7, name)}",
    }
    return {"name": name, "revision": revision, "location": {"type": "S3", "s3Location": place}}


def codedeploy_hook(deployment_id: str | None = None) -> Event:
    """A lifecycle hook of a deployment, which waits for the function's verdict.

    Args:
        deployment_id: The deployment.

    >>> codedeploy_hook("d-ABCDEF123")["DeploymentId"]
    'd-ABCDEF123'
    """
    deployment = deployment_id or f"d-{letters(9, 'deployment')}"
    return {"DeploymentId": deployment, "LifecycleEventHookExecutionId": token(160, "hook", deployment)}


def config_rule(
    resource_type: str = "AWS::S3::Bucket",
    *,
    resource_id: str = "uploads",
    configuration: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    rule: str = "buckets-are-private",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A change of a resource that a rule of AWS Config wants to have judged.

    Args:
        resource_type: The type of the resource.
        resource_id: The resource.
        configuration: Its configuration.
        parameters: The rule's parameters.
        rule: The rule's name.
        time: When the change was seen.
        region: The resource's region.
        account: The resource's account.

    >>> config_rule(parameters={"allowed": "none"})["ruleParameters"]
    '{"allowed":"none"}'
    """
    item = {
        "configurationItemCaptureTime": iso_milliseconds(time),
        "awsAccountId": account,
        "configurationItemStatus": "OK",
        "resourceType": resource_type,
        "resourceId": resource_id,
        "resourceName": resource_id,
        "ARN": f"arn:aws:s3:::{resource_id}",
        "awsRegion": region,
        "availabilityZone": "Regional",
        "configuration": dict(configuration or {}),
        "relationships": [],
        "tags": {},
    }
    identity = f"config-rule-{hexadecimal(6, rule)}"
    return {
        "version": "1.0",
        "invokingEvent": text_of({"configurationItem": item, "messageType": "ConfigurationItemChangeNotification"}),
        "ruleParameters": text_of(dict(parameters or {})),
        "resultToken": token(120, "result", rule, resource_id),
        "eventLeftScope": False,
        "executionRoleArn": f"arn:aws:iam::{account}:role/config",
        "configRuleArn": f"arn:aws:config:{region}:{account}:config-rule/{identity}",
        "configRuleName": rule,
        "configRuleId": identity,
        "accountId": account,
    }


def secretsmanager_rotation(
    name: str = "database",
    *,
    step: str = "createSecret",
    rotation_token: str | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A step of the rotation of a secret.

    Args:
        name: The secret's name.
        step: ``createSecret``, ``setSecret``, ``testSecret`` or ``finishSecret``.
        rotation_token: The rotation, which is the version that it makes.
        region: The secret's region.
        account: The secret's account.

    >>> secretsmanager_rotation("database", step="testSecret")["Step"]
    'testSecret'
    """
    return {
        "Step": step,
        "SecretId": f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-{letters(6, name)}",
        "ClientRequestToken": rotation_token or uuid("rotation", name),
    }


def cloudwatch_alarm(
    alarm: str = "errors",
    *,
    state: str = "ALARM",
    previous: str = "OK",
    metric: str = "Errors",
    threshold: float = 1.0,
    value: float = 3.0,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """An alarm of CloudWatch that changed its state, as its Lambda action sends it.

    Args:
        alarm: The alarm's name.
        state: Its state: ``ALARM``, ``OK`` or ``INSUFFICIENT_DATA``.
        previous: Its state before.
        metric: The metric of AWS/Lambda that it watches.
        threshold: What the metric must not reach.
        value: What the metric was.
        time: When it changed.
        region: The alarm's region.
        account: The alarm's account.

    >>> cloudwatch_alarm("errors", state="OK")["alarmData"]["state"]["value"]
    'OK'
    """
    watched = {"namespace": "AWS/Lambda", "name": metric, "dimensions": {"FunctionName": "shop"}}
    stat = {"metric": watched, "period": 60, "stat": "Sum"}
    return {
        "source": "aws.cloudwatch",
        "alarmArn": f"arn:aws:cloudwatch:{region}:{account}:alarm:{alarm}",
        "accountId": account,
        "time": _offset(time),
        "region": region,
        "alarmData": {
            "alarmName": alarm,
            "state": _alarm_state(state, value, threshold, time),
            "previousState": _alarm_state(previous, 0.0, threshold, time - timedelta(minutes=5)),
            "configuration": {
                "description": f"{metric} of the shop",
                "metrics": [{"id": hexadecimal(8, metric), "metricStat": stat, "returnData": True}],
            },
        },
    }


def _alarm_state(state: str, value: float, threshold: float, time: datetime) -> Event:
    since = _offset(time - timedelta(minutes=1))
    reason = f"Threshold Crossed: 1 datapoint [{value}] compared with the threshold ({threshold})."
    data = {
        "version": "1.0",
        "queryDate": _offset(time),
        "startDate": since,
        "statistic": "Sum",
        "period": 60,
        "recentDatapoints": [value],
        "threshold": threshold,
        "evaluatedDatapoints": [{"timestamp": since, "value": value}],
    }
    return {"value": state, "reason": reason, "reasonData": text_of(data), "timestamp": _offset(time)}


def cloudwatch_dashboard(
    dashboard: str = "shop",
    *,
    parameters: Mapping[str, Any] | None = None,
    title: str = "Orders",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A custom widget of a CloudWatch dashboard that wants to be drawn.

    Args:
        dashboard: The dashboard's name.
        parameters: The widget's parameters, which are members of the event, too.
        title: The widget's title.
        time: The end of the time that the dashboard shows; it begins three hours before.
        region: The dashboard's region.
        account: The dashboard's account.

    >>> cloudwatch_dashboard("shop", parameters={"days": 7})["days"]
    7
    """
    end = milliseconds(time)
    given = plain({"original": "param-to-widget"} if parameters is None else parameters)
    span = {"start": end - 10_800_000, "end": end}
    return {
        **given,
        "widgetContext": {
            "dashboardName": dashboard,
            "widgetId": "widget-1",
            "domain": f"https://{region}.console.aws.amazon.com",
            "accountId": account,
            "locale": "en",
            "timezone": {"label": "UTC", "offsetISO": "+00:00", "offsetInMinutes": 0},
            "period": 300,
            "isAutoPeriod": True,
            "timeRange": {"mode": "relative", **span, "relativeStart": 10_800_000, "zoom": span},
            "theme": "light",
            "linkCharts": True,
            "title": title,
            "forms": {"all": {}},
            "params": given,
            "width": 588,
            "height": 369,
        },
    }


def lambda_destination(
    payload: Any = None,
    *,
    response: Any = None,
    error: str | None = "Unhandled",
    condition: str | None = None,
    function: str = "shop",
    invocations: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """The record of an asynchronous invocation, as a destination gets it.

    Args:
        payload: What the function was invoked with.
        response: What it answered.
        error: The kind of its error; None for a success.
        condition: Why it went there: ``Success``, ``RetriesExhausted``, ``EventAgeExceeded``; by default by the error.
        function: The name of the function.
        invocations: How often it was tried: by default once for a success, else three times.
        time: When it was sent.
        region: The function's region.
        account: The function's account.

    >>> lambda_destination({"id": "1"}, error=None)["requestContext"]["condition"]
    'Success'
    """
    failure = {"errorMessage": "The card was declined.", "errorType": "CardDeclined"}
    answered = response if response is not None else failure if error else "done"
    return {
        "version": "1.0",
        "timestamp": iso_milliseconds(time),
        "requestContext": {
            "requestId": uuid("request", function, payload),
            "functionArn": f"arn:aws:lambda:{region}:{account}:function:{function}:$LATEST",
            "condition": condition or ("RetriesExhausted" if error else "Success"),
            "approximateInvokeCount": invocations or (3 if error else 1),
        },
        "requestPayload": plain(PAYLOAD if payload is None else payload),
        "responseContext": {
            "statusCode": 200,
            "executedVersion": "$LATEST",
            **({"functionError": error} if error else {}),
        },
        "responsePayload": plain(answered),
    }


def stream_on_failure(
    stream: str = "customers",
    *,
    kind: str = "dynamodb",
    condition: str = "RetryAttemptsExhausted",
    batch_size: int = 1,
    invocations: int = 3,
    function: str = "shop",
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """What a stream's mapping says of a batch that it gave up.

    Args:
        stream: The name of the table or of the stream.
        kind: ``dynamodb`` or ``kinesis``.
        condition: Why: ``RetryAttemptsExhausted`` or ``RecordAgeExceeded``, which has no response.
        batch_size: How many records were in the batch.
        invocations: How often it was tried.
        function: The name of the function.
        time: When it was given up.
        region: The stream's region.
        account: The stream's account.

    >>> stream_on_failure("readings", kind="kinesis")["KinesisBatchInfo"]["batchSize"]
    1
    """
    table = kind == "dynamodb"
    stream_arn = stream_arn_of(stream, region, account) if table else arn("kinesis", stream, region, account, "stream/")
    arrived = time - timedelta(seconds=30)
    number = milliseconds(arrived) * 10**14
    response = {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}
    return {
        "requestContext": {
            "requestId": uuid("request", stream, condition),
            "functionArn": f"arn:aws:lambda:{region}:{account}:function:{function}",
            "condition": condition,
            "approximateInvokeCount": invocations,
        },
        **({} if condition == "RecordAgeExceeded" else {"responseContext": response}),
        "version": "1.0",
        "timestamp": iso_milliseconds(time),
        "DDBStreamBatchInfo" if table else "KinesisBatchInfo": {
            "shardId": table_shard_of(stream_arn) if table else "shardId-000000000000",
            "startSequenceNumber": str(number),
            "endSequenceNumber": str(number + batch_size - 1),
            "approximateArrivalOfFirstRecord": iso(arrived) if table else iso_milliseconds(arrived),
            "approximateArrivalOfLastRecord": iso(arrived) if table else iso_milliseconds(arrived),
            "batchSize": batch_size,
            "streamArn": stream_arn,
        },
    }


def s3_object_lambda(
    key: str = "photo.jpg",
    *,
    access_point: str = "resized",
    payload: str = "",
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A ``GetObject`` that an S3 Object Lambda access point leaves to a function.

    Args:
        key: The object's key.
        access_point: The name of the access point.
        payload: What the access point's configuration hands over.
        region: The access point's region.
        account: The access point's account.

    >>> s3_object_lambda("photo.jpg")["userRequest"]["url"]
    '/photo.jpg'
    """
    path = quote(key)
    supporting = f"{access_point}-source"
    host = f"{supporting}-{account}.s3-accesspoint.{region}.amazonaws.com"
    return {
        "xAmzRequestId": uuid("request", access_point, key),
        "getObjectContext": {
            "inputS3Url": f"https://{host}/{path}?X-Amz-Expires=61&X-Amz-Signature={hexadecimal(64, host, key)}",
            "outputRoute": "io-use1-001",
            "outputToken": token(200, "output", access_point, key),
        },
        "configuration": {
            "accessPointArn": f"arn:aws:s3-object-lambda:{region}:{account}:accesspoint/{access_point}",
            "supportingAccessPointArn": f"arn:aws:s3:{region}:{account}:accesspoint/{supporting}",
            "payload": payload,
        },
        "userRequest": {
            "url": f"/{path}",
            "headers": {
                "Host": f"{access_point}-{account}.s3-object-lambda.{region}.amazonaws.com",
                "Accept-Encoding": "identity",
                "X-Amz-Content-SHA256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            },
        },
        "userIdentity": {
            "type": "IAMUser",
            "principalId": f"AIDA{letters(17, 'jane', account)}",
            "arn": f"arn:aws:iam::{account}:user/jane",
            "accountId": account,
            "accessKeyId": f"AKIA{letters(16, 'jane', account)}",
            "userName": "jane",
        },
        "protocolVersion": "1.00",
    }


def cloudfront(
    uri: str = "/index.html",
    *,
    event_type: str = "origin-request",
    method: str = "GET",
    query: str = "",
    headers: Mapping[str, str] | None = None,
    status: int = 200,
) -> Event:
    """A request, or a response, at the edge of CloudFront.

    Args:
        uri: The path.
        event_type: ``viewer-request``, ``origin-request``, ``origin-response`` or ``viewer-response``.
        method: The method.
        query: The query, as it stands behind the question mark.
        headers: Headers beside those that clients usually send.
        status: The status of a response.

    >>> cloudfront("/a", event_type="origin-response", status=404)["Records"][0]["cf"]["response"]["status"]
    '404'
    """
    domain = f"d{hexadecimal(13, 'distribution')}.cloudfront.net"
    usual = {
        "Host": "origin.example.com" if event_type.startswith("origin") else domain,
        "User-Agent": "Amazon CloudFront" if event_type.startswith("origin") else AGENT,
        "X-Forwarded-For": ADDRESS,
        "Via": f"2.0 {hexadecimal(32, 'edge')}.cloudfront.net (CloudFront)",
        "Cache-Control": "no-cache",
    }
    origin = {
        "customHeaders": {},
        "domainName": "origin.example.com",
        "keepaliveTimeout": 5,
        "path": "",
        "port": 443,
        "protocol": "https",
        "readTimeout": 30,
        "sslProtocols": ["TLSv1.2"],
    }
    answer = {"status": str(status), "statusDescription": "OK" if status == 200 else "", "headers": _edge({})}
    return {
        "Records": [
            {
                "cf": {
                    "config": {
                        "distributionDomainName": domain,
                        "distributionId": f"E{letters(13, 'distribution')}",
                        "eventType": event_type,
                        "requestId": token(54, "edge", uri, query) + "==",
                    },
                    "request": {
                        "clientIp": ADDRESS,
                        "headers": _edge({**usual, **(headers or {})}),
                        "method": method,
                        "querystring": query,
                        "uri": uri,
                        **({"origin": {"custom": origin}} if event_type.startswith("origin") else {}),
                    },
                    **({"response": answer} if event_type.endswith("response") else {}),
                }
            }
        ]
    }


def _edge(headers: Mapping[str, str]) -> Event:
    return {name.lower(): [{"key": name, "value": value}] for name, value in headers.items()}


def transfer_custom_idp(
    user_name: str = "jane",
    *,
    password: str | None = None,
    protocol: str = "SFTP",
    server: str | None = None,
    address: str = ADDRESS,
) -> Event:
    """A login to a server of Transfer Family.

    Args:
        user_name: The user's name.
        password: The password: empty where the user shows a key; by default one that follows from the name.
        protocol: ``SFTP``, ``FTP`` or ``FTPS``.
        server: The server's id.
        address: The IP address that the user comes from.

    >>> transfer_custom_idp("jane")["username"]
    'jane'
    """
    return {
        "username": user_name,
        "password": token(12, "password", user_name) if password is None else password,
        "protocol": protocol,
        "serverId": server or f"s-{hexadecimal(17, 'server')}",
        "sourceIp": address,
    }


def iot_button(serial_number: str = "G030JF0512345678", *, click: str = "SINGLE", millivolts: int = 2000) -> Event:
    """A press of an IoT button.

    Args:
        serial_number: The button.
        click: ``SINGLE``, ``DOUBLE`` or ``LONG``.
        millivolts: The voltage of its battery.

    >>> iot_button(click="LONG")["clickType"]
    'LONG'
    """
    return {"serialNumber": serial_number, "clickType": click, "batteryVoltage": f"{millivolts} mV"}


def iot_registry(
    thing: str = "lamp-1",
    *,
    operation: str = "CREATED",
    attributes: Mapping[str, str] | None = None,
    time: datetime = TIME,
    account: str = ACCOUNT,
) -> Event:
    """A change of a thing in the registry of IoT Core.

    Args:
        thing: The thing's name.
        operation: ``CREATED``, ``UPDATED`` or ``DELETED``.
        attributes: The thing's attributes.
        time: When it changed.
        account: The registry's account.

    >>> iot_registry("lamp-1", operation="DELETED")["operation"]
    'DELETED'
    """
    return {
        "eventType": "THING_EVENT",
        "eventId": uuid("event", thing, operation),
        "timestamp": milliseconds(time),
        "operation": operation,
        "accountId": account,
        "thingId": uuid("thing", thing),
        "thingName": thing,
        "versionNumber": 1,
        "thingTypeName": None,
        "attributes": dict(attributes or {"room": "hall"}),
    }


def sagemaker_groundtruth(
    source: str = "s3://uploads/photo.jpg",
    *,
    job: str = "photos",
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """An object that a labeling job of Ground Truth is about to show to its workers.

    Args:
        source: Where the object is.
        job: The name of the labeling job.
        region: The job's region.
        account: The job's account.

    >>> sagemaker_groundtruth("s3://uploads/a.jpg")["dataObject"]
    {'source-ref': 's3://uploads/a.jpg'}
    """
    return {
        "version": "2018-10-16",
        "labelingJobArn": f"arn:aws:sagemaker:{region}:{account}:labeling-job/{job}",
        "dataObject": {"source-ref": source},
    }


def _offset(time: datetime) -> str:
    """``2026-01-01T12:00:00.000+0000``."""
    return iso_milliseconds(time).replace("Z", "+0000")
