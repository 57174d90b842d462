"""Batches of Kafka, Amazon MQ and DocumentDB.

Source: https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html,
https://docs.aws.amazon.com/lambda/latest/dg/with-mq.html and
https://docs.aws.amazon.com/lambda/latest/dg/with-documentdb.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lambdakit.testing.events.payload_examples import PAYLOAD
from lambdakit.testing.events.values import (
    ACCOUNT,
    REGION,
    TIME,
    Event,
    arn,
    base64_of,
    hexadecimal,
    milliseconds,
    plain,
    repeated,
    uuid,
)


def kafka_msk(
    topic: str = "orders",
    *values: Any,
    key: str = "customer-1",
    headers: Mapping[str, str] | None = None,
    cluster: str = "shop",
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A batch of records of a topic of Amazon MSK.

    Args:
        topic: The topic.
        *values: The records' values: bytes or text as it is, anything else (a model, a dict, ...) as JSON.
        key: The key of each record.
        headers: The headers of each record.
        cluster: The name of the cluster.
        records: How many records; the values take turns.
        time: When the first one was made.
        region: The cluster's region.
        account: The cluster's account.

    >>> kafka_msk("orders", "hello")["records"]["orders-0"][0]["value"]
    'aGVsbG8='
    """
    host = f"{cluster}.{hexadecimal(6, cluster)}.c1.kafka.{region}.amazonaws.com:9092"
    return {
        "eventSource": "aws:kafka",
        "eventSourceArn": arn("kafka", f"{cluster}/{uuid('cluster', cluster)}-1", region, account, "cluster/"),
        "bootstrapServers": f"b-1.{host},b-2.{host}",
        "records": _partition(topic, repeated(values or (PAYLOAD,), records), key=key, headers=headers, time=time),
    }


def kafka_self_managed(
    topic: str = "orders",
    *values: Any,
    key: str = "customer-1",
    headers: Mapping[str, str] | None = None,
    servers: str = "kafka-1.example.com:9092,kafka-2.example.com:9092",
    records: int | None = None,
    time: datetime = TIME,
) -> Event:
    """A batch of records of a topic of a Kafka cluster that AWS does not run.

    Args:
        topic: The topic.
        *values: The records' values: bytes or text as it is, anything else (a model, a dict, ...) as JSON.
        key: The key of each record.
        headers: The headers of each record.
        servers: The addresses of the cluster's brokers, separated by commas.
        records: How many records; the values take turns.
        time: When the first one was made.

    >>> kafka_self_managed("orders", "hello")["eventSource"]
    'SelfManagedKafka'
    """
    return {
        "eventSource": "SelfManagedKafka",
        "bootstrapServers": servers,
        "records": _partition(topic, repeated(values or (PAYLOAD,), records), key=key, headers=headers, time=time),
    }


def _partition(
    topic: str,
    values: Sequence[Any],
    *,
    key: str,
    headers: Mapping[str, str] | None,
    time: datetime,
) -> Event:
    """The records of partition 0. A header's value is a list of the numbers of its bytes."""
    written = {"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"} if headers is None else headers
    return {
        f"{topic}-0": [
            {
                "topic": topic,
                "partition": 0,
                "offset": 15 + position,
                "timestamp": milliseconds(time) + position,
                "timestampType": "CREATE_TIME",
                "key": base64_of(key),
                "value": base64_of(value),
                "headers": [{name: [*text.encode()]} for name, text in written.items()],
            }
            for position, value in enumerate(values)
        ]
    }


def activemq(
    queue: str = "orders",
    *messages: Any,
    broker: str = "shop",
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A batch of messages of an ActiveMQ broker.

    Args:
        queue: The queue.
        *messages: The messages: bytes or text as it is, anything else (a model, a dict, ...) as JSON.
        broker: The name of the broker.
        records: How many messages; those given take turns.
        time: When they were sent.
        region: The broker's region.
        account: The broker's account.

    >>> activemq("orders", "hello")["messages"][0]["data"]
    'aGVsbG8='
    """
    identity = uuid("broker", broker)
    sent = milliseconds(time)
    return {
        "eventSource": "aws:mq",
        "eventSourceArn": arn("mq", f"{broker}:b-{identity}", region, account, "broker:"),
        "messages": [
            {
                "messageID": f"ID:b-{identity}-1.mq.{region}.amazonaws.com-61616-{sent}-4:1:1:1:{position + 1}",
                "messageType": "jms/bytes-message" if isinstance(message, bytes) else "jms/text-message",
                "deliveryMode": 1,
                "replyTo": None,
                "type": None,
                "expiration": 0,
                "priority": 4,
                "correlationId": None,
                "redelivered": False,
                "destination": {"physicalName": queue},
                "data": base64_of(message),
                "timestamp": sent,
                "brokerInTime": sent,
                "brokerOutTime": sent + 1,
                "properties": {},
            }
            for position, message in enumerate(repeated(messages or (PAYLOAD,), records))
        ],
    }


def rabbitmq(
    queue: str = "orders",
    *messages: Any,
    virtual_host: str = "/",
    headers: Mapping[str, str] | None = None,
    broker: str = "shop",
    records: int | None = None,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A batch of messages of a RabbitMQ broker.

    Args:
        queue: The queue.
        *messages: The messages: bytes or text as it is, anything else (a model, a dict, ...) as JSON.
        virtual_host: The virtual host that the queue is in.
        headers: The headers of each message.
        broker: The name of the broker.
        records: How many messages; those given take turns.
        region: The broker's region.
        account: The broker's account.

    >>> rabbitmq("orders", "hello")["rmqMessagesByQueue"]["orders::/"][0]["data"]
    'aGVsbG8='
    """
    return {
        "eventSource": "aws:rmq",
        "eventSourceArn": arn("mq", f"{broker}:b-{uuid('broker', broker)}", region, account, "broker:"),
        "rmqMessagesByQueue": {
            f"{queue}::{virtual_host}": [
                {
                    "basicProperties": {
                        "contentType": "text/plain" if isinstance(message, str) else "application/json",
                        "contentEncoding": None,
                        "headers": {name: {"bytes": [*text.encode()]} for name, text in (headers or {}).items()},
                        "deliveryMode": 2,
                        "priority": 0,
                        "correlationId": None,
                        "replyTo": None,
                        "expiration": None,
                        "messageId": uuid("message", queue, message, position),
                        "timestamp": "Jan 1, 2026, 12:00:00 PM",
                        "type": None,
                        "userId": "shop",
                        "appId": None,
                        "clusterId": None,
                        "bodySize": len(base64_of(message)) * 3 // 4,
                    },
                    "redelivered": False,
                    "data": base64_of(message),
                }
                for position, message in enumerate(repeated(messages or (PAYLOAD,), records))
            ]
        },
    }


def documentdb(
    collection: str = "orders",
    *documents: Mapping[str, Any],
    operation: str = "insert",
    database: str = "shop",
    cluster: str = "shop",
    records: int | None = None,
    time: datetime = TIME,
    region: str = REGION,
    account: str = ACCOUNT,
) -> Event:
    """A batch of changes of a collection of DocumentDB.

    Args:
        collection: The collection.
        *documents: The documents as they are now.
        operation: What happened to them: ``insert``, ``update``, ``replace`` or ``delete``.
        database: The database.
        cluster: The name of the cluster.
        records: How many changes; the documents take turns.
        time: When it happened.
        region: The cluster's region.
        account: The cluster's account.

    >>> documentdb("orders", {"id": "1"})["events"][0]["event"]["ns"]
    {'db': 'shop', 'coll': 'orders'}
    """
    seconds = milliseconds(time) // 1000
    changes: list[Event] = []
    for position, document in enumerate(repeated(documents or (PAYLOAD,), records)):
        key = {"_id": {"$oid": hexadecimal(24, "document", collection, document, position)}}
        changes.append(
            {
                "_id": {"_data": f"01{seconds:08x}{position:08x}01{position:08x}0000{hexadecimal(4, collection)}"},
                "clusterTime": {"$timestamp": {"t": seconds, "i": position + 1}},
                "documentKey": key,
                **({} if operation == "delete" else {"fullDocument": {**key, **plain(document)}}),
                "ns": {"db": database, "coll": collection},
                "operationType": operation,
            }
        )
    return {
        "eventSourceArn": arn("rds", cluster, region, account, "cluster:"),
        "events": [{"event": change} for change in changes],
        "eventSource": "aws:docdb",
    }
